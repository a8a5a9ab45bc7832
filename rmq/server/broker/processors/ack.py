"""Takes acknowledgements of popped messages, and hides them longer.

An acknowledgement goes to its check point if that is in memory, else into the revive log. Hiding a message longer makes
a check point for it alone and acknowledges it in its old one, in this order, so that it is always in one.

Source: AckMessageProcessor, ChangeInvisibleTimeProcessor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from rmq.remoting.dispatch import Call, Reply, handles
from rmq.remoting.protocol import Connection
from rmq.server.broker.meta.offsets import OffsetTable
from rmq.server.broker.meta.topics import TopicTable
from rmq.server.broker.pop.buffer import CheckPointBuffer
from rmq.server.broker.pop.hold import ALL_QUEUES, PopHold
from rmq.server.broker.pop.inflight import InflightCounter
from rmq.server.broker.pop.orders import ILLEGAL, OrderTable
from rmq.server.broker.pop.revivelog import ReviveLog
from rmq.server.broker.processors.pop import check_invisible_time
from rmq.server.store.store import MessageStore
from rmq.settings.model import BrokerSettings
from rmq.wire.bodies.pop import AckRecord, BatchAck, BatchAckBody, PopCheckPoint
from rmq.wire.codes import ResponseCode
from rmq.wire.errors import (
    SEE_FAQ,
    InvalidParameterError,
    MessageIllegalError,
    RemotingError,
    ServiceNotAvailableError,
    TopicNotExistError,
)
from rmq.wire.names import check_group
from rmq.wire.popinfo import ORDER_REVIVE_QUEUE, PopHandle, check_broker_name, normal_topic, topic_of_kind
from rmq.wire.requests.pop import (
    AckMessage,
    BatchAckMessage,
    ChangeInvisibleTime,
    ChangeInvisibleTimeReply,
)

MOST_BATCHES: Final = 1024
"""Most pops whose messages one request acknowledges."""



class AckProcessor:
    """Handles what comes back for popped messages.

    Args:
        settings: how many revive queues there are.
        now: milliseconds since the epoch.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        topics: TopicTable,
        offsets: OffsetTable,
        store: MessageStore,
        log: ReviveLog,
        buffer: CheckPointBuffer,
        orders: OrderTable,
        inflight: InflightCounter,
        hold: PopHold,
        now: Callable[[], int],
    ) -> None:
        self._settings = settings
        self._broker = settings.broker
        self._topics = topics
        self._offsets = offsets
        self._store = store
        self._log = log
        self._buffer = buffer
        self._orders = orders
        self._inflight = inflight
        self._hold = hold
        self._now = now

    @handles(AckMessage)
    def ack(self, header: AckMessage, call: Call) -> None:
        """One message is done."""
        check_group(header.consumer_group)
        self._check_queue(call.connection, header.topic, header.queue_id)
        low = self._store.min_offset(header.topic, header.queue_id)
        high = self._store.max_offset(header.topic, header.queue_id)
        if not low <= header.offset <= high:
            raise RemotingError(
                f"offset is illegal, key:{header.topic}@{header.queue_id}, commit:{header.offset}, store:{low}~{high}",
                ResponseCode.NO_MESSAGE,
            )
        handle = self._handle(header.extra_info)
        if handle.ordered:
            self._ack_ordered(
                call.connection, header.topic, header.consumer_group, header.queue_id, header.offset,
                handle.pop_time, handle.invisible_time,
            )  # fmt: skip
            return
        self._ack(_ack_of(header, handle), handle.revive_queue, handle.pop_time + handle.invisible_time)

    @handles(BatchAckMessage)
    def ack_batch(self, header: BatchAckMessage, call: Call) -> None:
        """Messages of many pops are done."""
        body = call.json(BatchAckBody) if call.body else BatchAckBody()
        if not body.acks:
            raise RemotingError("no acknowledgement in the request", ResponseCode.NO_MESSAGE)
        if len(body.acks) > MOST_BATCHES:
            raise InvalidParameterError(f"{len(body.acks)} batches are more than {MOST_BATCHES}")
        for batch in body.acks:
            self._ack_one_batch(call.connection, batch, check_broker_name(body.broker_name or self._broker.broker_name))

    @handles(ChangeInvisibleTime)
    def change_invisible_time(self, header: ChangeInvisibleTime, call: Call) -> ChangeInvisibleTimeReply | Reply:
        """One message stays hidden, from now on for another time."""
        topic, group, queue_id = header.topic, header.consumer_group, header.queue_id
        check_group(group)
        self._check_queue(call.connection, topic, queue_id)
        check_invisible_time(self._settings, header.invisible_time)
        if not self._store.min_offset(topic, queue_id) <= header.offset < self._store.max_offset(topic, queue_id):
            raise RemotingError("", ResponseCode.NO_MESSAGE)
        handle = self._handle(header.extra_info)
        now = self._now()
        if handle.ordered:
            if header.offset < self._offsets.query(group, topic, queue_id):
                return ChangeInvisibleTimeReply(0, 0, 0)
            visible = now + header.invisible_time
            self._orders.hide_until(topic, group, queue_id, header.offset, handle.pop_time, visible)
            return ChangeInvisibleTimeReply(handle.pop_time, visible - handle.pop_time, handle.revive_queue)
        # The pop may have begun at this message in this millisecond: the check points must not be taken for one.
        pop_time = max(now, handle.pop_time + 1)
        point = PopCheckPoint(
            start_offset=header.offset,
            pop_time=pop_time,
            invisible_time=header.invisible_time,
            num=1,
            queue_id=queue_id,
            topic=topic,
            group=group,
            queue_offset_diff=[0],
            broker_name=handle.broker_name,
        )
        if not self._log.put_check_point(point, handle.revive_queue):
            raise ServiceNotAvailableError("the message's new invisible time cannot be stored now")
        self._put(_ack_of(header, handle), handle.revive_queue, handle.pop_time + handle.invisible_time)
        return ChangeInvisibleTimeReply(pop_time, header.invisible_time, handle.revive_queue)

    # --- acknowledging --------------------------------------------------------------------------------------------

    def _ack_one_batch(self, connection: Connection, batch: BatchAck, broker_name: str) -> None:
        topic = topic_of_kind(batch.topic, check_group(batch.group), batch.retry)
        queue_id = batch.queue_id
        if self._store.max_offset(topic, queue_id) == 0:
            return
        low, high = self._store.min_offset(topic, queue_id), self._store.max_offset(topic, queue_id)
        offsets = [offset for offset in batch.offsets() if low <= offset <= high]
        if batch.revive_queue_id == ORDER_REVIVE_QUEUE:
            for offset in offsets:
                self._ack_ordered(
                    connection, topic, batch.group, queue_id, offset, batch.pop_time, batch.invisible_time
                )
            return
        self._check_revive_queue(batch.revive_queue_id)
        if offsets:
            ack = AckRecord(
                -1, batch.start_offset, batch.group, topic, queue_id, batch.pop_time, broker_name, offsets
            )
            self._ack(ack, batch.revive_queue_id, batch.pop_time + batch.invisible_time)

    def _ack(self, ack: AckRecord, revive_queue: int, revive_time: int) -> None:
        if not self._put(ack, revive_queue, revive_time):
            raise ServiceNotAvailableError("the acknowledgement cannot be stored now")
        topic, group = ack.topic or "", ack.group or ""
        self._inflight.done(topic, group, ack.queue_id, ack.pop_time, len(ack.offsets))
        if self._broker.enable_pop_message_threshold:
            # Pops may wait because there were too many of these.
            for queue_id in (ack.queue_id, ALL_QUEUES):
                self._hold.wake(normal_topic(topic, group), group, queue_id)

    def _put(self, ack: AckRecord, revive_queue: int, revive_time: int) -> bool:
        return self._buffer.acknowledge(ack) or self._log.put_ack(ack, revive_queue, revive_time)

    def _ack_ordered(
        self,
        connection: Connection,
        topic: str,
        group: str,
        queue_id: int,
        offset: int,
        pop_time: int,
        invisible_time: int,
    ) -> None:
        committed = self._offsets.query(group, topic, queue_id)
        if offset < committed:
            return
        following = self._orders.acknowledge(topic, group, queue_id, offset, pop_time)
        if following == ILLEGAL:
            raise MessageIllegalError(
                f"offset is illegal, key:{topic}@{group}@{queue_id}, old:{committed}, commit:{offset}, "
                f"next:{following}, /{connection.address}"
            )
        if following >= 0:
            if not self._offsets.has_reset(group, topic, queue_id):
                self._offsets.commit(group, topic, queue_id, following)
            if not self._orders.is_blocked(None, topic, group, queue_id, invisible_time):
                self._hold.wake(topic, group, queue_id)
                self._hold.wake(topic, group, ALL_QUEUES)
        self._inflight.done(topic, group, queue_id, pop_time)

    # --- checks ---------------------------------------------------------------------------------------------------

    def _check_queue(self, connection: Connection, topic: str, queue_id: int) -> None:
        config = self._topics.configs.get(topic)
        if config is None:
            raise TopicNotExistError(f"topic[{topic}] not exist, apply first please! {SEE_FAQ}")
        if not 0 <= queue_id < config.read_queue_nums:
            raise MessageIllegalError(
                f"queueId[{queue_id}] is illegal, topic:[{topic}] topicConfig.readQueueNums:[{config.read_queue_nums}] "
                f"consumer:[/{connection.address}]"
            )

    def _handle(self, text: str) -> PopHandle:
        handle = PopHandle.parse(text)
        if not handle.ordered:
            self._check_revive_queue(handle.revive_queue)
        return handle

    def _check_revive_queue(self, revive_queue: int) -> None:
        if not 0 <= revive_queue < self._broker.revive_queue_num:
            raise InvalidParameterError(f"there is no queue {revive_queue} of the revive log")


def _ack_of(header: AckMessage | ChangeInvisibleTime, handle: PopHandle) -> AckRecord:
    return AckRecord(
        header.offset,
        handle.start_offset,
        header.consumer_group,
        header.topic,
        header.queue_id,
        handle.pop_time,
        handle.broker_name,
    )
