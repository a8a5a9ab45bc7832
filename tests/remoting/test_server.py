"""Listening: where, until when, and what becomes of the connections."""

from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.testing import MemoryReactorClock

from rmq.remoting.dispatch import Dispatcher
from rmq.remoting.server import ListenError, RemotingServer
from tests.kit.peer import MemoryTransport


class World:
    def __init__(self) -> None:
        self.reactor = MemoryReactorClock()
        self.server = RemotingServer(self.reactor, Dispatcher(()))
        self.server.listen("127.0.0.1", 9876)

    def connect(self, port: int = 0) -> MemoryTransport:
        connection = self.reactor.tcpServers[port][1].buildProtocol(None)
        transport = MemoryTransport()
        transport.connection = connection
        connection.makeConnection(transport)
        return transport


@pytest.fixture
def world() -> World:
    return World()


def test_it_listens_with_a_long_queue(world: World) -> None:
    port, _, backlog, interface = world.reactor.tcpServers[0]
    assert (port, backlog, interface) == (9876, 1024, "127.0.0.1")


def test_it_knows_its_connections(world: World) -> None:
    transport = world.connect()
    assert {connection.address for connection in world.server.connections} == {"10.0.0.1:40000"}
    transport.lose()
    assert world.server.connections == set()


def test_a_taken_port_is_a_sentence() -> None:
    class Taken(MemoryReactorClock):
        def listenTCP(self, *words: Any, **more: Any) -> Any:
            raise CannotListenError("127.0.0.1", 9876, OSError(98, "Address already in use"))

    with pytest.raises(
        ListenError, match=r"^cannot listen on 127.0.0.1:9876: .*Address already in use; is another server"
    ):
        RemotingServer(Taken(), Dispatcher(())).listen("127.0.0.1", 9876)


def test_one_more_port_shares_connections_and_limits(world: World) -> None:
    world.server.listen_also("127.0.0.1", 9874)
    assert [entry[0] for entry in world.reactor.tcpServers] == [9876, 9874]
    assert world.server.port == 9876
    transport = world.connect(port=1)
    assert {connection.address for connection in world.server.connections} == {"10.0.0.1:40000"}
    world.reactor.advance(120)
    assert transport.aborting


def test_one_more_port_that_is_taken_leaves_the_first(world: World) -> None:
    def listen(port: int, *words: Any, **more: Any) -> Any:
        raise CannotListenError("127.0.0.1", port, OSError(98, "Address already in use"))

    world.reactor.listenTCP = listen
    with pytest.raises(ListenError, match=r"^cannot listen on 127.0.0.1:9874: "):
        world.server.listen_also("127.0.0.1", 9874)
    world.connect()
    assert len(world.server.connections) == 1


def test_stopping_closes_every_port() -> None:
    class Port:
        def __init__(self) -> None:
            self.closed: Deferred[None] = Deferred()

        def getHost(self) -> Any:
            return type("Host", (), {"port": 9876})

        def stopListening(self) -> Deferred[None]:
            return self.closed

    class Listening(MemoryReactorClock):
        def listenTCP(self, *words: Any, **more: Any) -> Any:
            ports.append(Port())
            return ports[-1]

    ports: list[Port] = []
    server = RemotingServer(Listening(), Dispatcher(()))
    server.listen("127.0.0.1", 9876)
    server.listen_also("127.0.0.1", 9874)
    done: list[Any] = []
    server.stop().addCallback(done.append)
    ports[0].closed.callback(None)
    assert done == []
    ports[1].closed.callback(None)
    assert done == [None]


def test_stopping_ends_the_connections_and_then_fires(world: World) -> None:
    transports = [world.connect() for _ in range(3)]
    done: list[Any] = []
    world.server.stop().addCallback(done.append)
    assert all(transport.disconnecting for transport in transports)
    assert done == [None]
    assert not world.reactor.getDelayedCalls()


def test_stopping_gives_a_peer_a_second_to_read_the_rest(world: World) -> None:
    transport = world.connect()
    transport.loseConnection = lambda: None
    done: list[Any] = []
    world.server.stop().addCallback(done.append)
    world.reactor.advance(0.9)
    assert done == []
    del transport.loseConnection
    world.reactor.advance(0.1)
    assert transport.aborting
    assert done == [None]


def test_stopping_what_never_listened_is_done_at_once() -> None:
    done: list[Any] = []
    RemotingServer(MemoryReactorClock(), Dispatcher(())).stop().addCallback(done.append)
    assert done == [None]
