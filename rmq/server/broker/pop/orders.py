"""Ordered pops: a queue's messages are handed out again only after all of the last pop are done.

Such pops have no check points. For each queue the last pop is kept: which messages, which of them are acknowledged, and
until when each is hidden. While one of them is neither acknowledged nor visible, the queue is *blocked*: nobody gets
anything from it, except who repeats the pop with the same attempt id and gets the same again. The committed offset is
that of the first message without acknowledgement, so the next pop begins there, and how often a message came before is
counted and told.

When the last invisible time of a queue is over, waiting pops are woken.

The table lives in `config/consumerOrderInfo.json`; there all offsets but the first are distances from it.

Source: QueueLevelConsumerManager, QueueLevelConsumerOrderInfoLockManager, ConsumerOrderInfoManager.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field
from typing import Final

from rmq.remoting.reactor import Clock, DelayedCall
from rmq.server.broker.meta.config_file import ConfigFile
from rmq.settings.model import BrokerSettings
from rmq.wire import fastjson
from rmq.wire.declare import Int32, Int64, body, decode_body, to_plain, wire
from rmq.wire.popinfo import message_count_entry, queue_count_entry

KEPT_MILLIS: Final = 24 * 3600 * 1000
"""A queue that nobody popped for so long is forgotten."""

NOTHING_TO_COMMIT: Final = -2
ILLEGAL: Final = -1

_BY_QUEUE: Final = "QUEUE"


@body
class OrderInfo:
    """The last ordered pop of a queue.

    Attributes:
        offset_list: the first message's offset, then the others' distances from it.
        next_visible: when a message becomes visible, where that is not the end of the pop's invisible time.
        consumed_count: how often a message came before this pop, where it did.
        commit_bits: which messages are acknowledged.
    """

    pop_time: Int64 = 0
    invisible_time: Int64 | None = wire("i", default=None)
    offset_list: list[Int64] = wire("o", default_factory=list)
    next_visible: dict[Int64, Int64] | None = wire("ot", default=None)
    consumed_count: dict[Int64, Int32] | None = wire("oc", default=None)
    last_consume_timestamp: Int64 = wire("l", default=0)
    commit_bits: Int64 = wire("cm", default=0)
    attempt_id: str | None = wire("a", default=None)

    def offsets(self) -> list[int]:
        """Queue offsets of its messages."""
        first = self.offset_list[:1]
        return first + [first[0] + distance for distance in self.offset_list[1:]]

    def hidden_until(self, now: int) -> int:
        """When its last hidden message without acknowledgement becomes visible; `now` when none is hidden."""
        hides = self.invisible_time or 0
        latest = now
        for index, offset in enumerate(self.offsets()):
            if not self.commit_bits >> index & 1:
                latest = max(latest, (self.next_visible or {}).get(offset, self.pop_time + hides))
        return latest


@body
class _OrderFile:
    table: dict[str, dict[Int32, OrderInfo]] = field(default_factory=dict)
    ordered_consumption_level: str = _BY_QUEUE


class OrderTable:
    """The last ordered pops of all queues.

    Args:
        settings: whether waiting pops are woken.
        file: `config/consumerOrderInfo.json`.
        queues_of: how many queues a topic has; 0 when topic or group do not exist.
        clock: calls when a queue is no longer blocked.
        now: milliseconds since the epoch.

    Attributes:
        on_free: called with topic, group and queue id then.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        file: ConfigFile,
        queues_of: Callable[[str, str], int],
        clock: Clock,
        now: Callable[[], int],
    ) -> None:
        self._broker = settings.broker
        self._file = file
        self._queues_of = queues_of
        self._clock = clock
        self._now = now
        self._table: dict[str, dict[int, OrderInfo]] = {}
        self._dirty = False
        self._timers: dict[tuple[str, str, int], DelayedCall] = {}
        self.on_free: Callable[[str, str, int], None] = lambda topic, group, queue_id: None

    def load(self) -> None:
        """Reads what an earlier run kept.

        Raises:
            ConfigFileError: the file is damaged.
        """
        stored = self._file.load(lambda content: decode_body(_OrderFile, content))
        if stored is not None:
            self._table = stored.table
        for key, queues in self._table.items():
            topic, _, group = key.partition("@")
            for queue_id, info in queues.items():
                self._wake_later((topic, group, queue_id), info)

    def save(self) -> None:
        """Writes the file if anything changed since; what nobody needs any more is forgotten.

        Raises:
            OSError: the disk refuses; the next save tries again.
        """
        if not self._dirty:
            return
        self._forget_old()
        self._file.save(fastjson.dumps(to_plain(_OrderFile(self._table)), pretty=True))
        self._dirty = False

    def stop(self) -> None:
        """Wakes nobody any more."""
        timers, self._timers = self._timers, {}
        for timer in timers.values():
            timer.cancel()

    def is_blocked(
        self, attempt_id: str | None, topic: str, group: str, queue_id: int, invisible_time: int
    ) -> bool:
        """Whether messages of the last pop are still with a consumer.

        Args:
            invisible_time: in ms, taken for pops of old brokers, which did not keep theirs.
        """
        info = self._find(topic, group, queue_id)
        if info is None or not info.offset_list or (info.attempt_id is not None and info.attempt_id == attempt_id):
            return False
        if not info.invisible_time or info.invisible_time <= 0:
            info.invisible_time = invisible_time
        now = self._now()
        return info.hidden_until(now) > now

    def popped(
        self,
        topic: str,
        group: str,
        queue_id: int,
        attempt_id: str | None,
        pop_time: int,
        invisible_time: int,
        offsets: Sequence[int],
    ) -> list[str]:
        """Keeps a pop; returns entries of the reply's orderCountInfo."""
        old = self._find(topic, group, queue_id)
        info = OrderInfo(
            pop_time,
            invisible_time,
            [offsets[0], *(offset - offsets[0] for offset in offsets[1:])],
            last_consume_timestamp=self._now(),
            attempt_id=attempt_id,
        )
        if old is not None:
            info.consumed_count = _counts(old, info)
        self._table.setdefault(f"{topic}@{group}", {})[queue_id] = info
        self._changed(topic, group, queue_id, info)
        counts = info.consumed_count or {}
        entries = [message_count_entry(topic, queue_id, offset, count) for offset, count in counts.items()]
        # Old clients know only the queue's number.
        least = min(counts.values(), default=0) if len(counts) == len(offsets) else 0
        return [*entries, queue_count_entry(topic, queue_id, least)]

    def acknowledge(self, topic: str, group: str, queue_id: int, offset: int, pop_time: int) -> int:
        """Takes an acknowledgement; returns the offset to commit, NOTHING_TO_COMMIT, or ILLEGAL."""
        info = self._find(topic, group, queue_id)
        if info is None:
            return offset + 1
        offsets = info.offsets()
        if not offsets:
            return ILLEGAL
        if pop_time != info.pop_time:
            return NOTHING_TO_COMMIT
        if offset not in offsets:
            return ILLEGAL
        bit = 1 << offsets.index(offset)
        if not info.commit_bits & bit:
            info.commit_bits |= bit
            self._changed(topic, group, queue_id, info)
        for index, each in enumerate(offsets):
            if not info.commit_bits >> index & 1:
                return each
        return offsets[-1] + 1

    def hide_until(self, topic: str, group: str, queue_id: int, offset: int, pop_time: int, visible: int) -> None:
        """A message of the last pop becomes visible at another time, milliseconds since the epoch."""
        info = self._find(topic, group, queue_id)
        if info is None or pop_time != info.pop_time or offset not in info.offsets():
            return
        if info.next_visible is None:
            info.next_visible = {}
        info.next_visible[offset] = visible
        self._changed(topic, group, queue_id, info)

    def forget(self, topic: str, group: str, queue_id: int) -> None:
        """The group's offset was set anew: nothing is blocked."""
        if self._table.get(f"{topic}@{group}", {}).pop(queue_id, None) is not None:
            self._dirty = True

    def forget_all(self, gone: Callable[[str, str], bool]) -> None:
        """Topics and groups for which this is true were deleted."""
        for key in list(self._table):
            topic, _, group = key.partition("@")
            if gone(topic, group):
                del self._table[key]
                self._dirty = True

    def _find(self, topic: str, group: str, queue_id: int) -> OrderInfo | None:
        return self._table.get(f"{topic}@{group}", {}).get(queue_id)

    def _changed(self, topic: str, group: str, queue_id: int, info: OrderInfo) -> None:
        self._dirty = True
        self._wake_later((topic, group, queue_id), info)

    def _wake_later(self, queue: tuple[str, str, int], info: OrderInfo) -> None:
        if not self._broker.enable_notify_after_pop_order_lock_release:
            return
        timer = self._timers.pop(queue, None)
        if timer is not None:
            timer.cancel()
        now = self._now()
        free = info.hidden_until(now)
        if free > now:
            self._timers[queue] = self._clock.callLater((free - now) / 1000, self._free, queue)

    def _free(self, queue: tuple[str, str, int]) -> None:
        self._timers.pop(queue, None)
        self.on_free(*queue)

    def _forget_old(self) -> None:
        oldest = self._now() - KEPT_MILLIS
        for key in list(self._table):
            topic, _, group = key.partition("@")
            queues = self._queues_of(topic, group)
            kept = {
                queue_id: info
                for queue_id, info in self._table[key].items()
                if queue_id < queues and info.last_consume_timestamp >= oldest
            }
            if kept:
                self._table[key] = kept
            else:
                del self._table[key]


def _counts(old: OrderInfo, new: OrderInfo) -> dict[int, int]:
    """How often each message of a pop came before, where it did."""
    known = old.consumed_count or {}
    if old.attempt_id is not None and old.attempt_id == new.attempt_id:
        return known
    before = set(old.offsets())
    return {offset: known.get(offset, 0) + 1 for offset in new.offsets() if offset in before}
