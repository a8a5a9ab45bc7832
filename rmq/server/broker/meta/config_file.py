"""A JSON file under `config/` with a backup, as Apache keeps them.

Reading takes the file, or `.bak` when it is missing, empty or damaged; writing leaves one of the two whole whenever it
is interrupted.

Source: ConfigManager, MixAll.string2File.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from twisted.logger import Logger

from rmq.server.files import SmallFiles

T = TypeVar("T")

log = Logger()


class ConfigFileError(Exception):
    """Neither a configuration file nor its backup can be read; the text names both and what is wrong."""


class ConfigFile:
    """One such file.

    Args:
        path: where it is.
        files: how it is read and replaced.
    """

    def __init__(self, path: str, files: SmallFiles) -> None:
        self._path = path
        self._files = files

    def load(self, parse: Callable[[bytes], T]) -> T | None:
        """The parsed content, or None when there is neither file nor backup.

        Raises:
            ConfigFileError: there is a file, but nothing that can be parsed.
        """
        problems = []
        for path in (self._path, f"{self._path}.bak"):
            try:
                content = self._files.read(path)
                if content is None:
                    continue
                if not content.strip():
                    raise ValueError("the file is empty")
                return parse(content)
            except Exception as error:
                problems.append(f"{path}: {error}")
                log.warn("{path} cannot be read: {error}", path=path, error=error)
        if problems:
            raise ConfigFileError("; ".join(problems) + ". Repair or remove the file to start without it")
        return None

    def save(self, text: str) -> None:
        """Replaces the content and keeps the old one as backup.

        Raises:
            OSError: the disk refuses.
        """
        self._files.replace(self._path, text.encode())
