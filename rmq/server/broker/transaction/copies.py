"""Where half messages went that were stored again.

A producer may end a transaction by the place of an earlier copy: it was slow, or asked for time without checks. The
newest copy has then ended too, and must not be asked about. Only the newest `MOST_COPIES` steps are remembered, and
none across a restart; whoever is forgotten is asked once more.
"""

from __future__ import annotations

from typing import Final

MOST_COPIES: Final = 1 << 16


class Copies:
    """Steps from one copy of a half message to the next."""

    def __init__(self) -> None:
        self._next: dict[tuple[int, int], int] = {}

    def note(self, queue_id: int, offset: int, copy: int) -> None:
        """The half message at this queue offset was stored again at that one."""
        self._next[queue_id, offset] = copy
        if len(self._next) > MOST_COPIES:
            del self._next[next(iter(self._next))]

    def newest(self, queue_id: int, offset: int) -> int:
        """Queue offset of the newest known copy."""
        while (copy := self._next.get((queue_id, offset), -1)) > offset:
            offset = copy
        return offset
