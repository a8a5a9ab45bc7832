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
from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import wraps
from types import TracebackType
from typing import Any, ClassVar, Concatenate, Generic, ParamSpec, Self, TypeVar, Unpack
from weakref import WeakKeyDictionary

from twisted.internet.asyncioreactor import AsyncioSelectorReactor
from twisted.internet.base import ReactorBase
from twisted.internet.defer import Deferred

from rmq.client import consumer, lite_pull, orderly_push, producer, push, transaction
from rmq.client.config import LitePullConfig, ProducerConfig, PushConfig, TransactionConfig
from rmq.client.consume import ConsumeContext, ConsumeStatus, Listener
from rmq.client.lifecycle import Member, Place
from rmq.client.message import Message, MessageExt
from rmq.client.orderly import OrderlyContext, OrderlyListener, OrderlyStatus
from rmq.client.transaction import Check, Execute, TransactionResult, TransactionState
from rmq.wire.names import DEFAULT_PRODUCER_GROUP

P = ParamSpec("P")
T = TypeVar("T")
M = TypeVar("M", bound=Member)
R = TypeVar("R", bound=producer.Producer)
C = TypeVar("C", bound=consumer.Consumer)

AsyncListener = Callable[[list[MessageExt], ConsumeContext], Coroutine[Any, Any, ConsumeStatus | None]]
"""A coroutine function that consumes messages; see `rmq.client.consume.Listener`."""
AsyncOrderlyListener = Callable[[list[MessageExt], OrderlyContext], Coroutine[Any, Any, OrderlyStatus | None]]
"""A coroutine function that consumes messages in order; see `rmq.client.orderly.OrderlyListener`."""
AsyncCheck = Callable[[MessageExt], Coroutine[Any, Any, TransactionState | None]]
"""A coroutine function that tells what became of a local transaction; see `rmq.client.transaction.Check`."""
AsyncExecute = Callable[[Message, Any], Coroutine[Any, Any, TransactionState | None]]
"""A coroutine function that runs a local transaction; see `rmq.client.transaction.Execute`."""


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


def _in_task(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, if it is a coroutine function as one that the reactor can call; its coroutine runs in a task."""
    if not inspect.iscoroutinefunction(function):
        return function

    def call(*args: Any) -> Deferred[Any]:
        return Deferred.fromFuture(asyncio.ensure_future(function(*args)))

    return call


class _Facade(Generic[M]):
    """Starts and shuts down what it wraps; `async with` does both."""

    def __init__(self, make: Callable[[Any], M]) -> None:
        self._guest: _Guest | None = _Guest.acquire()
        try:
            self._member = make(self._guest.reactor)
        except BaseException:
            self._release()
            raise

    def _release(self) -> None:
        guest, self._guest = self._guest, None
        if guest is not None:
            guest.release()

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
            self._release()

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


def _awaited(
    method: Callable[Concatenate[M, P], Deferred[T]],
) -> Callable[Concatenate[_Facade[M], P], Coroutine[Any, Any, T]]:
    """The method of that name, to be awaited in a task."""

    @wraps(method)
    async def call(self: _Facade[M], /, *args: P.args, **kwargs: P.kwargs) -> T:
        begun: Deferred[T] = getattr(self._member, method.__name__)(*args, **kwargs)
        return await _result(begun)

    return call


def _plain(method: Callable[Concatenate[Any, P], T]) -> Callable[Concatenate[_Facade[Any], P], T]:
    """The method of that name."""

    @wraps(method)
    def call(self: _Facade[Any], /, *args: P.args, **kwargs: P.kwargs) -> T:
        result: T = getattr(self._member, method.__name__)(*args, **kwargs)
        return result

    return call


class _Producer(_Facade[R]):
    """What both kinds of producer have in common."""

    send = _awaited(producer.Producer.send)
    send_batch = _awaited(producer.Producer.send_batch)
    send_oneway = _awaited(producer.Producer.send_oneway)
    request = _awaited(producer.Producer.request)
    recall = _awaited(producer.Producer.recall)
    fetch_publish_queues = _awaited(producer.Producer.fetch_publish_queues)


class Producer(_Producer[producer.Producer]):
    """`rmq.client.producer.Producer` for asyncio."""

    def __init__(
        self, group: str = DEFAULT_PRODUCER_GROUP, *, config: ProducerConfig | None = None, **place: Unpack[Place]
    ) -> None:
        super().__init__(lambda reactor: producer.Producer(reactor, group, config=config, **place))


class TransactionProducer(_Producer[transaction.TransactionProducer]):
    """`rmq.client.transaction.TransactionProducer` for asyncio; its functions may be coroutine functions."""

    def __init__(
        self,
        group: str,
        check: Check | AsyncCheck,
        *,
        config: TransactionConfig | None = None,
        **place: Unpack[Place],
    ) -> None:
        super().__init__(
            lambda reactor: transaction.TransactionProducer(reactor, group, _in_task(check), config=config, **place)
        )

    async def send_in_transaction(
        self, message: Message, execute: Execute | AsyncExecute, arg: Any = None, *, timeout: float | None = None
    ) -> TransactionResult:
        """Sends a half message, runs the local transaction, and tells the broker how it ended."""
        return await _result(self._member.send_in_transaction(message, _in_task(execute), arg, timeout=timeout))


class _Consumer(_Facade[C]):
    """What all kinds of consumer have in common."""

    subscribe = _plain(consumer.Consumer.subscribe)
    unsubscribe = _plain(consumer.Consumer.unsubscribe)
    assignment = _plain(consumer.Consumer.assignment)
    suspend_all = _plain(consumer.Consumer.suspend_all)
    resume_all = _plain(consumer.Consumer.resume_all)


class PushConsumer(_Consumer[push.PushConsumer]):
    """`rmq.client.push.PushConsumer` for asyncio; the listener may be a coroutine function."""

    def __init__(
        self,
        group: str,
        listener: Listener | AsyncListener,
        *,
        config: PushConfig | None = None,
        **place: Unpack[Place],
    ) -> None:
        config = _without_threads(listener, config)
        super().__init__(
            lambda reactor: push.PushConsumer(reactor, group, _in_task(listener), config=config, **place)
        )


class OrderlyPushConsumer(_Consumer[orderly_push.OrderlyPushConsumer]):
    """`rmq.client.orderly_push.OrderlyPushConsumer` for asyncio; the listener may be a coroutine function."""

    def __init__(
        self,
        group: str,
        listener: OrderlyListener | AsyncOrderlyListener,
        *,
        config: PushConfig | None = None,
        **place: Unpack[Place],
    ) -> None:
        config = _without_threads(listener, config)
        super().__init__(
            lambda reactor: orderly_push.OrderlyPushConsumer(
                reactor, group, _in_task(listener), config=config, **place
            )
        )


def _without_threads(listener: object, config: PushConfig | None) -> PushConfig:
    config = config or PushConfig()
    return replace(config, threads=0) if inspect.iscoroutinefunction(listener) else config


class LitePullConsumer(_Consumer[lite_pull.LitePullConsumer]):
    """`rmq.client.lite_pull.LitePullConsumer` for asyncio."""

    def __init__(self, group: str, *, config: LitePullConfig | None = None, **place: Unpack[Place]) -> None:
        super().__init__(lambda reactor: lite_pull.LitePullConsumer(reactor, group, config=config, **place))

    assign = _awaited(lite_pull.LitePullConsumer.assign)
    poll = _awaited(lite_pull.LitePullConsumer.poll)
    commit = _awaited(lite_pull.LitePullConsumer.commit)
    committed = _awaited(lite_pull.LitePullConsumer.committed)
    seek = _awaited(lite_pull.LitePullConsumer.seek)
    seek_to_begin = _awaited(lite_pull.LitePullConsumer.seek_to_begin)
    seek_to_end = _awaited(lite_pull.LitePullConsumer.seek_to_end)
    fetch_message_queues = _awaited(lite_pull.LitePullConsumer.fetch_message_queues)
    min_offset = _awaited(lite_pull.LitePullConsumer.min_offset)
    max_offset = _awaited(lite_pull.LitePullConsumer.max_offset)
    offset_for_timestamp = _awaited(lite_pull.LitePullConsumer.offset_for_timestamp)
    pause = _plain(lite_pull.LitePullConsumer.pause)
    resume = _plain(lite_pull.LitePullConsumer.resume)
