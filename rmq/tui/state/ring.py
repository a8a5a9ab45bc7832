"""The newest of many things: so many are kept, and how fast they come is known."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

from rmq.tui.service.model import StoredMessage

KEPT: Final = 2000
"""Messages that are kept; the oldest goes first."""
_SPAN: Final = 10_000
"""Ms over which the rate is taken."""


class Ring:
    """New messages of what is followed.

    Attributes:
        messages: by their keys, the oldest first.
        came: how many have come since the beginning.
        dropped: how many came too fast to be read.
        gone: how many were shown and have made place for newer ones.
    """

    def __init__(self) -> None:
        self.messages: dict[str, StoredMessage] = {}
        self.came = 0
        self.dropped = 0
        self.gone = 0
        self._counts: deque[tuple[int, int]] = deque()

    def add(self, messages: Sequence[StoredMessage], dropped: int, now: int) -> None:
        """Takes what a look has brought."""
        self.came += len(messages)
        self.dropped += dropped
        self._counts.append((now, len(messages) + dropped))
        while self._counts[0][0] < now - _SPAN:
            self._counts.popleft()
        if not messages:
            return
        kept = {**self.messages, **{message.key: message for message in messages}}
        over = max(len(kept) - KEPT, 0)
        self.gone += over
        for key in list(kept)[:over]:
            del kept[key]
        self.messages = kept

    def clear(self) -> None:
        """Lets go of what is shown."""
        self.messages = {}

    def rate(self) -> float | None:
        """Messages a second, lately; None before two looks."""
        if len(self._counts) < 2:
            return None
        first, last = self._counts[0][0], self._counts[-1][0]
        return sum(number for _, number in list(self._counts)[1:]) * 1000 / (last - first) if last > first else None
