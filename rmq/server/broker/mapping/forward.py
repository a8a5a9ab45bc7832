"""Asks the broker on which an older stretch of a logical queue lies.

Its address comes from the route of the topic and is remembered until it fails.

Source: RpcClientImpl, ClientMetadata.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from twisted.internet.defer import Deferred, inlineCallbacks, maybeDeferred

from rmq.remoting.calls import SUCCESS, Answer, Invoker
from rmq.remoting.errors import TransportError
from rmq.wire.bodies.route import TopicRouteData
from rmq.wire.declare import Declared
from rmq.wire.errors import RemotingError
from rmq.wire.requests.route import GetRouteInfoByTopic

TIMEOUT_SECONDS: Final = 3.0
"""For one request to a name server or broker (BrokerConfig.forwardTimeout)."""
MOST_BROKERS: Final = 4096
_MASTER: Final = 0


class Forwarder:
    """Calls other brokers by name.

    Args:
        invoker: calls servers.
        name_servers: their addresses now.
    """

    def __init__(self, invoker: Invoker, name_servers: Callable[[], list[str]]) -> None:
        self._invoker = invoker
        self._name_servers = name_servers
        self._addresses: dict[str, str] = {}

    @inlineCallbacks
    def call(self, topic: str, broker: str, header: Declared, *, accept: frozenset[int] = SUCCESS) -> Any:
        """The answer of a broker that holds queues of a topic, as a Deferred.

        Raises:
            RemotingError: nobody knows the broker, it cannot be reached, or it refuses.
        """
        if broker not in self._addresses:
            if len(self._addresses) >= MOST_BROKERS:
                self._addresses.clear()
            self._addresses[broker] = yield self._look_up(topic, broker)
        try:
            answer: Answer = yield self._call(self._addresses[broker], header, accept)
        except TransportError:
            self._addresses.pop(broker, None)
            raise
        return answer

    @inlineCallbacks
    def _look_up(self, topic: str, broker: str) -> Any:
        for server in self._name_servers():
            try:
                answer: Answer = yield self._call(server, GetRouteInfoByTopic(topic, accept_standard_json_only=True))
            except RemotingError:
                continue
            for data in answer.json(TopicRouteData).broker_datas:
                if data.broker_name == broker and _MASTER in data.broker_addrs:
                    return data.broker_addrs[_MASTER]
        raise RemotingError(f"broker {broker}, which holds a part of topic {topic}, is not known to the name servers")

    def _call(self, address: str, header: Declared, accept: frozenset[int] = SUCCESS) -> Deferred[Answer]:
        call: Any = self._invoker.call
        asked: Deferred[Answer] = maybeDeferred(call, address, header, timeout=TIMEOUT_SECONDS, accept=accept)
        return asked
