"""Check points on their way into the revive log, and the offsets that may be committed when they are there.

A group's offset in a queue may pass a pop only when its check point is stored or all its messages are acknowledged;
else a crash would lose them. So pops of a queue stand in a line, and the offset is committed up to the first that is
not *settled*. The next pop takes what follows the last in line.

Normally a check point is stored when it is made, and there is no line. It waits in memory in two cases: the store does
not take it now, or `enablePopBufferMerge` is on. In the second its acknowledgements are collected, and when they are
all there nothing is ever stored; else it is stored some time before its invisible time ends, with the
acknowledgements that came. The number of check points in memory is bounded, those whose time runs included.

Source: PopBufferMergeService.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from heapq import heappop, heappush, heapreplace
from typing import Final

from rmq.server.broker.meta.offsets import OffsetTable
from rmq.server.broker.pop.revivelog import ReviveLog
from rmq.settings.model import BrokerSettings
from rmq.wire.bodies.pop import AckRecord, PopCheckPoint

SCAN_SECONDS: Final = 0.1
"""Pause between two looks for check points whose time in memory is over."""

_RETRY_MILLIS: Final = 1000
_LEAST_MILLIS_IN_MEMORY: Final = 1500

Queue = tuple[str, str, int]
"""Topic, group, queue id."""

PointKey = tuple[str, str, int, int, int, str]
"""Topic, group, queue id, start offset, pop time, broker name: what a check point and its acknowledgements share."""


def key_of(record: PopCheckPoint | AckRecord) -> PointKey:
    """What tells a check point from all others."""
    return (
        record.topic or "",
        record.group or "",
        record.queue_id,
        record.start_offset,
        record.pop_time,
        record.broker_name or "",
    )


class _Entry:
    """A pop in its queue's line.

    Attributes:
        bits: its acknowledged messages.
        logged: those of them whose acknowledgement is in the revive log.
        stored: whether its check point is there.
        settled: whether the offset may pass it.
    """

    __slots__ = ("bits", "key", "logged", "next_offset", "point", "revive_queue", "settled", "stored")

    def __init__(self, point: PopCheckPoint | None, revive_queue: int, next_offset: int) -> None:
        self.point = point
        self.key = key_of(point) if point is not None else None
        self.revive_queue = revive_queue
        self.next_offset = next_offset
        self.bits = self.logged = 0
        self.stored = False
        self.settled = point is None


class CheckPointBuffer:
    """All check points that are in memory, and the lines of pops.

    Args:
        settings: whether and how long check points wait.
        log: where they go.
        offsets: where groups' offsets are committed.
        exists: whether topic and group exist; offsets of others are not kept.
        now: milliseconds since the epoch.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        log: ReviveLog,
        offsets: OffsetTable,
        exists: Callable[[str, str], bool],
        now: Callable[[], int],
    ) -> None:
        self._broker = settings.broker
        self._log = log
        self._offsets = offsets
        self._exists = exists
        self._now = now
        self._entries: dict[PointKey, _Entry] = {}
        self._due: list[tuple[int, int, _Entry]] = []
        self._number = 0
        self._lines: dict[Queue, deque[_Entry]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def latest(self, topic: str, group: str, queue_id: int) -> int:
        """The offset after the last pop in line, -1 when there is none."""
        line = self._lines.get((topic, group, queue_id))
        return line[-1].next_offset if line else -1

    def add(self, point: PopCheckPoint, revive_queue: int, next_offset: int) -> bool:
        """Takes a check point; False when its messages must not be handed out, because it can be kept nowhere."""
        entry = _Entry(point, revive_queue, next_offset)
        key = key_of(point)
        if key in self._entries:
            # Two pops in one millisecond began at the same place; their acknowledgements could not be told apart.
            return False
        if self._may_wait(point):
            self._keep(key, entry, self._deadline(point))
        elif self._log.put_check_point(point, revive_queue):
            entry.stored = entry.settled = True
        elif len(self._due) < self._broker.pop_ck_max_buffer_size:
            self._keep(key, entry, self._now() + _RETRY_MILLIS)
        else:
            return False
        self._line_up(_queue_of(point), entry)
        return True

    def advance(self, topic: str, group: str, queue_id: int, next_offset: int) -> None:
        """Nothing before an offset is of interest to the group."""
        self._line_up((topic, group, queue_id), _Entry(None, 0, next_offset))

    def acknowledge(self, ack: AckRecord) -> bool:
        """Takes an acknowledgement; False when its check point is not in memory."""
        entry = self._entries.get(key_of(ack))
        if entry is None or entry.point is None:
            return False
        for offset in ack.offsets:
            index = entry.point.index_of(offset)
            if index >= 0:
                entry.bits |= 1 << index
        if entry.bits == (1 << entry.point.num) - 1 and not entry.stored:
            self._settle(entry)
        return True

    def forget(self, topic: str, group: str, queue_id: int) -> None:
        """The group's offset in a queue was set anew: what stands in line no longer counts for it."""
        self._lines.pop((topic, group, queue_id), None)

    def forget_all(self, gone: Callable[[str, str], bool]) -> None:
        """Topics and groups for which this is true were deleted; others of their names begin anew."""
        self._lines = {queue: line for queue, line in self._lines.items() if not gone(*queue[:2])}

    def scan(self) -> None:
        """Stores the check points whose time in memory is over."""
        now = self._now()
        while self._due and self._due[0][0] <= now:
            _, number, entry = self._due[0]
            if not entry.settled and not self._store(entry):
                heapreplace(self._due, (now + _RETRY_MILLIS, number, entry))
                return
            heappop(self._due)

    def flush(self) -> None:
        """Stores all that is in memory, before the broker stops."""
        for entry in list(self._entries.values()):
            self._store(entry)

    def _may_wait(self, point: PopCheckPoint) -> bool:
        broker = self._broker
        if not broker.enable_pop_buffer_merge or len(self._due) >= broker.pop_ck_max_buffer_size:
            return False
        if point.revive_time - self._now() < broker.pop_ck_stay_buffer_time_out + _LEAST_MILLIS_IN_MEMORY:
            return False
        return len(self._lines.get(_queue_of(point), ())) < broker.pop_ck_offset_max_queue_size

    def _deadline(self, point: PopCheckPoint) -> int:
        broker = self._broker
        return min(
            point.pop_time + broker.pop_ck_stay_buffer_time, point.revive_time - broker.pop_ck_stay_buffer_time_out
        )

    def _keep(self, key: PointKey, entry: _Entry, deadline: int) -> None:
        self._entries[key] = entry
        self._number += 1
        heappush(self._due, (deadline, self._number, entry))

    def _store(self, entry: _Entry) -> bool:
        """Puts a check point and its acknowledgements into the revive log; False to come back later."""
        point = entry.point
        if point is None:
            return True
        if not entry.stored and not self._log.put_check_point(point, entry.revive_queue):
            return False
        entry.stored = True
        open_bits = entry.bits & ~entry.logged
        indexes = [index for index in range(point.num) if open_bits >> index & 1]
        groups = [indexes] if self._broker.enable_pop_batch_ack and indexes else [[index] for index in indexes]
        for group in groups:
            ack = _ack_of(point, [point.offset_at(index) for index in group], self._broker.enable_pop_batch_ack)
            if not self._log.put_ack(ack, entry.revive_queue, point.revive_time):
                return False
            entry.logged |= sum(1 << index for index in group)
        self._settle(entry)
        return True

    def _settle(self, entry: _Entry) -> None:
        entry.settled = True
        if entry.key is not None:
            self._entries.pop(entry.key, None)
        if entry.point is not None:
            self._commit(_queue_of(entry.point))

    def _line_up(self, queue: Queue, entry: _Entry) -> None:
        self._lines.setdefault(queue, deque()).append(entry)
        self._commit(queue)

    def _commit(self, queue: Queue) -> None:
        line = self._lines.get(queue)
        if line is None:
            return
        reached = -1
        while line and line[0].settled:
            reached = line.popleft().next_offset
        if not line:
            del self._lines[queue]
        topic, group, queue_id = queue
        if reached >= 0 and self._exists(topic, group):
            self._offsets.commit(group, topic, queue_id, reached)


def _queue_of(point: PopCheckPoint) -> Queue:
    return point.topic or "", point.group or "", point.queue_id


def _ack_of(point: PopCheckPoint, offsets: Iterable[int], batch: bool) -> AckRecord:
    listed = list(offsets)
    return AckRecord(
        -1 if batch else listed[0],
        point.start_offset,
        point.group,
        point.topic,
        point.queue_id,
        point.pop_time,
        point.broker_name,
        listed if batch else None,
    )
