"""A slave's end of the stream: takes the master's log and reports how far it has come.

The first report says where the master is to begin. After it every piece must continue the log exactly, or the
connection ends: nothing is skipped and nothing is guessed. Each read that brought the log forward is reported at once,
in one report however much it was, and a silent connection gets one every `haSendHeartbeatInterval` as a sign of life.
A master that does not read gets no more of them until it does.

Source: DefaultHAClient.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol, cast

from twisted.internet.defer import Deferred
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure

from rmq.remoting.reactor import Clock, SilenceTimer
from rmq.remoting.stream import Stream
from rmq.server.ha.common import ReplicationError
from rmq.server.ha.flow import Rate
from rmq.server.store.api import StoreError
from rmq.settings.store import StoreConfig
from rmq.wire.hastream import HaStreamError, TransferReader, encode_report

READ: Final = 64 * 1024
"""Most bytes of one read from a master that sends what comes to it."""
LARGE_READ: Final = 1024 * 1024
"""The same while more than that is waiting: each read costs a report, and the master a wake-up for it. Room for a
large one costs more than the little that there mostly is to read."""


class SilentMasterError(ReplicationError):
    """The master sent nothing for `haHousekeepingInterval`."""

    def __init__(self, address: str, millis: int) -> None:
        super().__init__(f"the master {address} sent nothing for {millis} ms")


class StreamEndedError(ReplicationError):
    """The connection to the master is gone."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(f"the stream from the master {address} ended: {reason}")


class NoRoomError(ReplicationError):
    """The disk takes no more of the log."""

    def __init__(self) -> None:
        super().__init__("there is no room for more of the master's log: the disk is full")


class LogSink(Protocol):
    """Takes the log; `Replica` is one."""

    @property
    def received(self) -> int:
        """Physical offset of the next byte that is wanted."""
        ...

    @property
    def stalled(self) -> bool:
        """Whether the last `feed` found no space on the disk."""
        ...

    def feed(self, offset: int, data: bytes) -> int:
        """See `Replica.feed`."""
        ...

    def announce(self) -> None:
        """See `Replica.announce`."""
        ...


def joined(pieces: list[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    """Pieces of the log, those that follow each other as one: where a transfer ends, a record is usually cut in two,
    and putting that together costs more than copying everything."""
    while pieces:
        start, expected = pieces[0][0], pieces[0][0]
        count = 0
        for offset, piece in pieces:
            if offset != expected:
                break
            expected += len(piece)
            count += 1
        yield start, pieces[0][1] if count == 1 else b"".join(piece for _, piece in pieces[:count])
        pieces = pieces[count:]


class MasterReceiver(Stream):
    """One connection to a master.

    Args:
        clock: tells time and calls later.
        sink: takes the log; what it received so far is the first report.
        settings: the store's settings, as they are set now.
        on_read: called after everything of a read was taken.

    Attributes:
        sink: as given; another may take its place between two reads.
        over: fires with why the connection ended; cancelling it ends the connection.
        rate: bytes of each second.
        last_read, last_write: clock times.
        advanced: whether a read was taken whole, be it a heartbeat.
    """

    def __init__(self, clock: Clock, sink: LogSink, settings: StoreConfig, on_read: Callable[[], None]) -> None:
        self._clock = clock
        self.sink = sink
        self._settings = settings
        self._on_read = on_read
        self._reader = TransferReader()
        self._reported = -1
        self._ended = self._paused = False
        self._heartbeat = SilenceTimer(clock, lambda: settings.ha_send_heartbeat_interval / 1000, self._beat)
        self._housekeeping = SilenceTimer(clock, lambda: settings.ha_housekeeping_interval / 1000, self._give_up)
        self.over: Deferred[Exception] = Deferred(lambda _: self._abort())
        self.rate = Rate(clock.seconds)
        self.last_read = self.last_write = clock.seconds()
        self.advanced = False

    def connectionMade(self) -> None:
        """Asks for the log from where it ends here."""
        super().connectionMade()
        self.tcp.registerProducer(self, True)
        self._heartbeat.start()
        self._housekeeping.start()
        self._beat()

    def dataReceived(self, data: bytes) -> None:
        """Takes what came and says how far that is."""
        if self._ended:
            return
        sink = self.sink
        try:
            pieces = self._reader.feed(data)
            for offset, piece in joined(pieces) if len(pieces) > 1 else pieces:
                sink.feed(offset, piece)
                if sink.stalled:
                    raise NoRoomError
        except (HaStreamError, StoreError, NoRoomError) as error:
            sink.announce()
            self.end(error)
            return
        if (received := sink.received) > self._reported:
            self._report(received)
        # What only this slave wants to know comes when the master has its report.
        sink.announce()
        self.advanced = True
        self._housekeeping.heard()
        self.last_read = self._clock.seconds()
        self.rate.add(len(data))
        cast(Any, self.transport).bufferSize = LARGE_READ if len(data) >= READ else READ
        self._on_read()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Tells who waits for the end."""
        self.end(StreamEndedError(self.address, reason.getErrorMessage()))

    # --- reports

    def pauseProducing(self) -> None:
        """The socket takes no more reports."""
        self._paused = True

    def resumeProducing(self) -> None:
        """It does again: one report makes up for all that were left out."""
        self._paused = False
        self._beat()

    def stopProducing(self) -> None:
        """The transport is going away; `connectionLost` follows."""

    def _beat(self) -> None:
        self._report(self.sink.received)

    def _report(self, received: int) -> None:
        if self._paused:
            return
        self._reported = received
        self.tcp.write(encode_report(received))
        self._heartbeat.heard()
        self.last_write = self._clock.seconds()

    # --- the end

    def end(self, why: Exception) -> None:
        """Ends the connection, and lets `over` fire with this; does nothing when it has ended."""
        if not self._ended:
            self._abort()
            self.over.callback(why)

    def _give_up(self) -> None:
        self.end(SilentMasterError(self.address, self._settings.ha_housekeeping_interval))

    def _abort(self) -> None:
        self._ended = True
        self._heartbeat.stop()
        self._housekeeping.stop()
        self.tcp.abortConnection()
