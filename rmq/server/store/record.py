"""Checks on the bytes of one stored record.

A record is sound when its size, magic and parts agree, its physical offset is where it stands, and the CRC of its body
is right. Recovery and reads of what an earlier process wrote use the same rules.

Source: CommitLog.checkMessageAndReturnSize.
"""

from __future__ import annotations

from typing import NamedTuple
from zlib import crc32

from rmq.wire.layouts import RECORD_HEAD, RECORD_HEAD_BORN6, RECORD_HEAD_BOTH6, RECORD_HEAD_STORE6
from rmq.wire.sysflag import BORN_HOST_V6, MAGIC_V1, MAGIC_V2, NOT_DISPATCHED, STORE_HOST_V6, TRANSACTION_MASK

HOST_BITS = BORN_HOST_V6 | STORE_HOST_V6
CRC_MASK = 0x7FFFFFFF
OWN_OFFSET_AT = 28
"""Where a record says at which physical offset it stands; the flags follow."""
SYS_FLAG_AT = 36
RECORD_MAGICS = frozenset((MAGIC_V1, MAGIC_V2))
MIN_RECORD = RECORD_HEAD.size + 1 + 2
HEADS = {
    0: RECORD_HEAD,
    BORN_HOST_V6: RECORD_HEAD_BORN6,
    STORE_HOST_V6: RECORD_HEAD_STORE6,
    HOST_BITS: RECORD_HEAD_BOTH6,
}

STORE_TIME_PREFIX = 76
"""Bytes of a record that hold its store time, wherever the born host puts it."""


class Record(NamedTuple):
    """What recovery and dispatch need of a sound record."""

    physical_offset: int
    size: int
    topic: bytes
    queue_id: int
    queue_offset: int
    sys_flag: int
    store_timestamp: int
    properties: bytes

    @property
    def is_dispatched(self) -> bool:
        """Whether it has a place in its queue, as all have but half and rolled back messages."""
        return self.sys_flag & TRANSACTION_MASK not in NOT_DISPATCHED


def store_time_of(prefix: bytes) -> int:
    """The store time of a record of which the first `STORE_TIME_PREFIX` bytes are given."""
    at = 68 if prefix[SYS_FLAG_AT + 3] & BORN_HOST_V6 else 56
    return int.from_bytes(prefix[at : at + 8], "big", signed=True)


def parse_record(data: bytes, physical: int, check_crc: bool = True) -> tuple[Record | None, str]:
    """Reads the record that fills `data` and stands at `physical`.

    Returns:
        The record and an empty text when it is sound. The record and a text when only the CRC of its body is wrong.
        None and a text when it is no record.
    """
    if len(data) < MIN_RECORD:
        return None, f"{len(data)} bytes are no record"
    head = HEADS[data[SYS_FLAG_AT + 3] & HOST_BITS]
    size_of_head = head.size
    if len(data) < size_of_head + 3:
        return None, f"{len(data)} bytes are no record"
    (
        total,
        magic,
        body_crc,
        queue_id,
        _,
        queue_offset,
        own_offset,
        sys_flag,
        _,
        _,
        store_timestamp,
        _,
        _,
        _,
        body_length,
    ) = head.unpack_from(data)
    if total != len(data) or own_offset != physical:
        return None, "a record's size or own offset is wrong"
    body_end = size_of_head + body_length
    if magic == MAGIC_V1:
        topic_at = body_end + 1
    elif magic == MAGIC_V2:
        topic_at = body_end + 2
    else:
        return None, f"0x{magic:08X} does not open a record"
    if body_length < 0 or topic_at + 2 > total:
        return None, "a record's body is longer than the record"
    topic_end = topic_at + int.from_bytes(data[body_end:topic_at], "big")
    properties_at = topic_end + 2
    if properties_at + int.from_bytes(data[topic_end:properties_at], "big") != total or topic_end == topic_at:
        return None, "the parts of a record do not add up to its size"
    record = Record(
        physical,
        total,
        data[topic_at:topic_end],
        queue_id,
        queue_offset,
        sys_flag,
        store_timestamp,
        data[properties_at:],
    )
    if check_crc and crc32(data[size_of_head:body_end]) & CRC_MASK != body_crc:
        return record, "bad CRC of a message's body"
    return record, ""


def check_record(data: bytes, physical: int) -> str | None:
    """Why `data` is not the sound record at `physical`; None when it is."""
    return parse_record(data, physical)[1] or None


def is_message(data: bytes, physical: int, queue_id: int, queue_offset: int) -> bool:
    """Whether `data` is the sound record at `physical`, and the message of this queue at this queue offset.

    The same rules as `parse_record`, without making anything: readers of old messages ask for each one.
    """
    if len(data) < MIN_RECORD:
        return False
    head = HEADS[data[SYS_FLAG_AT + 3] & HOST_BITS]
    body_at = head.size
    if len(data) < body_at + 3:
        return False
    total, magic, body_crc, its_queue, _, its_offset, own_offset, _, _, _, _, _, _, _, length = head.unpack_from(data)
    body_end = body_at + length
    if (
        total != len(data)
        or own_offset != physical
        or its_offset != queue_offset
        or its_queue != queue_id
        or length < 0
        or body_end + 3 > total
    ):
        return False
    if magic == MAGIC_V1:
        topic_end = body_end + 1 + data[body_end]
    elif magic == MAGIC_V2:
        topic_end = body_end + 2 + (data[body_end] << 8) + data[body_end + 1]
    else:
        return False
    if topic_end + 2 > total or topic_end + 2 + (data[topic_end] << 8) + data[topic_end + 1] != total:
        return False
    return crc32(data[body_at:body_end]) & CRC_MASK == int(body_crc)
