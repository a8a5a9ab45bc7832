"""The client for asyncio: the same producers and consumers, with methods to await in asyncio's tasks.

    async with aio.Producer("my_group", namesrv_addr="127.0.0.1:9876") as producer:
        await producer.send(Message("TopicTest", b"hello"))

Underneath, a Twisted reactor of its own rides on the running loop: it never starts, stops or replaces the loop, and
leaves with the last producer or consumer. Everything must be created, used and shut down on one running loop.
Listeners may be coroutine functions of asyncio.

Source: the facade of `rmq.client`; nothing of it is in Apache's clients.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Collection, Coroutine, Iterable, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, ClassVar, Self, TypeVar
from weakref import WeakKeyDictionary

from twisted.internet.asyncioreactor import AsyncioSelectorReactor
from twisted.internet.base import ReactorBase
from twisted.internet.defer import Deferred

from rmq.client import consumer as consumer_module
from rmq.client import lite_pull, producer, push
from rmq.client.config import ClientConfig, LitePullConfig, ProducerConfig, PushConfig
from rmq.client.consume import ConsumeContext, ConsumeStatus, Listener
from rmq.client.lifecycle import Member
from rmq.client.message import Message, MessageExt
from rmq.client.results import SendResult
from rmq.client.selectors import QueueSelector
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.names import DEFAULT_PRODUCER_GROUP
from rmq.wire.subscription import SUB_ALL, TAG

T = TypeVar("T")

AsyncListener = Callable[[list[MessageExt], ConsumeContext], Coroutine[Any, Any, ConsumeStatus | None]]
"""A coroutine function that consumes messages; see `rmq.client.consume.Listener`."""


class _LoopReactor(AsyncioSelectorReactor):
    """A reactor that is a guest on a loop."""

    # Several may live in one process, so none of them is the process's I/O thread.
    _registerAsIOThread = False  # noqa: N815

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.startRunning(installSignalHandlers=False)

    def crash(self) -> None:
        """Stops being a running reactor, and leaves the loop alone."""
        ReactorBase.crash(self)

    def close(self) -> None:
        """Ends all connections, timers and threads."""
        self.fireSystemEvent("shutdown")
        calls: list[Any] = list(self.getDelayedCalls())
        for call in calls:
            call.cancel()
        self.removeReader(self.waker)  # type: ignore[no-untyped-call]
        self.waker.connectionLost(None)
        if self._timerHandle is not None:
            self._timerHandle.cancel()


class _Guest:
    """The reactor of one loop, and how many use it."""

    _of_loop: ClassVar[WeakKeyDictionary[asyncio.AbstractEventLoop, _Guest]] = WeakKeyDictionary()

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.reactor = _LoopReactor(loop)
        self.users = 0

    @classmethod
    def acquire(cls) -> _Guest:
        """That of the running loop; fails when none runs."""
        loop = asyncio.get_running_loop()
        guest = cls._of_loop.get(loop)
        if guest is None:
            guest = cls._of_loop[loop] = cls(loop)
        guest.users += 1
        return guest

    def release(self) -> None:
        """One user less; the last one takes the reactor away."""
        self.users -= 1
        if self.users == 0:
            self._of_loop.pop(asyncio.get_running_loop(), None)
            self.reactor.close()


async def _result(deferred: Deferred[T]) -> T:
    return await deferred.asFuture(asyncio.get_running_loop())


class _Facade:
    """Starts and shuts down what it wraps; `async with` does both."""

    def __init__(self, guest: _Guest, member: Member) -> None:
        self._guest: _Guest | None = guest
        self._member = member

    @property
    def running(self) -> bool:
        """Whether it was started and is not shut down."""
        return self._member.running

    async def start(self) -> None:
        """Starts it.

        Raises:
            ClientError: it was started before.
        """
        await _result(self._member.start())

    async def shutdown(self) -> None:
        """Stops it; does nothing when it is stopped."""
        try:
            await _result(self._member.shutdown())
        finally:
            guest, self._guest = self._guest, None
            if guest is not None:
                guest.release()

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.shutdown()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.shutdown()


class Producer(_Facade):
    """`rmq.client.producer.Producer` for asyncio."""

    def __init__(
        self,
        group: str = DEFAULT_PRODUCER_GROUP,
        *,
        namesrv_addr: str | None = None,
        config: ProducerConfig | None = None,
        client_config: ClientConfig | None = None,
    ) -> None:
        guest = _Guest.acquire()
        self._producer = producer.Producer(
            guest.reactor, group, namesrv_addr=namesrv_addr, config=config, client_config=client_config
        )
        super().__init__(guest, self._producer)

    async def send(
        self,
        message: Message,
        *,
        queue: MessageQueue | None = None,
        selector: QueueSelector | None = None,
        arg: Any = None,
        timeout: float | None = None,
    ) -> SendResult:
        """Sends a message and waits until the broker has it."""
        sending = self._producer.send(message, queue=queue, selector=selector, arg=arg, timeout=timeout)
        return await _result(sending)

    async def send_batch(
        self, messages: Sequence[Message], *, queue: MessageQueue | None = None, timeout: float | None = None
    ) -> SendResult:
        """Sends messages of one topic as one."""
        return await _result(self._producer.send_batch(messages, queue=queue, timeout=timeout))

    async def send_oneway(
        self,
        message: Message,
        *,
        queue: MessageQueue | None = None,
        selector: QueueSelector | None = None,
        arg: Any = None,
    ) -> None:
        """Sends a message and does not ask what became of it."""
        await _result(self._producer.send_oneway(message, queue=queue, selector=selector, arg=arg))

    async def fetch_publish_queues(self, topic: str) -> list[MessageQueue]:
        """The topic's queues that take messages."""
        return await _result(self._producer.fetch_publish_queues(topic))


class _Consumer(_Facade):
    """What both kinds of consumer have in common."""

    def __init__(self, guest: _Guest, consumer: consumer_module.Consumer) -> None:
        super().__init__(guest, consumer)
        self._consumer = consumer

    def subscribe(self, topic: str, expression: str = SUB_ALL, *, expression_type: str = TAG) -> None:
        """Wants messages of a topic."""
        self._consumer.subscribe(topic, expression, expression_type=expression_type)

    def unsubscribe(self, topic: str) -> None:
        """Wants no more messages of a topic."""
        self._consumer.unsubscribe(topic)

    def assignment(self) -> list[MessageQueue]:
        """The queues that this consumer holds now."""
        return self._consumer.assignment()

    def suspend_all(self) -> None:
        """Pulls nothing until `resume_all`."""
        self._consumer.suspend_all()

    def resume_all(self) -> None:
        """Pulls again."""
        self._consumer.resume_all()


class PushConsumer(_Consumer):
    """`rmq.client.push.PushConsumer` for asyncio; the listener may be a coroutine function."""

    def __init__(
        self,
        group: str,
        listener: Listener | AsyncListener,
        *,
        namesrv_addr: str | None = None,
        config: PushConfig | None = None,
        client_config: ClientConfig | None = None,
    ) -> None:
        guest = _Guest.acquire()
        config = config or PushConfig()
        if inspect.iscoroutinefunction(listener):
            listener, config = _in_task(listener), replace(config, threads=0)
        super().__init__(
            guest,
            push.PushConsumer(
                guest.reactor, group, listener, namesrv_addr=namesrv_addr, config=config, client_config=client_config
            ),
        )


def _in_task(listener: AsyncListener) -> Listener:
    def call(messages: list[MessageExt], context: ConsumeContext) -> Deferred[ConsumeStatus | None]:
        return Deferred.fromFuture(asyncio.ensure_future(listener(messages, context)))

    return call


class LitePullConsumer(_Consumer):
    """`rmq.client.lite_pull.LitePullConsumer` for asyncio."""

    def __init__(
        self,
        group: str,
        *,
        namesrv_addr: str | None = None,
        config: LitePullConfig | None = None,
        client_config: ClientConfig | None = None,
    ) -> None:
        guest = _Guest.acquire()
        self._puller = lite_pull.LitePullConsumer(
            guest.reactor, group, namesrv_addr=namesrv_addr, config=config, client_config=client_config
        )
        super().__init__(guest, self._puller)

    async def assign(self, queues: Collection[MessageQueue], expression: str = SUB_ALL) -> None:
        """Wants messages of these queues, and of no others."""
        await _result(self._puller.assign(queues, expression))

    async def poll(self, timeout: float = 5.0) -> list[MessageExt]:
        """The next messages of some queue; none when nothing comes in time."""
        return await _result(self._puller.poll(timeout))

    async def commit(self, offsets: dict[MessageQueue, int] | Iterable[MessageQueue] | None = None) -> None:
        """Commits what was polled."""
        await _result(self._puller.commit(offsets))

    async def committed(self, queue: MessageQueue) -> int | None:
        """The group's committed offset of a queue."""
        return await _result(self._puller.committed(queue))

    async def seek(self, queue: MessageQueue, offset: int) -> None:
        """The next messages of this queue are those from `offset` on."""
        await _result(self._puller.seek(queue, offset))

    async def seek_to_begin(self, queue: MessageQueue) -> None:
        """Goes to the oldest message of a queue."""
        await _result(self._puller.seek_to_begin(queue))

    async def seek_to_end(self, queue: MessageQueue) -> None:
        """Goes behind the newest message of a queue."""
        await _result(self._puller.seek_to_end(queue))

    async def fetch_message_queues(self, topic: str) -> list[MessageQueue]:
        """The topic's queues that can be read."""
        return await _result(self._puller.fetch_message_queues(topic))

    async def min_offset(self, queue: MessageQueue) -> int:
        """Where the queue's oldest message is."""
        return await _result(self._puller.min_offset(queue))

    async def max_offset(self, queue: MessageQueue) -> int:
        """Where the queue's next message will be."""
        return await _result(self._puller.max_offset(queue))

    async def offset_for_timestamp(self, queue: MessageQueue, timestamp: int) -> int:
        """The offset of the first message stored at that time (ms since the epoch) or later."""
        return await _result(self._puller.offset_for_timestamp(queue, timestamp))

    def pause(self, queues: Iterable[MessageQueue]) -> None:
        """Pulls nothing more of these queues."""
        self._puller.pause(queues)

    def resume(self, queues: Iterable[MessageQueue]) -> None:
        """Pulls these queues again."""
        self._puller.resume(queues)
