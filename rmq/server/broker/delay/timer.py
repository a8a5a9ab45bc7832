"""The timer: delivers messages at their time.

Messages come through the timer's topic, are *taken in* (a unit in the timer log, chained in the slot of their time)
and *let out* when their slot has ended. Nothing is kept in memory for a message that waits. The write time follows the
clock only when everything that was stored has been taken in, and slots are let out up to the write time: so a recall
that was accepted is always seen before its message leaves, however far behind the timer is.

What is due beyond the roll window waits there first and then goes through the timer's topic again, lest the commit
log forget it.

Source: TimerMessageStore.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from twisted.logger import Logger
from twisted.python.failure import Failure

from rmq.remoting.reactor import Clock
from rmq.server.broker.delay.delivering import Deliverer
from rmq.server.broker.delay.hook import TIMER_DELETE, TIMER_OUT_MS
from rmq.server.broker.delay.slices import Slices
from rmq.server.broker.delay.timer_files import Progress, TimerFiles
from rmq.server.broker.delay.timer_log import DEFAULT, DELETE, ROLL, Unit
from rmq.server.broker.delay.timer_metrics import TimerCounts
from rmq.server.broker.delay.timer_slot import LeavingSlot, Mark
from rmq.server.broker.delay.timer_wheel import EMPTY, NONE, SLOTS, Slot
from rmq.server.store.api import DeferToThread
from rmq.server.store.store import MessageStore
from rmq.settings.model import BrokerSettings
from rmq.wire.javahash import java_hash
from rmq.wire.message import PROPERTY_REAL_TOPIC, PROPERTY_UNIQ_KEY, MessageError, StoredMessage, decode_message
from rmq.wire.names import TIMER_TOPIC

ENQUEUE_MS: Final = "TIMER_ENQUEUE_MS"
DEQUEUE_MS: Final = "TIMER_DEQUEUE_MS"
ROLL_TIMES: Final = "TIMER_ROLL_TIMES"

_LEAST_TAKEN: Final = 64
_MOST_TAKEN: Final = 1024
_BACKLOG_SHARE: Final = 16
_MOST_LET_OUT: Final = 64
_MOST_BYTES: Final = 1 << 20
_MOST_WALKED: Final = 1024
_MOST_EMPTY: Final = 8192
_BLANK_SLOTS: Final = 60
_COUNTS_SECONDS: Final = 10.0
_CLEAN_SECONDS: Final = 30.0
_LONGEST_NUMBER: Final = 19

log = Logger()


class _Noted(NamedTuple):
    """A state that is to be kept once the commit log is on the disk up to `log_end`."""

    progress: Progress
    log_end: int
    slot: LeavingSlot | None
    mark: Mark | None


class Timer:
    """The service.

    Args:
        settings: precision, windows and switches of the timer.
        files: what it keeps on the disk.
        counts: how many wait, by topic.
        store: where the messages are.
        deliverer: stores what is due.
        clock: time and calls later.
        defer_to_thread: runs a blocking call in a thread.
        delivered: told after each slice in which messages were stored.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        files: TimerFiles,
        counts: TimerCounts,
        store: MessageStore,
        deliverer: Deliverer,
        clock: Clock,
        defer_to_thread: DeferToThread,
        delivered: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._precision = settings.store.timer_precision_ms
        window = settings.store.timer_roll_window_slot
        most = SLOTS // 2 - _BLANK_SLOTS
        self._window = (window if 2 <= window <= most else most) * self._precision
        self._files = files
        self._counts = counts
        self._store = store
        self._deliverer = deliverer
        self._clock = clock
        self._defer_to_thread = defer_to_thread
        self._delivered = delivered
        self._slices = Slices(clock, self._slice, "the timer")
        self._read_time = self._write_time = self._queue_offset = 0
        self._slot: LeavingSlot | None = None
        self._synced = 0
        self._dirty = self._syncing = False
        self._cuts = 0
        self._noted: _Noted | None = None
        self._kept_at = self._saved_at = self._cleaned_at = self._counted_at = 0.0
        self._taken = self._left = 0
        self._rates = (0.0, 0.0)
        self.waiting = 0

    # --- life

    def load(self) -> None:
        """Reads what an earlier run left.

        Raises:
            StoreError: the files cannot be used; the text says why.
            ConfigFileError: the counts are damaged.
            OSError: a file cannot be read.
        """
        self._counts.load()
        progress = self._files.load(self._store, self._now())
        self._read_time, self._queue_offset = progress.read_time, progress.queue_offset
        self._write_time = self._read_time
        self._synced = progress.log_position
        self.waiting = self._files.waiting
        self._kept_at = self._saved_at = self._cleaned_at = self._counted_at = self._clock.seconds()

    def start(self) -> None:
        """Begins to take in and let out."""
        self._slices.start()

    def stop(self) -> None:
        """Ends it; what is kept is exact."""
        self._slices.stop()
        # What a thread is still writing has not been noted either.
        if self._dirty or self._syncing or self._noted is not None:
            try:
                if self._slot is not None:
                    self._slot.shorten(self._slot.mark())
                self._files.keep(self._progress(), self._now())
                self._files.syncing(self._synced)()
            except OSError as error:
                log.error("The timer's progress cannot be kept: {error}", error=error)
        self._counts.save()
        self._files.close()

    # --- facts

    def waiting_in(self, time: int) -> int:
        """How many messages wait in the slot of a time."""
        return self._files.wheel.get(time).amount

    @property
    def delivered_until(self) -> int:
        """What was to be delivered at this time or before has been, milliseconds since the epoch."""
        return self._read_time - self._precision

    def figures(self) -> dict[str, object]:
        """For the broker's runtime information."""
        return {
            "timerReadBehind": max(0, self._now() - self._precision - self._read_time) // 1000,
            "timerOffsetBehind": self._store.max_offset(TIMER_TOPIC, 0) - self._queue_offset,
            "timerCongestNum": self.waiting,
            "timerEnqueueTps": self._rates[0],
            "timerDequeueTps": self._rates[1],
        }

    # --- work

    def _now(self) -> int:
        return int(self._clock.seconds() * 1000)

    def _slot_of(self, time: int) -> int:
        return time // self._precision * self._precision

    def _slice(self) -> bool:
        taking = self._take_in()
        leaving = self._let_out()
        self._keep()
        return taking or leaving

    # --- in

    def _take_in(self) -> bool:
        """Takes some messages in; whether there are more."""
        if self._settings.store.timer_stop_enqueue:
            return False
        store = self._store
        end = store.max_offset(TIMER_TOPIC, 0)
        # A queue that begins anew ends before what was taken in of the former one.
        offset = self._queue_offset = min(max(self._queue_offset, store.min_offset(TIMER_TOPIC, 0)), end)
        end = self._last_to_take(end)
        if offset >= end:
            self._write_time = max(self._write_time, self._slot_of(self._now()))
            return False
        if self._is_wheel_full():
            return False
        backlog = end - offset
        self._dirty = True
        for place in range(offset, offset + min(backlog, _MOST_TAKEN, _LEAST_TAKEN + backlog // _BACKLOG_SHARE)):
            record = store.queue_message(TIMER_TOPIC, 0, place)
            if record is not None and not self._take(record):
                return False
            self._queue_offset = place + 1
        return True

    def _last_to_take(self, end: int) -> int:
        """Up to where the timer's topic, which ends at `end`, may be taken in."""
        return end

    def _is_wheel_full(self) -> bool:
        """Whether old slots must leave before their places in the wheel can be used again: after days down."""
        return self._write_time + self._window - self._read_time >= (SLOTS - _BLANK_SLOTS) * self._precision

    def _take(self, record: bytes) -> bool:
        """Takes a message in; False: later, when there is a place for it."""
        try:
            message = decode_message(record)
        except MessageError:
            return True
        properties = message.properties
        text = properties.get(TIMER_OUT_MS, "")
        topic = properties.get(PROPERTY_REAL_TOPIC)
        if not text.isdecimal() or len(text) > _LONGEST_NUMBER or topic is None:
            log.error("the message at {at} came to the timer without a time", at=message.physical_offset)
            return True
        self._write_time = max(self._write_time, self._slot_of(message.store_timestamp))
        if self._is_wheel_full():
            return False
        write_time = self._write_time
        time = max(self._slot_of(int(text)), self._first_open())
        magic = DEFAULT
        if time - write_time >= self._window:
            magic |= ROLL
            window = self._window
            # Little beyond the window: half of it, so that the next wait is long enough.
            half = self._slot_of(window // 2)
            time = write_time + (half if time - write_time - window < window // 3 else window)
        recalls = TIMER_DELETE in properties
        if recalls:
            magic |= DELETE
        self._chain(time, magic, message, topic)
        self._count(topic, -1 if recalls else 1)
        return True

    def _first_open(self) -> int:
        """The first slot that still takes messages."""
        return self._read_time + (self._precision if self._slot is not None else 0)

    def _count(self, topic: str, more: int) -> None:
        self._counts.add(topic, more, self._now())

    def _chain(self, time: int, magic: int, message: StoredMessage, topic: str) -> None:
        wheel = self._files.wheel
        wheel.make_room(time)
        slot = wheel.get(time)
        position = self._files.log.append(
            slot.last,
            magic,
            self._write_time,
            time - self._write_time,
            message.physical_offset,
            message.total_size,
            java_hash(topic),
        )
        more = -1 if magic & DELETE else 1
        self._taken += 1
        wheel.put(time, Slot(position if slot.first == NONE else slot.first, position, slot.amount + more))
        self.waiting += more

    # --- out

    def _let_out(self) -> bool:
        """Lets some messages out; whether more may be due."""
        if self._settings.store.timer_stop_dequeue:
            return False
        slot = self._slot or self._next_slot()
        if slot is None:
            return self._read_time < self._write_time
        self._slot = slot
        self._dirty = True
        if not slot.walk(_MOST_WALKED):
            return True
        room = _MOST_BYTES
        now = self._now()
        stored = 0
        for _ in range(_MOST_LET_OUT):
            unit = slot.next()
            if unit is None or room <= 0:
                break
            message = slot.message(unit)
            if message is None:
                log.error("the message at {at} is gone before its time", at=unit.physical)
            elif not self._release(slot, unit, message, now):
                break
            else:
                room -= message.total_size
            slot.left()
            stored += 1
        if stored:
            self._left += stored
            self._delivered()
        if slot.empty:
            self._leave(slot)
            return True
        return stored > 0

    def _next_slot(self) -> LeavingSlot | None:
        """The first slot with messages whose time is over; passes over empty ones, but not over too many at once."""
        wheel = self._files.wheel
        for _ in range(_MOST_EMPTY):
            time = self._read_time
            if time >= self._write_time:
                return None
            slot = wheel.get(time)
            if slot is not EMPTY:
                return LeavingSlot(self._files, self._store, time, slot)
            self._read_time = time + self._precision
        return None

    def _leave(self, slot: LeavingSlot) -> None:
        self.waiting -= slot.amount
        self._read_time = slot.time + self._precision
        self._slot = None

    def _release(self, slot: LeavingSlot, unit: Unit, message: StoredMessage, now: int) -> bool:
        """Delivers a message, sends it round again, or leaves it when it was recalled; False: try again later."""
        properties = message.properties
        topic = properties.get(PROPERTY_REAL_TOPIC, "")
        marks = {ENQUEUE_MS: str(unit.write_time), DEQUEUE_MS: str(now)}
        if unit.magic & ROLL:
            times = properties.get(ROLL_TIMES, "")
            marks[ROLL_TIMES] = str(int(times) + 1 if times.isdecimal() and len(times) < _LONGEST_NUMBER else 1)
            if not self._deliverer.store_in(message.topic, message.queue_id, message, marks):
                return False
            self._count(topic, 1 if unit.magic & DELETE else -1)
            return True
        if slot.recalls(topic, properties.get(PROPERTY_UNIQ_KEY, "")):
            return True
        if not self._deliverer.deliver(message, marks):
            return False
        self._count(topic, -1)
        return True

    # --- keeping

    def _progress(self) -> Progress:
        return Progress(self._read_time, self._queue_offset, self._files.log.end)

    def _keep(self) -> None:
        """Brings what changed to the disk, and the checkpoint after it."""
        noted = self._noted
        if noted is not None and self._store.flushed_offset >= noted.log_end:
            if noted.slot is not None:
                noted.slot.shorten(noted.mark)
            self._files.keep(noted.progress, self._now())
            self._noted = None
        now = self._clock.seconds()
        if now - self._counted_at >= 1:
            elapsed, self._counted_at = now - self._counted_at, now
            self._rates = self._taken / elapsed, self._left / elapsed
            self._taken = self._left = 0
        if now - self._saved_at >= _COUNTS_SECONDS:
            self._saved_at = now
            self._counts.save()
        if now - self._cleaned_at >= _CLEAN_SECONDS:
            self._cleaned_at = now
            self._files.log.remove_expired(self._store.log_min_offset)
        waits = self._syncing or self._noted is not None or not self._dirty
        if not waits and now - self._kept_at >= self._settings.store.timer_flush_interval_ms / 1000:
            self._kept_at = now
            self._sync()

    def _sync(self) -> None:
        self._dirty = False
        self._syncing = True
        slot = self._slot
        mark = slot.mark() if slot is not None else None
        noted = _Noted(self._progress(), self._store.log_max_offset, slot, mark)
        cuts = self._cuts

        def done(_: None) -> None:
            self._syncing = False
            if cuts != self._cuts:
                self._dirty = True
                return
            self._synced = noted.progress.log_position
            self._noted = noted

        def failed(failure: Failure) -> None:
            self._syncing = False
            self._dirty = True
            log.error("The timer's files could not be brought to the disk: {error}", error=failure.value)

        self._defer_to_thread(self._files.syncing(self._synced)).addCallbacks(done, failed)
