"""The compiled loops make what the Python ones make, byte for byte, and survive what strangers send."""

import itertools
import os
import struct
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import rmq
import rmq.server.store.indexer as indexer_module
from rmq.server.store import fast
from rmq.server.store.api import NoRecordError
from rmq.server.store.batch import Placed, Shape, place_batch
from rmq.server.store.env import Env
from rmq.server.store.indexfile import IndexFile
from rmq.server.store.record import HEADS
from rmq.server.store.segment import MapCache
from rmq.server.store.tags import SCHEDULE_TOPIC
from rmq.wire.javahash import IndexKeyHash
from rmq.wire.layouts import CONSUME_QUEUE_UNIT
from rmq.wire.message import BatchMessage, MessageError, decode_messages, encode_batch
from rmq.wire.sysflag import (
    BORN_HOST_V6,
    MAGIC_V1,
    MAGIC_V2,
    TRANSACTION_COMMIT,
    TRANSACTION_PREPARED,
    TRANSACTION_ROLLBACK,
)
from tests.kit.loops import taking
from tests.kit.stores import HOST, SmallStore

if fast.place_records is None:
    pytest.skip("the compiled loops were not built (no C compiler?) or are not wanted", allow_module_level=True)
from rmq.server.store import _fast

HOST_V6 = bytes(range(16)) + HOST[4:]
SHAPES = [
    Shape(HEADS[0], b"\x01T", 3, 1, 1000, HOST, 2000, HOST, 0),
    Shape(HEADS[0x10], b"\x7f" + b"n" * 127, -1, 0x11, -5, HOST_V6, 1 << 60, HOST, 7),
    Shape(HEADS[0x30], b"\x00", 0, 0x30, 0, HOST_V6, 0, HOST_V6, -1),
]


# --- batches

words = st.sampled_from(
    ["a", "TagA", "x y", " ", "é", "ключ", "\U0001f511", "0A" * 16, "T#", "\x00", "polygenelubricants"]
)
names = st.sampled_from(["TAGS", "XTAGS", "KEYS", "UNIQ_KEY", "TAG", "WAIT", "", "TAGS\x01TAGS"])
ends = st.sampled_from(["\x02", "\x02", "", "\x01", "\x02\x02"])
tidy = st.lists(st.tuples(names, st.one_of(words, st.just("")), ends), max_size=4).map(
    lambda parts: "".join(f"{name}\x01{value}{end}" for name, value, end in parts).encode()
)
wild = st.lists(
    st.sampled_from([b"TAGS", b"UNIQ_KEY", b"KEYS", b"\x01", b"\x02", b" ", b"x", b"\xff", b"\xc3", b""]), max_size=12
).map(b"".join)
properties = st.one_of(tidy, wild)
flags = st.integers(-(1 << 31), (1 << 31) - 1)
batches = st.lists(st.builds(BatchMessage, flags, st.binary(max_size=50), properties), min_size=1, max_size=12)


def placed(body: bytes, shape: Shape, way: str, physical: int = 77, queue_offset: int = 5) -> Placed | str:
    with taking(way):
        try:
            return place_batch(body, shape, physical, queue_offset)
        except MessageError as error:
            return str(error)


@given(batches, st.sampled_from(SHAPES), st.integers(-(1 << 50), 1 << 62), st.integers(-1, 1 << 62))
def test_batches_are_placed_alike(messages: list[BatchMessage], shape: Shape, physical: int, first: int) -> None:
    body = encode_batch(messages)
    expected = placed(body, shape, "pure", physical, first)
    assert isinstance(expected, Placed)
    assert placed(body, shape, "compiled", physical, first) == expected


@given(batches, st.data())
def test_damaged_batches_are_answered_alike(messages: list[BatchMessage], data: st.DataObject) -> None:
    body = bytearray(encode_batch(messages))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(body) - 1))
        value = data.draw(st.sampled_from([0, 1, 2, 0x7F, 0x80, 0xFF]) | st.integers(0, 255))
        body[at : at + 1] = bytes([value]) * data.draw(st.integers(0, 4))
        assume(body)
    assert placed(bytes(body), SHAPES[0], "compiled") == placed(bytes(body), SHAPES[0], "pure")


extremes = st.sampled_from([-(1 << 31), -60, -22, -1, 0, 1, 21, 22, 23, 24, 180, 200, 32789, (1 << 31) - 1])


heads = st.lists(st.tuples(extremes, flags, extremes), min_size=1, max_size=4)


@given(heads, st.binary(max_size=30), st.integers(0, 9))
def test_hostile_sizes_are_answered_alike(heads: list[tuple[int, int, int]], rest: bytes, cut: int) -> None:
    body = b"".join(struct.pack(">lllll", size, 0, 0, flag, length) + rest for size, flag, length in heads)
    body = body[: len(body) - cut]
    answer = placed(body, SHAPES[0], "compiled")
    assert answer == placed(body, SHAPES[0], "pure")


@pytest.mark.parametrize("size", [32767, 32768, 65535])
def test_properties_too_long_are_refused_alike(size: int) -> None:
    body = struct.pack(">lllllH", 22 + size, 0, 0, 0, 0, size) + b"p" * size
    answer = placed(body, SHAPES[0], "compiled")
    assert answer == placed(body, SHAPES[0], "pure")
    assert isinstance(answer, Placed) == (size == 32767)
    assert size == 32767 or answer == f"properties of {size} bytes are longer than 32767"


def test_places_that_no_field_can_tell_are_refused() -> None:
    body, blank = encode_batch([BatchMessage(0, b"a", b"")]), bytes(88)
    for physical, first in (((1 << 63) - 50, 0), (1 << 63, 0), (0, (1 << 63) - 1)):
        with pytest.raises(OverflowError):
            _fast.place_records(body, blank, b"\x01T", physical, first)
    with pytest.raises(OverflowError, match="0 records"):
        _fast.place_records(b"", blank, b"\x01T", 0, 0)
    with pytest.raises(ValueError, match="head of 87 bytes"):
        _fast.place_records(body, bytes(87), b"\x01T", 0, 0)
    refused = (None, blank, b""), (bytearray(body), blank, b""), (body, memoryview(blank), b""), (body, blank, None)
    for wrong in refused:
        with pytest.raises(TypeError):
            _fast.place_records(*wrong, 0, 0)


# --- the index

topics = st.sampled_from(["T", "T", "T", "Topic2", "L" * 200, "тема", "T" * 127, "T" * 128])
keys = st.lists(st.one_of(words, st.text("ab01# \x7f", max_size=40)), max_size=4).map(" ".join)
singles = st.tuples(
    topics,
    st.one_of(words, st.just("")),
    keys,
    st.one_of(st.just(""), st.just("7F00000112F818B4AAC23E1A2B3C0001"), st.text("0123456789ABCDEF", max_size=60)),
    st.sampled_from([0, TRANSACTION_PREPARED, TRANSACTION_COMMIT, TRANSACTION_ROLLBACK, BORN_HOST_V6, BORN_HOST_V6]),
    st.integers(0, 3000),
)
steps = st.lists(
    st.one_of(
        singles,
        st.tuples(topics.filter(lambda name: len(name.encode()) < 128), batches),
        st.integers(1, 5000),
        st.sampled_from([0.0004, 0.7, 86_399.5, 3e9]),
    ),
    min_size=1,
    max_size=20,
)


def index_files(steps: list[Any], way: str, options: dict[str, Any]) -> dict[str, bytes]:
    """The index after some sends and batches, indexing of so many bytes and waiting for so many seconds."""
    with taking(way), TemporaryDirectory() as directory:
        kit = SmallStore(Path(directory), **options)
        for step in steps:
            if isinstance(step, float):
                kit.clock.advance(step)
            elif isinstance(step, int):
                kit.store._indexer.work(step)
            elif len(step) == 2:
                topic, messages = step
                kit.store.append_batch(topic, 1, 0, 0, HOST, 0, encode_batch(messages))
            else:
                topic, tags, names, uniq, flag, size = step
                host = HOST_V6 if flag == BORN_HOST_V6 else HOST
                kit.send(topic, 0, bytes(size), tags, names, uniq, flag, host)
        kit.close()
        return {path.name: path.read_bytes() for path in sorted(Path(directory, "index").glob("*"))}


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps, st.booleans(), st.sampled_from([4096, 4096, 4096, 40, 0]), st.sampled_from([100, 1000, 7, 3]))
def test_indexes_are_alike(steps: list[Any], store_v6: bool, reserve: int, entries: int) -> None:
    options: dict[str, Any] = {
        "mapped_file_size_commit_log": 16 * 1024,
        "log_reserve_bytes": 4096,
        "index_reserve_bytes": reserve,
        "max_index_num": entries,
        "max_hash_slot_num": 5,
        "store_host": HOST_V6 if store_v6 else HOST,
    }
    with patch.object(indexer_module, "_BY_HAND", 1):
        assert index_files(steps, "compiled", options) == index_files(steps, "pure", options)


def test_ordinary_records_do_take_the_compiled_way(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path, max_index_num=1000, index_reserve_bytes=1 << 20)
    by_hand = kit.store._indexer._work_by_hand
    taken: list[int] = []

    def spy(view: Any, segment: Any, at: int, stop: int) -> int:
        end = by_hand(view, segment, at, stop)
        taken.append(end - at)
        return end

    with taking("compiled"), patch.object(kit.store._indexer, "_work_by_hand", spy):
        kit.fill(1000 // 3, size=20)
        kit.store._indexer.finish()
    end = kit.store.log_max_offset
    assert kit.store._indexer.behind == 0
    # By hand: the first entry of a file, and the end of each log file.
    assert sum(taken) < 15_000 < end // 2


def log_of(messages: list[BatchMessage], shape: Shape = SHAPES[0]) -> bytearray:
    answer = placed(encode_batch(messages), shape, "compiled", 0)
    assert isinstance(answer, Placed)
    records = bytearray(answer.records)
    records[4:8] = b"\xda\xa3\x20\xa7"
    return records


SLOTS, ENTRIES_AT = 5, 40 + 5 * 4


def indexed(log: bytearray, index: bytearray, room: int, stop: int | None = None) -> tuple[int, ...]:
    return _fast.index_records(log, 0, 0, len(log) if stop is None else stop, index, ENTRIES_AT, SLOTS, 1, room, 1)


@given(batches, st.data())
def test_a_damaged_log_or_index_file_harms_nothing_else(messages: list[BatchMessage], data: st.DataObject) -> None:
    log = log_of(messages)
    for _ in range(data.draw(st.integers(0, 4))):
        log[data.draw(st.integers(0, len(log) - 1))] = data.draw(st.sampled_from([0, 0x7F, 0x80, 0xFF, 0xA7, 0xAB]))
    log = log[: len(log) - data.draw(st.integers(0, 60))]
    room = data.draw(st.integers(0, 40))
    index = bytearray(data.draw(st.binary(min_size=60, max_size=60))) + bytes((1 + room) * 20) + b"guard"
    head, first = bytes(index[:40]), bytes(index[ENTRIES_AT : ENTRIES_AT + 20])
    at, count, used, physical, _ = indexed(log, index, room)
    assert 0 <= at <= len(log)
    assert 1 <= count <= 1 + room
    assert used <= count - 1
    assert 0 <= physical <= len(log)
    assert (index[:40], index[60:80]) == (head, first)
    assert index[ENTRIES_AT + count * 20 :] == bytes((1 + room - count) * 20) + b"guard"


@given(
    st.lists(st.text("abcdefgh", min_size=1, max_size=6), min_size=1, max_size=20),
    st.lists(st.integers(-(1 << 31), (1 << 31) - 1) | st.integers(0, 30), min_size=SLOTS, max_size=SLOTS),
    st.integers(2, 10),
    st.sampled_from([0, 1, 999, 1000, 2_000_000, 1_000_000_000, 5_123_456_789_999, 1 << 62]),
    st.sampled_from([-3, 0, 1, 2_000_000, 1 << 61]),
)
def test_entries_are_those_of_an_index_file(
    names: list[str], slots: list[int], count: int, timestamp: int, begin: int
) -> None:
    shape = SHAPES[0]._replace(store_timestamp=timestamp)
    log = log_of([BatchMessage(0, b"", f"KEYS\x01{name}".encode()) for name in names], shape)
    before = bytes(40) + struct.pack(">5l", *slots) + bytes((count + len(names)) * 20)
    file = IndexFile(Env(), MapCache(1), "", "", SLOTS, 100)
    file.count, file.begin_timestamp = count, begin
    expected = file.segment.map = bytearray(before)  # type: ignore[assignment]
    places = [message.physical_offset for message in decode_messages(bytes(log))]
    file.put(list(map(IndexKeyHash("T").hash_of, names)), places, [timestamp] * len(names))

    index = bytearray(before)
    answer = _fast.index_records(log, 0, 0, len(log), index, ENTRIES_AT, SLOTS, count, len(names), begin)
    assert answer == (len(log), file.count, file.used_slots, file.end_physical, file.end_timestamp)
    assert index == expected


def test_a_record_whose_keys_find_no_room_is_left_whole() -> None:
    log = log_of([BatchMessage(0, b"", b"KEYS\x01a b c"), BatchMessage(0, b"", b"KEYS\x01d e f")])
    index = bytearray(ENTRIES_AT + 6 * 20)
    assert indexed(log, index, 5)[:2] == (len(log) // 2, 4)
    assert not any(index[ENTRIES_AT + 80 :])
    many = log_of([BatchMessage(0, b"", b"KEYS\x01" + b" ".join([b"k"] * 65))])
    assert indexed(many, bytearray(4000), 100)[:2] == (0, 1)


@pytest.mark.parametrize(
    "wrong",
    [
        {1: -1}, {1: (1 << 63) - 10}, {2: -1}, {2: 9, 3: 8}, {3: 101}, {5: 59}, {5: -1}, {5: 1 << 62}, {5: 81}, {6: 0},
        {6: -1}, {6: 6}, {6: 1 << 40}, {7: 0}, {7: -1}, {7: 3}, {7: 1 << 31}, {8: -1}, {8: 2}, {8: (1 << 31) - 1},
    ],
)  # fmt: skip
def test_what_lies_outside_of_the_files_is_refused(wrong: dict[int, int]) -> None:
    arguments: list[Any] = [bytes(100), 0, 0, 100, bytearray(ENTRIES_AT + 40), ENTRIES_AT, SLOTS, 1, 1, 1]
    assert _fast.index_records(*arguments) == (0, 1, 0, 0, 0)
    for position, value in wrong.items():
        arguments[position] = value
    with pytest.raises(ValueError, match="lies outside"):
        _fast.index_records(*arguments)


def test_no_buffer_is_held_and_none_is_written_that_must_not() -> None:
    log, index = bytearray(100), bytearray(ENTRIES_AT + 40)
    _fast.index_records(log, 0, 0, 100, index, ENTRIES_AT, SLOTS, 1, 1, 1)
    with pytest.raises(ValueError, match="lies outside"):
        _fast.index_records(log, 0, 0, 101, index, ENTRIES_AT, SLOTS, 1, 1, 1)
    log.clear()
    index.clear()
    with pytest.raises(BufferError):
        _fast.index_records(bytes(100), 0, 0, 100, bytes(100), ENTRIES_AT, SLOTS, 1, 1, 1)
    with pytest.raises(TypeError):
        _fast.index_records(None, 0, 0, 0, bytearray(100), ENTRIES_AT, SLOTS, 1, 1, 1)


# --- a master's records


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
    numbers = size, MAGIC_V2 if long else MAGIC_V1, 7, queue_id, 3, queue_offset, physical, sys_flag
    return head.pack(*numbers, 5, born, time, store, 0, 0, len(body)) + body + tail


records = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "topic": st.sampled_from(
                [b"T", b"T", b"U", b"x" * 127, b"y" * 128, b"\xff", "тема".encode(), SCHEDULE_TOPIC.encode()]
            ),
            "queue_id": st.sampled_from([0, 0, 1, -1, (1 << 31) - 1]),
            "sys_flag": st.sampled_from([0, 0, 0x10, 0x20, 0x30, 4, 8, 12, 1]),
            "time": st.integers(-5, 1 << 60),
            "body": st.binary(max_size=20),
            "properties": st.lists(
                st.sampled_from(
                    [b"TAGS\x01", b"TAGS", b"a", b"\x02", b"XTAGS\x01b\x02", b"\xc3\xa4", b"\xff", b"DELAY\x012\x02"]
                ),
                max_size=5,
            ).map(b"".join),
        },
    ),
    max_size=20,
)
odd_offsets = st.dictionaries(st.integers(0, 19), st.sampled_from([0, 5, 300, -1, (1 << 63) - 1]), max_size=1)


def log_of_records(items: list[dict[str, Any]], odd: dict[int, int]) -> bytes:
    """A log in which each message follows the one before it in its queue, but for those with an odd offset."""
    data = b""
    following: dict[object, int] = {}
    for number, item in enumerate(items):
        key = item.get("topic", b"T"), item.get("queue_id", 0)
        offset = odd.get(number, following.get(key, 0))
        data += record(len(data), **item, queue_offset=offset)
        in_queue = item.get("sys_flag", 0) not in {TRANSACTION_PREPARED, TRANSACTION_ROLLBACK}
        following[key] = min(offset + in_queue, (1 << 63) - 1)
    return data


def replicated(pieces: list[bytes], way: str) -> object:
    """What a slave makes of pieces of a log: answers, what listeners hear, totals, files."""
    with taking(way), TemporaryDirectory() as directory:
        kit = SmallStore(Path(directory), mapped_file_size_commit_log=1 << 16, read_only=True)
        told: list[object] = []
        kit.store.on_arrival = kit.store.on_new_topic = lambda *facts: told.append(facts)
        for piece in pieces:
            try:
                told.append(kit.store.replica.feed(kit.store.replica.received, piece))
            except NoRecordError as error:
                told.append(str(error))
            kit.store.replica.announce()
        counters = kit.store.counters
        told += [counters.put_total, counters.put_bytes, kit.store._log.last_timestamp]
        kit.close()
        paths = [path for below in ("commitlog", "consumequeue") for path in sorted(Path(directory, below).rglob("*"))]
        return told, {str(path.relative_to(directory)): path.read_bytes() for path in paths if path.is_file()}


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(records, odd_offsets, st.data())
def test_replicated_records_are_taken_alike(
    items: list[dict[str, Any]], odd: dict[int, int], data: st.DataObject
) -> None:
    log = bytearray(log_of_records(items, odd))
    for _ in range(data.draw(st.integers(0, 2)) if log else 0):
        log[data.draw(st.integers(0, len(log) - 1))] = data.draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(log)), max_size=3)))
    pieces = [bytes(log[start:end]) for start, end in itertools.pairwise([0, *cuts, len(log)])]
    assert replicated(pieces, "compiled") == replicated(pieces, "pure")


def test_ordinary_replicated_records_do_take_the_compiled_way(tmp_path: Path) -> None:
    master = SmallStore(tmp_path / "m", mapped_file_size_commit_log=1 << 20)
    master.fill(200, queues=3)
    slave = SmallStore(tmp_path / "s", mapped_file_size_commit_log=1 << 20, log_reserve_bytes=1 << 20, read_only=True)
    replica, taken = slave.store.replica, []
    by_hand = replica._take_record

    def spy(data: bytes) -> bool:
        taken.append(len(data))
        return by_hand(data)

    with taking("compiled"), patch.object(replica, "_take_record", spy):
        assert replica.feed(0, master.store.transfer(0, 1 << 20)) == 200
    # By hand: the first message of each queue, and of each of a queue's files of 50.
    assert len(taken) == 3 * 2
    assert slave.numbers(queues=3) == master.numbers(queues=3)


class Place:
    """What the loop asks of a log, of a queue, and of a queue's file."""

    def __init__(self, **parts: Any) -> None:
        self.__dict__.update(parts)


def ready(**wrong: Any) -> tuple[Place, Place, dict[str, Any]]:
    """A log and a queue, and both as arguments for a record at 0; in some way wrong."""
    file = Place(map=wrong.get("units", bytearray(100)))
    queue = Place(active=file, base=wrong.get("queue_base", 0), next=1, limit=5, max_physical=7)
    places = {"base": 0, "position": 0, "reserved": 500, "size": 500, "map": bytearray(500), **wrong}
    log = Place(**{name: places[name] for name in ("base", "position", "reserved", "size", "map")})
    return log, queue, {"names": {b"T": "T"}, "topics": {"T": Place(queues={0: queue})}, "arrived": {}}


ONE = record(0, queue_offset=1, time=3, properties=b"TAGS\x01a\x02")


def test_one_record() -> None:
    log, queue, arguments = ready()
    assert _fast.take_records(b"xy" + ONE, 2, log, **arguments) == (2 + len(ONE), 1, 3)
    assert log.map == ONE + bytes(500 - len(ONE))
    assert queue.active.map == bytes(20) + CONSUME_QUEUE_UNIT.pack(0, len(ONE), 97) + bytes(60)
    assert (log.position, queue.next, queue.max_physical) == (len(ONE), 2, len(ONE))
    assert arguments["arrived"] == {(queue, 97): None}
    # No buffer is held.
    log.map.clear()
    queue.active.map.clear()


@pytest.mark.parametrize(
    "wrong",
    [
        {"reserved": len(ONE) - 1}, {"size": len(ONE) + 7}, {"map": None}, {"map": bytearray(len(ONE) - 1)},
        {"base": 1}, {"units": bytearray(99)}, {"queue_base": 2}, {"queue_base": -1}, {"units": None},
        {"reserved": -5}, {"size": 0},
    ],
)  # fmt: skip
def test_what_is_not_ready_is_left_alone(wrong: dict[str, Any]) -> None:
    log, queue, arguments = ready(**wrong)
    assert _fast.take_records(ONE, 0, log, **arguments) == (0, 0, 0)
    assert (log.position, queue.next, arguments["arrived"]) == (0, 1, {})
    assert log.map is None or not any(log.map)


@pytest.mark.parametrize(
    "change",
    [{"next": 2}, {"next": 0}, {"limit": 1}, {"max_physical": -1}, {"active": None}],
)
def test_a_queue_that_is_not_ready_is_left_alone(change: dict[str, Any]) -> None:
    log, queue, arguments = ready()
    queue.__dict__.update(change)
    assert _fast.take_records(ONE, 0, log, **arguments) == (0, 0, 0)
    assert not any(log.map)


@pytest.mark.parametrize("wrong", [{"base": -1}, {"base": (1 << 63) - 1}, {"position": -1}])
def test_places_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    log, _, arguments = ready(**wrong)
    with pytest.raises(ValueError, match="place 0 of"):
        _fast.take_records(ONE, 0, log, **arguments)
    for at in (-1, len(ONE) + 1):
        with pytest.raises(ValueError, match="place"):
            _fast.take_records(ONE, at, ready()[0], **arguments)
    for data in (None, bytearray(ONE), memoryview(ONE)):
        with pytest.raises(TypeError):
            _fast.take_records(data, 0, ready()[0], **arguments)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"units": bytes(100)}, BufferError),
        ({"map": bytes(500)}, BufferError),
    ],
)
def test_what_fails_is_not_in_the_log(wrong: dict[str, Any], error: type[Exception]) -> None:
    log, queue, arguments = ready(**wrong)
    with pytest.raises(error):
        _fast.take_records(ONE, 0, log, **arguments)
    assert (log.position, queue.next) == (0, 1)
    # No buffer is held.
    for held in (log.map, queue.active.map):
        if isinstance(held, bytearray):
            held.clear()


# --- which way is taken


@pytest.mark.parametrize(("value", "expected"), [("1", "pure Python"), ("0", "compiled"), ("", "compiled")])
def test_the_environment_chooses(value: str, expected: str) -> None:
    words = [sys.executable, "-c", "from rmq.server.store import fast; print(fast.way())"]
    env = {**os.environ, fast.PURE_VARIABLE: value, "PYTHONPATH": str(Path(rmq.__file__).parents[1])}
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60, env=env)
    assert done.stdout == expected + "\n"
