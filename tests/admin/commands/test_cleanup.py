"""Clean-up commands."""

from typing import Any

import pytest

from rmq.wire.bodies.route import ClusterInfo
from rmq.wire.errors import RemotingError
from rmq.wire.requests.broker import CleanExpiredConsumeQueue, CleanUnusedTopic, DeleteExpiredCommitLog
from rmq.wire.requests.route import GetBrokerClusterInfo
from tests.kit.adminfake import MASTER_A, MASTER_B, SLAVE_A, FakeServers, report

COMMANDS = pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("cleanExpiredCQ", CleanExpiredConsumeQueue),
        ("cleanUnusedTopic", CleanUnusedTopic),
        ("deleteExpiredCommitLog", DeleteExpiredCommitLog),
    ],
)


@COMMANDS
def test_one_broker(name: str, kind: type[Any]) -> None:
    servers = FakeServers()
    made = report(servers, name, "-b", MASTER_A)
    assert made.render("text") == "success"
    assert made.members == {"brokers": [MASTER_A]}
    assert servers.sent(kind) == [(MASTER_A, kind())]


@COMMANDS
@pytest.mark.parametrize("words", [(), ("-c", "C1")])
def test_every_broker_of_a_cluster_or_of_all(name: str, kind: type[Any], words: tuple[str, ...]) -> None:
    servers = FakeServers()
    made = report(servers, name, *words)
    assert made.render("text") == "success"
    assert made.members == {"brokers": [MASTER_A, SLAVE_A, MASTER_B]}
    assert sorted(address for address, _ in servers.sent(kind)) == [MASTER_A, SLAVE_A, MASTER_B]


def test_an_unknown_cluster() -> None:
    made = report(FakeServers(), "cleanExpiredCQ", "-c", "nope")
    assert made.render("text") == "false"
    assert [failure.remark for failure in made.failures] == ["the cluster nope does not exist"]


def test_no_broker_at_all() -> None:
    made = report(FakeServers({GetBrokerClusterInfo: ClusterInfo()}), "cleanUnusedTopic")
    assert made.render("text") == "false"
    assert [failure.remark for failure in made.failures] == ["no broker is registered"]


def test_it_goes_on_after_a_broker_that_fails() -> None:
    def refuse(address: str, _: Any) -> bytes:
        if address == SLAVE_A:
            raise RemotingError("no", address=address)
        return b""

    servers = FakeServers({DeleteExpiredCommitLog: refuse})
    servers.down = {MASTER_A}
    made = report(servers, "deleteExpiredCommitLog")
    assert made.render("text") == ""
    assert [failure.address for failure in made.failures] == [MASTER_A, SLAVE_A]
    assert made.members["brokers"] == [MASTER_B]
