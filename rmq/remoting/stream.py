"""Raw byte streams beside the remoting protocol: what a master's log goes to its slaves over.

Source: AutoSwitchHAService's and DefaultHAService's sockets: plain TCP, small writes go out at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import UserError
from twisted.internet.protocol import ClientFactory, Factory, Protocol
from twisted.python.failure import Failure

from rmq.remoting.client import connect_problem
from rmq.remoting.errors import ConnectFailedError
from rmq.remoting.protocol import describe
from rmq.remoting.reactor import Transport
from rmq.remoting.server import listen_on


class Stream(Protocol):
    """One end of a connection; subclasses override Protocol's methods.

    Attributes:
        address: the peer, `host:port`, once there is a connection.
        tcp: the transport, once there is a connection.
        urgent: tells `ServerReactor` to handle what comes before what clients sent, who may be waiting for it.
    """

    urgent = True
    address = "?"
    tcp: Transport
    _made: Callable[[], None] | None = None

    def connectionMade(self) -> None:
        """Notes who the peer is."""
        self.tcp.setTcpNoDelay(True)
        self.address, _ = describe(self.tcp.getPeer())

    def makeConnection(self, transport: Any) -> None:
        """Tells who connected this stream, after `connectionMade`."""
        self.tcp = transport
        super().makeConnection(transport)  # type: ignore[no-untyped-call]
        if self._made is not None:
            self._made()

    def when_made(self, callback: Callable[[], None]) -> None:
        """Calls back when the connection is made."""
        self._made = callback


S = TypeVar("S", bound=Stream)


class StreamServer:
    """One listening port for streams.

    Args:
        reactor: a Twisted reactor.
        make: gives the server's end of a new connection; None closes it.
        key: the setting that chooses the port; part of the error when it is taken.

    Attributes:
        port: the port that is listened on, 0 while none is.
    """

    def __init__(self, reactor: Any, make: Callable[[], Stream | None], *, key: str) -> None:
        self._reactor = reactor
        self._factory = _StreamFactory(make)
        self._key = key
        self._listening: Any = None
        self.port = 0

    def listen(self, host: str, port: int) -> None:
        """Starts to accept; with port 0 the system chooses one, which `port` then tells.

        Raises:
            ListenError: the port is taken or not allowed.
        """
        self._listening = listen_on(self._reactor, host, port, self._factory, key=self._key)
        self.port = self._listening.getHost().port

    def stop(self) -> Deferred[object]:
        """Stops accepting, and fires then; what was accepted stays with who made it."""
        listening, self._listening = self._listening, None
        if listening is None:
            return succeed(None)
        closed: object = listening.stopListening()
        return closed if isinstance(closed, Deferred) else succeed(None)


class _StreamFactory(Factory):
    noisy = False

    def __init__(self, make: Callable[[], Stream | None]) -> None:
        self._make = make

    def buildProtocol(self, addr: object) -> Stream | None:
        return self._make()


def connect_stream(reactor: Any, host: str, port: int, stream: S, *, timeout: float) -> Deferred[S]:
    """Connects; fires with the stream when its connection stands, right after its `connectionMade`.

    Cancelling gives the attempt up.

    Args:
        reactor: a Twisted reactor.
        stream: this end of the connection.
        timeout: seconds.

    Raises (as failures):
        ConnectFailedError: the connection cannot be made.
    """
    result: Deferred[S] = Deferred(lambda _: connector.stopConnecting())
    stream.when_made(lambda: result.callback(stream))
    connector = reactor.connectTCP(host, port, _Connecting(stream, result), timeout=timeout)
    return result


class _Connecting(ClientFactory):
    """One attempt to connect."""

    noisy = False

    def __init__(self, stream: Stream, result: Deferred[Any]) -> None:
        self._stream = stream
        self._result = result

    def buildProtocol(self, addr: object) -> Stream:
        return self._stream

    def clientConnectionFailed(self, connector: Any, reason: Failure) -> None:
        if not isinstance(reason.value, UserError):
            address = f"{connector.host}:{connector.port}"
            self._result.errback(ConnectFailedError(address, connect_problem(reason.value)))
