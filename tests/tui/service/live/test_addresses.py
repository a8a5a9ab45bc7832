"""Servers that are reached elsewhere than they say, and what is said when they cannot be reached at all."""

import asyncio
import socket
from typing import Any

import pytest

from rmq.remoting.errors import CallTimeoutError, ConnectFailedError
from rmq.testing.server import RocketMQ
from rmq.tui.service.live.addresses import Addressed
from rmq.tui.service.live.service import LiveService
from rmq.tui.service.model import Cluster, Problem
from rmq.tui.service.problems import AdvertisedAddressError, problem_of
from rmq.wire.requests.broker import GetBrokerRuntimeInfo

ADVERTISED, NAMESRV, REACHABLE = "172.17.0.3:10911", "10.0.0.9:9876", "127.0.0.1:10911"
HEADER = GetBrokerRuntimeInfo()


ANSWER: Any = object()


class Wire:
    """Answers at one address, refuses elsewhere, and keeps silent at another."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def call(self, address: str, header: Any, body: Any = b"", **options: Any) -> Any:
        self.asked.append(address)
        if address == "10.0.0.7:1":
            raise CallTimeoutError(address, 3)
        if address != REACHABLE:
            raise ConnectFailedError(address, "Connection refused")
        return ANSWER

    async def send_oneway(self, address: str, header: Any, body: Any = b"") -> None:
        self.asked.append(address)


def call(addressed: Addressed, address: str) -> Any:
    return asyncio.run(addressed.call(address, HEADER))


def test_an_advertised_address_that_cannot_be_reached() -> None:
    addressed = Addressed(Wire(), [NAMESRV], {})
    with pytest.raises(AdvertisedAddressError) as caught:
        call(addressed, ADVERTISED)
    assert problem_of(caught.value) == Problem(
        "cannot connect: Connection refused",
        ADVERTISED,
        None,
        ":map 172.17.0.3:10911 HOST:PORT if it is up: the name server tells this address, "
        "which may not be reachable from here",
    )
    addressed.table[ADVERTISED] = "127.0.0.1:1"
    with pytest.raises(AdvertisedAddressError) as caught:
        call(addressed, ADVERTISED)
    assert problem_of(caught.value).remedy == "looked for at 127.0.0.1:1, as address_map says: is that right?"


def test_other_failures_are_what_they_were() -> None:
    addressed = Addressed(Wire(), [NAMESRV], {})
    with pytest.raises(ConnectFailedError) as caught:
        call(addressed, NAMESRV)
    assert problem_of(caught.value).remedy == "is it running, and is this the address it can be reached at from here?"
    with pytest.raises(CallTimeoutError):
        call(addressed, "10.0.0.7:1")


def test_an_address_is_looked_up() -> None:
    wire = Wire()
    addressed = Addressed(wire, [NAMESRV], {ADVERTISED: REACHABLE})
    assert call(addressed, ADVERTISED) is ANSWER
    asyncio.run(addressed.send_oneway(ADVERTISED, HEADER))
    assert wire.asked == [REACHABLE, REACHABLE]


def test_a_broker_that_advertises_another_address() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        advertised = f"127.0.0.1:{taken.getsockname()[1]}"

    async def look(servers: RocketMQ) -> tuple[Any, Any, Any]:
        service = LiveService([servers.namesrv_addr], lambda: 1, address_map={servers.broker_addr: advertised})
        try:
            wrong = await service.cluster()
            service.map_address(servers.broker_addr, servers.broker_addr)
            right = await service.cluster()
            assert service.address_map == {servers.broker_addr: servers.broker_addr}
            service.map_address(servers.broker_addr, "")
            assert service.address_map == {}
            return wrong, right, await service.cluster()
        finally:
            await service.close()

    with RocketMQ() as servers:
        for found, reached in zip(asyncio.run(look(servers)), (False, True, True), strict=True):
            assert isinstance(found, Cluster)
            (broker,) = found.brokers
            assert (broker.problem is None) is reached
            if broker.problem is not None:
                assert broker.problem.remedy == f"looked for at {advertised}, as address_map says: is that right?"
