"""Moving consumer groups to other offsets."""

from typing import Any

import pytest

from rmq.admin.errors import CommandLineError
from rmq.client.admin.errors import NoOffsetsError, UnknownBrokerError
from rmq.wire.bodies.consume import ConsumeStats, OffsetWrapper
from rmq.wire.bodies.offset import ResetOffsetBody
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.errors import ConsumerNotOnlineError, QueryNotFoundError, SubscriptionGroupNotExistError, SystemBusyError
from rmq.wire.requests.broker import GetBrokerConfig
from rmq.wire.requests.consumer import GetConsumeStats
from rmq.wire.requests.offset import (
    GetMaxOffset,
    OffsetReply,
    QueryConsumerOffset,
    SearchOffsetByTimestamp,
    UpdateConsumerOffset,
)
from rmq.wire.requests.reset import InvokeBrokerToResetOffset
from tests.kit.adminfake import MASTER_A, MASTER_B, NOW, FakeServers, Reply, report, route, text

A0, B1 = MessageQueue("T", "broker-a", 0), MessageQueue("T", "broker-b", 1)
RESET = ["resetOffsetByTime", "-g", "G", "-t", "T"]
ONLINE_HEAD = f"{'#brokerName':<40}  {'#queueId':<40}  {'#offset':<40}\n"
ONLINE_ROWS = f"{'broker-a':<40}  {0:<40}  {7:<40}\n{'broker-b':<40}  {1:<40}  {9:<40}\n"
SIX = "{:<20}  {:<20}  {:<20}  {:<20}  {:<20}  {:<20}\n".format
INTRO = "start reset consumer offset by specified, group[G], topic[T], "


def servers(**more: Any) -> FakeServers:
    def moved(address: str, header: InvokeBrokerToResetOffset) -> ResetOffsetBody:
        return ResetOffsetBody({A0: 7} if address == MASTER_A else {B1: 9})

    def progress(address: str, header: GetConsumeStats) -> ConsumeStats:
        return ConsumeStats({A0 if address == MASTER_A else B1: OffsetWrapper(10, 4, 4, 0)})

    made = FakeServers(
        {
            InvokeBrokerToResetOffset: moved,
            GetBrokerConfig: b"useServerSideResetOffset=true\n",
            GetConsumeStats: progress,
            SearchOffsetByTimestamp: Reply(header=OffsetReply(6)),
            GetMaxOffset: Reply(header=OffsetReply(10)),
        }
    )
    made.routes = {"T": route()}
    return made


@pytest.mark.parametrize(
    ("given", "timestamp"),
    [("now", NOW), ("1000", 1000), ("-1", -1), ("2001-01-01#00:00:00:000", None)],
)
def test_reset_to_a_time(given: str, timestamp: int | None) -> None:
    made = servers()
    result = report(made, *RESET, "-s", given)
    sent = {header.timestamp for _, header in made.sent(InvokeBrokerToResetOffset)}
    time = timestamp if timestamp is not None else sent.copy().pop()
    assert sent == {time}
    assert result.render("text") == (
        f"{INTRO}force[true], timestamp(string)[{given}], timestamp(long)[{time}]\n{ONLINE_HEAD}{ONLINE_ROWS}"
    )
    assert result.members == {
        "group": "G",
        "topic": "T",
        "timestamp": time,
        "force": True,
        "queues": [
            {"brokerName": "broker-a", "queueId": 0, "offset": 7},
            {"brokerName": "broker-b", "queueId": 1, "offset": 9},
        ],
        "committed": [],
    }


def test_reset_of_an_offline_group() -> None:
    made = servers()
    made.answers[InvokeBrokerToResetOffset] = ConsumerNotOnlineError("nobody")
    result = report(made, *RESET, "-s", "1000", "-f", "false", "-b", "broker-b")
    assert result.render("text") == (
        "reset consumer offset by specified consumerGroup[G], topic[T], force[false], timestamp(string)[1000], "
        "timestamp(long)[1000]\n"
        + SIX("#brokerName", "#queueId", "#brokerOffset", "#consumerOffset", "#timestampOffset", "#resetOffset")
        + SIX("broker-b", 1, 10, 4, 6, 4)
    )
    [row] = result.members["committed"]
    assert (row["timestampOffset"], row["offset"]) == (6, 4)
    assert made.sent(UpdateConsumerOffset) == []


def test_reset_that_no_broker_makes_prints_nothing() -> None:
    made = servers()
    made.answers[InvokeBrokerToResetOffset] = lambda *_: SubscriptionGroupNotExistError("Group G does not exist")
    result = report(made, *RESET, "-s", "now")
    assert result.render("text") == ""
    assert [failure.address for failure in result.failures] == [MASTER_A, MASTER_B]


def test_reset_of_a_topic_without_queues_prints_a_table_without_rows() -> None:
    made = servers()
    made.answers[InvokeBrokerToResetOffset] = ResetOffsetBody()
    intro = f"{INTRO}force[true], timestamp(string)[1000], timestamp(long)[1000]\n"
    assert text(made, *RESET, "-s", "1000") == intro + ONLINE_HEAD
    assert text(made, "skipAccumulatedMessage", "-g", "G", "-t", "T") == ONLINE_HEAD


@pytest.mark.parametrize(("more", "offset"), [((), 6), (("-o", "0"), 0), (("-o", "3"), 3)])
@pytest.mark.parametrize("broker", ["broker-b", MASTER_B])
def test_reset_of_one_queue(broker: str, more: tuple[str, ...], offset: int) -> None:
    made = servers()
    result = report(made, *RESET, "-s", "1000", "-b", broker, "-q", "1", *more)
    assert result.render("text") == (
        f"{INTRO}queueId[1], broker[{broker}], timestamp(string)[1000], timestamp(long)[1000]\n"
        f"reset consumer offset to {offset}\n"
    )
    name = "broker-b" if broker == "broker-b" else None
    assert result.members["queues"] == [{"brokerName": name, "queueId": 1, "offset": offset, "address": MASTER_B}]
    assert made.sent(InvokeBrokerToResetOffset) == [
        (MASTER_B, InvokeBrokerToResetOffset("G", "T", 1000, 1, offset, True))
    ]


def test_reset_of_one_queue_that_the_broker_refuses() -> None:
    made = servers()
    made.answers[InvokeBrokerToResetOffset] = SystemBusyError("Target offset 99 not in consume queue range [0-2]")
    result = report(made, *RESET, "-s", "0", "-b", MASTER_B, "-q", "1", "-o", "99")
    assert result.render("text") == (
        f"{INTRO}queueId[1], broker[{MASTER_B}], timestamp(string)[0], timestamp(long)[0]\n"
    )
    assert [failure.address for failure in result.failures] == [MASTER_B]


@pytest.mark.parametrize(
    "more",
    [
        ("-s", "junk"),
        ("-s", "2001-13-01#00:00:00:000"),
        ("-s", "0", "-q", "1"),
        ("-s", "0", "-o", "1"),
        ("-s", "0", "-b", MASTER_A, "-o", "1"),
        ("-s", "0", "-b", MASTER_A, "-q", "x"),
        ("-s", "0", "-b", MASTER_A, "-q", "-1"),
    ],
)
def test_wrong_values(more: tuple[str, ...]) -> None:
    made = servers()
    with pytest.raises(CommandLineError):
        text(made, *RESET, *more)
    assert made.calls == []


def test_reset_on_an_unknown_broker() -> None:
    with pytest.raises(UnknownBrokerError):
        text(servers(), *RESET, "-s", "0", "-b", "nope", "-q", "0")


def test_skip() -> None:
    made = servers()
    result = report(made, "skipAccumulatedMessage", "-g", "G", "-t", "T", "-c", "C1")
    assert result.render("text") == ONLINE_HEAD + ONLINE_ROWS
    assert {header.timestamp for _, header in made.sent(InvokeBrokerToResetOffset)} == {-1}


def test_skip_of_an_offline_group() -> None:
    made = servers()
    made.answers[InvokeBrokerToResetOffset] = ConsumerNotOnlineError("nobody")
    assert text(made, "skipAccumulatedMessage", "-g", "G", "-t", "T") == (
        SIX("#brokerName", "#queueId", "#brokerOffset", "#consumerOffset", "#timestampOffset", "#rollbackOffset")
        + SIX("broker-a", 0, 10, 4, 10, 10)
        + SIX("broker-b", 1, 10, 4, 10, 10)
    )
    assert len(made.sent(UpdateConsumerOffset)) == 2


def test_clone() -> None:
    def committed(address: str, header: QueryConsumerOffset) -> Any:
        known = header.consumer_group == "S" and address == MASTER_B and header.queue_id == 1
        return Reply(header=OffsetReply(5)) if known else QueryNotFoundError("none")

    made = servers()
    made.answers[QueryConsumerOffset] = committed
    result = report(made, "cloneGroupOffset", "-s", "S", "-d", "D", "-t", "T", "-o", "true")
    assert result.render("text") == "clone group offset success. srcGroup[S], destGroup=[D], topic[T]"
    assert result.members == {
        "srcGroup": "S",
        "destGroup": "D",
        "topic": "T",
        "queues": [{"brokerName": "broker-b", "queueId": 1, "offset": 5, "before": None}],
    }
    made.answers[UpdateConsumerOffset] = SubscriptionGroupNotExistError("no D")
    failed = report(made, "cloneGroupOffset", "-s", "S", "-d", "D", "-t", "T")
    assert failed.render("text") == ""
    assert [failure.remark for failure in failed.failures] == ["no D"]
    with pytest.raises(NoOffsetsError):
        text(made, "cloneGroupOffset", "-s", "nope", "-d", "D", "-t", "T")
