"""Figures of a stream of log bytes: how fast it is, and how far behind in time its end is.

Source: FlowMonitor, for the rate.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable
from typing import Final

SAMPLES: Final = 3600
"""So many ends are remembered; with one a second a slave's lag is known up to an hour."""


class Rate:
    """Counts bytes by whole seconds.

    Args:
        seconds: tells the time.
    """

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._second = int(seconds())
        self._count = 0
        self._before = 0

    def add(self, count: int) -> None:
        """Counts bytes that just went by."""
        self._turn()
        self._count += count

    @property
    def per_second(self) -> int:
        """Bytes of the last second that is over."""
        self._turn()
        return self._before

    def allowed(self, limit: int) -> int:
        """How many bytes more may go by in this second when `limit` may in each."""
        self._turn()
        return max(0, limit - self._count)

    def _turn(self) -> None:
        second = int(self._seconds())
        if second != self._second:
            self._before = self._count if second == self._second + 1 else 0
            self._second, self._count = second, 0


class EndHistory:
    """Remembers when a log ended where, to tell how old the first byte is that somebody lacks.

    Args:
        seconds: tells the time.
    """

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._samples: deque[tuple[int, float]] = deque(maxlen=SAMPLES)

    def note(self, end: int) -> None:
        """The log ends here now."""
        samples = self._samples
        if samples and samples[-1][0] > end:
            # It was cut: what is remembered is about another log.
            samples.clear()
        if samples and samples[-1][0] == end:
            samples.pop()
        samples.append((end, self._seconds()))

    def lag_millis(self, upto: int, end: int) -> int | None:
        """For how long at most something has been missing to one who has everything before `upto`.

        0 when nothing is missing; None when it is missing for longer than is remembered.

        Args:
            end: where the log ends now.
        """
        if upto >= end:
            return 0
        after = bisect_right(self._samples, upto, key=lambda sample: sample[0])
        if not after:
            return None
        return int((self._seconds() - self._samples[after - 1][1]) * 1000)
