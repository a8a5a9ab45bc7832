"""How far consumer groups are, and who is connected."""

from typing import Any

import pytest

from rmq.wire.bodies.connection import Connection, ConsumerConnection
from rmq.wire.bodies.consume import ConsumeStats, OffsetWrapper
from rmq.wire.bodies.heartbeat import ConsumeType, MessageModel
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.bodies.running import ConsumerRunningInfo, ProcessQueueInfo
from rmq.wire.bodies.topic import TopicList
from rmq.wire.errors import ConsumerNotOnlineError, RemotingError
from rmq.wire.requests.consumer import GetConsumerConnectionList, GetConsumerRunningInfo, GetConsumeStats
from rmq.wire.requests.namesrv import GetAllTopicListFromNameserver
from tests.kit.adminfake import MASTER_A, MASTER_B, NAMESRV, FakeServers, report, route, text

QUEUES = {
    MASTER_A: {MessageQueue("T", "broker-a", 0): OffsetWrapper(10, 4, 6, 0)},
    MASTER_B: {MessageQueue("T", "broker-b", 1): OffsetWrapper(3, 3, 3, 1000)},
}
PUSH = ConsumerConnection(
    [Connection("10.1.1.1@x", "10.1.1.1:5", "JAVA", 493), Connection("10.1.1.2@y", "10.1.1.2:5", "JAVA", 453)],
    {},
    ConsumeType.CONSUME_PASSIVELY,
    MessageModel.CLUSTERING,
)


def stats(address: str, header: GetConsumeStats) -> ConsumeStats:
    return ConsumeStats(QUEUES[address], 0.125)


def group(**answers: Any) -> FakeServers:
    servers = FakeServers({GetConsumeStats: stats, GetConsumerConnectionList: PUSH})
    servers.routes = {"%RETRY%G": route()}
    return servers


def test_progress_of_a_group() -> None:
    made = report(group(), "consumerProgress", "-g", "G")
    lines = made.render("text").split("\n")
    assert lines[0] == (
        f"{'#Topic':<64}  {'#Broker Name':<32}  #QID  {'#Broker Offset':<20}  {'#Consumer Offset':<20}"
        f"  {'#Diff':<20} {'#Inflight':<20}#LastTime"
    )
    assert lines[1] == f"{'T':<64}  {'broker-a':<32}  0     {10:<20}  {4:<20}  {6:<20} {2:<20} N/A"
    assert lines[2].startswith(f"{'T':<64}  {'broker-b':<32}  1     {3:<20}  {3:<20}  {0:<20} {0:<20} 1970-01-01 ")
    assert lines[3:] == ["", "Consume TPS: 0.25", "Consume Diff Total: 6", "Consume Inflight Total: 2", ""]
    assert made.members["queues"][0]["diff"] == 6
    assert made.members["diffTotal"] == 6


def test_progress_with_owners() -> None:
    def running(address: str, header: GetConsumerRunningInfo) -> Any:
        if header.client_id != "10.1.1.1@x":
            return ConsumerRunningInfo()
        return ConsumerRunningInfo(mq_table={MessageQueue("T", "broker-a", 0): ProcessQueueInfo()})

    servers = group()
    servers.answers[GetConsumerRunningInfo] = running
    lines = text(servers, "consumerProgress", "-g", "G", "-s", "TRUE").split("\n")
    assert lines[0].endswith(f"{'#Client IP':<20} {'#Diff':<20} {'#Inflight':<20}#LastTime")
    assert lines[1].endswith(f"{4:<20}  {'10.1.1.1':<20} {6:<20} {2:<20} N/A")
    assert f"  {'N/A':<20} {0:<20}" in lines[2]


def test_progress_is_found_through_the_topic_when_the_group_has_no_retry_topic() -> None:
    servers = group()
    servers.routes = {"T": route()}
    assert "Consume Diff Total: 6\n" in text(servers, "consumerProgress", "-g", "G", "-t", "T")
    with pytest.raises(RemotingError, match="for the topic: %RETRY%G"):
        text(servers, "consumerProgress", "-g", "G")


@pytest.mark.parametrize(
    ("connection", "message"),
    [
        (ConsumerNotOnlineError("gone"), "maybe the consumer not online"),
        (ConsumerConnection(PUSH.connection_set, message_model=MessageModel.BROADCASTING), "under the broadcast mode"),
    ],
)
def test_progress_without_offsets(connection: Any, message: str) -> None:
    servers = group()
    servers.answers |= {GetConsumeStats: ConsumeStats(), GetConsumerConnectionList: connection}
    with pytest.raises(RemotingError, match=message):
        text(servers, "consumerProgress", "-g", "G")


def test_progress_of_all_groups() -> None:
    def connection(address: str, header: GetConsumerConnectionList) -> Any:
        return PUSH if header.consumer_group == "G" else ConsumerNotOnlineError("gone")

    servers = group()
    servers.answers |= {
        GetAllTopicListFromNameserver: TopicList(["T", "%RETRY%G", "%RETRY%off"]),
        GetConsumerConnectionList: connection,
    }
    servers.routes["%RETRY%off"] = route()
    row = "{:<64}  {:<6}  {:<24} {:<5}  {:<14}  {:<7}  {}\n".format
    assert text(servers, "consumerProgress") == (
        row("#Group", "#Count", "#Version", "#Type", "#Model", "#TPS", "#Diff Total")
        + row("G", 2, "V5_0_0", "PUSH", "CLUSTERING", 0, 6).replace("V5_0_0", "V5_2_0")
        + row("off", 0, "OFFLINE", "", "", 0, 6)
    )
    offline = report(servers, "consumerProgress").members["groups"][1]
    assert (offline["version"], offline["type"], offline["messageModel"]) == (None, None, None)


def test_progress_of_all_groups_prints_its_heading_before_it_fails() -> None:
    servers = group()
    servers.down = {NAMESRV}
    made = report(servers, "consumerProgress")
    assert made.render("text").startswith("#Group ")
    assert [failure.address for failure in made.failures] == [NAMESRV]


def test_consumer_list() -> None:
    servers = group()
    servers.answers[GetAllTopicListFromNameserver] = TopicList(["T", "%RETRY%G"])
    row = "{:<64}  {:<6}  {:<24} {:<5}  {}\n".format
    assert text(servers, "consumerList") == (
        row("#Group", "#Count", "#Version", "#Type", "#Model") + row("G", 2, "V5_2_0", "PUSH", "CLUSTERING")
    )
    assert servers.sent(GetConsumeStats) == []
