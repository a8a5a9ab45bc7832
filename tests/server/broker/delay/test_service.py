"""Levels and timer together."""

import json
from pathlib import Path

import pytest

from rmq.server.store.api import StoreError
from rmq.wire.errors import RemotingError
from tests.kit.delays import Delays


def test_both_deliver_and_both_are_told_of(tmp_path: Path) -> None:
    delays = Delays(tmp_path).start()
    delays.put(b"level", DELAY="1")
    delays.put(b"timed", TIMER_DELAY_MS="1500")
    delays.put(b"plain")
    delays.run(0.5)
    assert list(delays.service.figures()) == [
        "timerReadBehind", "timerOffsetBehind", "timerCongestNum", "timerEnqueueTps", "timerDequeueTps",
    ]  # fmt: skip
    delays.run(3)
    assert delays.bodies() == [b"plain", b"level", b"timed"]
    assert delays.service.figures()["scheduleMessageOffset_1"] == "1,1"
    assert json.loads(delays.service.timer_metrics())["timingCount"]["T"]["count"] == 0
    assert len(delays.service.timer_checkpoint()) == 56


def test_without_a_timer_the_levels_go_on(tmp_path: Path) -> None:
    delays = Delays(tmp_path, timerWheelEnable="false").start()
    with pytest.raises(RemotingError):
        delays.put(b"timed", TIMER_DELAY_MS="1500")
    delays.put(b"level", DELAY="1")
    delays.run(3)
    assert delays.bodies() == [b"level"]
    delays.stop()


def test_files_that_cannot_be_used_stop_the_start(tmp_path: Path) -> None:
    (tmp_path / "timerwheel").write_bytes(b"12345")
    with pytest.raises(StoreError):
        Delays(tmp_path)
