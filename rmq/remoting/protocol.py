"""One connection, either side: bytes to commands, requests to the dispatcher, responses to their callers.

Everything received in one read is handled in one pass and answered with one write. Five promises:

- Nothing is done for a peer that does not read. When the transport's buffer is full, reading and handling stop,
  even in the middle of what was already received, and go on when it has drained.
- No peer keeps the others waiting: when a pass has taken its time, the rest is handled after the others had theirs.
- A large frame is taken only while the server has room for it (`rmq.remoting.pressure`).
- Bytes that are no frame end the connection, with one line in the log.
- A caller always gets an answer: the peer's, a timeout, or the end of the connection.

Source: NettyRemotingAbstract, NettyDecoder.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, cast
from typing import Protocol as TypingProtocol

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from rmq.remoting.errors import CallTimeoutError, ConnectionClosedError, UnreadableAnswerError
from rmq.remoting.reactor import Clock, DelayedCall, Transport
from rmq.wire.codes import FLAG_RESPONSE, MAX_FRAME
from rmq.wire.command import Command, encode
from rmq.wire.connection import CommandStream
from rmq.wire.errors import FrameError

if TYPE_CHECKING:
    from rmq.remoting.pressure import Pressure

_TRANSPORT_BUFFER: Final = 64 * 1024
"""What a Twisted transport keeps at most before it asks its producer to pause."""

_WRITE_AT: Final = 128 * 1024
"""Replies gathered in one pass are written when they reach this many bytes, so that back-pressure can act."""

_TURN: Final = 0.01
"""Seconds that one pass may take. A read of 64 KiB holds a thousand small requests, and some take a millisecond."""

log = Logger()


class Handler(TypingProtocol):
    """What a connection does with requests; `rmq.remoting.dispatch.Dispatcher` is one."""

    def dispatch(self, connection: Connection, command: Command) -> bytes | None:
        """Handles one request; returns the reply's frame if there is one now."""
        ...


class Connection(Protocol):
    """A peer.

    Args:
        clock: tells time and calls later.
        handler: takes the peer's requests.
        pressure: the limits that all connections of a server share; None on the client's side.
        after_read: called once after everything of a read was handled.

    Attributes:
        address: the peer, `host:port`.
        host: the peer as a message's born host: packed address and 32-bit port.
        alive: whether it stands; what is written to a dead one is dropped.
        waiting: requests of this peer that wait for a late answer.
        unread: how many bytes of output the transport keeps at most, while the peer does not read.
        last_active: clock time of the last read or write.
    """

    address = "?"
    host = b""

    def __init__(
        self,
        clock: Clock,
        handler: Handler,
        *,
        max_frame: int = MAX_FRAME,
        pressure: Pressure | None = None,
        after_read: Callable[[], None] | None = None,
    ) -> None:
        self._clock = clock
        self._handler = handler
        self._pressure = pressure
        self._after_read = after_read
        self._stream = CommandStream(max_frame)
        self._pending: dict[int, tuple[Deferred[Command], DelayedCall]] = {}
        self._opaque = 0
        self._closed: list[Callable[[Connection], None]] = []
        self._draining = False
        self._awaiting_room = False
        self._awaiting_turn = False
        self._working = False
        self._closing = False
        self._frame_error: FrameError | None = None
        self._soon: list[bytes] = []
        self.alive = False
        self.waiting = 0
        self.unread = 0
        self.last_active = clock.seconds()

    # --- life -----------------------------------------------------------------------------------------------------

    def connectionMade(self) -> None:
        """Notes who the peer is and asks the transport for back-pressure."""
        transport = self._tcp()
        transport.setTcpNoDelay(True)
        transport.registerProducer(self, True)
        peer = transport.getPeer()
        self.address, self.host = describe(peer)
        self.alive = True
        if self._pressure is not None:
            self._pressure.opened(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Fails what waits for this peer and tells those who asked to know."""
        self.alive = False
        if self._pressure is not None:
            self._pressure.closed(self)
        pending, self._pending = self._pending, {}
        for deferred, timeout in pending.values():
            timeout.cancel()
            deferred.errback(self._why_closed(reason))
        callbacks, self._closed = self._closed, []
        for callback in callbacks:
            callback(self)

    def _why_closed(self, reason: Failure) -> ConnectionClosedError:
        if self._frame_error is not None:
            return UnreadableAnswerError(self.address, str(self._frame_error))
        return ConnectionClosedError(self.address, reason.getErrorMessage())

    def on_close(self, callback: Callable[[Connection], None]) -> None:
        """Calls back once when the connection is gone."""
        self._closed.append(callback)

    @property
    def buffered(self) -> int:
        """Bytes of unfinished or unhandled frames that are kept."""
        return self._stream.buffered

    def close(self) -> None:
        """Ends the connection once what was written has been sent; nothing more is handled."""
        if self.alive and not self._closing:
            self._write_gathered()
            self._closing = True
            # A transport that waits for its producer would never close.
            self._tcp().unregisterProducer()
            self._tcp().loseConnection()

    def abort(self, reason: str) -> None:
        """Ends the connection at once, with a line in the log."""
        if self.alive:
            self._closing = True
            log.warn("closing {peer}: {reason}", peer=self.address, reason=reason)
            self._tcp().abortConnection()

    def _tcp(self) -> Transport:
        return cast(Transport, self.transport)

    # --- receiving ------------------------------------------------------------------------------------------------

    def dataReceived(self, data: bytes) -> None:
        """Handles what came."""
        self.last_active = self._clock.seconds()
        self._stream.feed(data)
        self._work()

    def _work(self) -> None:
        """Handles whole commands until there is none, the peer's output no longer drains, or the time is up."""
        if self._working or self._awaiting_turn:
            return
        self._working = True
        seconds = self._clock.seconds
        end = seconds() + _TURN
        next_command, dispatch = self._stream.next_command, self._handler.dispatch
        replies: list[bytes] = []
        size = 0
        try:
            while not self._draining and not self._closing and (command := next_command()) is not None:
                if command.flag & FLAG_RESPONSE:
                    self._answered(command)
                    continue
                reply = dispatch(self, command)
                if reply is not None:
                    replies.append(reply)
                    size += len(reply)
                    if size >= _WRITE_AT:
                        self._write_all(replies, size)
                        size = 0
                if seconds() >= end:
                    self._give_way()
                    break
        except FrameError as error:
            self._frame_error = error
            self.abort(str(error))
        finally:
            self._working = False
        if replies:
            self._write_all(replies, size)
        if self._pressure is not None and not self._closing:
            self._pressure.receiving(self, self._stream.announced)
        if self._after_read is not None:
            self._after_read()

    def _give_way(self) -> None:
        """Lets the other connections have their turn before the rest is handled; nothing is read until then."""
        self._awaiting_turn = True
        self._tcp().pauseProducing()
        self._clock.callLater(0, self._go_on)

    def _go_on(self) -> None:
        self._awaiting_turn = False
        if self.alive:
            self._work()
            self._read_on()

    def _write_all(self, replies: list[bytes], size: int) -> None:
        self.unread = (self.unread if self._draining else _TRANSPORT_BUFFER) + size
        self._tcp().write(replies[0] if len(replies) == 1 else b"".join(replies))
        replies.clear()

    def write_soon(self, frame: bytes) -> None:
        """Sends a frame together with those that follow in this turn of the reactor; dropped like `write` does."""
        if self.alive:
            if not self._soon:
                self._clock.callLater(0, self._write_gathered)
            self._soon.append(frame)

    def _write_gathered(self) -> None:
        if self._soon:
            self.write(b"")

    def write(self, frame: bytes) -> None:
        """Sends a frame; dropped when the connection is gone."""
        if self._soon:
            frame = b"".join((*self._soon, frame))
            self._soon.clear()
        if self.alive:
            self.unread = (self.unread if self._draining else _TRANSPORT_BUFFER) + len(frame)
            self._tcp().write(frame)
            self.last_active = self._clock.seconds()

    # --- back-pressure --------------------------------------------------------------------------------------------

    def pauseProducing(self) -> None:
        """The transport's buffer is full: take nothing more from this peer."""
        self._draining = True
        self._tcp().pauseProducing()
        if self._pressure is not None:
            self._pressure.blocked(self)

    def resumeProducing(self) -> None:
        """The buffer has drained: go on where handling stopped."""
        self._draining = False
        self.last_active = self._clock.seconds()
        if self._pressure is not None:
            self._pressure.drained(self)
        self._work()
        self._read_on()

    def stopProducing(self) -> None:
        """The transport is going away; `connectionLost` follows."""

    def hold_reading(self) -> None:
        """Stops reading until `release_reading`: there is no room for the frame that this peer announced."""
        self._awaiting_room = True
        self._tcp().pauseProducing()

    def release_reading(self) -> None:
        """There is room now."""
        self._awaiting_room = False
        self._read_on()

    def _read_on(self) -> None:
        if self.alive and not (self._draining or self._awaiting_room or self._awaiting_turn):
            self._tcp().resumeProducing()

    # --- calling --------------------------------------------------------------------------------------------------

    def call(self, command: Command, timeout: float) -> Deferred[Command]:
        """Sends a request; fires with the response whatever its code.

        Args:
            command: the request; its opaque is set here.
            timeout: seconds to wait.

        Raises (as failures):
            CallTimeoutError: no answer in time.
            ConnectionClosedError: the connection ended first.
        """
        deferred: Deferred[Command] = Deferred(self._cancelled)
        if not self.alive:
            deferred.errback(ConnectionClosedError(self.address))
            return deferred
        self._opaque = command.opaque = (self._opaque + 1) & 0x7FFFFFFF
        frame = encode(command)
        delayed = self._clock.callLater(timeout, self._timed_out, command.opaque, timeout)
        self._pending[command.opaque] = deferred, delayed
        self.write(frame)
        return deferred

    def send_oneway(self, command: Command) -> None:
        """Sends a request that wants no answer."""
        self._opaque = command.opaque = (self._opaque + 1) & 0x7FFFFFFF
        self.write(encode(command))

    def _answered(self, command: Command) -> None:
        pending = self._pending.pop(command.opaque, None)
        if pending is not None:
            deferred, timeout = pending
            timeout.cancel()
            deferred.callback(command)

    def _timed_out(self, opaque: int, timeout: float) -> None:
        deferred, _ = self._pending.pop(opaque)
        deferred.errback(CallTimeoutError(self.address, timeout))

    def _cancelled(self, deferred: Deferred[Command]) -> None:
        for opaque, (waiting, timeout) in self._pending.items():
            if waiting is deferred:
                timeout.cancel()
                del self._pending[opaque]
                return


def describe(peer: object) -> tuple[str, bytes]:
    """A transport's address as text, and packed with a 32-bit port."""
    if isinstance(peer, IPv4Address):
        return f"{peer.host}:{peer.port}", socket.inet_aton(peer.host) + peer.port.to_bytes(4, "big")
    if isinstance(peer, IPv6Address):
        host = peer.host.partition("%")[0]
        return f"[{host}]:{peer.port}", socket.inet_pton(socket.AF_INET6, host) + peer.port.to_bytes(4, "big")
    return str(peer), bytes(8)
