"""Watching consumer groups."""

from typing import Any

import pytest

from rmq.admin.errors import CommandLineError
from rmq.wire.bodies.connection import Connection, ConsumerConnection
from rmq.wire.bodies.consume import ConsumeStats, OffsetMovedEvent, OffsetWrapper
from rmq.wire.bodies.heartbeat import SubscriptionData
from rmq.wire.bodies.route import MessageQueue, QueueData
from rmq.wire.bodies.running import ConsumerRunningInfo, ProcessQueueInfo
from rmq.wire.bodies.topic import TopicList, TopicOffset, TopicStatsTable
from rmq.wire.declare import encode_body
from rmq.wire.errors import RemotingError
from rmq.wire.requests.consumer import GetConsumerConnectionList, GetConsumerRunningInfo, GetConsumeStats
from rmq.wire.requests.namesrv import GetAllTopicListFromNameserver
from rmq.wire.requests.offset import GetMaxOffset, GetMinOffset, OffsetReply
from rmq.wire.requests.pull import PullMessage, PullMessageReply
from rmq.wire.requests.topic import GetTopicStatsInfo
from tests.kit.adminfake import NAMESRV, NOW, FakeServers, Reply, reports, route
from tests.kit.adminstored import STORED_AT, record

TIME = "2026-11-18 11:06:40,000"
QUEUE = MessageQueue("T", "broker-a", 0)


pytestmark = pytest.mark.usefixtures("utc")


def servers() -> FakeServers:
    """G is 6 messages behind, its clients differ, and client two is blocked; an event comes before the second round."""

    def running(address: str, header: GetConsumerRunningInfo) -> ConsumerRunningInfo:
        two = header.client_id == "two"
        return ConsumerRunningInfo(
            {"PROP_CONSUME_TYPE": "CONSUME_PASSIVELY", "PROP_CONSUMER_START_TIMESTAMP": "1"},
            [SubscriptionData("T", "B" if two else "A")],
            {QUEUE: ProcessQueueInfo(cached_msg_count=1, last_consume_timestamp=NOW - 90_000)} if two else {},
        )

    ends = iter([0, 1, 1])
    event = record(encode_body(OffsetMovedEvent("G", QUEUE, 3, 7)), topic="OFFSET_MOVED_EVENT", queue_id=0)
    made = FakeServers(
        {
            GetAllTopicListFromNameserver: TopicList(["%RETRY%G"]),
            GetConsumeStats: ConsumeStats({QUEUE: OffsetWrapper(10, 4, 4, 1000)}),
            GetConsumerConnectionList: ConsumerConnection(
                [Connection("one", "x:1", "JAVA", 493), Connection("two", "x:2", "JAVA", 493)]
            ),
            GetConsumerRunningInfo: running,
            GetTopicStatsInfo: TopicStatsTable({QUEUE: TopicOffset(0, 10, 1500)}),
            GetMinOffset: Reply(header=OffsetReply(0)),
            GetMaxOffset: lambda *_: Reply(header=OffsetReply(next(ends))),
            PullMessage: Reply(event, PullMessageReply(0, 1, 0, 1)),
        }
    )
    made.routes = dict.fromkeys(["%RETRY%G", "T", "OFFSET_MOVED_EVENT"], route(QueueData("broker-a", 1, 1, 6)))
    return made


UNDONE = (
    f"{TIME} [MONITOR] reportUndoneMsgs: UndoneMsgs [consumerGroup=G, topic=T, undoneMsgsTotal=6, undoneMsgsSingleMQ=6,"
    " undoneMsgsDelayTimeMills=500]\n"
)
NOTICES = (
    f"{TIME} [MONITOR]  [NOTIFY] reportConsumerRunningInfo: ConsumerGroup: G, Subscription different\n"
    f"{TIME} [MONITOR]  [NOTIFY] reportConsumerRunningInfo: ConsumerGroup: G, ClientId: two, two {QUEUE} can't consume"
    " for a while, maybe blocked, 90000ms\n"
)
BEGIN, END = (f"{TIME} [MONITOR] {'=' * 41}{word}Round\n" for word in ("begin", "end"))


def test_rounds() -> None:
    slept: list[float] = []
    first, second, third = reports(servers(), ["startMonitoring", "--interval", "7"], slept)
    assert first.render("text") == BEGIN + UNDONE + NOTICES + END
    assert (
        second.render("text")
        == BEGIN
        + UNDONE
        + NOTICES
        + (
            f"{TIME} [MONITOR] reportDeleteMsgsEvent: DeleteMsgsEvent [offsetMovedEvent=OffsetMovedEvent ["
            f"consumerGroup=G, messageQueue={QUEUE}, offsetRequest=3, offsetNew=7], eventTimestamp={STORED_AT}]\n"
        )
        + END
    )
    [deleted] = second.members["deleted"]
    assert (deleted["queue"]["queueId"], deleted["offsetNew"]) == (QUEUE.queue_id, 7)
    assert third.render("text") == first.render("text")
    assert slept == [7.0, 7.0]


def test_a_round_for_scripts() -> None:
    [found] = reports(servers(), ["startMonitoring", "--rounds", "1"])
    assert found.members["time"] == NOW
    assert found.members["undone"] == [
        {"time": NOW, "group": "G", "topic": "T", "total": 6, "singleQueue": 6, "delayMillis": 500}
    ]
    assert [notice["clientId"] for notice in found.members["notices"]] == [None, "two"]
    assert found.members["deleted"] == []
    assert found.render("csv").startswith("time,group,topic,total,singleQueue,delayMillis\n")


def test_a_threshold() -> None:
    for least, shown in (("6", 1), ("7", 0)):
        [found] = reports(servers(), ["startMonitoring", "--rounds", "1", "--undone", least])
        assert len(found.members["undone"]) == shown


def test_it_goes_on_after_a_round_that_failed() -> None:
    made = servers()
    calls: list[Any] = []

    def topics(address: str, header: Any) -> Any:
        calls.append(header)
        return RemotingError("not now") if len(calls) == 2 else TopicList([])

    made.answers[GetAllTopicListFromNameserver] = topics
    rounds = reports(made, ["startMonitoring"])
    assert [[failure.remark for failure in found.failures] for found in rounds] == [[], ["not now"], []]


def test_it_does_not_begin_without_a_name_server() -> None:
    made = servers()
    made.down = {NAMESRV}
    with pytest.raises(RemotingError):
        reports(made, ["startMonitoring"])


@pytest.mark.parametrize("wrong", [("--interval", "0"), ("--rounds", "-1"), ("--rounds", "0"), ("--undone", "x")])
def test_wrong_values(wrong: tuple[str, str]) -> None:
    with pytest.raises(CommandLineError):
        reports(servers(), ["startMonitoring", *wrong])
