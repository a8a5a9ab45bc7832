"""What can go wrong between two peers, seen from the caller.

Source: RemotingConnectException, RemotingTimeoutException, RemotingSendRequestException.
"""

from __future__ import annotations

from rmq.wire.codes import ResponseCode
from rmq.wire.errors import RemotingError


class TransportError(RemotingError):
    """The peer could not be asked, or did not answer."""

    def __str__(self) -> str:
        return self.remark


class ConnectFailedError(TransportError):
    """No connection to the address could be made."""

    default_code = ResponseCode.RPC_SEND_TO_CHANNEL_FAILED

    def __init__(self, address: str, reason: str = "") -> None:
        super().__init__(f"connect to {address} failed" + (f": {reason}" if reason else ""), address=address)


class CallTimeoutError(TransportError):
    """The peer did not answer in time."""

    default_code = ResponseCode.RPC_TIME_OUT

    def __init__(self, address: str, timeout: float) -> None:
        text = f"wait response on the channel <{address}> timeout, {round(timeout * 1000)}(ms)"
        super().__init__(text, address=address)


class ConnectionClosedError(TransportError):
    """The connection broke before the answer came."""

    default_code = ResponseCode.RPC_SEND_TO_CHANNEL_FAILED

    def __init__(self, address: str, reason: str = "") -> None:
        text = f"connection to {address} closed before the answer came"
        super().__init__(text + (f": {reason}" if reason else ""), address=address)


class UnreadableAnswerError(ConnectionClosedError):
    """The peer sent what is no frame, or is larger than a frame may be, and the connection was ended for it."""
