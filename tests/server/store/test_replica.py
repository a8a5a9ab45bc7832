import dataclasses
import errno
import random
import struct
from pathlib import Path

import pytest

from rmq.server.store.api import (
    LogGoneError,
    NoRecordError,
    NotContiguousError,
    NotEmptyError,
    PutStatus,
    StoreError,
)
from rmq.server.store.tags import SCHEDULE_TOPIC
from rmq.wire.message import BatchMessage, encode_batch
from rmq.wire.sysflag import (
    BLANK_MAGIC,
    BORN_HOST_V6,
    MAGIC_V1,
    TRANSACTION_COMMIT,
    TRANSACTION_PREPARED,
    TRANSACTION_ROLLBACK,
)
from tests.kit.logs import logged
from tests.kit.loops import WAYS, taking
from tests.kit.stores import HOST, FaultyEnv, SmallStore

FILE = 8 * 1024
HOST_V6 = bytes(range(16)) + HOST[4:]


def master_store(root: Path, **options: object) -> SmallStore:
    return SmallStore(root, **{"mapped_file_size_commit_log": FILE, **options})


def slave_store(root: Path, **options: object) -> SmallStore:
    return SmallStore(root, **{"mapped_file_size_commit_log": FILE, "read_only": True, **options})


def mixed(kit: SmallStore, rounds: int = 12) -> None:
    """Messages of all kinds, over several files of the log."""
    for number in range(rounds):
        kit.fill(6, queues=3, size=20 + number * 13, first=number * 6)
        kit.send("Other" * 30, 1, b"long name", "Tägs", "k", "u", 0)
        kit.send("V6", 0, bytes(number), "t", "k2 k3", sys_flag=BORN_HOST_V6, host=HOST_V6)
        kit.send("Half", 0, b"prepared", sys_flag=TRANSACTION_PREPARED)
        kit.send("Half", 0, b"undone", sys_flag=TRANSACTION_ROLLBACK)
        kit.send("Half", 0, b"done", sys_flag=TRANSACTION_COMMIT)
        kit.store.append(SCHEDULE_TOPIC, 2, 0, 0, 5, HOST, 0, 0, b"later", b"DELAY\x013\x02", 10_000 + number)
        batch = encode_batch([BatchMessage(0, b"%d" % n, b"TAGS\x01b%d\x02" % (n % 2)) for n in range(5)])
        kit.store.append_batch("Batch", 0, 0, 9, HOST, 0, batch)


def log_of(kit: SmallStore, start: int = 0) -> bytes:
    """The log's bytes as a master sends them."""
    found = b""
    while piece := kit.store.transfer(start + len(found), 1000):
        found += piece
    return found


def feed(kit: SmallStore, data: bytes, split: int, start: int = 0) -> int:
    """Feeds a log piece by piece; how many messages came of it."""
    count = 0
    for at in range(kit.store.replica.received - start, len(data), split):
        count += kit.store.replica.feed(start + at, data[at : at + split])
        kit.store.replica.announce()
        assert kit.store.replica.received == start + min(at + split, len(data))
    return count


def files(root: Path, below: str) -> dict[str, bytes]:
    paths = sorted(path for path in (root / below).rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in paths}


def assert_alike(master: SmallStore, slave: SmallStore) -> None:
    assert files(slave.root, "commitlog") == files(master.root, "commitlog")
    assert slave.store.queues() != []
    assert sorted(slave.store.queues()) == sorted(master.store.queues())
    for topic, queue_id in master.store.queues():
        if topic != SCHEDULE_TOPIC:
            name = f"consumequeue/{topic}/{queue_id}"
            assert files(slave.root, name) == files(master.root, name)
        ends = [(s.min_offset(topic, queue_id), s.max_offset(topic, queue_id)) for s in (master.store, slave.store)]
        assert ends[0] == ends[1]
    for key in ("key1", "key40", "k2", "u"):
        for topic in ("T", "V6", "Other" * 30):
            assert slave.store.query_index(topic, key, 64, 0, 1 << 60)[0] == master.store.query_index(
                topic, key, 64, 0, 1 << 60
            )[0]


@pytest.mark.parametrize("split", [1, 2, 3, 7, 8, 35, 36, 37, 89, 127, 500, 1000, FILE - 1, FILE, FILE + 1, 1 << 20])
@pytest.mark.usefixtures("loops")
def test_a_log_fed_in_pieces_makes_the_same_store(tmp_path: Path, split: int) -> None:
    master = master_store(tmp_path / "m")
    mixed(master)
    data = log_of(master)
    assert len(data) > 3 * FILE
    slave = slave_store(tmp_path / "s")
    count = feed(slave, data, split)
    assert count == master.store.counters.put_total == slave.store.counters.put_total
    assert slave.store.counters.put_bytes == master.store.counters.put_bytes
    assert slave.store.replica.received == slave.store.log_max_offset == master.store.log_max_offset
    assert_alike(master, slave)
    level3 = slave.store.queue_units(SCHEDULE_TOPIC, 2, 0, 1)[0]
    record = slave.store.message_at(level3[0])
    assert record is not None
    assert level3[2] == int.from_bytes(record[56:64], "big") + 10_000
    assert slave.store.queue_units("Half", 0, 0, 99) == master.store.queue_units("Half", 0, 0, 99)


@pytest.mark.usefixtures("loops")
def test_whatever_the_pieces_and_restarts_the_store_is_the_same(tmp_path: Path) -> None:
    dice = random.Random(5)
    master = master_store(tmp_path / "m")
    mixed(master)
    for attempt in range(8):
        slave = slave_store(tmp_path / f"s{attempt}")
        slave.store.start()
        while (received := slave.store.replica.received) < master.store.log_max_offset:
            piece = master.store.transfer(received, dice.choice([1, 10, 100, 1000, 9000]))
            assert piece
            slave.store.replica.feed(received, piece)
            what = dice.randrange(40)
            if what < 2:
                end = slave.store.log_max_offset
                slave.reopen(clean=what == 0)
                slave.store.start()
                assert slave.store.replica.received in {end, end - end % FILE + FILE}
                assert slave.report.problems == []
            elif what < 4:
                slave.store.replica.drop_partial()
                assert slave.store.replica.received == slave.store.log_max_offset
            elif what < 8:
                slave.clock.advance(1.5)
        assert_alike(master, slave)
        slave.close()
    slave.options = dataclasses.replace(slave.options, read_only=False)
    slave.open()
    assert slave.report.problems == []
    assert_alike(master, slave)
    for kit in (master, slave):
        kit.fill(9, queues=3)
        kit.send("Other" * 30, 1, b"more")
    assert slave.numbers(queues=3) == master.numbers(queues=3)
    assert len(slave.numbers(queues=3)[2]) == 27


def test_whole_messages_only_are_written_and_told_of(tmp_path: Path) -> None:
    master, slave = master_store(tmp_path / "m"), slave_store(tmp_path / "s")
    told: list[object] = []
    slave.store.on_arrival = lambda *facts: told.append(facts)
    slave.store.on_new_topic = lambda *facts: told.append(facts)
    first, second, third = (master.send("T", queue, b"body", tags) for queue, tags in ((0, "a"), (0, "a"), (1, "b")))
    data = log_of(master)
    replica = slave.store.replica
    code = master.store.queue_units("T", 0, 0, 1)[0][2]
    assert replica.feed(0, data[: first.wrote_bytes - 1]) == 0
    assert (slave.store.log_max_offset, replica.received, told) == (0, first.wrote_bytes - 1, [])
    assert not any(any(data) for data in files(slave.root, "commitlog").values())
    assert replica.feed(replica.received, data[replica.received : first.wrote_bytes]) == 1
    replica.announce()
    assert told == [("T", 0), ("T", 0, 1, code)]
    assert slave.store.get("T", 0, 0, 1).chunks == [data[: first.wrote_bytes]]
    assert slave.store.log_max_offset == first.wrote_bytes
    assert replica.feed(replica.received, data[replica.received :]) == 2
    replica.announce()
    assert slave.store.replica.received == third.physical_offset + third.wrote_bytes
    assert told[2:] == [("T", 1), ("T", 0, 2, code), ("T", 1, 1, master.store.queue_units("T", 1, 0, 1)[0][2])]
    assert second.queue_offset == 1


def test_listeners_are_told_once_and_when_it_is_their_turn(tmp_path: Path, loops: str) -> None:
    master, slave = master_store(tmp_path / "m"), slave_store(tmp_path / "s")
    messages = (0, "a"), (1, "b"), (0, "a"), (1, "a"), (1, "a")
    sent = [master.send("T", queue, b"body", tags) for queue, tags in messages]
    ends = [result.physical_offset + result.wrote_bytes for result in sent]
    data = bytearray(log_of(master))
    a, b = (master.store.queue_units("T", queue_id, 0, 1)[0][2] for queue_id in (0, 1))
    told: list[object] = []
    slave.store.on_arrival = lambda *facts: told.append(facts)
    slave.store.on_new_topic = lambda *facts: told.append(facts)
    replica = slave.store.replica
    assert replica.feed(0, bytes(data[: ends[0]])) == 1
    assert replica.feed(ends[0], bytes(data[ends[0] : ends[2]])) == 2
    assert slave.store.get("T", 0, 1, 1).chunks == [data[ends[1] : ends[2]]]
    assert told == []
    replica.announce()
    replica.announce()
    assert told == [("T", 0), ("T", 1), ("T", 0, 2, a), ("T", 1, 1, b)]
    data[ends[3] + 4] = 0
    with pytest.raises(NoRecordError):
        replica.feed(ends[2], bytes(data[ends[2] :]))
    replica.announce()
    assert told[4:] == [("T", 1, 2, a)], "what came before the damage"


def records_of(data: bytes) -> list[tuple[int, bytes]]:
    """Records and blanks of a log of small files, each with its place."""
    found, at = [], 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        found.append((at, data[at : at + size]))
        at += size
    return found


@pytest.mark.usefixtures("loops")
def test_a_log_fed_one_by_one_makes_the_same_store(tmp_path: Path) -> None:
    master, slave = master_store(tmp_path / "m"), slave_store(tmp_path / "s")
    mixed(master)
    arrived: list[tuple[str, int, int]] = []
    slave.store.on_arrival = lambda topic, queue_id, following, code: arrived.append((topic, queue_id, following))
    count = 0
    for at, record in records_of(log_of(master)):
        count += slave.store.replica.feed(at, record)
        slave.store.replica.announce()
        assert slave.store.replica.received == at + len(record)
    assert count == master.store.counters.put_total == slave.store.counters.put_total
    assert slave.store.counters.put_bytes == master.store.counters.put_bytes
    assert len(arrived) == sum(master.store.max_offset(*queue) for queue in master.store.queues())
    assert_alike(master, slave)
    level3 = slave.store.queue_units(SCHEDULE_TOPIC, 2, 0, 99)
    assert [code for _, _, code in level3] == [
        int.from_bytes((slave.store.message_at(physical) or b"")[56:64], "big") + 10_000 for physical, _, _ in level3
    ]


@pytest.mark.usefixtures("loops")
def test_a_topic_without_a_place_is_told_of_once(tmp_path: Path) -> None:
    slave = slave_store(tmp_path / "s")
    replica = slave.store.replica
    master = master_store(tmp_path / "m")
    master.fill(4, queues=1, topic="a_b")
    with logged() as said:
        for at, record in records_of(log_of(master).replace(b"\x03a_b", b"\x03a/b")):
            assert replica.feed(at, record) == 1
    assert said == ["From the master: messages of a topic called b'a/b' are left out of the queues"]
    assert replica.received == master.store.log_max_offset
    assert slave.store.queues() == []
    assert replica._filler.problems == []


def test_damage_to_one_that_comes_alone_is_the_same_each_way(tmp_path: Path) -> None:
    """Both ways take it, wait for more, or refuse it with the same words."""
    master = master_store(tmp_path / "m", mapped_file_size_commit_log=1 << 20)
    master.fill(3, queues=1)
    master.send("T", 0, b"body", "tag", "key")
    (*before, (place, record)) = records_of(log_of(master))
    dice = random.Random(7)
    slaves = {way: slave_store(tmp_path / way, mapped_file_size_commit_log=1 << 20) for way in WAYS}
    for slave in slaves.values():
        slave.store.replica.feed(0, b"".join(data for _, data in before))
    seen = set()
    for at in range(len(record)):
        damaged = bytearray(record)
        damaged[at] = dice.choice([0, 1, 4, 8, 0x7F, 0x80, 0xFF])
        found = []
        for way, slave in slaves.items():
            replica = slave.store.replica
            with taking(way):
                try:
                    result: object = replica.feed(place, bytes(damaged))
                except NoRecordError as error:
                    result = str(error)
                numbers = slave.store.log_max_offset, slave.store.queues(), slave.store.max_offset("T", 0)
                units = slave.store.queue_units("T", 0, 3, 9)
                found.append((result, replica.received, numbers, units))
                replica.drop_partial()
                if slave.store.log_max_offset != place:
                    assert slave.store.truncate(place).called
        assert found == found[:1] * len(WAYS), at
        seen.add(type(found[0][0]))
    assert seen == {int, str}


@pytest.mark.parametrize("what", ["resize", "reserve", "map_file"])
@pytest.mark.parametrize("granted", range(6))
def test_what_is_logged_is_in_its_queue(tmp_path: Path, loops: str, what: str, granted: int) -> None:
    """With more queues than maps, each message finds its queue's file not mapped."""
    master = master_store(tmp_path / "m")
    sent = master.fill(400, queues=3)
    data = log_of(master)
    env = FaultyEnv()
    slave = slave_store(tmp_path / "s", env=env, max_mapped_files=2)
    replica = slave.store.replica
    ends = [result.physical_offset + result.wrote_bytes for result in sent]
    env.only_below = "consumequeue"
    env.fail[what] = (granted, errno.ENOMEM)
    for end in ends:
        replica.feed(replica.received, data[replica.received : end])
        if replica.stalled:
            break
    assert replica.stalled
    assert replica.received == slave.store.log_max_offset
    units = sum(slave.store.max_offset("T", queue_id) for queue_id in range(3))
    assert replica.received == (ends[units - 1] if units else 0)


def test_a_listener_reads_what_it_is_told_of(tmp_path: Path) -> None:
    master, slave = master_store(tmp_path / "m"), slave_store(tmp_path / "s")
    master.fill(100)
    read: list[int] = []

    def listener(topic: str, queue_id: int, following: int, code: int) -> None:
        read.append(slave.store.get(topic, queue_id, following - 1, 1).count)

    slave.store.on_arrival = listener
    feed(slave, log_of(master), 1000)
    assert set(read) == {1}


def test_bytes_must_follow_each_other(tmp_path: Path) -> None:
    master, slave = master_store(tmp_path / "m"), slave_store(tmp_path / "s")
    master.fill(5)
    data = log_of(master)
    slave.store.replica.feed(0, data[:400])
    for wrong in (0, 399, 401):
        with pytest.raises(NotContiguousError) as caught:
            slave.store.replica.feed(wrong, data[wrong:])
        assert (caught.value.expected, caught.value.got) == (400, wrong)
    slave.store.replica.feed(400, data[400:])
    assert slave.store.log_max_offset == master.store.log_max_offset


@pytest.mark.parametrize("split", [1, 50, 1 << 20])
@pytest.mark.parametrize(
    ("at", "data", "why"),
    [
        (4, b"\xda\xa3\x20\xa8", "0xDAA320A8 does not open a record"),
        (0, bytes(4), "0 bytes are none"),
        (0, b"\x7f\0\0\0", "2130706432 bytes are none, or too many for the file's last"),
        (28, bytes(8), "the record there says that it stands at 0"),
        (84, b"\0\0\x10\0", "a record's body is longer than the record"),
        (20, b"\xff" * 8, "its queue offset is negative"),
        (20, (1 << 40).to_bytes(8, "big"), "its offset in queue 1 of T is 1099511627776"),
        (0, struct.pack(">LL", 500, BLANK_MAGIC), "a blank of 500 bytes where the file has"),
    ],
)
@pytest.mark.usefixtures("loops")
def test_what_is_no_record_is_refused(tmp_path: Path, split: int, at: int, data: bytes, why: str) -> None:
    master, slave = master_store(tmp_path / "m"), slave_store(tmp_path / "s")
    results = master.fill(9)
    bad = bytearray(log_of(master))
    place = results[5].physical_offset
    bad[place + at : place + at + len(data)] = data
    with pytest.raises(NoRecordError, match=why) as caught:
        feed(slave, bytes(bad), split)
    assert caught.value.offset == place
    assert slave.store.replica.received == slave.store.log_max_offset == place
    assert feed(slave, log_of(master), split) == 4
    assert_alike_log(master, slave)


def test_a_record_that_would_fill_the_memory_is_not_awaited(tmp_path: Path) -> None:
    most = 64 << 20
    slave = slave_store(tmp_path / "s", mapped_file_size_commit_log=1 << 30)
    head = struct.pack(">LL20xQ", most, MAGIC_V1, 0)
    assert slave.store.replica.feed(0, head) == 0
    assert slave.store.replica.received == len(head)
    slave.store.replica.drop_partial()
    with pytest.raises(NoRecordError, match="is awaited only if maxMessageSize is half of that"):
        slave.store.replica.feed(0, struct.pack(">LL", most + 1, MAGIC_V1))
    assert slave.store.replica.received == 0
    large = slave_store(tmp_path / "l", mapped_file_size_commit_log=1 << 30, max_message_size=most)
    assert large.store.replica.feed(0, struct.pack(">LL20xQ", 2 * most, MAGIC_V1, 0)) == 0


def assert_alike_log(master: SmallStore, slave: SmallStore) -> None:
    assert files(slave.root, "commitlog") == files(master.root, "commitlog")


@pytest.mark.parametrize("other", [FILE // 2, FILE * 2])
def test_files_of_another_size_are_noticed(tmp_path: Path, other: int) -> None:
    master = master_store(tmp_path / "m", mapped_file_size_commit_log=other)
    slave = slave_store(tmp_path / "s")
    master.fill(200)
    with pytest.raises(NoRecordError, match="mappedFileSizeCommitLog must be the same"):
        feed(slave, log_of(master), 1000)
    assert slave.store.log_max_offset in range(FILE // 2 - 300, FILE)
    assert slave.numbers() == {q: v[: len(slave.numbers()[q])] for q, v in master.numbers().items()}


@pytest.mark.parametrize("split", [1, 100, 1 << 20])
def test_filler_that_is_not_zeros_is_kept(tmp_path: Path, split: int) -> None:
    master, slave = master_store(tmp_path / "m"), slave_store(tmp_path / "s")
    master.fill(100, size=600)
    data = bytearray(log_of(master))
    blank = data.index(struct.pack(">L", BLANK_MAGIC)) - 4
    assert 100 < FILE - blank < 800
    data[blank + 8 : blank + 20] = data[FILE - 3 : FILE] = b"\xaa" * 12
    data[FILE - 3 : FILE] = b"\xaa" * 3
    del data[FILE:]
    data += log_of(master, FILE)
    feed(slave, bytes(data), split)
    assert b"".join(files(slave.root, "commitlog").values())[: len(data)] == data
    slave.reopen()
    assert slave.store.log_max_offset == master.store.log_max_offset


def test_in_the_middle_of_a_blank_the_log_ends_before_it(tmp_path: Path) -> None:
    master, slave = master_store(tmp_path / "m"), slave_store(tmp_path / "s")
    master.fill(100, size=600)
    data = log_of(master)
    blank = data.index(struct.pack(">L", BLANK_MAGIC)) - 4
    replica = slave.store.replica
    replica.feed(0, data[: blank + 4])
    assert (replica.received, slave.store.log_max_offset) == (blank + 4, blank)
    replica.feed(blank + 4, data[blank + 4 : blank + 30])
    assert (replica.received, slave.store.log_max_offset) == (blank + 30, blank)
    replica.drop_partial()
    assert (replica.received, slave.store.log_max_offset) == (blank, blank)
    replica.feed(blank, data[blank : FILE - 1])
    assert (replica.received, slave.store.log_max_offset) == (FILE - 1, blank)
    replica.feed(FILE - 1, data[FILE - 1 : FILE])
    assert (replica.received, slave.store.log_max_offset) == (FILE, FILE)
    assert len(files(slave.root, "commitlog")) == 1, "the next file comes with the next record"
    slave.reopen()
    assert slave.store.replica.received == FILE
    feed(slave, data, 1000)
    assert_alike_log(master, slave)


def test_a_kill_in_the_middle_of_a_run_leaves_the_log_before_it(tmp_path: Path) -> None:
    master, slave = master_store(tmp_path / "m"), slave_store(tmp_path / "s")
    results = master.fill(20)
    data = log_of(master)
    end = results[10].physical_offset
    slave.store.replica.feed(0, data[:end])
    slave.crash()
    path = slave.root / "commitlog" / "0".zfill(20)
    with path.open("r+b") as file:
        # What stands there when the head of a run was not yet written.
        file.seek(end + 8)
        file.write(data[end + 8 :])
    slave.open()
    assert slave.store.replica.received == end
    assert path.read_bytes()[end:] == bytes(FILE - end)
    feed(slave, data, 100)
    assert_alike(master, slave)


@pytest.mark.parametrize("split", [64, 1 << 20])
@pytest.mark.usefixtures("loops")
def test_a_queue_that_the_master_began_again_begins_again_here(tmp_path: Path, split: int) -> None:
    master, slave = master_store(tmp_path / "m"), slave_store(tmp_path / "s")
    slave.store.start()
    opened: list[tuple[str, int]] = []
    slave.store.on_new_topic = lambda topic, queue_id: opened.append((topic, queue_id))
    master.fill(130, queues=2)
    master.fill(10, "Stays", queues=1)
    master.store.destroy_topic("T")
    master.fill(20, queues=2, first=1000)
    feed(slave, log_of(master), split)
    assert slave.numbers() == master.numbers() == {q: [(n, 1000 + q + 2 * n) for n in range(10)] for q in (0, 1)}
    assert_alike(master, slave)
    assert opened == [("T", 0), ("T", 1), ("Stays", 0), ("T", 0), ("T", 1)]
    assert slave.store.min_offset("T", 0) == 0
    slave.reopen()
    assert slave.numbers() == master.numbers()
    slave.reopen(clean=True)
    assert slave.numbers() == master.numbers()
    slave.crash()
    (slave.root / "checkpoint").unlink()
    slave.open()
    assert slave.numbers() == master.numbers()
    assert slave.report.problems == []


def test_a_slave_may_begin_at_a_later_file(tmp_path: Path) -> None:
    master, slave = master_store(tmp_path / "m"), slave_store(tmp_path / "s")
    master.fill(200, queues=1)
    start = 2 * FILE
    data = log_of(master, start)
    for wrong in (1, FILE + 10):
        with pytest.raises(StoreError, match="mappedFileSizeCommitLog must be the same"):
            slave.store.replica.begin(wrong)
    slave.store.start()
    slave.store.replica.begin(start)
    slave.clock.advance(0)
    assert (slave.store.replica.received, slave.store.log_min_offset, slave.store.log_max_offset) == (start,) * 3
    slave.reopen()
    assert (slave.store.replica.received, slave.report.problems) == (start, [])
    slave.store.replica.begin(start)
    feed(slave, data, 1000, start)
    with pytest.raises(NotEmptyError) as caught:
        slave.store.replica.begin(0)
    assert (caught.value.minimum, caught.value.end) == (start, master.store.log_max_offset)
    behind = next(m.queue_offset for m in master.read("T", 0) if m.physical_offset >= start)
    assert (slave.store.min_offset("T", 0), slave.store.max_offset("T", 0)) == (behind, 200)
    assert slave.numbers(queues=1) == {0: [(n, n) for n in range(behind, 200)]}
    slave.reopen(clean=True)
    assert slave.numbers(queues=1) == {0: [(n, n) for n in range(behind, 200)]}
    assert slave.store.query_index("T", "key199", 9, 0, 1 << 60).messages != []


def test_messages_that_the_master_lost_are_blank_units(tmp_path: Path) -> None:
    """A master that recovery brought back around damage gives later queue offsets."""
    master, slave = master_store(tmp_path / "m"), slave_store(tmp_path / "s")
    results = master.fill(4, queues=1)
    master.store._queues.topics["T"].queues[0].fill_blank(9)
    last = master.fill(1, queues=1, first=9)[0]
    assert (results[3].queue_offset, last.queue_offset) == (3, 9)
    feed(slave, log_of(master), 99)
    assert_alike(master, slave)
    assert [m.queue_offset for m in slave.read("T", 0)] == [0, 1, 2, 3, 9]


@pytest.mark.parametrize("what", ["resize", "reserve", "map_file"])
@pytest.mark.parametrize("below", ["commitlog", "consumequeue"])
@pytest.mark.parametrize("granted", [0, 1, 2, 3])
def test_a_full_disk_stalls_and_nothing_is_lost(tmp_path: Path, what: str, below: str, granted: int) -> None:
    master = master_store(tmp_path / "m")
    mixed(master)
    data = log_of(master)
    env = FaultyEnv()
    slave = slave_store(tmp_path / "s", env=env, max_mapped_files=3, log_reserve_bytes=0)
    replica = slave.store.replica
    env.only_below = below
    env.fail[what] = (granted, errno.ENOSPC)
    while not replica.stalled:
        replica.feed(replica.received, data[replica.received : replica.received + 700])
    stalled_at = replica.received
    assert slave.store.log_max_offset <= stalled_at < len(data)
    assert replica.feed(stalled_at, data[stalled_at : stalled_at + 700]) == 0
    assert (replica.stalled, replica.received) == (True, stalled_at), "not asked again at once"
    env.fail.clear()
    slave.clock.advance(slave.options.disk_full_retry_interval)
    feed(slave, data, 700)
    assert not replica.stalled
    assert_alike(master, slave)
    slave.reopen()
    assert slave.report.problems == []
    assert_alike(master, slave)


def test_a_slave_takes_no_messages_of_its_own(tmp_path: Path) -> None:
    slave = slave_store(tmp_path)
    slave.store.start()
    refused = PutStatus.SERVICE_NOT_AVAILABLE
    assert slave.send("T", 0, b"x").status is refused
    assert slave.store.append_batch("T", 0, 0, 0, HOST, 0, b"x" * 30).status is refused
    slave.store._set_disk_full(True)
    slave.store._set_disk_full(False)
    assert slave.send("T", 0, b"x").status is refused
    assert slave.store.queues() == []


def test_what_a_master_hands_out(tmp_path: Path) -> None:
    master = master_store(tmp_path)
    assert master.store.transfer(0, 100) == b""
    master.fill(200)
    end = master.store.log_max_offset
    first, second = (files(tmp_path, "commitlog")[f"commitlog/{start:020d}"] for start in (0, FILE))
    assert master.store.transfer(0, 100) == first[:100]
    assert master.store.transfer(FILE - 10, 100) == first[-10:], "never of two files"
    assert master.store.transfer(FILE, 1 << 30) == second
    assert len(master.store.transfer(end - 7, 100)) == 7
    assert master.store.transfer(end, 100) == master.store.transfer(end + 1, 100) == b""
    master.close()
    (tmp_path / "commitlog" / "0".zfill(20)).unlink()
    master.open()
    with pytest.raises(LogGoneError) as caught:
        master.store.transfer(FILE - 1, 100)
    assert caught.value.minimum == FILE
    assert master.store.transfer(FILE, 100) == second[:100]


def test_how_far_the_master_is_on_its_disk_is_kept(tmp_path: Path) -> None:
    slave = slave_store(tmp_path)
    assert slave.store.master_flushed_offset == 0
    slave.store.master_flushed_offset = 12345
    slave.reopen(clean=True)
    assert slave.store.master_flushed_offset == 12345
