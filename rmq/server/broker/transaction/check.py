"""Looks after half messages whose producers do not tell how they ended.

A round goes through the half queue from where the one before stopped, up to what was stored when it began:

- An ended transaction is passed over.
- One that is too young ends the round; those behind it were stored later and can wait.
- One that asks for more time (CHECK_IMMUNITY_TIME_IN_SECONDS) is *put off*: stored again at the queue's end.
- Any other is stored again with its counter raised, and a producer of its group is asked about the new copy.
- One that was asked about `transactionCheckMax` times, or is older than what the store keeps, is given up.

How far a round has come in half and op queue are offsets of the group CID_RMQ_SYS_TRANS like those of any consumer.
Together with the two queues they are all there is: after a restart the next round goes on.

A round may have a hundred thousand messages to store and to ask about. It works in slices of `SLICE_SECONDS`, and
rests after each: thirty-nine times as long while clients are served, so that they hardly notice; as long as it worked
when nothing else happens. It always goes on, and its memory is that of one window (`ended`).

Unlike Apache's, being put off does not count as having been asked, ends that are not written yet count, and so do
ends that name an earlier copy (`copies`).

Source: TransactionalMessageServiceImpl.check, TransactionalMessageCheckService.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from twisted.logger import Logger

from rmq.remoting.reactor import Clock, DelayedCall
from rmq.server.broker.meta.offsets import OffsetTable
from rmq.server.broker.meta.topics import TopicTable
from rmq.server.broker.putting import MessageInner, MessagePutter
from rmq.server.broker.stats import BrokerStats
from rmq.server.broker.transaction import half as forms
from rmq.server.broker.transaction.asking import ProducerAsker
from rmq.server.broker.transaction.copies import Copies
from rmq.server.broker.transaction.ended import WINDOW, EndedMarks
from rmq.server.broker.transaction.metrics import TransactionMetrics
from rmq.server.broker.transaction.ops import OpWriter, offsets_of
from rmq.server.store.api import AppendResult, GetStatus, PutStatus
from rmq.server.store.store import MessageStore
from rmq.settings.model import BrokerSettings
from rmq.wire.message import PROPERTY_REAL_TOPIC, MessageError, StoredMessage, decode_message, decode_messages
from rmq.wire.names import TRANS_CHECK_MAX_TIME_TOPIC, TRANS_HALF_TOPIC, TRANS_OP_HALF_TOPIC, TRANSACTION_GROUP

SLICE_SECONDS: Final = 0.002
_BUSY_REST: Final = 0.078
_IDLE_REST: Final = 0.002
_OPS_AT_ONCE: Final = 32
_HOUR_MILLIS: Final = 3_600_000

log = Logger()


class TransactionChecker:
    """Runs the rounds.

    Args:
        clock: tells time and calls later.
        settings: times and counts; read at each use.
        store: the half and op queues.
        topics: makes the topic of what is given up.
        offsets: how far the rounds have come.
        putter: the way into the store.
        stats: counts what is stored, and tells whether clients are served.
        metrics: counts half messages.
        ops: has ends that are not written yet.
        copies: is told what is stored again.
        asker: asks producers.
        now: milliseconds since the epoch.
    """

    def __init__(
        self,
        clock: Clock,
        settings: BrokerSettings,
        store: MessageStore,
        topics: TopicTable,
        offsets: OffsetTable,
        putter: MessagePutter,
        stats: BrokerStats,
        metrics: TransactionMetrics,
        ops: OpWriter,
        copies: Copies,
        asker: ProducerAsker,
        now: Callable[[], int],
    ) -> None:
        self._clock = clock
        self._broker = settings.broker
        self._settings = settings
        self._store = store
        self._topics = topics
        self._offsets = offsets
        self._putter = putter
        self._stats = stats
        self._metrics = metrics
        self._ops = ops
        self._copies = copies
        self._asker = asker
        self._now = now
        self._marks: dict[int, EndedMarks] = {}
        self._round: Iterator[None] | None = None
        self._next: DelayedCall | None = None
        self._served = 0

    def start(self) -> None:
        """Begins; the first round comes after one interval.

        Offsets beyond the ends of the queues, which a loss of power leaves, are pulled back before anything new comes
        to stand below them.
        """
        for topic in (TRANS_HALF_TOPIC, TRANS_OP_HALF_TOPIC):
            for queue_id in self._queues():
                self._commit(topic, queue_id, self._position(topic, queue_id))
        self._later(self._broker.transaction_check_interval / 1000)

    def stop(self) -> None:
        """Ends it, in the middle of a round if need be."""
        pending, self._next = self._next, None
        if pending is not None and pending.active():
            pending.cancel()
        self._round = None

    def ended(self, queue_id: int, offset: int) -> None:
        """A transaction has just ended: the round that goes on, or the next one, need not ask."""
        marks = self._marks.get(queue_id)
        if marks is not None:
            marks.mark(offset)

    # --- slices ---------------------------------------------------------------------------------------------------

    def _later(self, seconds: float) -> None:
        self._next = self._clock.callLater(seconds, self._work)

    def _work(self) -> None:
        """One slice of a round, which is begun when none goes on."""
        rest = _IDLE_REST if self._round is None or self._served == self._traffic() else _BUSY_REST
        deadline = self._clock.seconds() + SLICE_SECONDS
        self._round = self._round or self._check_all()
        try:
            for _ in self._round:
                if self._clock.seconds() >= deadline:
                    self._served = self._traffic()
                    self._later(rest)
                    return
        except Exception:
            log.failure("a round of transaction checks failed and will be tried again")
        self._round = None
        for marks in self._marks.values():
            marks.close()
        self._later(self._broker.transaction_check_interval / 1000)

    def _traffic(self) -> int:
        return self._stats.put_total + self._stats.get_total

    # --- a round --------------------------------------------------------------------------------------------------

    def _check_all(self) -> Iterator[None]:
        self._ops.flush()
        for queue_id in self._queues():
            yield from self._check_queue(queue_id)

    def _queues(self) -> range:
        config = self._topics.configs.get(TRANS_HALF_TOPIC)
        return range(config.read_queue_nums if config is not None else 0)

    def _check_queue(self, queue_id: int) -> Iterator[None]:
        """A round through one half queue; pauses may be made where it yields."""
        end = self._store.max_offset(TRANS_HALF_TOPIC, queue_id)
        position = self._position(TRANS_HALF_TOPIC, queue_id)
        marks = self._marks.setdefault(queue_id, EndedMarks())
        going = True
        while going:
            window_end = min(end, position + WINDOW)
            marks.open(position, window_end - position)
            first_op = self._position(TRANS_OP_HALF_TOPIC, queue_id)
            yield from self._read_ops(queue_id, first_op, marks)
            position = marks.first_open(position, window_end)
            while position < window_end and self._settle(queue_id, position, marks):
                position = marks.first_open(position + 1, window_end)
                self._commit(TRANS_HALF_TOPIC, queue_id, position)
                yield
            going = position == window_end < end
            self._commit(TRANS_HALF_TOPIC, queue_id, position)
            self._commit(TRANS_OP_HALF_TOPIC, queue_id, first_op + marks.done_records(position))

    def _position(self, topic: str, queue_id: int) -> int:
        """Where the rounds have come to in a queue, within what can be read of it."""
        known = self._offsets.query(TRANSACTION_GROUP, topic, queue_id)
        return min(max(known, self._store.min_offset(topic, queue_id)), self._store.max_offset(topic, queue_id))

    def _commit(self, topic: str, queue_id: int, offset: int) -> None:
        known = self._offsets.query(TRANSACTION_GROUP, topic, queue_id)
        if offset != (known if known >= 0 else self._store.min_offset(topic, queue_id)):
            self._offsets.commit(TRANSACTION_GROUP, topic, queue_id, offset)

    def _read_ops(self, queue_id: int, offset: int, marks: EndedMarks) -> Iterator[None]:
        """Marks what the op records from an offset on tell."""
        end = self._store.max_offset(TRANS_OP_HALF_TOPIC, queue_id)
        while offset < end:
            halves_end = self._store.max_offset(TRANS_HALF_TOPIC, queue_id)
            found = self._store.get(TRANS_OP_HALF_TOPIC, queue_id, offset, _OPS_AT_ONCE)
            if found.status is GetStatus.FOUND:
                for record in decode_messages(b"".join(found.chunks)):
                    while offset < record.queue_offset:
                        offset += 1
                        marks.note_record([], halves_end)
                    offset += 1
                    marks.note_record(offsets_of(record), halves_end)
            following = max(found.next_begin_offset, offset + (found.status is not GetStatus.FOUND))
            while offset < min(following, end):
                offset += 1
                marks.note_record([], halves_end)
            yield

    # --- one half message -----------------------------------------------------------------------------------------

    def _settle(self, queue_id: int, offset: int, marks: EndedMarks) -> bool:
        """Does what is to be done with one half message; False when the round ends before it."""
        record = self._store.queue_message(TRANS_HALF_TOPIC, queue_id, offset)
        try:
            half = decode_message(record) if record is not None else None
        except MessageError:
            half = None
        if half is None:
            log.warn("the half message at queue offset {offset} cannot be read and is passed over", offset=offset)
            return True
        broker = self._broker
        times = forms.number(half.properties.get(forms.CHECK_TIMES), 0)
        age = self._now() - half.born_timestamp
        if times >= broker.transaction_check_max or age > self._settings.store.file_reserved_time * _HOUR_MILLIS:
            return self._give_up(half)
        immune = forms.immunity(half, broker.transaction_time_out)
        if immune is None:
            # A message from the future is checked: its producer's clock says nothing.
            if 0 <= age <= broker.transaction_time_out:
                return False
        else:
            first = forms.number(half.properties.get(forms.FIRST_OFFSET), offset)
            if marks.has(first):
                return True
            if age <= immune:
                return self._store_again(half, **{forms.FIRST_OFFSET: str(first)}) is not None
        return self._ask(half, times + 1)

    def _ask(self, half: StoredMessage, times: int) -> bool:
        half.properties[forms.CHECK_TIMES] = str(times)
        result = self._store_again(half)
        if result is None:
            return False
        half.queue_offset = result.queue_offset
        half.physical_offset = result.physical_offset
        self._asker.ask(half)
        return True

    def _store_again(self, half: StoredMessage, **changed: str) -> AppendResult | None:
        """Stores a half message at the end of its queue; None when the store refuses."""
        result = self._stored(forms.again(half, **changed))
        if result is not None:
            self._copies.note(half.queue_id, half.queue_offset, result.queue_offset)
        return result

    def _give_up(self, half: StoredMessage) -> bool:
        self._topics.ensure(TRANS_CHECK_MAX_TIME_TOPIC, 1)
        if self._stored(forms.given_up(half)) is None:
            return False
        log.warn(
            "half message {id} for {topic} was checked too often or is too old: it is in {given_up} now",
            id=half.unique_id, topic=half.properties.get(PROPERTY_REAL_TOPIC), given_up=TRANS_CHECK_MAX_TIME_TOPIC,
        )  # fmt: skip
        self._metrics.add(half.properties.get(PROPERTY_REAL_TOPIC, ""), -1)
        return True

    def _stored(self, message: MessageInner) -> AppendResult | None:
        """Stores a message; None when the store refuses, so that the next round tries again."""
        result = self._putter.put(message)
        if result.status is not PutStatus.PUT_OK:
            log.warn("transaction checks wait: {status}", status=result.status.name)
            return None
        self._stats.put(message.topic, 1, result.wrote_bytes)
        return result
