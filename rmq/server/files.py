"""The few small files of a server that are replaced as a whole: read, and replace without a moment of half a file."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path
from typing import Protocol


class SmallFiles(Protocol):
    """Where such files are kept."""

    def read(self, path: str) -> bytes | None:
        """The content, or None when there is no such file."""
        ...

    def replace(self, path: str, content: bytes, *, private: bool = False) -> None:
        """Makes this the content; the one before stays as `path.bak`.

        Args:
            path: where the file is, or will be.
            content: what it holds from now on.
            private: a file that is new is for its owner only; one that exists keeps its permissions anyway.
        """
        ...


class DiskFiles:
    """`SmallFiles` on the disk. Raises OSError as the system does."""

    def read(self, path: str) -> bytes | None:
        """See `SmallFiles`."""
        try:
            return Path(path).read_bytes()
        except FileNotFoundError:
            return None

    def replace(self, path: str, content: bytes, *, private: bool = False) -> None:
        """See `SmallFiles`. On disk when this returns (MixAll.string2File keeps the same three names)."""
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        fresh = f"{path}.tmp"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(fresh)
        # Nobody else may open it before it has the permissions of the file that it replaces.
        mode = _mode(path)
        first = 0o600 if private or mode is not None else 0o666
        with open(fresh, "wb", opener=lambda name, flags: os.open(name, flags, first)) as file:
            if mode is not None:
                os.fchmod(file.fileno(), mode)
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


def _mode(path: str) -> int | None:
    """The permissions of a file, or None when there is none."""
    try:
        return stat.S_IMODE(os.stat(path).st_mode)
    except FileNotFoundError:
        return None
