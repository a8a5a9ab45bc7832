"""Masters and slaves that run: what mqadmin and the terminal interface's service say of them."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from rmq.admin.cli import main
from rmq.admin.errors import NO_CONTROLLER
from rmq.testing.cluster import RocketMQCluster
from rmq.tui.service.live.service import LiveService
from rmq.tui.service.model import Cluster
from tests.kit.tui.real import now

MODE = "2m-2s-async"


@pytest.fixture(scope="module")
def cluster() -> Iterator[RocketMQCluster]:
    with RocketMQCluster(MODE) as running:
        yield running


def told(capsys: pytest.CaptureFixture[str], cluster: RocketMQCluster, *words: str) -> Any:
    """What a command says as JSON."""
    assert main([*words, "-n", cluster.namesrv_addr, "-f", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_what_commands_say(cluster: RocketMQCluster, capsys: pytest.CaptureFixture[str]) -> None:
    master, slave = (cluster.members[name].address for name in ("broker-a", "broker-a-s"))
    rows = told(capsys, cluster, "clusterList")["brokers"]
    standing = [[row[name] for name in ("brokerName", "role", "lag", "inSync")] for row in rows]
    assert standing == [
        ["broker-a", "master", None, None],
        ["broker-a", "slave", 0, True],
        ["broker-b", "master", None, None],
        ["broker-b", "slave", 0, True],
    ]
    assert [row["lagMillis"] for row in rows] == [None, 0, None, 0]
    status = told(capsys, cluster, "brokerStatus", "-b", master)["replication"][master]
    assert [status["role"], [(each["lag"], each["lagMillis"], each["inSync"]) for each in status["slaves"]]] == [
        "master",
        [(0, 0, True)],
    ]
    assert told(capsys, cluster, "brokerStatus", "-b", slave)["replication"][slave]["role"] == "slave"
    assert main(["haStatus", "-b", master]) == 0
    head, row = capsys.readouterr().out.splitlines()[5:]
    assert (head.split()[-1], row.split()[-3:]) == ("#Lag(s)", ["OK", row.split()[-2], "0.0"])


def test_what_needs_a_controller(cluster: RocketMQCluster, capsys: pytest.CaptureFixture[str]) -> None:
    master = cluster.members["broker-a"].address
    for words in (
        ("getSyncStateSet", "-a", cluster.namesrv_addr, "-b", "broker-a"),
        ("electMaster", "-a", master, "-b", "1", "-bn", "broker-a", "-c", "DefaultCluster"),
        ("getBrokerEpoch", "-b", "broker-a"),
    ):
        assert main([*words, "-n", cluster.namesrv_addr]) == 1
        assert capsys.readouterr().err.rstrip().endswith(NO_CONTROLLER)


def test_what_the_terminal_interface_shows(cluster: RocketMQCluster) -> None:
    async def look() -> Cluster:
        service = LiveService([cluster.namesrv_addr], now)
        try:
            found = await service.cluster()
            assert isinstance(found, Cluster)
            return found
        finally:
            await service.close()

    brokers = asyncio.run(look()).brokers
    assert [(broker.role, broker.slaves_in_sync, broker.slaves) for broker in brokers[::2]] == [("master", 1, 1)] * 2
    assert [(broker.lag, broker.lag_millis, broker.in_sync) for broker in brokers[1::2]] == [(0, 0, True)] * 2
