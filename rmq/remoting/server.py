"""A listening server: accepts connections and gives their requests to a dispatcher.

Source: NettyRemotingServer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from twisted.internet.defer import Deferred, DeferredList, maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import Factory

from rmq.remoting.eager import EagerServer
from rmq.remoting.pressure import Pressure
from rmq.remoting.protocol import Connection, Handler
from rmq.wire.codes import MAX_FRAME

STOP_SECONDS: Final = 1.0
"""How long a peer may take to read the rest when the server stops."""


class ListenError(OSError):
    """The address cannot be listened on; the text says why."""


def listen_on(reactor: Any, host: str, port: int, factory: Factory, *, key: str) -> Any:
    """Listens; gives Twisted's port.

    Args:
        key: the setting that chooses the port, for the error's text.

    Raises:
        ListenError: the port is taken or not allowed.
    """
    try:
        listening = reactor.listenTCP(port, factory, backlog=1024, interface=host)
    except CannotListenError as error:
        raise ListenError(
            f"cannot listen on {host or '*'}:{port}: {error.socketError}; "
            f"is another server running there? Choose another {key} or stop it"
        ) from None
    listening.transport = EagerServer
    return listening


class RemotingServer:
    """A listening port, and more of them when wanted.

    Args:
        reactor: a Twisted reactor.
        handler: takes the requests of all connections.
        pressure: the limits that the connections share.
        max_frame: largest frame taken, in bytes.
        after_read: called after everything of one read of one connection was handled.
    """

    def __init__(
        self,
        reactor: Any,
        handler: Handler,
        *,
        pressure: Pressure | None = None,
        max_frame: int = MAX_FRAME,
        after_read: Callable[[], None] | None = None,
    ) -> None:
        self._reactor = reactor
        self._pressure = pressure or Pressure(reactor)
        self._factory = _ConnectionFactory(
            lambda: Connection(reactor, handler, max_frame=max_frame, pressure=self._pressure, after_read=after_read)
        )
        self._ports: list[Any] = []
        self.port = 0

    @property
    def connections(self) -> set[Connection]:
        """The peers that are connected now."""
        return self._pressure.connections

    def listen(self, host: str, port: int) -> None:
        """Starts to accept; with port 0 the system chooses one, which `port` then tells.

        Raises:
            ListenError: the port is taken or not allowed.
        """
        self._ports.append(listen_on(self._reactor, host, port, self._factory, key="listenPort"))
        self.port = self._ports[0].getHost().port
        self._pressure.start()

    def listen_also(self, host: str, port: int) -> None:
        """Accepts on one more port, for the same requests and under the same limits; after `listen`.

        Raises:
            ListenError: the port is taken or not allowed.
        """
        self._ports.append(listen_on(self._reactor, host, port, self._factory, key="listenPort"))

    def stop(self) -> Deferred[object]:
        """Stops accepting and ends all connections; fires when the last one is gone.

        What was written is sent first, for a second at most.
        """
        self._pressure.stop()
        ports, self._ports = self._ports, []
        ends: list[Deferred[Any]] = [maybeDeferred(port.stopListening) for port in ports]
        for connection in list(self.connections):
            gone: Deferred[Connection] = Deferred()
            connection.on_close(gone.callback)
            ends.append(gone)
            connection.close()
        hurry = self._reactor.callLater(STOP_SECONDS, self._abort_rest)
        done: Deferred[object] = DeferredList(ends, consumeErrors=True).addCallback(lambda _: None)
        done.addCallback(lambda _: hurry.cancel() if hurry.active() else None)
        return done

    def _abort_rest(self) -> None:
        for connection in list(self.connections):
            connection.abort("did not read to the end before the server stopped")


class _ConnectionFactory(Factory):
    noisy = False

    def __init__(self, make: Callable[[], Connection]) -> None:
        self._make = make

    def buildProtocol(self, addr: object) -> Connection:
        return self._make()
