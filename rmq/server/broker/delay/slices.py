"""Work in slices, so that what waits never keeps what comes.

A look at the clock's pace finds whether anything is due. While there is more than one slice of work, slices follow
each other with the reactor's other work between them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.logger import Logger

from rmq.remoting.reactor import Clock, DelayedCall, Repeat

LOOK_SECONDS: Final = 0.1
"""Pause between two looks."""

log = Logger()


class Slices:
    """Calls for slices of work.

    Args:
        clock: calls later.
        work: does a slice; whether there is more to be done at once.
        name: of the work, for the log.
    """

    def __init__(self, clock: Clock, work: Callable[[], bool], name: str) -> None:
        self._clock = clock
        self._work = work
        self._name = name
        self._looks = Repeat(clock, self._look)
        self._next: DelayedCall | None = None
        self._failing = False

    def start(self) -> None:
        """Begins."""
        self._looks.start(LOOK_SECONDS)

    def stop(self) -> None:
        """Ends it, between two slices."""
        self._looks.stop()
        pending, self._next = self._next, None
        if pending is not None and pending.active():
            pending.cancel()

    def _look(self) -> None:
        if self._next is None:
            self._slice()

    def _slice(self) -> None:
        self._next = None
        try:
            more = self._work()
        except Exception as error:
            # Tried again at the next look; told once until it works again.
            more = False
            if not self._failing:
                self._failing = True
                if isinstance(error, OSError):
                    log.error("{name} cannot go on now: {error}", name=self._name, error=error)
                else:
                    log.failure("{name} cannot go on now", name=self._name)
        else:
            self._failing = False
        if more and self._looks.running:
            self._next = self._clock.callLater(0, self._slice)
