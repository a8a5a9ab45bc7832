"""Pulls messages without a consumer's machinery, and looks at the bounds of queues.

Source: DefaultMQPullConsumerImpl, PullAPIWrapper, MQAdminImpl.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from enum import Enum
from typing import Final, NamedTuple

from rmq.client.admin.clusters import MASTER, chosen_address
from rmq.client.admin.errors import MalformedAnswerError, UnknownBrokerError
from rmq.client.admin.session import Admin
from rmq.client.admin.stored import messages_in
from rmq.client.identity import client_id, local_address, unique_instance_name
from rmq.client.message import PROPERTY_MAX_OFFSET, PROPERTY_MIN_OFFSET, MessageExt
from rmq.wire.bodies.heartbeat import (
    ConsumeFromWhere,
    ConsumerData,
    ConsumeType,
    HeartbeatData,
    MessageModel,
    SubscriptionData,
)
from rmq.wire.bodies.route import MessageQueue, TopicRouteData
from rmq.wire.codes import ResponseCode
from rmq.wire.javahash import hash_order, java_hash
from rmq.wire.names import LMQ_PREFIX, TOOLS_CONSUMER_GROUP
from rmq.wire.requests.client import Heartbeat, UnregisterClient
from rmq.wire.requests.offset import GetMaxOffset, GetMinOffset, OffsetReply, SearchOffsetByTimestamp
from rmq.wire.requests.pull import PullMessage, PullMessageReply
from rmq.wire.subscription import SUB_ALL, TAG, build_subscription

_READ: Final = 4
_WITH_SUBSCRIPTION: Final = 4
_SUSPEND_MILLIS: Final = 20_000
AT_A_TIME: Final = 32
"""Messages of one pull when a queue is read; brokers give no more at a time unless they are told to."""


class PullStatus(Enum):
    """What came of a pull."""

    FOUND = int(ResponseCode.SUCCESS)
    NO_NEW_MSG = int(ResponseCode.PULL_NOT_FOUND)
    NO_MATCHED_MSG = int(ResponseCode.PULL_RETRY_IMMEDIATELY)
    OFFSET_ILLEGAL = int(ResponseCode.PULL_OFFSET_MOVED)


_ANSWERS: Final = frozenset(status.value for status in PullStatus)


class Pulled(NamedTuple):
    """What came of a pull, and where to go on."""

    status: PullStatus
    next_offset: int
    messages: list[MessageExt]


def readable_queues(route: TopicRouteData, topic: str) -> list[MessageQueue]:
    """The queues of a topic that may be read, in the order of the HashSet in which Java's consumers hold them."""
    queues = (
        MessageQueue(topic, data.broker_name, number)
        for data in route.queue_datas
        if data.perm & _READ
        for number in range(data.read_queue_nums)
    )
    return hash_order(queues, queue_hash)


def queue_hash(queue: MessageQueue) -> int:
    """A queue's `hashCode()` in Java, modulo 2**32."""
    return ((31 + java_hash(queue.broker_name)) * 31 + queue.queue_id) * 31 + java_hash(queue.topic)


class Reader:
    """Reads queues of one topic as a member of a consumer group, without committing anything.

    Args:
        admin: the session.
        route: the topic's route.
        topic: the topic.
        group: the consumer group.
    """

    def __init__(self, admin: Admin, route: TopicRouteData, topic: str, group: str = TOOLS_CONSUMER_GROUP) -> None:
        self._admin = admin
        self._topic = topic
        self._group = group
        self._client_id = client_id(local_address(), unique_instance_name())
        self._masters = {data.broker_name: data.broker_addrs.get(MASTER) for data in route.broker_datas}
        self._any = {data.broker_name: chosen_address(data) for data in route.broker_datas}

    async def register(self) -> None:
        """Makes the group known to the brokers, which then list it among the groups."""
        subscription = SubscriptionData(self._topic, "*", sub_version=self._admin.now())
        consumer = ConsumerData(
            self._group,
            ConsumeType.CONSUME_ACTIVELY,
            MessageModel.CLUSTERING,
            ConsumeFromWhere.CONSUME_FROM_LAST_OFFSET,
            [subscription],
        )
        body = HeartbeatData(self._client_id, consumer_data_set=[consumer])
        await self._admin.each(self._brokers(), lambda address: self._admin.call(address, Heartbeat(), body))

    async def unregister(self) -> None:
        """Takes the client back."""
        header = UnregisterClient(self._client_id, consumer_group=self._group)
        await self._admin.attempt_each(self._brokers(), lambda address: self._admin.call(address, header))

    def _brokers(self) -> list[str]:
        return [address for address in self._masters.values() if address is not None]

    def _address(self, broker_name: str, among: dict[str, str | None]) -> str:
        address = among.get(broker_name)
        if address is None:
            raise UnknownBrokerError(broker_name, self._any)
        return address

    async def bounds(self, queue: MessageQueue) -> tuple[int, int]:
        """The oldest offset of a queue and the one of its next message.

        Raises:
            UnknownBrokerError: the route does not name the queue's broker.
        """
        address = self._address(queue.broker_name, self._masters)
        oldest: OffsetReply = (await self._admin.call(address, GetMinOffset(self._topic, queue.queue_id))).header
        newest: OffsetReply = (await self._admin.call(address, GetMaxOffset(self._topic, queue.queue_id))).header
        return oldest.offset, newest.offset

    async def offset_at(self, queue: MessageQueue, timestamp: int) -> int:
        """The offset of the first message stored at or after a time (ms)."""
        address = self._address(queue.broker_name, self._masters)
        header = SearchOffsetByTimestamp(self._topic, queue.queue_id, timestamp)
        reply: OffsetReply = (await self._admin.call(address, header)).header
        return reply.offset

    async def read(
        self,
        queue: MessageQueue,
        first: int,
        last: int,
        expression: str = SUB_ALL,
        expression_type: str = TAG,
        *,
        most: int = AT_A_TIME,
    ) -> AsyncIterator[Pulled]:
        """Pulls the messages from offset `first` to before `last`, `most` at a time, until there are no more.

        Raises:
            UnknownBrokerError: the route does not name the queue's broker.
            SubscriptionParseError: the expression holds no tag.
            MalformedAnswerError: the broker sends round in circles.
        """
        # Messages of an LMQ topic have the offsets of the queues that they are stored in.
        own_offsets = not queue.topic.startswith(LMQ_PREFIX)
        offset = first
        while offset < last:
            pulled = await self.pull(queue, offset, min(last - offset, most), expression, expression_type)
            if own_offsets:
                pulled = pulled._replace(messages=[item for item in pulled.messages if item.queue_offset < last])
            yield pulled
            if pulled.status in {PullStatus.NO_NEW_MSG, PullStatus.OFFSET_ILLEGAL}:
                return
            if pulled.next_offset <= offset:
                address = self._address(queue.broker_name, self._any)
                raise MalformedAnswerError(address, f"what comes after offset {offset} is at {pulled.next_offset}")
            offset = pulled.next_offset

    async def pull(
        self, queue: MessageQueue, offset: int, most: int, expression: str = SUB_ALL, expression_type: str = TAG
    ) -> Pulled:
        """Messages from an offset on, at once; the broker does not wait for new ones.

        Raises:
            SubscriptionParseError: the expression holds no tag.
            RemotingError: the broker cannot evaluate the expression, or does not answer.
        """
        tags = build_subscription(self._topic, expression, expression_type).tags_set
        header = PullMessage(
            consumer_group=self._group,
            topic=self._topic,
            queue_id=queue.queue_id,
            queue_offset=offset,
            max_msg_nums=most,
            sys_flag=_WITH_SUBSCRIPTION,
            commit_offset=0,
            suspend_timeout_millis=_SUSPEND_MILLIS,
            sub_version=0,
            subscription=expression,
            expression_type=expression_type,
            broker_name=queue.broker_name,
        )
        answer = await self._admin.call(self._address(queue.broker_name, self._any), header, accept=_ANSWERS)
        reply: PullMessageReply = answer.header
        status = PullStatus(answer.code)
        found = list(messages_in(answer, queue.broker_name)) if status is PullStatus.FOUND else []
        if tags:
            # Brokers compare only the tags' hashes.
            found = [message for message in found if message.tags in tags]
        for message in found:
            message.properties[PROPERTY_MIN_OFFSET] = str(reply.min_offset)
            message.properties[PROPERTY_MAX_OFFSET] = str(reply.max_offset)
            message.queue_offset += reply.offset_delta or 0
        return Pulled(status, reply.next_begin_offset, found)
