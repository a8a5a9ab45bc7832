"""Raw streams: who accepts and connects, what is told when it works, fails or is given up."""

import errno
from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import CannotListenError, ConnectionRefusedError, UserError
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure

from rmq.remoting.eager import EagerServer
from rmq.remoting.errors import ConnectFailedError
from rmq.remoting.server import ListenError
from rmq.remoting.stream import Stream, StreamServer, connect_stream
from tests.kit.peer import MemoryTransport


class Noting(Stream):
    def __init__(self) -> None:
        self.noted: list[object] = []

    def connectionMade(self) -> None:
        super().connectionMade()
        self.noted.append("made")

    def dataReceived(self, data: bytes) -> None:
        self.noted.append(data)


class Connecting:
    def __init__(self) -> None:
        self.reactor = MemoryReactorClock()
        self.stream = Noting()
        self.results: list[object] = []
        self.deferred = connect_stream(self.reactor, "10.0.0.9", 10912, self.stream, timeout=2.5)
        self.deferred.addCallbacks(
            lambda stream: self.results.append((stream, list(stream.noted))),
            lambda failure: self.results.append(failure.value),
        )
        self.factory = self.reactor.tcpClients[0][2]

    def fail(self, error: Exception) -> None:
        connector = type("Connector", (), {"host": "10.0.0.9", "port": 10912})
        self.factory.clientConnectionFailed(connector, Failure(error))


def test_connecting_gives_the_stream_when_it_stands() -> None:
    world = Connecting()
    host, port, _, timeout, _ = world.reactor.tcpClients[0]
    assert (host, port, timeout) == ("10.0.0.9", 10912, 2.5)
    transport = MemoryTransport()
    protocol = world.factory.buildProtocol(None)
    assert world.results == []
    protocol.makeConnection(transport)
    assert world.results == [(world.stream, ["made"])]
    assert (world.stream.address, transport.no_delay) == ("10.0.0.1:40000", True)
    assert world.stream.tcp is transport


def test_a_refused_connection_is_an_error_with_the_address() -> None:
    world = Connecting()
    world.fail(ConnectionRefusedError(errno.ECONNREFUSED))
    (error,) = world.results
    assert isinstance(error, ConnectFailedError)
    assert str(error) == "connect to 10.0.0.9:10912 failed: Connection refused"


def test_an_attempt_can_be_given_up() -> None:
    world = Connecting()
    connector = world.reactor.connectors[0]
    connector.stopConnecting = lambda: world.fail(UserError())
    world.deferred.cancel()
    (error,) = world.results
    assert isinstance(error, CancelledError)


def test_a_server_makes_a_stream_for_each_connection() -> None:
    reactor = MemoryReactorClock()
    made: list[Noting] = []

    def make() -> Noting:
        made.append(Noting())
        return made[-1]

    server = StreamServer(reactor, make, key="haListenPort")
    server.listen("127.0.0.1", 10912)
    port, factory, backlog, interface = reactor.tcpServers[0]
    assert (port, backlog, interface) == (10912, 1024, "127.0.0.1")
    transport = MemoryTransport()
    factory.buildProtocol(None).makeConnection(transport)
    factory.buildProtocol(None)
    assert [stream.noted for stream in made] == [["made"], []]
    assert (made[0].address, transport.no_delay) == ("10.0.0.1:40000", True)


class Port:
    """A listening port that takes its time to close."""

    def __init__(self, closing: Any) -> None:
        self.closing = closing

    def getHost(self) -> Any:
        return type("Host", (), {"port": 40912})

    def stopListening(self) -> Any:
        return self.closing


class Listening(MemoryReactorClock):
    def __init__(self, port: Port) -> None:
        super().__init__()
        self.listening = port

    def listenTCP(self, *words: Any, **more: Any) -> Port:
        return self.listening


def test_its_port_is_told_and_its_connections_send_at_once() -> None:
    port = Port(None)
    server = StreamServer(Listening(port), Noting, key="haListenPort")
    assert server.port == 0
    server.listen("", 0)
    assert server.port == 40912
    assert vars(port)["transport"] is EagerServer


def test_stopping_fires_when_the_port_is_closed() -> None:
    closing: Deferred[None] = Deferred()
    server = StreamServer(Listening(Port(closing)), Noting, key="haListenPort")
    server.listen("", 0)
    done: list[object] = []
    server.stop().addCallback(done.append)
    assert done == []
    closing.callback(None)
    assert done == [None]
    server.stop().addCallback(done.append)
    assert done == [None, None]


def test_a_taken_port_names_the_setting() -> None:
    class Taken(MemoryReactorClock):
        def listenTCP(self, *words: Any, **more: Any) -> Any:
            raise CannotListenError("", 10912, OSError(98, "Address already in use"))

    with pytest.raises(ListenError, match=r"^cannot listen on \*:10912: .*in use; .* Choose another haListenPort or"):
        StreamServer(Taken(), Noting, key="haListenPort").listen("", 10912)
