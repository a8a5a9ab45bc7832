"""Consumes messages when asked to: the application polls.

Queues are pulled in the background as by a push consumer, and `poll` takes what is there. The group's queues are
divided among its members (`subscribe`), or the application says which ones it wants (`assign`).

    consumer = LitePullConsumer(reactor, "my_group", namesrv_addr="127.0.0.1:9876")
    consumer.subscribe("TopicTest")
    async with consumer:
        for message in await consumer.poll(timeout=5):
            print(message.body)

Source: DefaultLitePullConsumer, DefaultLitePullConsumerImpl.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable
from typing import Any, ClassVar, Unpack

from rmq.client.allocate import AllocateStrategy, allocate_averagely
from rmq.client.config import LitePullConfig
from rmq.client.consumer import Consumer
from rmq.client.errors import ClientError
from rmq.client.lifecycle import Home
from rmq.client.message import MessageExt
from rmq.client.process_queue import ProcessQueue
from rmq.client.trace import ConsumeReturn
from rmq.client.waiting import Waiters, deferred
from rmq.wire.bodies.heartbeat import ConsumerData, ConsumeType
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.subscription import SUB_ALL, TAG, build_subscription


class LitePullConsumer(Consumer):
    """A consumer that is polled.

    Args:
        reactor: a Twisted reactor.
        group: the consumer group.
        config: how it works.
        allocate: divides the queues of a topic among the group.
        home: where it lives; see `rmq.client.lifecycle.Home`.

    Raises:
        InvalidParameterError: the group's name is not allowed.
        NamesrvAddressError: an address is not `host:port`.
    """

    consume_type: ClassVar[ConsumeType] = ConsumeType.CONSUME_ACTIVELY

    def __init__(
        self,
        reactor: Any,
        group: str,
        *,
        config: LitePullConfig | None = None,
        allocate: AllocateStrategy = allocate_averagely,
        **home: Unpack[Home],
    ) -> None:
        self.config = config or LitePullConfig()
        super().__init__(reactor, group, config=self.config, allocate=allocate, role="CONSUME", **home)
        self._space = self.instance.namespace
        self._reactor = reactor
        self._cache: deque[tuple[MessageQueue, ProcessQueue, list[MessageExt]]] = deque()
        self._cached = 0
        self._arrived: Waiters[None] = Waiters()
        # A position counts as long as the queue is held: what it was before means nothing when it comes back.
        self._positions: dict[MessageQueue, tuple[ProcessQueue, int]] = {}
        self._assigned: frozenset[MessageQueue] | None = None
        self._next_commit = 0.0
        self.fetcher.held_enough = lambda: self._cached >= self.config.pull_threshold_for_all

    # --- which queues -----------------------------------------------------------------------------------------------

    def subscribe(self, topic: str, expression: str = SUB_ALL, *, expression_type: str = TAG) -> None:
        """Wants messages of a topic, from the queues that fall to this member of the group.

        Raises:
            ClientError: queues were assigned already.
            InvalidParameterError, SubscriptionParseError: topic or expression is not allowed.
        """
        if self._assigned is not None:
            raise ClientError("Subscribe and assign are mutually exclusive.")
        super().subscribe(topic, expression, expression_type=expression_type)

    @deferred
    async def assign(self, queues: Collection[MessageQueue], expression: str = SUB_ALL) -> None:
        """Wants messages of these queues, and of no others from now on, whoever else reads them.

        Args:
            queues: the queues.
            expression: tags, for all of them.

        Raises:
            ClientError: there are subscriptions already.
            SubscriptionParseError: the expression names no tag.
        """
        if self._assigned is None and self.subscriptions:
            raise ClientError("Subscribe and assign are mutually exclusive.")
        self._assigned = frozenset(self._space.wrap_queue(queue) for queue in queues)
        topics = {queue.topic for queue in self._assigned}
        for topic in set(self.subscriptions) - topics:
            del self.subscriptions[topic]
        for topic in topics:
            self.subscriptions[topic] = build_subscription(topic, expression)
        if self.running:
            await self.instance.refresh_routes()
            await self._rebalance()

    async def _rebalance_topic(self, topic: str) -> bool:
        if self._assigned is None:
            return await super()._rebalance_topic(topic)
        return await self.fetcher.assign(topic, sorted(self._assigned_to(topic), key=lambda queue: queue.queue_id))

    def _assigned_to(self, topic: str) -> list[MessageQueue]:
        return [queue for queue in self._assigned or () if queue.topic == topic]

    def consumer_data(self) -> ConsumerData:
        """What brokers are to know; assigned queues are not the group's business."""
        data = super().consumer_data()
        if self._assigned is not None:
            data.subscription_data_set = []
        return data

    @deferred
    async def fetch_message_queues(self, topic: str) -> list[MessageQueue]:
        """The topic's queues that can be read.

        Raises:
            TopicNotExistError: there is no such topic.
            TransportError: no name server can be asked.
        """
        self._check_running()
        topic = self._space.wrap(topic)
        await self.instance.routes.refresh(topic)
        return [self._space.unwrap_queue(queue) for queue in self.instance.routes.read_queues(topic) or []]

    # --- messages ---------------------------------------------------------------------------------------------------

    @deferred
    async def poll(self, timeout: float = 5.0) -> list[MessageExt]:
        """The next messages of some queue; none when nothing comes within `timeout` seconds.

        With auto-commit, what earlier polls returned counts as done with.

        Raises:
            NotRunningError: the consumer was not started or is shut down.
        """
        self._check_running()
        if self.config.auto_commit and self._reactor.seconds() >= self._next_commit:
            self._note_positions(self._held())
            self._next_commit = self._reactor.seconds() + self.config.auto_commit_interval
        deadline = self._reactor.seconds() + timeout
        while (found := self._take()) is None:
            left = deadline - self._reactor.seconds()
            if left <= 0 or not self.running:
                return []
            await self._arrived.wait().addTimeout(left, self._reactor, onTimeoutCancel=lambda *_: None)
        return found

    def _take(self) -> list[MessageExt] | None:
        while self._cache:
            queue, process_queue, messages = self._cache.popleft()
            self._cached -= len(messages)
            if self.fetcher.room and not self.fetcher.held_enough():
                self.fetcher.room.wake(None)
            if not process_queue.dropped:
                self._positions[queue] = process_queue, process_queue.remove(messages)
                process_queue.last_consume = self.instance.now()
                self._trace(messages)
                return messages
        return None

    def _trace(self, messages: list[MessageExt]) -> None:
        tracing = self.tracer.consuming(messages) if self.tracer is not None else None
        if tracing is not None:
            tracing(True, ConsumeReturn.SUCCESS)

    def _deliver(self, messages: list[MessageExt], process_queue: ProcessQueue, queue: MessageQueue) -> None:
        for message in messages:
            message.topic = self._space.unwrap(message.topic)
        self._cache.append((queue, process_queue, messages))
        self._cached += len(messages)
        # The poll's owner must not run inside the pull loop, which it may want to end.
        self._reactor.callLater(0, self._arrived.wake_one, None)

    # --- offsets ----------------------------------------------------------------------------------------------------

    @deferred
    async def commit(self, offsets: dict[MessageQueue, int] | Iterable[MessageQueue] | None = None) -> None:
        """Commits what was polled, and waits until the brokers have it.

        Args:
            offsets: offsets by queue; or queues, as far as they were polled; all queues when None.

        Raises:
            NotRunningError: the consumer was not started or is shut down.
        """
        self._check_running()
        queues = self._held() if offsets is None else [self._space.wrap_queue(queue) for queue in offsets]
        if isinstance(offsets, dict):
            for queue, offset in zip(queues, offsets.values(), strict=True):
                self.offsets.update(queue, offset)
        else:
            self._note_positions(queues)
        await self.offsets.persist(queues, confirmed=True)

    def _note_positions(self, queues: Iterable[MessageQueue]) -> None:
        for queue in queues:
            process_queue, position = self._positions.get(queue, (None, -1))
            if process_queue is not None and self.fetcher.process_queue(queue) is process_queue:
                self.offsets.update(queue, position)

    async def _finish(self) -> None:
        if self.config.auto_commit:
            self._note_positions(self._held())
        self._cache.clear()
        self._arrived.wake(None)

    @deferred
    async def committed(self, queue: MessageQueue) -> int | None:
        """The group's committed offset of a queue, None for none.

        Raises:
            RemotingError: the broker cannot be asked.
        """
        self._check_running()
        queue = self._space.wrap_queue(queue)
        known = self.offsets.get(queue)
        return await self.offsets.read(queue) if known is None else known

    @deferred
    async def seek(self, queue: MessageQueue, offset: int) -> None:
        """The next messages of this queue are those from `offset` on.

        Raises:
            ClientError: the queue is not this consumer's now, or has no such offset.
            RemotingError: the broker cannot be asked for the queue's bounds.
        """
        self._check_running()
        queue = self._space.wrap_queue(queue)
        wanted = self.fetcher.queues if self._assigned is None else self._assigned
        if queue not in wanted:
            rebalancing = ", may be rebalancing" if self._assigned is None else ""
            raise ClientError(f"The message queue is not in assigned list{rebalancing}, message queue: {queue}")
        low, high = await self.min_offset(queue), await self.max_offset(queue)
        if not low <= offset <= high:
            raise ClientError(
                f"Seek offset illegal, seek offset = {offset}, min offset = {low}, max offset = {high}"
            )
        self.fetcher.restart(queue, offset)
        begun = self.fetcher.process_queue(queue)
        if begun is not None:
            self._positions[queue] = begun, offset

    @deferred
    async def seek_to_begin(self, queue: MessageQueue) -> None:
        """Goes to the oldest message of a queue. Raises as `seek`."""
        await self.seek(queue, await self.min_offset(queue))

    @deferred
    async def seek_to_end(self, queue: MessageQueue) -> None:
        """Goes behind the newest message of a queue. Raises as `seek`."""
        await self.seek(queue, await self.max_offset(queue))

    @deferred
    async def min_offset(self, queue: MessageQueue) -> int:
        """Where the queue's oldest message is.

        Raises:
            RemotingError: the broker cannot be asked.
        """
        return await self.instance.min_offset(self._space.wrap_queue(queue))

    @deferred
    async def max_offset(self, queue: MessageQueue) -> int:
        """Where the queue's next message will be.

        Raises:
            RemotingError: the broker cannot be asked.
        """
        return await self.instance.max_offset(self._space.wrap_queue(queue))

    @deferred
    async def offset_for_timestamp(self, queue: MessageQueue, timestamp: int) -> int:
        """The offset of the first message stored at that time (ms since the epoch) or later.

        Raises:
            RemotingError: the broker cannot be asked.
        """
        return await self.instance.offset_at(self._space.wrap_queue(queue), timestamp)

    # --- pausing ----------------------------------------------------------------------------------------------------

    def pause(self, queues: Iterable[MessageQueue]) -> None:
        """Pulls nothing more of these queues; what is here already is still polled."""
        self.fetcher.paused.update(self._space.wrap_queue(queue) for queue in queues)

    def resume(self, queues: Iterable[MessageQueue]) -> None:
        """Pulls these queues again."""
        self.fetcher.paused.difference_update([self._space.wrap_queue(queue) for queue in queues])
        self.fetcher.wake()
