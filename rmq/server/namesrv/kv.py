"""The name server's key-value configuration, kept in kvConfig.json.

Only one namespace means anything to RocketMQ itself: ORDER_TOPIC_CONFIG, topic -> `broker:queues;...`.

Source: KVConfigManager.
"""

from __future__ import annotations

from dataclasses import field
from typing import Final

from twisted.logger import Logger

from rmq.server.files import SmallFiles
from rmq.wire.declare import body, decode_body, encode_body
from rmq.wire.errors import InvalidFieldError, RemotingError

ORDER_TOPIC_CONFIG: Final = "ORDER_TOPIC_CONFIG"

MAX_BYTES: Final = 4 * 1024 * 1024
"""Characters that all names and values may have together."""

log = Logger()


class KvFileError(ValueError):
    """The key-value file and its backup cannot be read; starting without it would lose it."""


@body
class KvFile:
    """The content of kvConfig.json."""

    config_table: dict[str, dict[str, str]] = field(default_factory=dict)


class KvConfig:
    """Namespaces of keys and values; every change is on disk when its method returns.

    Args:
        path: the file.
        files: where files are kept.
    """

    def __init__(self, path: str, files: SmallFiles) -> None:
        self._path = path
        self._files = files
        self._tables: dict[str, dict[str, str]] = {}
        self._size = 0

    def load(self) -> None:
        """Reads the file, or its backup when the file is missing or damaged.

        Raises:
            KvFileError: neither can be used though one is there.
            OSError: they cannot be read.
        """
        damage = []
        for path in (self._path, f"{self._path}.bak"):
            content = self._files.read(path)
            if content is None:
                continue
            try:
                self._tables = decode_body(KvFile, content).config_table
            except InvalidFieldError as error:
                damage.append(f"{path} cannot be read: {error.remark}")
                continue
            self._size = sum(_size(*item) for table in self._tables.values() for item in table.items())
            for sentence in damage:
                log.warn("{sentence}; took {path}", sentence=sentence, path=path)
            return
        if damage:
            raise KvFileError("; ".join(damage) + ". Mend or remove it")

    def put(self, namespace: str, key: str, value: str) -> None:
        """Sets a value.

        Raises:
            RemotingError: there is no room, or the file cannot be written; nothing has changed.
        """
        table = self._tables.get(namespace, {})
        size = self._size + _size(key, value) - (_size(key, table[key]) if key in table else 0)
        if size > MAX_BYTES:
            raise RemotingError(f"the key-value configuration has no room for more than {MAX_BYTES} characters")
        self._write({**self._tables, namespace: {**table, key: value}})
        self._size = size

    def delete(self, namespace: str, key: str) -> None:
        """Removes a key; an unknown one is passed over. Raises as `put`."""
        table = self._tables.get(namespace, {})
        if key in table:
            self._write({**self._tables, namespace: {name: value for name, value in table.items() if name != key}})
            self._size -= _size(key, table[key])

    def get(self, namespace: str, key: str) -> str | None:
        """A value, or None."""
        return self._tables.get(namespace, {}).get(key)

    def table(self, namespace: str) -> dict[str, str] | None:
        """All of a namespace, or None when nothing was ever put there."""
        return self._tables.get(namespace)

    def _write(self, tables: dict[str, dict[str, str]]) -> None:
        try:
            self._files.replace(self._path, encode_body(KvFile(tables)))
        except OSError as error:
            raise RemotingError(f"cannot write {self._path}: {error.strerror or error}") from error
        self._tables = tables


def _size(key: str, value: str) -> int:
    return len(key) + len(value)
