"""A slave's replication: finds its master, makes sure that both logs agree, and follows.

One run is always in one of these states:

    IDLE ── a master is known ──▶ VERIFYING ── common point found, what is beyond it cut ──▶ CONNECTING
     ▲                                │                                                          │ connected
     │ none is known                  ▼ any failure                            the stream ends   ▼
     └──────────────────────────── WAITING ◀──────────────────────────────────────────────── FOLLOWING

WAITING takes 0.2 seconds, twice as long after each failure in a row, 5 at most. Another master interrupts whatever is
waited for, except the cutting of the log, which always comes to its end.

Source: DefaultHAClient; the verification is this project's own.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, Final, NamedTuple, TypeVar

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.logger import Logger

from rmq.remoting.calls import Invoker
from rmq.remoting.stream import connect_stream
from rmq.server.ha.common import CommonPoint, MasterRecords, ReplicationError, find_common_point
from rmq.server.ha.inventory import MasterQueues, missing_queues
from rmq.server.ha.proof import StreamProof
from rmq.server.ha.receiver import MasterReceiver
from rmq.server.store.api import StoreError
from rmq.server.store.refill import QueueName
from rmq.server.store.store import MessageStore
from rmq.settings.model import BrokerSettings
from rmq.wire.address import split_address
from rmq.wire.bodies.broker import HAClientRuntimeInfo
from rmq.wire.errors import RemotingError

T = TypeVar("T")

_SHORTEST_PAUSE: Final = 0.2
_LONGEST_PAUSE: Final = 5.0
_CONNECT_TIMEOUT: Final = 3.0
_SAY_AGAIN: Final = 60.0
"""Seconds until a trouble that lasts is logged again."""

_log = Logger()


class HaState(Enum):
    """What a slave's replication is doing."""

    IDLE = "idle"
    """No master is known."""
    VERIFYING = "verifying"
    """The logs are compared, and the own one is cut if need be."""
    CONNECTING = "connecting"
    FOLLOWING = "following"
    """The stream stands."""
    WAITING = "waiting"
    """Something failed and will be tried again."""


class _Master(NamedTuple):
    """Where requests and the stream go, `host:port`."""

    address: str
    ha_address: str


class HaSlave:
    """Keeps a store equal to its master's.

    Args:
        reactor: a Twisted reactor.
        store: the slave's store, which takes no messages from clients.
        settings: as they are set now; `haMasterAddress` goes before what `master_is` says.
        invoker: sends requests to the master; for this use alone, see `MasterRecords.record_at`.
        on_read: called after each read from the master.
        on_following: called whenever a stream begins.

    Attributes:
        state: see the module's text.
    """

    def __init__(
        self,
        reactor: Any,
        store: MessageStore,
        settings: BrokerSettings,
        invoker: Invoker,
        *,
        on_read: Callable[[], None],
        on_following: Callable[[], None],
    ) -> None:
        self._reactor = reactor
        self._store = store
        self._settings = settings
        self._invoker = invoker
        self._on_read = on_read
        self._on_following = on_following
        self._master: _Master | None = None
        self._receiver: MasterReceiver | None = None
        self._waiting: Deferred[Any] | None = None
        self._running: Deferred[None] | None = None
        self._stopping = False
        self._pause = _SHORTEST_PAUSE
        self._said = ("", 0.0)
        self._met = ""
        self.state = HaState.IDLE

    @property
    def is_following(self) -> bool:
        """Whether the stream stands, so that both logs are known to be one."""
        return self.state is HaState.FOLLOWING

    # --- what others say

    def start(self) -> None:
        """Begins; waits until a master is known."""
        self._running = Deferred.fromCoroutine(self._run())

    def master_is(self, address: str | None, ha_address: str | None) -> None:
        """Tells where the master is: for requests, and for the stream. None: not known now, what was known stays."""
        ha_address = self._settings.store.ha_master_address or ha_address
        if address is None or ha_address is None:
            return
        if (found := _Master(address, ha_address)) != self._master:
            _log.info(
                "the master is {address}, its log comes from {ha_address}", address=address, ha_address=ha_address
            )
            self._master = found
            self._interrupt()

    def stop(self) -> Deferred[None]:
        """Ends the stream; fires when nothing touches the store any more."""
        self._stopping = True
        self._interrupt()
        running, self._running = self._running, None
        return running if running is not None else succeed(None)

    def figures(self) -> HAClientRuntimeInfo:
        """What request 907 shows of a slave."""
        figures = HAClientRuntimeInfo(
            max_offset=self._store.log_max_offset, master_flush_offset=self._store.master_flushed_offset
        )
        if self._master is not None:
            figures.master_addr = self._master.ha_address
        if self._receiver is not None:
            figures.transferred_byte_in_second = self._receiver.rate.per_second
            figures.last_read_timestamp = int(self._receiver.last_read * 1000)
            figures.last_write_timestamp = int(self._receiver.last_write * 1000)
        return figures

    # --- the run

    async def _run(self) -> None:
        while not self._stopping:
            try:
                if self._master is None:
                    self.state = HaState.IDLE
                    await self._until(Deferred())
                else:
                    await self._follow(self._master)
            except CancelledError:
                # Another master, or the end.
                continue
            except (ReplicationError, RemotingError, StoreError, ValueError, OSError) as error:
                self._say(str(error))
                await self._wait()
            except Exception:
                _log.failure("replication failed and will be tried again")
                await self._wait()
        self.state = HaState.IDLE

    async def _follow(self, master: _Master) -> None:
        """Everything with one master; raises why it ended."""
        self._store.replica.drop_partial()
        self.state = HaState.VERIFYING
        await self._prepare(*await self._until(Deferred.fromCoroutine(self._verify(master))))
        self._met = master.address
        if self._stopping or self._master != master:
            return
        self.state = HaState.CONNECTING
        host, port = split_address(master.ha_address)
        receiver, proof = self._ends(master)
        await self._until(connect_stream(self._reactor, host, port, receiver, timeout=_CONNECT_TIMEOUT))
        self.state = HaState.FOLLOWING
        self._receiver = receiver
        _log.info("following {address} from {offset}", address=master.ha_address, offset=self._store.replica.received)
        try:
            self._on_following()
            why = await self._until(receiver.over)
        finally:
            proof.stop()
            receiver.tcp.abortConnection()
            self._receiver = None
            if receiver.advanced and proof.refused is None:
                self._pause = _SHORTEST_PAUSE
        raise why

    def _ends(self, master: _Master) -> tuple[MasterReceiver, StreamProof]:
        """This broker's end of a stream, and what stands before the store until the stream is proven."""

        def pause() -> None:
            receiver.tcp.pauseProducing()

        def refuse(why: Exception) -> None:
            receiver.end(why)

        def resume() -> None:
            receiver.sink = self._store.replica
            receiver.tcp.resumeProducing()
            # As if something had come just now: what was held back is reported.
            receiver.dataReceived(b"")

        proof = StreamProof(
            self._store.replica,
            MasterRecords(self._invoker, master.address),
            master.ha_address,
            pause=pause,
            resume=resume,
            refuse=refuse,
        )
        receiver = MasterReceiver(self._reactor, proof, self._settings.store, self._on_read)
        return receiver, proof

    async def _verify(self, master: _Master) -> tuple[CommonPoint, dict[QueueName, int]]:
        """The common point, and the queues that lack what the log has before it."""
        ask = MasterRecords(self._invoker, master.address)
        await ask.check_identity(self._settings)
        point = await find_common_point(ask, self._store)
        if point.start_over or point.first_record:
            return point, {}
        queues = MasterQueues(self._invoker, master.address)
        return point, await missing_queues(queues, self._store, point.offset, whole=self._met != master.address)

    async def _prepare(self, point: CommonPoint, missing: dict[QueueName, int]) -> None:
        """Makes the log end at the common point, and the queues hold what the log has before it."""
        store = self._store
        start, end = store.log_min_offset, store.log_max_offset
        keep = min(point.offset, end)
        if point.start_over:
            if start < end:
                _log.error(
                    "the master has removed everything that this slave has, {start} to {end}: beginning again at {at}",
                    start=start, end=end, at=point.offset,
                )  # fmt: skip
            # Its retention has expired them here too.
            await store.start_over(point.offset)
        elif keep < end or missing or store.replica.closed:
            # Closed: an earlier attempt to cut the log stopped halfway.
            cut = await store.truncate(keep, missing)
            if missing:
                _log.warn(
                    "{count} queues lacked messages that the log and the master have; they have them again: {queues}",
                    count=len(missing), queues=", ".join(f"{topic}:{queue}" for topic, queue in sorted(missing)[:10]),
                )  # fmt: skip
            if cut.size:
                _log.error(
                    "the log differed from the master's: {messages} messages, {size} bytes from {offset} on were cut"
                    " off and kept in {path}",
                    messages=cut.messages, size=cut.size, offset=cut.offset, path=cut.path,
                )  # fmt: skip
        if point.first_record:
            store.replica.feed(0, point.first_record)
            store.replica.announce()

    async def _wait(self) -> None:
        self.state = HaState.WAITING
        over: Deferred[None] = Deferred(lambda _: timer.cancel())
        timer = self._reactor.callLater(self._pause, over.callback, None)
        self._pause = min(self._pause * 2, _LONGEST_PAUSE)
        try:
            await self._until(over)
        except CancelledError:
            return

    async def _until(self, waiting: Deferred[T]) -> T:
        """Waits for what `_interrupt` may cancel."""
        self._waiting = waiting
        try:
            return await waiting
        finally:
            self._waiting = None

    def _interrupt(self) -> None:
        self._pause = _SHORTEST_PAUSE
        if self._waiting is not None:
            self._waiting.cancel()

    def _say(self, trouble: str) -> None:
        """Logs a trouble, but not again and again."""
        said, when = self._said
        now = self._reactor.seconds()
        if trouble != said or now >= when + _SAY_AGAIN:
            self._said = trouble, now
            _log.error("replication is interrupted: {trouble}", trouble=trouble)
