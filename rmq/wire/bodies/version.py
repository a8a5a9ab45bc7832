"""Versions of replicated tables, by which a copy is known to be stale.

Source: DataVersion.
"""

from __future__ import annotations

from rmq.wire.declare import Int64, key_body


@key_body
class DataVersion:
    """How new a table is. The order is Apache's: state version, then counter, then time.

    Attributes:
        state_version: epoch of the master that wrote the table; 0 without a controller.
        counter: number of changes.
        timestamp: time of the last change, in ms.
    """

    state_version: Int64 = 0
    counter: Int64 = 0
    timestamp: Int64 = 0

    def next(self, now: int) -> DataVersion:
        """The version after one more change at `now` (ms)."""
        return DataVersion(self.state_version, self.counter + 1, now)

    def __str__(self) -> str:
        return f"DataVersion[timestamp={self.timestamp}, counter={self.counter}]"
