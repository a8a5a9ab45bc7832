"""Name servers, routes and what follows from them."""

import pytest
from twisted.internet.defer import Deferred

from rmq.client.errors import BrokerNotExistError, ClientError
from rmq.client.nameservers import NameServers
from rmq.client.routes import PublishQueues, Routes
from rmq.remoting.errors import ConnectFailedError
from rmq.wire.bodies.route import BrokerData, MessageQueue, QueueData, TopicRouteData
from rmq.wire.command import Command
from rmq.wire.declare import encode_body
from rmq.wire.errors import TopicNotExistError
from rmq.wire.requests.route import GetRouteInfoByTopic
from tests.kit.cluster import NAMESRV, MemoryCluster


def outcome(result: Deferred[object]) -> object:
    """What it fired with; an error as a value."""
    outcomes: list[object] = []
    result.addCallbacks(outcomes.append, lambda failure: outcomes.append(failure.value))
    return outcomes[0]


class TwoServers(MemoryCluster):
    """A cluster whose name server has a second address."""

    other = "10.0.0.8:9876"


def name_servers(cluster: MemoryCluster, first: int = 0) -> NameServers:
    return NameServers(cluster, [NAMESRV, TwoServers.other], lambda below: first)


def test_the_next_name_server_is_asked_when_one_is_down() -> None:
    cluster = MemoryCluster()
    servers = name_servers(cluster)
    cluster.down.add(NAMESRV)
    asked = GetRouteInfoByTopic("TBW102")
    outcome(Deferred.fromCoroutine(servers.call(asked)))
    outcome(Deferred.fromCoroutine(servers.call(asked)))
    assert [call.address for call in cluster.calls] == [NAMESRV, TwoServers.other, TwoServers.other]


def test_the_first_name_server_is_chosen() -> None:
    cluster = MemoryCluster()
    outcome(Deferred.fromCoroutine(name_servers(cluster, first=1).call(GetRouteInfoByTopic("TBW102"))))
    assert cluster.calls[0].address == TwoServers.other


def test_all_name_servers_down() -> None:
    cluster = MemoryCluster()
    cluster.down |= {NAMESRV, TwoServers.other}
    error = outcome(Deferred.fromCoroutine(name_servers(cluster).call(GetRouteInfoByTopic("TBW102"))))
    assert isinstance(error, ConnectFailedError)
    assert error.address == TwoServers.other
    with pytest.raises(ClientError):
        NameServers(cluster, [], lambda below: 0)


def test_a_refusal_is_an_answer() -> None:
    cluster = MemoryCluster()
    error = outcome(Deferred.fromCoroutine(name_servers(cluster).call(GetRouteInfoByTopic("none"))))
    assert isinstance(error, TopicNotExistError)
    assert len(cluster.calls) == 1


def routes(cluster: MemoryCluster) -> Routes:
    return Routes(name_servers(cluster), lambda below: 0)


def test_queues_and_addresses() -> None:
    cluster = MemoryCluster(brokers=2)
    cluster.create("T", 2)
    known = routes(cluster)
    assert (known.publish_queues("T"), known.read_queues("T"), known.any_broker_of("T")) == (None, None, None)
    outcome(known.refresh("T"))
    everything = [MessageQueue("T", f"broker-{letter}", i) for letter in "ab" for i in range(2)]
    assert known.read_queues("T") == everything
    publish = known.publish_queues("T")
    assert publish is not None
    assert [publish.select() for _ in range(5)] == [*everything, everything[0]]
    assert publish.select(avoid="broker-a").broker_name == "broker-b"
    assert known.master_address("broker-b") == "10.0.0.2:10911"
    assert known.broker_addresses() == ["10.0.0.1:10911", "10.0.0.2:10911"]
    with pytest.raises(BrokerNotExistError, match=r"The broker\[broker-x\] not exist"):
        known.master_address("broker-x")


def test_a_dead_broker_disappears_and_a_lost_route_stays() -> None:
    cluster = MemoryCluster(brokers=2)
    cluster.create("T", 1)
    known = routes(cluster)
    outcome(known.refresh("T"))
    cluster.down.add("10.0.0.2:10911")
    outcome(known.refresh("T"))
    assert known.broker_addresses() == ["10.0.0.1:10911"]
    del cluster.topics["T"]
    assert isinstance(outcome(known.refresh("T")), TopicNotExistError)
    assert known.read_queues("T") == [MessageQueue("T", "broker-a", 0)]


def test_a_new_topic_takes_the_default_topics_route() -> None:
    cluster = MemoryCluster()
    known = routes(cluster)
    outcome(known.refresh_default("New", "TBW102", 4))
    assert known.read_queues("New") == [MessageQueue("New", "broker-a", i) for i in range(4)]
    assert cluster.asked(GetRouteInfoByTopic) == [GetRouteInfoByTopic("TBW102", True)]


def scripted(route: TopicRouteData) -> Routes:
    cluster = MemoryCluster()
    cluster._GetRouteInfoByTopic = lambda call, _: Command(0, body=encode_body(route))  # type: ignore[method-assign]
    known = routes(cluster)
    outcome(known.refresh("T"))
    return known


def test_permissions_and_slaves() -> None:
    """Only writable queues of brokers with a master take messages; only readable ones are consumed."""
    known = scripted(
        TopicRouteData(
            [
                BrokerData("both", broker_addrs={0: "10.0.0.1:1", 1: "10.0.0.2:1"}),
                BrokerData("slave", broker_addrs={1: "10.0.0.3:1"}),
            ],
            [QueueData("both", 2, 1, 6), QueueData("slave", 1, 1, 6), QueueData("both", 5, 5, 1)],
        )
    )
    publish = known.publish_queues("T")
    assert publish is not None
    assert publish.queues == (MessageQueue("T", "both", 0),)
    assert known.read_queues("T") == [
        MessageQueue("T", "both", 0),
        MessageQueue("T", "both", 1),
        MessageQueue("T", "slave", 0),
    ]
    assert known.replica_address("both", 1) == "10.0.0.2:1"
    assert known.replica_address("both", 7) == "10.0.0.1:1"
    assert known.replica_address("slave", 0) == "10.0.0.3:1"
    with pytest.raises(BrokerNotExistError):
        known.master_address("slave")
    assert known.broker_addresses(masters_only=True) == ["10.0.0.1:1"]


def test_read_only_and_ordered_topics() -> None:
    brokers = [BrokerData("b", broker_addrs={0: "10.0.0.1:1"})]
    assert scripted(TopicRouteData(brokers, [QueueData("b", 4, 4, 4)])).publish_queues("T") is None
    ordered = scripted(TopicRouteData(brokers, [QueueData("b", 4, 4, 6)], order_topic_conf="b:2;c:1")).publish_queues(
        "T"
    )
    assert ordered is not None
    assert [(queue.broker_name, queue.queue_id) for queue in ordered.queues] == [("b", 0), ("b", 1), ("c", 0)]


def test_one_look_up_for_all_who_ask() -> None:
    cluster = MemoryCluster()
    waiting: list[Deferred[Command]] = []
    cluster._GetRouteInfoByTopic = lambda call, _: waiting.append(Deferred()) or waiting[-1]  # type: ignore
    known = routes(cluster)
    found: list[object] = []
    for _ in range(5):
        known.refresh("T").addCallback(found.append)
    assert len(waiting) == 1
    waiting[0].callback(Command(0, body=encode_body(TopicRouteData())))
    assert found == [TopicRouteData()] * 5


def test_selection_wraps_around() -> None:
    queues = PublishQueues([MessageQueue("T", "b", 0)], 5)
    assert [queues.select(avoid="b") for _ in range(3)] == [MessageQueue("T", "b", 0)] * 3


def test_who_tries_again_on_the_only_broker_takes_the_queues_in_turn() -> None:
    queues = PublishQueues([MessageQueue("T", "b", number) for number in range(4)], 0)
    assert [queues.select(avoid="b").queue_id for _ in range(5)] == [0, 1, 2, 3, 0]


def test_of_several_routes_the_newest_tells_where_a_broker_is() -> None:
    cluster = MemoryCluster()
    both, slave_only = {0: "10.0.0.1:10911", 1: "10.0.0.7:10911"}, {1: "10.0.0.7:10911"}
    addresses = both
    cluster._GetRouteInfoByTopic = lambda call, body: Command(  # type: ignore[method-assign]
        0,
        body=encode_body(TopicRouteData([BrokerData("broker-a", "C", addresses)], [QueueData("broker-a", 4, 4, 6)])),
    )
    routes = Routes(name_servers(cluster), lambda below: 0)
    outcome(routes.refresh("A"))
    addresses = slave_only
    outcome(routes.refresh("B"))
    assert routes.replica_address("broker-a", 0) == "10.0.0.7:10911"
    # What A is told is what it was told before the master went.
    addresses = both
    outcome(routes.refresh("A"))
    assert routes.master_address("broker-a") == "10.0.0.1:10911"
    outcome(routes.refresh("C"))
    addresses = slave_only
    outcome(routes.refresh("A"))
    assert routes.broker_addresses() == ["10.0.0.7:10911"]
