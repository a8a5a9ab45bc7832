"""Routes by which queues are divided."""

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from rmq.remoting.calls import Answer
from rmq.remoting.errors import ConnectFailedError
from rmq.server.broker.meta.config_file import ConfigFile
from rmq.server.broker.meta.topics import TopicTable
from rmq.server.broker.pop import routes
from rmq.server.broker.pop.routes import RouteCache
from rmq.wire.bodies.route import MessageQueue, QueueData, TopicRouteData
from rmq.wire.bodies.topic import TopicConfig
from rmq.wire.command import Command
from rmq.wire.declare import encode_body
from rmq.wire.errors import TopicNotExistError
from rmq.wire.requests.route import GetRouteInfoByTopic
from tests.kit.broker import settings_of
from tests.kit.memory_files import MemoryFiles


class NameServers:
    """Two of them; `down` ones cannot be reached."""

    def __init__(self) -> None:
        self.down: set[str] = set()
        self.asked: list[str] = []
        self.route: TopicRouteData | None = TopicRouteData(
            queue_datas=[QueueData("b", 1, 5, 6), QueueData("a", 2, 0, 4), QueueData("c", 3, 3, 2)]
        )
        self.clock = Clock()
        topics = TopicTable(settings_of(), ConfigFile("t", MemoryFiles()), lambda: 0)
        topics.put(TopicConfig("T", read_queue_nums=2), TopicConfig("Silent", perm=2))
        self.cache = RouteCache(settings_of(), self, lambda: ["n1", "n2"], topics, self.clock.seconds)  # type: ignore[arg-type]

    def call(self, address: str, header: GetRouteInfoByTopic, *, timeout: float) -> Deferred[Answer]:
        self.asked.append(address)
        if address in self.down:
            return fail(ConnectFailedError(address, "refused"))
        if self.route is None:
            return fail(TopicNotExistError("no"))
        return succeed(Answer(GetRouteInfoByTopic, Command(0, body=encode_body(self.route)), address))

    def queues(self, topic: str = "T") -> list[str]:
        found: list[list[MessageQueue]] = []
        self.cache.queues(topic).addCallback(found.append)
        return [f"{queue.broker_name}{queue.queue_id}" for queue in found[0]]


def test_readable_queues_of_all_brokers() -> None:
    servers = NameServers()
    assert servers.queues() == ["a0", "a1", "b0"]
    assert servers.asked == ["n1"]


def test_a_route_is_kept_for_a_while() -> None:
    servers = NameServers()
    servers.queues()
    servers.route = TopicRouteData(queue_datas=[QueueData("z", 1, 1, 6)])
    servers.clock.advance(29.9)
    assert (servers.queues(), len(servers.asked)) == (["a0", "a1", "b0"], 1)
    servers.clock.advance(0.2)
    assert (servers.queues(), len(servers.asked)) == (["z0"], 2)


def test_name_servers_that_do_not_answer() -> None:
    servers = NameServers()
    servers.down = {"n1"}
    assert (servers.queues(), servers.asked) == (["a0", "a1", "b0"], ["n1", "n2"])
    servers.down = {"n1", "n2"}
    servers.clock.advance(31)
    assert servers.queues() == ["a0", "a1", "b0"]
    assert NameServers().queues() == ["a0", "a1", "b0"]


def test_without_a_route_the_brokers_own_queues_count() -> None:
    servers = NameServers()
    servers.route = None
    assert servers.queues() == ["broker-a0", "broker-a1"]
    assert servers.queues("Silent") == []
    assert servers.queues("Unknown") == []


def test_a_route_of_more_queues_than_any_topic_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "MOST_QUEUES", 3)
    servers = NameServers()
    servers.route = TopicRouteData(queue_datas=[QueueData("a", 2**31 - 1, 0, 6)])
    assert servers.queues() == ["a0", "a1", "a2"]
