"""What is told of the tables."""

import pytest

from rmq.server.namesrv import lookup
from rmq.server.namesrv.registration import Registration
from rmq.server.namesrv.routes import RouteTables
from rmq.settings.namesrv import NamesrvConfig
from rmq.wire.bodies.mapping import TopicQueueMappingInfo
from rmq.wire.bodies.route import BrokerData, BrokerMemberGroup, ClusterInfo, QueueData, TopicRouteData
from rmq.wire.bodies.topic import TopicConfig, TopicList


def register(
    tables: RouteTables,
    address: str,
    broker_id: int,
    topics: dict[str, int],
    name: str = "a",
    cluster: str = "C",
    **rest: object,
) -> None:
    """`topics` are names and system flags."""
    configs = {topic: TopicConfig(topic, 4, 4, 6, topic_sys_flag=flag) for topic, flag in topics.items()}
    tables.register(Registration(cluster, name, broker_id, address, topics=configs, **rest))


@pytest.fixture
def tables() -> RouteTables:
    made = RouteTables(NamesrvConfig(), lambda: 0.0, lambda change: None)
    register(made, "h:2", 2, {"T": 0, "U": 1, "S": 2}, enable_acting_master=True, zone_name="z1")
    register(made, "h:1", 1, {"T": 0, "U": 1, "S": 2}, enable_acting_master=True, zone_name="z1")
    register(made, "g:1", 0, {"T": 0, "B": 3}, name="b", cluster="D", zone_name="Z2", filter_servers=["f:1"])
    return made


def test_a_route_names_brokers_queues_and_filter_servers(tables: RouteTables) -> None:
    assert lookup.route_of(tables, "T") == TopicRouteData(
        [BrokerData("a", "C", {1: "h:1", 2: "h:2"}, "z1", True), BrokerData("b", "D", {0: "g:1"}, "Z2", False)],
        [QueueData("a", 4, 4, 4), QueueData("b", 4, 4, 6)],
        {"g:1": ["f:1"]},
    )
    assert list(lookup.route_of(tables, "T").broker_datas[0].broker_addrs) == [1, 2]


def test_no_route_without_queues_or_brokers(tables: RouteTables) -> None:
    assert lookup.route_of(tables, "nope") is None
    tables.topics["orphan"] = {"gone": QueueData("gone")}
    assert lookup.route_of(tables, "orphan") is None


def test_the_lowest_slave_acts_as_master_when_asked_for(tables: RouteTables) -> None:
    route = lookup.route_of(tables, "U", acting_master=True)
    assert route.broker_datas[0].broker_addrs == {0: "h:1", 2: "h:2"}
    assert tables.brokers["a"].broker_addrs == {1: "h:1", 2: "h:2"}


def test_nobody_acts_while_queues_are_writable_or_for_member_groups(tables: RouteTables) -> None:
    tables.add_write_perm("a")
    assert lookup.route_of(tables, "U", acting_master=True).broker_datas[0].broker_addrs == {1: "h:1", 2: "h:2"}
    tables.wipe_write_perm("a")
    tables.topics["rmq_sys_SYNC_BROKER_MEMBER_a"] = {"a": QueueData("a", 1, 1, 4)}
    route = lookup.route_of(tables, "rmq_sys_SYNC_BROKER_MEMBER_a", acting_master=True)
    assert route.broker_datas[0].broker_addrs == {1: "h:1", 2: "h:2"}


def test_static_mappings_are_part_of_the_route(tables: RouteTables) -> None:
    mapping = TopicQueueMappingInfo("T", bname="a")
    tables.mappings["T"] = {"a": mapping}
    assert lookup.route_of(tables, "T").topic_queue_mapping_by_broker == {"a": mapping}


def test_within_a_zone_stay_its_groups_and_those_without_master(tables: RouteTables) -> None:
    kept = lookup.within_zone(lookup.route_of(tables, "T"), "z2")
    assert [group.broker_name for group in kept.broker_datas] == ["a", "b"]
    kept = lookup.within_zone(lookup.route_of(tables, "T"), "other")
    assert [group.broker_name for group in kept.broker_datas] == ["a"]
    assert [queue.broker_name for queue in kept.queue_datas] == ["a"]
    assert kept.filter_server_table == {}


def test_cluster_and_members(tables: RouteTables) -> None:
    assert lookup.cluster_info(tables) == ClusterInfo(
        {
            "a": BrokerData("a", "C", {2: "h:2", 1: "h:1"}, "z1", True),
            "b": BrokerData("b", "D", {0: "g:1"}, "Z2", False),
        },
        {"C": ["a"], "D": ["b"]},
    )
    assert lookup.member_group(tables, "C", "a") == BrokerMemberGroup("C", "a", {1: "h:1", 2: "h:2"})
    assert lookup.member_group(tables, "C", "nobody") == BrokerMemberGroup("C", "nobody", {})


def test_topic_lists(tables: RouteTables) -> None:
    assert lookup.all_topics(tables) == TopicList(["B", "S", "T", "U"])
    assert lookup.topics_of_cluster(tables, "D") == TopicList(["B", "T"])
    assert lookup.topics_of_cluster(tables, "unknown") == TopicList([])
    assert lookup.system_topics(tables) == TopicList(["C", "D", "a", "b"], "h:2")
    assert lookup.unit_topics(tables) == TopicList(["B", "U"])
    assert lookup.unit_sub_topics(tables) == TopicList(["B", "S"])
    assert lookup.unit_sub_ununit_topics(tables) == TopicList(["S"])
