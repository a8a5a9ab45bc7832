"""What totals have become over time: rates and levels of everything that was looked at lately.

A rate is the difference of two totals over the time between them. A total that falls (a server was started again) or
that was last seen long ago begins anew instead of giving a rate that never was.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Final

SAMPLES: Final = 60
"""Values kept of each series."""
SERIES: Final = 20_000
"""Series kept; the one that was fed longest ago goes first."""
GAP: Final = 120_000
"""Ms after which two samples do not belong together."""

Key = tuple[str, ...]


class _Series:
    __slots__ = ("at", "total", "values")

    def __init__(self, at: int, total: float) -> None:
        self.at = at
        self.total = total
        self.values: deque[float] = deque(maxlen=SAMPLES)


class History:
    """Series by key. Times are ms."""

    def __init__(self) -> None:
        self._series: OrderedDict[Key, _Series] = OrderedDict()

    def count(self, key: Key, at: int, total: float) -> None:
        """A total at a time; the series' values are rates per second."""
        series = self._of(key, at, total)
        if total < series.total or at - series.at > GAP:
            series.values.clear()
        elif at > series.at:
            series.values.append((total - series.total) * 1000 / (at - series.at))
        series.at, series.total = at, total

    def level(self, key: Key, at: int, value: float) -> None:
        """A value at a time; the series' values are those."""
        series = self._of(key, at, value)
        if at - series.at > GAP:
            series.values.clear()
        if at > series.at or not series.values:
            series.values.append(value)
        series.at = at

    def values(self, key: Key) -> list[float]:
        """The series, oldest first; empty when there is none."""
        series = self._series.get(key)
        return [] if series is None else list(series.values)

    def last(self, key: Key) -> float | None:
        """The newest value."""
        series = self._series.get(key)
        return series.values[-1] if series is not None and series.values else None

    def _of(self, key: Key, at: int, total: float) -> _Series:
        series = self._series.get(key)
        if series is None:
            series = self._series[key] = _Series(at, total)
            if len(self._series) > SERIES:
                self._series.popitem(last=False)
        self._series.move_to_end(key)
        return series


def drain_millis(lag: int, consumed: float | None, produced: float | None) -> int | None:
    """How long a group needs to be done at these rates; None when it is not getting nearer, or that is unknown."""
    if not lag:
        return 0
    if consumed is None or produced is None or consumed <= produced:
        return None
    return int(lag * 1000 / (consumed - produced))
