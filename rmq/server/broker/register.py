"""Tells every name server what this broker holds: everything every 30 seconds, and each change at once.

A registration after a change carries only the topics that changed; a name server keeps the others. One that refuses
it has forgotten this broker, and one that has failed may have missed a change: both get everything, the former at
once, the latter with the next round, or before that as soon as it can be reached again (`comeback.py`): it may have
been restarted, and its clients wait for routes. Registrations go to all name servers side by side. Changes that come
in bursts are gathered: while a name server has not answered, the next registration for it waits, and after a large
one it waits a little longer, so that a broker never spends more than a fraction of its time on telling. A name server
that does not answer delays nothing at the others.

Who created a topic is answered when the name servers know of it, so that whoever asks them next finds it. Nobody
waits for a name server that failed the last time.

A name server's answer may name the topics of ordered messages (its ORDER_TOPIC_CONFIG table), which the broker marks.

It tells a slave where its master is. One that knows of a master outdoes those that do not: they may have been
restarted. One that does not answer has no say. A slave that has just started and hears of no master asks a few times
more, because its master may be starting too.

That the broker does not act as a master (enableActingMaster) is said, not left out: to a name server it means that a
slave's topics count while there is no master.

Source: BrokerController.registerBrokerAll, registerIncrementBrokerData, BrokerOuterAPI.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from typing import Final

from twisted.internet.defer import Deferred, DeferredList
from twisted.logger import Logger
from twisted.python.failure import Failure

from rmq.remoting.calls import Answer
from rmq.remoting.client import RemotingClient
from rmq.remoting.errors import ConnectFailedError, ConnectionClosedError, TransportError, UnreadableAnswerError
from rmq.remoting.reactor import Clock, DelayedCall, Repeat
from rmq.server.broker.comeback import Comeback
from rmq.wire.bodies.broker import KVTable
from rmq.wire.bodies.registration import RegisterBrokerBody, body_crc, encode_registration
from rmq.wire.bodies.topic import TopicConfigAndMappingSerializeWrapper
from rmq.wire.errors import InvalidFieldError
from rmq.wire.requests.registration import RegisterBroker, RegisterBrokerReply, UnregisterBroker

Master = tuple[str | None, str | None]
"""A master's address and that of its log, each None when it is not known."""

_REST: Final = 4
"""A registration that follows another waits so many times as long as that one took to write."""
_ASK_AGAIN: Final = (0.1, 0.2, 0.4, 0.8)
"""Seconds between the first questions of a slave that hears of no master."""

log = Logger()


class _NameServer:
    """What one name server is still to be told, and who waits for that.

    Attributes:
        due: the topics that the next registration carries, in the order of their changes; None for everything.
        busy: whether a registration is under way, or rests.
        failing: whether the last registration failed.
        waiting: fired when the registration under way is over.
        waiting_next: those whose changes go with the next one.
        master: the master's address and that of its log, by its last answer; None when it failed.
    """

    def __init__(self) -> None:
        self.due: dict[str, None] | None = None
        self.busy = False
        self.failing = False
        self.waiting: list[Deferred[None]] = []
        self.waiting_next: list[Deferred[None]] = []
        self.master: Master | None = None

    @property
    def is_due(self) -> bool:
        """Whether another registration must follow the one under way."""
        return self.due is None or bool(self.due)

    def release(self, *, everybody: bool) -> None:
        """Fires for those whose changes were told, or for everybody when nothing will be told soon."""
        over, self.waiting = self.waiting, []
        if everybody:
            over += self.waiting_next
            self.waiting_next = []
        for waiting in over:
            waiting.callback(None)


class Registrar:
    """Keeps a broker registered.

    Args:
        clock: tells time and calls later.
        client: connections to the name servers.
        name_servers: their addresses now.
        identity: cluster, broker name, broker id, own address, own high-availability address.
        topics: what to register: the topics named, or everything.
        ordered: told the topics that a name server knows to be ordered.
        on_master: told of a slave where its master is and where its log comes from, whenever that changes; None when
            no name server knows.
        compressed: whether the body is sent compressed.
        period: seconds between two rounds.
        timeout: seconds in which a name server must answer.
    """

    def __init__(
        self,
        clock: Clock,
        client: RemotingClient,
        *,
        name_servers: Callable[[], list[str]],
        identity: tuple[str, str, int, str, str],
        topics: Callable[[Collection[str] | None], TopicConfigAndMappingSerializeWrapper],
        ordered: Callable[[Iterable[str]], None] = lambda names: None,
        on_master: Callable[[str | None, str | None], None] = lambda address, ha_address: None,
        compressed: Callable[[], bool] = lambda: False,
        period: float = 30.0,
        timeout: float = 24.0,
    ) -> None:
        self._clock = clock
        self._client = client
        self._name_servers = name_servers
        self._cluster, self._name, self._id, self._address, self._ha_address = identity
        self._topics = topics
        self._ordered = ordered
        self._on_master = on_master
        self._master: Master = (None, None)
        self._compressed = compressed
        self._period = self._interval = period
        self._timeout = timeout
        self._loop = Repeat(clock, self.changed)
        self._comeback = Comeback(
            clock,
            client,
            wanted=lambda address: address in name_servers(),
            lost=self._lost,
            back=self._back,
            rest=lambda: self._cost * _REST,
        )
        self._pauses = iter(_ASK_AGAIN)
        self._asking: DelayedCall | None = None
        self._told: defaultdict[str, _NameServer] = defaultdict(_NameServer)
        self._cost = 0.0
        self._stopped = False

    def start(self) -> Deferred[None]:
        """Registers now and from now on; fires when every name server has answered or failed."""
        self._loop.start(self._interval)
        return self._register(self._name_servers())

    def hurry(self, seconds: float | None) -> None:
        """Registers every so many seconds from now on, if that is more often than usual; None for as often as usual."""
        interval = self._period if seconds is None else min(seconds, self._period)
        if interval != self._interval:
            self._interval = interval
            if self._loop.running:
                self._loop.start(interval)

    def changed(self, topics: Collection[str] = ()) -> None:
        """Topics have changed, or anything when none is named: registers, where an answer is awaited after that."""
        if self._stopped:
            return
        addresses = self._name_servers()
        for address in addresses:
            server = self._told[address]
            if not topics:
                server.due = None
            elif server.due is not None:
                server.due.update(dict.fromkeys(topics))
        self._register([address for address in addresses if not topics or not self._told[address].failing])

    def told(self) -> Deferred[None] | None:
        """Fires when every name server has answered a registration with all changes so far, or has failed.

        None when that is so already.
        """
        heard: list[Deferred[None]] = []
        for server in self._told.values():
            if server.busy and not server.failing:
                waiting: Deferred[None] = Deferred()
                (server.waiting_next if server.is_due else server.waiting).append(waiting)
                heard.append(waiting)
        return DeferredList(heard).addCallback(lambda _: None) if heard else None

    def _register(self, addresses: Collection[str]) -> Deferred[None]:
        # Name servers that are told the same share the work of writing it.
        groups: defaultdict[tuple[str, ...] | None, list[str]] = defaultdict(list)
        for address in addresses:
            server = self._told[address]
            if not server.busy:
                groups[None if server.due is None else tuple(server.due)].append(address)
        calls = [call for topics, group in groups.items() for call in self._tell(group, topics)]
        return DeferredList(calls).addCallback(lambda _: None)

    def _tell(self, addresses: list[str], topics: Collection[str] | None) -> list[Deferred[None]]:
        started = self._clock.seconds()
        compressed = self._compressed()
        registration = RegisterBrokerBody(topic_config_serialize_wrapper=self._topics(topics))
        payload = encode_registration(registration, compressed=compressed)
        self._cost = self._clock.seconds() - started
        header = RegisterBroker(
            broker_name=self._name,
            broker_addr=self._address,
            cluster_name=self._cluster,
            ha_server_addr=self._ha_address,
            broker_id=self._id,
            enable_acting_master=False,
            compressed=compressed,
            body_crc32=body_crc(payload),
        )
        for address in addresses:
            server = self._told[address]
            server.due, server.busy = {}, True
        return [
            self._client.call(address, header, payload, timeout=self._timeout)
            .addCallbacks(
                self._registered, self._failed, callbackArgs=(address,), errbackArgs=(address, topics is None)
            )
            .addCallback(self._answered, address)
            for address in addresses
        ]

    def _answered(self, _: object, address: str) -> None:
        server = self._told[address]
        if server.is_due and not server.failing and not self._stopped:
            server.release(everybody=False)
            self._clock.callLater(self._cost * _REST, self._next, address)
        else:
            server.busy = False
            server.release(everybody=True)

    def _next(self, address: str) -> None:
        server = self._told[address]
        server.busy = False
        server.waiting, server.waiting_next = server.waiting_next, []
        if not self._stopped and address in self._name_servers():
            self._register([address])
        else:
            server.release(everybody=True)

    def _lost(self, address: str) -> None:
        """The connection to a name server has ended."""
        server = self._told[address]
        server.due = None
        server.master = None
        if not server.failing:
            server.failing = True
            log.warn("the connection to name server {address} has ended", address=address)

    def _back(self, address: str) -> None:
        """A name server can be reached again. What is under way then tells it, or fails and has it sought once more."""
        if not self._told[address].busy:
            self._told[address].due = None
            self._register([address])

    def _registered(self, answer: Answer, address: str) -> None:
        server = self._told[address]
        self._comeback.answered(address)
        if server.failing:
            server.failing = False
            log.info("registered with name server {address} again", address=address)
        if answer.body:
            try:
                self._ordered(answer.json(KVTable).table)
            except InvalidFieldError as error:
                log.warn("name server {address} answers a registration with {error}", address=address, error=error)
        if self._id:
            reply: RegisterBrokerReply = answer.header
            server.master = (reply.master_addr or None, reply.ha_server_addr or None)
            self._judge_master()

    def _judge_master(self) -> None:
        """Tells of the master that the name servers know, if that is another one than before."""
        said = [server.master for address in self._name_servers() if (server := self._told[address]).master is not None]
        # A broker that was the master itself is still known as such until its new registration is.
        known = [master for master in said if master[0] not in {None, self._address}]
        if not known:
            self._ask_again()
        if said and (best := next(iter(known), (None, None))) != self._master and not self._stopped:
            self._master = best
            self._on_master(*best)

    def _ask_again(self) -> None:
        pause = next(self._pauses, None) if self._asking is None and self._master == (None, None) else None
        if pause is not None and not self._stopped:
            self._asking = self._clock.callLater(pause, self._asked_again)

    def _asked_again(self) -> None:
        self._asking = None
        self.changed()

    def _failed(self, failure: Failure, address: str, everything: bool) -> None:
        server = self._told[address]
        server.due = None
        server.master = None
        if not everything and not isinstance(failure.value, TransportError):
            server.waiting_next += server.waiting
            server.waiting = []
        # One line when it begins, not one every round.
        elif not server.failing:
            server.failing = True
            log.warn("cannot register with name server {address}: {error}", address=address, error=failure.value)
        error = failure.value
        if isinstance(error, ConnectFailedError | ConnectionClosedError) and not isinstance(
            error, UnreadableAnswerError
        ):
            self._comeback.seek(address)

    def stop(self) -> Deferred[None]:
        """Unregisters everywhere; fires when that is done or has failed."""
        self._stopped = True
        self._loop.stop()
        self._comeback.stop()
        if self._asking is not None:
            self._asking.cancel()
            self._asking = None
        header = UnregisterBroker(
            broker_name=self._name, broker_addr=self._address, cluster_name=self._cluster, broker_id=self._id
        )
        calls = [
            self._client.call(address, header, timeout=3.0).addErrback(lambda failure: None)
            for address in self._name_servers()
        ]
        return DeferredList(calls).addCallback(lambda _: None)
