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
from typing import Any

from rmq.client.config import ClientConfig, ProducerConfig
from rmq.client.instance import ClientInstance
from rmq.client.lifecycle import Member, own_instance
from rmq.client.message import Message
from rmq.client.outgoing import Outgoing, outgoing_batch, outgoing_message
from rmq.client.results import SendResult
from rmq.client.selectors import QueueSelector
from rmq.client.sender import Sender
from rmq.client.waiting import Waiters, deferred
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.names import DEFAULT_PRODUCER_GROUP


class Producer(Member):
    """A producer of one group.

    Args:
        reactor: a Twisted reactor.
        group: the producer group.
        namesrv_addr: name servers; None means NAMESRV_ADDR, then 127.0.0.1:9876.
        client_config: name and intervals of the client.
        config: how it sends.
        instance: the client instance to live in, instead of one of its own.

    Raises:
        InvalidParameterError: the group's name is not allowed.
        NamesrvAddressError: an address is not `host:port`.
    """

    def __init__(
        self,
        reactor: Any,
        group: str = DEFAULT_PRODUCER_GROUP,
        *,
        namesrv_addr: str | None = None,
        config: ProducerConfig | None = None,
        client_config: ClientConfig | None = None,
        instance: ClientInstance | None = None,
    ) -> None:
        super().__init__(group, instance or own_instance(reactor, namesrv_addr, client_config))
        self.config = config or ProducerConfig()
        self._sender = Sender(self.instance, group, self.config)
        self._in_flight = 0
        self._room: Waiters[None] = Waiters()

    async def _start(self) -> None:
        self.instance.add_producer(self.group, self)

    async def _shutdown(self) -> None:
        self._room.wake(None)
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
            NoRouteError: the topic does not exist and cannot be created.
            SendFailedError: every attempt failed.
            RemotingError: the broker refused for a reason that another attempt does not change, or the one attempt
                at a given queue failed.
        """
        self._check_running()
        outgoing = outgoing_message(message, self.config, self.instance.ids, self.instance.now())
        return await self._send(outgoing, message, queue, selector, arg, timeout)

    @deferred
    async def send_batch(
        self, messages: Sequence[Message], *, queue: MessageQueue | None = None, timeout: float | None = None
    ) -> SendResult:
        """Sends messages of one topic as one; all are stored, next to each other, or none is.

        `rmq.client.split_batches` makes lists of a good size.

        Raises: as `send`; also IllegalMessageError for messages that cannot be in one batch.
        """
        self._check_running()
        outgoing = outgoing_batch(messages, self.config, self.instance.ids, self.instance.now())
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
        outgoing = outgoing_message(message, self.config, self.instance.ids, self.instance.now())
        if queue is None:
            route = await self._sender.route(message.topic)
            queue = selector(route.queues, message, arg) if selector is not None else route.select()
        await self._sender.send_oneway_to(outgoing, queue)

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
                queue = selector((await self._sender.route(outgoing.topic)).queues, message, arg)
            return await self._sender.send_to(outgoing, queue, allowed)
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
        return list((await self._sender.route(topic)).queues)
