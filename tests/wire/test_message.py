import ipaddress
from binascii import crc32
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmq.wire import records
from rmq.wire.message import (
    BatchMessage,
    MessageError,
    StoredMessage,
    UniqueIds,
    decode_batch,
    decode_message,
    decode_messages,
    encode_batch,
    encode_message,
    find_property,
    format_properties,
    offset_message_id,
    pack_host,
    parse_offset_message_id,
    parse_properties,
    tags_code,
    unique_id_time,
    unpack_host,
)
from rmq.wire.sysflag import BORN_HOST_V6, MAGIC_V1, MAGIC_V2, STORE_HOST_V6

INT32 = st.integers(-(1 << 31), (1 << 31) - 1)
INT64 = st.integers(-(1 << 63), (1 << 63) - 1)
NAME = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x01\x02"), min_size=1, max_size=12)


@st.composite
def messages(draw: st.DrawFn) -> StoredMessage:
    message = StoredMessage()
    message.sys_flag = draw(INT32)
    message.born_host = draw(st.binary(min_size=20, max_size=20)) if message.sys_flag & BORN_HOST_V6 else b"\x01" * 8
    message.store_host = draw(st.binary(min_size=20, max_size=20)) if message.sys_flag & STORE_HOST_V6 else b"\x02" * 8
    for name in ("queue_id", "flag", "reconsume_times"):
        setattr(message, name, draw(INT32))
    for name in (
        "queue_offset",
        "physical_offset",
        "born_timestamp",
        "store_timestamp",
        "prepared_transaction_offset",
    ):
        setattr(message, name, draw(INT64))
    message.body = draw(st.binary(max_size=300))
    names = st.from_regex(r"[a-zA-Z%_-]{1,127}", fullmatch=True)
    message.topic = draw(st.one_of(names, st.just("%RETRY%" + "g" * 200)))
    message.properties_text = format_properties(draw(st.dictionaries(NAME, NAME, max_size=4)))
    message._properties = None
    return message


FIELDS = [name for name in StoredMessage.__slots__ if name not in {"_properties", "total_size", "body_crc"}]


@given(messages(), st.binary(max_size=20))
def test_fast_codec_is_the_declaration(message: StoredMessage, around: bytes) -> None:
    raw = encode_message(message)
    declared = records.StoredMessage.parse(raw)
    topic = message.topic.encode()
    assert declared.magic == (MAGIC_V2 if len(topic) > 127 else MAGIC_V1)
    assert declared.total_size == len(raw)
    assert declared.body_crc == crc32(message.body) & 0x7FFFFFFF
    assert (declared.topic, declared.properties) == (topic, message.properties_text.encode())
    assert records.StoredMessage.build(declared) == raw
    decoded = decode_message(around + raw + around, len(around))
    assert {name: getattr(decoded, name) for name in FIELDS} == {name: getattr(message, name) for name in FIELDS}
    assert decoded.total_size == len(raw)
    assert decoded.body_is_sound


@given(messages(), st.data())
def test_a_cut_record_is_refused(message: StoredMessage, data: st.DataObject) -> None:
    raw = encode_message(message)
    with pytest.raises(MessageError):
        decode_message(raw[: data.draw(st.integers(0, len(raw) - 1))])


@given(messages(), st.data())
def test_a_changed_record_never_raises_anything_else(message: StoredMessage, data: st.DataObject) -> None:
    raw = bytearray(encode_message(message))
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        decode_message(bytes(raw))
    except MessageError:
        return


def test_records_back_to_back() -> None:
    first, second = StoredMessage(), StoredMessage()
    for number, message in enumerate((first, second)):
        message.sys_flag = message.queue_id = message.flag = message.reconsume_times = 0
        message.queue_offset = number
        message.physical_offset = message.born_timestamp = message.store_timestamp = 5
        message.prepared_transaction_offset = 0
        message.born_host = message.store_host = pack_host("10.0.0.1", 10911)
        message.body, message.topic, message.properties_text = b"b", "T", "KEYS\x01k\x02"
        message._properties = None
    both = encode_message(first) + encode_message(second)
    assert [m.queue_offset for m in decode_messages(both)] == [0, 1]
    assert next(decode_messages(both)).properties == {"KEYS": "k"}
    assert next(decode_messages(both)).offset_id == "0A00000100002A9F0000000000000005"
    with pytest.raises(MessageError, match="cut"):
        list(decode_messages(both[:-1]))


@pytest.mark.parametrize(
    ("text", "properties"),
    [
        ("", {}),
        ("KEYS\x01a b\x02TAGS\x01t\x02", {"KEYS": "a b", "TAGS": "t"}),
        ("KEYS\x01a b\x02TAGS\x01t", {"KEYS": "a b", "TAGS": "t"}),
        ("a\x01\x02\x01b\x02ab\x02abc\x02k\x01v\x02", {"k": "v"}),
        ("k\x01v\x01w\x02", {"k": "v\x01w"}),
    ],
)
def test_properties_text(text: str, properties: dict[str, str]) -> None:
    assert parse_properties(text) == properties
    for name in ("KEYS", "TAGS", "k", "S"):
        value = find_property(text.encode(), name.encode())
        assert (value.decode() if value else None) == properties.get(name)


@given(st.dictionaries(NAME, NAME, max_size=6))
def test_properties_both_ways(properties: dict[str, str]) -> None:
    text = format_properties(properties)
    assert parse_properties(text) == properties
    for name, value in properties.items():
        assert find_property(text.encode(), name.encode()) == value.encode()


def test_tags_code() -> None:
    assert tags_code("TagA") == 2598919
    assert tags_code("") == tags_code(None) == 0


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)), st.integers(0, 65535), st.integers(0, (1 << 63) - 1))
def test_hosts_and_offset_ids(address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int, offset: int) -> None:
    host = pack_host(str(address), port)
    assert unpack_host(host) == (str(address), port)
    text = offset_message_id(host, offset)
    assert len(text) == (32 if address.version == 4 else 56)
    assert parse_offset_message_id(text) == parse_offset_message_id(text.lower()) == (host, offset)


@pytest.mark.parametrize("text", ["", "7F", "zz" * 16, "7F" * 17])
def test_what_is_no_offset_id(text: str) -> None:
    with pytest.raises(MessageError, match="no message id"):
        parse_offset_message_id(text)


def test_unique_ids() -> None:
    moment = datetime(2024, 2, 3, 4, 5, 6).timestamp()
    now = int(moment * 1000)
    since = now - int(datetime(2024, 2, 1).timestamp() * 1000)
    ids = UniqueIds(b"\x0a\x00\x00\x01", 0x12345, 0xCAFEBABE)
    assert ids.next(now) == f"0A0000012345CAFEBABE{since:08X}0001"
    assert ids.next(now) == f"0A0000012345CAFEBABE{since:08X}0002"
    assert unique_id_time(ids.next(now), now + 5000) == now
    next_month = int(datetime(2024, 3, 1, 0, 0, 1).timestamp() * 1000)
    assert ids.next(next_month)[20:28] == f"{1000:08X}"
    assert unique_id_time(f"0A0000012345CAFEBABE{since:08X}0002", next_month) == now
    assert len(UniqueIds(b"\0" * 16, 1, 1).next(now)) == 56
    for wrong in ("abc", "Z" * 32):
        with pytest.raises(MessageError, match="no unique message id"):
            unique_id_time(wrong, now)


@given(st.lists(st.builds(BatchMessage, INT32, st.binary(max_size=50), st.binary(max_size=50)), min_size=1, max_size=8))
def test_batch_is_the_declaration(batch: list[BatchMessage]) -> None:
    raw = encode_batch(batch)
    assert records.BatchBody.build([message._asdict() for message in batch]) == raw
    assert [(i.flag, i.body, i.properties) for i in records.BatchBody.parse(raw)] == batch
    assert decode_batch(raw) == batch
    for cut in range(1, len(raw)):
        if raw[:cut] not in {encode_batch(batch[:count]) for count in range(1, len(batch))}:
            with pytest.raises(MessageError):
                decode_batch(raw[:cut])


@given(st.binary(max_size=80))
def test_no_bytes_break_the_batch_reader(raw: bytes) -> None:
    try:
        decode_batch(raw)
    except MessageError:
        return


def test_too_long_properties_in_a_batch() -> None:
    with pytest.raises(MessageError, match="32768"):
        encode_batch([BatchMessage(0, b"", b"p" * 32768)])
