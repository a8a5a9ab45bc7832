import dataclasses
import os
from datetime import datetime
from pathlib import Path

import pytest

from rmq.server.store.api import PutStatus
from tests.kit.stores import START, FaultyEnv, SmallStore

HOUR = datetime.fromtimestamp(START + 60).hour
OTHER_HOUR = f"{(HOUR + 5) % 24:02d}"


def logs(root: Path) -> list[int]:
    return sorted(int(path.name) // 65536 for path in (root / "commitlog").iterdir())


def store(tmp_path: Path, used: float = 0.5, age_hours: float = 100, **options: object) -> tuple[SmallStore, FaultyEnv]:
    env = FaultyEnv()
    env.used_ratio = used
    kit = SmallStore(tmp_path, env=env, **options)
    kit.fill(2000, queues=1)
    kit.store.start()
    for path in (tmp_path / "commitlog").iterdir():
        os.utime(path, (START - age_hours * 3600,) * 2)
    assert logs(tmp_path) == list(range(8))
    return kit, env


def test_expired_files_go_at_the_hour(tmp_path: Path) -> None:
    kit, _ = store(tmp_path, delete_when=f"{OTHER_HOUR};{HOUR:02d}", delete_file_batch_max=3)
    kit.clock.advance(59)
    assert logs(tmp_path) == list(range(8))
    kit.clock.advance(1)
    assert logs(tmp_path) == list(range(1, 8)), "one file, then a pause"
    kit.clock.pump([0.1] * 5)
    assert logs(tmp_path) == list(range(3, 8)), "so many in a round"
    kit.clock.pump([1] * 40)
    assert logs(tmp_path) == [7], "never the newest"
    first = kit.store.min_offset("T", 0)
    assert kit.store.log_min_offset == 7 * 65536
    assert kit.numbers(queues=1) == {0: [(n, n) for n in range(first, 2000)]}
    names = sorted(int(path.name) // 1000 for path in (tmp_path / "consumequeue" / "T" / "0").iterdir())
    assert names[0] == first // 50
    assert kit.store.query_index("T", "key5", 32, 0, 1 << 60).messages == []
    kit.clock.pump([1] * 5)
    kit.reopen()
    assert (kit.report.problems, kit.report.scanned_records) == ([], 0)
    assert kit.store.min_offset("T", 0) == first


def test_young_files_and_other_hours_stay(tmp_path: Path) -> None:
    kit, _ = store(tmp_path / "a", age_hours=71.9, delete_when=f"{HOUR:02d}")
    kit.clock.pump([60, 10, 10])
    assert len(logs(tmp_path / "a")) == 8
    kit, _ = store(tmp_path / "b", delete_when=OTHER_HOUR)
    kit.clock.pump([60, 10, 10])
    assert len(logs(tmp_path / "b")) == 8
    kit.store.delete_expired()
    kit.clock.pump([10, 0.1, 0.1])
    assert len(logs(tmp_path / "b")) < 8, "somebody asked"


@pytest.mark.parametrize(
    ("used", "age", "removed", "refused"),
    [
        (0.74, 100, False, False),
        (0.76, 100, True, False),
        (0.76, 1, False, False),
        (0.86, 1, True, False),
        (0.91, 1, True, True),
    ],
)
def test_watermarks(tmp_path: Path, used: float, age: float, removed: bool, refused: bool) -> None:
    kit, env = store(tmp_path, used, age, delete_when=OTHER_HOUR)
    kit.clock.pump([60, 0.2])
    assert (len(logs(tmp_path)) < 8) is removed
    assert kit.store.disk_full is refused
    expected = PutStatus.SERVICE_NOT_AVAILABLE if refused else PutStatus.PUT_OK
    assert kit.fill(1)[0].status is expected
    assert kit.store.commit_log_disk_ratio() == kit.store.consume_queue_disk_ratio() == used
    env.used_ratio = 0.2
    kit.clock.advance(10)
    assert kit.fill(1)[0].status is PutStatus.PUT_OK


def test_everything_can_change_while_it_runs(tmp_path: Path) -> None:
    kit, _ = store(tmp_path, used=0.5, age_hours=10, delete_when=OTHER_HOUR, delete_commit_log_files_interval=1)
    kit.clock.pump([60] + [1] * 5)
    assert logs(tmp_path) == list(range(8))

    def change(**options: object) -> None:
        kit.retention = dataclasses.replace(kit.retention, **options)  # type: ignore[arg-type]

    change(delete_when=f"{HOUR:02d}")
    kit.clock.pump([1] * 10)
    assert logs(tmp_path) == list(range(8)), "the hour is right, the files are too young"
    change(file_reserved_time=9, delete_file_batch_max=2)
    kit.clock.pump([1] * 10)
    assert logs(tmp_path) == list(range(2, 8))
    change(delete_when=OTHER_HOUR, disk_max_used_space_ratio=40, delete_file_batch_max=1)
    kit.clock.pump([1] * 10)
    assert logs(tmp_path) == list(range(3, 8)), "fuller than it may be, whatever the hour"
    change(file_reserved_time=72, disk_space_clean_forcibly_ratio=0.45, clean_file_forcibly_enable=False)
    kit.clock.pump([1] * 10)
    assert logs(tmp_path) == list(range(3, 8))
    change(clean_file_forcibly_enable=True, clean_resource_interval=30)
    kit.clock.pump([1] * 10)
    assert logs(tmp_path) == list(range(4, 8)), "so full that age does not matter"
    kit.clock.pump([1] * 24)
    assert logs(tmp_path) == list(range(4, 8)), "the next check is half a minute away"
    change(disk_space_warning_level_ratio=0.45)
    kit.clock.advance(1)
    assert kit.store.disk_full
    assert kit.fill(1)[0].status is PutStatus.SERVICE_NOT_AVAILABLE


def test_queues_without_messages_keep_their_offset_until_asked(tmp_path: Path) -> None:
    kit, _ = store(tmp_path, delete_when=OTHER_HOUR)
    kit.fill(3, "Early", queues=1)
    # Others keep offsets of the system's queues.
    kit.fill(2, "SCHEDULE_TOPIC_XXXX", queues=1)
    kit.fill(900, queues=1, first=2000)
    for path in (tmp_path / "commitlog").iterdir():
        os.utime(path, (START - 400_000,) * 2)
    kit.store.delete_expired()
    kit.clock.pump([60] + [0.1] * 20 + [10] + [0.1] * 20)
    assert (kit.store.min_offset("Early", 0), kit.store.max_offset("Early", 0)) == (3, 3)
    assert kit.store.clean_expired_consume_queues() == 1
    assert sorted(kit.store.queues()) == [("SCHEDULE_TOPIC_XXXX", 0), ("T", 0)]
    assert kit.store.clean_expired_consume_queues() == 0


def test_the_use_of_the_disk_is_known_from_the_beginning(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path)
    assert 0 < kit.store.commit_log_disk_ratio() == kit.store.consume_queue_disk_ratio() <= 1
