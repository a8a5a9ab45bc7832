"""Samples drawn together into as many points as a chart has columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from rmq.tui.state.timeline import WINDOW, Sample

GAP: Final = 90_000
"""Ms without a sample after which a line is not drawn on."""
_SHORTEST: Final = 60_000
"""Ms that a chart shows at least."""


class Stretch(NamedTuple):
    """Points of a line without a gap: minutes before now (negative), and values."""

    minutes: list[float]
    values: list[float]


def span_of(samples: Sequence[Sample], now: int) -> int:
    """Ms that a chart of the samples shows: as long as they reach, in whole minutes, and at most the window."""
    if not samples:
        return _SHORTEST
    reach = max(now - samples[0][0], _SHORTEST)
    return min(-(-reach // 60_000) * 60_000, WINDOW)


def stretches(samples: Sequence[Sample], index: int, now: int, columns: int) -> list[Stretch]:
    """A figure's line, the mean of each column a point.

    Args:
        samples: oldest first.
        index: which of the figures.
        now: ms since the epoch; the right end.
        columns: how many points there may be.
    """
    width = span_of(samples, now) / max(columns, 1)
    none_yet = 1  # columns are numbered from the right end, which is 0, downwards
    found: list[Stretch] = []
    before, column, held = 0, none_yet, 0
    for at, figures in samples:
        value = figures[index]
        if value is None:
            continue
        if not found or at - before > max(GAP, 2 * width):
            found.append(Stretch([], []))
            column = none_yet
        before = at
        line = found[-1]
        here = min(int((at - now) // width), 0)
        minutes = (at - now) / 60_000
        if here == column:
            held += 1
            line.values[-1] += (value - line.values[-1]) / held
            line.minutes[-1] += (minutes - line.minutes[-1]) / held
        else:
            column, held = here, 1
            line.minutes.append(minutes)
            line.values.append(float(value))
    return found
