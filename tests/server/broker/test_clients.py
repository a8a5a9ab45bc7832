"""Who is connected, who is told of changes, and how much a client may claim."""

import pytest
from twisted.internet.task import Clock

from rmq.remoting.dispatch import Dispatcher
from rmq.server.broker import clients as clients_module
from rmq.server.broker.clients import Client, ConsumerTable, ProducerTable
from rmq.wire.bodies.heartbeat import ConsumerData, ConsumeType, MessageModel
from rmq.wire.errors import SystemBusyError
from rmq.wire.subscription import build_subscription
from tests.kit.peer import MemoryPeer


class Scene:
    """A consumer table and its peers."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.silenced: set[str] = set()
        self.consumers = ConsumerTable(self.clock.seconds, lambda name: name not in self.silenced)
        self.producers = ProducerTable(self.clock.seconds)

    def peer(self) -> MemoryPeer:
        return MemoryPeer(Dispatcher(()), self.clock)

    def client(self, peer: MemoryPeer, client_id: str = "c") -> Client:
        return Client(peer.connection, client_id, "JAVA", 493, self.clock.seconds())

    def join(self, peer: MemoryPeer, group: str = "G", *topics: str, client_id: str = "c", **options: object) -> bool:
        data = ConsumerData(
            group,
            ConsumeType.CONSUME_PASSIVELY,
            options.pop("model", MessageModel.CLUSTERING),  # type: ignore[arg-type]
            subscription_data_set=[
                build_subscription(topic, str(options.get("tags", "*")), version=int(str(options.get("version", 1))))
                for topic in topics
            ],
        )
        options = {name: value for name, value in options.items() if name in {"fingerprint", "without_sub"}}
        return self.consumers.register(self.client(peer, client_id), data, **options)  # type: ignore[arg-type]


def told(*peers: MemoryPeer) -> list[list[str]]:
    """The groups of which each peer was told that they changed."""
    found = [peer.answers() for peer in peers]
    assert all((command.code, command.flag) == (40, 2) for commands in found for command in commands)
    return [[command.ext["consumerGroup"] for command in commands] for commands in found]


def test_a_newcomer_is_announced_to_all_members_itself_included() -> None:
    scene = Scene()
    a, b = scene.peer(), scene.peer()
    scene.join(a, "G", "T", client_id="a")
    assert told(a, b) == [["G"], []]
    scene.join(b, "G", "T", client_id="b")
    assert told(a, b) == [["G"], ["G"]]
    assert scene.consumers.groups["G"].client_ids == ["a", "b"]
    assert scene.consumers.groups["G"].find("b") is not None
    assert scene.consumers.groups["G"].find("c") is None


def test_the_same_heartbeat_again_tells_nobody() -> None:
    scene = Scene()
    a = scene.peer()
    scene.join(a, "G", "T")
    told(a)
    scene.join(a, "G", "T", version=2)
    assert told(a) == [[]]


def test_topics_that_come_or_go_are_announced_but_not_a_new_expression() -> None:
    scene = Scene()
    a = scene.peer()
    scene.join(a, "G", "T")
    told(a)
    scene.join(a, "G", "T", "U")
    assert told(a) == [["G"]]
    scene.join(a, "G", "U")
    assert told(a) == [["G"]]
    assert list(scene.consumers.groups["G"].subscriptions) == ["U"]
    scene.join(a, "G", "U", tags="x", version=2)
    assert told(a) == [[]]
    assert scene.consumers.subscription("G", "U") == build_subscription("U", "x", version=2)
    scene.join(a, "G", "U", tags="older", version=1)
    assert scene.consumers.subscription("G", "U") == build_subscription("U", "x", version=2)


def test_the_last_heartbeat_of_a_group_wins() -> None:
    scene = Scene()
    a, b = scene.peer(), scene.peer()
    scene.join(a, "G", "T")
    scene.join(b, "G", "U")
    assert list(scene.consumers.groups["G"].subscriptions) == ["U"]
    assert scene.consumers.groups_of("U") == ["G"]
    assert scene.consumers.groups_of("T") == []


def test_broadcasting_groups_and_silenced_ones_are_not_told() -> None:
    scene = Scene()
    a, b = scene.peer(), scene.peer()
    scene.join(a, "B", "T", model=MessageModel.BROADCASTING)
    scene.join(b, "B", "T", model=MessageModel.BROADCASTING)
    scene.silenced.add("S")
    scene.join(a, "S", "T")
    assert told(a, b) == [[], []]


def test_those_who_stay_are_told_of_a_good_bye_and_of_a_lost_connection() -> None:
    scene = Scene()
    a, b, c = scene.peer(), scene.peer(), scene.peer()
    for peer in (a, b, c):
        scene.join(peer, "G", "T")
    told(a, b, c)
    scene.consumers.unregister("G", a.connection)
    assert told(a, b, c) == [[], ["G"], ["G"]]
    b.leave()
    assert told(c) == [["G"]]
    scene.consumers.unregister("G", a.connection)
    assert told(c) == [[]]
    c.leave()
    assert scene.consumers.groups == {}


def test_members_without_a_heartbeat_are_dropped_with_their_connection() -> None:
    scene = Scene()
    a, b = scene.peer(), scene.peer()
    scene.join(a, "G", "T")
    scene.join(b, "G", "T")
    scene.producers.register("P", scene.client(a))
    scene.clock.advance(60)
    scene.join(b, "G", "T")
    told(a, b)
    scene.clock.advance(60)
    scene.consumers.expire()
    scene.producers.expire()
    assert len(scene.consumers.groups["G"].clients) == 2
    scene.clock.advance(0.1)
    scene.consumers.expire()
    assert (a.connection.alive, b.connection.alive) == (False, True)
    assert list(scene.consumers.groups["G"].clients) == [b.connection]
    assert told(b) == [["G"]]
    assert scene.producers.groups == {}


def test_a_producer_without_heartbeat_is_dropped() -> None:
    scene = Scene()
    a = scene.peer()
    scene.producers.register("P", scene.client(a))
    scene.clock.advance(121)
    scene.producers.expire()
    assert not a.connection.alive
    assert scene.producers.groups == {}


def test_producers_come_and_go() -> None:
    scene = Scene()
    a, b = scene.peer(), scene.peer()
    scene.producers.register("P", scene.client(a, "a"))
    scene.producers.register("P", scene.client(b, "b"))
    scene.producers.register("Q", scene.client(a, "a"))
    assert [client.client_id for client in scene.producers.groups["P"].values()] == ["a", "b"]
    scene.producers.unregister("P", a.connection)
    scene.producers.unregister("none", a.connection)
    a.leave()
    assert list(scene.producers.groups) == ["P"]


def test_fingerprints() -> None:
    scene = Scene()
    a, b = scene.peer(), scene.peer()
    assert not scene.join(a, "G", "T", fingerprint=1)
    assert not scene.join(a, "G", fingerprint=1, without_sub=True)
    assert list(scene.consumers.groups["G"].subscriptions) == ["T"]
    assert scene.join(b, "G", fingerprint=2, without_sub=True)
    assert list(scene.consumers.groups["G"].subscriptions) == ["T"]
    assert not scene.join(b, "G", "U", fingerprint=2)
    assert list(scene.consumers.groups["G"].subscriptions) == ["U"]


def test_a_short_heartbeat_to_a_broker_that_remembers_nothing_asks_for_the_whole() -> None:
    scene = Scene()
    a = scene.peer()
    assert scene.join(a, "G", fingerprint=1, without_sub=True)
    assert not scene.join(a, "G", "T", fingerprint=1)
    a.leave()
    assert scene.join(scene.peer(), "G", fingerprint=1, without_sub=True)


def test_coming_and_going_leaves_nothing_behind() -> None:
    scene = Scene()
    a = scene.peer()
    for _ in range(100):
        scene.join(a, "G", "T")
        scene.consumers.unregister("G", a.connection)
        scene.producers.register("P", scene.client(a))
        scene.producers.unregister("P", a.connection)
    assert len(a.connection._closed) == 2


def test_a_producer_is_found_by_its_id_while_it_is_in_a_group() -> None:
    scene = Scene()
    a, b = scene.peer(), scene.peer()
    producers = scene.producers
    assert producers.find("x") is None
    for name in ("P1", "P2"):
        producers.register(name, scene.client(a, "x"))
    producers.unregister("P1", a.connection)
    found = producers.find("x")
    assert found is not None
    assert found.connection is a.connection
    producers.register("P1", scene.client(b, "x"))
    found = producers.find("x")
    assert found is not None
    assert found.connection is b.connection
    a.leave()
    assert producers.find("x") is not None
    b.leave()
    assert producers.find("x") is None


def test_a_producer_has_one_id_the_last_it_told() -> None:
    scene = Scene()
    a, b = scene.peer(), scene.peer()
    for name in ("x", "y", "z"):
        scene.producers.register("P", scene.client(a, name))
    assert [scene.producers.find(name) is not None for name in ("x", "y", "z")] == [False, False, True]
    scene.producers.register("P", scene.client(b, "z"))
    b.leave()
    a.leave()
    assert scene.producers.find("z") is None


def test_the_groups_of_a_connection_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients_module, "MOST_GROUPS", 2)
    scene = Scene()
    a, b = scene.peer(), scene.peer()
    for name in ("G1", "G2", "G1"):
        scene.join(a, name)
        scene.producers.register(name, scene.client(a))
    for join in (lambda: scene.join(a, "G3"), lambda: scene.producers.register("G3", scene.client(a))):
        with pytest.raises(SystemBusyError, match="in 2 groups"):
            join()
    assert "G3" not in scene.consumers.groups
    assert "G3" not in scene.producers.groups
    scene.join(b, "G3")
    scene.consumers.unregister("G1", a.connection)
    scene.join(a, "G3")


def test_the_room_for_subscriptions_is_bounded_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients_module, "SUBSCRIPTION_ROOM", 2000)
    scene = Scene()
    a, b = scene.peer(), scene.peer()
    scene.join(a, "G", "T", "U")
    with pytest.raises(SystemBusyError, match="too much memory"):
        scene.join(b, "H", "T", "U")
    assert "H" not in scene.consumers.groups
    with pytest.raises(SystemBusyError):
        scene.join(a, "G", "T", "U", "V", "W")
    scene.join(a, "G", "T")
    scene.join(b, "H", "T", "U")
    b.leave()
    a.leave()
    scene.join(scene.peer(), "I", "T", "U", "V")
    with pytest.raises(SystemBusyError):
        scene.join(scene.peer(), "J", "T", tags="||".join(f"tag{i}" for i in range(20)))


def test_consumers_and_their_model_follow_the_heartbeat() -> None:
    scene = Scene()
    a = scene.peer()
    scene.join(a, "G", "T", model=MessageModel.BROADCASTING)
    assert scene.consumers.groups["G"].message_model is MessageModel.BROADCASTING
    scene.consumers.register(scene.client(a, "other"), ConsumerData("G"))
    group = scene.consumers.groups["G"]
    assert (group.message_model, group.client_ids) == (MessageModel.BROADCASTING, ["other"])
