"""A JSON file under `config/` with a backup, as Apache keeps them.

Writing: the new content goes to a temporary file and to the disk, the old file becomes `.bak`, then the new one takes
its name; a crash at any point leaves one of the two whole. Reading: the file, or `.bak` when it is missing, empty or
damaged.

Source: ConfigManager, MixAll.string2File.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from twisted.logger import Logger

T = TypeVar("T")

log = Logger()


class ConfigFileError(Exception):
    """Neither a configuration file nor its backup can be read; the text names both and what is wrong."""


class ConfigFile:
    """One such file.

    Args:
        path: where it is; the directory is made when first needed.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._backup = Path(f"{path}.bak")

    def load(self, parse: Callable[[bytes], T]) -> T | None:
        """The parsed content, or None when there is neither file nor backup.

        Raises:
            ConfigFileError: there is a file, but nothing that can be parsed.
        """
        problems = []
        for path in (self._path, self._backup):
            try:
                content = path.read_bytes()
            except FileNotFoundError:
                continue
            except OSError as error:
                problems.append(f"{path}: {error.strerror}")
                continue
            try:
                if not content.strip():
                    raise ValueError("the file is empty")
                return parse(content)
            except Exception as error:
                problems.append(f"{path}: {error}")
                log.warn("{path} cannot be read: {error}", path=str(path), error=error)
        if problems:
            raise ConfigFileError("; ".join(problems) + ". Repair or remove the file to start without it")
        return None

    def save(self, text: str) -> None:
        """Replaces the content and keeps the old one as backup.

        Raises:
            OSError: the disk refuses.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(f"{self._path}.tmp")
        with temporary.open("wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        if self._path.exists():
            self._path.replace(self._backup)
        temporary.replace(self._path)
