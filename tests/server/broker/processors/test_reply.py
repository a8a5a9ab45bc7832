"""Answers to requests: handed to who asked, stored, and what the answerer is told."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from rmq.remoting.calls import request_command
from rmq.server.broker.processors import reply as reply_module
from rmq.server.broker.putting import MessageInner
from rmq.wire.command import Command
from rmq.wire.errors import MessageIllegalError
from rmq.wire.message import StoredMessage, parse_properties
from rmq.wire.requests.reply import SendReplyMessage, SendReplyMessageV2
from tests.kit.broker import EPOCH, HOST, Bench, beat, heartbeat, messages, pull_header, text_of
from tests.kit.peer import MemoryPeer

MARKS = {"MSG_REGION": "DefaultRegion", "TRACE_ON": "true"}
PROPERTIES = {"REPLY_TO_CLIENT": "asker@1", "CORRELATION_ID": "c1", "TAGS": "t"}


def answer_header(**fields: Any) -> SendReplyMessageV2:
    values: dict[str, Any] = {
        "producer_group": "PG", "topic": "R", "default_topic": "TBW102", "default_topic_queue_nums": 4, "queue_id": 1,
        "sys_flag": 0x301, "born_timestamp": 1_600_000_000_000, "flag": 7, "properties": text_of(**PROPERTIES),
    }  # fmt: skip
    return SendReplyMessageV2(**{**values, **fields})


def send(peer: MemoryPeer, body: bytes = b"answer", **fields: Any) -> None:
    """Sends an answer, and does not wait for what becomes of it."""
    command = request_command(answer_header(**fields), body)
    command.opaque = 77
    peer.send(command)


def stored(bench: Bench, queue_id: int = 1) -> list[StoredMessage]:
    return messages(bench.peer().ask(pull_header("R", queue_id=queue_id)))


@pytest.fixture
def asker(bench: Bench) -> Iterator[MemoryPeer]:
    """A producer that asked, with a topic for answers."""
    bench.topic("R", 2)
    peer = bench.peer()
    beat(peer, heartbeat("asker@1", producers=("PG",)))
    peer.answers()
    return peer


def test_an_answer_is_handed_over_stored_and_its_sender_told(bench: Bench, asker: MemoryPeer) -> None:
    answerer = bench.peer()
    send(answerer)
    assert answerer.answers() == []
    (pushed,) = asker.answers()
    assert (pushed.code, pushed.flag, pushed.body) == (326, 0, b"answer")
    ext = dict(pushed.ext)
    assert parse_properties(ext.pop("properties")) == {**PROPERTIES, **MARKS, "PUSH_REPLY_TIME": str(EPOCH * 1000)}
    assert ext == {
        "producerGroup": "PG", "topic": "R", "defaultTopic": "TBW102", "defaultTopicQueueNums": "4", "queueId": "1",
        "sysFlag": "769", "bornTimestamp": "1600000000000", "flag": "7", "bornHost": "10.0.0.1:40000",
        "storeHost": "127.0.0.1:10911", "storeTimestamp": str(EPOCH * 1000),
    }  # fmt: skip
    (message,) = stored(bench)
    assert (message.topic, message.queue_id, message.body, message.flag, message.sys_flag) == (
        "R", 1, b"answer", 7, 0x301,
    )  # fmt: skip
    assert message.properties == {**PROPERTIES, **MARKS}
    assert (message.born_timestamp, message.born_host) == (1_600_000_000_000, b"\x0a\0\0\1\0\0\x9c\x40")
    asker.send(Command(0, opaque=pushed.opaque, flag=1))
    (told,) = answerer.answers()
    place = f"{HOST.hex().upper()}{message.physical_offset:016X}"
    assert (told.code, told.remark, told.opaque) == (0, None, 77)
    assert told.ext == {"msgId": place, "queueId": "1", "queueOffset": "0", **MARKS}
    assert (bench.stats.put_total, bench.stats.put_bytes) == (1, message.total_size)


def test_the_long_named_form_is_the_same(bench: Bench, asker: MemoryPeer) -> None:
    short = answer_header(reconsume_times=2, unit_mode=True)
    names = [
        "producer_group", "topic", "default_topic", "default_topic_queue_nums", "queue_id", "sys_flag",
        "born_timestamp", "flag", "properties", "reconsume_times", "unit_mode",
    ]  # fmt: skip
    bench.peer().send(request_command(SendReplyMessage(**{name: getattr(short, name) for name in names}), b"x"))
    (pushed,) = asker.answers()
    assert (pushed.ext["reconsumeTimes"], pushed.ext["unitMode"], pushed.body) == ("2", "true", b"x")
    (message,) = stored(bench)
    assert message.reconsume_times == 2


def test_without_storing_the_sender_gets_an_id_that_stands_for_none(bench: Bench, asker: MemoryPeer) -> None:
    bench.settings.set("storeReplyMessageEnable", False)
    answerer = bench.peer()
    send(answerer)
    (pushed,) = asker.answers()
    asker.send(Command(0, opaque=pushed.opaque, flag=1))
    (told,) = answerer.answers()
    assert (told.code, told.ext) == (0, {"msgId": "0", "queueId": "1", "queueOffset": "0", **MARKS})
    assert stored(bench) == []


def test_an_answer_for_nobody_is_an_error_and_stored(bench: Bench, asker: MemoryPeer) -> None:
    answerer = bench.peer()
    asker.leave()
    for properties, remark in (
        (text_of(**PROPERTIES), "push reply message fail, channel of <asker@1> not found."),
        (text_of(a="b"), "reply message properties[REPLY_TO_CLIENT] is null"),
        (None, "reply message properties[REPLY_TO_CLIENT] is null"),
    ):
        told = answerer.ask(answer_header(properties=properties), b"answer")
        assert (told.code, told.remark) == (1, remark)
    assert len(stored(bench)) == 3


@pytest.mark.parametrize("way", ["refuses", "is silent", "leaves"])
def test_a_producer_that_does_not_take_its_answer(bench: Bench, asker: MemoryPeer, way: str) -> None:
    answerer = bench.peer()
    send(answerer)
    (pushed,) = asker.answers()
    if way == "refuses":
        asker.send(Command(1, opaque=pushed.opaque, flag=1, remark="process reply message fail"))
    elif way == "leaves":
        asker.leave()
    else:
        bench.clock.advance(9.9)
        assert answerer.answers() == []
        bench.clock.advance(0.1)
    (told,) = answerer.answers()
    assert (told.code, told.remark) == (1, "push reply message to asker@1 fail.")
    assert len(stored(bench)) == 1


def test_what_the_store_does_not_take_refuses_nothing(bench: Bench, asker: MemoryPeer) -> None:
    def refuse(message: MessageInner) -> None:
        raise MessageIllegalError("no")

    for hook in (None, refuse):
        answerer = bench.peer()
        if hook is not None:
            bench.putter.hooks.append(hook)
        send(answerer, b"x" if hook is not None else b"x" * (5 << 20))
        (pushed,) = asker.answers()
        asker.send(Command(0, opaque=pushed.opaque, flag=1))
        (told,) = answerer.answers()
        assert (told.code, told.ext["msgId"]) == (0, "0")
    assert stored(bench) == []


def test_refused_like_a_send(bench: Bench, asker: MemoryPeer) -> None:
    answerer = bench.peer()
    for fields, code in (
        ({"topic": "a b"}, 29), ({"topic": "SELF_TEST_TOPIC"}, 16), ({"topic": "X", "default_topic": "none"}, 17),
        ({"queue_id": 2}, 29),
    ):  # fmt: skip
        assert answerer.ask(answer_header(**fields), b"x").code == code
    bench.settings.set("startAcceptSendRequestTimeStamp", bench.now() + 1)
    assert answerer.ask(answer_header(), b"x").code == 1
    assert asker.answers() == []
    assert stored(bench) == []


def test_answers_that_wait_take_so_much_memory_and_no_more(
    bench: Bench, asker: MemoryPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What counts is all that is kept: an answer without a body may be long in its properties."""
    monkeypatch.setattr(reply_module, "MOST_WAITING", 100_000)
    answerer = bench.peer()
    long = text_of(**PROPERTIES, x="1" * 30_000)
    send(answerer, b"1" * 30_000)
    for _ in range(2):
        send(answerer, b"", properties=long)
    waiting = asker.answers()
    assert len(waiting) == 3
    told = answerer.ask(answer_header(properties=long))
    assert told.code == 2
    assert re.fullmatch(r"answers of 9\d{4} bytes wait for producers, no more are accepted", told.remark or "")
    for pushed in waiting:
        asker.send(Command(0, opaque=pushed.opaque, flag=1))
    assert [told.code for told in answerer.answers()] == [0, 0, 0]
    send(answerer, b"1" * 90_000)
    assert len(asker.answers()) == 1


def test_answers_without_anything_are_bounded_too(
    bench: Bench, asker: MemoryPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reply_module, "MOST_WAITING", 10_000)
    answerer = bench.peer()
    for _ in range(20):
        send(answerer, b"")
    assert 5 <= len(asker.answers()) < 10


def test_a_one_way_answer_is_handed_over_too(bench: Bench, asker: MemoryPeer) -> None:
    answerer = bench.peer()
    answerer.send(request_command(answer_header(), b"x", oneway=True))
    (pushed,) = asker.answers()
    asker.send(Command(0, opaque=pushed.opaque, flag=1))
    assert answerer.answers() == []
