"""Messages: properties, what they print, what a record becomes. The printed texts are Apache's own."""

import zlib
from typing import Any

import pytest

from rmq.client.errors import IllegalMessageError
from rmq.client.message import Message, MessageExt, hash_map_order
from rmq.wire.message import StoredMessage, decode_message, encode_message, pack_host
from rmq.wire.sysflag import COMPRESSED, COMPRESSION_ZLIB


def record(body: bytes, properties: str, sys_flag: int = 0) -> StoredMessage:
    message = StoredMessage()
    message.queue_id, message.flag, message.queue_offset, message.physical_offset = 3, 0, 1, 1056
    message.sys_flag, message.born_timestamp, message.store_timestamp = sys_flag, 1795260094195, 1795260094196
    message.born_host, message.store_host = pack_host("127.0.0.1", 37838), pack_host("127.0.0.1", 29268)
    message.reconsume_times, message.prepared_transaction_offset = 0, 0
    message.body, message.topic, message.properties_text, message._properties = body, "TopicTest", properties, None
    return decode_message(encode_message(message))


def test_prints_as_java_does() -> None:
    properties = {"zeta": "1", "a": "2", "number": "7", "city": "x"}
    message = Message("T", "hé", tags="TagA", keys=["k1", "k2"], flag=5, properties=properties)
    assert str(message) == (
        "Message{topic='T', flag=5, properties={zeta=1, a=2, number=7, city=x, KEYS=k1 k2, WAIT=true, TAGS=TagA}, "
        "body=[104, -61, -87], transactionId='null'}"
    )


def test_received_message_prints_as_java_does() -> None:
    """A line that Apache's quickstart consumer printed."""
    stored = record(
        b"Hello RocketMQ 4",
        "MSG_REGION\x01DefaultRegion\x02UNIQ_KEY\x01FD000000000000000000000000000002477830946E09696F2EF30004\x02"
        "CLUSTER\x01DefaultCluster\x02TAGS\x01TagA\x02WAIT\x01true\x02TRACE_ON\x01true\x02",
    )
    message = MessageExt(stored, "broker-a")
    message.properties.update(MIN_OFFSET="0", MAX_OFFSET="250", CONSUME_START_TIME="1795260101290")
    assert str(message) == (
        f"MessageExt [brokerName=broker-a, queueId=3, storeSize={stored.total_size}, queueOffset=1, sysFlag=0, "
        "bornTimestamp=1795260094195, bornHost=/127.0.0.1:37838, storeTimestamp=1795260094196, "
        "storeHost=/127.0.0.1:29268, msgId=7F000001000072540000000000000420, commitLogOffset=1056, bodyCRC=601994070, "
        "reconsumeTimes=0, preparedTransactionOffset=0, toString()=Message{topic='TopicTest', flag=0, properties={"
        "CONSUME_START_TIME=1795260101290, MSG_REGION=DefaultRegion, "
        "UNIQ_KEY=FD000000000000000000000000000002477830946E09696F2EF30004, CLUSTER=DefaultCluster, MIN_OFFSET=0, "
        "TAGS=TagA, WAIT=true, TRACE_ON=true, MAX_OFFSET=250}, "
        "body=[72, 101, 108, 108, 111, 32, 82, 111, 99, 107, 101, 116, 77, 81, 32, 52], transactionId='null'}]"
    )
    assert message.msg_id == "FD000000000000000000000000000002477830946E09696F2EF30004"
    assert message.offset_msg_id == "7F000001000072540000000000000420"


def test_order_of_a_hash_map_that_has_grown() -> None:
    """What HashMap(128) gives of p0 ... p119, which is more than it holds without growing."""
    order = [name for name, _ in hash_map_order({f"p{i}": str(i) for i in range(120)})]
    assert order[:6] == ["p50", "p52", "p51", "p54", "p53", "p56"]
    assert order[47:57] == ["p10", "p98", "p97", "p12", "p113", "p11", "p99", "p112", "p14", "p111"]
    assert order[-3:] == ["p46", "p49", "p48"]


def test_message_without_the_senders_id_has_the_brokers() -> None:
    message = MessageExt(record(b"x", ""))
    assert message.msg_id == message.offset_msg_id == "7F000001000072540000000000000420"
    assert (message.tags, message.keys, message.wait_store_ok, message.delay_level) == (None, None, True, 0)


def test_compressed_body_is_inflated() -> None:
    stored = record(zlib.compress(b"abc" * 1000), "", COMPRESSED | COMPRESSION_ZLIB)
    message = MessageExt(stored)
    assert message.body == b"abc" * 1000
    assert message.sys_flag == COMPRESSION_ZLIB
    raw = MessageExt(stored, decompressed=False)
    assert (raw.body, raw.sys_flag) == (stored.body, COMPRESSED | COMPRESSION_ZLIB)


@pytest.mark.parametrize("name", ["KEYS", "DELAY", "UNIQ_KEY", "__BORNHOST", "TIMER_DELAY_MS"])
def test_reserved_names_are_refused(name: str) -> None:
    with pytest.raises(IllegalMessageError, match=f"The Property<{name}> is used by system, input another please"):
        Message("T", b"x", properties={name: "1"})


@pytest.mark.parametrize(("name", "value"), [("", "1"), ("a", " "), ("a\x01b", "1"), ("a", "x\x02y")])
def test_properties_that_could_not_be_read_back_are_refused(name: str, value: str) -> None:
    with pytest.raises(IllegalMessageError):
        Message("T", b"x").put(name, value)


@pytest.mark.parametrize(
    ("delay", "properties"),
    [
        ({"delay_level": 3}, {"DELAY": "3"}),
        ({"delay_seconds": 5}, {"TIMER_DELAY_SEC": "5"}),
        ({"delay_seconds": 60.0}, {"TIMER_DELAY_SEC": "60"}),
        ({"delay_seconds": 0.25}, {"TIMER_DELAY_MS": "250"}),
        ({"deliver_at": 1_700_000_000_000}, {"TIMER_DELIVER_MS": "1700000000000"}),
    ],
)
def test_delays(delay: dict[str, Any], properties: dict[str, str]) -> None:
    message = Message("T", b"x", **delay)
    assert message.properties == {"WAIT": "true", **properties}
    assert (message.delayed, Message("T", b"x").delayed) == (True, False)


def test_one_delay_is_enough() -> None:
    for delays in ({"delay_level": 1, "delay_seconds": 1}, {"delay_seconds": 1, "deliver_at": 1}):
        with pytest.raises(IllegalMessageError, match="one of delay_level, delay_seconds and deliver_at"):
            Message("T", b"x", **delays)
