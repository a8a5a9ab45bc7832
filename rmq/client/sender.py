"""Brings a prepared message to a broker: looks for the route, takes queues in turn, tries again.

When a broker fails, or says that another may do better, the next attempt goes to another broker if there is one. A
topic that does not exist yet is sent to where brokers create topics.

A topic may be known to have no master for a moment, and a name server that was just started knows nobody, which says
nothing about topics. So in these two cases the route is looked for again, within the time of the send. Where a name
server knows brokers and not the topic, the topic does not exist.

Source: DefaultMQProducerImpl.sendDefaultImpl, sendKernelImpl, tryToFindTopicPublishInfo.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from rmq.client.config import ProducerConfig
from rmq.client.errors import (
    ACCESS_BROKER_TIMEOUT,
    CONNECT_BROKER,
    ClientError,
    NoRouteError,
    SendFailedError,
)
from rmq.client.instance import ClientInstance
from rmq.client.message import PROPERTY_MSG_REGION, PROPERTY_TRACE_ON
from rmq.client.outgoing import Outgoing
from rmq.client.results import STATUS_BY_CODE, SendResult, SendStatus
from rmq.client.routes import PublishQueues
from rmq.client.waiting import Shared, sleep
from rmq.remoting.calls import Answer
from rmq.remoting.errors import CallTimeoutError, TransportError
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.errors import RemotingError, TopicNotExistError
from rmq.wire.requests.send import SendMessageReply, SendMessageV2

_STORED = frozenset(STATUS_BY_CODE)
_ONEWAY_WINDOW = 1024 * 1024
_REQUEST_HEAD = 250
_ROUTE_PAUSE = 0.2

Told = Callable[[Outgoing, str, SendResult, int], None]
"""Learns what was sent, to which address, with what result, and when that began (ms since the epoch)."""


class Sender:
    """Sends for one group.

    Args:
        instance: whose routes and connections are used.
        group: the producer group.
        config: how often and where it tries.
        told: is told of every attempt that succeeded.
    """

    def __init__(self, instance: ClientInstance, group: str, config: ProducerConfig, told: Told | None = None) -> None:
        self._instance = instance
        self._group = group
        self._config = config
        self._told = told
        self._unconfirmed: dict[str, int] = {}
        self._looks: Shared[str, PublishQueues | None] = Shared()

    async def route(self, topic: str, timeout: float = 0.0) -> PublishQueues:
        """The topic's queues that take messages.

        Args:
            topic: the topic.
            timeout: seconds for which a master, or any broker, is waited for where name servers know of none.

        Raises:
            NoRouteError: the topic does not exist and cannot be created, or has no master.
            TransportError: no name server can be asked.
        """
        clock = self._instance.reactor
        until = clock.seconds() + timeout
        known = await self._look_up(topic)
        while known is None:
            if clock.seconds() >= until:
                raise NoRouteError(topic)
            # Those who wait for the same topic look together.
            known = await self._looks.run(topic, lambda: self._look_later(topic))
        return known

    async def _look_later(self, topic: str) -> PublishQueues | None:
        await sleep(self._instance.reactor, _ROUTE_PAUSE)
        return await self._look_up(topic)

    async def _look_up(self, topic: str) -> PublishQueues | None:
        """The topic's queues that take messages; None when there are none now, which says nothing about later."""
        routes = self._instance.routes
        known = routes.publish_queues(topic)
        if known is not None:
            return known
        try:
            await routes.refresh(topic)
        except TopicNotExistError:
            await self._default_route(topic)
        known = routes.publish_queues(topic)
        if known is None and not routes.lacks_masters(topic) and await routes.any_broker_known():
            raise NoRouteError(topic)
        return known

    async def _default_route(self, topic: str) -> None:
        """Takes the route of where brokers create topics, if any does."""
        config = self._config
        with suppress(TopicNotExistError):
            await self._instance.routes.refresh_default(topic, config.create_topic_key, config.default_topic_queue_nums)

    async def send(self, outgoing: Outgoing, timeout: float) -> SendResult:
        """Sends to the topic's queues in turn until one takes it.

        Args:
            outgoing: what is sent.
            timeout: seconds for all attempts together.

        Raises:
            NoRouteError: the topic does not exist and cannot be created, or has no master.
            SendFailedError: every attempt failed.
            RemotingError: the broker refused for a reason that another attempt does not change.
        """
        started = self._instance.reactor.seconds()
        route = await self.route(outgoing.topic, timeout)
        brokers: list[str] = []
        result: SendResult | None = None
        failure: RemotingError | None = None
        for _ in range(1 + self._config.retry_times):
            left = timeout - (self._instance.reactor.seconds() - started)
            if left <= 0:
                break
            queue = route.select(avoid=brokers[-1] if brokers else None)
            brokers.append(queue.broker_name)
            try:
                result = await self.send_to(outgoing, queue, left)
            except (TransportError, ClientError) as error:
                failure = error
            except RemotingError as error:
                if error.code not in self._config.retry_codes:
                    raise
                failure = error
            else:
                if result.send_status is SendStatus.SEND_OK:
                    return result
                if not self._config.retry_another_broker_when_not_store_ok:
                    return result
        if result is not None:
            return result
        cause = failure or CallTimeoutError(outgoing.topic, timeout)
        cost = self._instance.reactor.seconds() - started
        raise SendFailedError(outgoing.topic, brokers, cost, cause, _code(cause)) from cause

    async def send_to(self, outgoing: Outgoing, queue: MessageQueue, timeout: float) -> SendResult:
        """Sends to one queue, once.

        Raises:
            RemotingError: the broker refused or cannot be reached.
        """
        address = await self._instance.master_address(queue)
        header = self._header(outgoing, queue)
        began = self._instance.now()
        answer = await self._instance.invoker.call(address, header, outgoing.body, timeout=timeout, accept=_STORED)
        result = self._result(outgoing, queue, answer)
        if self._told is not None:
            self._told(outgoing, address, result, began)
        return result

    async def send_oneway_to(self, outgoing: Outgoing, queue: MessageQueue) -> None:
        """Sends to one queue and does not ask what became of it.

        Nothing tells when a one-way request has left this process. So after every megabyte the broker is asked
        something, and its answer waited for: what came before the question has been read by then.

        Raises:
            TransportError: the broker cannot be reached.
        """
        address = await self._instance.master_address(queue)
        if self._unconfirmed.get(address, 0) >= _ONEWAY_WINDOW:
            await self._instance.heartbeat_to(address)
            self._unconfirmed[address] = 0
        size = len(outgoing.body) + len(outgoing.properties) + _REQUEST_HEAD
        self._unconfirmed[address] = self._unconfirmed.get(address, 0) + size
        await self._instance.invoker.send_oneway(address, self._header(outgoing, queue), outgoing.body)

    def _header(self, outgoing: Outgoing, queue: MessageQueue) -> SendMessageV2:
        now = self._instance.now()
        return outgoing.header(self._group, queue.queue_id, queue.broker_name, now, self._config)

    def _result(self, outgoing: Outgoing, queue: MessageQueue, answer: Answer) -> SendResult:
        reply: SendMessageReply = answer.header
        topic = self._instance.namespace.unwrap(outgoing.topic)
        return SendResult(
            STATUS_BY_CODE[answer.code],
            outgoing.message_id,
            reply.msg_id,
            MessageQueue(topic, queue.broker_name, reply.queue_id),
            reply.queue_offset,
            reply.transaction_id,
            reply.recall_handle,
            answer.ext.get(PROPERTY_MSG_REGION) or "DefaultRegion",
            answer.ext.get(PROPERTY_TRACE_ON) != "false",
        )


def _code(cause: RemotingError) -> int:
    if isinstance(cause, CallTimeoutError):
        return ACCESS_BROKER_TIMEOUT
    if isinstance(cause, TransportError):
        return CONNECT_BROKER
    return cause.code
