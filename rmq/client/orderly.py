"""Calls the listener with the messages of each queue in their order, one call a queue at a time.

What the listener cannot do now is done again after a moment, before anything that follows it in the queue. What failed
too often is given back and the queue goes on; by default that is never.

A call is made only while the broker's lock on the queue is held (`rmq.client.locks`), so two consumers of a group
never work on one queue.

    idle --messages--> waiting --a worker--> working --more messages--> waiting
                          ^                     |
                          +-- a moment later ---+  failed, or no lock

Source: ConsumeMessageOrderlyService, ConsumeOrderlyStatus, ConsumeOrderlyContext.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar

from twisted.logger import Logger

from rmq.client.consume import Consumption, SendBack
from rmq.client.message import PROPERTY_CONSUME_START_TIME, MessageExt
from rmq.client.process_queue import ProcessQueue
from rmq.client.waiting import Waiters
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.bodies.running import ConsumeResult
from rmq.wire.errors import RemotingError

_SHORTEST_PAUSE = 0.01
_LONGEST_PAUSE = 30.0
_NO_LOCK_PAUSE = 0.1

log = Logger()


class OrderlyStatus(StrEnum):
    """What an orderly listener made of its messages.

    Attributes:
        SUCCESS: done; the next ones may come.
        SUSPEND_CURRENT_QUEUE_A_MOMENT: these must come again first.
        COMMIT: done, and with them what earlier calls kept open; only without `auto_commit`.
        ROLLBACK: these and what earlier calls kept open must come again; only without `auto_commit`.
    """

    SUCCESS = "SUCCESS"
    SUSPEND_CURRENT_QUEUE_A_MOMENT = "SUSPEND_CURRENT_QUEUE_A_MOMENT"
    COMMIT = "COMMIT"
    ROLLBACK = "ROLLBACK"


@dataclass(slots=True)
class OrderlyContext:
    """What an orderly listener is told beside the messages, and may tell back.

    Attributes:
        message_queue: where the messages are from.
        worker: 1 to the number of calls that are made at once; no two calls at a time have the same.
        auto_commit: whether SUCCESS lets the queue's offset go on; else COMMIT does.
        suspend_time: seconds until failed messages come again, 0.01 to 30; the configured ones when None.
    """

    message_queue: MessageQueue
    worker: int
    auto_commit: bool = True
    suspend_time: float | None = None


OrderlyListener = Callable[
    [list[MessageExt], OrderlyContext], OrderlyStatus | Awaitable[OrderlyStatus | None] | None
]
"""Consumes messages of one queue in order. Nothing returned means success; an exception means suspend."""


@dataclass(slots=True, eq=False)
class _Line:
    """A queue: what it holds, and whether a worker has it or will get it."""

    queue: MessageQueue
    process_queue: ProcessQueue
    open: int = 0
    busy: bool = False
    working: bool = False
    rested: Waiters[None] = field(default_factory=Waiters)


class OrderlyConsumption(Consumption):
    """Calls in the order of each queue.

    Args:
        send_back: gives messages back that failed too often.
        locked: whether the lock on a queue is held.
        lock: asks for the lock.
    """

    later = OrderlyStatus.SUSPEND_CURRENT_QUEUE_A_MOMENT
    good = frozenset({OrderlyStatus.SUCCESS, OrderlyStatus.COMMIT})
    results: ClassVar[Mapping[StrEnum, ConsumeResult]] = {
        OrderlyStatus.SUSPEND_CURRENT_QUEUE_A_MOMENT: ConsumeResult.CR_LATER,
        OrderlyStatus.COMMIT: ConsumeResult.CR_COMMIT,
        OrderlyStatus.ROLLBACK: ConsumeResult.CR_ROLLBACK,
    }
    ordered = True

    def __init__(
        self,
        *args: Any,
        send_back: SendBack,
        locked: Callable[[MessageQueue], bool],
        lock: Callable[[MessageQueue], Awaitable[bool]],
        **more: Any,
    ) -> None:
        super().__init__(*args, **more)
        self._send_back = send_back
        self._locked = locked
        self._lock = lock
        self._lines: dict[MessageQueue, _Line] = {}

    def _context(self, queue: MessageQueue, worker: int) -> OrderlyContext:
        return OrderlyContext(queue, worker)

    # --- lines ------------------------------------------------------------------------------------------------------

    def submit(self, messages: list[MessageExt], process_queue: ProcessQueue, queue: MessageQueue) -> None:
        """A queue has messages that are in the process queue already."""
        line = self._lines.get(queue)
        if line is None:
            line = self._lines[queue] = _Line(queue, process_queue)
        elif line.process_queue is not process_queue:
            line.process_queue, line.open = process_queue, 0
        if not line.busy:
            self._submit(line)

    async def rested(self, queue: MessageQueue) -> None:
        """Returns when no call with messages of this queue is being made."""
        line = self._lines.get(queue)
        if line is not None and line.working:
            await line.rested.wait()

    def _submit(self, line: _Line, delay: float = 0.0) -> None:
        line.busy = True
        if delay:
            self.workers.submit_later(delay, lambda worker: self._work(line, worker))
        else:
            self.workers.submit(lambda worker: self._work(line, worker))

    async def _work(self, line: _Line, worker: int) -> None:
        line.working = True
        # This one stays when the step fails.
        pause: float | None = self._config.suspend_current_queue_time
        try:
            pause = await self._step(line, worker)
        finally:
            line.busy = line.working = False
            line.rested.wake(None)
            # The queue may have been given away meanwhile, or begun again with another process queue.
            if line.process_queue.dropped:
                self._lines.pop(line.queue, None)
            elif len(line.process_queue) > line.open:
                self._submit(line, pause or 0.0)

    async def _step(self, line: _Line, worker: int) -> float | None:
        """One call; gives the seconds to wait before the next one."""
        process_queue = line.process_queue
        if process_queue.dropped:
            return None
        if not self._locked(line.queue):
            if not await self._lock(line.queue):
                return _NO_LOCK_PAUSE
            if process_queue.dropped:
                return None
        messages = process_queue.oldest(self._config.consume_batch_size, skip=line.open)
        if not messages:
            return None
        context = self._context(line.queue, worker)
        now = str(self._instance.now())
        for message in messages:
            message.properties[PROPERTY_CONSUME_START_TIME] = now
        started = self._reactor.seconds()
        status = await self._call(messages, context)
        process_queue.last_consume = self._instance.now()
        failed = len(messages) if status in {OrderlyStatus.ROLLBACK, self.later} else 0
        self._stats(line.queue.topic).consumed(len(messages) - failed, failed, self._took(started))
        if process_queue.dropped or line.process_queue is not process_queue:
            return None
        return await self._settle(line, messages, status, context)

    # --- settling ---------------------------------------------------------------------------------------------------

    async def _settle(
        self, line: _Line, messages: list[MessageExt], status: OrderlyStatus | None, context: OrderlyContext
    ) -> float | None:
        if status is self.later:
            if await self._must_come_again(messages):
                return self._pause(context)
            if context.auto_commit:
                self._commit(line, len(messages))
            else:
                line.open += len(messages)
        elif status is OrderlyStatus.ROLLBACK and not context.auto_commit:
            line.open = 0
            return self._pause(context)
        elif context.auto_commit or status is OrderlyStatus.COMMIT:
            self._commit(line, line.open + len(messages))
        else:
            line.open += len(messages)
        return None

    def _pause(self, context: OrderlyContext) -> float:
        asked = self._config.suspend_current_queue_time if context.suspend_time is None else context.suspend_time
        return min(max(asked, _SHORTEST_PAUSE), _LONGEST_PAUSE)

    def _commit(self, line: _Line, count: int) -> None:
        process_queue = line.process_queue
        line.open = 0
        offset = process_queue.remove(process_queue.oldest(count))
        if offset >= 0:
            self._done(line.queue, offset)

    async def _must_come_again(self, messages: list[MessageExt]) -> bool:
        """Counts the failure; whether any message is to be tried once more here."""
        again = False
        for message in messages:
            most = self._config.max_reconsume_times
            if most is not None and message.reconsume_times >= most:
                try:
                    await self._send_back(message, 0)
                    continue
                except RemotingError as error:
                    log.warn("{message} could not be given back: {error}", message=message, error=error)
            message.reconsume_times += 1
            again = True
        return again
