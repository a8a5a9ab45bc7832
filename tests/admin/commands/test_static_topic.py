"""Static topics from the command line: plans, their files, and the order in which brokers learn of them."""

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest

from rmq.admin.errors import CommandLineError
from rmq.client.admin.errors import UnknownBrokerError, UnknownClusterError
from rmq.client.admin.groups import stats_on
from rmq.client.admin.static_plan import StaticTopicError
from rmq.wire.bodies.consume import ConsumeStats, OffsetWrapper
from rmq.wire.bodies.mapping import LogicQueueMappingItem as Item
from rmq.wire.bodies.mapping import TopicQueueMappingDetail, TopicQueueMappingInfo
from rmq.wire.bodies.route import MessageQueue, QueueData
from rmq.wire.bodies.topic import TopicConfigAndQueueMapping, TopicOffset, TopicStatsTable
from rmq.wire.errors import RemotingError, TopicNotExistError
from rmq.wire.requests.consumer import GetConsumeStats
from rmq.wire.requests.topic import GetTopicConfig, GetTopicStatsInfo, UpdateAndCreateStaticTopic
from tests.kit.adminfake import MASTER_A, MASTER_B, NOW, FakeServers, operate, report, route, text

NAMES = {MASTER_A: "broker-a", MASTER_B: "broker-b"}


class Brokers(FakeServers):
    """Two masters that keep the static topics they are given; `ends` is the max offset of every physical queue."""

    def __init__(self, ends: int = 0) -> None:
        super().__init__({GetTopicConfig: self._config, GetTopicStatsInfo: self._stats})
        self.shares: dict[str, TopicConfigAndQueueMapping] = {}
        self.ends = ends

    async def call(self, address: str, header: Any, body: Any = b"", **options: Any) -> Any:
        answer = await super().call(address, header, body, **options)
        if isinstance(header, UpdateAndCreateStaticTopic):
            queues = header.read_queue_nums, header.write_queue_nums
            kept = TopicQueueMappingDetail(**{name: getattr(body, name) for name in body.__dataclass_fields__})
            kept.hosted_queues = {
                number: [Item(i.gen, i.queue_id, i.bname, i.logic_offset) for i in items]
                for number, items in body.hosted_queues.items()
            }
            self.shares[address] = TopicConfigAndQueueMapping(header.topic, *queues, mapping_detail=kept)
        return answer

    def _config(self, address: str, header: GetTopicConfig) -> Any:
        return self.shares.get(address) or TopicNotExistError(f"topic[{header.topic}] not exist")

    def _stats(self, address: str, header: GetTopicStatsInfo) -> TopicStatsTable:
        share = self.shares[address]
        queues = (MessageQueue(header.topic, NAMES[address], number) for number in range(share.write_queue_nums))
        return TopicStatsTable({queue: TopicOffset(0, self.ends, self.ends) for queue in queues})

    def leaders(self) -> dict[int, str]:
        found = {}
        for share in self.shares.values():
            assert share.mapping_detail is not None
            found.update({number: str(items[-1].bname) for number, items in share.mapping_detail.hosted_queues.items()})
        return found

    def told(self) -> list[tuple[str, bool]]:
        return [(NAMES[address], header.force) for address, header in self.sent(UpdateAndCreateStaticTopic)]


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_static_topic_is_made(temporary: Path) -> None:
    brokers = Brokers()
    made = report(brokers, "updateStaticTopic", "-c", "C1", "-t", "T", "-qn", "3")
    before, after = temporary / f"T-{NOW}.before", temporary / f"T-{NOW + 1000}.after"
    assert made.render("text") == (
        f"The old mapping data is written to file {before}\nThe new mapping data is written to file {after}\n"
    )
    assert not made.failures
    assert brokers.leaders() == {0: "broker-a", 1: "broker-b", 2: "broker-a"}
    assert brokers.told() == [("broker-a", False), ("broker-b", False)]
    assert before.read_text() == (
        '{"brokerConfigMap":{},"brokerToMapIn":[],"brokerToMapOut":[],'
        f'"epoch":{NOW},"topic":"T","type":"CREATE_OR_UPDATE"}}'
    )
    assert after.read_text().startswith(
        '{"brokerConfigMap":{"broker-a":{"attributes":{},"mappingDetail":{"bname":"broker-a","currIdMap":{},"dirty":false,'
        f'"epoch":{NOW + 1000},"hostedQueues":{{0:[{{"bname":"broker-a","endOffset":-1,"gen":0,"logicOffset":0,'
    )
    assert made.members["topic"] == "T"
    assert (made.members["before"], made.members["after"]) == (str(before), str(after))
    assert sorted(made.members["plan"]["brokerConfigMap"]["broker-a"]["mappingDetail"]["hostedQueues"]) == ["0", "2"]
    json.loads(made.render("json"))


def test_brokers_without_queues_learn_of_the_topic_too() -> None:
    brokers = Brokers()
    report(brokers, "updateStaticTopic", "-b", "broker-b", "-t", "T", "-qn", "1")
    assert brokers.told() == [("broker-b", False), ("broker-a", False)]
    assert brokers.shares[MASTER_A].write_queue_nums == 0
    assert brokers.leaders() == {0: "broker-b"}


def test_a_static_topic_grows_and_does_not_shrink(temporary: Path) -> None:
    brokers = Brokers()
    report(brokers, "updateStaticTopic", "-b", "broker-b", "-t", "T", "-qn", "1")
    report(brokers, "updateStaticTopic", "-b", "broker-a", "-t", "T", "-qn", "2")
    assert brokers.leaders() == {0: "broker-b", 1: "broker-a"}
    sent = len(brokers.told())
    made = report(brokers, "updateStaticTopic", "-b", "broker-a", "-t", "T", "-qn", "1")
    assert made.render("text") == f"The old mapping data is written to file {temporary}/T-{NOW + 2000}.before\n"
    assert [failure.remark for failure in made.failures] == ["Cannot decrease the queue num for static topic 1 < 2"]
    assert len(brokers.told()) == sent


def test_an_ordinary_topic_stays_one() -> None:
    brokers = Brokers()
    brokers.shares[MASTER_A] = TopicConfigAndQueueMapping("T")
    with pytest.raises(StaticTopicError, match="Mapping info should not be null in broker broker-a"):
        report(brokers, "updateStaticTopic", "-b", "broker-a", "-t", "T", "-qn", "1")
    with pytest.raises(StaticTopicError, match="Mapping info should not be null in broker broker-a"):
        report(brokers, "remappingStaticTopic", "-b", "broker-a", "-t", "T")


def test_unknown_places(temporary: Path) -> None:
    brokers = Brokers()
    made = report(brokers, "updateStaticTopic", "-b", "broker-a,nope", "-t", "T", "-qn", "2")
    assert [type(failure) for failure in made.failures] == [UnknownBrokerError]
    assert [path.suffix for path in temporary.iterdir()] == [".before"]
    with pytest.raises(UnknownClusterError):
        report(brokers, "updateStaticTopic", "-c", "C1,nope", "-t", "T", "-qn", "2")
    with pytest.raises(UnknownBrokerError):
        report(brokers, "remappingStaticTopic", "-b", "nope", "-t", "T")
    with pytest.raises(StaticTopicError, match="No topic route to do the remapping"):
        report(brokers, "remappingStaticTopic", "-b", "broker-a", "-t", "T")
    with pytest.raises(CommandLineError, match="Find none brokers, do nothing"):
        report(brokers, "updateStaticTopic", "-b", " , ", "-t", "T", "-qn", "2")
    with pytest.raises(CommandLineError, match="a number above 0 is expected"):
        report(brokers, "updateStaticTopic", "-b", "broker-a", "-t", "T", "-qn", "0")
    assert brokers.told() == []


def test_queues_move_in_steps(temporary: Path) -> None:
    brokers = Brokers(ends=120)
    report(brokers, "updateStaticTopic", "-b", "broker-a", "-t", "T", "-qn", "2")
    sent = len(brokers.told())
    made = report(brokers, "remappingStaticTopic", "-b", "broker-a,broker-b", "-t", "T")
    before, after = temporary / f"T-{NOW + 1000}.before", temporary / f"T-{NOW + 2000}.after"
    line = "The old mapping data is written to file {}\n".format
    assert made.render("text") == line(before) + line(after)
    assert brokers.leaders() == {0: "broker-a", 1: "broker-b"}
    # The new leader may be written to, the old one no longer; then the new one learns where it begins.
    assert [name for name, _ in brokers.told()[sent:]] == ["broker-b", "broker-a", "broker-b"]
    bodies = [body for _, header, body in brokers.calls if isinstance(header, UpdateAndCreateStaticTopic)][sent:]
    assert bodies[-1].hosted_queues[1] == [Item(0, 1, "broker-a"), Item(1, 0, "broker-b", 10000)]
    stored = brokers.shares[MASTER_B].mapping_detail
    assert stored is not None
    assert stored.hosted_queues[1][-1].logic_offset == 10000


def test_an_end_that_nobody_tells_stops_the_move() -> None:
    brokers = Brokers()
    report(brokers, "updateStaticTopic", "-b", "broker-a", "-t", "T", "-qn", "1")
    brokers.answers[GetTopicStatsInfo] = TopicStatsTable()
    made = report(brokers, "remappingStaticTopic", "-b", "broker-b", "-t", "T")
    assert [failure.remark for failure in made.failures] == ["Cannot get the max offset for old leader broker-a-0"]


def test_a_plan_from_a_file_is_carried_out(temporary: Path) -> None:
    first = Brokers()
    made = report(first, "updateStaticTopic", "-b", "broker-b", "-t", "T", "-qn", "1")
    path = made.members["after"]
    again = Brokers()
    line = ("updateStaticTopic", "-b", "broker-b", "-t", "T", "-qn", "1", "-mf", path)
    assert text(again, *line, "-fr", "true") == ""
    assert again.leaders() == {0: "broker-b"}
    assert {force for _, force in again.told()} == {True}
    moved = report(again, "remappingStaticTopic", "-b", "broker-a", "-t", "T").members["after"]
    third = Brokers()
    report(third, *line)
    assert text(third, "remappingStaticTopic", "-b", "broker-a", "-t", "T", "-mf", moved) == ""
    assert third.leaders() == {0: "broker-a"}


def test_a_plan_must_be_the_topics(temporary: Path) -> None:
    brokers = Brokers()
    path = report(brokers, "updateStaticTopic", "-b", "broker-b", "-t", "T", "-qn", "1").members["after"]
    with pytest.raises(StaticTopicError, match="The mapping data is of topic T, not of U"):
        report(brokers, "remappingStaticTopic", "-b", "broker-b", "-t", "U", "-mf", path)
    with pytest.raises(CommandLineError, match="is no plan of 2 queues"):
        report(brokers, "updateStaticTopic", "-b", "broker-b", "-t", "T", "-qn", "2", "-mf", path)
    empty = temporary / "empty"
    empty.write_text("{}")
    with pytest.raises(CommandLineError, match="is no plan of a static topic"):
        report(brokers, "remappingStaticTopic", "-b", "broker-b", "-t", "T", "-mf", str(empty))
    empty.write_text('{"topic":"T"}')
    with pytest.raises(StaticTopicError, match="names no broker"):
        report(brokers, "remappingStaticTopic", "-b", "broker-b", "-t", "T", "-mf", str(empty))


def test_a_refusal_is_told_after_the_files() -> None:
    brokers = Brokers()
    brokers.answers[UpdateAndCreateStaticTopic] = RemotingError("Can't accept data with small epoch 1 < 2")
    made = report(brokers, "updateStaticTopic", "-b", "broker-a", "-t", "T", "-qn", "1")
    assert made.render("text").count("\n") == 2
    assert [failure.address for failure in made.failures] == [MASTER_A]


def test_the_status_of_a_static_topic_tells_its_logical_queues() -> None:
    brokers = Brokers(ends=7)
    report(brokers, "updateStaticTopic", "-b", "broker-a", "-t", "T", "-qn", "1")
    report(brokers, "remappingStaticTopic", "-b", "broker-b", "-t", "T")
    found = route(QueueData("broker-a", 1, 1, 6), QueueData("broker-b", 1, 1, 6))
    found.topic_queue_mapping_by_broker = {"broker-b": TopicQueueMappingInfo("T")}
    brokers.routes = {"T": found}
    rows = report(brokers, "topicStatus", "-t", "T").members["queues"]
    assert [(row["brokerName"], row["queueId"], row["minOffset"], row["maxOffset"]) for row in rows] == [
        ("__syslo__global__", 0, 0, 10007),
        ("broker-a", 0, 0, 7),
        ("broker-b", 0, 0, 7),
    ]


def test_a_group_that_has_not_come_to_a_queue_is_at_its_beginning() -> None:
    queue = MessageQueue("T", "broker-a", 0)
    servers = FakeServers({GetConsumeStats: ConsumeStats({queue: OffsetWrapper(10, -1)})})
    stats = operate(servers, lambda admin: stats_on(admin, [MASTER_A], "G"))
    assert stats.offset_table[queue].consumer_offset == 0
