"""A batch as it came becomes records as they lie: one pass, one join.

A copy of many records can be cut short anywhere by kill -9, and later records could stand while an earlier one does
not. So the records are placed without their magic numbers, which no reader takes for records; `finish` then sets the
numbers one after the other, and what stands of a batch is always its beginning.

The body of a batch is item after item: a head of fixed size, the message's body, and its properties behind a 16-bit
length. A record ends the same way, so the end of an item is taken over as it is. `decode_batch` of `rmq.wire.message`
is the readable twin of the reading part, `encode_message` that of the writing part; a property test holds them equal.

Source: MessageExtEncoder.encode(MessageExtBatch), MessageDecoder.decodeMessages.
"""

from __future__ import annotations

from mmap import mmap
from struct import Struct
from typing import NamedTuple
from zlib import crc32

from rmq.server.store.consumequeue import UNIT
from rmq.server.store.record import CRC_MASK
from rmq.wire.layouts import BATCH_ITEM_HEAD
from rmq.wire.message import MAX_PROPERTIES, MessageError, find_property, tags_code
from rmq.wire.sysflag import MAGIC_V1

_ITEM_HEAD_SIZE = BATCH_ITEM_HEAD.size
_LEAST_ITEM = _ITEM_HEAD_SIZE + 2
_UNFINISHED = 0
_MAGIC = MAGIC_V1.to_bytes(4, "big")


class Shape(NamedTuple):
    """What the records of one batch have in common."""

    head: Struct
    name_field: bytes
    queue_id: int
    sys_flag: int
    born_timestamp: int
    born_host: bytes
    store_timestamp: int
    store_host: bytes
    reconsume_times: int


class Placed(NamedTuple):
    """A batch made for one place.

    Attributes:
        records: bytes for the log, still without magic numbers.
        units: bytes for the queue.
        offsets: physical offset of each message.
        properties: the properties of each message.
        tags: the tags codes that occur.
    """

    records: bytes
    units: list[bytes]
    offsets: list[int]
    properties: list[bytes]
    tags: set[int]


def size_of_batch(body: bytes, shape: Shape) -> tuple[int, int]:
    """How many messages a batch holds and how many bytes their records take.

    Raises:
        MessageError: an item is cut, or its size is impossible.
    """
    at, end, count = 0, len(body), 0
    while at < end:
        size = int.from_bytes(body[at : at + 4], "big")
        if size < _LEAST_ITEM or size > end - at:
            raise MessageError(f"a message of a batch is said to have {size} bytes, {end - at} are left")
        at += size
        count += 1
    return count, end + count * (shape.head.size + len(shape.name_field) - _ITEM_HEAD_SIZE)


def place_batch(body: bytes, shape: Shape, physical: int, queue_offset: int) -> Placed:
    """The records of a batch whose items `size_of_batch` has found to fit.

    Args:
        body: the batch.
        shape: what the records have in common.
        physical: where the first record goes.
        queue_offset: the first message's place in its queue.

    Raises:
        MessageError: the parts of an item do not add up to its size, or its properties are too long.
    """
    head, name_field, queue_id, sys_flag, born_timestamp, born_host, now, store_host, reconsume_times = shape
    pack, read_head, pack_unit = head.pack, BATCH_ITEM_HEAD.unpack_from, UNIT.pack
    fixed = head.size + len(name_field)
    parts: list[bytes] = []
    units: list[bytes] = []
    offsets: list[int] = []
    tails: list[bytes] = []
    tags: set[int] = set()
    at, end = 0, len(body)
    while at < end:
        size, _, _, flag, length = read_head(body, at)
        message_at = at + _ITEM_HEAD_SIZE
        message_end = message_at + length
        at += size
        tail = body[message_end:at]
        if length < 0 or len(tail) < 2 or tail[0] << 8 | tail[1] != len(tail) - 2:
            raise MessageError(f"the parts of a batch's message do not add up to its {size} bytes")
        if len(tail) - 2 > MAX_PROPERTIES:
            raise MessageError(f"properties of {len(tail) - 2} bytes are longer than {MAX_PROPERTIES}")
        message = body[message_at:message_end]
        size = fixed + length + len(tail)
        code = _tags_code(tail) if b"TAGS\x01" in tail else 0
        parts += (
            pack(
                size,
                _UNFINISHED,
                crc32(message) & CRC_MASK,
                queue_id,
                flag,
                queue_offset,
                physical,
                sys_flag,
                born_timestamp,
                born_host,
                now,
                store_host,
                reconsume_times,
                0,
                length,
            ),
            message,
            name_field,
            tail,
        )
        units.append(pack_unit(physical, size, code))
        offsets.append(physical)
        tails.append(tail)
        tags.add(code)
        physical += size
        queue_offset += 1
    return Placed(b"".join(parts), units, offsets, tails, tags)


def finish(view: mmap | bytearray, base: int, offsets: list[int]) -> None:
    """Makes records of what was placed.

    Args:
        view: where it was placed.
        base: physical offset of the view's first byte.
        offsets: physical offset of each record.
    """
    for physical in offsets:
        at = physical - base + 4
        view[at : at + 4] = _MAGIC


def _tags_code(tail: bytes) -> int:
    tags = find_property(tail[2:], b"TAGS")
    return tags_code(tags.decode("utf-8", "replace")) if tags else 0
