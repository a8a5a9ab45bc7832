import os
import random
import shutil
import tarfile
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rmq.server.store.checkpoint import decode_checkpoint
from rmq.wire.message import BatchMessage, decode_message, decode_messages, encode_batch
from rmq.wire.sysflag import COMPRESSED
from tests.kit.stores import HOST, START, SmallStore

NOW = int(START * 1000)
GOLDEN = Path(__file__).parents[2] / "golden" / "apache_store.tar.xz"


def log_file(root: Path, start: int = 0) -> Path:
    return root / "commitlog" / f"{start:020d}"


def queue_file(root: Path, queue: int, topic: str = "T") -> Path:
    return root / "consumequeue" / topic / str(queue) / "0".zfill(20)


def overwrite(path: Path, at: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


def expected(count: int, queues: int = 2, skip: frozenset[int] = frozenset()) -> dict[int, list[tuple[int, int]]]:
    return {queue: [(n // queues, n) for n in range(queue, count, queues) if n not in skip] for queue in range(queues)}


def check_index(kit: SmallStore, numbers: range) -> None:
    for number in numbers:
        for key in (f"key{number}", f"{number:032X}"):
            found = [int(decode_message(r).body[:8]) for r in kit.store.query_index("T", key, 32, 0, NOW * 2).messages]
            assert found == [number], key


def test_after_a_crash_only_what_the_checkpoint_does_not_cover_is_read(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path)
    kit.fill(300)
    kit.store.start()
    kit.clock.advance(kit.options.checkpoint_interval + 0.1)
    covered = kit.store.log_max_offset
    kit.fill(50, first=300)
    kit.reopen()
    assert (kit.report.clean, kit.report.scan_start, kit.report.scanned_records) == (False, covered, 50)
    assert (kit.report.problems, kit.report.truncated_at) == ([], None)
    assert kit.numbers() == expected(350)
    check_index(kit, range(350))
    assert kit.send("T", 0, b"next").queue_offset == 175


def test_a_copied_directory_is_a_crash(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path / "a")
    kit.fill(120)
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    other = SmallStore(tmp_path / "b")
    assert not other.report.clean
    assert other.numbers() == expected(120)
    check_index(other, range(120))


@pytest.mark.parametrize(
    "garbage",
    [random.Random(7).randbytes(3000), b"\xff" * 500, b"\0\0\1\0\xda\xa3\x20\xa7" * 50],
    ids=["random", "ones", "magic codes"],
)
def test_garbage_behind_the_end_is_cut_off(tmp_path: Path, garbage: bytes) -> None:
    kit = SmallStore(tmp_path)
    kit.fill(100)
    end = kit.store.log_max_offset
    kit.crash()
    overwrite(log_file(tmp_path), end, garbage)
    kit.open()
    assert kit.report.truncated_at == end
    assert kit.numbers() == expected(100)
    assert log_file(tmp_path).read_bytes()[end:] == bytes(65536 - end)
    kit.fill(10, first=100)
    kit.reopen()
    assert kit.numbers() == expected(110)


@pytest.mark.parametrize("clean", [False, True])
def test_a_cut_last_file_is_mended(tmp_path: Path, clean: bool) -> None:
    kit = SmallStore(tmp_path)
    results = kit.fill(100)
    kit.close() if clean else kit.crash()
    cut = results[80].physical_offset + 30
    os.truncate(log_file(tmp_path), cut)
    kit.open()
    assert log_file(tmp_path).stat().st_size == 65536
    assert kit.numbers() == expected(80)
    assert any("was cut off" in problem for problem in kit.report.problems)
    assert kit.fill(2, first=80)[0].queue_offset == 40
    assert kit.numbers() == expected(82)
    kit.reopen(clean=True)
    assert (kit.numbers(), kit.report.problems) == (expected(82), [])


def test_a_torn_last_record_is_dropped(tmp_path: Path) -> None:
    for keep in (0, 4, 8, 20, 60, 87, 88, 100, 150, 240):
        root = tmp_path / str(keep)
        kit = SmallStore(root)
        last = kit.fill(20)[-1]
        kit.crash()
        overwrite(log_file(root), last.physical_offset + keep, bytes(last.wrote_bytes - keep))
        kit.open()
        assert kit.numbers() == expected(19)
        assert kit.fill(1, first=19)[0].queue_offset == 9
        assert kit.numbers() == expected(20)


@pytest.mark.parametrize("clean", [False, True])
@pytest.mark.parametrize("at", [0, 4, 30, 95, 200])
def test_damage_in_the_middle_costs_one_message(tmp_path: Path, clean: bool, at: int) -> None:
    kit = SmallStore(tmp_path)
    results = kit.fill(600)
    kit.store.start()
    kit.clock.advance(60)
    kit.close() if clean else kit.crash()
    victim = results[90]
    raw = log_file(tmp_path).read_bytes()
    overwrite(log_file(tmp_path), victim.physical_offset + at, bytes([raw[victim.physical_offset + at] ^ 0x55]))
    kit.open()
    sound = at == 200
    assert kit.numbers() == expected(600, skip=frozenset() if sound else frozenset([90]))
    assert kit.store.message_at(victim.physical_offset) is None or sound
    assert kit.send("T", 0, b"next").queue_offset == 300


def test_a_batch_that_a_kill_cut_short_in_a_later_file_leaves_nothing(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path)
    number = 0
    while kit.store.log_max_offset < 60_000:
        kit.fill(1, queues=1, first=number)
        number += 1
    kit.store._rounds.run_now()
    while kit.store.log_max_offset < 65_536:
        kit.fill(1, queues=1, first=number)
        number += 1
    batch = encode_batch([BatchMessage(0, b"%08d" % item, b"") for item in range(number, number + 10)])
    first = kit.store.append_batch("T", 0, 0, 0, HOST, 0, batch).physical_offset
    kit.crash()
    # What a kill between the copy and its last step leaves: all but the first record's magic number.
    overwrite(log_file(tmp_path, first - first % 65536), first % 65536 + 4, bytes(4))
    kit.open()
    assert kit.store.log_max_offset == first
    assert kit.numbers(queues=1) == {0: [(item, item) for item in range(number)]}


@pytest.mark.parametrize("missing", [0, 1, 5])
def test_units_of_a_batch_that_a_kill_left_out_are_made_again(tmp_path: Path, missing: int) -> None:
    """A copy of many bytes that a kill cuts short may have begun anywhere, not only at its beginning."""
    kit = SmallStore(tmp_path, mapped_file_size_consume_queue=20 * 300)
    kit.fill(100, queues=1)
    kit.store._rounds.run_now()
    kit.fill(100, queues=1, first=100)
    kit.crash()
    overwrite(queue_file(tmp_path, 0), (100 + missing) * 20, bytes(20))
    kit.open()
    assert kit.numbers(queues=1) == {0: [(number, number) for number in range(200)]}


def test_a_bad_crc_beyond_the_checkpoint_is_reported_and_the_rest_served(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path)
    results = kit.fill(100)
    kit.crash()
    at = results[50].physical_offset
    overwrite(log_file(tmp_path), at + 90, b"!")
    kit.open()
    path = log_file(tmp_path)
    assert kit.report.problems == [f"bad CRC of a message's body in {path} at {at} (offset {at})"]
    assert kit.numbers() == expected(100, skip=frozenset([50]))


@pytest.mark.parametrize("what", ["checkpoint", "index", "queues", "queue", "all"])
@pytest.mark.parametrize("clean", [False, True])
@pytest.mark.parametrize("how", ["remove", "cut", "zero", "garbage"])
def test_derived_files_are_made_again(tmp_path: Path, what: str, clean: bool, how: str) -> None:
    kit = SmallStore(tmp_path)
    kit.fill(400)
    kit.store.start()
    kit.clock.advance(60)
    kit.fill(20, first=400)
    kit.close() if clean else kit.crash()
    places = {
        "checkpoint": ["checkpoint"],
        "index": ["index"],
        "queues": ["consumequeue"],
        "queue": ["consumequeue/T/1"],
        "all": ["checkpoint", "index", "consumequeue"],
    }[what]
    for place in places:
        path = tmp_path / place
        for file in [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file()):
            if how == "remove":
                file.unlink()
            elif how == "cut":
                os.truncate(file, file.stat().st_size // 2)
            else:
                file.write_bytes(bytes(file.stat().st_size) if how == "zero" else os.urandom(file.stat().st_size))
    kit.open()
    assert kit.numbers() == expected(420)
    assert kit.send("T", 1, b"00000421").queue_offset == 210
    if (what, how) not in {("index", "garbage"), ("all", "garbage"), ("index", "zero"), ("all", "zero")}:
        check_index(kit, range(0, 420, 7))
    kit.reopen(clean=True)
    assert kit.numbers() == {**expected(420), 1: [*expected(420)[1], (210, 421)]}


def test_one_missing_queue_is_noticed_after_a_clean_stop(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path)
    kit.fill(100, queues=4)
    kit.close()
    shutil.rmtree(tmp_path / "consumequeue" / "T" / "2")
    kit.open()
    assert kit.report.problems == ["the queues are not those that the checkpoint knows; the whole log is compared"]
    assert kit.numbers(queues=4) == expected(100, 4)


@pytest.mark.parametrize("lost", ["nothing", "the last round", "the checkpoint", "a queue"])
def test_a_topic_that_was_made_anew_has_only_its_new_messages(tmp_path: Path, lost: str) -> None:
    kit = SmallStore(tmp_path)
    kit.fill(100)
    kit.store._rounds.run_now()
    kit.fill(20, first=100)
    kit.store.destroy_topic("T")
    kit.fill(30, first=1000)
    if lost != "the last round":
        kit.store._rounds.run_now()
    kit.crash()
    if lost == "the checkpoint":
        (tmp_path / "checkpoint").unlink()
    elif lost == "a queue":
        shutil.rmtree(tmp_path / "consumequeue" / "T" / "1")
    kit.open()
    assert kit.numbers() == {queue: [(n, 1000 + queue + 2 * n) for n in range(15)] for queue in range(2)}
    assert kit.send("T", 0, b"next").queue_offset == 15


def test_without_a_log_the_rest_goes(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path)
    kit.fill(100)
    kit.close()
    shutil.rmtree(tmp_path / "commitlog")
    kit.open()
    assert kit.store.queues() == []
    assert kit.fill(2)[1].physical_offset == 254
    check_index(kit, range(2))


def test_a_last_file_of_length_zero_is_removed(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path)
    kit.fill(10)
    kit.close()
    log_file(tmp_path, 65536).touch()
    kit.open()
    assert not log_file(tmp_path, 65536).exists()
    assert kit.numbers() == expected(10)


def test_an_empty_next_file_is_no_damage(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path)
    kit.fill(10)
    kit.crash()
    log_file(tmp_path, 65536).write_bytes(bytes(65536))
    kit.open()
    assert (kit.report.problems, kit.report.truncated_at) == ([], None)
    kit.fill(600, first=10)
    assert kit.numbers() == expected(610)


def test_a_queue_that_begins_in_the_middle_is_filled_with_blanks(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path)
    kit.fill(600, queues=1)
    kit.close()
    log_file(tmp_path, 0).unlink()
    shutil.rmtree(tmp_path / "consumequeue")
    (tmp_path / "checkpoint").unlink()
    kit.open()
    first = kit.store.min_offset("T", 0)
    assert kit.numbers(queues=1) == {0: [(n, n) for n in range(first, 600)]}
    files = sorted((tmp_path / "consumequeue" / "T" / "0").iterdir())
    assert int(files[0].name) == first // 50 * 1000
    blank = bytes(8) + (0x7FFFFFFF).to_bytes(4, "big") + bytes(8)
    assert files[0].read_bytes()[: first % 50 * 20] == blank * (first % 50)
    kit.reopen(clean=True)
    assert (kit.store.min_offset("T", 0), kit.store.max_offset("T", 0)) == (first, 600)


def test_an_apache_run_in_between_voids_the_extension(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path)
    kit.fill(100)
    kit.close()
    page = (tmp_path / "checkpoint").read_bytes()
    assert decode_checkpoint(page).extension is not None
    overwrite(tmp_path / "checkpoint", 0, (NOW + 77).to_bytes(8, "big"))
    assert decode_checkpoint((tmp_path / "checkpoint").read_bytes()).extension is None
    kit.open()
    assert kit.report.scanned_records == 0
    assert kit.numbers() == expected(100)


@pytest.mark.parametrize("clean", [False, True])
def test_a_store_of_apache(tmp_path: Path, clean: bool) -> None:
    with tarfile.open(GOLDEN) as archive:
        archive.extractall(tmp_path, filter="data")
    if clean:
        (tmp_path / "abort").unlink()
    kit = SmallStore(
        tmp_path,
        mapped_file_size_commit_log=1 << 20,
        mapped_file_size_consume_queue=6000,
        max_hash_slot_num=1000,
        max_index_num=4000,
    )
    assert kit.report.problems == []
    assert kit.report.scanned_records == (0 if clean else 411)
    assert kit.store.log_max_offset == 112828
    messages = [message for queue in range(4) for message in kit.read("GoldenTopic", queue)]
    assert all(message.body_is_sound and message.topic == "GoldenTopic" for message in messages)
    singles = {f"hello {n}".encode(): (f"Tag{n % 3}", f"key{n}") for n in range(400)}
    batched = {f"batch {n}".encode(): ("TagB", f"bkey{n}") for n in range(10)}
    big = {b"z" * 8000: ("TagC", "bigkey 键 two")}
    bodies = {
        zlib.decompress(m.body) if m.sys_flag & COMPRESSED else m.body: (m.properties["TAGS"], m.properties["KEYS"])
        for m in messages
    }
    assert bodies == {**singles, **batched, **big}
    for message in messages:
        for key in (*message.properties["KEYS"].split(" "), message.unique_id or ""):
            (record,) = kit.store.query_index("GoldenTopic", key, 32, 0, NOW * 2).messages
            assert decode_message(record).physical_offset == message.physical_offset


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(st.tuples(st.integers(1, 60), st.sampled_from(["crash", "clean", "round", "none"])), max_size=8),
    damage=st.integers(0, 3000),
)
def test_any_history_keeps_every_message(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, str]], damage: int
) -> None:
    root = tmp_path_factory.mktemp("store")
    kit = SmallStore(root, mapped_file_size_commit_log=8 * 1024)
    kit.store.start()
    count = 0
    for number, step in steps:
        kit.fill(number, first=count)
        count += number
        if step == "round":
            kit.clock.advance(5)
        elif step != "none":
            if step == "crash":
                end = kit.store.log_max_offset
                kit.crash()
                at = end % 8192
                if at and damage:
                    overwrite(log_file(root, end - at), at, os.urandom(min(damage, 8192 - at)))
            else:
                kit.close()
            kit.open()
            kit.store.start()
    assert kit.numbers() == expected(count)
    check_index(kit, range(0, count, 5))
    kit.close()


def test_names_that_would_leave_the_directory_are_left_out(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path)
    kit.store._log.make_room(500)
    first = kit.send("ab", 0, b"x")
    kit.crash()
    raw = log_file(tmp_path).read_bytes()
    overwrite(log_file(tmp_path), raw.index(b"\x02ab", first.physical_offset) + 1, b"..")
    shutil.rmtree(tmp_path / "consumequeue")
    kit.open()
    assert kit.report.problems == ["messages of a topic called b'..' are left out of the queues"]
    assert kit.store.queues() == []


def test_messages_in_chunks_are_whole(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path)
    kit.fill(10, queues=1)
    kit.reopen()
    result = kit.store.get("T", 0, 0, 10)
    assert len(result.chunks) == 10, "what an earlier process wrote is checked one by one"
    assert [m.born_host for m in decode_messages(b"".join(result.chunks))] == [HOST] * 10
