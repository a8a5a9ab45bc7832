"""Printing commands."""

from typing import Any

import pytest

from rmq.admin import messages
from rmq.admin.errors import CommandLineError
from rmq.wire.bodies.route import QueueData
from rmq.wire.errors import RemotingError
from rmq.wire.requests.client import Heartbeat
from rmq.wire.requests.offset import GetMaxOffset, GetMinOffset, OffsetReply, SearchOffsetByTimestamp
from rmq.wire.requests.pull import PullMessage, PullMessageReply
from tests.kit.adminfake import MASTER_A, MASTER_B, FakeServers, Reply, report, reports, route, text
from tests.kit.adminstored import record

TAGS = ("TagA", "TagB", "TagB", "", "TagC", "TagB")
"""Of the messages in each queue; at offset 3 none matches any expression."""


def stored(number: int, queue_id: int, topic: str) -> bytes:
    tag = TAGS[number]
    properties = {"TAGS": tag} if tag else {}
    return record(b"m%d" % number, topic=topic, queue_id=queue_id, queue_offset=number, properties=properties)


def pulled(address: str, header: PullMessage) -> Reply:
    """Two messages at a time, whatever is asked for; a stretch without a match ends a pull."""
    offset, wanted = header.queue_offset, header.subscription.split(" || ")
    if offset >= len(TAGS):
        return Reply(header=PullMessageReply(0, len(TAGS), 0, len(TAGS)), code=19)
    numbers = range(offset, min(offset + 2, len(TAGS)))
    # A broker compares hashes: TagA's is taken for TagC's here.
    hashes = {"TagA", "TagC"} if "TagA" in wanted else set(wanted)
    found = [number for number in numbers if header.subscription == "*" or TAGS[number] in hashes]
    body = b"".join(stored(number, header.queue_id, header.topic) for number in found)
    return Reply(body, PullMessageReply(0, numbers[-1] + 1, 0, len(TAGS)), code=0 if found else 20)


@pytest.fixture
def servers() -> FakeServers:
    fake = FakeServers(
        {
            PullMessage: pulled,
            GetMinOffset: Reply(header=OffsetReply(0)),
            GetMaxOffset: Reply(header=OffsetReply(len(TAGS))),
            SearchOffsetByTimestamp: lambda _, header: Reply(header=OffsetReply(header.timestamp // 1000)),
        }
    )
    fake.routes = {"T": route(QueueData("broker-b", 2, 2, 6))}
    return fake


QUEUE = "MessageQueue [topic=T, brokerName=broker-b, queueId={}]"
LINE = "-" * 56


def shown(printed: str) -> list[str]:
    """What was printed: bodies for messages, the other lines as they are."""
    return [line.split(" BODY: ")[-1] if line.startswith("MSGID") else line for line in printed.splitlines()]


# --- printMsg ------------------------------------------------------------------------------------------------------


def test_prints_a_topic(servers: FakeServers) -> None:
    bodies = ["m0", "m1", "m2", "m3", "m4", "m5"]
    assert shown(text(servers, "printMsg", "-t", "T")) == [
        *(f"minOffset=0, maxOffset=6, {QUEUE.format(1)}", *bodies, LINE),
        *(f"minOffset=0, maxOffset=6, {QUEUE.format(0)}", *bodies, LINE),
    ], "the queues in the order of Java's HashSet"
    assert {address for address, _ in servers.sent(PullMessage)} == {MASTER_B}
    assert servers.sent(Heartbeat) == []


def test_prints_a_message_as_java_does(servers: FakeServers) -> None:
    line = text(servers, "printMsg", "-t", "T").splitlines()[1]
    assert line.startswith("MSGID: 0A00000300002A9F0000000000000000 MessageExt [brokerName=broker-b, queueId=1, ")
    assert line.endswith(
        ", toString()=Message{topic='T', flag=0, properties={MIN_OFFSET=0, TAGS=TagA, MAX_OFFSET=6}, body=[109, 48],"
        " transactionId='null'}] BODY: m0"
    )
    assert text(servers, "printMsg", "-t", "T", "-d", "false").splitlines()[1].endswith("}] BODY: NOT PRINT BODY")


def test_prints_messages_with_a_tag(servers: FakeServers) -> None:
    servers.routes = {"T": route(QueueData("broker-b", 1, 1, 6))}
    gap = f"{QUEUE.format(0)} no matched msg. status=NO_MATCHED_MSG, offset="
    assert shown(text(servers, "printMsg", "-t", "T", "-s", "TagB")) == [
        *(f"minOffset=0, maxOffset=6, {QUEUE.format(0)}", "m1", "m2", "m5", LINE),
    ]
    assert shown(text(servers, "printMsg", "-t", "T", "-s", "TagA")) == [
        *(f"minOffset=0, maxOffset=6, {QUEUE.format(0)}", "m0", f"{gap}4", LINE)
    ], "TagC, which has the hash of TagA here, is not printed"
    assert servers.sent(PullMessage)[-1][1].subscription == "TagA"
    assert "m5" in shown(text(servers, "printMsg", "-t", "T", "-s", "TagX || TagB"))
    with pytest.raises(CommandLineError, match="holds no tag"):
        text(servers, "printMsg", "-t", "T", "-s", "||")


def test_prints_messages_of_a_time(servers: FakeServers) -> None:
    servers.routes = {"T": route(QueueData("broker-b", 1, 1, 6))}
    assert shown(text(servers, "printMsg", "-t", "T", "-b", "1000", "-e", "4000")) == [
        *(f"minOffset=1, maxOffset=4, {QUEUE.format(0)}", "m1", "m2", "m3", LINE)
    ]
    assert [header.max_msg_nums for _, header in servers.sent(PullMessage)] == [3, 1]
    assert shown(text(servers, "printMsg", "-t", "T", "-b", "1000", "-e", "2000")) == [
        *(f"minOffset=1, maxOffset=2, {QUEUE.format(0)}", "m1", LINE)
    ], "a broker that gives more than was asked for"
    assert shown(text(servers, "printMsg", "-t", "T", "-b", "0", "-e", "0")) == [
        f"minOffset=0, maxOffset=0, {QUEUE.format(0)}",
        LINE,
    ]
    with pytest.raises(CommandLineError, match="yesterday"):
        text(servers, "printMsg", "-t", "T", "-b", "yesterday")


def test_prints_in_a_charset(servers: FakeServers) -> None:
    servers.answers[GetMaxOffset] = Reply(header=OffsetReply(1))
    servers.answers[PullMessage] = Reply(record("消息".encode("gbk"), queue_offset=0), PullMessageReply(0, 1, 0, 1))
    assert shown(text(servers, "printMsg", "-t", "T", "-c", "GBK"))[1] == "消息"
    assert shown(text(servers, "printMsg", "-t", "T"))[1] == "\ufffd\ufffdϢ"
    with pytest.raises(CommandLineError, match="charset nonsense is unknown"):
        text(servers, "printMsg", "-t", "T", "-c", "nonsense")


def test_prints_by_the_route_of_a_parent_topic(servers: FakeServers) -> None:
    servers.routes = {"Parent": route(QueueData("broker-b", 1, 1, 6))}
    printed = text(servers, "printMsg", "-t", "%LMQ%child", "-l", "Parent").splitlines()
    assert printed[0] == "minOffset=0, maxOffset=6, MessageQueue [topic=%LMQ%child, brokerName=broker-b, queueId=0]"
    assert {header.topic for _, header in servers.sent(PullMessage)} == {"%LMQ%child"}


def test_prints_what_the_other_brokers_have(servers: FakeServers) -> None:
    servers.routes = {"T": route()}
    servers.answers[PullMessage] = lambda address, header: (
        RemotingError("disk") if address == MASTER_A else pulled(address, header)
    )
    made = report(servers, "printMsg", "-t", "T", "-f", "json")
    assert [failure.remark for failure in made.failures] == ["disk"]
    assert made.members["queues"] == [
        {"brokerName": "broker-a", "queueId": 0, "minOffset": 0, "maxOffset": 6},
        {"brokerName": "broker-b", "queueId": 1, "minOffset": 0, "maxOffset": 6},
        {"brokerName": "broker-b", "queueId": 0, "minOffset": 0, "maxOffset": 6},
    ]
    assert len(made.members["messages"]) == 12
    servers.down = {MASTER_A, MASTER_B}
    assert text(servers, "printMsg", "-t", "T") == f"{LINE}\n" * 3


def test_bodies_in_json(servers: FakeServers) -> None:
    servers.routes = {"T": route(QueueData("broker-b", 1, 1, 6))}
    servers.answers[GetMaxOffset] = Reply(header=OffsetReply(2))
    body = record(b"text", queue_offset=0) + record(b"\xff\x00", queue_offset=1)
    servers.answers[PullMessage] = Reply(body, PullMessageReply(0, 2, 0, 2))
    first, second = report(servers, "printMsg", "-t", "T", "-f", "json").members["messages"]
    assert (first["body"], second["body"], second["bodyBase64"]) == ("text", None, "/wA=")
    assert first["properties"] == {"TAGS": "TagA", "MIN_OFFSET": "0", "MAX_OFFSET": "2"}
    assert "body" not in report(servers, "printMsg", "-t", "T", "-d", "false", "-f", "json").members["messages"][0]


def test_a_large_topic_is_printed_piece_by_piece(servers: FakeServers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "MOST_HELD", 4)
    servers.routes = {"T": route(QueueData("broker-b", 1, 1, 6))}
    parts = [made.render("text") for made in reports(servers, ["printMsg", "-t", "T"])]
    assert [shown(part)[-1] for part in parts] == ["m3", LINE]
    assert len(reports(servers, ["printMsg", "-t", "T", "-f", "json"])) == 1


def test_a_topic_that_cannot_be_printed(servers: FakeServers) -> None:
    with pytest.raises(RemotingError, match="No topic route info in name server for the topic: nope"):
        text(servers, "printMsg", "-t", "nope")
    servers.routes = {"T": route(QueueData("broker-b", 2, 2, 2))}
    with pytest.raises(RemotingError, match="the topic T has no queue that may be read"):
        text(servers, "printMsg", "-t", "T")


# --- printMsgByQueue -----------------------------------------------------------------------------------------------

ONE = ("printMsgByQueue", "-t", "T", "-a", "broker-b", "-i", "1")


def test_prints_a_queue(servers: FakeServers) -> None:
    assert shown(text(servers, *ONE, "-p", "true", "-d", "true")) == ["m0", "m1", "m2", "m3", "m4", "m5"]
    assert set(shown(text(servers, *ONE, "-p", "true"))) == {"NOT PRINT BODY"}
    assert shown(text(servers, *ONE, "-p", "true", "-d", "true", "-b", "2000", "-e", "4000")) == ["m2", "m3"]
    assert {header.queue_id for _, header in servers.sent(PullMessage)} == {1}


def test_counts_a_queue(servers: FakeServers) -> None:
    expected = f"Tag: {'TagB':<30} Count: 3\nTag: {'TagA':<30} Count: 1\nTag: {'TagC':<30} Count: 1\n"
    made = report(servers, *ONE, "--calculate", "true")
    assert made.render("text") == expected
    assert made.render("csv") == "tag,count\nTagB,3\nTagA,1\nTagC,1\n"
    assert made.members["tags"][0] == {"tag": "TagB", "count": 3}


def test_reads_on_behind_a_stretch_without_a_match(servers: FakeServers) -> None:
    assert shown(text(servers, *ONE, "-p", "true", "-d", "true", "-s", "TagC")) == ["m4"]


def test_neither_printing_nor_counting_reads_nothing(servers: FakeServers) -> None:
    assert text(servers, *ONE) == ""
    assert servers.sent(PullMessage) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("-t", "T", "-a", "nope", "-i", "0"), r"The broker\[nope\] not exist"),
        (("-t", "nope", "-a", "broker-b", "-i", "0"), "No topic route info in name server for the topic: nope"),
    ],
)
def test_a_queue_that_is_not_there(servers: FakeServers, words: tuple[str, ...], message: str) -> None:
    with pytest.raises(RemotingError, match=message):
        text(servers, "printMsgByQueue", *words, "-p", "true")


def test_a_failure_on_the_way(servers: FakeServers) -> None:
    def fails_later(address: str, header: PullMessage) -> Any:
        return RemotingError("disk") if header.queue_offset else pulled(address, header)

    servers.answers[PullMessage] = fails_later
    made = report(servers, *ONE, "-p", "true", "-d", "true", "-f", "true")
    assert shown(made.render("text")) == ["m0", "m1", f"Tag: {'TagA':<30} Count: 1", f"Tag: {'TagB':<30} Count: 1"]
    assert [failure.remark for failure in made.failures] == ["disk"]


def test_long_names_of_apaches_hold_blanks(servers: FakeServers) -> None:
    words = ("--topic", "T", "--brokerName", "broker-b", "--queueId ", "1", "--print msg", "true", "--printB", "true")
    assert shown(text(servers, "printMsgByQueue", *words)) == ["m0", "m1", "m2", "m3", "m4", "m5"]
