import errno
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rmq.server.store.api import GetStatus, PutStatus, StoreError
from rmq.server.store.env import Env
from tests.kit.stores import FaultyEnv, SmallStore, Threads

FULL = (0, errno.ENOSPC)


def test_a_full_disk_refuses_messages_and_reads_go_on(tmp_path: Path) -> None:
    env = FaultyEnv()
    kit = SmallStore(tmp_path, env=env)
    stored = kit.fill(50)
    env.fail["reserve"] = FULL
    refused = []
    while not refused:
        result = kit.fill(1, first=len(stored))[0]
        (stored if result.status is PutStatus.PUT_OK else refused).append(result)
    assert refused[0] == (PutStatus.SERVICE_NOT_AVAILABLE, -1, -1, 0, 0, ())
    assert sum(len(numbers) for numbers in kit.numbers().values()) == len(stored)
    del env.fail["reserve"]
    before = len(env.calls)
    assert kit.fill(1)[0].status is PutStatus.SERVICE_NOT_AVAILABLE
    assert [name for name, _ in env.calls[before:] if name == "reserve"] == [], "it does not try again at once"
    kit.clock.advance(kit.options.disk_full_retry_interval)
    resumed = kit.fill(1, first=len(stored))[0]
    assert resumed.status is PutStatus.PUT_OK
    assert resumed.physical_offset == stored[-1].physical_offset + stored[-1].wrote_bytes
    stored.append(resumed)
    kit.reopen()
    assert sorted(n for numbers in kit.numbers().values() for _, n in numbers) == list(range(len(stored)))


def test_little_space_is_used_before_messages_are_refused(tmp_path: Path) -> None:
    class Tight(Env):
        def reserve(self, path: str, offset: int, length: int) -> None:
            if offset + length > 20_000 and "commitlog" in path:
                raise OSError(errno.ENOSPC, "full")
            super().reserve(path, offset, length)

    kit = SmallStore(tmp_path, env=Tight(), log_reserve_bytes=1 << 20)
    stored = [result for result in kit.fill(200) if result.status is PutStatus.PUT_OK]
    assert 19_000 < kit.store.log_max_offset <= 20_000
    assert sum(map(len, kit.numbers().values())) == len(stored)


def test_no_space_for_a_queue_places_nothing_in_the_log(tmp_path: Path) -> None:
    env = FaultyEnv()
    kit = SmallStore(tmp_path, env=env)
    kit.fill(4)
    end = kit.store.log_max_offset
    env.fail["reserve"], env.only_below = FULL, "consumequeue"
    assert kit.send("Other", 0, b"x").status is PutStatus.SERVICE_NOT_AVAILABLE
    assert kit.store.log_max_offset == end
    assert kit.store.get("Other", 0, 0, 1).status is GetStatus.NO_MESSAGE_IN_QUEUE
    env.fail.clear()
    kit.clock.advance(1)
    assert kit.send("Other", 0, b"x").queue_offset == 0


@pytest.mark.parametrize("method", ["resize", "reserve", "map_file", "make_directory"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_an_index_that_cannot_be_written_costs_no_message_and_catches_up(
    tmp_path: Path, method: str, number: int
) -> None:
    env = FaultyEnv()
    env.only_below = "/index"
    env.fail[method] = (0, number)
    kit = SmallStore(tmp_path, env=env)
    kit.store.start()
    assert all(result.status is PutStatus.PUT_OK for result in kit.fill(150))
    assert kit.store.query_index("T", "key3", 32, 0, 1 << 60).messages == []
    kit.clock.advance(4)
    kit.reopen()
    kit.store.start()
    kit.fill(10, first=150)
    assert kit.store.query_index("T", "key3", 32, 0, 1 << 60).messages == []
    env.fail.clear()
    kit.clock.pump([0.5] * 6)
    for key in ("key3", "key149", "key155"):
        assert len(kit.store.query_index("T", key, 32, 0, 1 << 60).messages) == 1, key
    assert kit.fill(1, first=160)[0].status is PutStatus.PUT_OK
    assert len(kit.store.query_index("T", "key160", 32, 0, 1 << 60).messages) == 1


@pytest.mark.parametrize(
    "method", ["list_directory", "file_size", "map_file", "read_file", "write_file", "lock", "erase"]
)
@pytest.mark.parametrize("granted", [0, 1, 3])
def test_a_failing_start_is_a_sentence_and_harms_nothing(tmp_path: Path, method: str, granted: int) -> None:
    kit = SmallStore(tmp_path)
    kit.fill(300)
    kit.crash()
    env = FaultyEnv()
    env.fail[method] = (granted, errno.EIO)
    try:
        SmallStore(tmp_path, env=env).crash()
        sentence = str(tmp_path)
    except StoreError as error:
        sentence = str(error)
    assert str(tmp_path) in sentence
    env.fail.clear()
    kit.env = env
    kit.open()
    assert sorted(n for numbers in kit.numbers().values() for _, n in numbers) == list(range(300))


def test_a_checkpoint_that_cannot_be_written_stays_where_it_was(tmp_path: Path) -> None:
    env = FaultyEnv()
    kit = SmallStore(tmp_path, env=env)
    kit.store.start()
    kit.fill(50)
    kit.clock.advance(3)
    covered = kit.store.log_max_offset
    env.fail["sync_file"] = (0, errno.EIO)
    kit.fill(50, first=50)
    kit.clock.advance(3)
    env.fail.clear()
    kit.reopen()
    assert kit.report.scan_start == covered
    assert sorted(n for numbers in kit.numbers().values() for _, n in numbers) == list(range(100))


def test_a_full_disk_does_not_prevent_a_start(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path)
    kit.fill(20)
    kit.close()
    env = FaultyEnv()
    env.fail = dict.fromkeys(("write_file", "reserve"), FULL)
    kit.env = env
    kit.open()
    assert sum(map(len, kit.numbers().values())) == 20
    assert kit.fill(1)[0].status is PutStatus.SERVICE_NOT_AVAILABLE


FAULTS = st.tuples(
    st.sampled_from(
        ["reserve", "resize", "map_file", "sync_file", "write_file", "patch_file", "make_directory", "sync_directory"]
    ),
    st.integers(0, 12),
    st.sampled_from([errno.ENOSPC, errno.EIO, errno.EMFILE]),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rounds=st.lists(
        st.tuples(st.integers(0, 60), st.none() | FAULTS, st.sampled_from(["go on", "crash", "close"])), max_size=8
    ),
    sync=st.booleans(),
)
def test_whatever_fails_nothing_acknowledged_is_lost(
    tmp_path_factory: pytest.TempPathFactory,
    rounds: list[tuple[int, tuple[str, int, int] | None, str]],
    sync: bool,
) -> None:
    env = FaultyEnv()
    threads = Threads()
    kit = SmallStore(
        tmp_path_factory.mktemp("store"),
        env=env,
        threads=threads,
        sync_flush=sync,
        max_mapped_files=3,
        mapped_file_size_commit_log=8192,
        log_reserve_bytes=2048,
    )
    kit.store.start()
    stored: dict[tuple[int, int], int] = {}
    count = 0
    for number, fault, end in rounds:
        env.fail.clear()
        if fault is not None:
            env.fail[fault[0]] = fault[1:]
        for _ in range(number):
            result = kit.fill(1, first=count)[0]
            if result.status is PutStatus.PUT_OK:
                stored[count % 2, result.queue_offset] = count
            count += 1
        kit.clock.advance(1.5)
        threads.run()
        if end == "go on":
            continue
        if end == "crash":
            kit.crash()
        else:
            kit.store.close()
            while threads.run():
                pass
            if kit.store._store_lock is not None:
                kit.store._store_lock.release()
        threads.waiting.clear()
        env.fail.clear()
        kit.open()
        kit.store.start()
    env.fail.clear()
    kit.reopen()
    assert {(q, offset): n for q, numbers in kit.numbers().items() for offset, n in numbers} == stored
    assert len(stored) == sum(kit.store.max_offset("T", queue) for queue in range(2)), "no holes"
    kit.crash()


# --- the real file system


def test_reserving_takes_real_space(tmp_path: Path) -> None:
    path = str(tmp_path / "f")
    env = Env()
    env.resize(path, 1 << 20)
    assert os.stat(path).st_blocks == 0
    env.reserve(path, 0, 65536)
    assert os.stat(path).st_blocks * 512 == 65536


def test_erase_passes_over_holes(tmp_path: Path) -> None:
    path = str(tmp_path / "f")
    env = Env()
    env.resize(path, 1 << 22)
    with Path(path).open("r+b") as file:
        file.write(b"keep this")
        file.seek(3 << 20)
        file.write(b"and not this")
    assert env.erase(path, 9)
    assert Path(path).read_bytes() == b"keep this".ljust(1 << 22, b"\0")
    assert not env.erase(path, 9)


def test_the_lock_holds_between_processes(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    env = Env()
    lock = env.lock(path, b"lock")
    assert lock is not None
    assert env.lock(path, b"lock") is None
    program = f"from rmq.server.store.env import Env; print(Env().lock({path!r}, b'lock'))"
    other = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == "None"
    lock.release()
    lock.release()
    again = env.lock(path, b"lock")
    assert again is not None
    again.release()


@pytest.mark.parametrize(
    ("total", "used", "free", "ratio"),
    [(1000, 100, 400, 0.2), (1000, 101, 399, 0.21), (1000, 1, 999, 0.01), (1000, 0, 1000, 0.0), (0, 0, 0, -1.0)],
)
def test_the_use_of_a_disk_is_told_as_apache_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, total: int, used: int, free: int, ratio: float
) -> None:
    asked = []

    def disk_usage(path: Path) -> object:
        asked.append(path)
        return SimpleNamespace(total=total, used=used, free=free)

    monkeypatch.setattr("shutil.disk_usage", disk_usage)
    assert Env().disk_used_ratio(str(tmp_path)) == ratio
    assert Env().disk_used_ratio(str(tmp_path / "not" / "made")) == ratio
    assert asked == [tmp_path, tmp_path]


def test_missing_things(tmp_path: Path) -> None:
    env = Env()
    missing = str(tmp_path / "missing")
    assert env.list_directory(missing) == []
    assert env.file_size(missing) is None
    assert env.read_file(missing) is None
    env.remove(missing)
    assert env.physical_memory() > 1 << 20
    assert env.map_limit() >= 64


@pytest.mark.parametrize("scattered", [False, True])
def test_only_scattered_maps_are_not_read_ahead(tmp_path: Path, scattered: bool) -> None:
    env, path = Env(), str(tmp_path / "file")
    env.resize(path, 1 << 20)
    view = env.map_file(path, 1 << 20, scattered=scattered)
    blocks = Path("/proc/self/smaps").read_text().split(path)[1:]
    flags = next(line for line in blocks[0].splitlines() if line.startswith("VmFlags"))
    assert ("rr" in flags.split()) is scattered
    view.close()


def test_stretches_of_files_become_one(tmp_path: Path) -> None:
    first, second, made = (str(tmp_path / name) for name in ("a", "b", "c"))
    content = bytes(range(256)) * 5000
    Path(first).write_bytes(content)
    Path(second).write_bytes(b"second")
    Env().copy(made, [(first, 7, len(content)), (second, 0, 4)])
    assert Path(made).read_bytes() == content[7:] + b"seco"
    with pytest.raises(OSError, match="ends at 6 and not at 7"):
        Env().copy(made, [(second, 0, 7)])
