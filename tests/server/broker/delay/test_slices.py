"""Work in slices."""

import errno
from typing import Any

from twisted.internet.task import Clock

from rmq.server.broker.delay.slices import LOOK_SECONDS, Slices
from tests.kit.delays import StepClock


def test_it_looks_ten_times_a_second_and_goes_on_at_once_while_there_is_more() -> None:
    clock = StepClock()
    answers = [False, True, True, False]
    calls: list[float] = []
    start = clock.seconds()

    def work() -> bool:
        calls.append(clock.seconds() - start)
        return answers.pop(0) if answers else False

    slices = Slices(clock, work, "test")
    slices.start()
    assert calls == []
    clock.advance(LOOK_SECONDS)
    assert len(calls) == 1
    clock.advance(LOOK_SECONDS)
    assert len(calls) == 2
    clock.moment()
    clock.moment()
    clock.moment()
    assert len(calls) == 4
    assert calls[3] - calls[1] < 0.001
    slices.stop()
    clock.advance(10)
    assert len(calls) == 4


def test_it_ends_between_two_slices() -> None:
    clock = StepClock()
    calls: list[int] = []

    def work() -> bool:
        calls.append(1)
        return True

    slices = Slices(clock, work, "test")
    slices.start()
    clock.advance(LOOK_SECONDS)
    slices.stop()
    clock.advance(10)
    assert calls == [1]


def test_a_slice_that_ends_the_work_is_the_last() -> None:
    clock = StepClock()
    slices = Slices(clock, lambda: slices.stop() is None, "test")
    slices.start()
    clock.advance(LOOK_SECONDS)
    assert clock.getDelayedCalls() == []


def test_a_failing_disk_is_tried_again_and_told_once(monkeypatch: Any) -> None:
    clock = Clock()
    told: list[str] = []
    monkeypatch.setattr(
        "rmq.server.broker.delay.slices.log.error", lambda text, **facts: told.append(text.format(**facts))
    )
    fails = [True] * 3 + [False] + [True]

    def work() -> bool:
        if fails.pop(0) if fails else False:
            raise OSError(errno.ENOSPC, "full")
        return False

    slices = Slices(clock, work, "the work")
    slices.start()
    clock.pump([LOOK_SECONDS] * 10)
    assert fails == []
    assert told == ["the work cannot go on now: [Errno 28] full"] * 2
