"""Bars along a line of time."""

import pytest

from rmq.tui.service.model import StepKind, TraceStep
from rmq.tui.state.trace_bars import Span, axis, bar, span_of


def step(start: int, millis: int | None = 0) -> TraceStep:
    return TraceStep(StepKind.CONSUME, "g", "c", start, millis)


def test_the_line_goes_from_the_first_beginning_to_the_last_end() -> None:
    steps = [step(1000, 10), step(1500, 2500), step(3900, None)]
    assert span_of(steps) == Span(1000, 4000)
    assert span_of([step(7)]) == Span(7, 8)
    assert span_of([]).millis == 1


@pytest.mark.parametrize(
    ("start", "millis", "place"),
    [(0, 1000, (0, 50)), (0, 0, (0, 1)), (500, 250, (25, 13)), (990, 10, (49, 1)), (1000, 0, (49, 1)),
     (999, None, (49, 1))],
)  # fmt: skip
def test_where_a_bar_stands(start: int, millis: int | None, place: tuple[int, int]) -> None:
    assert bar(step(start, millis), Span(0, 1000), 50) == place


def test_no_bar_leaves_the_line() -> None:
    span = Span(0, 977)
    for width in (8, 31, 80):
        for start in range(0, 977, 13):
            at, length = bar(step(start, 977 - start), span, width)
            assert 0 <= at < width
            assert 1 <= length <= width - at


def test_marks() -> None:
    assert axis(Span(0, 1000), 44) == "0          +250ms     +500ms     +750ms  +1s"
    assert axis(Span(0, 13910), 26) == "0     +3.48s       +13.91s"
    assert axis(Span(0, 5), 9) == "0    +5ms"
    assert axis(Span(0, 1), 44) == f"0{'+1ms':>43}"
    assert axis(Span(0, 3), 44).split() == ["0", "+1ms", "+2ms", "+3ms"]
    assert {len(axis(Span(0, 13910), width)) for width in range(8, 100)} == set(range(8, 100))
