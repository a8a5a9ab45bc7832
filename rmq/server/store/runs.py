"""Whole records, back to back as another log has them, sorted by queue.

A run ends before whatever is not an ordinary record: a blank, a cut or damaged one, one that does not fit into the
file, one whose queue offset does not follow that of its queue's message before it. Where it was built, the loop of
`rmq.server.store._fast` runs instead of the one here, and ends before messages of the delay levels too; tests hold
both equal.

Source: CommitLog.checkMessageAndReturnSize, DefaultMessageStore.ReputMessageService.
"""

from __future__ import annotations

from typing import NamedTuple

from rmq.server.store import fast
from rmq.server.store.consumequeue import UNIT
from rmq.server.store.record import MIN_RECORD, parse_record
from rmq.server.store.tags import DispatchTags
from rmq.wire.layouts import BLANK_RECORD
from rmq.wire.sysflag import MAGIC_V1, MAGIC_V2, TRANSACTION_MASK, TRANSACTION_PREPARED, TRANSACTION_ROLLBACK

RECORD_MAGICS = frozenset((MAGIC_V1, MAGIC_V2))
NOT_DISPATCHED = frozenset((TRANSACTION_PREPARED, TRANSACTION_ROLLBACK))
_unpack_head = BLANK_RECORD.unpack_from
_pack_unit = UNIT.pack

Parts = dict[tuple[bytes, int], tuple[int, bytearray, set[int]]]
"""By topic and queue id: the queue offset of the first message, the units, and the tags codes that occur."""


class Run(NamedTuple):
    """Records, and what they are to their queues.

    Attributes:
        end: where the first byte stands that does not belong to them.
        count: how many they are.
        newest: the greatest store time.
        parts: the units, by queue.
    """

    end: int
    count: int  # type: ignore[assignment]
    newest: int
    parts: Parts


def gather(data: bytes, at: int, physical: int, room: int, tags: DispatchTags) -> Run:
    """The run that begins at a place of `data`, quickly; empty where `gather_any` must look.

    Args:
        data: bytes of a log.
        at: where in them.
        physical: the physical offset of that place.
        room: how many bytes of records the log's file has room for from there.
        tags: for the tags codes.
    """
    if fast.gather_records is not None:
        run = Run(*fast.gather_records(data, at, physical, room))
        if run.count:
            return run
    return gather_any(data, at, physical, room, tags)


def gather_any(data: bytes, at: int, physical: int, room: int, tags: DispatchTags) -> Run:
    """The run that begins at a place of `data`; see `gather`."""
    parts: Parts = {}
    count = newest = 0
    shift = physical - at
    stop = min(len(data), at + room)
    while stop - at >= MIN_RECORD:
        total, magic = _unpack_head(data, at)
        if magic not in RECORD_MAGICS or not MIN_RECORD <= total <= stop - at:
            break
        record, _ = parse_record(data[at : at + total], shift + at, check_crc=False)
        if record is None or record.queue_offset < 0:
            break
        if record.sys_flag & TRANSACTION_MASK not in NOT_DISPATCHED:
            key = record.topic, record.queue_id
            first, units, codes = parts.get(key) or (record.queue_offset, bytearray(), set())
            if record.queue_offset != first + len(units) // UNIT.size:
                break
            code = tags.of(record.topic.decode("utf-8", "replace"), record.properties, record.store_timestamp)
            units += _pack_unit(record.physical_offset, total, code)
            codes.add(code)
            parts[key] = first, units, codes
        newest = max(newest, record.store_timestamp)
        count += 1
        at += total
    return Run(at, count, newest, parts)
