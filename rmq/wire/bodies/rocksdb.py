"""What brokers that keep queues in RocksDB say of them.

Source: CheckRocksdbCqWriteResult.
"""

from __future__ import annotations

from enum import IntEnum

from rmq.wire.declare import Int32, body


class CheckStatus(IntEnum):
    """State of a comparison of RocksDB queues with queue files."""

    OK = 0
    NOT_OK = 1
    IN_PROGRESS = 2
    ERROR = 3


@body
class CheckRocksdbCqWriteResult:
    """Outcome of the comparison; the status is one of `CheckStatus`."""

    check_result: str | None = None
    check_status: Int32 = 0
