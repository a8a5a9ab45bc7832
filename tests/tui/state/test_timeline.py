"""Samples for charts: how many are kept, and how they become points."""

from rmq.tui.service.model import Broker, Cluster, Problem
from rmq.tui.state.buckets import span_of, stretches
from rmq.tui.state.history import History
from rmq.tui.state.sampling import WHOLE, broker_key, sample_cluster
from rmq.tui.state.timeline import LINES, SAMPLES, WINDOW, Timelines

NOW = 10_000_000


def test_a_quarter_of_an_hour_is_kept() -> None:
    lines = Timelines()
    for second in range(2_000):
        assert lines.add(("a",), second * 1000, (1.0,))
    kept = lines.of(("a",))
    assert len(kept) == SAMPLES
    assert (kept[0][0], kept[-1][0]) == (1_100_000, 1_999_000)
    assert lines.add(("a",), 1_999_000 + WINDOW, (2.0,))
    assert lines.of(("a",)) == ((1_999_000, (1.0,)), (1_999_000 + WINDOW, (2.0,)))


def test_samples_keep_their_distance() -> None:
    lines = Timelines()
    assert [lines.add(("a",), at, (1.0,)) for at in (0, 400, 500, 999, 1000)] == [True, False, True, False, True]


def test_what_was_looked_at_longest_ago_is_forgotten() -> None:
    lines = Timelines()
    for number in range(LINES + 1):
        lines.add((str(number),), 0, (1.0,))
    assert (lines.of(("0",)), len(lines.of(("1",))), lines.of(("nobody",))) == ((), 1, ())


def test_points_are_means_of_columns() -> None:
    samples = [(NOW - 60_000 + second * 1000, (float(second), None)) for second in range(0, 60, 2)]
    assert span_of(samples, NOW) == 60_000
    (line,) = stretches(samples, 0, NOW, 6)
    assert line.values == [4.0, 14.0, 24.0, 34.0, 44.0, 54.0]
    assert [round(minute, 3) for minute in line.minutes] == [-0.933, -0.767, -0.6, -0.433, -0.267, -0.1]
    assert stretches(samples, 1, NOW, 6) == []


def test_a_gap_is_not_drawn_over() -> None:
    samples = [(NOW - 300_000, (1.0,)), (NOW - 299_000, (2.0,)), (NOW - 1000, (3.0,))]
    assert [line.values for line in stretches(samples, 0, NOW, 1000)] == [[1.0, 2.0], [3.0]]
    assert span_of(samples, NOW) == 300_000
    assert span_of((), NOW) == 60_000


def test_a_sample_of_just_now_is_a_point() -> None:
    for at in (NOW - 500, NOW, NOW + 60_000):
        assert [line.values for line in stretches([(at, (3.0,))], 0, NOW, 4)] == [[3.0]]
    assert [line.values for line in stretches([(NOW - 500, (3.0,)), (NOW - 1, (5.0,))], 0, NOW, 1)] == [[4.0]]


def test_totals_of_brokers_become_rates() -> None:
    history, lines = History(), Timelines()
    dead = Broker("C1", "c", 0, "h:3", problem=Problem("no answer", "h:3"))
    for second, (first, second_broker) in enumerate(((100, 50), (110, 53), (130, 53))):
        brokers = (
            Broker("C1", "a", 0, "h:1", put_total=first, get_total=0),
            Broker("C1", "b", 0, "h:2", put_total=second_broker, get_total=7 * second),
            dead,
        )
        sample_cluster(Cluster(brokers, ()), second * 1000, history, lines)
    assert lines.of(WHOLE) == ((1000, (13.0, 7.0)), (2000, (20.0, 7.0)))
    assert lines.of(broker_key("h:1")) == ((1000, (10.0, 0.0)), (2000, (20.0, 0.0)))
    assert lines.of(broker_key("h:3")) == ()
