"""Tables that Apache's brokers keep in RocksDB, read from their directories.

A broker with `storeType=defaultRocksDB` keeps topics, groups and consumer offsets in three RocksDB directories: one row
each, JSON under its name, and the table's version in the column family `kvDataVersion`. They are read through a
directory of links, so that nothing is written where a broker may be at work.

RocksDB is read by the package rocksdict, which is not among rmq's requirements: `pip install 'rmq[rocksdb]'`.

Source: ConfigRocksDBStorage.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, field
from typing import Any, Final

from rmq.client.errors import ClientError

_VERSION_FAMILY: Final = "kvDataVersion"
_VERSION_KEY: Final = b"kvDataVersionKey"
_DEFAULT_FAMILY: Final = "default"
_CURRENT: Final = "CURRENT"
"""A file that every RocksDB directory has."""


class RocksDBError(ClientError):
    """A RocksDB directory cannot be read; the text tells why."""


@dataclass
class StoredTable:
    """A table as it is stored.

    Attributes:
        version: its version as JSON, or None when it has none.
        rows: names and their JSON, in the order of names.
    """

    version: str | None = None
    rows: list[tuple[str, str]] = field(default_factory=list)


def read_table(directory: str) -> StoredTable:
    """All that a directory holds.

    Raises:
        RocksDBError: it is no RocksDB directory, it is damaged, or the package for reading it is missing.
    """
    if not os.path.isfile(os.path.join(directory, _CURRENT)):
        raise RocksDBError(f"{directory} is no RocksDB directory")
    try:
        import rocksdict
    except ImportError:
        raise RocksDBError(
            "reading RocksDB directories needs the package rocksdict: pip install 'rmq[rocksdb]'"
        ) from None
    with tempfile.TemporaryDirectory(prefix="rmq-rocksdb-") as links:
        for name in os.listdir(directory):
            os.symlink(os.path.abspath(os.path.join(directory, name)), os.path.join(links, name))
        try:
            return _read(rocksdict, links)
        except RocksDBError:
            raise
        except Exception as error:
            # The package raises plain exceptions with RocksDB's own words.
            raise RocksDBError(f"{directory} cannot be read: {error}".replace(links, directory)) from None


def _read(rocksdict: Any, directory: str) -> StoredTable:
    def options() -> Any:
        return rocksdict.Options(raw_mode=True)

    families = {name: options() for name in rocksdict.Rdict.list_cf(directory) if name != _DEFAULT_FAMILY}
    database = rocksdict.Rdict(
        directory, options(), column_families=families, access_type=rocksdict.AccessType.read_only()
    )
    try:
        table = StoredTable(rows=[(_text(key), _text(value)) for key, value in database.items()])
        if _VERSION_FAMILY in families:
            version = database.get_column_family(_VERSION_FAMILY).get(_VERSION_KEY)
            table.version = None if version is None else _text(version)
        return table
    finally:
        database.close()


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")
