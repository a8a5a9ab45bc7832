"""The master's side of one slave's connection.

Nothing is sent before the slave's first report, which says where to begin: a slave that has nothing gets the log from
its first file on, because a slave's log can only begin where a file does. From then on the slave gets what it lacks as
fast as it takes it, in passes; a pass that the socket does not take whole is the last one until it has.

A report counts as an acknowledgement only if it can be one. A slave that reports more than this log has, or more than
it was sent, has another log: acknowledging for this one would let a producer believe that its message is safe. Such a
slave loses its connection, with a line in the log, as does one that lacks what this log no longer has.

Source: DefaultHAConnection, which checks none of this; see `rmq.wire.hastream` for the bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from rmq.remoting.reactor import Clock, DelayedCall, SilenceTimer
from rmq.remoting.stream import Stream
from rmq.server.ha.acks import AckTable
from rmq.server.ha.flow import Rate
from rmq.server.store.api import LogGoneError
from rmq.settings.model import BrokerSettings
from rmq.wire.hastream import ReportReader, encode_transfer

PASS: Final = 192 * 1024
"""Bytes of one pass. With what Twisted's transport keeps before it asks for a pause, 64 KiB, a slave that does not
read costs 256 KiB of memory."""

NOT_BEGUN: Final = -1

_log = Logger()


class LogSource(Protocol):
    """The log that slaves get; `MessageStore` is one."""

    @property
    def log_min_offset(self) -> int:
        """Where its first file begins."""
        ...

    @property
    def log_max_offset(self) -> int:
        """Where it ends."""
        ...

    def transfer(self, offset: int, most: int) -> bytes:
        """Its bytes from `offset` on, `most` at most and of one file; none when it ends there or cannot be read now.

        Raises:
            LogGoneError: its first file begins behind `offset`.
        """
        ...


class SlaveSender(Stream):
    """One connected slave.

    Args:
        clock: tells time and calls later.
        source: the log.
        settings: intervals and sizes, read at each use.
        acks: told how far the slave is.
        on_gone: called once with this when the connection is gone.

    Attributes:
        ack: the slave has everything before this offset; -1 before its first report.
        sent: everything before this offset was sent; -1 before its first report.
    """

    def __init__(
        self,
        clock: Clock,
        source: LogSource,
        settings: BrokerSettings,
        acks: AckTable,
        on_gone: Callable[[SlaveSender], None],
    ) -> None:
        self._clock = clock
        self._source = source
        self._settings = settings
        self._acks = acks
        self._on_gone = on_gone
        self._reports = ReportReader()
        self._rate = Rate(clock.seconds)
        self._heartbeat = SilenceTimer(clock, lambda: settings.store.ha_send_heartbeat_interval / 1000, self._beat)
        self._housekeeping = SilenceTimer(clock, lambda: settings.store.ha_housekeeping_interval / 1000, self._given_up)
        self._paused = False
        self._closing = False
        self._next: DelayedCall | None = None
        self.ack = NOT_BEGUN
        self.sent = NOT_BEGUN

    @property
    def begun(self) -> bool:
        """Whether the slave has said where to begin."""
        return self.sent != NOT_BEGUN

    @property
    def per_second(self) -> int:
        """Bytes that were sent in the last second."""
        return self._rate.per_second

    # --- life

    def connectionMade(self) -> None:
        """Waits for the first report."""
        super().connectionMade()
        self.tcp.registerProducer(self, True)
        self._housekeeping.start()
        _log.info("slave {peer} has connected", peer=self.address)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The slave no longer counts."""
        if not self._closing:
            _log.info("slave {peer} is gone: {why}", peer=self.address, why=reason.getErrorMessage())
        self._closing = True
        self._heartbeat.stop()
        self._housekeeping.stop()
        self._cancel_pass()
        self._acks.gone(self)
        self._on_gone(self)

    def close(self) -> None:
        """Ends the connection after one more pass, so that a slave that was in step has everything."""
        self.pump()
        if not self._closing:
            self._closing = True
            self._cancel_pass()
            # A transport that waits for its producer would never close.
            self.tcp.unregisterProducer()
            self.tcp.loseConnection()

    def abort(self) -> None:
        """Ends the connection at once."""
        self._closing = True
        self._cancel_pass()
        self.tcp.abortConnection()

    def _refuse(self, why: str) -> None:
        _log.error("closing the connection of slave {peer}: {why}", peer=self.address, why=why)
        self.abort()

    def _given_up(self) -> None:
        self._refuse(f"nothing came from it for {self._settings.store.ha_housekeeping_interval} ms")

    # --- reports

    def dataReceived(self, data: bytes) -> None:
        """Takes reports."""
        report = self._reports.feed(data)
        if report is not None and not self._closing:
            self._take(report)
        self._housekeeping.heard()

    def _take(self, report: int) -> None:
        if not self.begun:
            self._begin(report)
        elif report > self.sent:
            self._refuse(f"it acknowledges offset {report}, but was sent nothing beyond {self.sent}")
        else:
            self._acknowledged(report)

    def _begin(self, report: int) -> None:
        first, end = self._source.log_min_offset, self._source.log_max_offset
        if report > end:
            self._refuse(
                f"its log goes up to offset {report}, {report - end} bytes beyond the end of this one, so it is not a "
                "copy of this one; empty its store to make it one"
            )
        elif report < 0 or 0 < report < first:
            self._refuse(
                f"its log goes up to offset {report}, but this one has nothing before {first} any more; "
                "empty its store to let it begin there"
            )
        else:
            self.sent = report or first
            _log.info(
                "slave {peer} has the log up to {report} and gets it from {sent} on",
                peer=self.address, report=report, sent=self.sent,
            )  # fmt: skip
            self._heartbeat.start()
            self._acknowledged(report)
            self.pump()

    def _acknowledged(self, offset: int) -> None:
        self.ack = offset
        self._acks.acked(self, offset)

    # --- sending

    def pump(self) -> None:
        """Sends what the slave lacks; costs nothing to speak of when that is nothing."""
        if self._closing or not self.begun:
            return
        end = self._source.log_max_offset
        if self.sent > end:
            self._refuse(f"it was sent this log up to {self.sent}, but the log was cut at {end}")
        elif self.sent < end and not self._paused and self._next is None:
            self._pass(end)

    def _next_pass(self) -> None:
        self._next = None
        self.pump()

    def _pass(self, end: int) -> None:
        store, source = self._settings.store, self._source
        most, room = store.ha_transfer_batch_size, PASS
        if store.ha_flow_control_enable:
            room = min(room, self._rate.allowed(store.max_ha_transfer_byte_in_second))
        parts: list[bytes] = []
        sent = self.sent
        try:
            while room > 0 and sent < end:
                data = source.transfer(sent, min(most, room))
                if not data:
                    # The file cannot be mapped now, which the log has told.
                    break
                parts += encode_transfer(sent, len(data)), data
                sent += len(data)
                room -= len(data)
        except LogGoneError as error:
            self._refuse(f"it lacks the log from {sent} on, which now begins at {error.minimum}")
            return
        if parts:
            size, self.sent = sent - self.sent, sent
            self._write(b"".join(parts))
            self._rate.add(size)
            if sent < end and room <= 0 and not self._paused:
                # Others have their turn first.
                self._next = self._clock.callLater(0, self._next_pass)

    def _beat(self) -> None:
        # A slave that is paused has enough to read.
        if not self._paused and not self._closing:
            self._write(encode_transfer(self.sent, 0))

    def _write(self, data: bytes) -> None:
        self.tcp.write(data)
        self._heartbeat.heard()

    def _cancel_pass(self) -> None:
        pending, self._next = self._next, None
        if pending is not None:
            pending.cancel()

    # --- back-pressure

    def pauseProducing(self) -> None:
        """The socket takes no more."""
        self._paused = True

    def resumeProducing(self) -> None:
        """It does again."""
        self._paused = False
        self.pump()

    def stopProducing(self) -> None:
        """The transport is going away; `connectionLost` follows."""
