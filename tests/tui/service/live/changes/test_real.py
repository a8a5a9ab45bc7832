"""Changes carried out by real servers: what is previewed, what becomes of it, and what is read back.

RMQ_TEST_SERVER=apache has Apache's servers do it.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from rmq.client.aio import Producer
from rmq.client.message import Message
from rmq.testing.server import RocketMQ
from rmq.tui.service.changes.brokers import AddWritePerm, ChangeBrokerSettings, ShutdownBroker, WipeWritePerm
from rmq.tui.service.changes.change import Change, Item, Outcome, Preview
from rmq.tui.service.changes.definitions import Definitions
from rmq.tui.service.changes.groups import CreateGroup, DeleteGroup, EditGroup, GroupDefinition
from rmq.tui.service.changes.places import Place
from rmq.tui.service.changes.topics import CreateTopic, DeleteTopic, EditTopic, ImportTopics, TopicDefinition
from rmq.tui.service.live.service import LiveService
from rmq.tui.service.model import Problem
from tests.kit import toolchains
from tests.kit.server import chosen_kind, maker
from tests.kit.tui.real import now

CLUSTER = Place(cluster="DefaultCluster")


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    if chosen_kind() == "apache":
        toolchains.require("java")
        apache = maker("apache")(tmp_path_factory.mktemp("apache"))
        yield apache
        apache.kill()
        return
    with RocketMQ() as running:
        yield running


def with_service(servers: RocketMQ, work: Callable[[LiveService], Awaitable[Any]], local: Any = None) -> Any:
    async def run() -> Any:
        service = LiveService([servers.namesrv_addr], now, local)
        try:
            return await work(service)
        finally:
            await service.close()

    return asyncio.run(run())


def previewed(servers: RocketMQ, change: Change, local: Any = None) -> Preview:
    found = with_service(servers, lambda service: service.preview(change), local)
    assert isinstance(found, Preview), found
    return found


def carried_out(servers: RocketMQ, change: Change, local: Any = None) -> Outcome:
    """What became of a change; its parts were told one by one."""
    told: list[Item] = []
    found = with_service(servers, lambda service: service.change(change, told.append), local)
    assert isinstance(found, Outcome), found
    assert sorted(told, key=str) == sorted(found.items, key=str)
    return found


def test_a_topic_is_created_edited_and_deleted(servers: RocketMQ) -> None:
    fifo = TopicDefinition("Made", 4, 4, 6, attributes=(("message.type", "FIFO"),))
    create = CreateTopic(CLUSTER, fifo)
    assert previewed(servers, create) == Preview(
        ("BROKER", "SETTING", "NOW", "THEN"),
        (("broker-a", "topic", "-", "4r/4w RW- FIFO"),),
        ("4 queues to write to, on 1 broker",),
    )
    assert carried_out(servers, create) == Outcome(
        True,
        "1 of 1 broker as wanted",
        (Item("broker-a", True, "created"),),
        ("broker-a: 4r/4w RW- FIFO",),
    )
    assert previewed(servers, create).refusal == "Made is on broker-a already: edit it there"

    wanted = TopicDefinition("Made", 2, 4, 4, attributes=(("message.type", "FIFO"),))
    edit = EditTopic(Place(broker=servers.broker_addr), wanted, fifo)
    preview = previewed(servers, edit)
    assert preview.rows == (("broker-a", "readQueueNums", "4", "2"), ("broker-a", "perm", "RW-", "R--"))
    assert preview.warnings == (
        "broker-a: 2 queues fewer to read: what is still in them reaches no consumer",
        "messages in queues beyond those that are read reach no consumer",
        "with the permission R-- no producer can send to it",
    )
    assert carried_out(servers, edit).read_back == ("broker-a: 2r/4w R-- FIFO",)
    assert previewed(servers, edit).refusal == "nothing would change"
    assert carried_out(servers, edit).items == (Item("broker-a", True, "was like that already"),)

    delete = DeleteTopic("DefaultCluster", "Made")
    assert previewed(servers, delete) == Preview(
        notes=(
            "0 messages stored on 1 broker can be read no longer",
            "no group reads it",
            "nothing came in the last minute",
        )
    )
    assert carried_out(servers, delete) == Outcome(
        True,
        "deleted",
        (Item("broker-a", True, "deleted"), Item(f"name server {servers.namesrv_addr}", True, "route deleted")),
        ("broker-a: it is gone", "route: there is none"),
    )
    assert previewed(servers, delete).refusal == "no broker of DefaultCluster has Made"


def test_an_ordered_topic_is_known_to_the_name_servers(servers: RocketMQ) -> None:
    outcome = carried_out(servers, CreateTopic(CLUSTER, TopicDefinition("InOrder", 2, 2, order=True)))
    assert outcome == Outcome(
        True,
        "1 of 1 broker as wanted",
        (Item("broker-a", True, "created"), Item("order configuration", True, "stored in the name servers")),
        ("broker-a: 2r/2w RW- NORMAL in order",),
    )


@pytest.mark.parametrize("name", ["TBW102", "broker-a", "DefaultCluster", "rmq_sys_wheel_timer"])
def test_rocketmqs_own_topics_are_not_deleted(servers: RocketMQ, name: str) -> None:
    found = previewed(servers, DeleteTopic("DefaultCluster", name))
    assert found.refusal == f"{name} is RocketMQ's own and cannot be deleted"


def test_a_cluster_that_is_not_there(servers: RocketMQ) -> None:
    found = with_service(servers, lambda service: service.preview(DeleteTopic("Nowhere", "T")))
    assert isinstance(found, Problem)
    assert found.cause == "the cluster Nowhere does not exist"


def test_what_would_be_missed_of_a_topic(servers: RocketMQ) -> None:
    async def fill() -> None:
        async with Producer("makers", namesrv_addr=servers.namesrv_addr) as producer:
            for number in range(7):
                await producer.send(Message("Missed", f"{number}"))

    carried_out(servers, CreateTopic(CLUSTER, TopicDefinition("Missed", 1, 1)))
    asyncio.run(fill())
    commit(servers, "reader", "Missed", 3)
    found = previewed(servers, DeleteTopic("DefaultCluster", "Missed"))
    assert found.columns == ("GROUP", "STATE", "CLIENTS", "LAG")
    assert found.rows == (("reader", "offline", "0", "4"),)
    assert found.notes[:2] == ("7 messages stored on 1 broker can be read no longer", "1 group reads it")
    assert "4 messages have not been consumed by reader" in found.warnings

    # The group goes, too, with its offsets and topics.
    delete = DeleteGroup(CLUSTER, "reader", offsets=True)
    preview = previewed(servers, delete)
    assert (preview.columns, preview.rows) == (("TOPIC", "QUEUES", "LAG"), (("Missed", "1", "4"),))
    assert preview.notes[-1] == "its offsets in 1 queue go"
    assert preview.warnings == ("4 messages not consumed yet",)
    assert carried_out(servers, delete) == Outcome(
        True,
        "deleted",
        (
            Item("broker-a", True, "deleted, with its offsets"),
            Item("retry and dead-letter topics", True, "deleted"),
        ),
        ("broker-a: it is gone",),
    )
    assert previewed(servers, delete).refusal == "no broker of cluster DefaultCluster has reader"
    assert carried_out(servers, DeleteTopic("DefaultCluster", "Missed")).ok


def commit(servers: RocketMQ, group: str, topic: str, offset: int) -> None:
    """A group that has read so far, and has gone."""

    async def work(service: LiveService) -> None:
        from rmq.client.admin.offsets import commit_offset
        from rmq.wire.bodies.route import MessageQueue

        await service.change(CreateGroup(CLUSTER, GroupDefinition(group)), lambda item: None)
        queue = MessageQueue(topic, "broker-a", 0)
        await commit_offset(service._known.admin, servers.broker_addr, group, queue, offset)

    with_service(servers, work)


def test_a_group_is_created_and_edited_and_keeps_the_rest(servers: RocketMQ) -> None:
    made = GroupDefinition("crew")
    create = CreateGroup(CLUSTER, made)
    assert previewed(servers, create).rows == (
        ("broker-a", "group", "-", "may consume, 16 tries, 1 retry queue"),
    )
    assert carried_out(servers, create) == Outcome(
        True,
        "1 of 1 broker as wanted",
        (Item("broker-a", True, "created"),),
        ("broker-a: may consume, 16 tries, 1 retry queue",),
    )
    assert previewed(servers, create).refusal == "crew is on broker-a already: edit it there"
    policy = json.dumps({"customizedRetryPolicy": {"next": [1000]}, "type": "CUSTOMIZED"})
    wanted = GroupDefinition("crew", False, retry_max=3, slow_broker_id=2, retry_policy=policy)
    edit = EditGroup(CLUSTER, wanted, made)
    preview = previewed(servers, edit)
    assert preview.rows == (
        ("broker-a", "consumeEnable", "true", "false"),
        ("broker-a", "retryMaxTimes", "16", "3"),
        ("broker-a", "groupRetryPolicy", "-", policy),
        ("broker-a", "whichBrokerWhenConsumeSlowly", "1", "2"),
    )
    assert preview.warnings == ("its clients get no messages while consumeEnable is off",)
    assert carried_out(servers, edit).read_back == ("broker-a: may not consume, 3 tries, 1 retry queue",)
    assert previewed(servers, edit).refusal == "nothing would change"
    assert previewed(servers, DeleteGroup(CLUSTER, "TOOLS_CONSUMER")).refusal.endswith("cannot be deleted")


def test_topics_of_a_file(servers: RocketMQ) -> None:
    same, other, new = (TopicDefinition(f"Bulk{name}", 2, 2) for name in ("Same", "Other", "New"))
    for topic in (same, other):
        assert carried_out(servers, CreateTopic(CLUSTER, topic)).ok
    changed = TopicDefinition("BulkOther", 3, 2)
    own = TopicDefinition("TBW102", 1, 1)
    careful = ImportTopics(CLUSTER, (new, changed, same, own), "f.json")
    found = previewed(servers, careful)
    assert found.rows == (
        ("BulkOther", "broker-a", "differs", "readQueueNums 2 -> 3"),
        ("BulkNew", "broker-a", "new", "2r/2w RW- NORMAL"),
        ("BulkSame", "broker-a", "same", "2r/2w RW- NORMAL"),
    )
    assert found.notes == ("1 new, 1 differ, 1 the same", "1 topic of RocketMQ's own passed over")
    assert len(found.warnings) == 1
    outcome = carried_out(servers, careful)
    assert (outcome.ok, outcome.text) == (True, "1 created, 1 skipped, 1 same")
    assert outcome.read_back == ("broker-a: 2 of 2 topics as in the file",)
    assert previewed(servers, careful).refusal == "nothing would change"
    thorough = ImportTopics(CLUSTER, (new, changed, same, own), "f.json", overwrite=True)
    outcome = carried_out(servers, thorough)
    assert outcome.items == (
        Item("BulkNew on broker-a", True, "same"),
        Item("BulkOther on broker-a", True, "changed"),
        Item("BulkSame on broker-a", True, "same"),
    )
    assert outcome.read_back == ("broker-a: 3 of 3 topics as in the file",)

    exported = with_service(servers, lambda service: service.topic_definitions("DefaultCluster"))
    assert isinstance(exported, Definitions)
    assert {new, changed, same} <= set(exported.topics)
    assert not exported.added_up
    assert "TBW102" not in {topic.name for topic in exported.topics}


def test_settings_of_a_broker(servers: RocketMQ) -> None:
    place = Place(broker=servers.broker_addr)
    change = ChangeBrokerSettings(place, (("fileReservedTime", "48"), ("listenPort", "12345")))
    found = previewed(servers, change)
    assert found.columns == ("BROKER", "SETTING", "NOW", "THEN", "IN EFFECT")
    assert found.rows[0] == ("broker-a", "fileReservedTime", "72", "48", "at once")
    assert found.rows[1][1:2] + found.rows[1][3:] == ("listenPort", "12345", "after a restart")
    assert carried_out(servers, change) == Outcome(
        True,
        "1 of 1 broker took it",
        (Item("broker-a", True, "took 2 settings"),),
        ("broker-a: fileReservedTime = 48", "broker-a: listenPort = 12345"),
    )
    assert previewed(servers, change).refusal == "nothing would change"
    unknown = ChangeBrokerSettings(CLUSTER, (("fileReservedTim", "48"), ("traceOn", "perhaps")))
    assert previewed(servers, unknown).warnings == (
        "broker-a lists no setting fileReservedTim; did you mean fileReservedTime?",
        "traceOn: brokers of ours refuse it: it must be true or false",
    )
    outcome = carried_out(servers, unknown)
    assert (outcome.ok, outcome.items[0].ok) == (False, False)
    assert "fileReservedTim" in outcome.items[0].text


def test_the_write_permission_goes_and_comes_back(servers: RocketMQ) -> None:
    address = servers.namesrv_addr
    found = previewed(servers, WipeWritePerm("broker-a"))
    assert (found.columns, len(found.rows)) == (("NAME SERVER", "NOW", "THEN"), 1)
    assert found.rows[0][0] == address
    assert ("W" in found.rows[0][1], "W" in found.rows[0][2]) == (True, False)
    assert found.warnings == (
        "broker-a is the only one of DefaultCluster: producers have nowhere else to send",
    )
    outcome = carried_out(servers, WipeWritePerm("broker-a"))
    assert (outcome.ok, outcome.text) == (True, "1 of 1 name server as wanted")
    assert "W" not in outcome.read_back[0].rpartition(" is ")[2]
    outcome = carried_out(servers, AddWritePerm("broker-a"))
    assert outcome.ok
    assert outcome.read_back[0] == f"{address}: the topic broker-a is RW-"
    assert previewed(servers, WipeWritePerm("broker-z")).refusal == "no name server knows a broker broker-z"


class Local:
    """A process of ours that ends when it is told to."""

    pid, roles = 4711, ("namesrv", "broker")

    def __init__(self, running: RocketMQ) -> None:
        self._running = running
        self.ended = False

    def find(self, address: str) -> Any:
        return None if self.ended or address != self._running.broker_addr else self

    def stop(self, address: str) -> int | None:
        self._running.stop()
        self.ended = True
        return self.pid

    def has_ended(self, pid: int) -> bool:
        return self.ended and pid == self.pid


def test_the_end_of_a_broker_of_ours(servers: RocketMQ) -> None:
    other = ShutdownBroker("broker-a", servers.broker_addr)
    assert previewed(servers, other).refusal.startswith("it is no broker of ours that runs on this machine")
    with RocketMQ() as running:
        change = ShutdownBroker("broker-a", running.broker_addr)
        local = Local(running)
        found = previewed(running, change, local)
        assert found.rows == (("4711", "namesrv, broker", "broker-a", running.broker_addr),)
        assert found.warnings == (
            "it is the only master: nobody can send or consume until it is started again",
            "its process is also namesrv: that ends with it",
        )
        told: list[Item] = []
        outcome = with_service(running, lambda service: service.change(change, told.append), local)
        assert outcome == Outcome(
            True,
            "it has ended",
            (Item("broker-a", True, "ended"),),
            (f"process 4711 has ended, {running.broker_addr} answers no longer",),
        )
        assert told == [Item("broker-a", True, "process 4711 was asked to end")]


