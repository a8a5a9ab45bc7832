"""A reactor that a test turns by hand, for whole servers in one process."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.selectreactor import SelectReactor


class Loop:
    """A reactor of its own."""

    def __init__(self) -> None:
        self.reactor: Any = SelectReactor()

    def turn(self, times: int = 5) -> None:
        """Lets it work for a moment."""
        for _ in range(times):
            self.reactor.iterate(0.01)

    def wait(self, deferred: Deferred[Any], seconds: float = 20) -> Any:
        """What the Deferred fires with."""
        results: list[Any] = []
        errors: list[Any] = []
        deferred.addCallbacks(results.append, errors.append)
        self.until(lambda: bool(results or errors), seconds)
        if errors:
            errors[0].raiseException()
        return results[0]

    def until(self, holds: Callable[[], bool], seconds: float = 20) -> None:
        """Turns until a condition holds."""
        limit = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < limit, "it never came to that"
            self.reactor.iterate(0.01)
