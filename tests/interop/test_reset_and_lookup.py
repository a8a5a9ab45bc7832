"""Moving groups to other offsets, looking at what is stored, and questions that the broker passes on to clients."""

import json
import re
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rmq.remoting.calls import request_command
from rmq.wire import fastjson
from rmq.wire.bodies.heartbeat import ConsumerData, HeartbeatData
from rmq.wire.command import Command, encode
from rmq.wire.connection import CommandStream
from rmq.wire.javahash import java_hash
from rmq.wire.message import StoredMessage, decode_messages
from rmq.wire.requests.client import Heartbeat
from tests.kit import toolchains
from tests.kit.apache import MqAdmin
from tests.kit.driver import FIRST, Driver, Outgoing, Received, Sent, wait_until
from tests.kit.frames import UPDATE_BROKER_CONFIG, ask, create_topic
from tests.kit.server import BROKER_NAME, RunningServer, chosen_kind, maker
from tests.kit.toolchains import Program

pytestmark = pytest.mark.interop
StartDriver = Callable[[Program], Driver]

QUERY_MESSAGE, QUERY_CONSUMER_OFFSET, SEARCH_OFFSET, VIEW_MESSAGE_BY_ID = 12, 14, 29, 33
UPDATE_GROUP, SUSPEND_CONSUMER, RESUME_CONSUMER = 200, 209, 210
RESET_OFFSET, GET_CONSUMER_STATUS, CLONE_GROUP_OFFSET = 222, 223, 314
QUERY_CONSUME_TIME_SPAN, QUERY_CORRECTION_OFFSET, QUERY_CONSUME_QUEUE = 303, 308, 321
GET_CONSUMER_RUNNING_INFO, CONSUME_MESSAGE_DIRECTLY = 307, 309
SEND_MESSAGE, UPDATE_CONSUMER_OFFSET, RESET_CONSUMER_CLIENT_OFFSET = 10, 15, 220
ONEWAY = 2
MAX_INT64 = (1 << 63) - 1


@pytest.fixture(scope="module")
def program() -> Program:
    toolchains.require("java")
    made = toolchains.java_client("5.4.0")
    return Program((*made.command[:-1], "interop.Forms"), made.class_path)


@pytest.fixture
def java(program: Program, shared_drivers: StartDriver) -> Driver:
    return shared_drivers(program)


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A word for the topic, group and clients of this test."""
    return "Reset-" + re.sub(r"[^A-Za-z0-9]+", "-", request.node.name.removeprefix("test_")).strip("-")


def request(server: RunningServer, code: int, body: bytes = b"", **fields: object) -> tuple[dict[str, Any], bytes]:
    return ask(server.broker_addr, code, {key: str(value) for key, value in fields.items()}, body)


def refused(server: RunningServer, code: int, **fields: object) -> int:
    """The code of a refusal."""
    return int(request(server, code, **fields)[0]["code"])


def content(server: RunningServer, code: int, **fields: object) -> Any:
    """The JSON of an answer."""
    header, body = request(server, code, **fields)
    assert header["code"] == 0, header
    return fastjson.loads(body)


def send_fields(topic: str) -> dict[str, object]:
    """The header of a send to queue 0."""
    return {
        "producerGroup": "PG", "topic": topic, "defaultTopic": "TBW102", "defaultTopicQueueNums": 1, "queueId": 0,
        "sysFlag": 0, "bornTimestamp": 1_700_000_000_000, "flag": 0, "properties": "a\x01b\x02",
    }  # fmt: skip


def offsets_in(table: Any) -> dict[int, int]:
    """Offsets by queue id, of a table whose keys are queues of one topic."""
    return {dict(queue)["queueId"]: offset for queue, offset in table.items()}


def committed(server: RunningServer, group: str, topic: str, queues: int = 2) -> dict[int, int]:
    """Committed offsets by queue id."""
    found = {}
    for queue_id in range(queues):
        header, _ = request(
            server, QUERY_CONSUMER_OFFSET, consumerGroup=group, topic=topic, queueId=queue_id, setZeroIfNotFound="false"
        )
        if header["code"] == 0:
            found[queue_id] = int(header["extFields"]["offset"])
    return found


def make_group(server: RunningServer, name: str, **config: object) -> None:
    group = {"groupName": name, "retryQueueNums": 1, **config}
    header, _ = ask(server.broker_addr, UPDATE_GROUP, body=json.dumps(group).encode())
    assert header["code"] == 0, header


def fill(java: Driver, server: RunningServer, topic: str, count: int = 10, queues: int = 2) -> list[Sent]:
    """A topic with so many messages, each stored in a millisecond of its own, one queue after the other."""
    create_topic(server.namesrv_addr, server.broker_addr, topic, queues)
    java.call("producer", name=f"P-{topic}", group=f"PG-{topic}")
    return more(java, topic, range(count))


def more(java: Driver, topic: str, numbers: range) -> list[Sent]:
    """Further messages of it."""
    sent = []
    for number in numbers:
        message = Outgoing(f"{topic} {number}".encode(), "T", f"key{number} both", {"number": str(number)})
        answer = java.call("send", name=f"P-{topic}", topic=topic, messages=[message.as_command()])
        sent += [Sent(*facts) for facts in answer]
        time.sleep(0.005)
    return sent


def consume(java: Driver, topic: str, group: str, client: str, origin: str = FIRST) -> str:
    """A consumer; its id."""
    settings = {
        "consumeFromWhere": origin, "persistConsumerOffsetInterval": 200, "pullTimeDelayMillsWhenException": 100,
    }  # fmt: skip
    answer = java.call("push", name=client, group=group, topic=topic, set=settings)
    return str(answer["clientId"])


def numbers(received: list[Received]) -> list[int]:
    return sorted(int(message.properties["number"]) for message in received)


def wait_committed(java: Driver, server: RunningServer, topic: str, group: str, client: str, count: int = 10) -> None:
    """Until the broker has the offsets; by itself a client sends them for the first time after ten seconds."""

    def all_are() -> bool:
        java.call("persist", name=client)
        return sum(committed(server, group, topic).values()) == count

    wait_until(all_are, timeout=60, what=lambda: f"committed: {committed(server, group, topic)}")


def read_once(
    java: Driver, server: RunningServer, topic: str, group: str, client: str, count: int = 10
) -> list[Received]:
    """All messages of a topic, consumed and committed."""
    consume(java, topic, group, client)
    received = java.wait_received(client, count)
    assert numbers(received) == list(range(count))
    wait_committed(java, server, topic, group, client, count)
    return sorted(received, key=lambda message: int(message.properties["number"]))


def again(java: Driver, client: str, before: int, expected: list[int], timeout: float = 40) -> None:
    """Exactly these come after the first so many."""
    wait_until(
        lambda: len(java.received(client)) >= before + len(expected),
        timeout=timeout,
        what=lambda: f"came again: {numbers(java.received(client)[before:])}",
    )
    assert numbers(java.received(client)[before:]) == expected


class Member:
    """A member of groups, on a socket of its own, that keeps what the broker sends."""

    def __init__(self, server: RunningServer, client_id: str, groups: list[str]) -> None:
        host, port = server.broker_addr.rsplit(":", 1)
        self._socket = socket.create_connection((host, int(port)), timeout=30)
        self._stream = CommandStream()
        data = HeartbeatData(client_id, [], [ConsumerData(group) for group in groups])
        self._socket.sendall(encode(request_command(Heartbeat(), data)))

    def next(self) -> Command:
        while (command := self._stream.next_command()) is None:
            self._stream.feed(self._socket.recv(65536))
        return command

    def close(self) -> None:
        self._socket.close()


# --- reset by the broker ------------------------------------------------------------------------------------------


def test_an_online_group_is_moved_back_in_time(java: Driver, server: RunningServer, admin: MqAdmin, name: str) -> None:
    fill(java, server, name)
    received = read_once(java, server, name, name, name)
    moment = received[4].store_timestamp
    admin.out("resetOffsetByTime", "-g", name, "-t", name, "-s", str(moment))
    again(java, name, 10, [4, 5, 6, 7, 8, 9])
    wait_committed(java, server, name, name, name)
    java.retire(name)


@pytest.mark.long
@pytest.mark.parametrize("moment", ["the first", "the end"])
def test_an_offline_group_is_moved(java: Driver, server: RunningServer, name: str, moment: str) -> None:
    fill(java, server, name)
    read_once(java, server, name, name, name)
    java.call("stop", name=name)
    timestamp = 0 if moment == "the first" else -1
    wanted = {0: 0, 1: 0} if moment == "the first" else {0: 5, 1: 5}
    body = content(server, RESET_OFFSET, group=name, topic=name, timestamp=timestamp, isForce="true")
    queues = [dict(queue) for queue in body["offsetTable"]]
    assert {(queue["topic"], queue["brokerName"]) for queue in queues} == {(name, BROKER_NAME)}
    assert sum(offsets_in(body["offsetTable"]).values()) == sum(wanted.values())
    assert committed(server, name, name) == offsets_in(body["offsetTable"])
    more(java, name, range(10, 12))
    consume(java, name, name, f"{name}-later")
    again(java, f"{name}-later", 0, list(range(12)) if moment == "the first" else [10, 11])
    java.retire(f"{name}-later")


def test_one_queue_is_moved_to_an_offset(java: Driver, server: RunningServer, name: str) -> None:
    sent = fill(java, server, name)
    read_once(java, server, name, name, name)
    per_queue = {i: [n for n, report in enumerate(sent) if report.queue_id == i] for i in (0, 1)}
    body = content(server, RESET_OFFSET, group=name, topic=name, timestamp=0, isForce="true", queueId=1, offset=2)
    assert offsets_in(body["offsetTable"]) == {1: 2}
    again(java, name, 10, per_queue[1][2:])
    java.retire(name)


def test_resets_that_are_refused(java: Driver, server: RunningServer, name: str) -> None:
    fill(java, server, name)
    read_once(java, server, name, name, name)
    java.retire(name)
    common = {"timestamp": 0, "isForce": "true"}
    assert refused(server, RESET_OFFSET, group=name, topic="Reset-unknown", **common) == 17
    assert refused(server, RESET_OFFSET, group="Reset-unknown", topic=name, **common) == 26
    assert refused(server, RESET_OFFSET, group=name, topic=name, queueId=0, offset=99, **common) == 1
    before = committed(server, name, name)
    assert sum(before.values()) == 10


def test_an_offset_that_was_reset_survives_a_kill(tmp_path: Path) -> None:
    """From when it is in the file on; both brokers write it every few seconds."""
    server = maker(chosen_kind())(tmp_path, extra={"flushConsumerOffsetInterval": "500"})
    try:
        create_topic(server.namesrv_addr, server.broker_addr, "T", 1)
        make_group(server, "G")
        assert offsets_in(
            content(server, RESET_OFFSET, group="G", topic="T", timestamp=-1, isForce="true")["offsetTable"]
        ) == {0: 0}
        assert offsets_in(
            content(
                server, RESET_OFFSET, group="G", topic="T", timestamp=0, isForce="true", queueId=0, offset=1
            )["offsetTable"]
        ) == {0: 1}  # fmt: skip
        file = server.store_dir / "config" / "consumerOffset.json"
        wait_until(
            lambda: file.exists() and re.search(r'"T@G":\s*{\s*"?0"?:\s*1', file.read_text()) is not None,
            timeout=60,
            what=lambda: file.read_text() if file.exists() else "no file",
        )
        server.kill()
        server.restart()
        assert committed(server, "G", "T", 1) == {0: 1}
    finally:
        server.kill()


# --- reset told to the clients ------------------------------------------------------------------------------------


@pytest.fixture
def told(server: RunningServer) -> Iterator[None]:
    """Resets are told to clients while this test runs."""
    for value in ("false", "true"):
        header, _ = ask(server.broker_addr, UPDATE_BROKER_CONFIG, body=f"useServerSideResetOffset={value}\n".encode())
        assert header["code"] == 0, header
        if value == "false":
            yield


@pytest.mark.usefixtures("told")
def test_clients_are_told_to_move(java: Driver, server: RunningServer, name: str) -> None:
    """The Java client waits ten seconds before it goes on."""
    fill(java, server, name)
    received = read_once(java, server, name, name, name)
    common = {"group": name, "topic": name}
    moment = received[7].store_timestamp
    body = content(server, RESET_OFFSET, timestamp=moment, isForce="false", **common)
    assert sum(offsets_in(body["offsetTable"]).values()) == 7
    again(java, name, 10, [7, 8, 9], timeout=60)
    java.retire(name)


@pytest.mark.usefixtures("told")
def test_what_clients_are_told(server: RunningServer, name: str) -> None:
    """A member that only listens; no group is moved forward unless that is forced."""
    create_topic(server.namesrv_addr, server.broker_addr, name, 1)
    member = Member(server, "listens", [name])
    for _ in range(2):
        assert member.next().code in {0, 40}
    for number in range(3):
        header, _ = request(server, SEND_MESSAGE, b"%d" % number, **send_fields(name))
        assert header["code"] == 0, header
    request(server, UPDATE_CONSUMER_OFFSET, consumerGroup=name, topic=name, queueId=0, commitOffset=1)
    common = {"group": name, "topic": name}
    for timestamp, force, expected in ((-1, "false", 1), (-1, "true", 3), (0, "false", 0)):
        body = content(server, RESET_OFFSET, timestamp=timestamp, isForce=force, **common)
        assert offsets_in(body["offsetTable"]) == {0: expected}
        order = member.next()
        assert (order.code, order.ext["group"], order.ext["topic"], order.ext["timestamp"]) == (
            RESET_CONSUMER_CLIENT_OFFSET, name, name, str(timestamp),
        )  # fmt: skip
        assert order.flag == ONEWAY
        assert fastjson.loads(order.body) == body
    assert committed(server, name, name, 1) == {0: 1}
    member.close()


@pytest.mark.usefixtures("told")
def test_clients_that_cannot_be_told(java: Driver, server: RunningServer, name: str) -> None:
    fill(java, server, name)
    read_once(java, server, name, name, name)
    java.call("stop", name=name)
    common = {"timestamp": 0, "isForce": "true"}
    assert refused(server, RESET_OFFSET, group=name, topic=name, **common) == 206
    assert refused(server, RESET_OFFSET, group="Reset-unknown", topic=name, **common) == 1
    assert refused(server, RESET_OFFSET, group=name, topic="Reset-unknown", **common) == 17


def test_offsets_that_clients_hold(java: Driver, server: RunningServer, name: str) -> None:
    fill(java, server, name)
    client_id = consume(java, name, name, name)
    java.wait_received(name, 10)
    common = {"topic": name, "group": name}
    wait_committed(java, server, name, name, name)
    everybody = content(server, GET_CONSUMER_STATUS, **common)
    assert {client: offsets_in(held) for client, held in everybody["consumerTable"].items()} == {
        client_id: committed(server, name, name)
    }
    assert content(server, GET_CONSUMER_STATUS, clientAddr=client_id, **common) == everybody
    assert content(server, GET_CONSUMER_STATUS, clientAddr="nobody", **common)["consumerTable"] == {}
    assert refused(server, GET_CONSUMER_STATUS, topic=name, group="Reset-unknown") == 1
    java.retire(name)


# --- clone, correction, time span ---------------------------------------------------------------------------------


@pytest.mark.long
def test_offsets_are_given_to_another_group(java: Driver, server: RunningServer, admin: MqAdmin, name: str) -> None:
    fill(java, server, name)
    read_once(java, server, name, name, name)
    java.call("stop", name=name)
    copy = f"{name}-copy"
    header, _ = request(server, CLONE_GROUP_OFFSET, srcGroup=name, destGroup=copy, topic=name, offline="true")
    assert header["code"] == 0, header
    assert committed(server, copy, name) == committed(server, name, name)
    make_group(server, f"{copy}-2")
    admin.out("cloneGroupOffset", "-s", name, "-d", f"{copy}-2", "-t", name)
    assert committed(server, f"{copy}-2", name) == committed(server, name, name)
    more(java, name, range(10, 12))
    consume(java, name, copy, copy)
    again(java, copy, 0, [10, 11])
    java.retire(copy)


@pytest.mark.long
def test_the_least_offset_of_all_groups(java: Driver, server: RunningServer, name: str) -> None:
    fill(java, server, name)
    for group in (name, f"{name}-2"):
        read_once(java, server, name, group, group)
        java.call("stop", name=group)
    common = {"timestamp": 0, "isForce": "true", "queueId": 0, "topic": name}
    content(server, RESET_OFFSET, group=f"{name}-2", offset=1, **common)
    ends = committed(server, name, name)

    def correction(group: str) -> dict[int, int]:
        body = content(server, QUERY_CORRECTION_OFFSET, topic=name, compareGroup=group)
        return {int(queue_id): offset for queue_id, offset in body["correctionOffsets"].items()}

    assert correction(name) == {0: 1, 1: ends[1]}
    assert correction(f"{name}-2") == {0: 1, 1: ends[1]}
    assert correction("Reset-unknown") == {0: 1, 1: ends[1]}


def test_times_of_a_queue(java: Driver, server: RunningServer, name: str) -> None:
    sent = fill(java, server, name)
    received = read_once(java, server, name, name, name)
    java.call("stop", name=name)
    content(server, RESET_OFFSET, group=name, topic=name, timestamp=0, isForce="true", queueId=0, offset=2)
    before = time.time_ns() // 1_000_000
    spans = content(server, QUERY_CONSUME_TIME_SPAN, topic=name, group=name)["consumeTimeSpanSet"]
    after = time.time_ns() // 1_000_000
    times = {i: [received[n].store_timestamp for n, s in enumerate(sent) if s.queue_id == i] for i in (0, 1)}
    facts = {
        span["messageQueue"]["queueId"]: (span["minTimeStamp"], span["maxTimeStamp"], span["consumeTimeStamp"])
        for span in spans
    }
    assert facts == {
        0: (times[0][0], times[0][-1], times[0][1]),
        1: (times[1][0], times[1][-1], times[1][-1]),
    }
    assert {(span["messageQueue"]["topic"], span["messageQueue"]["brokerName"]) for span in spans} == {
        (name, BROKER_NAME)
    }
    delays = {span["messageQueue"]["queueId"]: span["delayTime"] for span in spans}
    assert before - times[0][2] <= delays[0] <= after - times[0][2]
    assert delays[1] == 0
    assert refused(server, QUERY_CONSUME_TIME_SPAN, topic="Reset-unknown", group=name) == 17


# --- where new groups begin ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("origin", ["CONSUME_FROM_FIRST_OFFSET", "CONSUME_FROM_LAST_OFFSET", "CONSUME_FROM_TIMESTAMP"])
def test_a_new_group_begins_with_the_first_message_while_all_are_in_memory(
    java: Driver, server: RunningServer, name: str, origin: str
) -> None:
    """Whatever it wants: for such queues the broker answers 0 to who asks for an offset."""
    fill(java, server, name)
    consume(java, name, name, name, origin)
    again(java, name, 0, list(range(10)))
    more(java, name, range(10, 12))
    again(java, name, 10, [10, 11])
    java.retire(name)


@pytest.mark.parametrize("origin", ["CONSUME_FROM_FIRST_OFFSET", "CONSUME_FROM_LAST_OFFSET", "CONSUME_FROM_TIMESTAMP"])
def test_a_new_group_of_an_empty_topic_gets_all_that_comes(
    java: Driver, server: RunningServer, name: str, origin: str
) -> None:
    fill(java, server, name, 0)
    consume(java, name, name, name, origin)
    wait_until(
        lambda: len(content(server, 203, consumerGroup=name)["connectionSet"]) == 1, timeout=60, what=lambda: "offline"
    )
    more(java, name, range(6))
    again(java, name, 0, list(range(6)))
    java.retire(name)


def test_answers_to_who_asks_for_an_offset(java: Driver, server: RunningServer, name: str) -> None:
    create_topic(server.namesrv_addr, server.broker_addr, name, 2)
    common = {"consumerGroup": "Reset-new", "topic": name, "queueId": 0}
    assert refused(server, QUERY_CONSUMER_OFFSET, **common) == 22
    fill(java, server, name)
    header, _ = request(server, QUERY_CONSUMER_OFFSET, **common)
    assert (header["code"], header["extFields"]["offset"]) == (0, "0")
    assert refused(server, QUERY_CONSUMER_OFFSET, setZeroIfNotFound="false", **common) == 22


# --- look-up ------------------------------------------------------------------------------------------------------


def found(server: RunningServer, topic: str, key: str, **fields: object) -> list[StoredMessage]:
    """Messages of a key; the index is built a moment after they are stored."""
    times = {"beginTimestamp": 0, "endTimestamp": MAX_INT64, **fields}
    header, body = request(server, QUERY_MESSAGE, topic=topic, key=key, maxNum=32, **times)
    assert header["code"] in {0, 22}, header
    return list(decode_messages(body))


def test_messages_are_found_by_keys_ids_and_time(java: Driver, server: RunningServer, name: str) -> None:
    sent = fill(java, server, name)
    wait_until(lambda: len(found(server, name, "both")) == 10, timeout=60, what=lambda: "not all are in the index")
    messages = sorted(found(server, name, "both"), key=lambda message: message.store_timestamp)
    assert [message.body for message in messages] == [f"{name} {n}".encode() for n in range(10)]
    assert [message.body for message in found(server, name, "key3")] == [f"{name} 3".encode()]
    assert found(server, f"{name}-other", "key3") == []
    # The index tells times to the second.
    begin, end = messages[0].store_timestamp - 1000, messages[-1].store_timestamp + 1000
    assert len(found(server, name, "both", beginTimestamp=begin, endTimestamp=end)) == 10
    assert found(server, name, "both", beginTimestamp=end, endTimestamp=end + 60_000) == []
    assert found(server, name, "both", beginTimestamp=begin - 60_000, endTimestamp=begin - 1000) == []
    for n, report in enumerate(sent):
        assert report.msg_id is not None
        assert report.offset_msg_id is not None
        (by_id,) = found(server, name, report.msg_id, _UNIQUE_KEY_QUERY="true")
        header, body = request(server, VIEW_MESSAGE_BY_ID, offset=int(report.offset_msg_id[16:], 16))
        (by_place,) = decode_messages(body)
        assert header["code"] == 0
        assert (by_id.body, by_place.body) == (f"{name} {n}".encode(),) * 2
        moment = messages[n].store_timestamp
        for time_, boundary, expected in (
            (moment, "lower", report.queue_offset), (moment, "upper", report.queue_offset),
            (moment + 1, "lower", report.queue_offset + 1), (moment - 1, "lower", report.queue_offset),
        ):  # fmt: skip
            header, _ = request(
                server, SEARCH_OFFSET, topic=name, queueId=report.queue_id, timestamp=time_, boundaryType=boundary
            )
            assert (n, time_ - moment, boundary, header["extFields"]["offset"]) == (
                n, time_ - moment, boundary, str(expected),
            )  # fmt: skip
    assert refused(server, QUERY_MESSAGE, topic=name, key="none", maxNum=9, beginTimestamp=0, endTimestamp=1) == 22
    assert refused(server, VIEW_MESSAGE_BY_ID, offset=1 << 40) == 1


def test_entries_of_a_queue(java: Driver, server: RunningServer, name: str) -> None:
    sent = [report for report in fill(java, server, name) if report.queue_id == 1]
    consume(java, name, name, name)
    java.wait_received(name, 10)
    common = {"topic": name, "queueId": 1}
    body = content(server, QUERY_CONSUME_QUEUE, index=1, count=3, consumerGroup=name, **common)
    expected = []
    for report in sent[1:4]:
        assert report.offset_msg_id is not None
        offset = int(report.offset_msg_id[16:], 16)
        _, record = request(server, VIEW_MESSAGE_BY_ID, offset=offset)
        expected.append((offset, len(record), java_hash("T")))
    assert [(e["physicOffset"], e["physicSize"], e["tagsCode"]) for e in body["queueData"]] == expected
    assert (body["minQueueIndex"], body["maxQueueIndex"]) == (0, len(sent))
    assert (body["subscriptionData"]["topic"], body["subscriptionData"]["subString"]) == (name, "*")
    assert body["filterData"] == "null"
    offline = content(server, QUERY_CONSUME_QUEUE, index=0, count=1, consumerGroup="Reset-unknown", **common)
    assert offline["filterData"] == f"Reset-unknown@{name} is not online!"
    assert "subscriptionData" not in offline
    header, nothing = request(server, QUERY_CONSUME_QUEUE, index=99, count=3, **common)
    assert (header["code"], header["remark"], nothing) == (0, f"Index 99 of 1@{name} is not exist!", b"")
    header, _ = request(server, QUERY_CONSUME_QUEUE, topic=name, queueId=7, index=0, count=3)
    assert (header["code"], header["remark"]) == (1, f"7@{name} is not exist!")
    java.retire(name)


# --- passed on to clients -----------------------------------------------------------------------------------------


def test_one_client_consumes_one_message_now(java: Driver, server: RunningServer, admin: MqAdmin, name: str) -> None:
    sent = fill(java, server, name)
    client_id = consume(java, name, name, name)
    java.wait_received(name, 10)
    wait_committed(java, server, name, name, name)
    other = consume(java, name, name, f"{name}-other")
    common = {"consumerGroup": name, "clientId": other, "topic": name, "msgId": sent[3].offset_msg_id}
    body = content(server, CONSUME_MESSAGE_DIRECTLY, **common)
    assert body.pop("spentTimeMills") >= 0
    assert body == {"autoCommit": True, "consumeResult": "CR_SUCCESS", "order": False}
    again(java, f"{name}-other", 0, [3])
    printed = admin.out("queryMsgById", "-t", name, "-i", sent[4].offset_msg_id, "-g", name, "-d", client_id)
    assert "consumeResult=CR_SUCCESS" in printed
    again(java, name, 10, [4])
    assert refused(server, CONSUME_MESSAGE_DIRECTLY, **{**common, "clientId": "nobody"}) == 1
    nowhere = f"{sent[3].offset_msg_id[:16]}{1 << 40:016X}" if sent[3].offset_msg_id else ""
    assert refused(server, CONSUME_MESSAGE_DIRECTLY, **{**common, "msgId": nowhere}) == 1
    for client in (name, f"{name}-other"):
        java.retire(client)


def test_what_a_listener_throws_is_told(java: Driver, server: RunningServer, name: str) -> None:
    create_topic(server.namesrv_addr, server.broker_addr, name, 1)
    java.call("producer", name=f"P-{name}", group="PG")
    message = Outgoing(b"throw this", properties={"number": "0"})
    (report,) = java.call("send", name=f"P-{name}", topic=name, messages=[message.as_command()])
    client_id = consume(java, name, name, name)
    java.wait_received(name, 1)
    body = content(
        server, CONSUME_MESSAGE_DIRECTLY, consumerGroup=name, clientId=client_id, topic=name, msgId=report[2]
    )
    assert body["consumeResult"] == "CR_THROW_EXCEPTION"
    assert "told to" in body["remark"]
    java.retire(name)


def test_a_client_shows_its_threads(java: Driver, server: RunningServer, name: str) -> None:
    fill(java, server, name)
    client_id = consume(java, name, name, name)
    java.wait_received(name, 10)
    common = {"consumerGroup": name, "clientId": client_id}
    without = content(server, GET_CONSUMER_RUNNING_INFO, jstackEnable="false", **common)
    assert "jstack" not in without
    assert {dict(queue)["topic"] for queue in without["mqTable"]} - {f"%RETRY%{name}"} == {name}
    info = content(server, GET_CONSUMER_RUNNING_INFO, jstackEnable="true", **common)
    assert "ConsumeMessageThread_" in info["jstack"]
    assert "java.lang.Thread.run" in info["jstack"]
    java.retire(name)


@pytest.mark.parametrize("code", [SUSPEND_CONSUMER, RESUME_CONSUMER])
def test_no_server_suspends_consumers(server: RunningServer, code: int) -> None:
    """The codes are defined, and no broker handles them: clients suspend themselves."""
    assert refused(server, code) == 3


# --- who is told that a group has changed -------------------------------------------------------------------------


def test_only_groups_that_want_it_are_told_of_changes(server: RunningServer) -> None:
    loud, quiet = "Reset-loud", "Reset-quiet"
    for group, wanted in ((loud, True), (quiet, False)):
        make_group(server, group, notifyConsumerIdsChangedEnable=wanted)
    first = Member(server, "first", [quiet, loud])
    seen = [first.next(), first.next()]
    assert sorted(command.code for command in seen) == [0, 40]
    second = Member(server, "second", [quiet, loud])
    seen.append(first.next())
    second.close()
    seen.append(first.next())
    told = [command.ext["consumerGroup"] for command in seen if command.code == 40]
    assert told == [loud] * 3
    first.close()
