"""What this project asks of a Twisted reactor and transport, as types.

The interfaces that Twisted declares are made for zope, and a type checker cannot follow them; these can be followed.
Every reactor, `twisted.internet.task.Clock` and Twisted's TCP transports fit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from twisted.logger import Logger

log = Logger()


class DelayedCall(Protocol):
    """A call that will be made later."""

    def cancel(self) -> None:
        """Takes it back."""
        ...

    def active(self) -> bool:
        """Whether it is still to be made."""
        ...


class Clock(Protocol):
    """Tells time and calls later."""

    def seconds(self) -> float:
        """Now; only differences mean anything."""
        ...

    def callLater(self, delay: float, callable: Callable[..., object], *args: Any, **kw: Any) -> DelayedCall:
        """Calls after so many seconds."""
        ...


class Transport(Protocol):
    """The sending side of a TCP connection."""

    def write(self, data: bytes) -> None:
        """Sends, or keeps until it can."""
        ...

    def loseConnection(self) -> None:
        """Closes after everything was sent."""
        ...

    def abortConnection(self) -> None:
        """Closes now."""
        ...

    def getPeer(self) -> object:
        """Who is at the other end."""
        ...

    def setTcpNoDelay(self, enabled: bool) -> None:
        """Whether small writes go out at once."""
        ...

    def registerProducer(self, producer: object, streaming: bool) -> None:
        """Who is to be told when the buffer fills and drains."""
        ...

    def unregisterProducer(self) -> None:
        """Tells nobody any more."""
        ...

    def pauseProducing(self) -> None:
        """Stops reading."""
        ...

    def resumeProducing(self) -> None:
        """Reads again."""
        ...


class Repeat:
    """Calls something again and again, and goes on when it fails.

    Twisted's LoopingCall would stop at the first failure, and making one installs the process's global reactor.

    Args:
        clock: calls later.
        call: what to call.
    """

    def __init__(self, clock: Clock, call: Callable[[], object]) -> None:
        self._clock = clock
        self._call = call
        self._interval = 0.0
        self._next: DelayedCall | None = None

    @property
    def running(self) -> bool:
        """Whether it is going on."""
        return self._next is not None

    def start(self, interval: float, *, first: float | None = None) -> None:
        """Begins; the first call is made after `first` seconds, or after one interval."""
        self.stop()
        self._interval = interval
        self._next = self._clock.callLater(interval if first is None else first, self._run)

    def stop(self) -> None:
        """Ends it."""
        pending, self._next = self._next, None
        if pending is not None and pending.active():
            pending.cancel()

    def _run(self) -> None:
        due = self._next
        try:
            self._call()
        except Exception:
            log.failure("a repeated call failed and will be tried again")
        # Unless the call itself has ended it, or begun it anew.
        if due is not None and self._next is due:
            self._next = self._clock.callLater(self._interval, self._run)


class SilenceTimer:
    """Calls when nothing was heard for a while, and again after every further while.

    Args:
        clock: tells time and calls later.
        seconds: how long the silence may last; asked anew each time it is waited for.
        call: what to call.
    """

    def __init__(self, clock: Clock, seconds: Callable[[], float], call: Callable[[], object]) -> None:
        self._clock = clock
        self._seconds = seconds
        self._call = call
        self._last = 0.0
        self._next: DelayedCall | None = None

    def start(self) -> None:
        """Begins; the silence counts from now."""
        self.stop()
        self.heard()
        self._next = self._clock.callLater(self._seconds(), self._look)

    def heard(self) -> None:
        """Ends the silence; costs no more than asking for the time."""
        self._last = self._clock.seconds()

    def stop(self) -> None:
        """Ends it."""
        pending, self._next = self._next, None
        if pending is not None and pending.active():
            pending.cancel()

    def _look(self) -> None:
        left = self._last + self._seconds() - self._clock.seconds()
        if left > 0:
            self._next = self._clock.callLater(left, self._look)
            return
        self.start()
        self._call()
