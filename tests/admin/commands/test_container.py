"""Brokers that live in a container."""

import pytest

from rmq.admin.errors import CommandLineError
from rmq.wire.requests.container import AddBroker, RemoveBroker
from tests.kit.adminfake import MASTER_A, FakeServers, report


def test_add() -> None:
    servers = FakeServers()
    made = report(servers, "addBroker", "-c", MASTER_A, "-b", "/etc/b.conf")
    assert made.render("text") == f"add broker to {MASTER_A} success\n"
    assert made.members == {"container": MASTER_A, "configPath": "/etc/b.conf"}
    assert servers.calls == [(MASTER_A, AddBroker("/etc/b.conf"), b"")]


def test_remove() -> None:
    servers = FakeServers()
    made = report(servers, "removeBroker", "-c", MASTER_A, "-b", "C1: broker-a :3")
    assert made.render("text") == f"remove broker from {MASTER_A} success\n"
    assert made.members == {"container": MASTER_A, "cluster": "C1", "brokerName": "broker-a", "brokerId": 3}
    assert servers.calls == [(MASTER_A, RemoveBroker("broker-a", "C1", 3), b"")]


def test_a_negative_id() -> None:
    servers = FakeServers()
    made = report(servers, "removeBroker", "-c", MASTER_A, "-b", "C1:broker-a:-1")
    assert made.render("text") == "brokerId can't be negative\n"
    assert made.refusal == "brokerId can't be negative"
    assert servers.calls == []


@pytest.mark.parametrize("identity", ["junk", "a:b", "a:b:x", "a:b:1:2"])
def test_no_identity(identity: str) -> None:
    with pytest.raises(CommandLineError):
        report(FakeServers(), "removeBroker", "-c", MASTER_A, "-b", identity)
