"""The client for scripts: calls that return when they are done, from any thread.

    with blocking.Producer("my_group", namesrv_addr="127.0.0.1:9876") as producer:
        print(producer.send(Message("TopicTest", b"hello")))

Each producer and consumer has a thread in which its own reactor runs; listeners are called in threads of a pool.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.threads import blockingCallFromThread

from rmq.client import lite_pull, producer, push
from rmq.client.config import ClientConfig, LitePullConfig, ProducerConfig, PushConfig
from rmq.client.consume import Listener
from rmq.client.lifecycle import Member
from rmq.client.loop import make_reactor
from rmq.client.message import Message, MessageExt
from rmq.client.results import SendResult
from rmq.client.selectors import QueueSelector
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.names import DEFAULT_PRODUCER_GROUP
from rmq.wire.subscription import SUB_ALL, TAG

T = TypeVar("T")
M = TypeVar("M", bound=Member)

_THREADS = 20


class _Blocking:
    """A reactor in a thread, and what lives on it; `with` starts it and shuts it down."""

    def __init__(self) -> None:
        self._reactor = make_reactor()
        self._thread = threading.Thread(target=self._run, name=f"rmq-{type(self).__name__}", daemon=True)
        self._ready = threading.Event()
        self._members: list[Member] = []

    def _run(self) -> None:
        self._reactor.callWhenRunning(self._ready.set)
        self._reactor.run(installSignalHandlers=False)

    def _call(self, function: Callable[[], Deferred[T]]) -> T:
        started: Any = function
        result: T = blockingCallFromThread(self._reactor, started)
        return result

    def _adopt(self, member: M) -> M:
        self._members.append(member)
        return member

    def start(self) -> None:
        """Starts it.

        Raises:
            ClientError: it was started before.
        """
        if not self._ready.is_set():
            self._thread.start()
            self._ready.wait()
        self._call(self._members[0].start)

    def shutdown(self) -> None:
        """Stops it and its thread; does nothing when it does not run."""
        if self._thread.is_alive():
            try:
                self._call(self._members[0].shutdown)
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


class Producer(_Blocking):
    """`rmq.client.producer.Producer`, blocking."""

    def __init__(
        self,
        group: str = DEFAULT_PRODUCER_GROUP,
        *,
        namesrv_addr: str | None = None,
        config: ProducerConfig | None = None,
        client_config: ClientConfig | None = None,
    ) -> None:
        super().__init__()
        self._producer = self._adopt(
            producer.Producer(
                self._reactor, group, namesrv_addr=namesrv_addr, config=config, client_config=client_config
            )
        )

    def send(
        self,
        message: Message,
        *,
        queue: MessageQueue | None = None,
        selector: QueueSelector | None = None,
        arg: Any = None,
        timeout: float | None = None,
    ) -> SendResult:
        """Sends a message; returns when the broker has it."""
        return self._call(
            lambda: self._producer.send(message, queue=queue, selector=selector, arg=arg, timeout=timeout)
        )

    def send_batch(
        self, messages: Sequence[Message], *, queue: MessageQueue | None = None, timeout: float | None = None
    ) -> SendResult:
        """Sends messages of one topic as one."""
        return self._call(lambda: self._producer.send_batch(messages, queue=queue, timeout=timeout))

    def send_oneway(self, message: Message, *, queue: MessageQueue | None = None) -> None:
        """Sends a message and does not ask what became of it."""
        self._call(lambda: self._producer.send_oneway(message, queue=queue))


class PushConsumer(_Blocking):
    """`rmq.client.push.PushConsumer` whose listener, a plain function, is called in threads; 20 when none are set."""

    def __init__(
        self,
        group: str,
        listener: Listener,
        *,
        namesrv_addr: str | None = None,
        config: PushConfig | None = None,
        client_config: ClientConfig | None = None,
    ) -> None:
        super().__init__()
        config = config or PushConfig()
        self._consumer = self._adopt(
            push.PushConsumer(
                self._reactor,
                group,
                listener,
                namesrv_addr=namesrv_addr,
                config=replace(config, threads=config.threads or _THREADS),
                client_config=client_config,
            )
        )

    def subscribe(self, topic: str, expression: str = SUB_ALL, *, expression_type: str = TAG) -> None:
        """Wants messages of a topic; to be called before `start`."""
        self._consumer.subscribe(topic, expression, expression_type=expression_type)


class LitePullConsumer(_Blocking):
    """`rmq.client.lite_pull.LitePullConsumer`, blocking."""

    def __init__(
        self,
        group: str,
        *,
        namesrv_addr: str | None = None,
        config: LitePullConfig | None = None,
        client_config: ClientConfig | None = None,
    ) -> None:
        super().__init__()
        self._consumer = self._adopt(
            lite_pull.LitePullConsumer(
                self._reactor, group, namesrv_addr=namesrv_addr, config=config, client_config=client_config
            )
        )

    def subscribe(self, topic: str, expression: str = SUB_ALL, *, expression_type: str = TAG) -> None:
        """Wants messages of a topic; to be called before `start`."""
        self._consumer.subscribe(topic, expression, expression_type=expression_type)

    def assign(self, queues: Collection[MessageQueue], expression: str = SUB_ALL) -> None:
        """Wants messages of these queues, and of no others."""
        self._call(lambda: self._consumer.assign(queues, expression))

    def fetch_message_queues(self, topic: str) -> list[MessageQueue]:
        """The topic's queues that can be read."""
        return self._call(lambda: self._consumer.fetch_message_queues(topic))

    def poll(self, timeout: float = 5.0) -> list[MessageExt]:
        """The next messages of some queue; none when nothing comes in time."""
        return self._call(lambda: self._consumer.poll(timeout))

    def commit(self, offsets: dict[MessageQueue, int] | Iterable[MessageQueue] | None = None) -> None:
        """Commits what was polled."""
        self._call(lambda: self._consumer.commit(offsets))

    def committed(self, queue: MessageQueue) -> int | None:
        """The group's committed offset of a queue."""
        return self._call(lambda: self._consumer.committed(queue))

    def seek(self, queue: MessageQueue, offset: int) -> None:
        """The next messages of this queue are those from `offset` on."""
        self._call(lambda: self._consumer.seek(queue, offset))

    def seek_to_begin(self, queue: MessageQueue) -> None:
        """Goes to the oldest message of a queue."""
        self._call(lambda: self._consumer.seek_to_begin(queue))

    def seek_to_end(self, queue: MessageQueue) -> None:
        """Goes behind the newest message of a queue."""
        self._call(lambda: self._consumer.seek_to_end(queue))
