"""What stands in the revive log, and batches of acknowledgements: the texts are those of an Apache broker 5.4.0."""

import pytest

from rmq.wire.bodies.pop import MAX_ACK_BITS, MAX_ACKS, AckRecord, BatchAck, BatchAckBody, PopCheckPoint, ack_bits
from rmq.wire.declare import decode_body, encode_body
from rmq.wire.errors import InvalidFieldError

POINT = PopCheckPoint(
    start_offset=10, pop_time=1000, invisible_time=60, num=3, queue_id=2, topic="T", group="G",
    queue_offset_diff=[0, 1, 5], broker_name="b",
)  # fmt: skip


def test_check_points() -> None:
    text = (
        b'{"bm":0,"bn":"b","c":"G","d":[0,1,5],"it":60,"n":3,"pt":1000,"q":2,"reviveTime":1060,"ro":0,"so":10,"t":"T"}'
    )
    assert encode_body(POINT) == text
    assert decode_body(PopCheckPoint, text) == POINT
    assert decode_body(PopCheckPoint, text.replace(b'"reviveTime":1060,', b"")) == POINT
    assert POINT.revive_time == 1060


def test_places_in_a_check_point() -> None:
    assert [POINT.offset_at(index) for index in range(3)] == [10, 11, 15]
    assert [POINT.index_of(offset) for offset in (9, 10, 11, 12, 15, 16)] == [-1, 0, 1, -1, 2, -1]
    old = PopCheckPoint(start_offset=10, num=2)
    assert [old.offset_at(index) for index in range(2)] == [10, 11]
    assert [old.index_of(offset) for offset in (9, 10, 11, 12)] == [-1, 0, 1, -1]


def test_acknowledgements() -> None:
    one = AckRecord(11, 10, "G", "T", 2, 1000, "b")
    text = b'{"ao":11,"bn":"b","c":"G","pt":1000,"q":2,"so":10,"t":"T"}'
    assert (encode_body(one), decode_body(AckRecord, text), one.offsets) == (text, one, [11])
    some = AckRecord(-1, 10, "G", "T", 2, 1000, "b", [11, 15])
    text = b'{"ao":-1,"aol":[11,15],"bn":"b","c":"G","pt":1000,"q":2,"so":10,"t":"T"}'
    assert (encode_body(some), decode_body(AckRecord, text), some.offsets) == (text, some, [11, 15])


def test_batches() -> None:
    batch = BatchAck("G", "T", "1", 10, 2, 3, 1000, 60, ack_bits([1, 5, 9]))
    assert batch.bits == "IgI="
    text = (
        b'{"acks":[{"b":"IgI=","c":"G","it":60,"pt":1000,"q":2,"r":"1","rq":3,"so":10,"t":"T"}],"brokerName":"b"}'
    )
    body = BatchAckBody("b", [batch])
    assert (encode_body(body), decode_body(BatchAckBody, text)) == (text, body)
    assert list(batch.offsets()) == [11, 15, 19]
    assert list(BatchAck("G", "T").offsets()) == []
    assert list(BatchAck("G", "T", start_offset=7, bits=ack_bits([0, 799])).offsets()) == [7, 806]


@pytest.mark.parametrize("bits", ["?", "A", ack_bits([MAX_ACK_BITS]), ack_bits(range(MAX_ACKS + 1))])
def test_bits_that_cannot_be_read(bits: str) -> None:
    with pytest.raises(InvalidFieldError, match=r"BatchAck\.b"):
        BatchAck("G", "T", bits=bits).offsets()
