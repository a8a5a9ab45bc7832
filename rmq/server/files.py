"""The few small files of a server that are replaced as a whole: read, and replace without a moment of half a file."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Protocol


class SmallFiles(Protocol):
    """Where such files are kept."""

    def read(self, path: str) -> bytes | None:
        """The content, or None when there is no such file."""
        ...

    def replace(self, path: str, content: bytes) -> None:
        """Makes this the content; the one before stays as `path.bak`."""
        ...


class DiskFiles:
    """`SmallFiles` on the disk. Raises OSError as the system does."""

    def read(self, path: str) -> bytes | None:
        """See `SmallFiles`."""
        try:
            return Path(path).read_bytes()
        except FileNotFoundError:
            return None

    def replace(self, path: str, content: bytes) -> None:
        """See `SmallFiles`. On disk when this returns (MixAll.string2File keeps the same three names)."""
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        fresh = f"{path}.tmp"
        with open(fresh, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileNotFoundError):
            os.replace(path, f"{path}.bak")
        os.replace(fresh, path)
        directory = os.open(os.path.dirname(path) or ".", os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
