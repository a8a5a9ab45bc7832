"""The timer wheel: slots in a file, found by their time."""

import errno
import struct
from pathlib import Path

import pytest

from rmq.server.broker.delay.timer_wheel import EMPTY, SIZE, SLOTS, Slot, TimerWheel
from rmq.server.store.api import StoreError
from rmq.server.store.env import Env
from tests.kit.stores import FaultyEnv

NOW = 1_700_000_000_000


def opened(path: Path, precision: int = 1000, env: Env | None = None) -> TimerWheel:
    wheel = TimerWheel(env or Env(), str(path / "timerwheel"), precision)
    wheel.load()
    return wheel


def put(wheel: TimerWheel, time: int, slot: Slot) -> None:
    wheel.make_room(time)
    wheel.put(time, slot)


def test_a_slot_is_what_was_put(tmp_path: Path) -> None:
    wheel = opened(tmp_path)
    assert (wheel.exists, wheel.get(NOW), list(wheel.each())) == (False, EMPTY, [])
    put(wheel, NOW + 5999, Slot(52, 104, 2))
    assert wheel.get(NOW + 5000) == wheel.get(NOW + 5001) == (52, 104, 2)
    assert (wheel.get(NOW + 4999), wheel.get(NOW + 6000)) == (EMPTY, EMPTY)
    path = tmp_path / "timerwheel"
    assert path.stat().st_size == SIZE == 38_707_200
    at = (NOW + 5000) // 1000 % 1_209_600 * 32
    assert path.read_bytes()[at : at + 32] == struct.pack(">qqqii", NOW // 1000 + 5, 52, 104, 2, 0)
    assert list(opened(tmp_path).each()) == [(NOW + 5000, (52, 104, 2))]
    assert path.stat().st_blocks * 512 < 100_000


def test_a_place_belongs_to_the_time_that_was_put_last(tmp_path: Path) -> None:
    wheel = opened(tmp_path, 100)
    put(wheel, NOW, Slot(0, 0, 1))
    put(wheel, NOW + SLOTS * 100, Slot(52, 52, 1))
    assert wheel.get(NOW) is EMPTY
    assert wheel.get(NOW + SLOTS * 100) == (52, 52, 1)


def test_adding_what_is_there_changes_nothing(tmp_path: Path) -> None:
    wheel = opened(tmp_path)
    for position in (0, 52, 52, 0, 104):
        wheel.add(NOW, position)
    assert wheel.get(NOW) == (0, 104, 3)
    wheel.add(NOW - SLOTS * 1000, 156)
    assert wheel.get(NOW) == (0, 104, 3)
    wheel.add(NOW + SLOTS * 1000, 208)
    assert wheel.get(NOW + SLOTS * 1000) == (208, 208, 1)
    wheel.clear(NOW + SLOTS * 1000)
    assert list(wheel.each()) == []


@pytest.mark.parametrize(("size", "refused"), [(0, False), (SIZE, False), (SIZE - 1, True), (5, True)])
def test_a_file_of_another_length(tmp_path: Path, size: int, refused: bool) -> None:
    Env().resize(str(tmp_path / "timerwheel"), size)
    if refused:
        with pytest.raises(StoreError, match=f"has {size} bytes, but a timer wheel has 38707200"):
            opened(tmp_path)
    else:
        assert opened(tmp_path).exists is (size == SIZE)


def test_space_is_made_before_a_page_is_written(tmp_path: Path) -> None:
    env = FaultyEnv()
    wheel = opened(tmp_path, env=env)
    put(wheel, NOW, Slot(0, 0, 1))
    env.fail["reserve"] = (0, errno.ENOSPC)
    put(wheel, NOW + 1000, Slot(0, 0, 1))
    with pytest.raises(OSError, match="ENOSPC"):
        wheel.make_room(NOW + 128_000)
    env.fail.clear()
    put(wheel, NOW + 128_000, Slot(0, 0, 1))


def test_an_amount_stays_a_32_bit_number(tmp_path: Path) -> None:
    wheel = opened(tmp_path)
    put(wheel, NOW, Slot(0, 0, 2**40))
    assert wheel.get(NOW).amount == 2**31 - 1
    put(wheel, NOW, Slot(0, 0, -(2**40)))
    assert wheel.get(NOW).amount == 1 - 2**31
