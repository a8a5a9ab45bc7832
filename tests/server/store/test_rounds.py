import errno
import os
import signal
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from rmq.server.store.checkpoint import NOTE_AT, Checkpoint, decode_checkpoint
from rmq.wire.layouts import INDEX_SLOT
from tests.kit.disks import ForgetfulDisk
from tests.kit.stores import FaultyEnv, SmallStore, Threads

REPOSITORY = Path(__file__).parents[3]
OTHER_BOOT = b"another boot    "


def page_of(kit: SmallStore) -> Checkpoint:
    return decode_checkpoint((kit.root / "checkpoint").read_bytes())


def durable(kit: SmallStore) -> int:
    """How far the page says that everything is on the disk."""
    extension = page_of(kit).extension
    assert extension is not None
    return extension.safe_offset


def noted(kit: SmallStore) -> int | None:
    """How far the page says that everything is written."""
    note = page_of(kit).note
    return note.state.safe_offset if note is not None else None


def rare(root: Path, **options: Any) -> tuple[SmallStore, FaultyEnv]:
    """A store as brokers have it: notes each second, rounds each ten."""
    env = FaultyEnv()
    kit = SmallStore(root, env=env, **{"sync_interval": 10.0, **options})
    kit.store.start()
    env.calls.clear()
    return kit, env


def synced(env: FaultyEnv, part: str) -> int:
    return sum(name == "sync_file" and part in path for name, path in env.calls)


def expected(count: int, queues: int = 2) -> dict[int, list[tuple[int, int]]]:
    return {queue: [(n // queues, n) for n in range(queue, count, queues)] for queue in range(queues)}


def found_by_key(kit: SmallStore, number: int) -> int:
    return len(kit.store.query_index("T", f"key{number}", 32, 0, 1 << 60).messages)


# --- rounds


def test_rounds_write_the_checkpoint_only_when_something_moved(tmp_path: Path) -> None:
    env = FaultyEnv()
    kit = SmallStore(tmp_path, env=env)
    kit.store.start()
    result = kit.fill(10)[-1]
    kit.clock.advance(3)
    page = page_of(kit)
    assert page.physic_msg_timestamp == page.logics_msg_timestamp == result.store_timestamp
    assert durable(kit) == page.confirm_physical_offset == kit.store.log_max_offset
    kit.clock.advance(1)
    env.calls.clear()
    kit.clock.pump([1] * 7)
    assert [name for name, path in env.calls if name in {"write_file", "patch_file"}] == []
    kit.store.destroy_topic("T")
    kit.clock.advance(0)
    assert [name for name, path in env.calls if name in {"write_file", "patch_file"}] == ["patch_file", "write_file"]


def test_what_comes_during_a_round_is_left_to_the_next(tmp_path: Path) -> None:
    threads, env = Threads(), FaultyEnv()
    kit = SmallStore(tmp_path, threads=threads, env=env)
    kit.store.start()
    kit.fill(10)
    safe = kit.store.log_max_offset
    kit.clock.advance(3)
    kit.fill(200, first=10)
    while threads.run():
        pass
    assert (durable(kit), noted(kit)) == (safe, kit.store.log_max_offset)
    env.boot = OTHER_BOOT
    kit.reopen()
    assert (kit.report.problems, kit.report.scan_start, kit.report.scanned_records) == ([], safe, 200)


def test_a_topic_destroyed_during_a_round_is_no_failure(tmp_path: Path) -> None:
    threads, env = Threads(), FaultyEnv()
    kit = SmallStore(tmp_path, threads=threads, env=env)
    kit.store.start()
    kit.fill(10)
    kit.fill(10, "Gone")
    kit.clock.advance(3)
    kit.store.destroy_topic("Gone")
    while threads.run():
        kit.clock.advance(0)
    assert durable(kit) == kit.store.log_max_offset
    env.boot = OTHER_BOOT
    kit.reopen()
    assert (kit.report.problems, kit.report.scanned_records) == ([], 0)
    assert kit.store.queues() == [("T", 0), ("T", 1)]


def test_rounds_are_rare_and_notes_are_not(tmp_path: Path) -> None:
    kit, env = rare(tmp_path)
    for second in range(1, 31):
        kit.fill(10, first=10 * (second - 1))
        kit.clock.advance(1)
        assert noted(kit) == kit.store.log_max_offset
    assert synced(env, "consumequeue/T/0/") == 3
    assert [name for name, path in env.calls if path.endswith("checkpoint")].count("write_file") == 3
    assert kit.store.flushed_offset == kit.store.log_max_offset, "the log does not wait for rounds"


def test_a_round_begins_at_once_after_a_quiet_time(tmp_path: Path) -> None:
    kit, _ = rare(tmp_path)
    kit.clock.pump([1] * 20)
    kit.fill(10)
    kit.clock.advance(1)
    assert durable(kit) == kit.store.log_max_offset


def test_when_files_go_the_page_says_so_at_once(tmp_path: Path) -> None:
    kit, env = rare(tmp_path)
    kit.fill(100)
    kit.fill(100, "Gone")
    kit.clock.advance(1)
    assert durable(kit) == 0
    kit.store.destroy_topic("Gone")
    kit.clock.advance(0)
    assert durable(kit) == noted(kit) == kit.store.log_max_offset
    for boot in (env.boot, OTHER_BOOT):
        env.boot = boot
        kit.reopen()
        assert (kit.report.problems, kit.report.scanned_records) == ([], 0)


def test_a_flood_of_changes_does_not_make_rounds_follow_each_other(tmp_path: Path) -> None:
    kit, env = rare(tmp_path)
    for number in range(40):
        kit.fill(1, f"Gone{number}")
    for number in range(40):
        kit.store.destroy_topic(f"Gone{number}")
        kit.clock.advance(0.1)
    pages = [name for name, path in env.calls if path.endswith("checkpoint")]
    assert (pages.count("patch_file"), pages.count("write_file")) == (40, 4)
    kit.clock.pump([0.1] * 15)
    assert durable(kit) == kit.store.log_max_offset
    env.boot = OTHER_BOOT
    kit.reopen()
    assert kit.report.problems == []


# --- notes


def test_after_a_kill_the_log_is_read_from_where_it_was_noted(tmp_path: Path) -> None:
    kit, env = rare(tmp_path)
    kit.fill(300)
    kit.clock.advance(1)
    where = noted(kit)
    assert where == kit.store.log_max_offset
    kit.fill(50, first=300)
    env.calls.clear()
    kit.reopen()
    assert (kit.report.clean, kit.report.scan_start, kit.report.scanned_records) == (False, where, 50)
    assert (kit.report.problems, kit.report.truncated_at) == ([], None)
    assert synced(env, "") == 0, "a start does not wait for the disk"
    assert (durable(kit), noted(kit)) == (0, kit.store.log_max_offset)
    assert kit.numbers() == expected(350)
    assert [found_by_key(kit, number) for number in range(350)] == [1] * 350


def test_what_the_note_told_of_is_not_taken_to_be_on_the_disk(tmp_path: Path) -> None:
    kit, env = rare(tmp_path)
    kit.fill(100)
    kit.clock.pump([1] * 10)
    on_disk = durable(kit)
    assert on_disk == kit.store.log_max_offset
    kit.fill(400, first=100)
    kit.clock.advance(1)
    kit.reopen()
    assert kit.store.flushed_offset == on_disk
    env.calls.clear()
    kit.store.start()
    kit.clock.advance(0)
    paths = {path.removeprefix(f"{tmp_path}/") for name, path in env.calls if name == "sync_file"}
    log = {f"commitlog/{start:020d}" for start in range(0, kit.store.log_max_offset, 65536)}
    queues = {f"consumequeue/T/{queue}/{start:020d}" for queue in range(2) for start in range(1000, 5000, 1000)}
    index = {f"index/{path.name}" for path in (tmp_path / "index").iterdir()}
    assert paths >= log | queues
    assert len(paths & index) >= len(index) - 4, "the first hundred messages take three files"
    listed = {path.removeprefix(f"{tmp_path}/") for name, path in env.calls if name == "sync_directory"}
    assert listed == {"commitlog", "consumequeue/T/0", "consumequeue/T/1", "index"}
    assert durable(kit) == kit.store.log_max_offset


def test_another_boot_goes_by_the_disk(tmp_path: Path) -> None:
    kit, env = rare(tmp_path)
    kit.fill(100)
    kit.clock.pump([1] * 10)
    on_disk = durable(kit)
    kit.fill(100, first=100)
    kit.clock.advance(1)
    where = noted(kit)
    assert where is not None
    assert where > on_disk
    env.boot = OTHER_BOOT
    kit.reopen()
    assert (kit.report.scan_start, kit.report.scanned_records, kit.report.problems) == (on_disk, 100, [])
    assert durable(kit) == kit.store.log_max_offset
    assert kit.numbers() == expected(200)


def test_where_boots_have_no_id_nothing_is_noted(tmp_path: Path) -> None:
    env = FaultyEnv()
    env.boot = b""
    kit = SmallStore(tmp_path, env=env, sync_interval=10.0)
    kit.store.start()
    kit.fill(100)
    kit.clock.pump([1] * 9)
    assert (noted(kit), [name for name, _ in env.calls if name == "patch_file"]) == (None, [])
    kit.reopen()
    assert (kit.report.scan_start, kit.report.problems) == (0, [])
    assert kit.numbers() == expected(100)


@pytest.mark.parametrize("torn", range(NOTE_AT, NOTE_AT + 108, 9))
def test_a_torn_note_leaves_the_extension(tmp_path: Path, torn: int) -> None:
    kit, _ = rare(tmp_path)
    kit.fill(10)
    kit.clock.pump([1] * 10)
    on_disk, old = durable(kit), (tmp_path / "checkpoint").read_bytes()
    kit.fill(10, first=10)
    kit.clock.advance(1)
    new = (tmp_path / "checkpoint").read_bytes()
    assert old[:NOTE_AT] == new[:NOTE_AT]
    (tmp_path / "checkpoint").write_bytes(new[:torn] + old[torn:])
    kit.reopen()
    assert kit.report.scan_start in ({on_disk} if torn > NOTE_AT + 72 else {on_disk, noted(kit)})
    assert kit.numbers() == expected(20)


def test_numbers_of_apache_void_both(tmp_path: Path) -> None:
    kit, _ = rare(tmp_path)
    kit.fill(100)
    kit.clock.advance(1)
    assert noted(kit) == kit.store.log_max_offset
    page = (tmp_path / "checkpoint").read_bytes()
    changed = decode_checkpoint(struct.pack(">q", 77) + page[8:])
    assert (changed.extension, changed.note) == (None, None)


def test_a_page_without_a_note_opens_as_before(tmp_path: Path) -> None:
    kit, _ = rare(tmp_path)
    kit.fill(100)
    kit.clock.pump([1] * 10)
    on_disk = durable(kit)
    kit.fill(10, first=100)
    kit.crash()
    page = (tmp_path / "checkpoint").read_bytes()
    (tmp_path / "checkpoint").write_bytes(page[:NOTE_AT].ljust(4096, b"\0"))
    kit.open()
    assert (kit.report.scan_start, kit.report.scanned_records, kit.report.problems) == (on_disk, 10, [])


@pytest.mark.parametrize("gone", ["queue", "newest message"])
def test_a_note_that_does_not_fit_the_files_counts_for_nothing(tmp_path: Path, gone: str) -> None:
    kit, _ = rare(tmp_path)
    kit.fill(100)
    kit.clock.pump([1] * 10)
    on_disk = durable(kit)
    kit.fill(10, "New", queues=1)
    last = kit.fill(1, first=100)[0]
    kit.clock.advance(1)
    kit.crash()
    if gone == "queue":
        (tmp_path / "consumequeue" / "New" / "0" / "0".zfill(20)).unlink()
    else:
        log = tmp_path / "commitlog" / "0".zfill(20)
        content = log.read_bytes()
        log.write_bytes(content[: last.physical_offset].ljust(len(content), b"\0"))
    kit.open()
    assert kit.report.scan_start == on_disk
    assert kit.numbers("New", 1) == expected(10, 1)
    assert kit.numbers() == expected(101 if gone == "queue" else 100)


# --- failures


@pytest.mark.parametrize("what", ["consumequeue", "commitlog"])
def test_when_the_disk_refuses_nothing_is_noted_until_a_round_has_worked(tmp_path: Path, what: str) -> None:
    kit, env = rare(tmp_path)
    kit.fill(100)
    kit.clock.advance(1)
    assert noted(kit) == kit.store.log_max_offset
    env.fail["sync_file"], env.only_below = (0, errno.EIO), what
    kit.fill(100, first=100)
    kit.clock.pump([0.5] * 20)
    assert (durable(kit), noted(kit)) == (0, None)
    kit.fill(10, first=200)
    env.fail.clear()
    kit.clock.pump([0.5] * 3)
    assert durable(kit) == noted(kit) == kit.store.log_max_offset
    env.calls.clear()
    kit.clock.pump([1] * 9)
    assert synced(env, "consumequeue") == 0, "and rounds are rare again"


def test_a_refusal_during_a_round_makes_it_fail(tmp_path: Path) -> None:
    threads, env = Threads(), FaultyEnv()
    kit = SmallStore(tmp_path, env=env, threads=threads, sync_interval=10.0)
    kit.store.start()
    kit.fill(10)
    kit.clock.pump([1] * 10)
    assert len(threads.waiting) == 2, "a flush and a round"
    (flush, flushed), (round_, done) = threads.waiting
    threads.waiting = []
    round_()
    env.fail["sync_file"] = (0, errno.EIO)
    with pytest.raises(OSError, match="EIO") as refusal:
        flush()
    flushed.errback(refusal.value)
    done.callback(None)
    env.fail.clear()
    assert (durable(kit), noted(kit), kit.store.flushed_offset) == (0, None, 0)
    kit.clock.pump([0.5] * 3)
    while threads.run():
        pass
    assert durable(kit) == noted(kit) == kit.store.log_max_offset == kit.store.flushed_offset


def test_a_page_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    kit, env = rare(tmp_path)
    env.fail["write_file"] = (0, errno.EIO)
    kit.fill(10)
    kit.clock.pump([1] * 10)
    assert (durable(kit), noted(kit)) == (0, None)
    env.fail.clear()
    kit.clock.pump([1] * 2)
    assert durable(kit) == noted(kit) == kit.store.log_max_offset


def test_a_note_that_cannot_be_written_is_no_failure(tmp_path: Path) -> None:
    kit, env = rare(tmp_path)
    env.fail["patch_file"] = (0, errno.EIO)
    kit.fill(10)
    kit.clock.advance(1)
    assert noted(kit) == 0
    kit.clock.pump([1] * 9)
    assert durable(kit) == kit.store.log_max_offset


def test_halting_voids_both(tmp_path: Path) -> None:
    kit, env = rare(tmp_path)
    kit.fill(10)
    kit.clock.advance(1)
    env.calls.clear()
    kit.store._rounds.halt()
    page = page_of(kit)
    assert (page.extension, page.note) == (None, None)
    assert [name for name, path in env.calls if path.endswith("checkpoint")] == ["write_file"]
    kit.fill(10, first=10)
    kit.clock.pump([1] * 20)
    assert page_of(kit).note is None
    kit.store._rounds.resume()
    assert durable(kit) == noted(kit) == kit.store.log_max_offset


# --- killed processes and power cuts

_VICTIM = """
import os, signal, sys
from pathlib import Path
from tests.kit.stores import FaultyEnv, SmallStore
kit = SmallStore(Path(sys.argv[1]), env=FaultyEnv(), sync_interval=10.0)
kit.store.start()
kit.fill(200)
kit.clock.pump([1] * 10)
on_disk = kit.store.log_max_offset
kit.fill(300, first=200)
kit.clock.advance(1)
noted = kit.store.log_max_offset
kit.fill(20, first=500)
print(on_disk, noted, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("same_boot", [True, False])
def test_a_killed_process(tmp_path: Path, same_boot: bool) -> None:
    words = [sys.executable, "-c", _VICTIM, str(tmp_path)]
    victim = subprocess.run(words, capture_output=True, text=True, check=False, cwd=REPOSITORY)
    assert victim.returncode == -signal.SIGKILL, victim.stderr
    on_disk, where = map(int, victim.stdout.split())
    env = FaultyEnv()
    if not same_boot:
        env.boot = OTHER_BOOT
    kit = SmallStore(tmp_path, env=env, sync_interval=10.0)
    read = (where, 20) if same_boot else (on_disk, 320)
    assert (kit.report.scan_start, kit.report.scanned_records, kit.report.problems) == (*read, [])
    assert kit.numbers() == expected(520)
    assert [found_by_key(kit, number) for number in range(0, 520, 7)] == [1] * 75
    assert kit.fill(1, first=520)[0].queue_offset == 260
    kit.crash()


class History:
    """Messages of a few topics, one queue each, and where in the log each ends."""

    def __init__(self, kit: SmallStore) -> None:
        self._kit = kit
        self._sent: dict[tuple[str, int], tuple[bytes, int]] = {}
        self._count = 0

    def send(self, topic: str) -> None:
        self._count += 1
        body = b"%d" % self._count
        result = self._kit.send(topic, 0, body.ljust(100, b"."), keys=f"k{self._count}")
        self._sent[topic, result.queue_offset] = body, result.physical_offset + result.wrote_bytes

    def check(self, on_disk: int) -> None:
        """That nothing is lost of what ends before a place of the log; forgets what else is lost."""
        kit = self._kit
        found = {
            (topic, message.queue_offset): message.body.rstrip(b".")
            for topic, _ in kit.store.queues()
            for message in kit.read(topic, 0)
        }
        lost = self._sent.keys() - found.keys()
        assert {place for place in lost if self._sent[place][1] <= on_disk} == set()
        for place in lost:
            del self._sent[place]
        assert found == {place: body for place, (body, _) in self._sent.items()}
        by_key = {
            (topic, offset): len(kit.store.query_index(topic, f"k{body.decode()}", 9, 0, 1 << 60).messages)
            for (topic, offset), body in found.items()
        }
        assert by_key == dict.fromkeys(found, 1)


@pytest.mark.parametrize("seed", range(int(os.environ.get("RMQ_POWER_CUTS", "12"))))
def test_power_cuts(tmp_path: Path, seed: int) -> None:
    """Any mixture of kills and power cuts keeps what was on the disk, each message once and at its place."""
    disk = ForgetfulDisk(tmp_path, seed)
    kit = SmallStore(tmp_path, env=disk, mapped_file_size_commit_log=8192, log_reserve_bytes=2048, sync_interval=10.0)
    kit.store.start()
    chance, history = disk.chance, History(kit)
    for _ in range(6):
        for _ in range(chance.randrange(8)):
            for _ in range(chance.randrange(40)):
                kit.clock.advance(0.001)
                history.send(f"T{chance.randrange(3)}")
            kit.clock.advance(chance.choice([0.1, 0.5, 1.0, 3.0]))
        on_disk, safe, end = kit.store.flushed_offset, durable(kit), kit.store.log_max_offset
        how = chance.choice(["kill", "power", "power", "stop"])
        if how == "stop":
            kit.close()
        else:
            kit.crash()
        if how == "power":
            disk.cut_power()
        kit.open()
        history.check(on_disk if how == "power" else end)
        assert kit.report.scan_start >= safe, kit.report.problems
        kit.store.start()
        kit.clock.advance(chance.choice([0.0, 0.1, 1.0, 11.0]))
    kit.close()


def test_an_index_file_that_lacks_entries_is_built_again(tmp_path: Path) -> None:
    kit, env = rare(tmp_path)
    kit.fill(40)
    kit.clock.pump([1] * 10)
    kit.crash()
    newest = max((tmp_path / "index").iterdir())
    with newest.open("r+b") as file:
        file.seek(40)
        file.write(INDEX_SLOT.pack(90))
    env.boot = OTHER_BOOT
    kit.open()
    assert kit.report.problems == ["the newest file of the index is not whole; it is built again"]
    assert [found_by_key(kit, number) for number in range(40)] == [1] * 40


def test_a_digest_costs_little_and_says_the_same(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path)
    kit.fill(10)
    queue = kit.store._queues.topics["T"].queues[1]
    assert queue.digest(5) == queue.digest(5) == crc32(b"T\n1\n0\n5")
    queue.segments.files[0].start = 1000
    assert queue.digest(60) == crc32(b"T\n1\n1000\n60")
