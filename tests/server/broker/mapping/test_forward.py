"""Other brokers are found by name and asked."""

from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail, succeed

from rmq.remoting.calls import SUCCESS, Answer
from rmq.remoting.errors import ConnectFailedError
from rmq.server.broker.mapping import forward
from rmq.server.broker.mapping.forward import Forwarder
from rmq.wire.bodies.route import BrokerData, TopicRouteData
from rmq.wire.command import Command
from rmq.wire.declare import encode_body, encode_header
from rmq.wire.errors import RemotingError
from rmq.wire.requests.offset import GetMaxOffset, OffsetReply
from rmq.wire.requests.route import GetRouteInfoByTopic

ROUTE = TopicRouteData([BrokerData("b", "C", {0: "b:1", 1: "b:2"}), BrokerData("slaves", "C", {1: "s:1"})])
HEADER = GetMaxOffset("T", 3, lo=False)


class Servers:
    """Two name servers, of which the first is down, and one broker."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.broker_down = False

    def call(self, address: str, header: Any, *, timeout: float, accept: frozenset[int] = SUCCESS) -> Deferred[Answer]:
        self.asked.append(address)
        if address == "n:1" or (address == "b:1" and self.broker_down):
            return fail(ConnectFailedError(address, "refused"))
        if isinstance(header, GetRouteInfoByTopic):
            return succeed(Answer(GetRouteInfoByTopic, Command(0, {}, encode_body(ROUTE)), address))
        assert header is HEADER
        return succeed(Answer(GetMaxOffset, Command(0, encode_header(OffsetReply(9))), address))


def ask(forwarder: Forwarder, broker: str = "b") -> Any:
    results: list[Any] = []
    asked: Deferred[Any] = forwarder.call("T", broker, HEADER)
    asked.addBoth(results.append)
    if isinstance(getattr(results[0], "value", None), RemotingError):
        raise results[0].value
    return results[0].header


def test_a_broker_is_looked_up_once() -> None:
    servers = Servers()
    forwarder = Forwarder(servers, lambda: ["n:1", "n:2"])
    assert ask(forwarder) == ask(forwarder) == OffsetReply(9)
    assert servers.asked == ["n:1", "n:2", "b:1", "b:1"]


def test_an_address_that_fails_is_forgotten() -> None:
    servers = Servers()
    forwarder = Forwarder(servers, lambda: ["n:2"])
    ask(forwarder)
    servers.broker_down = True
    with pytest.raises(ConnectFailedError):
        ask(forwarder)
    servers.broker_down = False
    ask(forwarder)
    assert servers.asked == ["n:2", "b:1", "b:1", "n:2", "b:1"]


@pytest.mark.parametrize("broker", ["none", "slaves"])
def test_a_broker_that_nobody_knows(broker: str) -> None:
    with pytest.raises(RemotingError, match=f"broker {broker}, which holds a part of topic T, is not known"):
        ask(Forwarder(Servers(), lambda: ["n:2"]), broker)


def test_names_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forward, "MOST_BROKERS", 1)
    servers = Servers()
    forwarder = Forwarder(servers, lambda: ["n:2"])
    ask(forwarder)
    with pytest.raises(RemotingError):
        ask(forwarder, "none")
    ask(forwarder)
    assert servers.asked.count("n:2") == 3
