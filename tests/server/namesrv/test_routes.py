"""The route tables: who is in, who is out, and what that does to topics."""

from typing import Any

import pytest

from rmq.server.namesrv import routes as routes_module
from rmq.server.namesrv.registration import MinBrokerChange, Registered, Registration, RegistrationRefusedError
from rmq.server.namesrv.routes import RouteTables
from rmq.settings.namesrv import NamesrvConfig
from rmq.wire.bodies.mapping import TopicQueueMappingInfo
from rmq.wire.bodies.route import QueueData
from rmq.wire.bodies.topic import TopicConfig
from rmq.wire.bodies.version import DataVersion
from rmq.wire.errors import InvalidParameterError


class Peer:
    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


class World:
    """Tables with a clock and the notifications they made."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.config = NamesrvConfig()
        self.told: list[MinBrokerChange] = []
        self.tables = RouteTables(self.config, lambda: self.time, self.told.append)

    def register(
        self, address: str = "h:1", broker_id: int = 0, *, name: str = "a", topics: str = "T1 T2", **rest: Any
    ) -> Registered:
        said = Registration(
            rest.pop("cluster", "C"),
            name,
            broker_id,
            address,
            f"ha-{address}",
            topics={topic: TopicConfig(topic, 4, 8, 6) for topic in topics.split()},
            **rest,
        )
        return self.tables.register(said)

    def perms(self, name: str = "a") -> dict[str, int]:
        return {topic: queues[name].perm for topic, queues in self.tables.topics.items() if name in queues}

    def addresses(self, name: str = "a") -> dict[int, str]:
        return self.tables.brokers[name].broker_addrs


@pytest.fixture
def world() -> World:
    return World()


def test_a_master_brings_its_topics(world: World) -> None:
    assert world.register() == Registered()
    assert world.tables.topics == {"T1": {"a": QueueData("a", 4, 8, 6)}, "T2": {"a": QueueData("a", 4, 8, 6)}}
    assert world.tables.clusters == {"C": {"a"}}
    assert world.addresses() == {0: "h:1"}


def test_a_slave_is_told_its_master_and_brings_no_topics(world: World) -> None:
    world.register()
    told = world.register("h:2", 1, topics="T3 T4")
    assert told == Registered("h:1", "ha-h:1")
    assert set(world.tables.topics) == {"T1", "T2"}
    assert world.addresses() == {0: "h:1", 1: "h:2"}


def test_a_lone_slave_of_the_acting_master_age_brings_topics_without_write_permission(world: World) -> None:
    world.register("h:2", 1, enable_acting_master=True)
    assert world.perms() == {"T1": 4, "T2": 4}
    assert world.tables.brokers["a"].enable_acting_master is True


def test_a_lone_slave_of_the_acting_master_age_with_the_mode_off_keeps_permissions(world: World) -> None:
    world.register("h:2", 1, enable_acting_master=False)
    assert world.perms() == {"T1": 6, "T2": 6}


def test_queues_are_rewritten_only_with_a_new_version(world: World) -> None:
    version = DataVersion(0, 1, 1)
    world.register(version=version)
    assert world.tables.wipe_write_perm("a") == 2
    world.register(version=version)
    assert world.perms() == {"T1": 4, "T2": 4}
    world.register(version=version, topics="T1 T2 T3")
    assert world.perms() == {"T1": 4, "T2": 4, "T3": 6}
    world.register(version=version.next(2))
    assert world.perms() == {"T1": 6, "T2": 6, "T3": 6}


def test_topics_that_a_registration_leaves_out_stay_unless_told_otherwise(world: World) -> None:
    world.register(topics="T1 T2 T3")
    world.register(topics="T1 T2", version=DataVersion(0, 1, 1))
    assert set(world.tables.topics) == {"T1", "T2", "T3"}
    world.config.delete_topic_with_broker_registration = True
    world.register(topics="T2 T4", version=DataVersion(0, 2, 2))
    assert set(world.tables.topics) == {"T2", "T4"}


def test_a_registration_of_what_changed_changes_nothing_else(world: World) -> None:
    world.register(version=DataVersion(0, 1, 1))
    world.tables.wipe_write_perm("a")
    world.register(topics="T3", version=DataVersion(0, 2, 2))
    assert world.perms() == {"T1": 4, "T2": 4, "T3": 6}
    world.register(topics="T1 T2 T3", version=DataVersion(0, 2, 2))
    assert world.perms() == {"T1": 4, "T2": 4, "T3": 6}, "the whole table comes with a version that is known"
    world.register(topics="T2", version=DataVersion(0, 3, 3))
    assert world.perms() == {"T1": 4, "T2": 6, "T3": 6}


def test_a_slave_that_became_master_has_one_id(world: World) -> None:
    world.register("h:2", 1)
    world.register("h:2", 0)
    assert world.addresses() == {0: "h:2"}


def test_a_deposed_master_is_kept_out(world: World) -> None:
    world.register("h:1", version=DataVersion(5, 1, 1))
    world.register("h:2", version=DataVersion(4, 9, 9))
    assert world.addresses() == {0: "h:1"}
    assert ("C", "h:2") not in world.tables.live
    world.register("h:2", version=DataVersion(5, 0, 0))
    assert world.addresses() == {0: "h:2"}


def test_one_topic_is_no_first_registration(world: World) -> None:
    with pytest.raises(RegistrationRefusedError, match=r"^CODE: 1  DESC: register broker failed$"):
        world.register(topics="T1")
    assert not world.tables.brokers
    assert not world.tables.clusters
    world.register()
    world.register(topics="T9")
    assert "T9" in world.tables.topics


def test_the_last_address_takes_the_topics_along(world: World) -> None:
    world.register()
    world.register("h:2", 1)
    world.register("h:3", name="b", topics="T2 T3")
    world.tables.unregister("C", "h:1", "a", 0)
    assert world.addresses() == {1: "h:2"}
    assert world.perms() == {"T1": 6, "T2": 6}
    world.tables.unregister("C", "h:2", "a", 1)
    assert world.tables.topics == {"T2": {"b": QueueData("b", 4, 8, 6)}, "T3": {"b": QueueData("b", 4, 8, 6)}}
    assert world.tables.clusters == {"C": {"b"}}
    world.tables.unregister("C", "h:3", "b", 0)
    assert (world.tables.topics, world.tables.clusters, world.tables.brokers, world.tables.live) == ({}, {}, {}, {})


def test_unregistering_the_unknown_changes_nothing(world: World) -> None:
    world.register()
    world.tables.unregister("C", "h:9", "a", 0)
    world.tables.unregister("X", "h:9", "nobody", 0)
    assert world.addresses() == {0: "h:1"}


def test_an_address_has_one_name(world: World) -> None:
    world.register("h:1", name="a")
    world.register("h:1", name="b")
    assert set(world.tables.brokers) == {"b"}
    assert world.tables.topics["T1"].keys() == {"b"}


def test_without_master_the_write_permission_goes_when_there_may_be_an_acting_one(world: World) -> None:
    world.register("h:1", 0, enable_acting_master=True)
    world.register("h:2", 1, enable_acting_master=True)
    world.tables.unregister("C", "h:1", "a", 0)
    assert world.perms() == {"T1": 4, "T2": 4}


def test_a_closed_connection_takes_out_all_its_brokers(world: World) -> None:
    shared, other = Peer(), Peer()
    world.register("h:1", name="a", peer=shared)
    world.register("h:2", name="b", peer=shared)
    world.register("h:3", name="c", peer=other)
    world.tables.peer_gone(shared)
    assert set(world.tables.brokers) == {"c"}


def test_a_broker_that_came_back_over_another_connection_stays(world: World) -> None:
    old, new = Peer(), Peer()
    world.register(peer=old)
    world.register(peer=new)
    world.tables.peer_gone(old)
    assert world.addresses() == {0: "h:1"}


def test_silence_expires_and_signs_of_life_do_not(world: World) -> None:
    silent, alive = Peer(), Peer()
    world.register("h:1", name="a", peer=silent)
    world.register("h:2", name="b", peer=alive)
    world.register("h:3", name="c", timeout_millis=500_000)
    world.time += 100
    world.tables.heartbeat("C", "h:2")
    world.tables.heartbeat("C", "unknown:1")
    world.time += 20
    world.tables.expire()
    assert set(world.tables.brokers) == {"a", "b", "c"}
    world.time += 0.1
    world.tables.expire()
    assert set(world.tables.brokers) == {"b", "c"}
    assert (silent.closed, alive.closed) == (1, 0)


def test_versions_are_remembered_by_address(world: World) -> None:
    version = DataVersion(0, 3, 7)
    assert world.tables.is_version_changed("C", "h:1", version)
    world.register(version=version)
    assert world.tables.version_of("C", "h:1") == version
    assert not world.tables.is_version_changed("C", "h:1", DataVersion(0, 3, 7))
    assert world.tables.is_version_changed("C", "h:1", version.next(8))


def test_permissions_wiped_and_added(world: World) -> None:
    world.register()
    world.register("h:3", name="b", topics="T2 T3")
    assert world.tables.wipe_write_perm("a") == 2
    assert (world.perms("a"), world.perms("b")) == ({"T1": 4, "T2": 4}, {"T2": 6, "T3": 6})
    assert world.tables.add_write_perm("a") == 2
    assert world.perms("a") == {"T1": 6, "T2": 6}
    assert world.tables.wipe_write_perm("nobody") == 0


def test_single_topics_come_and_go(world: World) -> None:
    world.register()
    world.register("h:3", name="b", cluster="D")
    world.tables.register_topic("N", [QueueData("a", 1, 1, 6), QueueData("nobody", 1, 1, 6), QueueData("b", 1, 1, 6)])
    assert world.tables.topics["N"].keys() == {"a"}
    world.tables.delete_topic("T1", "D")
    assert world.tables.topics["T1"].keys() == {"a"}
    world.tables.delete_topic("T1", "C")
    assert "T1" not in world.tables.topics
    world.tables.delete_topic("T2")
    assert "T2" not in world.tables.topics
    world.tables.delete_topic("never")


def test_mappings_come_and_go_with_their_broker(world: World) -> None:
    mapping = TopicQueueMappingInfo("T1", total_queues=4, bname="a")
    world.register(mappings={"T1": mapping})
    assert world.tables.mappings == {"T1": {"a": mapping}}
    world.tables.unregister("C", "h:1", "a", 0)
    assert world.tables.mappings == {}


def test_a_mapping_goes_with_the_topic(world: World) -> None:
    world.register(mappings={name: TopicQueueMappingInfo(name, bname="a") for name in ("T1", "T2")})
    world.tables.delete_topic("T1", "C")
    assert world.tables.mappings.keys() == {"T2"}


@pytest.mark.parametrize("name", ["", "../x", "a b", "x" * 256, "a\nb", "\x00", "a\\b"])
def test_names_that_no_broker_has_are_refused(world: World, name: str) -> None:
    for said in ({"name": name}, {"cluster": name}, {"address": name}):
        with pytest.raises(InvalidParameterError, match="is not allowed"):
            world.register(**said)
    with pytest.raises(InvalidParameterError):
        world.tables.register_topic(name, [])


def test_illegal_topics_are_left_out_and_the_rest_taken(world: World) -> None:
    said = Registration("C", "a", 0, "h:1", topics={"../x": TopicConfig("../x"), "T": TopicConfig("T")})
    world.tables.register(said)
    assert set(world.tables.topics) == {"T"}


def test_topics_named_after_dotted_hosts_are_taken(world: World) -> None:
    world.register(topics="host.example.org My.Cluster")
    assert set(world.tables.topics) == {"host.example.org", "My.Cluster"}


def test_room_for_brokers_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes_module, "MAX_BROKERS", 1)
    world.register()
    with pytest.raises(RegistrationRefusedError, match="no room for another"):
        world.register("h:2", 1)
    world.register()


def test_room_for_queues_is_bounded_and_given_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes_module, "MAX_QUEUE_DATAS", 3)
    world.register()
    with pytest.raises(RegistrationRefusedError, match="no room for more"):
        world.register("h:2", name="b")
    world.tables.delete_topic("T1")
    world.tables.delete_topic("T2")
    world.register("h:2", name="b", topics="T4 T5")


def test_a_lower_id_is_announced_to_the_others(world: World) -> None:
    world.config.notify_min_broker_id_changed = True
    world.register("h:3", 3, enable_acting_master=True)
    world.register("h:2", 2, enable_acting_master=True)
    world.register("h:5", 5, enable_acting_master=True)
    assert world.told == [MinBrokerChange(2, "h:2", None, "ha-h:2", ("h:3",))]


def test_a_lowest_id_that_left_is_announced_to_the_rest(world: World) -> None:
    world.config.notify_min_broker_id_changed = True
    for address, broker_id in (("h:1", 0), ("h:2", 1), ("h:3", 2)):
        world.register(address, broker_id, enable_acting_master=True)
    world.tables.unregister("C", "h:3", "a", 2)
    assert world.told == []
    world.tables.unregister("C", "h:1", "a", 0)
    assert world.told == [MinBrokerChange(1, "h:2", "h:1", None, ("h:2",))]


def test_nobody_is_told_when_the_setting_is_off(world: World) -> None:
    world.register("h:3", 3, enable_acting_master=True)
    world.register("h:2", 2, enable_acting_master=True)
    world.tables.unregister("C", "h:2", "a", 2)
    assert world.told == []
