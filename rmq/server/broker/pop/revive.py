"""Reads the revive log and puts back what was popped and not acknowledged in time.

Each queue of the log is read once, in order; what its check points and acknowledgements say is kept in memory until it
is settled. A check point whose messages are all acknowledged is settled at once. Another is *due* when the log is
known to hold everything that came before its invisible time ended: the log was read so far, and two more seconds have
passed, in which late acknowledgements arrive. Then each message without acknowledgement is stored in the group's POP
retry topic, with its reconsume count raised by one; waiting pops take it from there.

The offset of group CID_RMQ_SYS_REVIVE_GROUP is that of the last entry before the oldest check point not settled; after
a restart reading goes on behind it. A crash between a message's return and the next write of offsets returns it twice.

A message that cannot be stored now gets a check point of its own, for later, so that nobody waits for it. When not
even that can be stored, everything stays where it is until it can. An entry of a topic or group that is gone is passed
over. More check points than memory is meant for are settled early, oldest first: their messages may come twice.

Source: PopReviveService.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Final

from twisted.logger import Logger

from rmq.remoting.reactor import Clock, DelayedCall, Repeat
from rmq.server.broker.meta.groups import GroupTable
from rmq.server.broker.meta.offsets import OffsetTable
from rmq.server.broker.meta.topics import TopicTable
from rmq.server.broker.pop.buffer import PointKey, key_of
from rmq.server.broker.pop.inflight import InflightCounter
from rmq.server.broker.pop.revivelog import (
    ACK_INTERVAL,
    ACK_TAG,
    BATCH_ACK_TAG,
    CHECK_POINT_TAG,
    PROPERTY_DELIVER_TIME,
    STORED,
    ReviveLog,
)
from rmq.server.broker.putting import MessageInner, MessagePutter
from rmq.server.store.store import MessageStore
from rmq.settings.model import BrokerSettings
from rmq.wire.bodies.pop import MAX_ACKS, AckRecord, PopCheckPoint
from rmq.wire.declare import decode_body
from rmq.wire.errors import InvalidFieldError, RemotingError
from rmq.wire.message import PROPERTY_TAGS, StoredMessage, decode_message, decode_messages
from rmq.wire.names import RETRY_PREFIX, is_legal_group, is_legal_topic
from rmq.wire.popinfo import check_broker_name, normal_topic, pop_retry_topic

REVIVE_GROUP: Final = "CID_RMQ_SYS_REVIVE_GROUP"
PROPERTY_FIRST_POP_TIME: Final = "1ST_POP_TIME"
PROPERTY_ORIGIN_GROUP: Final = "ORIGIN_GROUP"

GRACE_MILLIS: Final = ACK_INTERVAL + 1000
"""How long after its invisible time a check point is due."""
MOST_CHECK_POINTS: Final = 20_000
"""Most check points of one queue in memory."""

_PUT_OFF_SECONDS: Final = (10, 20, 30, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 1200, 1800, 3600, 7200)
_MOST_TIMES: Final = 2**31 - 1
_LONGEST_ENTRY: Final = 4096
"""Clients may write into the log; no entry of a broker is so long."""
_READ_AT_ONCE: Final = 32
_RETURNS_A_STEP: Final = 256
_SOON_SECONDS: Final = 0.01

log = Logger()


class _Pending:
    """A check point that was read and is not settled."""

    __slots__ = ("bits", "place", "point")

    def __init__(self, point: PopCheckPoint, place: int) -> None:
        self.point = point
        self.place = place
        self.bits = 0

    @property
    def done(self) -> bool:
        return self.bits == (1 << self.point.num) - 1


class ReviveQueue:
    """What is known of one queue of the log.

    Args:
        topic: the log's topic.
        queue_id: the queue.
        committed: the group's offset, -1 for none.
    """

    def __init__(self, store: MessageStore, topic: str, queue_id: int, committed: int, broker_name: str) -> None:
        self._store = store
        self._topic = topic
        self._broker_name = broker_name
        self.queue_id = queue_id
        self.next = committed + 1
        self.at_end = False
        self._latest_delivery = 0
        self._pending: dict[PointKey, _Pending] = {}
        self._due: list[tuple[int, int, PointKey]] = []

    @property
    def full(self) -> bool:
        """Whether it holds as many check points as it may."""
        return len(self._pending) >= MOST_CHECK_POINTS

    @property
    def settled(self) -> int:
        """Offset of the last entry before the oldest check point that is not settled, -1 for none."""
        for pending in self._pending.values():
            return pending.place - 1
        return self.next - 1

    def read(self) -> None:
        """Reads a few entries, so that nobody waits long for this step."""
        end = self._store.max_offset(self._topic, self.queue_id)
        # A queue that lost its end in a crash takes the reader back with it.
        self.next = min(self.next, end)
        self.at_end = self.next == end
        if self.at_end or self.full:
            return
        result = self._store.get(self._topic, self.queue_id, self.next, _READ_AT_ONCE)
        for message in decode_messages(b"".join(result.chunks)):
            self._take(message)
        # Where nothing can be read, Reader has said why; it is tried again with the next look.
        self.at_end = result.next_begin_offset in {self.next, end}
        self.next = result.next_begin_offset

    def horizon(self, now: int) -> int:
        """Up to when everything is known, milliseconds since the epoch."""
        return now if self.at_end else min(now, self._latest_delivery)

    def due(self, horizon: int) -> _Pending | None:
        """A check point that is due: its time is over, or there are too many."""
        while self._due:
            revive_time, place, key = self._due[0]
            pending = self._pending.get(key)
            if pending is None or pending.place != place:
                heappop(self._due)
            elif self.full or horizon - revive_time > GRACE_MILLIS:
                return pending
            else:
                return None
        return None

    def settle(self, pending: _Pending) -> None:
        """A check point needs nothing more."""
        self._pending.pop(key_of(pending.point), None)

    def _take(self, message: StoredMessage) -> None:
        tag = message.properties.get(PROPERTY_TAGS)
        try:
            if len(message.body) > _LONGEST_ENTRY:
                raise InvalidFieldError(f"{len(message.body)} bytes are too many")
            if tag == CHECK_POINT_TAG:
                self._take_point(decode_body(PopCheckPoint, message.body), message.queue_offset)
            elif tag in {ACK_TAG, BATCH_ACK_TAG}:
                self._take_ack(decode_body(AckRecord, message.body))
        except RemotingError as error:
            log.warn(
                "entry {offset} of queue {queue} of the revive log is passed over: {error}",
                offset=message.queue_offset, queue=self.queue_id, error=error,
            )  # fmt: skip
        delivery = message.properties.get(PROPERTY_DELIVER_TIME, "")
        if delivery.isdecimal():
            self._latest_delivery = max(self._latest_delivery, int(delivery))

    def _take_point(self, point: PopCheckPoint, place: int) -> None:
        if point.topic is None or point.group is None or not 0 < point.num < MAX_ACKS:
            return
        if point.queue_offset_diff is not None:
            if len(point.queue_offset_diff) < point.num:
                return
            del point.queue_offset_diff[point.num :]
        if not (is_legal_topic(point.topic) and is_legal_group(point.group)):
            return
        point.broker_name = check_broker_name(point.broker_name or self._broker_name)
        key = key_of(point)
        self._pending.pop(key, None)
        self._pending[key] = _Pending(point, place)
        heappush(self._due, (point.revive_time, place, key))

    def _take_ack(self, ack: AckRecord) -> None:
        ack.broker_name = ack.broker_name or self._broker_name
        pending = self._pending.get(key_of(ack))
        if pending is None or len(ack.offsets) > MAX_ACKS:
            return
        for offset in ack.offsets:
            index = pending.point.index_of(offset)
            if index >= 0:
                pending.bits |= 1 << index
        if pending.done:
            self.settle(pending)


class Reviver:
    """Reads all queues of the revive log, and puts messages back.

    Args:
        settings: how often, and the names of retry topics.
        topic: the log's topic.
        host: the broker's packed address.
        revive_log: takes the check points of messages that are put off.
        clock: tells time and calls later.
        delivered_until: up to which time the timer has delivered, milliseconds since the epoch; nothing later is due.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        topic: str,
        host: bytes,
        topics: TopicTable,
        groups: GroupTable,
        offsets: OffsetTable,
        store: MessageStore,
        putter: MessagePutter,
        revive_log: ReviveLog,
        inflight: InflightCounter,
        clock: Clock,
        delivered_until: Callable[[], int],
    ) -> None:
        self._broker = settings.broker
        self._topic = topic
        self._host = host
        self._topics = topics
        self._groups = groups
        self._offsets = offsets
        self._store = store
        self._putter = putter
        self._log = revive_log
        self._inflight = inflight
        self._clock = clock
        self._queues: list[ReviveQueue] = []
        self._repeat = Repeat(clock, self.run)
        self._soon: DelayedCall | None = None
        self._delivered_until = delivered_until

    def start(self) -> None:
        """Begins where the last run stopped."""
        self._queues = [
            ReviveQueue(
                self._store,
                self._topic,
                queue_id,
                self._offsets.query(REVIVE_GROUP, self._topic, queue_id),
                self._broker.broker_name,
            )
            for queue_id in range(self._broker.revive_queue_num)
        ]
        self._repeat.start(self._broker.revive_interval / 1000)

    def stop(self) -> None:
        """Ends it."""
        self._repeat.stop()
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None

    def run(self) -> None:
        """Reads what came, and puts back what is due; goes on soon when there is more than one step can do."""
        left = _RETURNS_A_STEP
        more = False
        for queue in self._queues:
            try:
                queue.read()
                before = left
                left = self._return_due(queue, left)
                more = more or left < before or not (queue.at_end or queue.full)
                settled = queue.settled
                if settled != self._offsets.query(REVIVE_GROUP, self._topic, queue.queue_id):
                    self._offsets.commit(REVIVE_GROUP, self._topic, queue.queue_id, settled)
            except Exception:
                log.failure("queue {queue} of the revive log failed and is tried again", queue=queue.queue_id)
        if more and self._soon is None:
            self._soon = self._clock.callLater(_SOON_SECONDS, self._run_again)

    def _run_again(self) -> None:
        self._soon = None
        self.run()

    def _return_due(self, queue: ReviveQueue, left: int) -> int:
        """Settles what is due while `left` messages may still be put back; returns what is left of them."""
        horizon = min(queue.horizon(self._now()), self._delivered_until() + GRACE_MILLIS)
        while left > 0 and (pending := queue.due(horizon)) is not None:
            point = pending.point
            topic, group = point.topic or "", point.group or ""
            if normal_topic(topic, group) in self._topics.configs and group in self._groups.configs:
                for index in range(point.num):
                    if pending.bits >> index & 1:
                        continue
                    offset = point.offset_at(index)
                    if not (self._put_back(point, topic, group, offset) or self._put_off(queue, point, offset)):
                        return left
                    pending.bits |= 1 << index
                    left -= 1
            queue.settle(pending)
        return left

    def _put_back(self, point: PopCheckPoint, topic: str, group: str, offset: int) -> bool:
        """Stores a message for another try; False when the store does not take it now."""
        record = self._store.queue_message(topic, point.queue_id, offset)
        if record is None:
            return True
        popped = decode_message(record)
        properties = dict(popped.properties)
        if popped.reconsume_times == 0 or PROPERTY_FIRST_POP_TIME not in properties:
            properties[PROPERTY_FIRST_POP_TIME] = str(point.pop_time)
        properties[PROPERTY_ORIGIN_GROUP] = group
        try:
            retry_topic, queue_id = self._retry_queue(topic, group, popped.queue_id)
            result = self._putter.put(
                MessageInner(
                    retry_topic,
                    queue_id,
                    popped.body,
                    properties,
                    flag=popped.flag,
                    sys_flag=popped.sys_flag,
                    born_timestamp=popped.born_timestamp,
                    born_host=self._host,
                    reconsume_times=min(popped.reconsume_times + 1, _MOST_TIMES),
                )
            )
        except RemotingError as error:
            log.warn(
                "message {offset} of {topic} cannot come again now: {error}", offset=offset, topic=topic, error=error
            )
            return False
        if result.status not in STORED:
            log.warn(
                "message {offset} of {topic} cannot come again now: {status}",
                offset=offset, topic=topic, status=result.status.name,
            )  # fmt: skip
            return False
        self._inflight.done(topic, group, point.queue_id, point.pop_time)
        return True

    def _put_off(self, queue: ReviveQueue, point: PopCheckPoint, offset: int) -> bool:
        """Lets a message wait for another check point; False when that cannot be stored now."""
        text = point.re_put_times or ""
        times = int(text) if text.isdecimal() and len(text) < 10 else 0
        later = PopCheckPoint(
            start_offset=offset,
            # Not that of the pop: both may begin at this message, and must not be taken for one.
            pop_time=self._now(),
            invisible_time=_PUT_OFF_SECONDS[min(times, len(_PUT_OFF_SECONDS) - 1)] * 1000,
            num=1,
            queue_id=point.queue_id,
            topic=point.topic,
            group=point.group,
            queue_offset_diff=[0],
            broker_name=point.broker_name,
            re_put_times=str(times + 1),
        )
        return self._log.put_check_point(later, queue.queue_id)

    def _retry_queue(self, topic: str, group: str, queue_id: int) -> tuple[str, int]:
        """Where a message comes again; the topic is made if it is missing.

        Raises:
            SystemBusyError: there are too many topics, or offsets.
        """
        broker = self._broker
        retry_topic = topic
        if not topic.startswith(RETRY_PREFIX):
            retry_topic = pop_retry_topic(topic, group, v2=broker.enable_retry_topic_v2)
        config = self._topics.configs.get(retry_topic)
        if config is None:
            origin = self._topics.configs.get(normal_topic(topic, group))
            queues = origin.write_queue_nums if broker.use_separate_retry_queue and origin is not None else 1
            config = self._topics.ensure(retry_topic, queues)
            for each in range(queues):
                if self._offsets.query(group, retry_topic, each) < 0:
                    self._offsets.commit(group, retry_topic, each, 0)
        separate = broker.use_separate_retry_queue and queue_id < config.write_queue_nums
        return retry_topic, queue_id if separate else 0

    def _now(self) -> int:
        return int(self._clock.seconds() * 1000)
