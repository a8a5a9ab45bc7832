"""A batch in one pass against its readable twins."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmq.server.store.batch import Shape, finish, place_batch
from rmq.server.store.record import HEADS, parse_record
from rmq.wire.layouts import CONSUME_QUEUE_UNIT
from rmq.wire.message import (
    BatchMessage,
    MessageError,
    decode_batch,
    decode_messages,
    encode_batch,
    encode_message,
    find_property,
    tags_code,
)
from tests.kit.loops import WAYS, taking

HOST = b"\x0a\x00\x00\x01\x00\x00\x9c\x40"
SHAPE = Shape(HEADS[0], b"\x01T", 3, 1, 1000, HOST, 2000, b"\x7f\x00\x00\x01\x00\x00\x2a\x9f", 0)

properties = st.sampled_from(
    [b"", b"TAGS\x01a\x02", b"UNIQ_KEY\x01u1\x02TAGS\x01b", b"KEYS\x01k\x02", b"XTAGS\x01no\x02"]
)
batches = st.lists(
    st.builds(BatchMessage, st.integers(-(1 << 31), (1 << 31) - 1), st.binary(max_size=50), properties), min_size=1
)


ways = st.sampled_from(WAYS)


@given(batches, st.integers(0, 1 << 50), st.integers(0, 1 << 40), ways)
def test_equals_the_readable_way(messages: list[BatchMessage], physical: int, queue_offset: int, way: str) -> None:
    body = encode_batch(messages)
    assert decode_batch(body) == messages

    with taking(way):
        placed = place_batch(body, SHAPE, physical, queue_offset)
    finished = bytearray(placed.records)
    finish(finished, 0)

    records = list(decode_messages(bytes(finished)))
    assert b"".join(map(encode_message, records)) == finished
    assert [(r.flag, r.body, r.properties_text.encode()) for r in records] == messages
    assert [r.queue_offset for r in records] == list(range(queue_offset, queue_offset + len(messages)))
    assert [r.physical_offset for r in records] == placed.offsets
    assert placed.offsets[0] == physical
    assert all(r.body_is_sound for r in records)
    assert {(r.topic, r.queue_id, r.sys_flag, r.born_timestamp, r.born_host, r.store_timestamp) for r in records} == {
        ("T", 3, 1, 1000, HOST, 2000)
    }
    tags = [find_property(message.properties, b"TAGS") for message in messages]
    codes = [tags_code(tag.decode()) if tag else 0 for tag in tags]
    assert placed.tags == set(codes)
    assert placed.units == b"".join(
        CONSUME_QUEUE_UNIT.pack(r.physical_offset, r.total_size, code) for r, code in zip(records, codes, strict=True)
    )


def sized_and_placed(body: bytes) -> bytes:
    placed = place_batch(body, SHAPE, 0, 0)
    finished = bytearray(placed.records)
    finish(finished, 0)
    return bytes(finished)


@pytest.mark.usefixtures("loops")
def test_an_unfinished_batch_is_no_record_and_a_finished_one_is_whole() -> None:
    placed = place_batch(encode_batch([BatchMessage(0, b"a", b""), BatchMessage(0, b"b", b"")]), SHAPE, 100, 0)
    half = len(placed.records) // 2
    assert parse_record(placed.records[:half], 100)[0] is None
    begun = bytearray(b"before" + placed.records)
    finish(begun, len(b"before"))
    assert [
        parse_record(bytes(part), 100 + at)[1] for at, part in ((0, begun[6 : 6 + half]), (half, begun[6 + half :]))
    ] == ["", ""]


@given(batches, ways, st.data())
def test_what_is_no_batch_is_refused(messages: list[BatchMessage], way: str, data: st.DataObject) -> None:
    body = bytearray(encode_batch(messages))
    at = data.draw(st.integers(0, len(body) - 1))
    body[at] ^= data.draw(st.integers(1, 255))
    try:
        expected = decode_batch(bytes(body))
    except MessageError:
        with pytest.raises(MessageError), taking(way):
            sized_and_placed(bytes(body))
    else:
        with taking(way):
            records = decode_messages(sized_and_placed(bytes(body)))
        assert [(r.flag, r.body) for r in records] == [(m.flag, m.body) for m in expected]


@pytest.mark.usefixtures("loops")
@pytest.mark.parametrize("size", [-60, 0, 21])
def test_an_item_that_ends_before_it_begins_is_refused(size: int) -> None:
    # Counted from the end, as Python does, the first item's parts add up, and so do the second one's, for ever.
    body = bytearray(200)
    struct.pack_into(">lllllH", body, 0, size, 0, 0, 0, 0, 118)
    struct.pack_into(">lllll", body, 140, 0, 0, 0, 0, 70)
    struct.pack_into(">H", body, 30, 108)
    with pytest.raises(MessageError, match=f"do not add up to its {size} bytes"):
        place_batch(bytes(body), SHAPE, 0, 0)


@pytest.mark.usefixtures("loops")
def test_a_batch_without_a_message_is_refused() -> None:
    with pytest.raises(MessageError, match="without a message"):
        place_batch(b"", SHAPE, 0, 0)
