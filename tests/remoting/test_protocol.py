"""One connection: what it does with bytes, with a peer that does not read, and with callers that wait."""

from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.task import Clock

from rmq.remoting.errors import CallTimeoutError, ConnectionClosedError
from rmq.remoting.pressure import Pressure
from rmq.remoting.protocol import Connection, describe
from rmq.wire.codes import FLAG_ONEWAY, FLAG_RESPONSE
from rmq.wire.command import Command, encode
from tests.kit.peer import MemoryPeer


class Echo:
    """Answers every request with its body; notes what it was asked."""

    def __init__(self, answer: Callable[[Command], bytes | None] | None = None) -> None:
        self.seen: list[int] = []
        self._answer = answer or (
            lambda command: encode(Command(0, {}, command.body, opaque=command.opaque, flag=FLAG_RESPONSE))
        )

    def dispatch(self, connection: Connection, command: Command) -> bytes | None:
        self.seen.append(command.opaque)
        return self._answer(command)


def request(opaque: int, body: bytes = b"") -> Command:
    return Command(1, {}, body, opaque=opaque)


def failure_of(deferred: Any) -> Any:
    found: list[Any] = []
    deferred.addErrback(found.append)
    return found[0].value


def test_it_knows_its_peer_and_sends_at_once() -> None:
    peer = MemoryPeer(Echo())
    assert peer.connection.address == "10.0.0.1:40000"
    assert peer.connection.host == bytes([10, 0, 0, 1]) + (40000).to_bytes(4, "big")
    assert peer.transport.no_delay
    assert peer.connection.alive


@pytest.mark.parametrize(
    ("address", "text", "packed"),
    [
        (IPv4Address("TCP", "1.2.3.4", 5), "1.2.3.4:5", "0102030400000005"),
        (IPv6Address("TCP", "fe80::1%eth0", 5), "[fe80::1]:5", "fe80" + "00" * 13 + "0100000005"),
    ],
)
def test_peers_as_text_and_as_a_messages_host(address: object, text: str, packed: str) -> None:
    assert describe(address) == (text, bytes.fromhex(packed))


def test_a_peer_without_an_address_has_a_name() -> None:
    text, packed = describe(UNIXAddress(b"/tmp/x"))
    assert "/tmp/x" in text
    assert packed == bytes(8)


def test_everything_of_one_read_is_answered_in_one_write() -> None:
    peer = MemoryPeer(Echo())
    writes: list[bytes] = []
    peer.transport.write = writes.append
    peer.send(*(request(n, b"x") for n in range(50)))
    assert len(writes) == 1


def test_frames_may_come_byte_by_byte() -> None:
    peer = MemoryPeer(Echo())
    for byte in encode(request(1, b"abc")) + encode(request(2)):
        peer.connection.dataReceived(bytes([byte]))
    assert [(answer.opaque, answer.body) for answer in peer.answers()] == [(1, b"abc"), (2, b"")]


def test_large_answers_are_written_as_they_come() -> None:
    peer = MemoryPeer(Echo())
    writes: list[int] = []
    peer.transport.write = lambda data: writes.append(len(data))
    peer.send(*(request(n, bytes(100_000)) for n in range(4)))
    assert len(writes) == 2


def test_after_a_read_the_hook_is_called_once() -> None:
    calls: list[int] = []
    peer = MemoryPeer(Echo(), after_read=lambda: calls.append(1))
    peer.send(request(1), request(2))
    assert calls == [1]


@pytest.mark.parametrize(
    "data", [b"\xff\xff\xff\xff", b"\x00\x00\x00\x01x", b"\x7f\xff\xff\xff", b"\x00\x00\x00\x08\x00\x00\x00\x04nope"]
)
def test_bytes_that_are_no_frame_end_the_connection(data: bytes) -> None:
    echo = Echo()
    peer = MemoryPeer(echo)
    peer.connection.dataReceived(encode(request(1)) + data + encode(request(2)))
    assert echo.seen == [1]
    assert [answer.opaque for answer in peer.answers()] == [1]
    assert not peer.connection.alive


def test_nothing_is_done_for_a_peer_that_does_not_read() -> None:
    echo = Echo()
    peer = MemoryPeer(echo)
    peer.transport.stuck = True
    peer.send(*(request(n, bytes(50_000)) for n in range(20)))
    assert len(echo.seen) < 6
    assert not peer.transport.reading
    handled = len(echo.seen)
    peer.transport.stuck = False
    peer.transport.clear()
    peer.connection.resumeProducing()
    assert echo.seen == list(range(20))
    assert [answer.opaque for answer in peer.answers()] == list(range(handled, 20))
    assert peer.transport.reading


class Slow(Echo):
    """Takes 4 ms a request."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def dispatch(self, connection: Connection, command: Command) -> bytes | None:
        self._clock.rightNow += 0.004
        return super().dispatch(connection, command)


def test_who_asks_much_at_once_lets_others_have_their_turn() -> None:
    clock = Clock()
    slow = Slow(clock)
    peer = MemoryPeer(slow, clock=clock)
    peer.send(*(request(n) for n in range(7)))
    assert slow.seen == [0, 1, 2]
    assert not peer.transport.reading
    peer.connection.resumeProducing()
    assert slow.seen == [0, 1, 2]
    assert not peer.transport.reading
    clock.advance(0)
    assert slow.seen == list(range(7))
    assert peer.transport.reading
    assert [answer.opaque for answer in peer.answers()] == list(range(7))


def test_a_peer_that_left_before_its_turn_gets_nothing_done() -> None:
    clock = Clock()
    slow = Slow(clock)
    peer = MemoryPeer(slow, clock=clock)
    peer.send(*(request(n) for n in range(7)))
    peer.connection.abort("gone")
    clock.advance(0)
    assert slow.seen == [0, 1, 2]


def test_unread_output_is_what_the_transport_may_hold_not_all_that_was_ever_sent() -> None:
    peer = MemoryPeer(Echo())
    for n in range(100):
        peer.send(request(n, bytes(10_000)))
        peer.transport.clear()
    assert peer.connection.unread < 80_000
    peer.transport.stuck = True
    peer.connection.write(bytes(70_000))
    assert not peer.transport.reading
    before = peer.connection.unread
    peer.connection.write(bytes(1000))
    assert peer.connection.unread == before + 1000


def test_closing_lets_nothing_more_be_handled_and_the_transport_close() -> None:
    peer = MemoryPeer(Echo(lambda command: peer.connection.close() or b"bye"))
    peer.connection.dataReceived(encode(request(1)) + encode(request(2)))
    assert peer.transport.disconnecting
    assert peer.transport.producer is None
    assert peer.transport.value() == b"bye"
    peer.connection.close()


def test_who_asked_is_told_once_that_it_closed() -> None:
    peer = MemoryPeer(Echo())
    told: list[Connection] = []
    peer.connection.on_close(told.append)
    peer.leave()
    assert told == [peer.connection]
    assert not peer.connection.alive
    peer.connection.write(b"dropped")
    assert peer.transport.value() == b""


def test_a_call_is_answered_by_its_number_in_any_order() -> None:
    peer = MemoryPeer(Echo())
    answers: list[bytes] = []
    first, second = (peer.connection.call(Command(9), 3.0) for _ in range(2))
    first.addCallback(lambda command: answers.append(command.body))
    second.addCallback(lambda command: answers.append(command.body))
    numbers = [asked.opaque for asked in peer.answers()]
    for opaque, body in ((numbers[1], b"second"), (numbers[0], b"first"), (999, b"nobody's")):
        peer.send(Command(0, {}, body, opaque=opaque, flag=FLAG_RESPONSE))
    assert answers == [b"second", b"first"]
    assert not peer.clock.getDelayedCalls()


def test_a_call_times_out_and_its_late_answer_is_dropped() -> None:
    peer = MemoryPeer(Echo())
    deferred = peer.connection.call(Command(9), 3.0)
    (asked,) = peer.answers()
    peer.clock.advance(3.0)
    error = failure_of(deferred)
    assert isinstance(error, CallTimeoutError)
    assert str(error) == "wait response on the channel <10.0.0.1:40000> timeout, 3000(ms)"
    peer.send(Command(0, opaque=asked.opaque, flag=FLAG_RESPONSE))


def test_a_call_ends_with_its_connection() -> None:
    peer = MemoryPeer(Echo())
    waiting = peer.connection.call(Command(9), 3.0)
    peer.leave()
    assert isinstance(failure_of(waiting), ConnectionClosedError)
    assert isinstance(failure_of(peer.connection.call(Command(9), 3.0)), ConnectionClosedError)
    assert not peer.clock.getDelayedCalls()


def test_a_cancelled_call_leaves_nothing_behind() -> None:
    peer = MemoryPeer(Echo())
    deferred = peer.connection.call(Command(9), 3.0)
    deferred.addErrback(lambda _: None)
    deferred.cancel()
    assert not peer.clock.getDelayedCalls()
    assert not peer.connection._pending


def test_a_call_that_cannot_be_written_waits_for_nothing() -> None:
    peer = MemoryPeer(Echo())
    with pytest.raises(ValueError, match="does not fit"):
        peer.connection.call(Command(200050, serialize_type=1), 3.0)
    assert not peer.clock.getDelayedCalls()


def test_oneway_is_marked_by_its_sender() -> None:
    peer = MemoryPeer(Echo())
    peer.connection.send_oneway(Command(9, flag=FLAG_ONEWAY))
    (sent,) = peer.answers()
    assert sent.is_oneway


def test_numbers_stay_positive_when_they_wrap() -> None:
    peer = MemoryPeer(Echo())
    peer.connection._opaque = 0x7FFFFFFF
    peer.connection.send_oneway(Command(9))
    assert peer.answers()[0].opaque == 0


def test_reading_and_writing_are_signs_of_life() -> None:
    clock = Clock()
    peer = MemoryPeer(Echo(), clock, pressure=Pressure(clock))
    clock.advance(5)
    peer.send(request(1))
    assert peer.connection.last_active == 5
    clock.advance(5)
    peer.connection.write(b"")
    assert peer.connection.last_active == 10
