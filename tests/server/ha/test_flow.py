"""How fast a stream is, and how old what a slave lacks."""

from twisted.internet.task import Clock

from rmq.server.ha.flow import SAMPLES, EndHistory, Rate


def test_a_rate_is_that_of_the_last_whole_second() -> None:
    clock = Clock()
    rate = Rate(clock.seconds)
    rate.add(100)
    clock.advance(0.5)
    rate.add(50)
    assert rate.per_second == 0
    clock.advance(0.5)
    assert rate.per_second == 150
    rate.add(7)
    assert rate.per_second == 150
    clock.advance(1.0)
    assert rate.per_second == 7
    clock.advance(1.0)
    assert rate.per_second == 0


def test_a_second_without_anything_lies_between() -> None:
    clock = Clock()
    rate = Rate(clock.seconds)
    rate.add(100)
    clock.advance(2.0)
    assert rate.per_second == 0


def test_what_is_allowed_ends_with_the_limit_and_comes_back_with_the_second() -> None:
    clock = Clock()
    rate = Rate(clock.seconds)
    assert rate.allowed(100) == 100
    rate.add(60)
    assert rate.allowed(100) == 40
    rate.add(60)
    assert rate.allowed(100) == 0
    clock.advance(1.0)
    assert rate.allowed(100) == 100


def history(ends: list[int]) -> tuple[Clock, EndHistory]:
    """A log whose end was looked at once a second, last just now."""
    clock = Clock()
    known = EndHistory(clock.seconds)
    for second, end in enumerate(ends):
        if second:
            clock.advance(1.0)
        known.note(end)
    return clock, known


def test_lag_is_the_time_since_the_log_ended_where_the_slave_is() -> None:
    clock, known = history([100, 200, 300])
    clock.advance(0.25)
    assert known.lag_millis(350, 350) == 0
    assert known.lag_millis(300, 350) == 250
    assert known.lag_millis(299, 350) == 1250
    assert known.lag_millis(200, 350) == 1250
    assert known.lag_millis(100, 350) == 2250


def test_lag_beyond_memory_is_not_known() -> None:
    _, known = history([100, 200])
    assert known.lag_millis(99, 300) is None
    _, known = history(list(range(SAMPLES + 2)))
    assert known.lag_millis(1, SAMPLES + 2) is None
    assert known.lag_millis(2, SAMPLES + 2) == (SAMPLES - 1) * 1000


def test_while_nothing_is_stored_nothing_is_missing_for_long() -> None:
    clock, known = history([100, 100, 100, 100])
    clock.advance(0.5)
    assert known.lag_millis(100, 200) == 500


def test_a_log_that_was_cut_begins_a_new_history() -> None:
    _, known = history([100, 200, 150])
    assert known.lag_millis(120, 160) is None
    assert known.lag_millis(155, 160) == 0
    assert known.lag_millis(150, 160) == 0
