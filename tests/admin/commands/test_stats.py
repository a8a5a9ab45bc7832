"""What goes through all topics, and how far all groups are behind."""

from typing import Any

import pytest

from rmq.admin.output import seconds
from rmq.remoting.errors import ConnectFailedError
from rmq.wire.bodies.broker import BrokerStatsData, BrokerStatsItem
from rmq.wire.bodies.consume import ConsumeStats, ConsumeStatsList, GroupList, OffsetWrapper
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.bodies.topic import TopicList
from rmq.wire.errors import RemotingError
from rmq.wire.requests.broker import ViewBrokerStatsData
from rmq.wire.requests.consumer import GetBrokerConsumeStats, GetConsumeStats, QueryTopicConsumeByWho
from rmq.wire.requests.namesrv import GetAllTopicListFromNameserver
from tests.kit.adminfake import MASTER_A, NAMESRV, NOW, FakeServers, report, route, text

ROW = "{:<64}  {:<64} {:>12} {:>11} {:>11} {:>14} {:>14}\n".format
HEAD = ROW("#Topic", "#Consumer Group", "#Accumulation", "#InTPS", "#OutTPS", "#InMsg24Hour", "#OutMsg24Hour")
LONG = "L" * 70


def counted(tps: float, *, minute: int = 0, hour: int = 0, day: int = 0) -> BrokerStatsData:
    return BrokerStatsData(BrokerStatsItem(minute, tps), BrokerStatsItem(hour), BrokerStatsItem(day))


def behind(topic: str, *diffs: int) -> dict[MessageQueue, OffsetWrapper]:
    return {MessageQueue(topic, "broker-a", number): OffsetWrapper(diff + 5, 5) for number, diff in enumerate(diffs)}


def servers() -> FakeServers:
    groups = {"T": ["G", "H"], LONG: ["G"]}
    figures = {
        ("TOPIC_PUT_NUMS", "T"): counted(1.005, minute=60, hour=600),
        ("GROUP_GET_NUMS", "T@G"): counted(2.5, minute=7, hour=8, day=9),
    }

    def stats(address: str, header: GetConsumeStats) -> Any:
        table = behind("T", 1, 2) | behind(LONG, 4) if header.consumer_group == "G" else behind("T", -3)
        if header.topic is not None:
            table = {queue: offsets for queue, offsets in table.items() if queue.topic == header.topic}
        return ConsumeStats(table)

    def view(address: str, header: ViewBrokerStatsData) -> Any:
        return figures.get((header.stats_name, header.stats_key), RemotingError("not exist"))

    made = FakeServers(
        {
            GetAllTopicListFromNameserver: TopicList(["T", "quiet", "%RETRY%G", "%DLQ%G", "gone", LONG]),
            QueryTopicConsumeByWho: lambda address, header: GroupList(groups.get(header.topic, [])),
            ViewBrokerStatsData: view,
            GetConsumeStats: stats,
        }
    )
    made.routes = {name: route() for name in ("T", "quiet", "%RETRY%G", "%RETRY%H", LONG)}
    return made


def test_all() -> None:
    made = report(servers(), "statsAll")
    assert made.render("text") == (
        HEAD
        + ROW("T", "G", 3, "2.01", "5.00", 1200, 18)
        + ROW("T", "H", 0, "2.01", "0.00", 1200, 0)
        + ROW("quiet", "", 0, "0.00", "", 0, "NO_CONSUMER")
        + ROW("L" * 64, "G", 4, "0.00", "0.00", 0, 0)
    )
    assert made.failures == []
    assert made.members["topics"][2] == {
        "topic": "quiet",
        "group": None,
        "accumulation": None,
        "inTps": 0.0,
        "outTps": None,
        "inMsg24Hour": 0,
        "outMsg24Hour": None,
    }


def test_a_group_is_asked_once_for_all_its_topics() -> None:
    made = servers()
    text(made, "statsAll")
    asked = [(header.consumer_group, header.topic) for _, header in made.sent(GetConsumeStats)]
    assert sorted(set(asked)) == [("G", None), ("H", "T")]


@pytest.mark.parametrize("broken", [RemotingError("too many queues"), ConsumeStats()])
def test_a_group_that_cannot_be_asked_for_all_topics(broken: Any) -> None:
    made = servers()
    usual = made.answers[GetConsumeStats]
    made.answers[GetConsumeStats] = lambda address, header: broken if header.topic is None else usual(address, header)
    assert text(made, "statsAll") == text(servers(), "statsAll")


def test_only_active_topics() -> None:
    assert text(servers(), "statsAll", "-a") == (
        HEAD + ROW("T", "G", 3, "2.01", "5.00", 1200, 18) + ROW("T", "H", 0, "2.01", "0.00", 1200, 0)
    )


def test_one_topic() -> None:
    made = servers()
    assert text(made, "statsAll", "-t", LONG) == HEAD + ROW("L" * 64, "G", 4, "0.00", "0.00", 0, 0)
    assert [header.topic for _, header in made.sent(QueryTopicConsumeByWho)] == [LONG]
    assert report(servers(), "statsAll", "-t", LONG).failures == []
    unknown = report(servers(), "statsAll", "-t", "nope")
    assert unknown.render("text") == HEAD
    assert [failure.code for failure in unknown.failures] == [17]


def test_a_broker_that_is_down() -> None:
    made = servers()
    made.down = {MASTER_A}
    result = report(made, "statsAll", "-t", "quiet")
    assert result.render("text") == HEAD
    assert [failure.address for failure in result.failures] == [MASTER_A]


def test_no_name_server() -> None:
    made = servers()
    made.down = {NAMESRV}
    with pytest.raises(ConnectFailedError):
        report(made, "statsAll")


# --- brokerConsumeStats

QUEUE = "{:<64}  {:<64}  {:<32}  {:<4}  {:<20}  {:<20}  {:<20}  {}\n".format
QUEUE_HEAD = QUEUE(
    "#Topic", "#Group", "#Broker Name", "#QID", "#Broker Offset", "#Consumer Offset", "#Diff", "#LastTime"
)
STATS = ConsumeStatsList(
    [
        {
            "G": [
                ConsumeStats(
                    {
                        MessageQueue(LONG, "broker-a", 1): OffsetWrapper(5, 2, 2, NOW),
                        MessageQueue(LONG, "broker-a", 0): OffsetWrapper(5, 5, 5, NOW + 1000),
                        MessageQueue(LONG, "broker-a", 2): OffsetWrapper(5, 0, 0, 0),
                    }
                )
            ]
        },
        {"H": []},
    ],
    "addr",
    8,
)


def test_every_group_of_a_broker() -> None:
    made = FakeServers({GetBrokerConsumeStats: STATS})
    result = report(made, "brokerConsumeStats", "-b", MASTER_A)
    assert result.render("text") == (
        QUEUE_HEAD
        + QUEUE("L" * 64, "G", "broker-a", 0, 5, 5, 0, seconds(NOW + 1000))
        + QUEUE("L" * 64, "G", "broker-a", 1, 5, 2, 3, seconds(NOW))
        + "\nDiff Total: 8\n"
    )
    assert result.members["diffTotal"] == 8
    assert result.members["queues"][1]["topic"] == LONG
    assert made.calls == [(MASTER_A, GetBrokerConsumeStats(False), b"")]


def test_only_groups_that_are_behind() -> None:
    made = FakeServers({GetBrokerConsumeStats: STATS})
    shown = text(made, "brokerConsumeStats", "-b", MASTER_A, "-l", "1", "-o", "true", "-t", "100")
    assert shown == QUEUE_HEAD + QUEUE("L" * 64, "G", "broker-a", 1, 5, 2, 3, seconds(NOW)) + "\nDiff Total: 8\n"
    assert made.calls == [(MASTER_A, GetBrokerConsumeStats(True), b"")]
