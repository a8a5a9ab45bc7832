"""A batch in one pass against its readable twins."""

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

HOST = b"\x0a\x00\x00\x01\x00\x00\x9c\x40"
SHAPE = Shape(HEADS[0], b"\x01T", 3, 1, 1000, HOST, 2000, b"\x7f\x00\x00\x01\x00\x00\x2a\x9f", 0)

properties = st.sampled_from(
    [b"", b"TAGS\x01a\x02", b"UNIQ_KEY\x01u1\x02TAGS\x01b", b"KEYS\x01k\x02", b"XTAGS\x01no\x02"]
)
batches = st.lists(
    st.builds(BatchMessage, st.integers(-(1 << 31), (1 << 31) - 1), st.binary(max_size=50), properties), min_size=1
)


@given(batches, st.integers(0, 1 << 50), st.integers(0, 1 << 40))
def test_equals_the_readable_way(messages: list[BatchMessage], physical: int, queue_offset: int) -> None:
    body = encode_batch(messages)
    assert decode_batch(body) == messages

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


def test_an_unfinished_batch_is_no_record_and_a_finished_one_is_whole() -> None:
    placed = place_batch(encode_batch([BatchMessage(0, b"a", b""), BatchMessage(0, b"b", b"")]), SHAPE, 100, 0)
    half = len(placed.records) // 2
    assert parse_record(placed.records[:half], 100)[0] is None
    begun = bytearray(b"before" + placed.records)
    finish(begun, len(b"before"))
    assert [
        parse_record(bytes(part), 100 + at)[1] for at, part in ((0, begun[6 : 6 + half]), (half, begun[6 + half :]))
    ] == ["", ""]


@given(batches, st.data())
def test_what_is_no_batch_is_refused(messages: list[BatchMessage], data: st.DataObject) -> None:
    body = bytearray(encode_batch(messages))
    at = data.draw(st.integers(0, len(body) - 1))
    body[at] ^= data.draw(st.integers(1, 255))
    try:
        expected = decode_batch(bytes(body))
    except MessageError:
        with pytest.raises(MessageError):
            sized_and_placed(bytes(body))
    else:
        records = decode_messages(sized_and_placed(bytes(body)))
        assert [(r.flag, r.body) for r in records] == [(m.flag, m.body) for m in expected]
