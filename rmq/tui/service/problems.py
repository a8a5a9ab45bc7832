"""Turns what servers refuse and networks do into a `Problem` with a remedy."""

from __future__ import annotations

from typing import Final

from rmq.remoting.errors import CallTimeoutError, ConnectFailedError, ConnectionClosedError, TransportError
from rmq.tui.service.model import Problem
from rmq.wire.codes import ResponseCode
from rmq.wire.errors import RemotingError

_LONGEST: Final = 200
_REMEDIES: Final[dict[int, str]] = {
    ResponseCode.SYSTEM_BUSY: "the server is overloaded: try again later",
    ResponseCode.NO_PERMISSION: "this user or address is not allowed to ask",
    ResponseCode.TOPIC_NOT_EXIST: "no broker has registered it with this name server",
    ResponseCode.REQUEST_CODE_NOT_SUPPORTED: "the server is older than the question",
}


class AdvertisedAddressError(ConnectFailedError):
    """No connection could be made to an address that a server advertises.

    Attributes:
        reached_at: where it was looked for, if not there.
    """

    def __init__(self, address: str, reached_at: str, cause: ConnectFailedError) -> None:
        super().__init__(address, cause.remark.rpartition("failed: ")[2])
        self.reached_at = reached_at


def problem_of(error: RemotingError) -> Problem:
    """What a screen says about an error."""
    cause = " ".join(error.remark.partition("\nSee ")[0].split())[:_LONGEST] or type(error).__name__
    if isinstance(error, TransportError):
        return Problem(_plain(error, cause), error.address, None, _remedy(error))
    code = int(error.code)
    # No server gave a code below zero: the client itself found that something cannot be.
    return Problem(cause, error.address, code if code >= 0 else None, _REMEDIES.get(code, ""))


def _plain(error: TransportError, cause: str) -> str:
    if isinstance(error, CallTimeoutError):
        return "no answer in time"
    if isinstance(error, ConnectionClosedError):
        return "connection closed before the answer came"
    reason = cause.rpartition("failed: ")[2]
    return f"cannot connect: {reason}" if isinstance(error, ConnectFailedError) else cause


def _remedy(error: TransportError) -> str:
    if isinstance(error, AdvertisedAddressError):
        if error.reached_at:
            return f"looked for at {error.reached_at}, as address_map says: is that right?"
        return (
            f":map {error.address} HOST:PORT if it is up: the name server tells this address, "
            "which may not be reachable from here"
        )
    if isinstance(error, CallTimeoutError):
        return "it is slow or stuck; it is asked again"
    return "is it running, and is this the address it can be reached at from here?"
