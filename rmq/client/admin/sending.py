"""Sends single messages without a producer's machinery.

Source: DefaultMQProducerImpl, AsyncTraceDispatcher.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from rmq.client.admin.clusters import MASTER
from rmq.client.admin.errors import UnknownBrokerError
from rmq.client.admin.session import Admin
from rmq.client.admin.topics import topic_route
from rmq.client.config import ProducerConfig
from rmq.client.errors import NoRouteError
from rmq.client.identity import local_address, message_ids
from rmq.client.message import PROPERTY_MSG_REGION, PROPERTY_TRACE_ON, Message
from rmq.client.outgoing import outgoing_message
from rmq.client.results import STATUS_BY_CODE, SendResult, SendStatus
from rmq.client.trace import published
from rmq.remoting.errors import TransportError
from rmq.wire.bodies.route import MessageQueue, TopicRouteData
from rmq.wire.errors import RemotingError, TopicNotExistError
from rmq.wire.names import DEFAULT_TOPIC, TRACE_TOPIC
from rmq.wire.requests.send import SendMessageReply

_WRITE: Final = 2
_ATTEMPTS: Final = 3
_STORED: Final = frozenset(STATUS_BY_CODE)


class Place(NamedTuple):
    """A queue and the master that holds it."""

    address: str
    queue: MessageQueue


async def places(admin: Admin, topic: str) -> list[Place]:
    """The queues that take messages of a topic; those of a topic not made yet when a send would make it.

    Raises:
        NoRouteError: the topic has no route, nor has the default topic.
    """
    try:
        route, most = await topic_route(admin, topic), None
    except TopicNotExistError:
        try:
            route, most = await topic_route(admin, DEFAULT_TOPIC), ProducerConfig().default_topic_queue_nums
        except TopicNotExistError:
            raise NoRouteError(topic) from None
    return _places(route, topic, most)


def _places(route: TopicRouteData, topic: str, most: int | None) -> list[Place]:
    masters = {data.broker_name: data.broker_addrs.get(MASTER) for data in route.broker_datas}
    found = []
    for data in route.queue_datas:
        address = masters.get(data.broker_name)
        if address is not None and data.perm & _WRITE:
            count = data.write_queue_nums if most is None else min(most, data.write_queue_nums)
            found += [Place(address, MessageQueue(topic, data.broker_name, number)) for number in range(count)]
    return found


async def place_on(admin: Admin, topic: str, broker_name: str, queue_id: int) -> Place:
    """One queue of one broker; whether the broker has that queue is for it to say.

    Raises:
        NoRouteError: the topic has no route, nor has the default topic.
        UnknownBrokerError: the route does not name the broker.
    """
    try:
        route = await topic_route(admin, topic)
    except TopicNotExistError:
        try:
            route = await topic_route(admin, DEFAULT_TOPIC)
        except TopicNotExistError:
            raise NoRouteError(topic) from None
    for data in route.broker_datas:
        address = data.broker_addrs.get(MASTER)
        if data.broker_name == broker_name and address is not None:
            return Place(address, MessageQueue(topic, broker_name, queue_id))
    raise UnknownBrokerError(broker_name, [data.broker_name for data in route.broker_datas])


class Sender:
    """Sends messages for one producer group.

    Args:
        admin: the session.
        group: the producer group.
        trace: whether a trace of each message is stored too.

    Attributes:
        untraced: why traces were not stored; their messages are.
    """

    def __init__(self, admin: Admin, group: str, *, trace: bool = False) -> None:
        self._admin = admin
        self._group = group
        self._trace = trace
        self._config = ProducerConfig()
        self._ids = message_ids(local_address())
        self.untraced: list[RemotingError] = []

    async def send(self, message: Message, place: Place | None = None) -> SendResult:
        """Sends a message, to any queue of its topic when none is given.

        Raises:
            RemotingError: the message is not allowed, a broker refused it, or none could be reached.
        """
        begun = self._admin.now()
        outgoing = outgoing_message(message, self._config, self._ids, begun)
        tries = [place] if place is not None else self._chosen(await places(self._admin, message.topic))
        failure: TransportError | None = None
        for attempt in tries:
            address, queue = attempt
            header = outgoing.header(self._group, queue.queue_id, queue.broker_name, self._admin.now(), self._config)
            try:
                answer = await self._admin.call(address, header, outgoing.body, accept=_STORED)
            except TransportError as error:
                failure = error
                continue
            reply: SendMessageReply = answer.header
            result = SendResult(
                STATUS_BY_CODE[answer.code],
                outgoing.message_id,
                reply.msg_id,
                MessageQueue(queue.topic, queue.broker_name, reply.queue_id),
                reply.queue_offset,
                reply.transaction_id,
                reply.recall_handle,
                answer.ext.get(PROPERTY_MSG_REGION) or "DefaultRegion",
                answer.ext.get(PROPERTY_TRACE_ON) != "false",
            )
            if self._trace and result.trace_on:
                await self._send_trace(message, result, address, begun)
            return result
        raise failure or NoRouteError(message.topic)

    def _chosen(self, found: list[Place]) -> list[Place]:
        """A queue chosen by chance, then one on each other broker, as long as there are attempts."""
        if not found:
            return []
        start = self._admin.choose(len(found))
        first_on: dict[str, Place] = {}
        for place in found[start:] + found[:start]:
            first_on.setdefault(place.queue.broker_name, place)
        return list(first_on.values())[:_ATTEMPTS]

    async def _send_trace(self, message: Message, result: SendResult, address: str, begun: int) -> None:
        made = published(
            message.properties,
            time=begun,
            region=result.region_id,
            group=self._group,
            topic=message.topic,
            message_id=result.msg_id,
            broker=address,
            length=len(message.body),
            cost=self._admin.now() - begun,
            offset_id=result.offset_msg_id,
            success=result.send_status is SendStatus.SEND_OK,
        )
        carrier = Message(TRACE_TOPIC, made.text, keys=sorted(made.keys))
        try:
            await Sender(self._admin, f"_INNER_TRACE_PRODUCER-{self._group}").send(carrier)
        except RemotingError as error:
            remark = f"message {result.msg_id} is stored, its trace is not: {error.remark}"
            self.untraced.append(RemotingError(remark, error.code, error.address))
