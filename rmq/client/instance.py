"""One client towards name servers and brokers: shared by the producers and consumers that live in it.

It keeps routes fresh, tells brokers that its members are alive, lets consumers commit and rebalance in time, and takes
the requests that brokers send to clients. It starts with its first member and stops with its last.

Source: MQClientInstance.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from rmq.client.config import ClientConfig
from rmq.client.errors import BrokerNotExistError, ClientError
from rmq.client.identity import client_id, local_address, message_ids, unique_instance_name
from rmq.client.inbound import ClientProcessor
from rmq.client.message import MessageExt
from rmq.client.nameservers import NameServers
from rmq.client.namespace import Namespace
from rmq.client.request_reply import Requests
from rmq.client.routes import Routes
from rmq.client.waiting import Periodic, Shared
from rmq.remoting.calls import Invoker
from rmq.remoting.client import RemotingClient
from rmq.remoting.dispatch import Dispatcher
from rmq.remoting.errors import TransportError
from rmq.settings.environment import namesrv_addresses
from rmq.wire.bodies.heartbeat import ConsumerData, ConsumerIdList, HeartbeatData, ProducerData
from rmq.wire.bodies.offset import ConsumerStatus
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.bodies.running import ConsumeMessageDirectlyResult, ConsumerRunningInfo
from rmq.wire.errors import RemotingError
from rmq.wire.message import StoredMessage
from rmq.wire.requests.client import GetConsumerListByGroup, Heartbeat, UnregisterClient
from rmq.wire.requests.offset import GetMaxOffset, GetMinOffset, OffsetReply, SearchOffsetByTimestamp
from rmq.wire.requests.transaction import CheckTransactionState

log = Logger()


class ProducerMember(Protocol):
    """What an instance asks of a producer."""

    group: str

    def check_transaction(self, message: MessageExt, header: CheckTransactionState, address: str) -> None:
        """The broker at that address asks what became of a half message."""
        ...


class ConsumerMember(Protocol):
    """What an instance asks of a consumer."""

    group: str

    def consumer_data(self) -> ConsumerData:
        """What brokers are to know of it."""
        ...

    def topics(self) -> set[str]:
        """The topics whose routes it needs."""
        ...

    def rebalance_soon(self) -> None:
        """The members of its group have changed."""
        ...

    async def reset_offsets(self, topic: str, offsets: dict[MessageQueue, int]) -> None:
        """A broker tells it to go on from these offsets."""
        ...

    def consumer_status(self, topic: str) -> ConsumerStatus:
        """The offsets it holds."""
        ...

    def running_info(self) -> ConsumerRunningInfo:
        """How it is."""
        ...

    async def consume_directly(self, stored: StoredMessage, broker_name: str) -> ConsumeMessageDirectlyResult:
        """Consumes one message now."""
        ...


class ClientInstance:
    """One client id.

    Args:
        reactor: a Twisted reactor.
        config: addresses and intervals.
        invoker: calls servers; connections over the reactor when None.
        now: ms since the epoch.
        choose: gives a number below its argument.

    Attributes:
        client_id: how brokers know this client.
        routes: where topics and brokers are.
        ids: makes the ids of messages.
        namespace: what names are put into.
        requests: those that wait for an answer.

    Raises:
        NamesrvAddressError: an address is not `host:port`.
    """

    def __init__(
        self,
        reactor: Any,
        config: ClientConfig | None = None,
        *,
        invoker: Invoker | None = None,
        now: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        choose: Callable[[int], int] = random.randrange,
    ) -> None:
        self.reactor = reactor
        self.config = config or ClientConfig()
        self.now = now
        address = self.config.client_ip or local_address()
        self.client_id = client_id(address, self.config.instance_name or unique_instance_name())
        self.ids = message_ids(address)
        self.namespace = Namespace(self.config.namespace)
        self.requests = Requests(reactor)
        self.name_server_list = namesrv_addresses(self.config.namesrv_addr)
        self._remoting: RemotingClient | None = None
        if invoker is None:
            invoker = self._remoting = RemotingClient(
                reactor, Dispatcher([ClientProcessor(self)]), credentials=self.config.credentials
            )
        self.invoker = invoker
        self.routes = Routes(
            NameServers(invoker, self.name_server_list, choose, timeout=self.config.call_timeout), choose
        )
        self._producers: dict[str, ProducerMember] = {}
        self._consumers: dict[str, ConsumerMember] = {}
        self._topics: dict[str, int] = {}
        self._heartbeats: Shared[str, None] = Shared()
        self._tasks = [
            Periodic(reactor, self.config.poll_name_server_interval, self.refresh_routes, "refreshing routes"),
            Periodic(reactor, self.config.heartbeat_broker_interval, self.heartbeat, "heartbeat"),
        ]

    # --- members ----------------------------------------------------------------------------------------------------

    def add_producer(self, producer: ProducerMember) -> None:
        """A producer begins.

        Raises:
            ClientError: the group has a producer here already.
        """
        self._add(self._producers, producer.group, producer, "producer")

    def add_consumer(self, consumer: ConsumerMember) -> None:
        """A consumer begins.

        Raises:
            ClientError: the group has a consumer here already.
        """
        self._add(self._consumers, consumer.group, consumer, "consumer")

    def _add(self, members: dict[str, Any], group: str, member: object, kind: str) -> None:
        if group in members:
            raise ClientError(f"The {kind} group[{group}] has been created before, specify another name please.")
        if not self._producers and not self._consumers:
            for task in self._tasks:
                task.start()
        members[group] = member

    async def remove_producer(self, group: str) -> None:
        """A producer ends: brokers are told, and the instance stops if it was the last member."""
        self._producers.pop(group, None)
        await self._unregister(UnregisterClient(self.client_id, producer_group=group))

    async def remove_consumer(self, group: str) -> None:
        """A consumer ends: brokers are told, and the instance stops if it was the last member."""
        self._consumers.pop(group, None)
        await self._unregister(UnregisterClient(self.client_id, consumer_group=group))

    async def _unregister(self, header: UnregisterClient) -> None:
        last = not self._producers and not self._consumers
        if last:
            for task in self._tasks:
                task.stop()
            self.requests.give_up()
        for address in self.routes.broker_addresses():
            try:
                await self.invoker.call(address, header, timeout=self.config.call_timeout)
            except RemotingError as error:
                log.debug("unregistering at {address} failed: {error}", address=address, error=error)
        if last and self._remoting is not None:
            self._remoting.close()

    def producer(self, group: str) -> ProducerMember | None:
        """The producer of that group."""
        return self._producers.get(group)

    def consumer(self, group: str) -> ConsumerMember | None:
        """The consumer of that group."""
        return self._consumers.get(group)

    def rebalance_soon(self) -> None:
        """All consumers look again who consumes what."""
        for consumer in self._consumers.values():
            consumer.rebalance_soon()

    # --- what has to be done again and again ------------------------------------------------------------------------

    async def refresh_routes(self) -> None:
        """Asks for the routes of all topics in use."""
        topics = set(self.routes.topics)
        for consumer in self._consumers.values():
            topics |= consumer.topics()
        for topic in sorted(topics):
            try:
                await self.routes.refresh(topic)
            except TransportError as error:
                log.warn("no route of {topic}: {error}", topic=topic, error=error)
                return
            except RemotingError as error:
                log.debug("no route of {topic}: {error}", topic=topic, error=error)

    async def heartbeat(self) -> None:
        """Tells every broker of a known route who lives here."""
        for address in self.routes.broker_addresses(masters_only=not self._consumers):
            try:
                await self.heartbeat_to(address)
            except RemotingError as error:
                log.warn("heartbeat to {address} failed: {error}", address=address, error=error)

    def heartbeat_to(self, address: str) -> Deferred[None]:
        """Tells one broker who lives here.

        Raises:
            RemotingError: it refused or cannot be reached.
        """
        return self._heartbeats.run(address, lambda: self._heartbeat_to(address))

    async def _heartbeat_to(self, address: str) -> None:
        data = HeartbeatData(
            self.client_id,
            [ProducerData(group) for group in self._producers],
            [consumer.consumer_data() for consumer in self._consumers.values()],
        )
        if data.producer_data_set or data.consumer_data_set:
            await self.invoker.call(address, Heartbeat(), data, timeout=self.config.call_timeout)

    # --- questions to brokers ---------------------------------------------------------------------------------------

    async def consumer_ids(self, topic: str, group: str) -> list[str]:
        """The client ids of a group, as a broker of the topic knows them.

        A broker that does not know this client, because it is new to one of them, is told first.

        Raises:
            RemotingError: the broker knows no member, or cannot be reached.
            BrokerNotExistError: the topic has no broker.
        """
        address = self.routes.any_broker_of(topic)
        if address is None:
            raise BrokerNotExistError(f"any of {topic}")
        try:
            known = await self._consumer_ids(address, group)
        except TransportError:
            raise
        except RemotingError:
            known = []
        if self.client_id not in known:
            await self.heartbeat_to(address)
            known = await self._consumer_ids(address, group)
        return known

    async def _consumer_ids(self, address: str, group: str) -> list[str]:
        answer = await self.invoker.call(address, GetConsumerListByGroup(group), timeout=self.config.call_timeout)
        return answer.json(ConsumerIdList).consumer_id_list

    async def max_offset(self, queue: MessageQueue) -> int:
        """Where the queue's next message will be."""
        return await self._offset(queue, GetMaxOffset(queue.topic, queue.queue_id))

    async def min_offset(self, queue: MessageQueue) -> int:
        """Where the queue's oldest message is."""
        return await self._offset(queue, GetMinOffset(queue.topic, queue.queue_id))

    async def offset_at(self, queue: MessageQueue, timestamp: int) -> int:
        """The offset of the first message stored at that time (ms since the epoch) or later."""
        return await self._offset(queue, SearchOffsetByTimestamp(queue.topic, queue.queue_id, timestamp))

    async def _offset(self, queue: MessageQueue, header: GetMaxOffset | GetMinOffset | SearchOffsetByTimestamp) -> int:
        address = await self.master_address(queue)
        answer = await self.invoker.call(address, header, timeout=self.config.call_timeout)
        reply: OffsetReply = answer.header
        return reply.offset

    async def master_address(self, queue: MessageQueue) -> str:
        """The master that holds a queue; asks for the route when it is not known.

        Raises:
            BrokerNotExistError: no route names it.
        """
        try:
            return self.routes.master_address(queue.broker_name)
        except BrokerNotExistError:
            await self.routes.refresh(queue.topic)
            return self.routes.master_address(queue.broker_name)
