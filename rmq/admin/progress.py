"""A line on a terminal's standard error that tells how far a long operation is.

It appears only when an operation takes longer than a moment, is drawn a few times a second at most, and is wiped
before anything else is printed. Where standard error is no terminal there is none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TextIO

_MOMENT: Final = 0.7
_BETWEEN: Final = 0.1
_WIDTH: Final = 30
_WIPE: Final = "\r\x1b[K"


class ProgressLine:
    """Told of jobs that are done, draws a line.

    Args:
        stream: the terminal.
        clock: seconds, from any beginning.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float]) -> None:
        self._stream = stream
        self._clock = clock
        self._next = clock() + _MOMENT
        self._drawn = False

    def __call__(self, done: int, total: int) -> None:
        """Draws, if it is time to; see `rmq.client.admin.session.Progress`."""
        now = self._clock()
        if now < self._next:
            return
        self._next = now + _BETWEEN
        self._drawn = True
        filled = _WIDTH * done // total
        bar = "#" * filled + "." * (_WIDTH - filled)
        self._stream.write(f"\r[{bar}] {done} of {total}\x1b[K")
        self._stream.flush()

    def wipe(self) -> None:
        """Takes the line away."""
        if self._drawn:
            self._drawn = False
            self._stream.write(_WIPE)
            self._stream.flush()
