"""Messages by key and by place."""

import json
from typing import Any

import pytest

from rmq.server.broker.processors import message as message_module
from rmq.wire.bodies.heartbeat import ConsumerData, ConsumeType, HeartbeatData, SubscriptionData
from rmq.wire.javahash import java_hash
from rmq.wire.message import decode_messages
from rmq.wire.requests.message import QueryConsumeQueue, QueryMessage, ViewMessageById
from tests.kit.broker import EPOCH, Bench, beat, heartbeat, messages, send_header, text_of


def ask_for(key: str, most: int = 10, **fields: Any) -> QueryMessage:
    return QueryMessage("T", key, most, 0, 1 << 62, **fields)


@pytest.fixture
def filled(bench: Bench) -> Bench:
    bench.topic("T")
    peer = bench.peer()
    for number in range(40):
        text = text_of(KEYS=f"all k{number}", UNIQ_KEY=f"unique{number}")
        peer.ask(send_header("T", number % 4, properties=text), b"%d" % number)
        bench.clock.advance(1)
    return bench


def test_by_key(filled: Bench) -> None:
    answer = filled.peer().ask(ask_for("k7"))
    assert [message.body for message in messages(answer)] == [b"7"]
    assert int(answer.ext["indexLastUpdateTimestamp"]) == (EPOCH + 39) * 1000
    assert int(answer.ext["indexLastUpdatePhyoffset"]) < filled.store.log_max_offset


def test_as_many_as_asked_for_and_no_more_than_32_by_unique_id(filled: Bench) -> None:
    peer = filled.peer()
    assert len(messages(peer.ask(ask_for("all", 5)))) == 5
    assert len(messages(peer.ask(ask_for("all", 5, unique_key=True)))) == 32
    assert [message.body for message in messages(peer.ask(ask_for("unique3", 1, unique_key=True)))] == [b"3"]


def test_by_time(filled: Bench) -> None:
    answer = filled.peer().ask(QueryMessage("T", "all", 64, (EPOCH + 5) * 1000, (EPOCH + 7) * 1000))
    assert [message.body for message in messages(answer)] == [b"5", b"6", b"7"]


@pytest.mark.parametrize(("key", "most"), [("none", 10), ("all", 0), ("all", -1), ("", 10), ("x" * 100_000, 10)])
def test_nothing_found(filled: Bench, key: str, most: int) -> None:
    answer = filled.peer().ask(ask_for(key, most))
    assert (answer.code, answer.remark) == (22, "can not find message, maybe time range not correct")


def test_a_reply_fits_into_a_frame(filled: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_module, "_MOST_BYTES", 1)
    assert len(messages(filled.peer().ask(ask_for("all")))) == 1


def test_by_place(filled: Bench) -> None:
    peer = filled.peer()
    (wanted,) = messages(peer.ask(ask_for("k9")))
    (found,) = messages(peer.ask(ViewMessageById(wanted.physical_offset)))
    assert (found.body, found.queue_offset) == (b"9", 2)


@pytest.mark.parametrize("offset", [-1, 1, 1 << 40, -(1 << 63)])
def test_no_message_begins_there(filled: Bench, offset: int) -> None:
    answer = filled.peer().ask(ViewMessageById(offset))
    assert (answer.code, answer.remark) == (1, f"can not find message by the offset, {offset}")


def test_entries_of_a_queue(filled: Bench) -> None:
    peer = filled.peer()
    assert peer.ask(send_header("T", 1, properties=text_of(TAGS="a")), b"tagged").code == 0
    body = json.loads(peer.ask(QueryConsumeQueue("T", 1, 9, 5)).body)
    assert (body["minQueueIndex"], body["maxQueueIndex"]) == (0, 11)
    expected = []
    for offset in (9, 10):
        (message,) = messages_at(filled, offset)
        expected.append((message.physical_offset, message.total_size, java_hash("a") if offset == 10 else 0))
    assert [(one["physicOffset"], one["physicSize"], one["tagsCode"]) for one in body["queueData"]] == expected
    assert "subscriptionData" not in body
    assert "filterData" not in body
    counts = [len(json.loads(peer.ask(QueryConsumeQueue("T", 1, 3, count)).body)["queueData"]) for count in (-1, 0, 4)]
    assert counts == [0, 0, 4]


def messages_at(bench: Bench, offset: int) -> list[Any]:
    record = bench.store.queue_message("T", 1, offset)
    assert record is not None
    return list(decode_messages(record))


def test_entries_with_what_a_group_subscribes(filled: Bench) -> None:
    peer = filled.peer()
    beat(peer, heartbeat("c", "G", {"T": "a"}))
    body = json.loads(peer.ask(QueryConsumeQueue("T", 1, 0, 1, "G")).body)
    assert (body["subscriptionData"]["subString"], body["filterData"]) == ("a", "null")
    body = json.loads(peer.ask(QueryConsumeQueue("T", 1, 0, 1, "H")).body)
    assert (body.get("subscriptionData"), body["filterData"]) == (None, "H@T is not online!")


def test_entries_with_the_filter_of_a_group(filled: Bench) -> None:
    peer = filled.peer()
    wanted = SubscriptionData("T", "a > 1", sub_version=7, expression_type="SQL92")
    consumer = ConsumerData("G", ConsumeType.CONSUME_PASSIVELY, subscription_data_set=[wanted])
    beat(peer, HeartbeatData("c", consumer_data_set=[consumer]))
    body = json.loads(peer.ask(QueryConsumeQueue("T", 1, 0, 1, "G")).body)
    assert body["filterData"].startswith('{\n\t"bloomFilterData":{\n\t\t"bitNum":')
    shown = json.loads(body["filterData"])
    assert shown.pop("bloomFilterData")["bitNum"] > 0
    assert shown == {
        "bornTime": filled.now(), "clientVersion": 7, "consumerGroup": "G", "dead": False, "deadTime": 0,
        "expression": "a > 1", "expressionType": "SQL92", "topic": "T",
    }  # fmt: skip


def test_queues_and_places_that_are_not_there(filled: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    peer = filled.peer()
    for header, code, remark in (
        (QueryConsumeQueue("T", 9, 0, 1), 1, "9@T is not exist!"),
        (QueryConsumeQueue("U", 0, 0, 1), 1, "0@U is not exist!"),
        (QueryConsumeQueue("T", 1, 10, 1), 0, "Index 10 of 1@T is not exist!"),
        (QueryConsumeQueue("T", 1, -1, 1), 0, "Index -1 of 1@T is not exist!"),
    ):
        answer = peer.ask(header)
        assert (answer.code, answer.remark, answer.body) == (code, remark, b"")
    monkeypatch.setattr(message_module, "MOST_ENTRIES", 2)
    assert len(json.loads(peer.ask(QueryConsumeQueue("T", 1, 0, 1 << 30)).body)["queueData"]) == 2
