"""Figures with their times, for charts: the last quarter of an hour of what has been looked at."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence
from typing import Final

WINDOW: Final = 15 * 60_000
"""Ms that are kept."""
SAMPLES: Final = 900
"""Samples kept of each line: one a second for the window."""
LINES: Final = 256
"""Things of which samples are kept; the one that was looked at longest ago goes first."""

Key = tuple[str, ...]
Sample = tuple[int, tuple[float | None, ...]]
"""When (ms), and what; None where a figure was not known."""


class Timelines:
    """Samples by what they are of. No two are nearer than half a second."""

    def __init__(self) -> None:
        self._lines: OrderedDict[Key, deque[Sample]] = OrderedDict()

    def add(self, key: Key, at: int, figures: Sequence[float | None]) -> bool:
        """A sample; False when it was left out because the one before is too near."""
        line = self._lines.setdefault(key, deque(maxlen=SAMPLES))
        self._lines.move_to_end(key)
        if len(self._lines) > LINES:
            self._lines.popitem(last=False)
        if line and at - line[-1][0] < 500:
            return False
        line.append((at, tuple(figures)))
        while line[0][0] < at - WINDOW:
            line.popleft()
        return True

    def of(self, key: Key) -> tuple[Sample, ...]:
        """The samples, oldest first."""
        return tuple(self._lines.get(key, ()))
