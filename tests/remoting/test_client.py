"""Calling by address: connections are made when needed, shared, and replaced when they break."""

import errno
from typing import Any

import pytest
from twisted.internet.error import ConnectionRefusedError, DNSLookupError, TimeoutError
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure

from rmq.remoting.client import RemotingClient
from rmq.remoting.errors import CallTimeoutError, ConnectFailedError, ConnectionClosedError, UnreadableAnswerError
from rmq.wire.codes import FLAG_RESPONSE
from rmq.wire.command import Command, encode
from rmq.wire.connection import CommandStream
from rmq.wire.errors import QueryNotFoundError
from rmq.wire.requests.kv import GetKVConfig
from tests.kit.peer import MemoryTransport

ADDRESS = "10.0.0.1:9876"


class Far:
    """The server's end of a connection that the client made."""

    def __init__(self, attempt: Any) -> None:
        self.connection = attempt[2].buildProtocol(None)
        self.transport = MemoryTransport()
        self.transport.connection = self.connection
        self.connection.makeConnection(self.transport)
        self._stream = CommandStream()

    def asked(self) -> list[Command]:
        self._stream.feed(self.transport.value())
        self.transport.clear()
        return list(iter(self._stream.next_command, None))

    def answer(
        self, asked: Command, code: int = 0, ext: dict[str, str] | None = None, remark: str | None = None
    ) -> None:
        command = Command(code, ext, opaque=asked.opaque, flag=FLAG_RESPONSE, remark=remark)
        self.connection.dataReceived(encode(command))


class World:
    def __init__(self) -> None:
        self.reactor = MemoryReactorClock()
        self.client = RemotingClient(self.reactor)
        self.results: list[Any] = []

    def call(self, address: str = ADDRESS, **rest: Any) -> None:
        deferred = self.client.call(address, GetKVConfig("n", "k"), **rest)
        deferred.addCallbacks(self.results.append, lambda failure: self.results.append(failure.value))

    @property
    def attempts(self) -> list[Any]:
        return self.reactor.tcpClients

    def connect(self, number: int = -1) -> Far:
        return Far(self.attempts[number])

    def fail(self, number: int = -1, error: Exception | None = None) -> None:
        host, port, factory, *_ = self.attempts[number]
        connector = type("Connector", (), {"host": host, "port": port})
        factory.clientConnectionFailed(connector, Failure(error or ConnectionRefusedError(errno.ECONNREFUSED)))


@pytest.fixture
def world() -> World:
    return World()


def test_a_call_connects_asks_and_gives_the_answer(world: World) -> None:
    world.call()
    assert world.attempts[0][:2] == ("10.0.0.1", 9876)
    far = world.connect()
    (asked,) = far.asked()
    assert (asked.code, asked.ext) == (101, {"namespace": "n", "key": "k"})
    far.answer(asked, ext={"value": "v"})
    (answer,) = world.results
    assert (answer.header.value, answer.address, answer.code) == ("v", ADDRESS, 0)


def test_calls_share_one_connection(world: World) -> None:
    world.call()
    world.call()
    far = world.connect()
    world.call()
    assert len(world.attempts) == 1
    assert len(far.asked()) == 3


def test_a_broken_connection_is_replaced(world: World) -> None:
    world.call()
    far = world.connect()
    far.transport.lose()
    assert isinstance(world.results[0], ConnectionClosedError)
    world.call()
    assert len(world.attempts) == 2
    again = world.connect()
    again.answer(again.asked()[0], ext={"value": "v"})
    assert world.results[1].header.value == "v"


def test_an_answer_that_is_no_frame_fails_what_waits_in_its_own_way(world: World) -> None:
    world.call()
    far = world.connect()
    far.connection.dataReceived(b"\x7f\xff\xff\xff")
    assert [type(result) for result in world.results] == [UnreadableAnswerError]
    assert "closed before the answer came: " in str(world.results[0])


def test_other_codes_are_raised_unless_they_are_accepted(world: World) -> None:
    world.call()
    world.call(accept=frozenset({0, 22}))
    far = world.connect()
    for asked in far.asked():
        far.answer(asked, 22, remark="nothing there")
    refused, accepted = world.results
    assert isinstance(refused, QueryNotFoundError)
    assert str(refused) == f"CODE: 22  DESC: nothing there BROKER: {ADDRESS}"
    assert accepted.code == 22


def test_who_cannot_be_reached_fails_all_that_wait(world: World) -> None:
    world.call()
    world.call()
    world.fail()
    assert [type(result) for result in world.results] == [ConnectFailedError] * 2
    assert str(world.results[0]) == f"connect to {ADDRESS} failed: Connection refused"
    world.call()
    assert len(world.attempts) == 2


@pytest.mark.parametrize(
    ("error", "reason"),
    [(TimeoutError(), "no answer"), (DNSLookupError("nowhere"), "DNS lookup failed: nowhere.")],
)
def test_other_reasons_are_plain_too(world: World, error: Exception, reason: str) -> None:
    world.call()
    world.fail(error=error)
    assert str(world.results[0]) == f"connect to {ADDRESS} failed: {reason}"


@pytest.mark.parametrize("address", ["", "nowhere", "host:0", "host:99999", "host:x"])
def test_what_is_no_address_fails_at_once(world: World, address: str) -> None:
    world.call(address)
    assert isinstance(world.results[0], ConnectFailedError)
    assert not world.attempts


def test_the_timeout_counts_connecting(world: World) -> None:
    world.call(timeout=3.0)
    world.reactor.advance(2.0)
    world.connect()
    world.reactor.advance(0.9)
    assert world.results == []
    world.reactor.advance(0.1)
    assert isinstance(world.results[0], CallTimeoutError)


def test_a_timeout_while_connecting_leaves_the_connection_for_others(world: World) -> None:
    world.call(timeout=1.0)
    world.reactor.advance(1.0)
    assert isinstance(world.results[0], CallTimeoutError)
    world.call(timeout=5.0)
    far = world.connect()
    far.answer(far.asked()[0], ext={"value": "v"})
    assert world.results[1].header.value == "v"


def test_a_oneway_is_sent_when_there_is_a_connection(world: World) -> None:
    world.client.send_oneway(ADDRESS, GetKVConfig("n", "k"))
    (asked,) = world.connect().asked()
    assert asked.is_oneway


def test_requests_of_the_server_are_refused_by_default(world: World) -> None:
    world.call()
    far = world.connect()
    far.asked()
    far.connection.dataReceived(encode(Command(40, opaque=77)))
    (reply,) = far.asked()
    assert (reply.code, reply.opaque, reply.is_response) == (3, 77, True)


def test_closing_ends_connections_even_to_servers_that_do_not_read(world: World) -> None:
    world.call()
    far = world.connect()
    far.connection.pauseProducing()
    world.client.close()
    assert far.transport.disconnecting
    assert isinstance(world.results[0], ConnectionClosedError)


def test_closing_ends_attempts(world: World) -> None:
    world.call()
    stopped: list[bool] = []
    world.client._connectors[ADDRESS].stopConnecting = lambda: stopped.append(True)
    world.client.close()
    assert stopped == [True]
