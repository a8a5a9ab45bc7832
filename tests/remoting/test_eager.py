"""What a socket takes at once is sent at once; the rest waits its turn."""

import socket
from types import SimpleNamespace
from typing import Any

import pytest
from twisted.internet.protocol import Protocol

from rmq.remoting.eager import EagerServer


class Reactor:
    """Notes who wants to be told that a socket is writable."""

    def __init__(self) -> None:
        self.writers: set[object] = set()

    def addReader(self, reader: object) -> None:
        """Reading is not what is tested."""

    def removeReader(self, reader: object) -> None:
        """Nor this."""

    def addWriter(self, writer: object) -> None:
        self.writers.add(writer)

    def removeWriter(self, writer: object) -> None:
        self.writers.discard(writer)


@pytest.fixture
def pair() -> Any:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    reactor: Any = Reactor()
    listening: Any = SimpleNamespace(_realPortNumber=1)
    transport = EagerServer(ours, Protocol(), ("127.0.0.1", 1), listening, 1, reactor)
    yield transport, theirs, reactor
    ours.close()
    theirs.close()


def drain(sock: socket.socket) -> bytes:
    received = b""
    try:
        while data := sock.recv(1 << 16):
            received += data
    except BlockingIOError:
        pass
    return received


def test_a_reply_goes_out_without_the_reactor(pair: Any) -> None:
    transport, theirs, reactor = pair
    transport.write(b"one")
    transport.write(b"two")
    assert drain(theirs) == b"onetwo"
    assert reactor.writers == set()


def test_what_does_not_fit_waits_and_order_holds(pair: Any) -> None:
    transport, theirs, reactor = pair
    large = bytes(range(256)) * 16384
    transport.write(large)
    transport.write(b"after")
    assert reactor.writers == {transport}
    received = drain(theirs)
    assert 0 < len(received) < len(large)
    while transport in reactor.writers:
        assert transport.doWrite() is None
        received += drain(theirs)
    assert received == large + b"after"


def test_a_lost_connection_is_reported_the_usual_way(pair: Any) -> None:
    transport, theirs, reactor = pair
    theirs.close()
    transport.write(b"first")
    transport.write(b"second")
    assert reactor.writers == {transport}
    assert isinstance(transport.doWrite(), Exception)
