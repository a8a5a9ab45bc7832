"""Finds the properties in a stored message."""

from __future__ import annotations

from struct import Struct
from typing import Final

from rmq.wire.layouts import RECORD_HEAD
from rmq.wire.sysflag import BORN_HOST_V6, MAGIC_V2, STORE_HOST_V6

_HEAD: Final = RECORD_HEAD.size
_LONGER: Final = {0: 0, BORN_HOST_V6: 12, STORE_HOST_V6: 12, BORN_HOST_V6 | STORE_HOST_V6: 24}
_HOST_BITS: Final = BORN_HOST_V6 | STORE_HOST_V6
_MAGIC_AND_FLAG: Final = Struct(">4xI28xI")
_LENGTH: Final = Struct(">i")


def properties_of(record: bytes | memoryview) -> bytes:
    """The properties of a sound record, as a copy."""
    magic, sys_flag = _MAGIC_AND_FLAG.unpack_from(record)
    head = _HEAD + _LONGER[sys_flag & _HOST_BITS]
    at = head + _LENGTH.unpack_from(record, head - 4)[0]
    if magic == MAGIC_V2:
        return bytes(record[at + 4 + (record[at] << 8) + record[at + 1] :])
    return bytes(record[at + 3 + record[at] :])
