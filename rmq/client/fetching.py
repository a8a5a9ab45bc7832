"""One pull loop for each queue that a consumer owns.

A loop pulls, hands over what it found, and pulls again, as long as the queue is this consumer's. It pauses while too
much is held or the consumer is suspended. When the broker says that the offset does not exist, the queue begins again
where the broker says; when it cannot be reached, the loop waits, makes itself known again and goes on.

An answer may bring a loop no further: a slave that lacks the offset sends it to the master (PULL_RETRY_IMMEDIATELY), or
a second broker says that an offset does not exist. Who is asked next is then asked at once only if that is another one.
Otherwise the route is looked for, because the master may have come back, and the loop pauses.

Source: DefaultMQPushConsumerImpl.pullMessage, RebalancePushImpl, DefaultLitePullConsumerImpl.PullTaskImpl.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger

from rmq.client.config import FetchConfig
from rmq.client.instance import ClientInstance
from rmq.client.message import MessageExt
from rmq.client.offsets import Offsets
from rmq.client.process_queue import ProcessQueue
from rmq.client.pull import Puller, PullResult, PullStatus
from rmq.client.routes import MASTER_ID
from rmq.client.stats import TopicStats
from rmq.client.waiting import Waiters, logged, sleep
from rmq.remoting.errors import TransportError
from rmq.wire.bodies.heartbeat import ConsumeFromWhere, SubscriptionData
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.codes import ResponseCode
from rmq.wire.errors import RemotingError
from rmq.wire.names import RETRY_PREFIX

Deliver = Callable[[list[MessageExt], ProcessQueue, MessageQueue], None]
"""Takes messages of a queue, which are in the process queue already."""

_UNKNOWN_THERE = frozenset(
    {
        int(ResponseCode.SUBSCRIPTION_NOT_EXIST),
        int(ResponseCode.SUBSCRIPTION_NOT_LATEST),
        int(ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST),
    }
)
_FLOW_CONTROL_DELAY = 0.02
_EMPTY_DELAY = 0.1
_STUCK_DELAY = 1.0
_HALF_AN_HOUR = 30 * 60 * 1000

log = Logger()


class Guard(Protocol):
    """Decides whether a queue may be worked on."""

    async def acquire(self, queue: MessageQueue) -> bool:
        """A queue is to begin; gives whether it may."""
        ...

    def let_go(self, queue: MessageQueue) -> None:
        """A queue has ended."""
        ...


@dataclass(slots=True)
class _Loop:
    process_queue: ProcessQueue
    running: Deferred[Any]


class Fetcher:
    """The pull loops of one consumer.

    Args:
        instance: whose routes and connections are used.
        config: how much is held, and where queues begin.
        puller: pulls.
        offsets: where queues go on.
        subscriptions: what is wanted, by topic.
        deliver: takes what was found.
        commits: whether pulls carry the offset along.

    Attributes:
        suspended: whether all loops pause.
        paused: queues whose loops pause.
        guard: is asked before a queue begins; None lets all begin.
        held_enough: says that all queues together hold enough; loops pause until `room` is woken.
    """

    def __init__(
        self,
        instance: ClientInstance,
        config: FetchConfig,
        puller: Puller,
        offsets: Offsets,
        subscriptions: Mapping[str, SubscriptionData],
        deliver: Deliver,
        *,
        commits: bool,
        interval: float = 0.0,
    ) -> None:
        self._instance = instance
        self._config = config
        self._puller = puller
        self._offsets = offsets
        self._subscriptions = subscriptions
        self._deliver = deliver
        self._commits = commits
        self._interval = interval
        self._loops: dict[MessageQueue, _Loop] = {}
        self._looked: dict[str, float] = {}
        self._resumed: Waiters[None] = Waiters()
        self._stopped = False
        self.suspended = False
        self.paused: set[MessageQueue] = set()
        self.guard: Guard | None = None
        self.held_enough: Callable[[], bool] = lambda: False
        self.room: Waiters[None] = Waiters()
        self.stats: dict[str, TopicStats] = {}

    @property
    def queues(self) -> list[MessageQueue]:
        """The queues that are this consumer's."""
        return list(self._loops)

    def process_queue(self, queue: MessageQueue) -> ProcessQueue | None:
        """What is held of a queue; None when it is not this consumer's."""
        loop = self._loops.get(queue)
        return None if loop is None else loop.process_queue

    def topic_stats(self, topic: str) -> TopicStats:
        """The rates of a topic."""
        return self.stats.setdefault(topic, TopicStats(self._instance.reactor.seconds))

    # --- which queues -----------------------------------------------------------------------------------------------

    async def assign(self, topic: str, wanted: Collection[MessageQueue]) -> bool:
        """These queues of the topic, and no others of it, are this consumer's.

        Returns:
            Whether all of them could begin; if not, it must be tried again.
        """
        for queue in [queue for queue in self._loops if queue.topic == topic and queue not in wanted]:
            await self.release(queue)
        complete = True
        for queue in wanted:
            if queue not in self._loops:
                complete = await self._begin(queue) and complete
        return complete

    async def release(self, queue: MessageQueue) -> None:
        """A queue goes to somebody else: its offset is committed and nothing more of it counts.

        It stays in the table until then, so that a shutdown in between commits and leaves it too.
        """
        if queue in self._loops:
            self._end(self._loops[queue])
            await self._offsets.persist([queue], confirmed=True)
            loop = self._loops.pop(queue, None)
            if loop is not None:
                self._end(loop)
            self._offsets.forget(queue)
            self._puller.forget(queue)
            self.paused.discard(queue)
            if self.guard is not None:
                self.guard.let_go(queue)

    def restart(self, queue: MessageQueue, offset: int) -> None:
        """A queue goes on from another offset: what is held of it is dropped."""
        loop = self._loops.pop(queue, None)
        self._run(queue, offset)
        if loop is not None:
            self._end(loop)

    def stop_pulling(self) -> None:
        """Ends all loops; what is held still counts."""
        self._stopped = True
        for loop in self._loops.values():
            self._cancel(loop)

    def drop_all(self) -> None:
        """Nothing that is held counts any more."""
        loops, self._loops = self._loops, {}
        for loop in loops.values():
            self._end(loop)

    def _end(self, loop: _Loop) -> None:
        loop.process_queue.drop()
        self._cancel(loop)

    def _cancel(self, loop: _Loop) -> None:
        # A loop may be what led here, through a listener that it called, and a coroutine cannot cancel itself.
        self._instance.reactor.callLater(0, loop.running.cancel)

    async def _begin(self, queue: MessageQueue) -> bool:
        if self.guard is not None and not await self.guard.acquire(queue):
            return False
        self._offsets.forget(queue)
        try:
            offset = await self._start_offset(queue)
        except RemotingError as error:
            log.warn("{queue} has no offset to begin at: {error}", queue=queue, error=error)
            return False
        if queue not in self._loops:
            self._run(queue, offset)
        return True

    def _run(self, queue: MessageQueue, offset: int, *, moved: bool = False) -> None:
        if self._stopped:
            return
        process_queue = ProcessQueue(self._config)
        # The loop may end, or restart the queue, before the first wait: it must find itself in the table.
        loop = self._loops[queue] = _Loop(process_queue, Deferred())
        loop.running = Deferred.fromCoroutine(self._pull_on(queue, process_queue, offset, moved))
        logged(loop.running, f"pulling {queue}")

    async def _start_offset(self, queue: MessageQueue) -> int:
        stored = await self._offsets.read(queue)
        if stored is not None and stored >= 0:
            self._offsets.update(queue, stored)
            return stored
        where = self._config.consume_from_where
        retry = queue.topic.startswith(RETRY_PREFIX)
        if where is ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET:
            # Where the queue really begins is what the broker answers to the first pull.
            return 0
        if where is ConsumeFromWhere.CONSUME_FROM_TIMESTAMP:
            if retry:
                return await self._instance.max_offset(queue)
            timestamp = self._config.consume_timestamp
            return await self._instance.offset_at(
                queue, self._instance.now() - _HALF_AN_HOUR if timestamp is None else timestamp
            )
        return 0 if retry else await self._instance.max_offset(queue)

    # --- pausing ----------------------------------------------------------------------------------------------------

    def wake(self) -> None:
        """Pausing may be over: loops look again."""
        self._resumed.wake(None)

    def _obstacle(self, queue: MessageQueue, process_queue: ProcessQueue) -> Waiters[None] | None:
        if self.suspended or queue in self.paused:
            return self._resumed
        if not process_queue.has_room:
            return process_queue.room
        return self.room if self.held_enough() else None

    # --- pulling ----------------------------------------------------------------------------------------------------

    async def _pull_on(self, queue: MessageQueue, process_queue: ProcessQueue, offset: int, moved: bool) -> None:
        instance = self._instance
        while not process_queue.dropped:
            obstacle = self._obstacle(queue, process_queue)
            if obstacle is not None:
                await obstacle.wait()
                continue
            process_queue.last_pull = instance.now()
            started = instance.reactor.seconds()
            try:
                result = await self._puller.pull(
                    queue, self._subscriptions[queue.topic], offset, self._commit_offset(queue)
                )
            except CancelledError:
                raise
            except Exception as error:
                # Whatever it is, the queue must not stand still for ever.
                await self._failed(queue, error)
                continue
            if process_queue.dropped or self._stopped:
                return
            illegal = result.status is PullStatus.OFFSET_ILLEGAL
            took = instance.reactor.seconds() - started
            no_further = moved if illegal else _is_stuck(result, offset)
            if no_further:
                await self._look_elsewhere(queue, result.address)
                if process_queue.dropped or self._stopped:
                    return
            if illegal:
                self._moved(queue, process_queue, offset, result)
                return
            moved = False
            offset = result.next_begin_offset
            self._found(queue, process_queue, result, took)
            if result.status is PullStatus.NO_NEW_MSG and took < _FLOW_CONTROL_DELAY:
                # A broker that does not hold requests would be asked without a pause.
                await sleep(instance.reactor, _EMPTY_DELAY)
            elif self._interval:
                await sleep(instance.reactor, self._interval)

    def _found(self, queue: MessageQueue, process_queue: ProcessQueue, result: PullResult, took: float) -> None:
        if result.messages:
            self.topic_stats(queue.topic).pulled(len(result.messages), took)
            process_queue.put(result.messages)
            self._deliver(result.messages, process_queue, queue)
        elif not process_queue:
            # Everything up to here was filtered away or is done with.
            self._offsets.update(queue, result.next_begin_offset, increase_only=True)

    def _commit_offset(self, queue: MessageQueue) -> int | None:
        return (self._offsets.get(queue) or None) if self._commits else None

    def _moved(self, queue: MessageQueue, process_queue: ProcessQueue, offset: int, result: PullResult) -> None:
        log.warn(
            "{queue} has no offset {offset}, it goes on at {next}",
            queue=queue,
            offset=offset,
            next=result.next_begin_offset,
        )
        self._offsets.update(queue, result.next_begin_offset)
        process_queue.drop()
        self._run(queue, result.next_begin_offset, moved=True)

    async def _look_elsewhere(self, queue: MessageQueue, asked: str) -> None:
        """Returns when it makes sense to pull again: at once if another broker is to be asked than before."""
        now = self._instance.reactor.seconds()
        try:
            if self._puller.address(queue) != asked:
                return
            # Once for all queues of the topic.
            if now - self._looked.get(queue.topic, -_STUCK_DELAY) >= _STUCK_DELAY:
                self._looked[queue.topic] = now
                await self._instance.routes.refresh(queue.topic)
            if (address := self._puller.address(queue)) != asked:
                # One that was away has forgotten this client.
                await self._instance.heartbeat_to(address)
                return
        except RemotingError as error:
            log.debug("nobody else can be asked for {queue}: {error}", queue=queue, error=error)
        await sleep(self._instance.reactor, _STUCK_DELAY)

    async def _failed(self, queue: MessageQueue, error: Exception) -> None:
        code = error.code if isinstance(error, RemotingError) else None
        if code == ResponseCode.FLOW_CONTROL:
            await sleep(self._instance.reactor, _FLOW_CONTROL_DELAY)
            return
        log.warn("pulling {queue} failed: {error}", queue=queue, error=error)
        await sleep(self._instance.reactor, self._config.retry_delay)
        if isinstance(error, TransportError) or code in _UNKNOWN_THERE:
            await self._make_known(queue)

    async def _make_known(self, queue: MessageQueue) -> None:
        """A broker that was gone has forgotten this client; it may also be elsewhere now."""
        try:
            await self._instance.routes.refresh(queue.topic)
            await self._instance.heartbeat_to(self._instance.routes.replica_address(queue.broker_name, MASTER_ID))
        except RemotingError as error:
            log.debug("{broker} is still away: {error}", broker=queue.broker_name, error=error)


def _is_stuck(result: PullResult, offset: int) -> bool:
    return result.status is PullStatus.NO_MATCHED_MSG and result.next_begin_offset == offset
