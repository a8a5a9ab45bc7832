"""Messages of a queue that was begun again have units again when that is taken back: those and no others."""

from pathlib import Path

import pytest
from twisted.internet.defer import Deferred

from rmq.server.store.api import Cut
from rmq.wire.javahash import java_hash
from tests.kit.stores import FaultyEnv, SmallStore


def result_of(deferred: Deferred[Cut]) -> object:
    results: list[object] = []
    deferred.addBoth(results.append)
    assert len(results) == 1, "it is still waiting"
    return results[0]


def begun_again(root: Path, env: FaultyEnv | None = None) -> tuple[SmallStore, int, int]:
    """A store in which T was begun again twice, the second time behind the place that is told; and where the first."""
    kit = SmallStore(root, env=env, mapped_file_size_commit_log=8 * 1024)
    kit.store.start()
    kit.fill(40)
    kit.fill(9, "Other", queues=1)
    kit.store.destroy_topic("T")
    second = kit.fill(11, first=1000)[0].physical_offset
    kit.clock.advance(30)
    end = kit.fill(1, "Other", queues=1)[0].physical_offset
    kit.store.destroy_topic("T")
    kit.fill(6, first=2000)
    return kit, end, second


SECOND = {0: [(n, 1000 + 2 * n) for n in range(6)], 1: [(n, 1001 + 2 * n) for n in range(5)]}
THIRD = {0: [(n, 2000 + 2 * n) for n in range(3)], 1: [(n, 2001 + 2 * n) for n in range(3)]}


@pytest.mark.parametrize("from_the_start", [True, False])
def test_what_a_queue_had_before_it_was_begun_again(tmp_path: Path, from_the_start: bool) -> None:
    kit, end, second = begun_again(tmp_path)
    assert kit.numbers() == THIRD
    assert sorted(kit.store.emptied_by(end)) == [("T", 0), ("T", 1)]
    begin = 0 if from_the_start else second
    result_of(kit.store.truncate(end, {("T", 0): begin, ("T", 1): begin}))
    assert kit.numbers() == SECOND
    assert kit.store.max_offset("Other", 0) == 9
    units = kit.store.queue_units("T", 0, 0, 6)
    assert [code for *_, code in units] == [java_hash(f"tag{n % 3}") for n in range(1000, 1012, 2)]
    assert kit.fill(1, first=1012)[0].queue_offset == 6
    kit.reopen()
    assert (kit.report.problems, kit.report.scanned_records) == ([], 1)
    assert kit.numbers() == {0: [*SECOND[0], (6, 1012)], 1: SECOND[1]}


def test_only_what_was_asked_for_comes_back(tmp_path: Path) -> None:
    kit, end, second = begun_again(tmp_path)
    later = kit.store.message_at(second)
    assert later is not None
    result_of(kit.store.truncate(end, {("T", 0): second + len(later)}))
    assert kit.numbers() == {0: SECOND[0][1:], 1: []}
    assert kit.store.min_offset("T", 0) == 1


def test_a_failure_after_any_step_brings_queues_back_or_nothing(tmp_path: Path) -> None:
    granted, seen = 0, set()
    while True:
        for restart in (False, True):
            env = FaultyEnv()
            kit, end, second = begun_again(tmp_path / f"{granted}-{restart}", env)
            env.fail_from = len(env.calls) + granted
            begins = {("T", 0): second, ("T", 1): second}
            outcome = result_of(kit.store.truncate(end, begins))
            worked = not hasattr(outcome, "value")
            env.fail_from = None
            if restart:
                kit.crash()
                kit.open()
            elif not worked:
                # As soon as the queues are cut whoever tries again no longer sees which there were.
                assert isinstance(result_of(kit.store.truncate(end, {} if kit.store._rounds.halted else begins)), Cut)
            found = kit.numbers()
            if found != SECOND:
                # The log is cut from its end backwards.
                assert restart
                assert not worked
                assert found[0] == THIRD[0][: len(found[0])] != []
                assert found[1] == THIRD[1][: len(found[1])]
            seen.add(found == SECOND)
            kit.crash()
        if worked:
            break
        granted += 1
    assert seen == {True, False}
    assert granted > 8
