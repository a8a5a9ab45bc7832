"""Repeating."""

from twisted.internet.task import Clock

from rmq.remoting.reactor import Repeat, SilenceTimer


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


def test_it_can_be_started_again_by_what_it_calls() -> None:
    clock, calls = Clock(), []

    def slower() -> None:
        calls.append(clock.seconds())
        repeat.start(2.0)

    repeat = Repeat(clock, slower)
    repeat.start(1.0)
    clock.pump([1.0] * 5)
    assert calls == [1.0, 3.0, 5.0]
    assert len(clock.getDelayedCalls()) == 1


def test_starting_again_replaces() -> None:
    clock, calls = Clock(), []
    repeat = Repeat(clock, lambda: calls.append(clock.seconds()))
    repeat.start(1.0)
    repeat.start(3.0)
    clock.pump([1.0] * 3)
    assert calls == [3.0]


class Silence:
    def __init__(self, seconds: float = 5.0) -> None:
        self.clock = Clock()
        self.seconds = seconds
        self.calls: list[float] = []
        self.timer = SilenceTimer(self.clock, lambda: self.seconds, lambda: self.calls.append(self.clock.seconds()))
        self.timer.start()


def test_silence_calls_again_and_again() -> None:
    silence = Silence()
    silence.clock.pump([1.0] * 11)
    assert silence.calls == [5.0, 10.0]


def test_what_is_heard_puts_it_off() -> None:
    silence = Silence()
    for _ in range(4):
        silence.clock.advance(3.0)
        silence.timer.heard()
    silence.clock.pump([1.0] * 6)
    assert silence.calls == [17.0]
    assert len(silence.clock.getDelayedCalls()) == 1


def test_another_time_counts_from_the_next_look() -> None:
    silence = Silence()
    silence.seconds = 7.0
    silence.clock.pump([1.0] * 6)
    assert silence.calls == []
    silence.clock.pump([1.0] * 8)
    assert silence.calls == [7.0, 14.0]


def test_a_stopped_one_is_silent() -> None:
    silence = Silence()
    silence.timer.stop()
    silence.clock.advance(100.0)
    assert silence.calls == []
    assert not silence.clock.getDelayedCalls()
    silence.timer.stop()


def test_it_can_be_stopped_from_its_call() -> None:
    clock = Clock()

    def end() -> None:
        timer.stop()

    timer = SilenceTimer(clock, lambda: 5.0, end)
    timer.start()
    clock.advance(5.0)
    assert not clock.getDelayedCalls()
