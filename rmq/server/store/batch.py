"""A batch as it came becomes records as they lie: one pass, one join.

A copy of many records can be cut short anywhere by kill -9, and later records could stand while an earlier one does
not. So the first record is placed without its magic number, and whoever reads the log ends before it; `finish` then
sets the number, and the batch stands as a whole.

The body of a batch is item after item: a head of fixed size, the message's body, and its properties behind a 16-bit
length. A record ends the same way, so the end of an item is taken over as it is. `decode_batch` of `rmq.wire.message`
is the readable twin of the reading part, `encode_message` that of the writing part; a property test holds them equal.
Where it was built, the loop of `rmq.server.store._fast` runs instead of the one here; tests hold these equal too.

Source: MessageExtEncoder.encode(MessageExtBatch), MessageDecoder.decodeMessages.
"""

from __future__ import annotations

from functools import lru_cache
from mmap import mmap
from struct import Struct
from typing import NamedTuple
from zlib import crc32

from rmq.server.store import fast
from rmq.server.store.consumequeue import UNIT
from rmq.server.store.record import CRC_MASK
from rmq.wire.layouts import BATCH_ITEM_HEAD, RECORD_HEAD_BEGIN
from rmq.wire.message import MAX_PROPERTIES, MessageError, find_property, tags_code
from rmq.wire.sysflag import MAGIC_V1

_ITEM_HEAD_SIZE = BATCH_ITEM_HEAD.size
_LEAST_ITEM = _ITEM_HEAD_SIZE + 2
_LENGTH_SIZE = 4
_MAGIC_AT = 4
_MAGIC = MAGIC_V1.to_bytes(4, "big")
_UNFINISHED = bytes(len(_MAGIC))


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
        records: bytes for the log; the first record lacks its magic number.
        units: bytes for the queue.
        offsets: physical offset of each message.
        tags: the tags codes that occur.
    """

    records: bytes
    units: bytes
    offsets: list[int]
    tags: set[int]


def place_batch(body: bytes, shape: Shape, physical: int, queue_offset: int) -> Placed:
    """The records and units of a batch.

    Args:
        body: the batch.
        shape: what the records have in common.
        physical: where the first record goes.
        queue_offset: the first message's place in its queue.

    Raises:
        MessageError: there is no item, one is cut, its parts do not add up to its size, or its properties are too long.
    """
    if not body:
        raise MessageError("a batch without a message")
    head, name_field, queue_id, sys_flag, born_timestamp, born_host, now, store_host, reconsume_times = shape
    # What all heads have in common, cut out of one of them.
    blank = head.pack(
        0, MAGIC_V1, 0, queue_id, 0, 0, 0, sys_flag, born_timestamp, born_host, now, store_host, reconsume_times, 0, 0
    )
    if fast.place_records is not None:
        return Placed(*fast.place_records(body, blank, name_field, physical, queue_offset))
    pack, read_head = RECORD_HEAD_BEGIN.pack, BATCH_ITEM_HEAD.unpack_from
    common = blank[RECORD_HEAD_BEGIN.size : -_LENGTH_SIZE]
    fixed = head.size + len(name_field)
    parts: list[bytes] = []
    units: list[int] = []
    tags: set[int] = set()
    tagless = False
    at, end = 0, len(body)
    while at < end:
        if end - at < _LEAST_ITEM:
            raise MessageError(f"a message of a batch has {end - at} bytes, not even the least {_LEAST_ITEM}")
        size, _, _, flag, length = read_head(body, at)
        message_at = at + _ITEM_HEAD_SIZE
        message_end = message_at + length
        at += size
        tail = body[message_end:at]
        rest = at - message_end - 2
        # With both lengths there an item ends behind its beginning, whatever size a stranger wrote.
        if length < 0 or rest < 0 or at > end or tail[0] << 8 | tail[1] != rest:
            raise MessageError(f"the parts of a batch's message do not add up to its {size} bytes")
        if rest > MAX_PROPERTIES:
            raise MessageError(f"properties of {rest} bytes are longer than {MAX_PROPERTIES}")
        if b"TAGS\x01" in tail:
            code = _tags_code(tail)
            tags.add(code)
        else:
            code = 0
            tagless = True
        size = fixed + length + rest + 2
        # An item's last head field is the record's as well: the body's length.
        parts += (
            pack(
                size, MAGIC_V1, crc32(body[message_at:message_end]) & CRC_MASK, queue_id, flag, queue_offset, physical
            ),
            common,
            body[message_at - _LENGTH_SIZE : message_end],
            name_field,
            tail,
        )
        units += (physical, size, code)
        physical += size
        queue_offset += 1
    if tagless:
        tags.add(0)
    parts[0] = parts[0][:_MAGIC_AT] + _UNFINISHED + parts[0][_MAGIC_AT + len(_UNFINISHED) :]
    offsets = units[::3]
    return Placed(b"".join(parts), _packed_units(len(offsets)).pack(*units), offsets, tags)


def finish(view: mmap | bytearray, start: int) -> None:
    """Makes records of what was placed at the position `start` of a view."""
    view[start + _MAGIC_AT : start + _MAGIC_AT + len(_MAGIC)] = _MAGIC


@lru_cache(maxsize=256)
def _packed_units(count: int) -> Struct:
    return Struct(UNIT.format[0] + UNIT.format[1:] * count)


def _tags_code(tail: bytes) -> int:
    tags = find_property(tail[2:], b"TAGS")
    return tags_code(tags.decode("utf-8", "replace")) if tags else 0
