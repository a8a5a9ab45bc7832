"""Calls the listener with messages, several calls at once, and settles what comes of them.

A listener is a plain function, or one that returns something to wait for. Messages that fail go back to the broker,
which delivers them again after a while, in the end to the dead-letter topic; what cannot be given back is tried again
here. A broadcasting consumer drops what fails.

Source: ConsumeMessageConcurrentlyService.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from twisted.logger import Logger

from rmq.client.config import PushConfig
from rmq.client.instance import ClientInstance
from rmq.client.message import PROPERTY_CONSUME_START_TIME, MessageExt
from rmq.client.process_queue import ProcessQueue
from rmq.client.stats import TopicStats
from rmq.client.trace import ConsumeReturn
from rmq.client.tracer import Tracer
from rmq.client.workers import Workers
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.bodies.running import ConsumeMessageDirectlyResult, ConsumeResult
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

_LOCAL_RETRY_DELAY = 5.0
_EXPIRED_DELAY_LEVEL = 3
_EXPIRY_CHECKS = 16

log = Logger()


class Consumption:
    """The calls of one consumer's listener; a subclass says in which order, and what follows.

    Args:
        instance: whose clock is used.
        config: how many calls at once, of how many messages.
        listener: what is called.
        done: told when a queue may be committed up to an offset.
        stats: the rates of a topic.
        tracer: told of every call.
        name: of the threads.
    """

    later: ClassVar[StrEnum]
    """The status that an exception stands for."""
    good: ClassVar[frozenset[StrEnum]]
    """The statuses that a trace calls success."""
    results: ClassVar[Mapping[StrEnum, ConsumeResult]]
    ordered: ClassVar[bool]

    def __init__(
        self,
        instance: ClientInstance,
        config: PushConfig,
        listener: Callable[[list[MessageExt], Any], Any],
        *,
        done: Callable[[MessageQueue, int], None],
        stats: Callable[[str], TopicStats],
        tracer: Tracer | None = None,
        name: str = "",
    ) -> None:
        self._instance = instance
        self._reactor = instance.reactor
        self._config = config
        self._listener = listener
        self._done = done
        self._stats = stats
        self._tracer = tracer
        threads = 0 if inspect.iscoroutinefunction(listener) else config.threads
        self.workers = Workers(instance.reactor, threads or config.concurrency, threads=threads, name=name)

    def start(self) -> None:
        """Begins."""
        self.workers.start()

    async def stop(self) -> None:
        """Makes no more calls and waits for those that are being made, as long as configured."""
        await self.workers.stop(self._config.shutdown_timeout)

    def submit(self, messages: list[MessageExt], process_queue: ProcessQueue, queue: MessageQueue) -> None:
        """Takes messages that are in the process queue; the listener is called soon, never from within."""
        raise NotImplementedError

    async def expire(self, queue: MessageQueue, process_queue: ProcessQueue) -> None:
        """Looks for messages whose listener takes too long."""

    async def _ask(self, messages: list[MessageExt], context: Any) -> Any:
        """The listener's status, or what the text of one stands for; None when it returned none.

        Raises:
            ValueError: it returned something else.
            Exception: what the listener raises.
        """
        status = await self.workers.call(self._listener, list(messages), context)
        return None if status is None else type(self.later)(status)

    async def _call(self, messages: list[MessageExt], context: Any) -> Any:
        """The listener's status, also when it fails; traced."""
        tracing = self._tracer.consuming(messages) if self._tracer is not None else None
        started = self._reactor.seconds()
        try:
            status = await self._ask(messages, context)
            outcome = ConsumeReturn.FAILED if status == self.later else ConsumeReturn.SUCCESS
        except Exception:
            log.failure("the listener failed with {messages}", messages=messages)
            status, outcome = self.later, ConsumeReturn.EXCEPTION
        if tracing is not None:
            if outcome is not ConsumeReturn.EXCEPTION and self._took(started) >= self._config.consume_timeout:
                outcome = ConsumeReturn.TIME_OUT
            tracing(status is None or status in self.good, outcome)
        return status

    def _took(self, started: float) -> float:
        taken: float = self._reactor.seconds() - started
        return taken

    def _context(self, queue: MessageQueue, worker: int) -> Any:
        raise NotImplementedError

    async def consume_directly(self, message: MessageExt) -> ConsumeMessageDirectlyResult:
        """Calls the listener with one message; its offset and retries are nobody's business."""
        context = self._context(MessageQueue(message.topic, message.broker_name, message.queue_id), 0)
        started = self._instance.now()
        result = ConsumeMessageDirectlyResult(order=self.ordered)
        try:
            status = await self._ask([message], context)
        except Exception as error:
            result.consume_result = ConsumeResult.CR_THROW_EXCEPTION
            result.remark = f"{type(error).__name__}: {error}"
        else:
            result.consume_result = self.results.get(status, ConsumeResult.CR_SUCCESS)
        result.auto_commit = getattr(context, "auto_commit", True)
        result.spent_time_mills = self._instance.now() - started
        return result


@dataclass(slots=True, eq=False)
class _Request:
    messages: list[MessageExt]
    process_queue: ProcessQueue
    queue: MessageQueue


class ConcurrentConsumption(Consumption):
    """Calls in any order.

    Args:
        send_back: gives failed messages back; None drops them.
    """

    later = ConsumeStatus.RECONSUME_LATER
    good = frozenset({ConsumeStatus.CONSUME_SUCCESS})
    results: ClassVar[Mapping[StrEnum, ConsumeResult]] = {ConsumeStatus.RECONSUME_LATER: ConsumeResult.CR_LATER}
    ordered = False

    def __init__(self, *args: Any, send_back: SendBack | None, **more: Any) -> None:
        super().__init__(*args, **more)
        self._send_back = send_back

    def _context(self, queue: MessageQueue, worker: int) -> ConsumeContext:
        return ConsumeContext(queue, worker)

    # --- calling ----------------------------------------------------------------------------------------------------

    def submit(self, messages: list[MessageExt], process_queue: ProcessQueue, queue: MessageQueue) -> None:
        """Takes messages that are in the process queue; the listener is called soon, never from within."""
        size = self._config.consume_batch_size
        for start in range(0, len(messages), size):
            self._submit(_Request(messages[start : start + size], process_queue, queue))

    def _submit(self, request: _Request) -> None:
        self.workers.submit(lambda worker: self._consume(request, worker))

    async def _consume(self, request: _Request, worker: int) -> None:
        process_queue, messages = request.process_queue, request.messages
        if process_queue.dropped:
            return
        context = self._context(request.queue, worker)
        now = str(self._instance.now())
        for message in messages:
            message.properties[PROPERTY_CONSUME_START_TIME] = now
        started = self._reactor.seconds()
        status = await self._call(messages, context)
        process_queue.last_consume = self._instance.now()
        good = _succeeded(status, context, len(messages))
        self._stats(request.queue.topic).consumed(good, len(messages) - good, self._took(started))
        if not process_queue.dropped:
            await self._settle(request, context, messages[good:])

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
            again = _Request(kept, process_queue, request.queue)
            self.workers.submit_later(_LOCAL_RETRY_DELAY, lambda worker: self._consume(again, worker))
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
