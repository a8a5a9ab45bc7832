"""A JSON file under `config/` with a backup, as Apache keeps them.

Reading takes the file, or `.bak` when it is missing, empty or damaged; writing leaves one of the two whole whenever it
is interrupted.

Source: ConfigManager, MixAll.string2File.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from twisted.logger import Logger

from rmq.server.files import SmallFiles
from rmq.wire import fastjson
from rmq.wire.bodies.version import DataVersion
from rmq.wire.declare import Declared, to_plain

T = TypeVar("T")

log = Logger()


class ConfigFileError(Exception):
    """Neither a configuration file nor its backup can be read; the text names both and what is wrong."""


class MemberTexts:
    """The members of a large table as they stand in its file, so that a save writes anew only what changed.

    Args:
        depth: how many objects a member stands in.

    Attributes:
        size: characters of all members.
    """

    def __init__(self, depth: int) -> None:
        self._indent = "\n" + "\t" * depth
        self._texts: dict[str, str] = {}
        self.size = 0

    def put(self, name: str, member: Declared) -> None:
        """A member is new or has changed."""
        key = fastjson.dumps(name)
        text = f"{key}:{fastjson.dumps(to_plain(member), pretty=True)}".replace("\n", self._indent)
        self.size += len(text) - len(self._texts.get(name, ""))
        self._texts[name] = text

    def remove(self, name: str) -> None:
        """A member is gone."""
        self.size -= len(self._texts.pop(name, ""))

    def object(self) -> str:
        """All members as one object."""
        members = f",{self._indent}".join(self._texts.values())
        return f"{{{self._indent}{members}{self._indent[:-1]}}}"


def pretty_object(members: Iterable[tuple[str, Mapping[str, Any] | str]]) -> str:
    """An object of named objects, each plain or as text that is indented already."""
    texts = []
    for name, member in members:
        text = member if isinstance(member, str) else fastjson.dumps(member, pretty=True).replace("\n", "\n\t")
        texts.append(f'"{name}":{text}')
    return "{\n\t" + ",\n\t".join(texts) + "\n}"


class Versioned(Protocol):
    """A table that has a version."""

    version: DataVersion


@contextmanager
def version_taken(table: Versioned, version: DataVersion) -> Iterator[None]:
    """Gives a table another broker's version for the save inside; it has its own again when the disk refuses."""
    former, table.version = table.version, version
    try:
        yield
    except OSError:
        table.version = former
        raise


class ConfigFile:
    """One such file.

    Args:
        path: where it is.
        files: how it is read and replaced.
        private: a new one is for its owner only.
    """

    def __init__(self, path: str, files: SmallFiles, *, private: bool = False) -> None:
        self._path = path
        self._files = files
        self._private = private

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
        self._files.replace(self._path, text.encode(), private=self._private)
