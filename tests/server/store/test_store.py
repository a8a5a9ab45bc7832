import errno
import zlib
from pathlib import Path

import pytest

from rmq.server.store.api import Boundary, GetStatus, PutStatus, StoreLockedError
from rmq.server.store.store import MessageStore
from rmq.wire import records
from rmq.wire.message import BatchMessage, decode_message, decode_messages, encode_batch, tags_code
from rmq.wire.sysflag import BORN_HOST_V6, TRANSACTION_COMMIT, TRANSACTION_PREPARED, TRANSACTION_ROLLBACK
from tests.kit.stores import HOST, SMALL, START, FaultyEnv, SmallStore, at_once

pytestmark = pytest.mark.usefixtures("loops")

NOW = int(START * 1000)


def test_a_message_is_stored_as_declared(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path)
    result = kit.send("Topic", 3, b"hello", "TagA", "k1 k2", "U" * 32)
    assert result == (PutStatus.PUT_OK, 0, 0, NOW, result.wrote_bytes, ())
    raw = (tmp_path / "commitlog" / "0".zfill(20)).read_bytes()
    assert len(raw) == 64 * 1024
    declared = records.StoredMessage.parse(raw)
    assert {key: value for key, value in declared.items() if not key.startswith("_")} == {
        "total_size": result.wrote_bytes,
        "magic": 0xDAA320A7,
        "body_crc": zlib.crc32(b"hello") & 0x7FFFFFFF,
        "queue_id": 3,
        "flag": 7,
        "queue_offset": 0,
        "physical_offset": 0,
        "sys_flag": 0,
        "born_timestamp": 1_699_999_999_000,
        "born_host": HOST,
        "store_timestamp": NOW,
        "store_host": kit.options.store_host,
        "reconsume_times": 0,
        "prepared_transaction_offset": 0,
        "body": b"hello",
        "topic": b"Topic",
        "properties": b"TAGS\x01TagA\x02KEYS\x01k1 k2\x02UNIQ_KEY\x01" + b"U" * 32 + b"\x02",
    }
    unit = (tmp_path / "consumequeue" / "Topic" / "3" / "0".zfill(20)).read_bytes()
    assert len(unit) == 1000
    assert records.ConsumeQueueUnit.parse(unit) == {
        "physical_offset": 0,
        "size": result.wrote_bytes,
        "tags_code": 2598919,
    }
    assert unit[20:] == bytes(980)
    assert kit.store.message_at(0) == raw[: result.wrote_bytes]
    assert kit.store.queue_message("Topic", 3, 0) == raw[: result.wrote_bytes]


def test_long_topics_and_v6_hosts(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path, store_host=b"\xfe" * 20)
    topic = "%RETRY%" + "g" * 200
    result = kit.send(topic, 0, b"x", host=b"\xfd" * 20)
    message = decode_message(kit.store.message_at(result.physical_offset) or b"")
    assert (message.topic, message.born_host, message.store_host) == (topic, b"\xfd" * 20, b"\xfe" * 20)
    assert message.sys_flag & BORN_HOST_V6


def test_records_do_not_cross_files(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path)
    results = kit.fill(700)
    size = 64 * 1024
    starts = {result.physical_offset // size for result in results}
    assert len(starts) >= 2
    for result in results:
        assert result.physical_offset // size == (result.physical_offset + result.wrote_bytes + 7) // size
    last_of_first = [r for r in results if r.physical_offset < size][-1]
    blank = last_of_first.physical_offset + last_of_first.wrote_bytes
    raw = (tmp_path / "commitlog" / "0".zfill(20)).read_bytes()
    assert records.BlankRecord.parse(raw[blank:]).total_size == size - blank
    expected = {queue: [(i, 2 * i + queue) for i in range(350)] for queue in range(2)}
    assert kit.numbers() == expected
    kit.reopen(clean=True)
    assert kit.numbers() == expected
    assert len(list((tmp_path / "consumequeue" / "T" / "0").iterdir())) == 7


def test_batches(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path)
    seen: list[tuple[object, ...]] = []
    kit.store.on_arrival = lambda *args: seen.append(args)
    kit.send("T", 1, b"before")
    items = [
        BatchMessage(number, b"b%d" % number, b"KEYS\x01k%d\x02TAGS\x01t%d\x02" % (number, number % 3))
        for number in range(120)
    ]
    result = kit.store.append_batch("T", 1, 0, NOW, HOST, 0, encode_batch(items))
    assert (result.status, result.queue_offset, len(result.offsets)) == (PutStatus.PUT_OK, 1, 120)
    assert result.offsets[0] == result.physical_offset
    messages = kit.read("T", 1)
    assert [(m.queue_offset, m.physical_offset, m.body, m.flag) for m in messages[1:]] == [
        (1 + n, result.offsets[n], b"b%d" % n, n) for n in range(120)
    ]
    assert all(message.body_is_sound for message in messages)
    assert seen[0] == ("T", 1, 1, 0)
    assert sorted(seen[1:]) == [("T", 1, 121, tags_code(f"t{number}")) for number in range(3)]
    (found,) = kit.store.query_index("T", "k77", 32, 0, NOW + 1000).messages
    assert decode_message(found).body == b"b77"
    tagged = kit.store.query_index("T", "T#t1", 64, 0, NOW + 1000).messages
    assert [decode_message(record).body for record in tagged] == [b"b%d" % n for n in range(1, 120, 3)]
    # A batch that does not fit goes to the next file as a whole.
    kit.fill(200, "Filler", size=150)
    big = encode_batch([BatchMessage(0, b"x" * 1000, b"")] * 30)
    result = kit.store.append_batch("T", 1, 0, NOW, HOST, 0, big)
    assert len({offset // 65536 for offset in result.offsets}) == 1


def test_a_batch_too_large_for_any_file_is_refused(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path, max_message_size=1000)
    refused = kit.store.append_batch("T", 1, 0, NOW, HOST, 0, encode_batch([BatchMessage(0, b"x" * 900, b"")] * 100))
    assert refused == (PutStatus.MESSAGE_ILLEGAL, -1, -1, 0, 0, ())
    assert kit.store.log_max_offset == 0


@pytest.mark.parametrize(
    ("body", "properties", "status"),
    [
        (b"x" * 1001, b"", PutStatus.MESSAGE_ILLEGAL),
        (b"x" * 1000, b"", PutStatus.PUT_OK),
        (b"x", b"p" * 32768, PutStatus.PROPERTIES_SIZE_EXCEEDED),
        (b"x", b"p" * 32767, PutStatus.PUT_OK),
    ],
)
def test_limits(tmp_path: Path, body: bytes, properties: bytes, status: PutStatus) -> None:
    kit = SmallStore(tmp_path, max_message_size=1000)
    result = kit.store.append("T", 0, 0, 0, 0, HOST, 0, 0, body, properties, 0)
    assert result.status is status
    assert kit.store.counters.put_failed == (status is not PutStatus.PUT_OK)


def test_transaction_halves_are_not_in_queues(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path)
    for flag in (TRANSACTION_PREPARED, TRANSACTION_ROLLBACK, TRANSACTION_COMMIT, 0):
        kit.send("T", 0, b"%d" % flag, keys="k", sys_flag=flag)
    assert [message.body for message in kit.read("T", 0)] == [b"8", b"0"]
    found = kit.store.query_index("T", "k", 32, 0, NOW + 1000).messages
    assert [decode_message(record).body for record in found] == [b"4", b"8", b"0"]
    assert decode_message(found[0]).queue_offset == 0
    kit.reopen()
    assert [message.body for message in kit.read("T", 0)] == [b"8", b"0"]


# --- reading


def test_get_statuses(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path)
    kit.fill(10, queues=1)

    def get(topic: str, queue: int, offset: int) -> tuple[object, ...]:
        result = kit.store.get(topic, queue, offset, 32)
        return result.status, result.count, result.next_begin_offset, result.min_offset, result.max_offset

    assert get("T", 0, 4) == (GetStatus.FOUND, 6, 10, 0, 10)
    assert get("T", 0, 10) == (GetStatus.OFFSET_OVERFLOW_ONE, 0, 10, 0, 10)
    assert get("T", 0, 11) == (GetStatus.OFFSET_OVERFLOW_BADLY, 0, 10, 0, 10)
    assert get("T", 0, -1) == (GetStatus.OFFSET_TOO_SMALL, 0, 0, 0, 10)
    assert get("T", 1, 5) == (GetStatus.NO_MATCHED_LOGIC_QUEUE, 0, 0, 0, 0)
    assert get("U", 0, 5) == (GetStatus.NO_MATCHED_LOGIC_QUEUE, 0, 0, 0, 0)


def test_get_limits(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path, max_transfer_bytes_on_message_in_memory=4000, mapped_file_size_consume_queue=20000)
    kit.fill(100, queues=1, size=50)
    size = kit.fill(1, queues=1, size=50)[0].wrote_bytes
    assert kit.store.get("T", 0, 0, 1000).count == 4000 // size == 19
    assert kit.store.get("T", 0, 0, 5).count == 5
    assert kit.store.get("T", 0, 0, 5, 2 * size + 1).count == 2
    assert kit.store.get("T", 0, 0, 5, 1).count == 1
    assert len(kit.store.get("T", 0, 0, 19).chunks) == 1, "neighbours in the log are one slice"
    kit.send("T", 0, b"x" * 9000)
    assert kit.store.get("T", 0, 101, 32).count == 1


def test_far_from_the_end_the_limits_of_the_disk_hold(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path, access_message_in_memory_max_ratio=0)
    kit.fill(100, queues=1)
    result = kit.store.get("T", 0, 0, 32)
    assert (result.count, result.suggest_slave) == (8, True)
    assert not kit.store.in_memory(0)


def test_filters(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path, mapped_file_size_consume_queue=40000)
    kit.fill(1000, queues=1)
    from rmq.wire.javahash import java_hash

    tags = frozenset([java_hash("tag1")])
    result = kit.store.get("T", 0, 0, 32, tags=tags)
    numbers = [int(m.body[:8]) for m in decode_messages(b"".join(result.chunks))]
    assert numbers == list(range(1, 96, 3))
    assert result.next_begin_offset == 97
    none = kit.store.get("T", 0, 0, 32, tags=frozenset([5]))
    assert (none.status, none.count, none.next_begin_offset) == (GetStatus.NO_MATCHED_MESSAGE, 0, 800)
    result = kit.store.get("T", 0, 0, 32, match=lambda record: b"00000042..." in bytes(record))
    assert [int(m.body[:8]) for m in decode_messages(b"".join(result.chunks))] == [42]
    assert result.next_begin_offset == 800


def test_a_large_record_is_judged_in_place(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path)
    for body in (b"a" * 40_000, b"b" * 40_000, b"c"):
        kit.send("T", 0, body)
    seen: list[tuple[type, int]] = []

    def match(record: bytes | memoryview) -> bool:
        seen.append((type(record), record[88]))
        return record[88:89] == b"b"

    result = kit.store.get("T", 0, 0, 32, match=match)
    assert [m.body[:1] for m in decode_messages(b"".join(result.chunks))] == [b"b"]
    assert seen == [(memoryview, 97), (memoryview, 98), (bytes, 99)]
    # Nothing holds the log's maps: they can be closed.
    kit.store.close()


def test_offsets_by_time(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path)
    times = []
    for step in (0, 10, 0, 10, 20):
        kit.clock.advance(step / 1000)
        times.append(kit.send("T", 0, b"x").store_timestamp - NOW)
    assert times == [0, 10, 10, 20, 40]

    def at(time: int, boundary: Boundary) -> int:
        return kit.store.offset_by_time("T", 0, NOW + time, boundary)

    assert [at(t, Boundary.LOWER) for t in (-5, 0, 5, 10, 15, 20, 40, 41)] == [0, 0, 1, 1, 3, 3, 4, 5]
    assert [at(t, Boundary.UPPER) for t in (-5, 0, 5, 10, 15, 20, 40, 41)] == [0, 0, 0, 2, 2, 3, 4, 4]
    assert kit.store.offset_by_time("U", 0, NOW) == 0
    assert kit.store.store_time("T", 0, 3) == NOW + 20
    assert kit.store.store_time("T", 0, 5) == kit.store.store_time("U", 0, 0) == -1
    assert kit.store.earliest_store_time("T", 0) == NOW


def test_store_times_never_go_back(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path)
    last = kit.fill(3, queues=1)[-1]
    kit.close()
    kit.clock.rightNow = START - 1000
    kit.open()
    assert kit.send("T", 0, b"x").store_timestamp == last.store_timestamp


@pytest.mark.parametrize("offset", [-1, -(1 << 63), 1, 90, 65536, 1 << 40, (1 << 63) - 1])
def test_offsets_of_strangers(tmp_path: Path, offset: int) -> None:
    kit = SmallStore(tmp_path)
    kit.fill(10)
    assert kit.store.message_at(offset) is None
    kit.store.offset_by_time("T", 0, offset)
    kit.store.query_index("T", "key1", 32, offset, offset)


# --- inventory


def test_queries_by_key(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path)
    last = kit.fill(250)[-1]
    for number in (0, 3, 77, 249):
        for key in (f"key{number}", f"{number:032X}"):
            (record,) = kit.store.query_index("T", key, 32, 0, NOW + 10_000).messages
            assert int(decode_message(record).body[:8]) == number
    assert kit.store.query_index("U", "key3", 32, 0, NOW + 10_000).messages == []
    assert kit.store.query_index("T", "key3", 32, NOW + 5000, NOW + 10_000).messages == []
    result = kit.store.query_index("T", "none", 32, 0, NOW + 10_000)
    assert (result.last_update_timestamp, result.last_update_offset) == (
        last.store_timestamp,
        last.physical_offset,
    )


def test_queries_give_the_newest_in_log_order(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path, max_msgs_num_batch=5)
    for number in range(10):
        kit.send("T", 0, b"%d" % number, keys="same other")
    found = kit.store.query_index("T", "same", 32, 0, NOW + 1000).messages
    assert [decode_message(record).body for record in found] == [b"5", b"6", b"7", b"8", b"9"]


def test_destroyed_topics_leave_only_the_log(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path)
    kit.fill(10, "A")
    kit.fill(10, "B")
    assert kit.store.queues() == [("A", 0), ("A", 1), ("B", 0), ("B", 1)]
    kit.store.destroy_topic("A")
    kit.store.destroy_topic("Unknown")
    assert kit.store.queues() == [("B", 0), ("B", 1)]
    assert not (tmp_path / "consumequeue" / "A").exists()
    kit.reopen(clean=True)
    assert kit.report.problems == []
    assert kit.store.queues() == [("B", 0), ("B", 1)]
    assert kit.store.clean_unused_topics(lambda topic: topic == "X") == ["B"]
    assert kit.store.queues() == []
    assert kit.store.log_max_offset > 0


def test_counters(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path)
    size = sum(result.wrote_bytes for result in kit.fill(10, queues=1))
    kit.store.get("T", 0, 0, 32)
    kit.store.get("T", 0, 10, 32)
    counters = kit.store.counters
    assert (counters.put_total, counters.put_bytes, counters.put_failed) == (10, size, 0)
    assert (counters.get_found, counters.get_miss, counters.get_messages, counters.get_bytes) == (1, 1, 10, size)


# --- life


def test_one_store_per_directory(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path)
    second = MessageStore(kit.options, kit.env, kit.clock, at_once)
    with pytest.raises(StoreLockedError, match="in use by another broker"):
        second.open()
    assert (tmp_path / "lock").read_bytes() == b"lock"
    kit.close()
    second.open()


def test_abort_stands_while_the_store_runs(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path)
    assert (tmp_path / "abort").read_text() == str(kit.env.process_id())
    kit.close()
    assert not (tmp_path / "abort").exists()
    assert kit.send("T", 0, b"late").status is PutStatus.SERVICE_NOT_AVAILABLE


def test_many_queues_need_few_maps(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path, max_mapped_files=4)
    for turn in range(3):
        for queue in range(40):
            assert kit.send("T", queue, b"%d %d" % (turn, queue)).queue_offset == turn
    for queue in range(40):
        assert [m.body for m in kit.read("T", queue)] == [b"%d %d" % (turn, queue) for turn in range(3)]
    mapped = [q for q in kit.store._queues.each() if q.segments.files[0].map is not None]
    assert len(mapped) == 4
    kit.reopen(clean=True)
    assert [m.body for m in kit.read("T", 7)] == [b"0 7", b"1 7", b"2 7"]


def test_an_empty_store_is_small_and_nothing_is_read_after_a_clean_stop(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path, mapped_file_size_commit_log=SMALL["mapped_file_size_commit_log"] * 1024)
    kit.fill(100)
    used = sum(path.stat().st_blocks * 512 for path in tmp_path.rglob("*"))
    assert used < 200_000
    kit.reopen(clean=True)
    assert (kit.report.clean, kit.report.scanned_records, kit.report.problems) == (True, 0, [])


def test_wrong_file_size_setting_is_refused(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path)
    kit.fill(1)
    kit.close()
    from rmq.server.store.api import StoreError

    with pytest.raises(StoreError, match=r"has 65536 bytes, but this store's files have 32768"):
        SmallStore(tmp_path, mapped_file_size_commit_log=32768)
    kit.open()
    assert len(kit.read("T", 0)) == 1, "the lock was given back"


def test_an_unusable_directory_is_a_sentence(tmp_path: Path) -> None:
    from rmq.server.store.api import StoreError

    env = FaultyEnv()
    env.fail["make_directory"] = (0, errno.EACCES)
    with pytest.raises(StoreError, match=r"cannot be used: .*EACCES"):
        SmallStore(tmp_path, env=env)
