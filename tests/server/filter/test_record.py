"""Properties out of stored messages of every layout."""

import pytest

from rmq.server.filter import compile_filter
from rmq.server.filter.record import properties_of
from rmq.wire.layouts import RECORD_HEAD, RECORD_HEAD_BORN6, RECORD_HEAD_BOTH6, RECORD_HEAD_STORE6
from rmq.wire.sysflag import BORN_HOST_V6, MAGIC_V1, MAGIC_V2, STORE_HOST_V6

HEADS = {
    0: (RECORD_HEAD, 8, 8),
    BORN_HOST_V6: (RECORD_HEAD_BORN6, 20, 8),
    STORE_HOST_V6: (RECORD_HEAD_STORE6, 8, 20),
    BORN_HOST_V6 | STORE_HOST_V6: (RECORD_HEAD_BOTH6, 20, 20),
}


def record(magic: int, hosts: int, body: bytes, topic: bytes, properties: bytes) -> bytes:
    head, born, store = HEADS[hosts]
    length = len(topic).to_bytes(2 if magic == MAGIC_V2 else 1, "big")
    tail = body + length + topic + len(properties).to_bytes(2, "big") + properties
    size = head.size + len(tail)
    flags = hosts | 0x1F0F & ~0x30
    before = size, magic, 0, 3, 7, 5, 1 << 40, flags
    return head.pack(*before, 1, b"b" * born, 2, b"s" * store, 0, 0, len(body)) + tail


@pytest.mark.parametrize("magic", [MAGIC_V1, MAGIC_V2])
@pytest.mark.parametrize("hosts", HEADS)
@pytest.mark.parametrize("topic", [b"T", b"t" * 127, b"t" * 255])
@pytest.mark.parametrize("body", [b"", b"\x02a\x017\x02" * 100])
@pytest.mark.parametrize("properties", [b"", b"a\x015\x02", b"x\x01y\x02" * 8000])
def test_properties(magic: int, hosts: int, topic: bytes, body: bytes, properties: bytes) -> None:
    assert properties_of(record(magic, hosts, body, topic, properties)) == properties


def test_a_topic_longer_than_a_byte_tells() -> None:
    assert properties_of(record(MAGIC_V2, 0, b"body", b"t" * 300, b"a\x015\x02")) == b"a\x015\x02"


def test_a_filter_looks_at_properties_only() -> None:
    stored = record(MAGIC_V1, 0, b"\x02a\x015\x02", b"T", b"b\x016\x02")
    assert compile_filter("a IS NULL AND b = 6").matches_record(stored)
    assert not compile_filter("a = 5").matches_record(stored)
