"""Repeating."""

from twisted.internet.task import Clock

from rmq.remoting.reactor import Repeat


def test_it_calls_again_and_again_until_stopped() -> None:
    clock, calls = Clock(), []
    repeat = Repeat(clock, lambda: calls.append(clock.seconds()))
    assert not repeat.running
    repeat.start(2.0)
    clock.pump([1.0] * 5)
    assert calls == [2.0, 4.0]
    repeat.stop()
    assert not repeat.running
    assert not clock.getDelayedCalls()
    repeat.stop()


def test_the_first_call_may_come_at_another_time() -> None:
    clock, calls = Clock(), []
    Repeat(clock, lambda: calls.append(clock.seconds())).start(2.0, first=5.0)
    clock.pump([1.0] * 8)
    assert calls == [5.0, 7.0]


def test_a_failure_does_not_end_it() -> None:
    clock, calls = Clock(), []

    def fail() -> None:
        calls.append(clock.seconds())
        raise ValueError("once more")

    Repeat(clock, fail).start(1.0)
    clock.pump([1.0] * 3)
    assert calls == [1.0, 2.0, 3.0]


def test_it_can_be_stopped_by_what_it_calls() -> None:
    clock = Clock()

    def end() -> None:
        repeat.stop()

    repeat = Repeat(clock, end)
    repeat.start(1.0)
    clock.pump([1.0] * 3)
    assert not clock.getDelayedCalls()


def test_starting_again_replaces() -> None:
    clock, calls = Clock(), []
    repeat = Repeat(clock, lambda: calls.append(clock.seconds()))
    repeat.start(1.0)
    repeat.start(3.0)
    clock.pump([1.0] * 3)
    assert calls == [3.0]
