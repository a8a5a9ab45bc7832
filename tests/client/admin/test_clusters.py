"""Clusters and brokers."""

import pytest

from rmq.client.admin.clusters import broker_name_at, chosen_address, masters, replicas
from rmq.client.admin.errors import UnknownBrokerError, UnknownClusterError
from rmq.wire.bodies.route import BrokerData
from tests.kit.adminfake import MASTER_A, MASTER_B, SLAVE_A, FakeServers, operate


def test_replicas_are_ordered_by_name_and_id() -> None:
    found = operate(FakeServers(), replicas)
    assert [tuple(replica) for replica in found] == [
        ("C1", "broker-a", 0, MASTER_A),
        ("C1", "broker-a", 1, SLAVE_A),
        ("C1", "broker-b", 0, MASTER_B),
    ]


def test_masters() -> None:
    assert operate(FakeServers(), lambda admin: masters(admin, "C1")) == [MASTER_A, MASTER_B]
    with pytest.raises(UnknownClusterError) as unknown:
        operate(FakeServers(), lambda admin: masters(admin, "C2"))
    assert unknown.value.known == ["C1"]


def test_name_of_an_address() -> None:
    assert operate(FakeServers(), lambda admin: broker_name_at(admin, SLAVE_A)) == "broker-a"
    with pytest.raises(UnknownBrokerError, match=r"The broker\[x:1\] not exist"):
        operate(FakeServers(), lambda admin: broker_name_at(admin, "x:1"))


def test_the_master_is_asked_while_there_is_one() -> None:
    assert chosen_address(BrokerData("a", "c", {2: "s2", 0: "m", 1: "s1"})) == "m"
    assert chosen_address(BrokerData("a", "c", {2: "s2", 1: "s1"})) == "s1"
    assert chosen_address(BrokerData("a", "c", {})) is None
