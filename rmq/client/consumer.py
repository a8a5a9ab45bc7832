"""What push and lite pull consumers have in common: subscriptions, the division of queues, offsets, what tools see.

Each member of a group divides the queues of every topic by itself: it asks a broker who the members are, sorts them
and the queues, and takes its share. It does so when a broker says that the members changed, and every 20 seconds. For
a moment two members may hold one queue; a message may then be consumed twice, never not at all, because a queue's
offset moves only over what is done with.

Source: RebalanceImpl, RebalanceService, MQConsumerInner.
"""

from __future__ import annotations

from typing import Any, ClassVar, Unpack

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from rmq.client.allocate import AllocateStrategy, allocate_averagely
from rmq.client.config import FetchConfig
from rmq.client.fetching import Fetcher
from rmq.client.identity import DEFAULT_INSTANCE
from rmq.client.lifecycle import Home, Member, instance_for
from rmq.client.message import MessageExt
from rmq.client.offsets import LocalOffsets, Offsets, RemoteOffsets, local_offsets_path
from rmq.client.process_queue import ProcessQueue
from rmq.client.pull import Puller
from rmq.client.waiting import Periodic, logged
from rmq.wire.bodies.heartbeat import ConsumerData, ConsumeType, MessageModel, SubscriptionData
from rmq.wire.bodies.offset import ConsumerStatus
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.bodies.running import ConsumeMessageDirectlyResult, ConsumerRunningInfo, ProcessQueueInfo
from rmq.wire.codes import VERSION, version_name
from rmq.wire.errors import RemotingError
from rmq.wire.message import StoredMessage
from rmq.wire.names import RETRY_PREFIX, check_topic
from rmq.wire.subscription import SUB_ALL, TAG, build_subscription

_UNBALANCED_DELAY = 1.0

log = Logger()


class Consumer(Member):
    """A consumer of one group.

    Args:
        reactor: a Twisted reactor.
        group: the consumer group.
        config: how it fetches.
        allocate: divides the queues of a topic.
        interval: seconds between pulls of a queue.
        role: what traces call it; None traces nothing.
        home: where it lives; see `rmq.client.lifecycle.Home`.
    """

    consume_type: ClassVar[ConsumeType]

    def __init__(
        self,
        reactor: Any,
        group: str,
        *,
        config: FetchConfig,
        allocate: AllocateStrategy = allocate_averagely,
        interval: float = 0.0,
        role: str | None = None,
        **home: Unpack[Home],
    ) -> None:
        self._broadcasting = config.message_model is MessageModel.BROADCASTING
        instance = instance_for(reactor, home, DEFAULT_INSTANCE if self._broadcasting else None)
        super().__init__(group, instance, role)
        lite = self.consume_type is ConsumeType.CONSUME_ACTIVELY
        self._fetch_config = config
        self._allocate = allocate
        self._started_at = 0
        self._troubles: dict[str, str] = {}
        self.subscriptions: dict[str, SubscriptionData] = {}
        self.offsets = self._make_offsets()
        self.fetcher = Fetcher(
            instance,
            config,
            Puller(instance, self.group, config, lite=lite),
            self.offsets,
            self.subscriptions,
            self._deliver,
            commits=not lite and not self._broadcasting,
            interval=interval,
        )
        intervals = instance.config
        self._rebalancing = Periodic(reactor, intervals.rebalance_interval, self._rebalance, f"rebalancing {group}")
        self._persisting = Periodic(
            reactor, intervals.persist_consumer_offset_interval, self._persist, f"committing offsets of {group}"
        )

    def _make_offsets(self) -> Offsets:
        if self._broadcasting:
            path = local_offsets_path(self._fetch_config.offset_store_dir, self.instance.client_id, self.group)
            return LocalOffsets(path)
        return RemoteOffsets(self.instance, self.group)

    def _deliver(self, messages: list[MessageExt], process_queue: ProcessQueue, queue: MessageQueue) -> None:
        raise NotImplementedError

    # --- subscriptions ----------------------------------------------------------------------------------------------

    def subscribe(self, topic: str, expression: str = SUB_ALL, *, expression_type: str = TAG) -> None:
        """Wants messages of a topic; a second call for the same topic replaces the first.

        Args:
            topic: the topic.
            expression: `*` for all, or tags joined by `||`; what `expression_type` says otherwise.
            expression_type: `TAG` or `SQL92`.

        Raises:
            InvalidParameterError: the topic's name is not allowed.
            SubscriptionParseError: the expression names no tag.
        """
        topic = check_topic(self.instance.namespace.wrap(topic))
        self.subscriptions[topic] = build_subscription(topic, expression, expression_type, self.instance.now())
        self._subscriptions_changed()

    def unsubscribe(self, topic: str) -> None:
        """Wants no more messages of a topic."""
        self.subscriptions.pop(self.instance.namespace.wrap(topic), None)
        self._subscriptions_changed()

    def _subscriptions_changed(self) -> None:
        if self.running:
            telling = Deferred.fromCoroutine(self.instance.heartbeat())
            logged(telling, "heartbeat").addCallback(lambda _: self.rebalance_soon())

    # --- life -------------------------------------------------------------------------------------------------------

    async def _start(self) -> None:
        self._started_at = self.instance.now()
        self.instance.add_consumer(self)
        try:
            await self.instance.refresh_routes()
            await self.instance.heartbeat()
        except BaseException:
            await self.instance.remove_consumer(self.group)
            raise
        self._rebalancing.start(0.0)
        self._persisting.start()

    async def _shutdown(self) -> None:
        self._rebalancing.stop()
        self._persisting.stop()
        self.fetcher.stop_pulling()
        await self._finish()
        held = self.fetcher.queues
        await self.offsets.persist(held, confirmed=True)
        self.fetcher.drop_all()
        await self._leave(held)
        await self._stop_tracing()
        await self.instance.remove_consumer(self.group)

    async def _finish(self) -> None:
        """Lets what is in work come to its end."""

    async def _leave(self, queues: list[MessageQueue]) -> None:
        """These queues are left to others; their offsets are committed."""

    async def _persist(self) -> None:
        await self.offsets.persist(self.fetcher.queues)

    # --- division of queues -----------------------------------------------------------------------------------------

    def rebalance_soon(self) -> None:
        """Looks again who consumes what."""
        self._rebalancing.soon()

    async def _rebalance(self) -> None:
        balanced = True
        for topic in list(self.subscriptions):
            balanced = await self._rebalance_topic(topic) and balanced
        for queue in self.fetcher.queues:
            if queue.topic not in self.subscriptions:
                await self.fetcher.release(queue)
        if not balanced:
            self._rebalancing.soon(_UNBALANCED_DELAY)

    async def _rebalance_topic(self, topic: str) -> bool:
        retry = topic.startswith(RETRY_PREFIX)
        queues = self.instance.routes.read_queues(topic)
        try:
            if queues is None:
                await self.instance.routes.refresh(topic)
                queues = self.instance.routes.read_queues(topic) or []
            mine = queues if self._broadcasting else await self._share(topic, queues)
        except RemotingError as error:
            # The same trouble comes again every second; it is told once. A retry topic may be missing for ever.
            if not retry and self._troubles.get(topic) != str(error):
                log.warn("{group} cannot divide {topic}: {error}", group=self.group, topic=topic, error=error)
            self._troubles[topic] = str(error)
            return retry
        self._troubles.pop(topic, None)
        return await self.fetcher.assign(topic, mine)

    async def _share(self, topic: str, queues: list[MessageQueue]) -> list[MessageQueue]:
        members = sorted(await self.instance.consumer_ids(topic, self.group))
        return self._allocate(self.instance.client_id, queues, members)

    def assignment(self) -> list[MessageQueue]:
        """The queues that this consumer holds now, sorted."""
        return [self.instance.namespace.unwrap_queue(queue) for queue in self._held()]

    def _held(self) -> list[MessageQueue]:
        """The same queues as brokers know them."""
        return sorted(self.fetcher.queues, key=_position)

    # --- pausing ----------------------------------------------------------------------------------------------------

    def suspend_all(self) -> None:
        """Pulls nothing until `resume_all`; messages that are here already are still consumed."""
        self.fetcher.suspended = True

    def resume_all(self) -> None:
        """Pulls again."""
        self.fetcher.suspended = False
        self.fetcher.wake()

    # --- towards the instance ---------------------------------------------------------------------------------------

    def consumer_data(self) -> ConsumerData:
        """What brokers are to know of this consumer."""
        config = self._fetch_config
        subscriptions = list(self.subscriptions.values())
        return ConsumerData(
            self.group, self.consume_type, config.message_model, config.consume_from_where, subscriptions
        )

    def topics(self) -> set[str]:
        """The topics whose routes are needed."""
        return set(self.subscriptions)

    async def reset_offsets(self, topic: str, offsets: dict[MessageQueue, int]) -> None:
        """Goes on from these offsets, in the queues that are this consumer's."""
        for queue in self.fetcher.queues:
            offset = offsets.get(queue)
            held = self.fetcher.process_queue(queue)
            # It may have gone to another member while the one before was committed.
            if queue.topic == topic and offset is not None and held is not None and not held.dropped:
                self.offsets.update(queue, offset)
                self.fetcher.restart(queue, offset)
                await self.offsets.persist([queue], confirmed=True)

    def consumer_status(self, topic: str) -> ConsumerStatus:
        """The offsets that are held."""
        return ConsumerStatus(self.offsets.snapshot(topic))

    def running_info(self) -> ConsumerRunningInfo:
        """How this consumer is."""
        return ConsumerRunningInfo(
            {
                "PROP_NAMESERVER_ADDR": ";".join(self.instance.name_server_list) + ";",
                "PROP_CONSUME_TYPE": self.consume_type,
                "PROP_CLIENT_VERSION": version_name(VERSION),
                "PROP_CONSUMER_START_TIMESTAMP": str(self._started_at),
                **self._running_properties(),
            },
            sorted(self.subscriptions.values(), key=lambda data: data.topic),
            {
                queue: self._queue_info(queue, process_queue)
                for queue in self._held()
                if (process_queue := self.fetcher.process_queue(queue)) is not None
            },
            status_table={topic: self.fetcher.topic_stats(topic).status() for topic in sorted(self.subscriptions)},
        )

    def _queue_info(self, queue: MessageQueue, process_queue: ProcessQueue) -> ProcessQueueInfo:
        return process_queue.info(self.offsets.get(queue) or 0)

    def _running_properties(self) -> dict[str, str]:
        return {}

    async def consume_directly(self, stored: StoredMessage, broker_name: str) -> ConsumeMessageDirectlyResult:
        """Consumes one message now.

        Raises:
            RemotingError: there is no listener: this consumer is polled.
        """
        raise RemotingError(f"the consumer of {self.group} is polled and has no listener")


def _position(queue: MessageQueue) -> tuple[str, str, int]:
    return queue.topic, queue.broker_name, queue.queue_id
