"""Entries of queues."""

from typing import Any

import pytest

from rmq.client.admin.errors import NoTopicRouteError
from rmq.client.errors import ClientError
from rmq.wire.bodies.consume import ConsumeQueueContent, ConsumeQueueData
from rmq.wire.bodies.heartbeat import SubscriptionData
from rmq.wire.bodies.rocksdb import CheckRocksdbCqWriteResult, CheckStatus
from rmq.wire.bodies.route import BrokerData, QueueData, TopicRouteData
from rmq.wire.errors import RemotingError, TopicNotExistError
from rmq.wire.requests.broker import CheckRocksdbCqWriteProgress
from rmq.wire.requests.message import QueryConsumeQueue
from tests.kit.adminfake import MASTER_A, MASTER_B, NAMESRV, NOW, SLAVE_A, FakeServers, Reply, report, route, text

BAR = "=" * 38 + "\n"
ENTRIES = [ConsumeQueueData(0, 246, 2598919), ConsumeQueueData(492, 251, -5, eval=True)]
QUEUE = (
    "Queue data: \nmax: 9, min: 1\n"
    + BAR
    + "idx: 3\nConsumeQueueData{physicOffset=0, physicSize=246, tagsCode=2598919, extendDataJson='null', "
    "bitMap='null', eval=false, msg='null'}\n"
    + BAR
    + "idx: 4\nConsumeQueueData{physicOffset=492, physicSize=251, tagsCode=-5, extendDataJson='null', bitMap='null', "
    "eval=true, msg='null'}\n" + BAR
)


def servers(**facts: Any) -> FakeServers:
    made = FakeServers(
        {QueryConsumeQueue: ConsumeQueueContent(queue_data=ENTRIES, max_queue_index=9, min_queue_index=1, **facts)}
    )
    made.routes["T"] = route()
    return made


def test_entries() -> None:
    made = servers()
    result = report(made, "queryCq", "-t", "T", "-q", "2", "-i", "3")
    assert result.render("text") == QUEUE
    assert made.sent(QueryConsumeQueue) == [(MASTER_A, QueryConsumeQueue("T", 2, 3, 10))]
    assert result.members["minOffset"] == 1
    assert result.members["entries"][1] == {
        "offset": 4, "physicOffset": 492, "physicSize": 251, "tagsCode": -5, "eval": True,
    }  # fmt: skip


def test_entries_of_one_broker() -> None:
    made = servers()
    assert text(made, "queryCq", "-t", "T", "-q", "2", "-i", "3", "-c", "2", "-b", MASTER_B) == QUEUE
    assert made.calls == [(MASTER_B, QueryConsumeQueue("T", 2, 3, 2), b"")]


def test_a_group_that_is_not_online() -> None:
    made = servers(filter_data="G@T is not online!")
    result = report(made, "queryCq", "-t", "T", "-q", "2", "-i", "3", "-g", "G")
    assert result.render("text") == "Filter data: \nG@T is not online!\n" + BAR + QUEUE
    assert (result.members["subscription"], result.members["filter"]) == (None, "G@T is not online!")
    assert made.sent(QueryConsumeQueue)[0][1].consumer_group == "G"


def test_a_group_that_is_online() -> None:
    subscription = SubscriptionData("T", "TagA", tags_set={"TagA"}, code_set={2598919}, sub_version=7)
    made = servers(subscription_data=subscription, filter_data="null")
    shown = text(made, "queryCq", "-t", "T", "-q", "2", "-i", "3", "-g", "G")
    assert shown == (
        'Subscription data: \n{\n\t"classFilterMode":false,\n\t"codeSet":[\n\t\t2598919\n\t],'
        '\n\t"expressionType":"TAG",\n\t"subString":"TagA",\n\t"subVersion":7,\n\t"tagsSet":[\n\t\t"TagA"\n\t],\n\t"topic":"T"\n}\n'
        + BAR
        + "Filter data: \nnull\n"
        + BAR
        + QUEUE
    )


def test_no_entries() -> None:
    made = servers()
    made.answers[QueryConsumeQueue] = Reply(remark="Index 99 of 2@T is not exist!")
    with pytest.raises(ClientError, match="Index 99 of 2@T is not exist!"):
        text(made, "queryCq", "-t", "T", "-q", "2", "-i", "99")
    with pytest.raises(TopicNotExistError):
        text(made, "queryCq", "-t", "nope", "-q", "2", "-i", "99")
    made.routes["slave"] = TopicRouteData(
        [BrokerData("broker-a", "C1", {1: SLAVE_A})], [QueueData("broker-a", 1, 1, 6)]
    )
    with pytest.raises(NoTopicRouteError):
        text(made, "queryCq", "-t", "slave", "-q", "2", "-i", "99")


# --- checkRocksdbCqWriteProgress


def test_check() -> None:
    def answer(address: str, header: Any) -> Any:
        if address == MASTER_A:
            return CheckRocksdbCqWriteResult(check_status=CheckStatus.IN_PROGRESS)
        return CheckRocksdbCqWriteResult("no RocksDB", CheckStatus.ERROR)

    made = FakeServers({CheckRocksdbCqWriteProgress: answer})
    result = report(made, "checkRocksdbCqWriteProgress", "-n", NAMESRV, "-c", "C1", "-t", "T")
    assert result.render("text") == (
        "broker-a check doing, please wait and get the result from log... \n"
        "broker-b check error, please check log... errInfo: no RocksDB"
    )
    assert result.members["brokers"] == {"broker-a": "doing", "broker-b": "no RocksDB"}
    assert len(result.failures) == 1
    since = NOW - 30 * 86_400_000
    assert made.sent(CheckRocksdbCqWriteProgress) == [
        (address, CheckRocksdbCqWriteProgress("T", since)) for address in (MASTER_A, MASTER_B)
    ]


def test_check_a_broker_that_cannot() -> None:
    made = FakeServers({CheckRocksdbCqWriteProgress: lambda address, header: RemotingError("not supported", 3)})
    result = report(made, "checkRocksdbCqWriteProgress", "-n", NAMESRV, "-c", "C1", "-cf", "5")
    assert result.render("text") == ""
    assert [failure.address for failure in result.failures] == [MASTER_A, MASTER_B]
    assert made.sent(CheckRocksdbCqWriteProgress)[0][1] == CheckRocksdbCqWriteProgress("", 5)


def test_check_an_unknown_cluster() -> None:
    result = report(FakeServers(), "checkRocksdbCqWriteProgress", "-n", NAMESRV, "-c", "nope")
    assert result.render("text") == "clusterAddrTable is empty"
    assert len(result.failures) == 1
