"""Calls the listener with messages, several calls at once, and settles what comes of them.

A listener is a plain function, or one that returns something to wait for. Plain functions are called on the reactor's
thread one after the other, or in threads when there are any. Messages that fail go back to the broker, which delivers
them again after a while, in the end to the dead-letter topic; what cannot be given back is tried again here. A
broadcasting consumer drops what fails.

Source: ConsumeMessageConcurrentlyService.
"""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.threadpool import ThreadPool

from rmq.client.config import PushConfig
from rmq.client.instance import ClientInstance
from rmq.client.message import PROPERTY_CONSUME_START_TIME, MessageExt
from rmq.client.process_queue import ProcessQueue
from rmq.client.stats import TopicStats
from rmq.client.waiting import Waiters, logged
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.errors import RemotingError


class ConsumeStatus(StrEnum):
    """What a listener made of its messages (ConsumeConcurrentlyStatus)."""

    CONSUME_SUCCESS = "CONSUME_SUCCESS"
    RECONSUME_LATER = "RECONSUME_LATER"


@dataclass(slots=True)
class ConsumeContext:
    """What a listener is told beside the messages, and may tell back.

    Attributes:
        message_queue: where the messages are from.
        worker: 1 to the number of calls that are made at once; no two calls at a time have the same.
        delay_level: when failed messages come again: 0 later each time, -1 never (dead letters), else a delay level.
        ack_index: index of the last message that succeeded, for a call that succeeds in part.
    """

    message_queue: MessageQueue
    worker: int
    delay_level: int = 0
    ack_index: int | None = None


Listener = Callable[
    [list[MessageExt], ConsumeContext], ConsumeStatus | Awaitable[ConsumeStatus | None] | None
]
"""Consumes messages. Nothing returned means success; an exception means later."""

SendBack = Callable[[MessageExt, int], Awaitable[None]]
"""Gives a message back to the broker, with a delay level."""

_SLICE = 0.02
_LOCAL_RETRY_DELAY = 5.0
_EXPIRED_DELAY_LEVEL = 3
_EXPIRY_CHECKS = 16

log = Logger()


@dataclass(slots=True, eq=False)
class _Request:
    messages: list[MessageExt]
    process_queue: ProcessQueue
    queue: MessageQueue


class ConcurrentConsumption:
    """The calls of one consumer's listener.

    Args:
        instance: whose clock is used.
        config: how many calls at once, of how many messages.
        listener: what is called.
        done: told when a queue may be committed up to an offset.
        send_back: gives failed messages back; None drops them.
        stats: the rates of a topic.
        name: of the threads.
    """

    def __init__(
        self,
        instance: ClientInstance,
        config: PushConfig,
        listener: Listener,
        *,
        done: Callable[[MessageQueue, int], None],
        send_back: SendBack | None,
        stats: Callable[[str], TopicStats],
        name: str = "",
    ) -> None:
        self._instance = instance
        self._reactor = instance.reactor
        self._config = config
        self._listener = listener
        self._done = done
        self._send_back = send_back
        self._stats = stats
        self._pool: ThreadPool | None = None
        workers = config.concurrency
        if config.threads and not inspect.iscoroutinefunction(listener):
            workers = config.threads
            self._pool = ThreadPool(minthreads=0, maxthreads=workers, name=name)
        self._workers = workers
        self._idle = deque(range(1, workers + 1))
        self._requests: deque[_Request] = deque()
        self._later: set[Any] = set()
        self._pumping = False
        self._scheduled = False
        self._rested: Waiters[None] = Waiters()

    # --- life -------------------------------------------------------------------------------------------------------

    @property
    def active(self) -> int:
        """Calls that are being made."""
        return self._workers - len(self._idle)

    @property
    def threads(self) -> int:
        """Threads that listeners may use."""
        return self._config.threads if self._pool is not None else 0

    def start(self) -> None:
        """Begins."""
        if self._pool is not None:
            self._pool.start()

    async def stop(self) -> None:
        """Makes no more calls and waits for those that are being made, as long as configured."""
        self._requests.clear()
        for delayed in self._later:
            delayed.cancel()
        self._later.clear()
        if self.active:
            resting = self._rested.wait()
            delayed = self._reactor.callLater(self._config.shutdown_timeout, self._rested.wake, None)
            await resting
            if delayed.active():
                delayed.cancel()
        if self.active:
            log.warn("{active} listener calls did not end in time", active=self.active)
        elif self._pool is not None:
            self._pool.stop()

    # --- calling ----------------------------------------------------------------------------------------------------

    def submit(self, messages: list[MessageExt], process_queue: ProcessQueue, queue: MessageQueue) -> None:
        """Takes messages that are in the process queue; the listener is called soon, never from within."""
        size = self._config.consume_batch_size
        for start in range(0, len(messages), size):
            self._requests.append(_Request(messages[start : start + size], process_queue, queue))
        self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._reactor.callLater(0, self._pump)

    def _pump(self) -> None:
        self._scheduled = False
        if self._pumping:
            return
        self._pumping = True
        started = self._reactor.seconds()
        try:
            while self._requests and self._idle:
                self._call(self._requests.popleft(), self._idle.popleft())
                if self._reactor.seconds() - started > _SLICE:
                    # Quick listeners must not keep the reactor from its other work.
                    self._schedule()
                    return
        finally:
            self._pumping = False

    def _call(self, request: _Request, worker: int) -> None:
        def rest(_: object) -> None:
            self._idle.append(worker)
            if not self.active:
                self._rested.wake(None)
            if self._requests and not self._pumping:
                self._schedule()

        logged(Deferred.fromCoroutine(self._consume(request, worker)), "consuming").addCallback(rest)

    async def _consume(self, request: _Request, worker: int) -> None:
        process_queue, messages = request.process_queue, request.messages
        if process_queue.dropped:
            return
        context = ConsumeContext(request.queue, worker)
        now = str(self._instance.now())
        for message in messages:
            message.properties[PROPERTY_CONSUME_START_TIME] = now
        started = self._reactor.seconds()
        try:
            status = await self.ask(messages, context)
        except Exception:
            log.failure("the listener failed with {messages}", messages=messages)
            status = ConsumeStatus.RECONSUME_LATER
        process_queue.last_consume = self._instance.now()
        good = _succeeded(status, context, len(messages))
        self._stats(request.queue.topic).consumed(good, len(messages) - good, self._reactor.seconds() - started)
        if not process_queue.dropped:
            await self._settle(request, context, messages[good:])

    async def ask(self, messages: list[MessageExt], context: ConsumeContext) -> ConsumeStatus | None:
        """Calls the listener, wherever it is to run.

        Raises: what the listener raises.
        """
        if self._pool is not None:
            outcome: Any = await deferToThreadPool(self._reactor, self._pool, self._listener, list(messages), context)
        else:
            outcome = self._listener(list(messages), context)
        status: ConsumeStatus | None = await outcome if inspect.isawaitable(outcome) else outcome
        return status

    # --- settling ---------------------------------------------------------------------------------------------------

    async def _settle(self, request: _Request, context: ConsumeContext, failed: Iterable[MessageExt]) -> None:
        process_queue = request.process_queue
        kept: list[MessageExt] = []
        for message in failed:
            if self._send_back is None:
                log.warn("broadcasting: {message} failed and is dropped", message=message)
            elif message in process_queue and not await self._give_back(message, context.delay_level):
                message.reconsume_times += 1
                kept.append(message)
        settled = [message for message in request.messages if message not in kept]
        if kept:
            self._again(_Request(kept, process_queue, request.queue))
        self._settled(request.queue, process_queue, settled)

    def _settled(self, queue: MessageQueue, process_queue: ProcessQueue, messages: list[MessageExt]) -> None:
        offset = process_queue.remove(messages)
        if offset >= 0 and not process_queue.dropped:
            self._done(queue, offset)

    async def _give_back(self, message: MessageExt, delay_level: int) -> bool:
        try:
            if self._send_back is not None:
                await self._send_back(message, delay_level)
        except RemotingError as error:
            log.warn("{message} could not be given back: {error}", message=message, error=error)
            return False
        return True

    def _again(self, request: _Request) -> None:
        def submit() -> None:
            self._later.discard(delayed)
            self._requests.append(request)
            self._schedule()

        delayed = self._reactor.callLater(_LOCAL_RETRY_DELAY, submit)
        self._later.add(delayed)

    async def expire(self, queue: MessageQueue, process_queue: ProcessQueue) -> None:
        """Gives the oldest messages back whose listener takes too long (ProcessQueue.cleanExpiredMsg)."""
        if self._send_back is None:
            return
        limit = self._instance.now() - self._config.consume_timeout * 1000
        for message in process_queue.oldest(_EXPIRY_CHECKS):
            begun = message.properties.get(PROPERTY_CONSUME_START_TIME)
            if begun is None or int(begun) > limit or not await self._give_back(message, _EXPIRED_DELAY_LEVEL):
                return
            self._settled(queue, process_queue, [message])


def _succeeded(status: ConsumeStatus | None, context: ConsumeContext, count: int) -> int:
    if status is ConsumeStatus.RECONSUME_LATER:
        return 0
    return count if context.ack_index is None else max(0, min(context.ack_index + 1, count))
