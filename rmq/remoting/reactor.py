"""What this project asks of a Twisted reactor and transport, as types.

The interfaces that Twisted declares are made for zope, and a type checker cannot follow them; these can be followed.
Every reactor, `twisted.internet.task.Clock` and Twisted's TCP transports fit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


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

    def pauseProducing(self) -> None:
        """Stops reading."""
        ...

    def resumeProducing(self) -> None:
        """Reads again."""
        ...
