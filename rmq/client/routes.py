"""Where topics and brokers are: the routes that name servers gave, and what follows from them.

A route that was found stays until a newer one is found, so a topic outlives a name server that restarts. Broker
addresses are those that some route still names, the newest one first: a broker that died disappears with the next
refresh, and one that returned is back with it.

Source: MQClientInstance.updateTopicRouteInfoFromNameServer, TopicPublishInfo, findBrokerAddressInSubscribe.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from twisted.internet.defer import Deferred

from rmq.client.errors import BrokerNotExistError
from rmq.client.nameservers import NameServers
from rmq.client.waiting import Shared
from rmq.wire.bodies.route import ClusterInfo, MessageQueue, QueueData, TopicRouteData
from rmq.wire.requests.route import GetBrokerClusterInfo, GetRouteInfoByTopic

MASTER_ID: Final = 0
READ: Final = 4
WRITE: Final = 2


class PublishQueues:
    """The queues of a topic that take messages, given out in turn."""

    def __init__(self, queues: Sequence[MessageQueue], first: int) -> None:
        self.queues = tuple(queues)
        self._next = first

    def select(self, avoid: str | None = None) -> MessageQueue:
        """The next queue, on another broker than `avoid` if there is any; there must be a queue."""
        for _ in self.queues:
            queue = self._turn()
            if queue.broker_name != avoid:
                return queue
        # One more, or many that try again would all come to the same queue.
        return self._turn()

    def _turn(self) -> MessageQueue:
        queue = self.queues[self._next % len(self.queues)]
        self._next += 1
        return queue


class Routes:
    """The routes of a client.

    Args:
        name_servers: who is asked.
        choose: gives a number below its argument, to spread clients over queues and brokers.
    """

    def __init__(self, name_servers: NameServers, choose: Callable[[int], int]) -> None:
        self._name_servers = name_servers
        self._choose = choose
        self._lookups: Shared[tuple[str, str], TopicRouteData] = Shared()
        self._surveys: Shared[None, bool] = Shared()
        self._routes: dict[str, TopicRouteData] = {}
        self._publish: dict[str, PublishQueues] = {}
        self._brokers: dict[str, dict[int, str]] = {}

    @property
    def topics(self) -> list[str]:
        """Topics with a known route."""
        return list(self._routes)

    def refresh(self, topic: str) -> Deferred[TopicRouteData]:
        """Asks for the topic's route.

        Raises:
            TopicNotExistError: no broker has it.
            TransportError: no name server can be asked.
        """
        return self._lookups.run((topic, topic), lambda: self._look_up(topic, topic, None))

    def refresh_default(self, topic: str, default_topic: str, queue_nums: int) -> Deferred[TopicRouteData]:
        """Takes the route of the default topic for that of a topic which brokers create when a message comes.

        Args:
            topic: the topic that is to be created.
            default_topic: the one whose settings it will get.
            queue_nums: most queues on each broker.

        Raises:
            TopicNotExistError: no broker creates topics.
            TransportError: no name server can be asked.
        """
        return self._lookups.run((topic, default_topic), lambda: self._look_up(topic, default_topic, queue_nums))

    async def _look_up(self, topic: str, asked: str, queue_nums: int | None) -> TopicRouteData:
        answer = await self._name_servers.call(GetRouteInfoByTopic(asked, accept_standard_json_only=True))
        route = answer.json(TopicRouteData)
        if queue_nums is not None:
            limited = [
                replace(data, read_queue_nums=nums, write_queue_nums=nums)
                for data in route.queue_datas
                for nums in [min(queue_nums, data.read_queue_nums)]
            ]
            route = replace(route, queue_datas=limited)
        before = self._routes.pop(topic, None)
        # The newest is the last, and what that says of a broker counts.
        self._routes[topic] = route
        if before != route:
            self._publish[topic] = PublishQueues(_publish_queues(topic, route), self._choose(1 << 16))
        if before != route or any(self._brokers[data.broker_name] != data.broker_addrs for data in route.broker_datas):
            self._brokers = {
                broker.broker_name: broker.broker_addrs
                for known in self._routes.values()
                for broker in known.broker_datas
            }
        return route

    def any_broker_known(self) -> Deferred[bool]:
        """Asks whether the name server knows any broker: one that was just started does not.

        Raises:
            TransportError: no name server can be asked.
        """
        return self._surveys.run(None, self._survey)

    async def _survey(self) -> bool:
        answer = await self._name_servers.call(GetBrokerClusterInfo())
        return bool(answer.json(ClusterInfo).broker_addr_table)

    def publish_queues(self, topic: str) -> PublishQueues | None:
        """The topic's queues that take messages; None when there is none or no route is known."""
        known = self._publish.get(topic)
        return known if known is not None and known.queues else None

    def lacks_masters(self, topic: str) -> bool:
        """Whether the topic has queues that would take messages if their masters were there, and none that does."""
        route = self._routes.get(topic)
        if route is None or self._publish[topic].queues:
            return False
        slaves = {broker.broker_name for broker in route.broker_datas if MASTER_ID not in broker.broker_addrs}
        return any(data.perm & WRITE and data.broker_name in slaves for data in route.queue_datas)

    def read_queues(self, topic: str) -> list[MessageQueue] | None:
        """The topic's queues that can be read, sorted; None when no route is known."""
        route = self._routes.get(topic)
        if route is None:
            return None
        return [
            MessageQueue(topic, data.broker_name, queue_id)
            for data in sorted(route.queue_datas, key=_broker_name)
            if data.perm & READ
            for queue_id in range(data.read_queue_nums)
        ]

    def master_address(self, broker_name: str) -> str:
        """The master of a broker name.

        Raises:
            BrokerNotExistError: no route names one.
        """
        address = self._brokers.get(broker_name, {}).get(MASTER_ID)
        if address is None:
            raise BrokerNotExistError(broker_name)
        return address

    def replica_address(self, broker_name: str, broker_id: int) -> str:
        """That replica of a broker name, or another one if it is not there.

        Raises:
            BrokerNotExistError: no route names any.
        """
        replicas = self._brokers.get(broker_name, {})
        for candidate in (broker_id, MASTER_ID, *sorted(replicas)):
            if candidate in replicas:
                return replicas[candidate]
        raise BrokerNotExistError(broker_name)

    def any_broker_of(self, topic: str) -> str | None:
        """The address of some broker that has the topic, masters preferred; None when no route is known."""
        route = self._routes.get(topic)
        brokers = [broker for broker in route.broker_datas if broker.broker_addrs] if route else []
        if not brokers:
            return None
        chosen = brokers[self._choose(len(brokers))].broker_addrs
        return chosen.get(MASTER_ID) or chosen[min(chosen)]

    def broker_addresses(self, *, masters_only: bool = False) -> list[str]:
        """The addresses of all brokers that some route names."""
        return sorted(
            {
                address
                for replicas in self._brokers.values()
                for broker_id, address in replicas.items()
                if broker_id == MASTER_ID or not masters_only
            }
        )


def _broker_name(data: QueueData) -> str:
    return data.broker_name


def _publish_queues(topic: str, route: TopicRouteData) -> list[MessageQueue]:
    if route.order_topic_conf:
        ordered = (entry.split(":") for entry in route.order_topic_conf.split(";") if ":" in entry)
        return [MessageQueue(topic, name, queue_id) for name, count in ordered for queue_id in range(int(count))]
    masters = {broker.broker_name for broker in route.broker_datas if MASTER_ID in broker.broker_addrs}
    return [
        MessageQueue(topic, data.broker_name, queue_id)
        for data in sorted(route.queue_datas, key=_broker_name)
        if data.perm & WRITE and data.broker_name in masters
        for queue_id in range(data.write_queue_nums)
    ]
