"""The client for scripts: calls that return when they are done, from any thread.

    with blocking.Producer("my_group", namesrv_addr="127.0.0.1:9876") as producer:
        print(producer.send(Message("TopicTest", b"hello")))

Each producer and consumer has a thread in which its own reactor runs; listeners are called in threads of a pool.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from types import TracebackType
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar, Unpack

from twisted.internet.defer import Deferred, succeed
from twisted.internet.threads import blockingCallFromThread
from twisted.python.failure import Failure

from rmq.client import consumer, lite_pull, orderly_push, producer, push, transaction
from rmq.client.config import LitePullConfig, ProducerConfig, PushConfig, TransactionConfig
from rmq.client.consume import Listener
from rmq.client.lifecycle import Member, Place
from rmq.client.loop import make_reactor
from rmq.client.orderly import OrderlyListener
from rmq.client.transaction import Check
from rmq.wire.names import DEFAULT_PRODUCER_GROUP

P = ParamSpec("P")
T = TypeVar("T")
M = TypeVar("M", bound=Member)
R = TypeVar("R", bound=producer.Producer)
C = TypeVar("C", bound=consumer.Consumer)

_THREADS = 20
_CHECK_THREADS = 5


class _Blocking(Generic[M]):
    """A reactor in a thread, and what lives on it; `with` starts it and shuts it down."""

    def __init__(self, make: Callable[[Any], M]) -> None:
        self._reactor = make_reactor()
        self._thread = threading.Thread(target=self._run, name=f"rmq-{type(self).__name__}", daemon=True)
        self._ready = threading.Event()
        self._member = make(self._reactor)

    def _run(self) -> None:
        self._reactor.callWhenRunning(self._ready.set)
        self._reactor.run(installSignalHandlers=False)

    def _wait(self, function: Callable[[], Deferred[T]]) -> T:
        """What comes of a call in the reactor's thread; in this one while there is no other."""
        if not self._thread.is_alive():
            return _outcome(function())
        started: Any = function
        result: T = blockingCallFromThread(self._reactor, started)
        return result

    @property
    def running(self) -> bool:
        """Whether it was started and is not shut down."""
        return self._member.running

    def start(self) -> None:
        """Starts it.

        Raises:
            ClientError: it was started before.
        """
        if not self._ready.is_set():
            self._thread.start()
            self._ready.wait()
        self._wait(self._member.start)

    def shutdown(self) -> None:
        """Stops it and its thread; does nothing when it does not run."""
        if self._thread.is_alive():
            try:
                self._wait(self._member.shutdown)
            finally:
                self._reactor.callFromThread(self._reactor.stop)
                self._thread.join()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.shutdown()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown()


def _outcome(result: Deferred[T]) -> T:
    """What a call gave that had nothing to wait for, as none has before the start."""
    outcomes: list[Any] = []
    result.addBoth(outcomes.append)
    outcome = outcomes[0]
    if isinstance(outcome, Failure):
        outcome.raiseException()
    done: T = outcome
    return done


def _waits(
    method: Callable[Concatenate[M, P], Deferred[T]],
) -> Callable[Concatenate[_Blocking[M], P], T]:
    """The method of that name, which returns when what it began is done."""

    @wraps(method)
    def call(self: _Blocking[M], /, *args: P.args, **kwargs: P.kwargs) -> T:
        result: T = self._wait(lambda: getattr(self._member, method.__name__)(*args, **kwargs))
        return result

    return call


def _plain(method: Callable[Concatenate[Any, P], T]) -> Callable[Concatenate[_Blocking[Any], P], T]:
    """The method of that name, called where the reactor runs."""

    @wraps(method)
    def call(self: _Blocking[Any], /, *args: P.args, **kwargs: P.kwargs) -> T:
        result: T = self._wait(lambda: succeed(getattr(self._member, method.__name__)(*args, **kwargs)))
        return result

    return call


class _Producer(_Blocking[R]):
    """What both kinds of producer have in common."""

    send = _waits(producer.Producer.send)
    send_batch = _waits(producer.Producer.send_batch)
    send_oneway = _waits(producer.Producer.send_oneway)
    request = _waits(producer.Producer.request)
    recall = _waits(producer.Producer.recall)
    fetch_publish_queues = _waits(producer.Producer.fetch_publish_queues)


class Producer(_Producer[producer.Producer]):
    """`rmq.client.producer.Producer`, blocking."""

    def __init__(
        self, group: str = DEFAULT_PRODUCER_GROUP, *, config: ProducerConfig | None = None, **place: Unpack[Place]
    ) -> None:
        super().__init__(lambda reactor: producer.Producer(reactor, group, config=config, **place))


class TransactionProducer(_Producer[transaction.TransactionProducer]):
    """`rmq.client.transaction.TransactionProducer`, blocking; functions are called in threads, 5 when none are set."""

    def __init__(
        self, group: str, check: Check, *, config: TransactionConfig | None = None, **place: Unpack[Place]
    ) -> None:
        config = config or TransactionConfig()
        config = replace(config, threads=config.threads or _CHECK_THREADS)
        super().__init__(
            lambda reactor: transaction.TransactionProducer(reactor, group, check, config=config, **place)
        )

    send_in_transaction = _waits(transaction.TransactionProducer.send_in_transaction)


class _Consumer(_Blocking[C]):
    """What all kinds of consumer have in common."""

    subscribe = _plain(consumer.Consumer.subscribe)
    unsubscribe = _plain(consumer.Consumer.unsubscribe)
    assignment = _plain(consumer.Consumer.assignment)
    suspend_all = _plain(consumer.Consumer.suspend_all)
    resume_all = _plain(consumer.Consumer.resume_all)


def _with_threads(config: PushConfig | None) -> PushConfig:
    config = config or PushConfig()
    return replace(config, threads=config.threads or _THREADS)


class PushConsumer(_Consumer[push.PushConsumer]):
    """`rmq.client.push.PushConsumer` whose listener, a plain function, is called in threads; 20 when none are set."""

    def __init__(
        self, group: str, listener: Listener, *, config: PushConfig | None = None, **place: Unpack[Place]
    ) -> None:
        config = _with_threads(config)
        super().__init__(lambda reactor: push.PushConsumer(reactor, group, listener, config=config, **place))


class OrderlyPushConsumer(_Consumer[orderly_push.OrderlyPushConsumer]):
    """`rmq.client.orderly_push.OrderlyPushConsumer` whose listener is called in threads; 20 when none are set."""

    def __init__(
        self, group: str, listener: OrderlyListener, *, config: PushConfig | None = None, **place: Unpack[Place]
    ) -> None:
        config = _with_threads(config)
        super().__init__(
            lambda reactor: orderly_push.OrderlyPushConsumer(reactor, group, listener, config=config, **place)
        )


class LitePullConsumer(_Consumer[lite_pull.LitePullConsumer]):
    """`rmq.client.lite_pull.LitePullConsumer`, blocking."""

    def __init__(self, group: str, *, config: LitePullConfig | None = None, **place: Unpack[Place]) -> None:
        super().__init__(lambda reactor: lite_pull.LitePullConsumer(reactor, group, config=config, **place))

    assign = _waits(lite_pull.LitePullConsumer.assign)
    poll = _waits(lite_pull.LitePullConsumer.poll)
    commit = _waits(lite_pull.LitePullConsumer.commit)
    committed = _waits(lite_pull.LitePullConsumer.committed)
    seek = _waits(lite_pull.LitePullConsumer.seek)
    seek_to_begin = _waits(lite_pull.LitePullConsumer.seek_to_begin)
    seek_to_end = _waits(lite_pull.LitePullConsumer.seek_to_end)
    fetch_message_queues = _waits(lite_pull.LitePullConsumer.fetch_message_queues)
    min_offset = _waits(lite_pull.LitePullConsumer.min_offset)
    max_offset = _waits(lite_pull.LitePullConsumer.max_offset)
    offset_for_timestamp = _waits(lite_pull.LitePullConsumer.offset_for_timestamp)
    pause = _plain(lite_pull.LitePullConsumer.pause)
    resume = _plain(lite_pull.LitePullConsumer.resume)
