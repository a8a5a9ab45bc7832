"""Messages on their way out: checks, ids, compression, batches."""

import zlib
from dataclasses import replace

import pytest

from rmq.client.config import ProducerConfig
from rmq.client.errors import ClientError, IllegalMessageError
from rmq.client.message import Message
from rmq.client.namespace import Namespace
from rmq.client.outgoing import outgoing_batch, outgoing_message, split_batches
from rmq.wire.errors import InvalidParameterError
from rmq.wire.message import UniqueIds, decode_batch, parse_properties
from rmq.wire.requests.reply import SendReplyMessageV2
from rmq.wire.requests.send import SendBatchMessage, SendMessageV2
from rmq.wire.sysflag import COMPRESSED, COMPRESSION_ZLIB

CONFIG = ProducerConfig()
NOW = 1_700_000_000_000


def ids() -> UniqueIds:
    return UniqueIds(bytes([10, 1, 1, 1]), 77, 5)


def test_header_of_a_message() -> None:
    message = Message("T", b"body", tags="A", keys="k", flag=9, properties={"own": "1"})
    outgoing = outgoing_message(message, CONFIG, ids(), NOW)
    header = outgoing.header("PG", 3, "broker-a", NOW, CONFIG)
    assert header == SendMessageV2(
        "PG", "T", "TBW102", 4, 3, 0, NOW, 9,
        properties=f"TAGS\x01A\x02KEYS\x01k\x02WAIT\x01true\x02own\x011\x02UNIQ_KEY\x01{message.unique_id}\x02",
        reconsume_times=0, unit_mode=False, batch=False, broker_name="broker-a",
    )  # fmt: skip
    assert outgoing.body == b"body"
    assert outgoing.message_id == message.unique_id
    assert str(message.unique_id).startswith("0A010101004D00000005")


def test_a_message_that_is_sent_again_keeps_its_id() -> None:
    message, source = Message("T", b"x"), ids()
    first = outgoing_message(message, CONFIG, source, NOW).message_id
    assert outgoing_message(message, CONFIG, source, NOW + 1).message_id == first


def test_bodies_of_four_kilobytes_are_compressed() -> None:
    plain = outgoing_message(Message("T", b"a" * 4095), CONFIG, ids(), NOW)
    packed = outgoing_message(Message("T", b"a" * 4096), CONFIG, ids(), NOW)
    assert (plain.body, plain.sys_flag) == (b"a" * 4095, 0)
    assert (zlib.decompress(packed.body), packed.sys_flag) == (b"a" * 4096, COMPRESSED | COMPRESSION_ZLIB)


def test_a_message_that_a_consumer_gives_back() -> None:
    """Its counts go into the header and leave the properties (sendKernelImpl)."""
    message = Message("%RETRY%G", b"x")
    message.properties.update(RECONSUME_TIME="3", MAX_RECONSUME_TIMES="16")
    outgoing = outgoing_message(message, CONFIG, ids(), NOW)
    assert (outgoing.reconsume_times, outgoing.max_reconsume_times) == (3, 16)
    assert set(parse_properties(outgoing.properties)) == {"WAIT", "UNIQ_KEY"}


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (Message("T", b""), IllegalMessageError),
        (Message("T", b"x" * 101), IllegalMessageError),
        (Message("../x", b"x"), InvalidParameterError),
        (Message("", b"x"), InvalidParameterError),
        (Message("SCHEDULE_TOPIC_XXXX", b"x"), ClientError),
    ],
)
def test_what_is_not_sent(message: Message, error: type[Exception]) -> None:
    with pytest.raises(error):
        outgoing_message(message, replace(CONFIG, max_message_size=100), ids(), NOW)


def test_batch() -> None:
    messages = [Message("T", f"b{i}", tags="A", flag=i) for i in range(3)]
    outgoing = outgoing_batch(messages, CONFIG, ids(), NOW)
    assert outgoing.message_id == ",".join(str(message.unique_id) for message in messages)
    assert outgoing.kind is SendBatchMessage
    header = outgoing.header("PG", 0, "b", NOW, CONFIG)
    assert (header.batch, header.flag, header.sys_flag) == (True, 0, 0)
    assert set(parse_properties(header.properties or "")) == {"WAIT", "UNIQ_KEY"}
    items = decode_batch(outgoing.body)
    assert [(item.flag, item.body) for item in items] == [(0, b"b0"), (1, b"b1"), (2, b"b2")]
    assert [parse_properties(item.properties.decode()) for item in items] == [
        message.properties for message in messages
    ]


def delayed() -> Message:
    message = Message("T", b"x")
    message.properties["DELAY"] = "3"
    return message


@pytest.mark.parametrize(
    ("messages", "text"),
    [
        ([], "needs a message"),
        ([Message("T", b"x"), Message("U", b"x")], "topic of the messages in one batch"),
        ([Message("T", b"x"), Message("T", b"x", wait_store_ok=False)], "waitStoreMsgOK"),
        ([delayed()], "TimeDelayLevel is not supported for batching"),
        ([Message("%RETRY%G", b"x")], "Retry Group is not supported for batching"),
        ([Message("T", b"x" * 60), Message("T", b"x" * 60)], "over max value, MAX: 100"),
    ],
)
def test_batches_that_are_refused(messages: list[Message], text: str) -> None:
    with pytest.raises(IllegalMessageError, match=text):
        outgoing_batch(messages, replace(CONFIG, max_message_size=100), ids(), NOW)


def test_split_keeps_order_and_limit() -> None:
    messages = [Message("T", b"x" * size) for size in (10, 500, 2000, 10, 10, 900)]
    parts = list(split_batches(messages, 1024))
    assert [message for part in parts for message in part] == messages
    assert [len(part) for part in parts] == [2, 1, 2, 1]
    for part in parts:
        if len(part) > 1:
            assert len(outgoing_batch(part, CONFIG, ids(), NOW).body) <= 1024
    assert list(split_batches([], 1024)) == []


def test_a_timed_message_cannot_be_in_a_batch() -> None:
    with pytest.raises(IllegalMessageError, match="TimeDelayLevel is not supported for batching"):
        outgoing_batch([Message("T", b"x", delay_seconds=1)], CONFIG, ids(), NOW)


def test_answers_have_a_request_of_their_own() -> None:
    answer = Message("DefaultCluster_REPLY_TOPIC", b"x")
    answer.properties["MSG_TYPE"] = "reply"
    outgoing = outgoing_message(answer, CONFIG, ids(), NOW)
    assert outgoing.kind is SendReplyMessageV2
    header = outgoing.header("PG", 0, "broker-a", NOW, CONFIG)
    assert (type(header), header.batch) == (SendReplyMessageV2, False)


def test_inside_a_namespace() -> None:
    message, space = Message("T", b"x"), Namespace("shop")
    one = outgoing_message(message, CONFIG, ids(), NOW, space)
    many = outgoing_batch([message], CONFIG, ids(), NOW, space)
    for outgoing in (one, many):
        assert outgoing.topic == "shop%T"
        assert parse_properties(outgoing.properties)["INSTANCE_ID"] == "shop"
    assert (message.topic, "INSTANCE_ID" in message.properties) == ("T", False)
