"""Delivers messages that wait in one of the delay levels.

Each level has a queue of its own in SCHEDULE_TOPIC_XXXX: queue id 0 is level 1. All messages of a level wait equally
long, so the queue is in the order of delivery, and the place of the tags code in its units holds the time: nothing is
kept in memory but how far each level has come. A level whose first message is not due costs one comparison a look.

Source: ScheduleMessageService.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from rmq.remoting.reactor import Clock, Repeat
from rmq.server.broker.delay.delivering import Deliverer
from rmq.server.broker.delay.offsets import DelayOffsetTable
from rmq.server.broker.delay.slices import Slices
from rmq.server.store.store import MessageStore
from rmq.settings.model import BrokerSettings
from rmq.wire.message import MessageError, decode_message
from rmq.wire.names import SCHEDULE_TOPIC

FIRST_SECONDS: Final = 1.0
"""Pause between the start and the first delivery: clients are to be there."""
_MOST_MESSAGES: Final = 16
_MOST_BYTES: Final = 1 << 20


class LevelService:
    """The levels' deliveries.

    Args:
        settings: how often progress is kept.
        levels: milliseconds of each level, level 1 first.
        store: where the messages are.
        deliverer: stores what is due.
        table: how far each level has come.
        clock: time and calls later.
        delivered: told after each slice in which messages were stored.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        levels: Sequence[int],
        store: MessageStore,
        deliverer: Deliverer,
        table: DelayOffsetTable,
        clock: Clock,
        delivered: Callable[[], None],
    ) -> None:
        self._interval = settings.store.flush_delay_offset_interval / 1000
        self._levels = levels
        self._store = store
        self._deliverer = deliverer
        self._table = table
        self._clock = clock
        self._delivered = delivered
        self._slices = Slices(clock, self._slice, "delivery after delay levels")
        self._noting = Repeat(clock, table.note)
        self._due = [0] * len(levels)
        self._opens = 0

    def start(self) -> None:
        """Begins to deliver; what an earlier run left over included."""
        now = self._now()
        for level, offset in list(self._table.offsets.items()):
            within = self._within(level - 1, offset)
            self._table.move(level, within, now)
        self._opens = now + int(FIRST_SECONDS * 1000)
        self._slices.start()
        self._noting.start(self._interval)

    def stop(self) -> None:
        """Ends it; progress is kept exactly."""
        self._slices.stop()
        self._noting.stop()
        self._table.save()

    def figures(self) -> dict[str, object]:
        """Progress and end of each level's queue, for the broker's runtime information."""
        return {
            f"scheduleMessageOffset_{level}": f"{offset},{self._store.max_offset(SCHEDULE_TOPIC, level - 1)}"
            for level, offset in sorted(self._table.offsets.items())
        }

    # --- work

    def _now(self) -> int:
        return int(self._clock.seconds() * 1000)

    def _within(self, queue_id: int, offset: int) -> int:
        """An offset, or the nearest that the queue has."""
        end = self._store.max_offset(SCHEDULE_TOPIC, queue_id)
        return min(max(offset, self._store.min_offset(SCHEDULE_TOPIC, queue_id)), end)

    def _slice(self) -> bool:
        self._table.write_noted()
        now = self._now()
        if now < self._opens:
            return False
        more = stored = False
        failure: OSError | None = None
        for index, delay in enumerate(self._levels):
            if now < self._due[index] <= now + delay:
                continue
            before = self._table.offsets.get(index + 1, 0)
            try:
                more |= self._deliver(index, before, now)
            except OSError as error:
                # The other levels go on.
                failure = error
            stored |= self._table.offsets.get(index + 1, 0) > before
        if stored:
            self._delivered()
        if failure is not None:
            raise failure
        return more

    def _deliver(self, index: int, offset: int, now: int) -> bool:
        """Delivers some of what is due at a level, and notes how far that came; whether more may be due.

        Raises:
            OSError: the queue or the log cannot be read.
        """
        store = self._store
        if offset == store.max_offset(SCHEDULE_TOPIC, index):
            return False
        offset = self._within(index, offset)
        room = _MOST_BYTES
        more = True
        units = store.queue_units(SCHEDULE_TOPIC, index, offset, _MOST_MESSAGES)
        try:
            for _, _, due in units:
                # A time that is further away than the level's delay was written by a clock that was wrong.
                if now < due <= now + self._levels[index]:
                    self._due[index] = due
                    more = False
                    break
                record = store.queue_message(SCHEDULE_TOPIC, index, offset)
                if record is not None and not self._deliver_record(record):
                    more = False
                    break
                offset += 1
                room -= len(record or b"")
                if room <= 0:
                    break
        finally:
            # What has been delivered must not come again when the next one cannot be read.
            self._table.move(index + 1, offset, now)
        return more and bool(units)

    def _deliver_record(self, record: bytes) -> bool:
        try:
            message = decode_message(record)
        except MessageError:
            return True
        return self._deliverer.deliver(message)
