"""Calls peers over Twisted: one connection an address, made when first needed and again after it broke.

Source: NettyRemotingClient.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectError, TimeoutError
from twisted.internet.protocol import ClientFactory
from twisted.python.failure import Failure

from rmq.remoting.calls import DEFAULT_TIMEOUT, SUCCESS, Answer, accepted, request_command
from rmq.remoting.dispatch import Dispatcher
from rmq.remoting.errors import CallTimeoutError, ConnectFailedError
from rmq.remoting.protocol import Connection, Handler
from rmq.wire.address import split_address
from rmq.wire.declare import Declared
from rmq.wire.signing import Credentials


class RemotingClient:
    """A pool of connections, one an address. Provides `rmq.remoting.calls.Invoker` on a Twisted reactor.

    Args:
        reactor: a Twisted reactor.
        handler: takes the requests that servers send to clients; by default all are refused.
        connect_timeout: seconds for making a connection.
        credentials: with what requests are signed; they are not without any.
    """

    def __init__(
        self,
        reactor: Any,
        handler: Handler | None = None,
        *,
        connect_timeout: float = 3.0,
        credentials: Credentials | None = None,
    ) -> None:
        self._reactor = reactor
        self._handler = handler or Dispatcher(())
        self._connect_timeout = connect_timeout
        self._credentials = credentials
        self._connections: dict[str, Connection] = {}
        self._connecting: dict[str, list[Deferred[Connection]]] = {}
        self._connectors: dict[str, Any] = {}

    def connection(self, address: str) -> Deferred[Connection]:
        """The connection to an address, made if there is none.

        Raises (as failures):
            ConnectFailedError: it cannot be made.
        """
        known = self._connections.get(address)
        if known is not None and known.alive:
            return succeed(known)
        result: Deferred[Connection] = Deferred()
        waiting = self._connecting.setdefault(address, [])
        waiting.append(result)
        if len(waiting) == 1:
            self._connect(address)
        return result

    def _connect(self, address: str) -> None:
        try:
            host, port = split_address(address)
        except ValueError as error:
            self._connected(address, ConnectFailedError(address, str(error)))
            return
        factory = _Connecting(self._reactor, self._handler, lambda outcome: self._connected(address, outcome))
        connector = self._reactor.connectTCP(host, port, factory, timeout=self._connect_timeout)
        # A connection to this machine can fail before connectTCP returns.
        if address in self._connecting:
            self._connectors[address] = connector

    def _connected(self, address: str, outcome: Connection | Exception) -> None:
        waiting = self._connecting.pop(address, [])
        self._connectors.pop(address, None)
        if isinstance(outcome, Connection):
            self._connections[address] = outcome
            outcome.on_close(lambda gone: self._forget(address, gone))
        for result in waiting:
            if isinstance(outcome, Connection):
                result.callback(outcome)
            else:
                reason = outcome if isinstance(outcome, ConnectFailedError) else ConnectFailedError(address)
                result.errback(reason)

    def _forget(self, address: str, gone: Connection) -> None:
        if self._connections.get(address) is gone:
            del self._connections[address]

    def call(
        self,
        address: str,
        header: Declared,
        body: bytes | Declared = b"",
        *,
        timeout: float = DEFAULT_TIMEOUT,
        accept: frozenset[int] = SUCCESS,
    ) -> Deferred[Answer]:
        """Sends a request and waits for its answer; see `rmq.remoting.calls.Invoker`."""
        known = self._connections.get(address)
        if known is not None and known.alive:
            reply = known.call(request_command(header, body, self._credentials), timeout)
        else:
            reply = self._call_when_connected(address, header, body, timeout)
        return reply.addCallback(lambda command: accepted(header, command, address, accept))

    def _call_when_connected(
        self, address: str, header: Declared, body: bytes | Declared, timeout: float
    ) -> Deferred[Any]:
        started = self._reactor.seconds()

        def connected(connection: Connection) -> Deferred[Any]:
            left = timeout - (self._reactor.seconds() - started)
            return connection.call(request_command(header, body, self._credentials), max(left, 0.0))

        connecting = self.connection(address)
        connecting.addTimeout(
            timeout,
            self._reactor,
            lambda _result, _timeout: Failure(CallTimeoutError(address, timeout)),  # type: ignore[no-untyped-call]
        )
        return connecting.addCallback(connected)

    def send_oneway(self, address: str, header: Declared, body: bytes | Declared = b"") -> Deferred[None]:
        """Sends a request that is never answered; fires when it is on its way."""
        command = request_command(header, body, self._credentials, oneway=True)
        return self.connection(address).addCallback(lambda connection: connection.send_oneway(command))

    def close(self) -> None:
        """Ends all connections."""
        for connector in list(self._connectors.values()):
            connector.stopConnecting()
        for connection in list(self._connections.values()):
            connection.close()


class _Connecting(ClientFactory):
    """One attempt to connect."""

    noisy = False

    def __init__(self, reactor: Any, handler: Handler, done: Callable[[Connection | Exception], None]) -> None:
        self._reactor = reactor
        self._handler = handler
        self._done = done

    def buildProtocol(self, addr: object) -> Connection:
        return _ClientConnection(self._reactor, self._handler, self._done)

    def clientConnectionFailed(self, connector: Any, reason: Failure) -> None:
        self._done(ConnectFailedError(f"{connector.host}:{connector.port}", connect_problem(reason.value)))


def connect_problem(error: BaseException | None) -> str:
    """Why a connection could not be made, in the system's words."""
    if isinstance(error, TimeoutError):
        return "no answer"
    # Twisted puts the system's words into a sentence of its own.
    number = error.osError if isinstance(error, ConnectError) else None
    return os.strerror(number) if number else str(error)


class _ClientConnection(Connection):
    """Tells who waits for it that it stands."""

    def __init__(self, reactor: Any, handler: Handler, done: Callable[[Connection | Exception], None]) -> None:
        super().__init__(reactor, handler)
        self._done = done

    def connectionMade(self) -> None:
        super().connectionMade()
        self._done(self)
