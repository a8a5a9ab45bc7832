"""Sends messages.

A send looks for the topic's route, takes its queues in turn, and when a broker fails or says that another may do
better, tries again, on another broker if there is one. A send to a queue that the caller names or selects is tried
once. A topic that does not exist yet is sent to where brokers create topics.

    async with Producer(reactor, "my_group", namesrv_addr="127.0.0.1:9876") as producer:
        result = await producer.send(Message("TopicTest", b"hello", tags="TagA"))

Source: DefaultMQProducer, DefaultMQProducerImpl.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from twisted.logger import Logger

from rmq.client.config import ProducerConfig
from rmq.client.errors import ClientError
from rmq.client.lifecycle import Home, Member, instance_for
from rmq.client.message import (
    PROPERTY_CORRELATION_ID,
    PROPERTY_REPLY_TO_CLIENT,
    PROPERTY_TTL,
    Message,
    MessageExt,
)
from rmq.client.outgoing import Outgoing, outgoing_batch, outgoing_message
from rmq.client.results import SendResult
from rmq.client.selectors import QueueSelector
from rmq.client.sender import Sender
from rmq.client.waiting import Waiters, deferred
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.errors import RemotingError
from rmq.wire.names import DEFAULT_PRODUCER_GROUP, DLQ_PREFIX, RETRY_PREFIX, check_topic
from rmq.wire.recall import RecallHandleError, parse_recall_handle
from rmq.wire.requests.send import RecallMessage, RecallMessageReply
from rmq.wire.requests.transaction import CheckTransactionState

log = Logger()


class Producer(Member):
    """A producer of one group.

    Args:
        reactor: a Twisted reactor.
        group: the producer group.
        config: how it sends.
        home: where it lives; see `rmq.client.lifecycle.Home`.

    Raises:
        InvalidParameterError: the group's name is not allowed.
        NamesrvAddressError: an address is not `host:port`.
    """

    def __init__(
        self,
        reactor: Any,
        group: str = DEFAULT_PRODUCER_GROUP,
        *,
        config: ProducerConfig | None = None,
        **home: Unpack[Home],
    ) -> None:
        super().__init__(group, instance_for(reactor, home), "PRODUCE")
        self.config = config or ProducerConfig()
        told = None if self.tracer is None else self.tracer.sent
        self._sender = Sender(self.instance, self.group, self.config, told)
        self._introduced: set[str] = set()
        self._in_flight = 0
        self._room: Waiters[None] = Waiters()

    async def _start(self) -> None:
        self.instance.add_producer(self)

    async def _shutdown(self) -> None:
        self._room.wake(None)
        await self._stop_tracing()
        await self.instance.remove_producer(self.group)

    # --- sending ----------------------------------------------------------------------------------------------------

    @deferred
    async def send(
        self,
        message: Message,
        *,
        queue: MessageQueue | None = None,
        selector: QueueSelector | None = None,
        arg: Any = None,
        timeout: float | None = None,
    ) -> SendResult:
        """Sends a message and waits until the broker has it.

        Args:
            message: the message; it gets its id here.
            queue: where to; else the topic's queues in turn.
            selector: chooses the queue, from the queues, the message and `arg`.
            arg: for the selector.
            timeout: seconds for all attempts together; the configured ones when None.

        Raises:
            IllegalMessageError, InvalidParameterError: the message or its topic is not allowed.
            NoRouteError: the topic does not exist and cannot be created, or has no master.
            SendFailedError: every attempt failed.
            RemotingError: the broker refused for a reason that another attempt does not change, or the one attempt
                at a given queue failed.
        """
        self._check_running()
        return await self._send(self._prepare(message), message, queue, selector, arg, timeout)

    @deferred
    async def send_batch(
        self, messages: Sequence[Message], *, queue: MessageQueue | None = None, timeout: float | None = None
    ) -> SendResult:
        """Sends messages of one topic as one; all are stored, next to each other, or none is.

        `rmq.client.split_batches` makes lists of a good size.

        Raises: as `send`; also IllegalMessageError for messages that cannot be in one batch.
        """
        self._check_running()
        instance = self.instance
        outgoing = outgoing_batch(messages, self.config, instance.ids, instance.now(), instance.namespace)
        return await self._send(outgoing, messages[0], queue, None, None, timeout)

    @deferred
    async def send_oneway(
        self,
        message: Message,
        *,
        queue: MessageQueue | None = None,
        selector: QueueSelector | None = None,
        arg: Any = None,
    ) -> None:
        """Sends a message and does not ask what became of it; waits only until it is on its way.

        Raises:
            IllegalMessageError, InvalidParameterError, NoRouteError: as `send`.
            TransportError: the broker cannot be reached.
        """
        self._check_running()
        outgoing = self._prepare(message)
        if queue is None:
            timeout = self.config.send_timeout
            if selector is None:
                queue = (await self._sender.route(outgoing.topic, timeout)).select()
            else:
                queue = await self._selected(outgoing.topic, selector, message, arg, timeout)
        await self._sender.send_oneway_to(outgoing, self.instance.namespace.wrap_queue(queue))

    @deferred
    async def request(
        self,
        message: Message,
        *,
        queue: MessageQueue | None = None,
        selector: QueueSelector | None = None,
        arg: Any = None,
        timeout: float | None = None,
    ) -> MessageExt:
        """Sends a message and waits for the answer of whoever consumes it; see `rmq.client.reply_to`.

        Args:
            message: the request.
            queue: where to; else the topic's queues in turn.
            selector: chooses the queue, from the queues, the message and `arg`.
            arg: for the selector.
            timeout: seconds for all of it; that of a send when None.

        Raises:
            RequestTimeoutError: nobody answered in time.
            RemotingError: as `send`.
        """
        self._check_running()
        allowed = self.config.send_timeout if timeout is None else timeout
        correlation_id = self.instance.ids.next(self.instance.now())
        message.properties[PROPERTY_CORRELATION_ID] = correlation_id
        message.properties[PROPERTY_REPLY_TO_CLIENT] = self.instance.client_id
        message.properties[PROPERTY_TTL] = str(round(allowed * 1000))
        # A broker can only push the answer to a client that it knows.
        await self._introduce(message.topic, allowed)
        answer = self.instance.requests.expect(correlation_id, message.topic, allowed)
        try:
            await self._send(self._prepare(message), message, queue, selector, arg, allowed)
        except BaseException:
            answer.addErrback(lambda _: None)
            answer.cancel()
            raise
        return await answer

    @deferred
    async def recall(self, topic: str, recall_handle: str) -> str:
        """Takes back a delayed message that was not delivered yet; gives its id.

        Args:
            topic: where it would be delivered.
            recall_handle: what the result of its send says.

        Raises:
            ClientError: the handle is none, or the topic is one of retries or dead letters.
            NoRouteError: the topic does not exist.
            RemotingError: the broker does not have the message any more, or refuses.
        """
        self._check_running()
        topic = check_topic(self.instance.namespace.wrap(topic))
        if topic.startswith((RETRY_PREFIX, DLQ_PREFIX)):
            raise ClientError("topic is not supported")
        try:
            broker_name = parse_recall_handle(recall_handle).broker_name
        except RecallHandleError as error:
            raise ClientError(str(error)) from None
        await self._sender.route(topic)
        address = self.instance.routes.master_address(broker_name)
        header = RecallMessage(topic, recall_handle, self.group)
        answer = await self.instance.invoker.call(address, header, timeout=self.config.send_timeout)
        reply: RecallMessageReply = answer.header
        return reply.msg_id

    # --- towards brokers --------------------------------------------------------------------------------------------

    def _prepare(self, message: Message) -> Outgoing:
        instance = self.instance
        return outgoing_message(message, self.config, instance.ids, instance.now(), instance.namespace)

    async def _introduce(self, topic: str, timeout: float) -> None:
        """Makes sure that every broker which may get a message of this topic knows this client."""
        await self._sender.route(self.instance.namespace.wrap(topic), timeout)
        for address in self.instance.routes.broker_addresses(masters_only=True):
            if address not in self._introduced:
                try:
                    await self.instance.heartbeat_to(address)
                except RemotingError as error:
                    log.warn("{address} does not know {group}: {error}", address=address, group=self.group, error=error)
                else:
                    self._introduced.add(address)

    def check_transaction(self, message: MessageExt, header: CheckTransactionState, address: str) -> None:
        """A broker asks about a transaction; this producer makes none."""
        log.warn("{address} asks {group} about a transaction, which has no listener", address=address, group=self.group)

    async def _selected(
        self, topic: str, selector: QueueSelector, message: Message, arg: Any, timeout: float
    ) -> MessageQueue:
        route = await self._sender.route(topic, timeout)
        return selector([self.instance.namespace.unwrap_queue(queue) for queue in route.queues], message, arg)

    async def _send(
        self,
        outgoing: Outgoing,
        message: Message,
        queue: MessageQueue | None,
        selector: QueueSelector | None,
        arg: Any,
        timeout: float | None,
    ) -> SendResult:
        allowed = self.config.send_timeout if timeout is None else timeout
        while self._in_flight >= self.config.max_in_flight:
            await self._room.wait()
            self._check_running()
        self._in_flight += 1
        try:
            if queue is None:
                if selector is None:
                    return await self._sender.send(outgoing, allowed)
                started = self.instance.reactor.seconds()
                queue = await self._selected(outgoing.topic, selector, message, arg, allowed)
                allowed = max(allowed - (self.instance.reactor.seconds() - started), 0.0)
            return await self._sender.send_to(outgoing, self.instance.namespace.wrap_queue(queue), allowed)
        finally:
            self._in_flight -= 1
            self._room.wake_one(None)

    @deferred
    async def fetch_publish_queues(self, topic: str) -> list[MessageQueue]:
        """The topic's queues that take messages.

        Raises:
            NoRouteError: the topic does not exist and cannot be created.
            TransportError: no name server can be asked.
        """
        self._check_running()
        namespace = self.instance.namespace
        route = await self._sender.route(namespace.wrap(topic))
        return [namespace.unwrap_queue(queue) for queue in route.queues]
