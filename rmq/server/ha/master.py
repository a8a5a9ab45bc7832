"""The master's side of replication: the port that slaves connect to, and what is known of them.

Every broker listens, slaves too: a slave can serve slaves of its own.

Source: DefaultHAService, GroupTransferService.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from twisted.internet.defer import Deferred, DeferredList
from twisted.logger import Logger

from rmq.remoting.reactor import DelayedCall, Repeat
from rmq.remoting.stream import StreamServer
from rmq.server.ha.acks import AckTable
from rmq.server.ha.flow import EndHistory
from rmq.server.ha.sender import LogSource, SlaveSender
from rmq.settings.model import BrokerSettings

PUMP_SECONDS: Final = 0.1
"""Pause between two looks for new messages while there are slaves, as long as Apache's: each wakes every slave, which
takes the processor from whoever sends where they share one. Sends that are acknowledged only by slaves are followed by
a `HaMaster.pump`."""

SAMPLE_SECONDS: Final = 1.0
MOST_SLAVES: Final = 256
"""Connections taken at a time, so that whoever opens many costs no more than that."""
STOP_SECONDS: Final = 1.0
"""How long a slave may take to read the rest when the master stops."""


_log = Logger()


@dataclass(frozen=True, slots=True)
class SlaveState:
    """What the master knows of one slave.

    Attributes:
        address: `host:port` that it connects from.
        ack: it has everything before this offset.
        sent: it was sent everything before this offset.
        per_second: bytes sent in the last second.
        in_sync: whether it lacks less than haMaxGapNotInSync.
        lag_millis: for how long at most something has been missing to it, 0 when nothing is, None when too long to
            be known.
    """

    address: str
    ack: int
    sent: int
    per_second: int
    in_sync: bool
    lag_millis: int | None


class HaMaster:
    """The slaves of this broker.

    Args:
        reactor: a Twisted reactor.
        store: the log that slaves get.
        settings: read at each use.
        acks: told how far each slave is.
    """

    def __init__(self, reactor: Any, store: LogSource, settings: BrokerSettings, acks: AckTable) -> None:
        self._reactor = reactor
        self._store = store
        self._settings = settings
        self._acks = acks
        self._server = StreamServer(reactor, self._make_sender, key="haListenPort")
        self._senders: dict[SlaveSender, None] = {}
        self._history = EndHistory(reactor.seconds)
        self._sampler = Repeat(reactor, lambda: self._history.note(store.log_max_offset))
        self._pumper = Repeat(reactor, self._pump)
        self._due: DelayedCall | None = None
        acks.on_single = self._pump
        self._all_gone: Deferred[None] | None = None

    @property
    def port(self) -> int:
        """The port that is listened on, 0 while none is."""
        return self._server.port

    def listen(self, host: str, port: int) -> None:
        """Lets slaves connect; with port 0 the system chooses one.

        Raises:
            ListenError: the port is taken or not allowed.
        """
        self._server.listen(host, port)
        self._sampler.start(SAMPLE_SECONDS, first=0.0)

    def pump(self) -> None:
        """Something was stored: slaves get it when this turn of the reactor is over, all that it brings at once.

        Only a message that is alone, see `AckTable.on_single`, goes to them before that.
        """
        if self._due is not None:
            return
        end = self._store.log_max_offset
        for sender in self._senders:
            if sender.sent != end:
                self._due = self._reactor.callLater(0, self._on_due)
                return

    def slaves(self) -> list[SlaveState]:
        """The slaves that are connected and have said how far they are."""
        end, gap = self._store.log_max_offset, self._settings.store.ha_max_gap_not_in_sync
        return [
            SlaveState(
                sender.address, sender.ack, sender.sent, sender.per_second, end - sender.ack < gap,
                self._history.lag_millis(sender.ack, end),
            )
            for sender in self._senders if sender.begun
        ]  # fmt: skip

    def stop(self) -> Deferred[object]:
        """Ends all connections, and answers who waits for slaves with a timeout; fires when that is done.

        Slaves that are in step get the last messages first, and a second at most to read them.
        """
        self._sampler.stop()
        self._pumper.stop()
        if self._due is not None:
            self._due.cancel()
            self._due = None
        ends: list[Deferred[Any]] = [self._server.stop()]
        for sender in list(self._senders):
            sender.close()
        if self._senders:
            self._all_gone = Deferred()
            hurry = self._reactor.callLater(STOP_SECONDS, self._abort_rest)
            ends.append(self._all_gone.addCallback(lambda _: hurry.cancel() if hurry.active() else None))
        done: Deferred[object] = DeferredList(ends, consumeErrors=True).addCallback(lambda _: self._acks.stop())
        return done

    def _abort_rest(self) -> None:
        for sender in list(self._senders):
            sender.abort()

    def _make_sender(self) -> SlaveSender | None:
        if len(self._senders) >= MOST_SLAVES:
            _log.error("no more than {most} slaves may connect; another one was refused", most=MOST_SLAVES)
            return None
        sender = SlaveSender(self._reactor, self._store, self._settings, self._acks, self._forget)
        if not self._senders:
            self._pumper.start(PUMP_SECONDS)
        self._senders[sender] = None
        return sender

    def _forget(self, sender: SlaveSender) -> None:
        del self._senders[sender]
        if not self._senders:
            self._pumper.stop()
            if self._all_gone is not None:
                self._all_gone.callback(None)

    def _on_due(self) -> None:
        self._due = None
        self._pump()

    def _pump(self) -> None:
        for sender in list(self._senders):
            sender.pump()
