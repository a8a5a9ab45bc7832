"""A master's records, sorted by queue: the compiled loop and the Python one find the same."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmq.server.store import fast
from rmq.server.store.record import CRC_MASK, HEADS
from rmq.server.store.runs import Run, gather, gather_any
from rmq.server.store.tags import SCHEDULE_TOPIC, DispatchTags
from rmq.wire.javahash import java_hash
from rmq.wire.layouts import CONSUME_QUEUE_UNIT
from rmq.wire.sysflag import MAGIC_V1, MAGIC_V2
from tests.kit.loops import WAYS, taking

TAGS = DispatchTags("1s 5s 10s")
HOST, HOST_V6 = b"\x7f\0\0\1\0\0\x2a\x9f", bytes(range(20))
FAR = 1 << 40


def record(
    physical: int,
    topic: bytes = b"T",
    queue_id: int = 0,
    queue_offset: int = 0,
    sys_flag: int = 0,
    time: int = 1000,
    body: bytes = b"body",
    properties: bytes = b"",
) -> bytes:
    head = HEADS[sys_flag & 0x30]
    long = len(topic) > 127
    tail = len(topic).to_bytes(2 if long else 1, "big") + topic + len(properties).to_bytes(2, "big") + properties
    born, store = HOST_V6 if sys_flag & 0x10 else HOST, HOST_V6 if sys_flag & 0x20 else HOST
    size = head.size + len(body) + len(tail)
    magic = MAGIC_V2 if long else MAGIC_V1
    numbers = size, magic, 7 & CRC_MASK, queue_id, 3, queue_offset, physical, sys_flag
    return head.pack(*numbers, 5, born, time, store, 0, 0, len(body)) + body + tail


records = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "topic": st.sampled_from([b"T", b"U", b"x" * 127, b"y" * 128, b"\xff", "тема".encode()]),
            "queue_id": st.sampled_from([0, 1, -1, (1 << 31) - 1]),
            "queue_offset": st.sampled_from([0, 0, 0, 5, -1, (1 << 63) - 1]),
            "sys_flag": st.sampled_from([0, 0, 0x10, 0x20, 0x30, 4, 8, 12, 1]),
            "time": st.integers(-5, 1 << 60),
            "body": st.binary(max_size=20),
            "properties": st.lists(
                st.sampled_from([b"TAGS\x01", b"TAGS", b"a", b"\x02", b"XTAGS\x01b\x02", b"\xc3\xa4", b"\xff"]),
                max_size=5,
            ).map(b"".join),
        },
    ),
    max_size=12,
)


def log_of(items: list[dict[str, object]], physical: int, *, numbered: bool) -> bytes:
    data = b""
    following: dict[object, int] = {}
    for item in items:
        key = item.get("topic", b"T"), item.get("queue_id", 0)
        offset = following.setdefault(key, 0)
        if numbered:
            item = {**item, "queue_offset": offset}
            following[key] += item.get("sys_flag", 0) not in {4, 12}
        data += record(physical + len(data), **item)  # type: ignore[arg-type]
    return data


def both(data: bytes, at: int, physical: int, room: int) -> Run:
    """What the Python loop finds; the compiled one, where there is one, must find the same."""
    found = gather_any(data, at, physical, room, TAGS)
    if fast.gather_records is not None:
        assert Run(*fast.gather_records(data, at, physical, room)) == found
    return found


@given(records, st.integers(0, FAR), st.binary(max_size=30), st.booleans(), st.data())
def test_both_ways_find_the_same(
    items: list[dict[str, object]], physical: int, before: bytes, numbered: bool, data: st.DataObject
) -> None:
    log = log_of(items, physical, numbered=numbered)
    whole = before + log
    cut = whole[: len(whole) - data.draw(st.integers(0, min(100, len(log))))]
    run = both(cut, len(before), physical, data.draw(st.sampled_from([FAR, FAR, len(log), len(log) - 1, 0, -5])))
    assert sum(len(units) // 20 for _, units, _ in run.parts.values()) <= run.count <= len(items)


@given(records, st.data())
def test_damage_ends_both_ways_at_the_same_place(items: list[dict[str, object]], data: st.DataObject) -> None:
    log = bytearray(log_of(items, 7, numbered=True))
    for _ in range(data.draw(st.integers(1, 4)) if log else 0):
        place = data.draw(st.integers(0, len(log) - 1))
        log[place] = data.draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]) | st.integers(0, 255))
    both(bytes(log), 0, 7, FAR)


@pytest.mark.parametrize("way", WAYS)
def test_a_run(way: str) -> None:
    items: list[dict[str, object]] = [
        {"queue_id": 3, "queue_offset": 9, "time": 50, "properties": b"TAGS\x01a\x02"},
        {"topic": b"Half", "sys_flag": 4},
        {"queue_id": 3, "queue_offset": 10, "time": 70},
        {"topic": b"U", "queue_offset": 1, "time": 60},
        {"queue_id": 3, "queue_offset": 12},
    ]
    log = log_of(items, 100, numbered=False)
    places = [len(log_of(items[:n], 100, numbered=False)) for n in range(6)]
    sizes = [after - before for before, after in pairwise(places)]
    with taking(way):
        run = gather(log, 0, 100, FAR, TAGS)
        rest = gather(log, run.end, 100 + run.end, FAR, TAGS)
        short = gather(log, 0, 100, places[4] - 1, TAGS)
    unit = CONSUME_QUEUE_UNIT.pack
    first = unit(100, sizes[0], java_hash("a")) + unit(100 + places[2], sizes[2], 0)
    assert (run.end, run.count, run.newest) == (places[4], 4, 1000)
    assert run.parts == {
        (b"T", 3): (9, first, {java_hash("a"), 0}),
        (b"U", 0): (1, unit(100 + places[3], sizes[3], 0), {0}),
    }
    assert (rest.end, rest.count) == (places[5], 1), "a queue offset was left out: another run"
    assert (short.end, short.count) == (places[3], 3), "the file has no room for more"


@pytest.mark.parametrize("way", WAYS)
def test_a_delayed_message_has_the_time_it_is_due(way: str) -> None:
    topic = SCHEDULE_TOPIC.encode()
    log = record(0)
    log += record(len(log), topic, 1, 0, time=5000, properties=b"DELAY\x012\x02")
    with taking(way):
        run = gather(log, 0, 0, FAR, TAGS)
        last = gather(log, run.end, run.end, FAR, TAGS) if run.end < len(log) else run
    assert last.end == len(log)
    assert CONSUME_QUEUE_UNIT.unpack(last.parts[topic, 1][1])[2] == 5000 + 5000
