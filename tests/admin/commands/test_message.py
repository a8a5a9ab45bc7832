"""Sending and reading commands."""

from typing import Any

import pytest

from rmq.client.errors import IllegalMessageError
from rmq.remoting.errors import ConnectFailedError
from rmq.wire.bodies.route import QueueData
from rmq.wire.errors import InvalidParameterError, RemotingError
from rmq.wire.message import parse_properties
from rmq.wire.requests.client import Heartbeat, UnregisterClient
from rmq.wire.requests.offset import GetMaxOffset, GetMinOffset, OffsetReply, SearchOffsetByTimestamp
from rmq.wire.requests.pull import PullMessage, PullMessageReply
from rmq.wire.requests.send import SendMessageReply, SendMessageV2
from tests.kit.adminfake import MASTER_A, MASTER_B, FakeServers, Reply, report, route, text
from tests.kit.adminstored import record

SENT = f"{'#Broker Name':<32}  #QID  {'#Send Result':<20}    #MsgId\n"


def sent(address: str, header: SendMessageV2) -> Reply:
    return Reply(header=SendMessageReply("0A", header.queue_id, 7))


def sending(**routes: Any) -> FakeServers:
    servers = FakeServers({SendMessageV2: sent})
    servers.routes = routes or {"T": route()}
    return servers


def test_send_to_a_queue() -> None:
    servers = sending()
    made = report(
        servers, "sendMessage", "-t", "T", "-p", " Hello ", "-k", "k1 k2", "-c", "TagA", "-b", "broker-b", "-i", "1"
    )
    [(address, header)] = servers.sent(SendMessageV2)
    properties = parse_properties(header.properties)
    assert address == MASTER_B
    assert (header.topic, header.queue_id, header.default_topic, header.broker_name) == ("T", 1, "TBW102", "broker-b")
    assert (properties["KEYS"], properties["TAGS"], properties["WAIT"]) == ("k1 k2", "TagA", "true")
    [(_, _, body)] = [call for call in servers.calls if isinstance(call[1], SendMessageV2)]
    assert body == b"Hello"
    assert made.render("text") == SENT + f"{'broker-b':<32}  1     {'SEND_OK':<20}    {properties['UNIQ_KEY']}\n"


def test_send_anywhere_takes_a_queue_that_may_be_written() -> None:
    servers = sending(T=route(QueueData("broker-a", 4, 4, 4), QueueData("broker-b", 0, 2, 6)))
    text(servers, "sendMessage", "-t", "T", "-p", "x", "-b", "broker-a")
    assert [(address, header.queue_id) for address, header in servers.sent(SendMessageV2)] == [(MASTER_B, 0)]


def test_send_anywhere_goes_to_another_broker_when_one_is_down() -> None:
    servers = sending()
    servers.down = {MASTER_A}
    assert "broker-b" in text(servers, "sendMessage", "-t", "T", "-p", "x")
    servers.down = {MASTER_A, MASTER_B}
    with pytest.raises(ConnectFailedError, match=MASTER_B):
        text(servers, "sendMessage", "-t", "T", "-p", "x")


def test_send_to_a_topic_that_is_not_there_yet() -> None:
    servers = sending(TBW102=route(QueueData("broker-a", 8, 8, 7)))
    text(servers, "sendMessage", "-t", "New", "-p", "x", "-b", "broker-a", "-i", "3")
    text(servers, "sendMessage", "-t", "New", "-p", "x")
    assert [header.topic for _, header in servers.sent(SendMessageV2)] == ["New", "New"]
    with pytest.raises(RemotingError, match="No route info of this topic: New"):
        text(FakeServers(), "sendMessage", "-t", "New", "-p", "x")


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        (("-t", "T", "-p", "x", "-b", "nope", "-i", "0"), RemotingError, r"The broker\[nope\] not exist"),
        (("-t", "T", "-p", ""), IllegalMessageError, "the message body length is zero"),
        (("-t", "bad topic", "-p", "x"), InvalidParameterError, "illegal characters"),
    ],
)
def test_send_refused(words: tuple[str, ...], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        text(sending(), "sendMessage", *words)


def test_send_with_a_trace() -> None:
    servers = sending(
        T=route(QueueData("broker-a", 1, 1, 6)), RMQ_SYS_TRACE_TOPIC=route(QueueData("broker-b", 1, 1, 6))
    )
    text(servers, "sendMessage", "-t", "T", "-p", "x", "-k", "key", "-m", "true")
    (_, first, _), (address, trace, body) = [call for call in servers.calls if isinstance(call[1], SendMessageV2)]
    message_id = parse_properties(first.properties)["UNIQ_KEY"]
    assert (address, trace.topic) == (MASTER_B, "RMQ_SYS_TRACE_TOPIC")
    assert parse_properties(trace.properties)["KEYS"] == f"{message_id} key"
    fields = body.decode().removesuffix("\x02").split("\x01")
    assert (fields[0], fields[2]) == ("Pub", "DefaultRegion")
    assert fields[4:10] == ["T", message_id, "null", "key", MASTER_A, "1"]
    assert fields[11:] == ["0", "0A", "true"]


def test_send_whose_trace_is_refused_tells_so() -> None:
    servers = sending(T=route(QueueData("broker-a", 1, 1, 6)))
    made = report(servers, "sendMessage", "-t", "T", "-p", "x", "-m", "true")
    message_id = made.members["sent"][0]["msgId"]
    assert made.render("text") == SENT + f"{'broker-a':<32}  0     {'SEND_OK':<20}    {message_id}\n"
    assert [failure.remark.split("\n")[0] for failure in made.failures] == [
        f"message {message_id} is stored, its trace is not: No route info of this topic: RMQ_SYS_TRACE_TOPIC"
    ]


# --- consumeMessage ------------------------------------------------------------------------------------------------


def pulled(address: str, header: PullMessage) -> Reply:
    """Five messages in each queue, two at a time; none of them matches at offset 2."""
    offset = header.queue_offset
    if offset >= 5:
        return Reply(header=PullMessageReply(0, 5, 0, 5), code=19)
    if offset == 2:
        return Reply(header=PullMessageReply(0, 3, 0, 5), code=20)
    count = min(2 - offset % 2, header.max_msg_nums, 5 - offset)
    body = b"".join(record(b"m%d" % number, queue_offset=number) for number in range(offset, offset + count))
    return Reply(body, PullMessageReply(0, offset + count, 0, 5))


def reading() -> FakeServers:
    servers = FakeServers(
        {
            PullMessage: pulled,
            GetMinOffset: Reply(header=OffsetReply(0)),
            GetMaxOffset: Reply(header=OffsetReply(5)),
            SearchOffsetByTimestamp: lambda _, header: Reply(header=OffsetReply(header.timestamp // 1000)),
        }
    )
    servers.routes = {"T": route()}
    return servers


def shown(servers: FakeServers, *words: str) -> list[str]:
    """What was printed: bodies for messages, else the line after the queue."""
    lines = text(servers, "consumeMessage", "-t", "T", *words).splitlines()
    return [line.split(" BODY: ")[-1] if line.startswith("MSGID") else line.split("] ")[-1] for line in lines]


END = "print msg finished. status=NO_NEW_MSG, offset=5"
GAP = "no matched msg. status=NO_MATCHED_MSG, offset=3"


def test_read_a_queue() -> None:
    servers = reading()
    assert shown(servers, "-b", "broker-b", "-i", "1") == [
        *("Consume ok", "m0", "m1", GAP, "Consume ok", "m3", "Consume ok", "m4", END)
    ]
    assert {address for address, _ in servers.sent(PullMessage)} == {MASTER_B}
    [(_, _, heartbeat), *_] = [call for call in servers.calls if isinstance(call[1], Heartbeat)]
    assert heartbeat.consumer_data_set[0].group_name == "TOOLS_CONSUMER"
    assert [header.consumer_group for _, header in servers.sent(UnregisterClient)] == ["TOOLS_CONSUMER"] * 2


def test_read_a_queue_prints_the_message_as_java_does() -> None:
    line = text(reading(), "consumeMessage", "-t", "T", "-b", "broker-b", "-i", "1", "-o", "4").splitlines()[1]
    assert line.startswith("MSGID: 0A0000030000")
    assert " MessageExt [brokerName=broker-b, queueId=1, storeSize=" in line
    assert (
        ", properties={MIN_OFFSET=0, TAGS=TagA, MAX_OFFSET=5}, body=[109, 52], transactionId='null'}] BODY: m4" in line
    )


def test_read_some() -> None:
    assert shown(reading(), "-b", "broker-b", "-i", "1", "-o", "3", "-c", "1") == [
        "The oldler 1 message will be provided",
        "Consume ok",
        "m3",
    ]
    assert shown(reading(), "-b", "broker-b", "-i", "1", "-o", "9") == ["no matched msg, offset=9"]
    assert shown(reading(), "-b", "broker-b", "-i", "1", "-s", "3000", "-e", "3999") == ["Consume ok", "m3"]


def test_read_all_queues_in_javas_order_until_there_are_enough() -> None:
    assert shown(reading(), "-c", "8") == [
        *("Consume ok", "m0", "m1", GAP, "Consume ok", "m3", "Consume ok", "m4", END),
        "The older 2 message of the 1 queue will be provided",
        *("Consume ok", "m0", "m1"),
    ]


def test_read_goes_on_with_the_next_queue() -> None:
    servers = reading()
    servers.answers[PullMessage] = lambda address, header: (
        RemotingError("disk") if address == MASTER_A else pulled(address, header)
    )
    made = report(servers, "consumeMessage", "-t", "T")
    assert [failure.remark for failure in made.failures] == ["disk"]
    assert [(end["brokerName"], end["queueId"]) for end in made.members["queues"]] == [("broker-b", 1), ("broker-b", 0)]
    assert made.members["messages"][0]["body"] == "m0"


def test_read_an_answer_that_holds_no_messages() -> None:
    servers = reading()
    servers.answers[PullMessage] = Reply(b"garbage", PullMessageReply(0, 1, 0, 1))
    made = report(servers, "consumeMessage", "-t", "T", "-b", "broker-a", "-i", "0")
    assert made.failures[0].remark.startswith(f"{MASTER_A} answered with something else than messages: ")


def test_read_from_a_broker_that_goes_round_in_circles() -> None:
    servers = reading()
    servers.answers[PullMessage] = Reply(header=PullMessageReply(0, 0, 0, 0))
    made = report(servers, "consumeMessage", "-t", "T", "-b", "broker-a", "-i", "0")
    assert "what comes after offset 0 is at 0" in made.failures[0].remark
