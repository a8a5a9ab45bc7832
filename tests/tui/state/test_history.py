"""Rates and levels over time."""

from rmq.tui.state.history import GAP, SAMPLES, SERIES, History, drain_millis

KEY = ("topic", "Orders", "in")


def test_totals_become_rates() -> None:
    history = History()
    for at, total in ((1000, 100), (3000, 140), (5000, 140)):
        history.count(KEY, at, total)
    assert history.values(KEY) == [20.0, 0.0]
    assert history.last(KEY) == 0.0


def test_a_total_that_falls_begins_anew() -> None:
    history = History()
    for at, total in ((1000, 100), (2000, 200), (3000, 5)):
        history.count(KEY, at, total)
    assert history.values(KEY) == []
    history.count(KEY, 4000, 15)
    assert history.values(KEY) == [10.0]


def test_a_long_gap_is_no_rate() -> None:
    history = History()
    history.count(KEY, 1000, 100)
    history.count(KEY, 1001 + GAP, 1_000_000)
    assert history.last(KEY) is None


def test_two_totals_of_one_moment_are_one() -> None:
    history = History()
    for total in (100, 130):
        history.count(KEY, 1000, total)
    history.count(KEY, 2000, 150)
    assert history.values(KEY) == [20.0]


def test_levels_are_kept_as_they_are_and_not_without_end() -> None:
    history = History()
    for at in range(SAMPLES + 5):
        history.level(KEY, at * 1000, at)
    assert history.values(KEY) == list(range(5, SAMPLES + 5))


def test_the_series_that_was_fed_longest_ago_goes_first() -> None:
    history = History()
    for number in range(SERIES + 1):
        history.level((str(number),), 1000, 1)
    assert history.values(("0",)) == []
    assert history.values(("1",)) == [1]


def test_when_a_group_is_done() -> None:
    assert drain_millis(0, None, None) == 0
    assert drain_millis(100, 30.0, 10.0) == 5000
    assert drain_millis(100, 10.0, 10.0) is None
    assert drain_millis(100, None, 1.0) is None
