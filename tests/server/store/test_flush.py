import errno
from pathlib import Path

from rmq.server.store.api import PutStatus
from tests.kit.stores import FaultyEnv, SmallStore, Threads


def waits(kit: SmallStore, count: int, first: int = 0) -> list[PutStatus | None]:
    """Sends and waits; the list fills as answers come."""
    answers: list[PutStatus | None] = []
    for number in range(count):
        result = kit.send("T", (first + number) % 2, b"%08d" % (first + number))
        waiter = kit.store.when_durable(result)
        assert waiter is not None
        place = len(answers)
        answers.append(None)
        waiter.addCallback(lambda status, place=place: answers.__setitem__(place, status))
    return answers


def sync_store(tmp_path: Path) -> tuple[SmallStore, Threads, FaultyEnv]:
    threads, env = Threads(), FaultyEnv()
    kit = SmallStore(tmp_path, env=env, threads=threads, sync_flush=True)
    kit.store.start()
    env.calls.clear()
    return kit, threads, env


def syncs(env: FaultyEnv) -> int:
    return sum(name == "sync_file" and "commitlog" in path for name, path in env.calls)


def test_one_fdatasync_serves_all_who_wait(tmp_path: Path) -> None:
    kit, threads, env = sync_store(tmp_path)
    first = waits(kit, 5)
    assert threads.waiting == [], "not before the reactor's next turn"
    kit.clock.advance(0)
    assert len(threads.waiting) == 1
    second = waits(kit, 3, first=5)
    kit.clock.advance(0)
    assert len(threads.waiting) == 1, "one at a time"
    assert first == [None] * 5
    threads.run()
    assert first == [PutStatus.PUT_OK] * 5
    assert second == [None] * 3
    threads.run()
    assert second == [PutStatus.PUT_OK] * 3
    assert syncs(env) == 2
    assert kit.store.flushed_offset == kit.store.log_max_offset


def test_nothing_to_wait_for(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path / "async")
    assert kit.store.when_durable(kit.fill(1)[0]) is None
    kit, threads, _ = sync_store(tmp_path / "sync")
    result = kit.fill(1)[0]
    waiter = kit.store.when_durable(result)
    kit.clock.advance(0)
    threads.run()
    assert waiter is not None
    assert waiter.called
    assert kit.store.when_durable(result) is None, "it is on the disk already"


def test_who_waits_too_long_is_told_and_the_message_stays(tmp_path: Path) -> None:
    kit, threads, _ = sync_store(tmp_path)
    answers = waits(kit, 2)
    kit.clock.advance(4)
    later = waits(kit, 1, first=2)
    kit.clock.advance(1)
    assert (answers, later) == ([PutStatus.FLUSH_DISK_TIMEOUT] * 2, [None])
    while threads.run():
        pass
    assert later == [PutStatus.PUT_OK]
    assert kit.numbers() == {0: [(0, 0), (1, 2)], 1: [(0, 1)]}


def test_a_failed_fdatasync_is_tried_again_on_pages_made_dirty_again(tmp_path: Path) -> None:
    kit, threads, env = sync_store(tmp_path)
    env.fail["sync_file"] = (0, errno.EIO)
    answers = waits(kit, 2)
    kit.clock.advance(0)
    threads.run()
    assert answers == [None, None]
    assert kit.store.flushed_offset == 0
    env.fail.clear()
    kit.clock.advance(0.5)
    threads.run()
    assert answers == [PutStatus.PUT_OK] * 2


def test_a_round_serves_waiters_too(tmp_path: Path) -> None:
    kit, threads, _ = sync_store(tmp_path)
    answers = waits(kit, 1)
    kit.store._rounds.run_now()
    kit.clock.advance(0)
    assert threads.waiting == []
    assert answers == [PutStatus.PUT_OK]


def test_async_flush_when_enough_gathered_or_after_a_while(tmp_path: Path) -> None:
    env = FaultyEnv()
    kit = SmallStore(tmp_path, env=env, checkpoint_interval=1000.0)
    kit.store.start()
    kit.fill(1)
    kit.clock.advance(0.5)
    assert kit.store.flushed_offset == 0, "less than four pages"
    kit.fill(100, first=1)
    kit.clock.advance(0.5)
    assert kit.store.flushed_offset == kit.store.log_max_offset > 4 * 4096
    kit.fill(1, first=101)
    kit.clock.pump([0.5] * 18)
    assert kit.store.flushed_offset < kit.store.log_max_offset
    kit.clock.pump([0.5] * 3)
    assert kit.store.flushed_offset == kit.store.log_max_offset


def test_closing_waits_for_a_round_and_answers_waiters(tmp_path: Path) -> None:
    kit, threads, _ = sync_store(tmp_path)
    kit.fill(10)
    kit.clock.advance(3)
    answers = waits(kit, 1, first=10)
    closed: list[object] = []
    kit.store.close().addCallback(closed.append)
    assert closed == []
    while threads.run():
        pass
    assert closed == [None]
    assert answers in ([PutStatus.PUT_OK], [PutStatus.FLUSH_DISK_TIMEOUT])
    assert not (tmp_path / "abort").exists()
    assert kit.clock.getDelayedCalls() == []
    kit.open()
    assert (kit.report.clean, kit.report.scanned_records) == (True, 0)


def test_with_sync_flush_what_nobody_waits_for_goes_to_the_disk_too(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path, sync_flush=True, checkpoint_interval=2.0, sync_interval=1000.0)
    kit.store.start()
    kit.fill(1)
    kit.clock.pump([0.5] * 3)
    assert kit.store.flushed_offset == 0
    kit.clock.advance(0.5)
    assert kit.store.flushed_offset == kit.store.log_max_offset
