"""Watching all groups."""

import asyncio
from typing import Any

import pytest

from rmq.client.admin.monitoring import Deleted, Monitor, Notice, Round, Undone
from rmq.wire.bodies.connection import Connection, ConsumerConnection
from rmq.wire.bodies.consume import ConsumeStats, OffsetMovedEvent, OffsetWrapper
from rmq.wire.bodies.heartbeat import SubscriptionData
from rmq.wire.bodies.route import MessageQueue, QueueData
from rmq.wire.bodies.running import ConsumerRunningInfo, ProcessQueueInfo
from rmq.wire.bodies.topic import TopicList, TopicOffset, TopicStatsTable
from rmq.wire.declare import encode_body
from rmq.wire.errors import ConsumerNotOnlineError
from rmq.wire.requests.consumer import GetConsumerConnectionList, GetConsumerRunningInfo, GetConsumeStats
from rmq.wire.requests.namesrv import GetAllTopicListFromNameserver
from rmq.wire.requests.offset import GetMaxOffset, GetMinOffset, OffsetReply
from rmq.wire.requests.pull import PullMessage, PullMessageReply
from rmq.wire.requests.topic import GetTopicStatsInfo
from tests.kit.adminfake import MASTER_A, NAMESRV, NOW, FakeServers, Reply, fake_admin, route
from tests.kit.adminstored import STORED_AT, record

T0, T1 = MessageQueue("T", "broker-a", 0), MessageQueue("T", "broker-a", 1)
RETRY = MessageQueue("%RETRY%G", "broker-a", 0)


def servers() -> FakeServers:
    """Group G of clients one and two is behind on T; group Off is offline."""
    one_queue = route(QueueData("broker-a", 1, 1, 6))

    def stats(address: str, header: GetConsumeStats) -> ConsumeStats:
        return ConsumeStats({T0: OffsetWrapper(10, 4, 4, 1000), T1: OffsetWrapper(3, 2, 2, 0), RETRY: OffsetWrapper()})

    def clients(address: str, header: GetConsumerConnectionList) -> Any:
        if header.consumer_group != "G":
            return ConsumerNotOnlineError("gone")
        return ConsumerConnection([Connection("two", "x:2", "JAVA", 493), Connection("one", "x:1", "JAVA", 493)])

    made = FakeServers(
        {
            GetAllTopicListFromNameserver: TopicList(["T", "%RETRY%G", "%RETRY%Off"]),
            GetConsumeStats: stats,
            GetConsumerConnectionList: clients,
            GetConsumerRunningInfo: running("A", "A"),
            GetTopicStatsInfo: TopicStatsTable({T0: TopicOffset(0, 10, 1500), T1: TopicOffset(0, 3, 9000)}),
            GetMinOffset: Reply(header=OffsetReply(0)),
            GetMaxOffset: Reply(header=OffsetReply(2)),
        }
    )
    made.routes = dict.fromkeys(["%RETRY%G", "%RETRY%Off", "T", "OFFSET_MOVED_EVENT"], one_queue)
    return made


def running(one: str, two: str, **held: Any) -> Any:
    def answer(address: str, header: GetConsumerRunningInfo) -> ConsumerRunningInfo:
        return ConsumerRunningInfo(
            {"PROP_CONSUME_TYPE": "CONSUME_PASSIVELY", "PROP_CONSUMER_START_TIMESTAMP": "1"},
            [SubscriptionData("T", one if header.client_id == "one" else two)],
            {T0: ProcessQueueInfo(**held)},
        )

    return answer


def rounds(made: FakeServers, count: int = 1, between: Any = lambda: None) -> list[Round]:
    async def run() -> list[Round]:
        monitor = Monitor(fake_admin(made))
        found = []
        for _ in range(count):
            found.append(await monitor.look())
            between()
        return found

    return asyncio.run(run())


def test_what_is_not_consumed() -> None:
    [found] = rounds(servers())
    assert found == Round(undone=[Undone("G", "%RETRY%G", 0, 0, 0), Undone("G", "T", 7, 6, 500)])


def test_clients_at_odds() -> None:
    made = servers()
    made.answers[GetConsumerRunningInfo] = running("A", "B")
    assert rounds(made)[0].notices == [Notice("G", None, "Subscription different")]


def test_a_blocked_client() -> None:
    made = servers()
    made.answers[GetConsumerRunningInfo] = running("A", "A", cached_msg_count=1, last_consume_timestamp=NOW - 90_000)
    assert rounds(made)[0].notices == [
        Notice("G", client, f"{client} {T0} can't consume for a while, maybe blocked, 90000ms")
        for client in ("one", "two")
    ]


def test_messages_deleted_unread_since_the_round_before() -> None:
    made = servers()
    event = OffsetMovedEvent("G", T0, 3, 7)
    stored = record(encode_body(event), topic="OFFSET_MOVED_EVENT", queue_id=0, queue_offset=2)
    made.answers[PullMessage] = lambda address, header: Reply(
        stored + record(b"nonsense", topic="OFFSET_MOVED_EVENT", queue_id=0, queue_offset=3),
        PullMessageReply(0, 4, 0, 4),
    )

    def more() -> None:
        made.answers[GetMaxOffset] = Reply(header=OffsetReply(4))

    found = rounds(made, 3, more)
    assert [item.deleted for item in found] == [[], [Deleted(event, STORED_AT)], []]
    [(address, header)] = made.sent(PullMessage)
    assert (address, header.queue_offset, header.consumer_group) == (MASTER_A, 2, "__MONITOR_CONSUMER")


def test_a_broker_that_is_down_is_a_failure_and_one_that_refuses_is_not() -> None:
    made = servers()
    made.down = {MASTER_A}
    [found] = rounds(made)
    assert {failure.address for failure in found.failures} == {MASTER_A}
    assert (found.undone, found.notices) == ([], [])


def test_without_a_name_server_there_is_no_round() -> None:
    made = servers()
    made.down = {NAMESRV}
    with pytest.raises(Exception, match="refused"):
        rounds(made)


def test_groups_without_the_event_topic() -> None:
    made = servers()
    del made.routes["OFFSET_MOVED_EVENT"]
    assert rounds(made)[0].failures == []
