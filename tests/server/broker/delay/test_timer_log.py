"""The timer log: units in files, chained; what is found of it after any end."""

import errno
from pathlib import Path

import pytest

from rmq.server.broker.delay.timer_log import UNIT_SIZE, TimerLog
from rmq.server.store.api import StoreError
from rmq.server.store.env import Env
from rmq.wire.layouts import TIMER_BLANK
from tests.kit.stores import FaultyEnv

FILE = 4096
IN_FILE = (FILE - 16) // UNIT_SIZE


def opened(path: Path, env: Env | None = None) -> TimerLog:
    log = TimerLog(env or Env(), str(path / "timerlog"), FILE)
    log.load()
    return log


def fill(log: TimerLog, count: int, first: int = 0) -> list[int]:
    return [log.append(-1, 1, 1_000_000, 5000, 1000 + number, 77, 42) for number in range(first, first + count)]


def again(path: Path, since: int = 0) -> tuple[TimerLog, list[int]]:
    log = opened(path)
    found = [unit.physical - 1000 for _, unit in log.scan(since)]
    log.settle(log.end)
    return log, found


def test_a_unit_is_what_was_appended(tmp_path: Path) -> None:
    log = opened(tmp_path)
    assert (log.empty, log.end, log.last(), list(log.scan(0))) == (True, 0, None, [])
    assert log.append(-1, 1, 1_000_000, 5000, 12345, 77, -42) == 0
    assert log.append(0, 5, 1_000_000, -5, 2**40, 78, 42) == 52
    assert (log.empty, log.end) == (False, 104)
    first, second = log.read(0), log.read(52)
    assert first is not None
    assert tuple(first) == (52, -1, 1, 1_000_000, 5000, 12345, 77, -42, 0)
    assert second == log.last()
    assert second is not None
    assert (tuple(second), second.due) == ((52, 0, 5, 1_000_000, -5, 2**40, 78, 42, 0), 999_995)
    assert (log.read(104), log.read(10**9)) == (None, None)
    assert (tmp_path / "timerlog" / ("0" * 20)).stat().st_size == FILE


def test_files_end_with_a_filler(tmp_path: Path) -> None:
    log = opened(tmp_path)
    positions = fill(log, 2 * IN_FILE + 1)
    assert positions == [
        FILE * (number // IN_FILE) + UNIT_SIZE * (number % IN_FILE) for number in range(2 * IN_FILE + 1)
    ]
    first = (tmp_path / "timerlog" / ("0" * 20)).read_bytes()
    assert TIMER_BLANK.unpack_from(first, IN_FILE * UNIT_SIZE) == (FILE - IN_FILE * UNIT_SIZE, 0, -875286124)
    assert again(tmp_path)[1] == list(range(2 * IN_FILE + 1))


@pytest.mark.parametrize("count", [0, 1, IN_FILE - 1, IN_FILE, IN_FILE + 1, 2 * IN_FILE])
def test_the_end_is_found_and_gone_on_from(tmp_path: Path, count: int) -> None:
    fill(opened(tmp_path), count)
    log, found = again(tmp_path)
    assert found == list(range(count))
    fill(log, 3, count)
    assert again(tmp_path)[1] == list(range(count + 3))


@pytest.mark.parametrize(
    ("since", "first"),
    [
        (UNIT_SIZE * 3, 3),
        (UNIT_SIZE * 3 + 1, 0),
        (FILE, IN_FILE),
        (FILE + UNIT_SIZE, IN_FILE + 1),
        (FILE + UNIT_SIZE * 20, IN_FILE),
        (FILE * 9, IN_FILE),
        (-5, 0),
        # Apache's position after a filler, and one in it.
        (FILE - 8, 0),
    ],
)
def test_reading_from_a_position(tmp_path: Path, since: int, first: int) -> None:
    fill(opened(tmp_path), IN_FILE + 4)
    assert again(tmp_path, since)[1] == list(range(first, IN_FILE + 4))


def test_what_stands_behind_a_broken_unit_is_dropped(tmp_path: Path) -> None:
    log = opened(tmp_path)
    fill(log, IN_FILE + 4)
    path = tmp_path / "timerlog" / ("0" * 20)
    data = bytearray(path.read_bytes())
    data[UNIT_SIZE * 5 + 12 : UNIT_SIZE * 5 + 16] = b"\0\0\1\0"
    path.write_bytes(data)
    log, found = again(tmp_path)
    assert (found, log.end) == (list(range(5)), 5 * UNIT_SIZE)
    assert len(list((tmp_path / "timerlog").iterdir())) == 1
    fill(log, 1, 5)
    assert again(tmp_path)[1] == list(range(6))


def test_another_file_size_is_refused(tmp_path: Path) -> None:
    fill(opened(tmp_path), IN_FILE + 1)
    with pytest.raises(StoreError, match="another file size"):
        TimerLog(Env(), str(tmp_path / "timerlog"), FILE // 2).load()


@pytest.mark.parametrize("method", ["resize", "reserve"])
def test_a_full_disk_leaves_the_log_as_it_was(tmp_path: Path, method: str) -> None:
    env = FaultyEnv()
    log = opened(tmp_path, env)
    fill(log, IN_FILE)
    env.fail[method] = (0, errno.ENOSPC)
    with pytest.raises(OSError, match="ENOSPC"):
        fill(log, 1)
    env.fail.clear()
    fill(log, 2, IN_FILE)
    assert again(tmp_path)[1] == list(range(IN_FILE + 2))


def test_files_without_messages_in_the_commit_log_go(tmp_path: Path) -> None:
    log = opened(tmp_path)
    fill(log, 3 * IN_FILE + 1)
    last = 1000 + IN_FILE - 1
    assert log.remove_expired(last) == 0
    assert log.remove_expired(last + 1) == 1
    assert (log.start, log.read(0)) == (FILE, None)
    assert log.remove_expired(10**9) == 2
    assert log.start == 3 * FILE
    assert again(tmp_path)[1] == [3 * IN_FILE]


def test_chains_can_be_linked_anew(tmp_path: Path) -> None:
    log = opened(tmp_path)
    fill(log, 3)
    log.link(104, 0)
    unit = log.read(104)
    assert unit is not None
    assert (unit.previous, unit.physical) == (0, 1002)
    log.link(10**9, 0)


def test_where_the_units_of_a_shorter_commit_log_end(tmp_path: Path) -> None:
    log = opened(tmp_path)
    assert log.end_before(10**9) == 0
    positions = fill(log, 2 * IN_FILE + 5)
    assert log.end_before(1000) == 0
    for number in (0, 1, IN_FILE - 2, IN_FILE - 1, IN_FILE, 2 * IN_FILE + 3, 2 * IN_FILE + 4):
        assert log.end_before(1000 + number + 1) == positions[number] + UNIT_SIZE
    assert log.end_before(10**9) == log.end
    # A file that was begun and has nothing in it yet.
    log.settle(2 * FILE)
    assert log.end_before(10**9) == positions[2 * IN_FILE - 1] + UNIT_SIZE
