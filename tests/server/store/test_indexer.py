"""The index follows the log: in time, in exact content, and after everything that keeps it from doing so."""

import errno
import os
from pathlib import Path

import pytest

import rmq.server.store.indexer as module
from rmq.wire.message import decode_message
from rmq.wire.sysflag import BORN_HOST_V6, TRANSACTION_COMMIT, TRANSACTION_PREPARED, TRANSACTION_ROLLBACK
from tests.kit.stores import START, FaultyEnv, SmallStore

pytestmark = pytest.mark.usefixtures("loops")

NOW = int(START * 1000)


def found(kit: SmallStore, key: str, topic: str = "T") -> list[bytes]:
    messages = kit.store.query_index(topic, key, 32, 0, NOW * 2).messages
    return [decode_message(record).body for record in messages]


def behind(kit: SmallStore) -> int:
    return kit.store._indexer.behind


def test_sends_are_indexed_a_moment_later(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path)
    kit.store.start()
    kit.fill(200)
    assert behind(kit) > 0
    kit.clock.advance(0.02)
    assert behind(kit) == 0
    assert len(list((tmp_path / "index").iterdir())) == 7, "99 entries fit into a file, three are made per message"


def test_a_query_does_not_wait_for_the_indexer(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path)
    kit.send("T", 0, b"one", tags="t", keys="k1 k2", uniq="0A")
    assert [found(kit, key) for key in ("k1", "k2", "0A", "T#t", "k")] == [[b"one"]] * 4 + [[]]


def test_a_query_answers_at_once_when_much_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FOR_QUERY", 1000)
    kit = SmallStore(tmp_path)
    kit.fill(100)
    assert found(kit, "key1") == []
    kit.store.start()
    kit.clock.advance(0.02)
    assert [body[:8] for body in found(kit, "key1")] == [b"00000001"]


def test_under_load_it_takes_a_share_but_stays_near(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BEHIND", 20_000)
    monkeypatch.setattr(module, "_SLICE", 500)
    kit = SmallStore(tmp_path)
    kit.store.start()
    # Every look at the clock finds the share used up.
    ticks = iter(range(1 << 30))
    monkeypatch.setattr(kit.store._indexer, "_seconds", lambda: next(ticks))
    for number in range(300):
        kit.send("T", 0, b"x" * 100, keys=f"key{number}")
    assert behind(kit) > 40_000
    kit.clock.advance(0.02)
    assert 19_000 < behind(kit) <= 20_000
    kit.clock.advance(0.02)
    after = behind(kit)
    assert 15_000 < after < 20_000, "one slice a time, as the load is over"
    for _ in range(5):
        kit.clock.advance(0.001)
    assert behind(kit) < after - 1500, "and now without long pauses"


def test_transactions(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path)
    for name, flag in (("p", TRANSACTION_PREPARED), ("c", TRANSACTION_COMMIT), ("r", TRANSACTION_ROLLBACK)):
        kit.send("T", 0, name.encode(), keys=name, sys_flag=flag)
    assert [found(kit, key) for key in "pcr"] == [[b"p"], [b"c"], []]


def test_heads_with_long_hosts_and_long_topics(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path)
    kit.send("T", 0, b"v6", keys="six", sys_flag=BORN_HOST_V6, host=bytes(16) + b"\0\0\x1f\x90")
    kit.send("L" * 200, 0, b"long", keys="long")
    kit.send("T", 0, b"v4", keys="four")
    assert (found(kit, "six"), found(kit, "long", "L" * 200), found(kit, "four")) == ([b"v6"], [b"long"], [b"v4"])


def test_keys_that_are_not_ascii(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path)
    kit.send("T", 0, b"one", keys="ключ 鍵 \U0001f511", uniq="ü")
    assert [found(kit, key) for key in ("ключ", "鍵", "\U0001f511", "ü")] == [[b"one"]] * 4


def test_a_disk_that_is_full_keeps_it_behind_until_there_is_room(tmp_path: Path) -> None:
    env = FaultyEnv()
    kit = SmallStore(tmp_path, env=env, index_reserve_bytes=0)
    kit.store.start()
    kit.fill(10)
    kit.clock.advance(0.2)
    assert behind(kit) == 0
    env.fail["reserve"] = (0, errno.ENOSPC)
    kit.send("T", 0, b"late", uniq="0F")
    kit.clock.advance(0.2)
    assert behind(kit) > 0
    assert found(kit, "0F") == []
    env.fail.clear()
    kit.clock.advance(1)
    assert behind(kit) == 0
    assert found(kit, "0F") == [b"late"]


def test_a_clean_stop_leaves_nothing_to_index(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path)
    kit.fill(50)
    kit.close()
    kit.open()
    assert behind(kit) == 0
    assert [body[:8] for body in found(kit, "key49")] == [b"00000049"]


def test_after_a_crash_it_goes_on_where_the_checkpoint_says(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path)
    kit.store.start()
    kit.fill(50)
    kit.clock.advance(2)
    kit.fill(30, first=50)
    kit.crash()
    kit.open()
    assert behind(kit) > 0
    for number in (0, 49, 50, 79):
        assert [body[:8] for body in found(kit, f"key{number}")] == [b"%08d" % number]
    assert behind(kit) == 0


def _fails(indexer: module.Indexer, most: int) -> None:
    raise OSError(errno.EIO, "the disk is slow to come")


def test_files_deleted_while_it_was_behind_are_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kit = SmallStore(tmp_path, file_reserved_time=0)
    kit.fill(2000)
    for path in (tmp_path / "commitlog").iterdir():
        os.utime(path, (START - 3600,) * 2)
    with monkeypatch.context() as failing:
        failing.setattr(module.Indexer, "work", _fails)
        kit.store.start()
        kit.store.delete_expired()
        kit.clock.pump([60] + [1] * 20)
    first = kit.store.log_min_offset
    assert first > 0
    assert behind(kit) > 0
    kit.clock.advance(1)
    assert behind(kit) == 0
    assert [body[:8] for body in found(kit, "key1999")] == [b"00001999"]


def test_nothing_is_indexed_when_it_is_off(tmp_path: Path) -> None:
    kit = SmallStore(tmp_path, message_index_enable=False)
    kit.store.start()
    kit.fill(10)
    kit.clock.advance(1)
    assert behind(kit) == 0
    kit.close()
    assert not (tmp_path / "index").exists()
