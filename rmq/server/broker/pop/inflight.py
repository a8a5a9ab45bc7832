"""Counts popped messages that wait for their acknowledgement, so that a group can be held back.

Source: PopInflightMessageCounter.
"""

from __future__ import annotations

from collections.abc import Callable


class InflightCounter:
    """The numbers per topic, group and queue, of what was popped since the start.

    Args:
        now: milliseconds since the epoch.
    """

    def __init__(self, now: Callable[[], int]) -> None:
        self._started = now()
        self._numbers: dict[tuple[str, str, int], int] = {}

    def popped(self, topic: str, group: str, queue_id: int, count: int) -> None:
        """So many more wait."""
        key = (topic, group, queue_id)
        self._numbers[key] = self._numbers.get(key, 0) + count

    def done(self, topic: str, group: str, queue_id: int, pop_time: int, count: int = 1) -> None:
        """So many less; what an earlier run popped was never counted."""
        key = (topic, group, queue_id)
        left = self._numbers.get(key, 0) - count
        if pop_time < self._started or key not in self._numbers:
            return
        if left > 0:
            self._numbers[key] = left
        else:
            del self._numbers[key]

    def clear(self, topic: str, group: str, queue_id: int) -> None:
        """None waits."""
        self._numbers.pop((topic, group, queue_id), None)

    def forget_all(self, gone: Callable[[str, str], bool]) -> None:
        """Topics and groups for which this is true were deleted."""
        self._numbers = {queue: number for queue, number in self._numbers.items() if not gone(*queue[:2])}

    def number(self, topic: str, group: str, queue_id: int) -> int:
        """How many wait."""
        return self._numbers.get((topic, group, queue_id), 0)
