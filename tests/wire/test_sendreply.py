"""The quick reply says exactly what the readable encoding says."""

from hypothesis import given
from hypothesis import strategies as st

from rmq.wire.codes import FLAG_RESPONSE, SERIALIZE_BINARY, SERIALIZE_JSON
from rmq.wire.command import Command, decode, encode
from rmq.wire.sendreply import SendReplies

MARKS = {"MSG_REGION": '100% "region"', "TRACE_ON": "true"}
int64 = st.integers(-(1 << 63), (1 << 63) - 1)


@given(
    serialize_type=st.sampled_from([SERIALIZE_JSON, SERIALIZE_BINARY]),
    code=st.sampled_from([0, 10, 11, 12]),
    opaque=st.integers(-(1 << 31), (1 << 31) - 1),
    message_id=st.lists(st.text("0123456789ABCDEF", min_size=32, max_size=32), min_size=1, max_size=3).map(",".join),
    queue_id=st.integers(0, 1 << 20),
    queue_offset=int64,
    unique_id=st.none() | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40),
)
def test_equals_the_readable_encoding(
    serialize_type: int,
    code: int,
    opaque: int,
    message_id: str,
    queue_id: int,
    queue_offset: int,
    unique_id: str | None,
) -> None:
    request = Command(310, opaque=opaque, serialize_type=serialize_type)
    ext = {"msgId": message_id, "queueId": str(queue_id), "queueOffset": str(queue_offset), **MARKS}
    if unique_id is not None:
        ext["transactionId"] = unique_id
    twin = encode(Command(code, ext, opaque=opaque, flag=FLAG_RESPONSE, serialize_type=serialize_type))

    id_bytes = None if unique_id is None else unique_id.encode()
    frame = SendReplies(MARKS).encode(request, code, message_id.encode(), queue_id, queue_offset, id_bytes)

    assert decode(frame, 4, len(frame)) == decode(twin, 4, len(twin))
    assert int.from_bytes(frame[:4], "big") == len(frame) - 4


def test_exact_json() -> None:
    request = Command(310, opaque=7, serialize_type=SERIALIZE_JSON)
    replies = SendReplies({"MSG_REGION": "DefaultRegion", "TRACE_ON": "true"})
    frame = replies.encode(request, 0, b"AB" * 16, 3, 12, b"C0FFEE")
    assert frame[8:] == (
        b'{"code":0,"extFields":{"msgId":"ABABABABABABABABABABABABABABABAB","queueId":"3","queueOffset":"12",'
        b'"transactionId":"C0FFEE","MSG_REGION":"DefaultRegion","TRACE_ON":"true"},"flag":1,"language":"PYTHON",'
        b'"opaque":7,"serializeTypeCurrentRPC":"JSON","version":493}'
    )
