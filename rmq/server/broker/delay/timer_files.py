"""What the timer keeps on the disk: timer log, wheel and checkpoint, all Apache's.

The log is the truth and the wheel an index of it, so the log goes to the disk first. Each message of the timer's topic
gets a unit in the topic's order; therefore the newest unit tells how far the topic has been taken in, and the
checkpoint is needed only for how far slots have been delivered. After a crash the units behind the checkpoint are put
into the wheel again, up to the first whose message the commit log has lost. Slots that point behind the end of the
log are chained anew from what is there.

Source: TimerMessageStore.recover, TimerCheckpoint.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from rmq.server.broker.delay.timer_log import TimerLog
from rmq.server.broker.delay.timer_wheel import SLOTS, TimerWheel
from rmq.server.store.api import StoreError
from rmq.server.store.env import Env
from rmq.server.store.segment import MapCache, Segment
from rmq.server.store.store import MessageStore
from rmq.wire.layouts import TIMER_CHECKPOINT
from rmq.wire.message import MessageError, decode_message
from rmq.wire.names import TIMER_TOPIC

_PAGE: Final = 4096
_BLANK_SLOTS: Final = 60
_EARLIEST: Final = 946_684_800_000


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the timer has come.

    Attributes:
        read_time: the slot that is delivered next, in milliseconds.
        queue_offset: the message of the timer's topic that is taken in next.
        log_position: up to where the timer log is on the disk.
    """

    read_time: int
    queue_offset: int
    log_position: int = 0


class TimerFiles:
    """The three of them.

    Args:
        env: the file system.
        root: the store's directory.
        precision: length of a slot in milliseconds.
        log_file_size: length of a timer log file.

    Attributes:
        log: the units.
        wheel: the slots.
        waiting: how many messages are in slots that were not delivered, after `load`.
    """

    def __init__(self, env: Env, root: str, precision: int, log_file_size: int) -> None:
        self._env = env
        self._precision = precision
        self._directory = f"{root}/config"
        self._page = Segment(env, MapCache(1), f"{self._directory}/timercheck", 0, _PAGE)
        self._kept = Progress(0, 0)
        self._counter = 0
        self.log = TimerLog(env, f"{root}/timerlog", log_file_size)
        self.wheel = TimerWheel(env, f"{root}/timerwheel", precision)
        self.waiting = 0

    def load(self, store: MessageStore, now: int) -> Progress:
        """Reads what an earlier run left, and makes it consistent.

        Args:
            store: the opened message store.
            now: milliseconds since the epoch.

        Raises:
            StoreError: a file has an impossible length, or the slots were made with another precision.
            OSError: a file cannot be read.
        """
        self.log.load()
        self.wheel.load()
        kept = self._kept = self._read_page()
        for position, unit in self.log.scan(kept.log_position):
            if unit.physical >= store.log_max_offset:
                # The commit log lost its message, and will have another one there. The checkpoint is not ahead of it.
                break
            self.wheel.add(unit.due, position)
        end = self.log.end
        if not self.log.empty:
            self.log.settle(end)
        slot = now // self._precision * self._precision
        read_time = kept.read_time
        if not read_time:
            read_time = slot - (SLOTS // 2 - _BLANK_SLOTS) * self._precision if self.wheel.exists else slot
        self._repair(read_time, end, slot)
        return Progress(read_time, self._queue_offset(store), end)

    def cut(self, store: MessageStore, progress: Progress, now: int) -> Progress:
        """Forgets the units whose messages the commit log, which was made shorter, has no more.

        Args:
            store: the message store.
            progress: how far the timer had come.
            now: milliseconds since the epoch.

        Raises:
            OSError: a file cannot be changed.
        """
        end = self.log.end_before(store.log_max_offset)
        if end < self.log.end:
            self.log.settle(end)
            slot = now // self._precision * self._precision
            # Slots that were let out may be let out again, and must not lead to what is gone either.
            self._repair(0, end, slot)
            self._count(progress.read_time, end, slot)
        queue_offset = min(progress.queue_offset, store.max_offset(TIMER_TOPIC, 0))
        return Progress(progress.read_time, queue_offset, self.log.end)

    def keep(self, progress: Progress, now: int) -> None:
        """Notes the progress in the checkpoint; `sync` brings that to the disk.

        Raises:
            OSError: the disk is full.
        """
        if self._page.reserved < _PAGE:
            self._env.make_directory(self._directory)
            self._page.create()
            self._page.reserve(_PAGE, _PAGE)
        self._counter += 1
        self._kept = progress
        offset = progress.queue_offset
        TIMER_CHECKPOINT.pack_into(
            self._page.mapped(), 0, progress.read_time, progress.log_position, offset, offset, 0, now, self._counter
        )

    def syncing(self, since: int) -> Callable[[], None]:
        """A call for a thread that brings everything to the disk, the units from a position on."""
        segments = self.log.unsynced(since)
        with_wheel, with_page = self.wheel.exists, self._page.reserved

        def sync() -> None:
            for segment in segments:
                segment.sync()
            if with_wheel:
                self.wheel.sync()
            if with_page:
                self._page.sync()

        return sync

    def image(self) -> bytes:
        """The checkpoint as it travels to slaves."""
        kept = self._kept
        return TIMER_CHECKPOINT.pack(
            kept.read_time, kept.log_position, kept.queue_offset, kept.queue_offset, 0, 0, self._counter
        )

    def close(self) -> None:
        """Unmaps everything."""
        self.log.close()
        self.wheel.close()
        self._page.unmap()

    def _read_page(self) -> Progress:
        page = self._env.read_file(self._page.path)
        if page is None or len(page) < TIMER_CHECKPOINT.size:
            return Progress(0, 0)
        read_time, log_position, queue_offset, _, _, _, self._counter = TIMER_CHECKPOINT.unpack_from(page)
        return Progress(read_time // self._precision * self._precision, max(queue_offset, 0), max(log_position, 0))

    def _repair(self, read_time: int, end: int, now: int) -> None:
        """Counts what waits; chains slots anew that point behind the log's end."""
        lost, lowest = self._count(read_time, end, now)
        if not lost:
            return
        for time in lost:
            self.wheel.clear(time)
        for position, unit in self.log.scan(lowest):
            self.wheel.add(unit.due, position)
        self._count(read_time, end, now)

    def _count(self, read_time: int, end: int, now: int) -> tuple[list[int], int]:
        """The times of slots that point behind the log's end, and the lowest position in them."""
        lost: list[int] = []
        lowest = end
        self.waiting = 0
        latest = now + SLOTS * self._precision
        for time, slot in self.wheel.each():
            if time < read_time:
                if time < _EARLIEST:
                    raise self._other_precision()
                continue
            if time > max(latest, read_time + SLOTS * self._precision):
                raise self._other_precision()
            self.waiting += slot.amount
            if slot.last >= end:
                lost.append(time)
                lowest = min(lowest, slot.first)
        return lost, lowest

    def _other_precision(self) -> StoreError:
        return StoreError(
            f"the timer wheel was not made with timerPrecisionMs={self._precision}: what waits in it would never be "
            "delivered; start with the former setting"
        )

    def _queue_offset(self, store: MessageStore) -> int:
        """The message of the timer's topic that is taken in next."""
        taken = -1
        last = self.log.last()
        record = store.message_at(last.physical) if last is not None else None
        if record is not None:
            try:
                message = decode_message(record)
            except MessageError:
                message = None
            if message is not None and message.topic == TIMER_TOPIC:
                taken = message.queue_offset + 1
        offset = self._kept.queue_offset
        if taken >= 0:
            # The checkpoint may know of more: Apache's broker delivers at once, without a unit, what comes too late.
            offset = taken if self.log.end < self._kept.log_position else max(taken, offset)
        return min(max(offset, store.min_offset(TIMER_TOPIC, 0)), store.max_offset(TIMER_TOPIC, 0))
