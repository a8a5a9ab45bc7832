"""What lies in RocksDB at some of Apache's brokers is to be brought into the classic form.

This broker has nothing there: its tables are JSON files, its records of pops messages of the revive log. So what is
asked for is already so, as at Apache's broker with its default settings.

Source: AdminBrokerProcessor.exportRocksDBConfigToJson, transferPopToFsStore.
"""

from __future__ import annotations

from typing import Final

from rmq.remoting.dispatch import Call, handles
from rmq.wire.errors import InvalidParameterError
from rmq.wire.requests.broker import ExportRocksdbConfigToJson
from rmq.wire.requests.pop import PopRollback

_TABLES: Final = frozenset({"topics", "subscriptiongroups", "consumeroffsets"})


class ConvertProcessor:
    """Handles requests for the classic form."""

    @handles(ExportRocksdbConfigToJson)
    def tables(self, header: ExportRocksdbConfigToJson, call: Call) -> None:
        """The tables are JSON files."""
        unknown = {name for part in header.config_type.lower().split(";") if (name := part.strip())} - _TABLES
        if unknown:
            raise InvalidParameterError(f"Unknown config type: {', '.join(sorted(unknown)):.200}")

    @handles(PopRollback)
    def pops(self, header: PopRollback, call: Call) -> None:
        """The records of pops are messages."""
