"""Where a topic's queues are, on all brokers, as the name servers say.

A route is kept for `loadBalancePollNameServerInterval`. When no name server can be asked, the route known before counts
on; without one it is this broker's own part of the topic.

Source: TopicRouteInfoManager.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any, Final

from twisted.internet.defer import Deferred, maybeDeferred, succeed

from rmq.remoting.calls import Answer, Invoker
from rmq.server.broker.meta.topics import TopicTable
from rmq.settings.model import BrokerSettings
from rmq.wire.bodies.route import MessageQueue, TopicRouteData
from rmq.wire.bodies.topic import PERM_READ
from rmq.wire.requests.route import GetRouteInfoByTopic

MOST_ROUTES: Final = 4096
MOST_QUEUES: Final = 65536
"""Most queues of one topic; name servers believe any number that they are told."""
_TIMEOUT_SECONDS: Final = 3.0

Queues = list[MessageQueue]


class RouteCache:
    """Routes of topics that somebody asked for.

    Args:
        settings: how long a route is kept.
        invoker: calls the name servers.
        name_servers: their addresses.
        topics: this broker's topics.
        seconds: the clock's time.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        invoker: Invoker,
        name_servers: Callable[[], list[str]],
        topics: TopicTable,
        seconds: Callable[[], float],
    ) -> None:
        self._broker = settings.broker
        self._invoker = invoker
        self._name_servers = name_servers
        self._topics = topics
        self._seconds = seconds
        self._routes: dict[str, tuple[float, Queues]] = {}

    def queues(self, topic: str) -> Deferred[Queues]:
        """The topic's queues that can be read, sorted; none when nobody knows the topic."""
        known = self._routes.get(topic)
        keep = self._broker.load_balance_poll_name_server_interval / 1000
        if known is not None and self._seconds() - known[0] < keep:
            return succeed(known[1])
        return self._ask(topic, self._name_servers())

    def _ask(self, topic: str, addresses: list[str]) -> Deferred[Queues]:
        if not addresses:
            known = self._routes.get(topic)
            return succeed(known[1] if known is not None else self._own(topic))
        call: Any = self._invoker.call
        header = GetRouteInfoByTopic(topic, accept_standard_json_only=True)
        asked: Deferred[Answer] = maybeDeferred(call, addresses[0], header, timeout=_TIMEOUT_SECONDS)
        return asked.addCallbacks(
            lambda answer: self._learn(topic, answer.json(TopicRouteData)), lambda _: self._ask(topic, addresses[1:])
        )

    def _learn(self, topic: str, route: TopicRouteData) -> Queues:
        readable = (
            MessageQueue(topic, data.broker_name, queue_id)
            for data in route.queue_datas
            if data.perm & PERM_READ
            for queue_id in range(data.read_queue_nums)
        )
        queues = sorted(islice(readable, MOST_QUEUES))
        self._routes.pop(topic, None)
        if len(self._routes) >= MOST_ROUTES:
            del self._routes[next(iter(self._routes))]
        self._routes[topic] = (self._seconds(), queues)
        return queues

    def _own(self, topic: str) -> Queues:
        config = self._topics.configs.get(topic)
        if config is None or not config.perm & PERM_READ:
            return []
        return [MessageQueue(topic, self._broker.broker_name, queue_id) for queue_id in range(config.read_queue_nums)]
