"""Which connection of a master belongs to which slave."""

from typing import Any

import pytest

from rmq.client.admin.clusters import Replica
from rmq.client.admin.replication import Follower, followers
from rmq.wire.bodies.broker import HAConnectionRuntimeInfo, HARuntimeInfo
from rmq.wire.errors import SystemBusyError
from rmq.wire.requests.replication import GetBrokerHaStatus
from tests.kit.adminfake import FakeServers, operate

MASTER = Replica("C1", "broker-a", 0, "10.0.0.1:10911")
ONE, TWO = Replica("C1", "broker-a", 1, "10.0.0.2:10911"), Replica("C1", "broker-a", 2, "10.0.0.3:10911")
BESIDE = Replica("C1", "broker-a", 2, "10.0.0.2:20911")
LONELY = Replica("C1", "broker-b", 0, "10.0.0.4:10911")


def seen(address: str, ack: int, *, age: int | None = None) -> HAConnectionRuntimeInfo:
    return HAConnectionRuntimeInfo(address, ack, 100 - ack, ack > 50, lag_millis=age)


def asked(replicas: list[Replica], connections: list[HAConnectionRuntimeInfo], **ends: int) -> dict[str, Follower]:
    servers = FakeServers({GetBrokerHaStatus: HARuntimeInfo(True, 100, 0, connections)})
    known = {slave.address: end for slave, end in zip(replicas[1:], ends.values(), strict=False)}
    found: dict[str, Follower] = operate(servers, lambda admin: followers(admin, replicas, known))
    assert servers.sent(GetBrokerHaStatus) == [(MASTER.address, GetBrokerHaStatus())]
    return found


def test_a_slave_is_known_by_its_host() -> None:
    assert asked([MASTER, ONE, TWO, LONELY], [seen("10.0.0.3:7", 20), seen("10.0.0.2:5", 90, age=40)]) == {
        ONE.address: Follower(10, 40, True),
        TWO.address: Follower(80, None, False),
    }


def test_slaves_of_one_host_are_told_apart_by_how_far_they_are() -> None:
    found = asked([MASTER, ONE, BESIDE], [seen("10.0.0.2:6", 20), seen("10.0.0.2:5", 90)], one=25, beside=92)
    assert [found[slave.address].lag for slave in (ONE, BESIDE)] == [80, 10]


def test_a_slave_that_is_seen_under_another_address() -> None:
    found = asked([MASTER, ONE, TWO], [seen("172.17.0.1:5", 90), seen("10.0.0.3:5", 20)])
    assert [found[slave.address].lag for slave in (ONE, TWO)] == [10, 80]


def test_a_slave_that_is_not_connected() -> None:
    assert asked([MASTER, ONE, TWO], [seen("10.0.0.3:7", 90)], one=30) == {
        ONE.address: Follower(70, None, False),
        TWO.address: Follower(10, None, True),
    }
    assert asked([MASTER, ONE], []) == {ONE.address: Follower(None, None, False)}


def test_of_two_connections_the_one_that_has_more_is_alive() -> None:
    assert asked([MASTER, ONE], [seen("10.0.0.2:5", 20), seen("10.0.0.2:6", 90)])[ONE.address].lag == 10


@pytest.mark.parametrize("answer", [SystemBusyError("busy"), HARuntimeInfo(False)])
def test_a_master_that_does_not_tell(answer: Any) -> None:
    servers = FakeServers({GetBrokerHaStatus: answer})
    assert operate(servers, lambda admin: followers(admin, [MASTER, ONE], {})) == {}


def test_a_master_that_is_away() -> None:
    servers = FakeServers()
    assert operate(servers, lambda admin: followers(admin, [ONE, LONELY], {ONE.address: 5})) == {}
    assert servers.calls == []
