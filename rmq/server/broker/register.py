"""Tells every name server what this broker holds, every 30 seconds and after every change.

Registrations go to all name servers side by side; one that is down is tried again with the next round. Changes that
come in bursts are gathered: one registration follows after the one that is under way.

Source: BrokerController.registerBrokerAll, BrokerOuterAPI.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from rmq.remoting.calls import Answer
from rmq.remoting.client import RemotingClient
from rmq.remoting.reactor import Clock
from rmq.wire.bodies.registration import RegisterBrokerBody, body_crc, encode_registration
from rmq.wire.bodies.topic import TopicConfigAndMappingSerializeWrapper
from rmq.wire.requests.registration import RegisterBroker, UnregisterBroker

log = Logger()


class Registrar:
    """Keeps a broker registered.

    Args:
        clock: tells time and calls later.
        client: connections to the name servers.
        name_servers: their addresses now.
        identity: cluster, broker name, broker id, own address, own high-availability address.
        topics: what to register.
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
        compressed: Callable[[], bool] = lambda: False,
        period: float = 30.0,
        timeout: float = 24.0,
    ) -> None:
        self._client = client
        self._name_servers = name_servers
        self._cluster, self._name, self._id, self._address, self._ha_address = identity
        self._topics = topics
        self._compressed = compressed
        self._period = period
        self._timeout = timeout
        self._loop = LoopingCall(self.changed)
        self._loop.clock = cast(Any, clock)
        self._running = False
        self._again = False
        self._stopped = False
        self._failing: set[str] = set()

    def start(self) -> Deferred[None]:
        """Registers now and from now on; fires when the first round is over."""
        self._loop.start(self._period, now=False)
        return self._round()

    def changed(self) -> None:
        """Something to register has changed: registers now, or after the round that is under way."""
        if self._running:
            self._again = True
        elif not self._stopped:
            self._round()

    def _round(self) -> Deferred[None]:
        """Registers with every name server; fires when all have answered or failed."""
        self._running, self._again = True, False
        compressed = self._compressed()
        registration = RegisterBrokerBody(topic_config_serialize_wrapper=self._topics())
        payload = encode_registration(registration, compressed=compressed)
        header = RegisterBroker(
            broker_name=self._name,
            broker_addr=self._address,
            cluster_name=self._cluster,
            ha_server_addr=self._ha_address,
            broker_id=self._id,
            compressed=compressed,
            body_crc32=body_crc(payload),
        )
        calls = [
            self._client.call(address, header, payload, timeout=self._timeout).addCallbacks(
                self._registered, self._failed, callbackArgs=(address,), errbackArgs=(address,)
            )
            for address in self._name_servers()
        ]
        return DeferredList(calls).addCallback(self._over)

    def _over(self, _: object) -> None:
        self._running = False
        if self._again and not self._stopped:
            self._round()

    def _registered(self, answer: Answer, address: str) -> None:
        if address in self._failing:
            self._failing.discard(address)
            log.info("registered with name server {address} again", address=address)

    def _failed(self, failure: Failure, address: str) -> None:
        # One line when it begins, not one every round.
        if address not in self._failing:
            self._failing.add(address)
            log.warn("cannot register with name server {address}: {error}", address=address, error=failure.value)

    def stop(self) -> Deferred[None]:
        """Unregisters everywhere; fires when that is done or has failed."""
        self._stopped = True
        if self._loop.running:
            self._loop.stop()
        header = UnregisterBroker(
            broker_name=self._name, broker_addr=self._address, cluster_name=self._cluster, broker_id=self._id
        )
        calls = [
            self._client.call(address, header, timeout=3.0).addErrback(lambda failure: None)
            for address in self._name_servers()
        ]
        return DeferredList(calls).addCallback(lambda _: None)
