"""Tells every name server what this broker holds, every 30 seconds and after every change.

Registrations go to all name servers side by side; one that is down is tried again with the next round. Changes that
come in bursts are gathered: while a name server has not answered, the next registration for it waits, and after a
large one it waits a little longer, so that a broker never spends more than a fraction of its time on telling. A name
server that does not answer delays nothing at the others.

A name server's answer may name the topics of ordered messages (its ORDER_TOPIC_CONFIG table), which the broker marks.

Source: BrokerController.registerBrokerAll, BrokerOuterAPI.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Final

from twisted.internet.defer import Deferred, DeferredList, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from rmq.remoting.calls import Answer
from rmq.remoting.client import RemotingClient
from rmq.remoting.reactor import Clock, Repeat
from rmq.wire.bodies.broker import KVTable
from rmq.wire.bodies.registration import RegisterBrokerBody, body_crc, encode_registration
from rmq.wire.bodies.topic import TopicConfigAndMappingSerializeWrapper
from rmq.wire.errors import InvalidFieldError
from rmq.wire.requests.registration import RegisterBroker, UnregisterBroker

_REST: Final = 4
"""A registration that follows another waits so many times as long as that one took to write."""

log = Logger()


class Registrar:
    """Keeps a broker registered.

    Args:
        clock: tells time and calls later.
        client: connections to the name servers.
        name_servers: their addresses now.
        identity: cluster, broker name, broker id, own address, own high-availability address.
        topics: what to register.
        ordered: told the topics that a name server knows to be ordered.
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
        topics: Callable[[], TopicConfigAndMappingSerializeWrapper],
        ordered: Callable[[Iterable[str]], None] = lambda names: None,
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
        self._compressed = compressed
        self._period = period
        self._timeout = timeout
        self._loop = Repeat(clock, self.changed)
        self._busy: set[str] = set()
        self._again: set[str] = set()
        self._cost = 0.0
        self._stopped = False
        self._failing: set[str] = set()

    def start(self) -> Deferred[None]:
        """Registers now and from now on; fires when every name server has answered or failed."""
        self._loop.start(self._period)
        return self._register(self._name_servers())

    def changed(self) -> None:
        """Something to register has changed: registers now, or where an answer is awaited after that."""
        if not self._stopped:
            self._register(self._name_servers())

    def _register(self, addresses: Collection[str]) -> Deferred[None]:
        self._again.update(self._busy.intersection(addresses))
        idle = [address for address in addresses if address not in self._busy]
        if not idle:
            return succeed(None)
        started = self._clock.seconds()
        compressed = self._compressed()
        registration = RegisterBrokerBody(topic_config_serialize_wrapper=self._topics())
        payload = encode_registration(registration, compressed=compressed)
        self._cost = self._clock.seconds() - started
        header = RegisterBroker(
            broker_name=self._name,
            broker_addr=self._address,
            cluster_name=self._cluster,
            ha_server_addr=self._ha_address,
            broker_id=self._id,
            compressed=compressed,
            body_crc32=body_crc(payload),
        )
        self._busy.update(idle)
        calls = [
            self._client.call(address, header, payload, timeout=self._timeout)
            .addCallbacks(self._registered, self._failed, callbackArgs=(address,), errbackArgs=(address,))
            .addCallback(self._answered, address)
            for address in idle
        ]
        return DeferredList(calls).addCallback(lambda _: None)

    def _answered(self, _: object, address: str) -> None:
        if address in self._again and not self._stopped:
            self._clock.callLater(self._cost * _REST, self._next, address)
        else:
            self._busy.discard(address)

    def _next(self, address: str) -> None:
        self._again.discard(address)
        self._busy.discard(address)
        if not self._stopped and address in self._name_servers():
            self._register([address])

    def _registered(self, answer: Answer, address: str) -> None:
        if address in self._failing:
            self._failing.discard(address)
            log.info("registered with name server {address} again", address=address)
        if answer.body:
            try:
                self._ordered(answer.json(KVTable).table)
            except InvalidFieldError as error:
                log.warn("name server {address} answers a registration with {error}", address=address, error=error)

    def _failed(self, failure: Failure, address: str) -> None:
        # One line when it begins, not one every round.
        if address not in self._failing:
            self._failing.add(address)
            log.warn("cannot register with name server {address}: {error}", address=address, error=failure.value)

    def stop(self) -> Deferred[None]:
        """Unregisters everywhere; fires when that is done or has failed."""
        self._stopped = True
        self._loop.stop()
        header = UnregisterBroker(
            broker_name=self._name, broker_addr=self._address, cluster_name=self._cluster, broker_id=self._id
        )
        calls = [
            self._client.call(address, header, timeout=3.0).addErrback(lambda failure: None)
            for address in self._name_servers()
        ]
        return DeferredList(calls).addCallback(lambda _: None)
