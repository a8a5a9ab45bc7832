import errno
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from rmq.server.store.api import Cut, LogGoneError, NoRecordError, StoreError
from rmq.server.store.checkpoint import decode_checkpoint
from rmq.wire.message import decode_messages
from rmq.wire.sysflag import TRANSACTION_ROLLBACK
from tests.kit.stores import FaultyEnv, SmallStore, Threads

FILE = 8 * 1024


def small(root: Path, **options: Any) -> SmallStore:
    return SmallStore(root, **{"mapped_file_size_commit_log": FILE, **options})


def result_of(deferred: Deferred[Any]) -> Any:
    results: list[Any] = []
    deferred.addBoth(results.append)
    assert len(results) == 1, "it is still waiting"
    return results[0]


def log_bytes(kit: SmallStore) -> bytes:
    files = sorted((kit.root / "commitlog").iterdir())
    return b"".join(path.read_bytes() for path in files)[: kit.store.log_max_offset - int(files[0].name)]


# --- the newest records


def test_the_newest_record(tmp_path: Path) -> None:
    kit = small(tmp_path)
    assert kit.store.newest_record(0) is None
    undispatched = kit.send("T", 0, b"first", sys_flag=TRANSACTION_ROLLBACK)
    found = kit.store.newest_record(0)
    assert found is not None
    assert (found[0], found[1]) == (0, kit.store.message_at(0))
    kit.fill(100, queues=3)
    last = kit.fill(1, "Other")[0]
    assert kit.store.newest_record(0) == (last.physical_offset, kit.store.message_at(last.physical_offset))
    behind = kit.send("T", 0, b"undone", sys_flag=TRANSACTION_ROLLBACK)
    assert behind.physical_offset > last.physical_offset > undispatched.physical_offset
    assert kit.store.newest_record(behind.physical_offset) == (
        behind.physical_offset,
        kit.store.message_at(behind.physical_offset),
    )
    assert kit.store.newest_record(behind.physical_offset + 1) is None


def test_the_newest_record_when_the_newest_file_has_none(tmp_path: Path) -> None:
    master, slave = small(tmp_path / "m"), small(tmp_path / "s", read_only=True)
    for number in range(100):
        master.send("T", 0, b"%d" % number, sys_flag=TRANSACTION_ROLLBACK)
    slave.store.replica.feed(0, master.store.transfer(0, FILE))
    assert slave.store.log_max_offset == FILE
    found = slave.store.newest_record(0)
    assert found is not None
    assert found[0] + len(found[1]) <= FILE - 8
    slave.reopen()
    assert slave.store.newest_record(0) == found


def test_boundaries(tmp_path: Path) -> None:
    kit = small(tmp_path)
    assert kit.store.boundary_before(1 << 60) is None
    results = kit.fill(100, queues=3)
    starts = [result.physical_offset for result in results]
    for place in range(0, kit.store.log_max_offset + 10, 61):
        assert kit.store.boundary_before(place) == max((start for start in starts if start < place), default=None)
    assert kit.store.boundary_before(1 << 60) == starts[-1]
    kit.close()
    (tmp_path / "commitlog" / "0".zfill(20)).unlink()
    kit.open()
    first = min(start for start in starts if start >= FILE)
    assert kit.store.boundary_before(first) is None
    assert kit.store.boundary_before(first + 1) == first


def test_boundaries_pass_over_blank_units(tmp_path: Path) -> None:
    kit = small(tmp_path)
    first = kit.fill(1, queues=1)[0]
    kit.store._queues.topics["T"].queues[0].fill_blank(20)
    last = kit.fill(1, queues=1)[0]
    assert kit.store.boundary_before(last.physical_offset) == first.physical_offset
    assert kit.store.boundary_before(last.physical_offset + 1) == last.physical_offset


def test_boundaries_of_records_that_have_no_unit(tmp_path: Path) -> None:
    kit = small(tmp_path)
    starts = [kit.fill(1, topic, first=number)[0].physical_offset for number in range(150) for topic in ("T", "Other")]
    for topic in ("T", "Other"):
        kit.store.destroy_topic(topic)
        for place in range(1, kit.store.log_max_offset + 10, 61):
            assert kit.store.boundary_before(place) == max(start for start in starts if start < place)
        assert kit.store.newest_record(0) == (starts[-1], kit.store.message_at(starts[-1]))
    result_of(kit.store.truncate(starts[100]))
    assert kit.store.boundary_before(1 << 60) == starts[99]


# --- taking back


def check(kit: SmallStore, count: int, whole: bytes) -> None:
    """That the first `count` messages are there, and nothing else."""
    kept = {queue: [(n // 2, n) for n in range(queue, count, 2)] for queue in range(2)}
    assert kit.numbers() == kept
    assert log_bytes(kit) == whole[: kit.store.log_max_offset]
    last = max(sum(kit.store.queue_units("T", n % 2, n // 2, 1)[0][:2]) for n in range(max(0, count - 2), count))
    assert kit.store.log_max_offset in {last, last - last % FILE + FILE}
    for number in range(0, 150, 7):
        records = kit.store.query_index("T", f"key{number}", 9, 0, 1 << 60).messages
        found = [int(message.body[:8]) for message in decode_messages(b"".join(records))]
        assert found == ([number] if number < count else [])


@pytest.mark.parametrize("count", [10, 31, 60, 61, 62, 63, 64, 65, 149])
@pytest.mark.parametrize("restart", ["none", "crash", "clean"])
def test_the_log_is_taken_back(tmp_path: Path, count: int, restart: str) -> None:
    kit = small(tmp_path)
    kit.store.start()
    results = kit.fill(150)
    kit.fill(3, "Later", queues=1)
    kit.clock.advance(30)
    whole, size = log_bytes(kit), kit.store.log_max_offset
    end = results[count].physical_offset
    cut = result_of(kit.store.truncate(end))
    path = str(tmp_path / "cut" / f"{end:020d}-{int(kit.clock.seconds() * 1000)}")
    assert cut == Cut(end, size - end, 153 - count, path)
    assert Path(path).read_bytes() == whole[end:]
    assert kit.store.log_max_offset == kit.store.flushed_offset == kit.store.replica.received == end
    extension = decode_checkpoint((tmp_path / "checkpoint").read_bytes()).extension
    assert extension is not None
    assert extension.safe_offset == end
    if restart != "none":
        kit.reopen(clean=restart == "clean")
        assert (kit.report.problems, kit.report.scanned_records) == ([], 0)
    check(kit, count, whole)
    assert sorted(kit.store.queues()) == [("T", 0), ("T", 1)]
    assert kit.store.max_offset("Later", 0) == 0
    again = kit.fill(40, first=count)
    assert again[0].physical_offset == end
    assert kit.fill(1, "Later")[0].queue_offset == 0
    kit.reopen()
    assert kit.report.problems == []
    assert kit.numbers() == {queue: [(n // 2, n) for n in range(queue, count + 40, 2)] for queue in range(2)}


def test_at_the_start_of_a_file(tmp_path: Path) -> None:
    kit = small(tmp_path)
    results = kit.fill(150)
    whole = log_bytes(kit)
    count = next(number for number, result in enumerate(results) if result.physical_offset == FILE)
    assert result_of(kit.store.truncate(FILE)).messages == 150 - count
    check(kit, count, whole)
    kit.reopen()
    check(kit, count, whole)
    assert kit.fill(1, first=count)[0].physical_offset == FILE
    assert result_of(kit.store.truncate(0)).messages == count + 1
    assert (kit.store.log_max_offset, kit.store.queues()) == (0, [])
    assert kit.fill(1)[0].physical_offset == 0


@pytest.mark.parametrize("left", range(8, 45))
def test_before_a_short_filler(tmp_path: Path, left: int) -> None:
    kit = small(tmp_path)
    length = kit.send("T", 0, b"").wrote_bytes
    kit.send("T", 0, bytes(FILE - 2 * length - left))
    end = kit.store.log_max_offset
    assert end == FILE - left
    kit.fill(3)
    cut = result_of(kit.store.truncate(end))
    assert (cut.offset, cut.messages) == (end, 3)
    assert kit.store.log_max_offset == end
    kit.reopen()
    assert kit.store.log_max_offset == end


def test_what_cannot_be_kept_is_not_cut_and_leaves_nothing(tmp_path: Path) -> None:
    class Full(FaultyEnv):
        def __init__(self) -> None:
            super().__init__()
            whole = self.copy

            def fail(path: str, stretches: Iterable[tuple[str, int, int]]) -> None:
                whole(path, [next(iter(stretches))])
                assert os.path.getsize(path) > 0
                raise OSError(errno.ENOSPC, "no space")

            self.copy = fail  # type: ignore[method-assign]

    kit = small(tmp_path, env=Full())
    results = kit.fill(100)
    whole = log_bytes(kit)
    assert isinstance(result_of(kit.store.truncate(results[20].physical_offset)).value, OSError)
    assert list((tmp_path / "cut").iterdir()) == []
    check(kit, 100, whole)


def test_what_is_cut_is_kept_once(tmp_path: Path) -> None:
    env = FaultyEnv()
    kit = small(tmp_path, env=env)
    results = kit.fill(100)
    whole = log_bytes(kit)
    end = results[20].physical_offset
    env.only_below = "consumequeue"
    for _ in range(3):
        env.fail = {"erase": (0, errno.EIO)}
        assert isinstance(result_of(kit.store.truncate(end)).value, OSError)
        kit.clock.advance(1)
    env.fail = {}
    cut = result_of(kit.store.truncate(end))
    assert [str(path) for path in (tmp_path / "cut").iterdir()] == [cut.path]
    assert Path(cut.path).read_bytes() == whole[end:]
    check(kit, 20, whole)
    kit.fill(1, first=20)
    again = result_of(kit.store.truncate(end))
    assert (again.messages, len(list((tmp_path / "cut").iterdir()))) == (1, 2)


def test_where_nothing_is_cut(tmp_path: Path) -> None:
    kit = small(tmp_path)
    results = kit.fill(150)
    end = kit.store.log_max_offset
    assert result_of(kit.store.truncate(end)) == Cut(end, 0, 0, "")
    assert result_of(kit.store.truncate(end + 5)) == Cut(end + 5, 0, 0, "")
    wrong = result_of(kit.store.truncate(results[7].physical_offset + 4)).value
    assert isinstance(wrong, NoRecordError)
    assert wrong.offset == results[7].physical_offset + 4
    kit.close()
    (tmp_path / "commitlog" / "0".zfill(20)).unlink()
    kit.open()
    gone = result_of(kit.store.truncate(results[7].physical_offset)).value
    assert isinstance(gone, LogGoneError)
    assert not (tmp_path / "cut").exists()


def test_a_slave_goes_on_with_another_log(tmp_path: Path) -> None:
    """The old master's tail goes, the new one's comes."""
    old = small(tmp_path / "s", read_only=True)
    new = small(tmp_path / "m")
    new.fill(70)
    data = new.store.transfer(0, FILE) + new.store.transfer(FILE, FILE)
    old.store.replica.feed(0, data)
    common = old.store.log_max_offset
    old.store._appender.refused = None
    old.fill(20, "Lost", first=500)
    old.store._appender.refused = old.store._closed_for
    new.fill(50, first=70)
    old.store.replica.feed(old.store.log_max_offset, b"\0")
    assert result_of(old.store.truncate(common)).messages == 20
    while piece := new.store.transfer(old.store.replica.received, 777):
        old.store.replica.feed(old.store.replica.received, piece)
    check(old, 120, log_bytes(new))
    assert old.store.queues() == new.store.queues()
    assert log_bytes(old) == log_bytes(new)


@pytest.mark.parametrize("what", ["truncate", "start over"])
@pytest.mark.parametrize("restart", ["crash", "clean", "again"])
def test_a_failure_after_any_step_leaves_the_old_or_the_new(tmp_path: Path, what: str, restart: str) -> None:
    granted = 0
    while True:
        env = FaultyEnv()
        kit = small(tmp_path / str(granted), env=env)
        kit.store.start()
        results = kit.fill(100)
        kit.clock.advance(30)
        kit.fill(50, first=100)
        whole = log_bytes(kit)
        end = results[31].physical_offset
        calls = len(env.calls)

        def act(kit: SmallStore = kit, end: int = end) -> Any:
            if what == "truncate":
                return result_of(kit.store.truncate(end))
            return result_of(kit.store.start_over(4 * FILE))

        env.fail_from = calls + granted
        outcome = act()
        worked = not hasattr(outcome, "value")
        env.fail_from = None
        if not worked:
            assert isinstance(outcome.value, OSError)
        if kit.store._rounds.halted:
            with pytest.raises(StoreError, match="could not be cut"):
                kit.store.replica.feed(kit.store.replica.received, b"")
            assert kit.store._indexer.behind <= kit.store.log_max_offset
            kit.store._indexer.catch_up_for_query()
        if restart == "again":
            assert not hasattr(act(), "value")
        else:
            if restart == "clean":
                kit.close()
                # Otherwise a start would take it for a clean stop.
                assert (kit.root / "abort").exists() == kit.store._rounds.halted
            kit.crash()
            kit.open()
        if what == "truncate":
            count = sum(len(found) for found in kit.numbers().values())
            assert worked <= (count == 31)
            check(kit, count, whole)
        elif worked or restart == "again":
            assert (kit.store.log_min_offset, kit.store.log_max_offset, kit.store.queues()) == (4 * FILE, 4 * FILE, [])
        else:
            count = sum(len(found) for found in kit.numbers().values())
            if count:
                check(kit, count, whole)
            else:
                assert kit.store.queues() == []
        if worked:
            assert granted > 5
            break
        granted += 1


def test_rounds_and_flushes_are_waited_for(tmp_path: Path) -> None:
    threads = Threads()
    kit = small(tmp_path, threads=threads)
    kit.store.start()
    results = kit.fill(100)
    size = kit.store.log_max_offset
    kit.clock.advance(1.1)
    assert len(threads.waiting) == 2, "a flush and a round"
    done: list[Cut] = []
    kit.store.truncate(results[20].physical_offset).addCallback(done.append)
    end = results[20].physical_offset
    while not done:
        rounds, flusher, halted = kit.store._rounds, kit.store._flusher, kit.store._rounds.halted
        assert kit.store.log_max_offset == (end if halted else size)
        assert not halted or (rounds.running is None and kit.store.flushed_offset <= end)
        assert halted or rounds.running or flusher.running or len(threads.waiting) == 1
        assert threads.run() > 0
    assert threads.waiting == []
    assert kit.store.flushed_offset == end
    assert done[0].messages == 80
    kit.reopen()
    assert (kit.report.problems, kit.report.scanned_records) == ([], 0)
    assert len(kit.read("T", 0)) == 10


# --- starting over


def test_a_store_starts_over(tmp_path: Path) -> None:
    master, slave = small(tmp_path / "m"), small(tmp_path / "s", read_only=True)
    master.fill(150)
    slave.store.replica.feed(0, master.store.transfer(0, FILE))
    slave.store.replica.feed(FILE, master.store.transfer(FILE, 1000))
    assert result_of(slave.store.start_over(2 * FILE)) is None
    assert (slave.store.log_min_offset, slave.store.log_max_offset, slave.store.queues()) == (2 * FILE, 2 * FILE, [])
    assert not (slave.root / "cut").exists()
    slave.reopen()
    assert (slave.report.problems, slave.store.replica.received) == ([], 2 * FILE)
    while piece := master.store.transfer(slave.store.replica.received, 500):
        slave.store.replica.feed(slave.store.replica.received, piece)
    assert log_bytes(slave) == log_bytes(master)[2 * FILE :]
    first = slave.store.min_offset("T", 0)
    assert slave.numbers()[0] == master.numbers()[0][first:]
    assert slave.store.query_index("T", "key149", 9, 0, 1 << 60).messages != []
    assert slave.store.query_index("T", "key1", 9, 0, 1 << 60).messages == []


def test_an_empty_store_starts_over(tmp_path: Path) -> None:
    kit = small(tmp_path, read_only=True)
    assert result_of(kit.store.start_over(0)) is None
    assert kit.store.replica.received == 0
    assert not (tmp_path / "cut").exists()
    assert isinstance(result_of(kit.store.start_over(5)).value, StoreError)
    assert result_of(kit.store.start_over(FILE)) is None
    assert kit.store.replica.received == FILE


# --- while others go on


def test_files_are_copied_erased_and_removed_in_a_thread(tmp_path: Path) -> None:
    threads = Threads()
    kit = small(tmp_path, threads=threads, env=FaultyEnv())
    results = kit.fill(300)
    whole, count = log_bytes(kit), 31
    end = results[count].physical_offset
    env = kit.env
    assert isinstance(env, FaultyEnv)
    env.calls.clear()
    done: list[Cut] = []
    kit.store.truncate(end).addCallback(done.append)
    steps = []
    while not done:
        assert not {"copy", "erase", "remove"} & {name for name, path in env.calls if "consumequeue" not in path}
        assert threads.run() == 1
        steps += [
            name for name, path in env.calls if name in {"copy", "erase", "remove"} and "consumequeue" not in path
        ]
        env.calls.clear()
        # Clients read meanwhile: what was there, or what is left.
        assert len(kit.read("T", 0)) == (16 if done or kit.store._rounds.halted else 150)
    files = len(whole) // FILE + 1
    assert steps == ["copy", *["remove"] * (files - 1), "erase"]
    assert Path(done[0].path).read_bytes() == whole[end:]
    begun: list[object] = []
    kit.store.start_over(4 * FILE).addCallback(begun.append)
    assert begun == []
    assert threads.run() == 1
    assert (begun, kit.store.log_max_offset) == ([None], 4 * FILE)


def test_a_walk_over_the_log_gives_others_their_turn(tmp_path: Path) -> None:
    kit = small(tmp_path)
    results = kit.fill(300)
    seconds, later = kit.clock.seconds, kit.clock.callLater
    looks, turns = 0, []

    def passing() -> float:
        nonlocal looks
        looks += 1
        return seconds() + looks * 0.001

    def call_later(delay: float, call: Any, *args: Any) -> Any:
        turns.append((delay, kit.store.log_max_offset > results[299].physical_offset))
        return later(delay, call, *args)

    kit.clock.seconds, kit.clock.callLater = passing, call_later  # type: ignore[method-assign]
    done: list[Cut] = []
    kit.store.truncate(results[50].physical_offset).addCallback(done.append)
    assert not done
    while not done:
        kit.clock.advance(0)
    assert done[0].messages == 250
    assert 40 < len(turns) < 70
    assert set(turns) == {(0, True)}
    check(kit, 50, log_bytes(kit))
