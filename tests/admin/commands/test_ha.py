"""Replication."""

from dataclasses import replace
from typing import Any

import pytest

from rmq.admin.errors import CommandLineError
from rmq.admin.output import millis
from rmq.client.admin.errors import UnknownBrokerError, UnknownClusterError
from rmq.wire.bodies.broker import HAClientRuntimeInfo, HAConnectionRuntimeInfo, HARuntimeInfo
from rmq.wire.bodies.controller import BrokerReplicasInfo, EpochEntry, EpochEntryCache, ReplicaIdentity, ReplicasInfo
from rmq.wire.errors import RemotingError, SystemBusyError
from rmq.wire.requests.controller import (
    ControllerMetadata,
    GetBrokerEpochCache,
    GetControllerMetadata,
    GetSyncStateData,
)
from rmq.wire.requests.replication import GetBrokerHaStatus, ResetMasterFlushOffset
from tests.kit.adminfake import MASTER_A, MASTER_B, NOW, SLAVE_A, FakeServers, Reply, report, reports, text

SLAVES = [
    HAConnectionRuntimeInfo("10.0.0.2:5", 100, 0, True, 2048, 50),
    HAConnectionRuntimeInfo("10.0.0.4:5", 90, 10, False, 1000, 0),
]
MASTER = HARuntimeInfo(True, 100, 1, SLAVES)
HEAD = "{:<32}  {:<16} {:>16} {:>16} {:>16} {:>16}\n".format(
    "#SlaveAddr", "#SlaveAckOffset", "#Diff", "#TransferSpeed(KB/s)", "#Status", "#TransferFromWhere"
)
LEADER = "10.0.1.2:9878"


# --- haStatus


def test_a_master() -> None:
    made = report(FakeServers({GetBrokerHaStatus: MASTER}), "haStatus", "-b", MASTER_A)
    row = "{:<32}  {:<16} {:>16} {:>16} {:>16} {:>16}\n".format
    assert made.render("text") == (
        f"\n#MasterAddr\t{MASTER_A}\n#MasterCommitLogMaxOffset\t100\n#SlaveNum\t2\n#InSyncSlaveNum\t1\n"
        + HEAD
        + row("10.0.0.2:5", 100, 0, "2.00", "OK", 50)
        + row("10.0.0.4:5", 90, 10, "0.98", "Fall Behind", 0)
    )
    assert made.members["brokers"] == {MASTER_A: {"master": True, "maxOffset": 100, "slaves": 2, "inSyncSlaves": 1}}
    assert made.members["slaves"][1] == {
        "masterAddress": MASTER_A,
        "address": "10.0.0.4:5",
        "ackOffset": 90,
        "diff": 10,
        "bytesPerSecond": 1000,
        "inSync": False,
        "transferFrom": 0,
        "lagMillis": None,
    }


def test_a_master_that_knows_the_time() -> None:
    first, second = SLAVES
    known = [first, replace(second, lag_millis=1_250)]
    made = report(FakeServers({GetBrokerHaStatus: HARuntimeInfo(True, 100, 1, known)}), "haStatus", "-b", MASTER_A)
    # The lines are longer, and else the same.
    row = "{:<32}  {:<16} {:>16} {:>16} {:>16} {:>16} {:>16}\n".format
    assert made.render("text").splitlines(keepends=True)[5:] == [
        HEAD.rstrip("\n") + f" {'#Lag(s)':>16}\n",
        row("10.0.0.2:5", 100, 0, "2.00", "OK", 50, "unknown"),
        row("10.0.0.4:5", 90, 10, "0.98", "Fall Behind", 0, "1.3"),
    ]
    assert [slave["lagMillis"] for slave in made.members["slaves"]] == [None, 1_250]


def test_a_slave() -> None:
    known = HAClientRuntimeInfo("10.0.0.1:10912", 512, 90, NOW, NOW + 1, 80)
    made = report(
        FakeServers({GetBrokerHaStatus: HARuntimeInfo(ha_client_runtime_info=known)}), "haStatus", "-b", SLAVE_A
    )
    assert made.render("text") == (
        "\n#MasterAddr\t10.0.0.1:10912\n#CommitLogMaxOffset\t90\n#TransferSpeed(KB/s)\t0.50\n"
        f"#LastReadTime\t{millis(NOW)}\n#LastWriteTime\t{millis(NOW + 1)}\n#MasterFlushOffset\t80\n"
    )
    assert made.members["brokers"][SLAVE_A]["lastReadTimestamp"] == NOW


def test_a_slave_that_has_not_found_its_master() -> None:
    servers = FakeServers({GetBrokerHaStatus: HARuntimeInfo()})
    assert text(servers, "haStatus", "-b", SLAVE_A).startswith("\n#MasterAddr\tnull\n")


def test_a_cluster() -> None:
    def status(address: str, header: Any) -> Any:
        return SystemBusyError("busy") if address == MASTER_A else HARuntimeInfo(True)

    made = report(FakeServers({GetBrokerHaStatus: status}), "haStatus", "-c", "C1")
    assert made.render("text").startswith(f"\n#MasterAddr\t{MASTER_B}\n")
    assert [failure.address for failure in made.failures] == [MASTER_A]
    assert list(made.members["brokers"]) == [MASTER_B]


@pytest.mark.parametrize(("words", "seconds"), [(["-i", "5"], 5), (["-i", " "], 3)])
def test_again_and_again(words: list[str], seconds: int) -> None:
    slept: list[float] = []
    assert len(reports(FakeServers({GetBrokerHaStatus: MASTER}), ["haStatus", "-b", MASTER_A, *words], slept)) == 3
    assert slept == [seconds, seconds]
    with pytest.raises(CommandLineError, match="interval -1"):
        reports(FakeServers(), ["haStatus", "-b", MASTER_A, "-i", "-1"])


# --- getSyncStateSet


def sync_servers() -> FakeServers:
    state = ReplicasInfo(
        1, MASTER_A, 3, 4,
        [ReplicaIdentity("broker-a", 1, MASTER_A, True)], [ReplicaIdentity("broker-a", 2, SLAVE_A, False)],
    )  # fmt: skip
    return FakeServers(
        {
            GetControllerMetadata: Reply(header=ControllerMetadata(controller_leader_address=LEADER)),
            GetSyncStateData: BrokerReplicasInfo({"broker-a": state}),
        }
    )


def test_replicas_in_step() -> None:
    servers = sync_servers()
    made = report(servers, "getSyncStateSet", "-a", "10.0.1.1:9878;10.0.1.2:9878", "-b", "broker-a")
    assert made.render("text") == (
        f"\n#brokerName\tbroker-a\n#MasterBrokerId\t1\n#MasterAddr\t{MASTER_A}\n#MasterEpoch\t3\n"
        "#SyncStateSetEpoch\t4\n#SyncStateSetNums\t1\n"
        f"\nInSyncReplica:\tReplicaIdentity{{brokerName='broker-a', brokerId=1, brokerAddress='{MASTER_A}'"
        ", alive=true}\n"
        f"\nNotInSyncReplica:\tReplicaIdentity{{brokerName='broker-a', brokerId=2, brokerAddress='{SLAVE_A}'"
        ", alive=false}\n"
    )
    assert made.members["brokers"]["broker-a"]["masterEpoch"] == 3
    assert [call[0] for call in servers.calls] == ["10.0.1.1:9878", LEADER]
    assert servers.calls[1][2] == b'["broker-a"]'


def test_replicas_of_a_cluster() -> None:
    servers = sync_servers()
    made = report(servers, "getSyncStateSet", "-a", LEADER, "-c", "C1")
    assert list(made.members["brokers"]) == ["broker-a"]
    assert [failure.remark for failure in made.failures] == ["the controller knows no broker broker-b"]
    assert servers.calls[-1][2] == b'["broker-a","broker-b"]'
    with pytest.raises(UnknownClusterError):
        text(servers, "getSyncStateSet", "-a", LEADER, "-c", "nope")


# --- getBrokerEpoch


def epochs(address: str, header: Any) -> Any:
    if address == SLAVE_A:
        return RemotingError("this request only for controllerMode ")
    return EpochEntryCache("C1", "broker-a", 1, [EpochEntry(1, 0, 10), EpochEntry(2, 10)], 25)


def test_epochs() -> None:
    made = report(FakeServers({GetBrokerEpochCache: epochs}), "getBrokerEpoch", "-b", "broker-a")
    assert made.render("text") == (
        f"\n#clusterName\tC1\n#brokerName\tbroker-a\n#brokerAddr\t{MASTER_A}\n#brokerId\t1"
        "\n#Epoch: EpochEntry{epoch=1, startOffset=0, endOffset=10}"
        "\n#Epoch: EpochEntry{epoch=2, startOffset=10, endOffset=25}\n"
    )
    assert [failure.address for failure in made.failures] == [SLAVE_A]
    assert made.members["brokers"][MASTER_A]["epochs"][1] == {"epoch": 2, "startOffset": 10, "endOffset": 25}


def test_epochs_of_a_cluster() -> None:
    made = report(FakeServers({GetBrokerEpochCache: epochs}), "getBrokerEpoch", "-c", "C1")
    assert list(made.members["brokers"]) == [MASTER_A, MASTER_B]
    made = report(FakeServers(), "getBrokerEpoch", "-c", "nope")
    assert made.render("text").startswith("[error] Make sure")
    with pytest.raises(UnknownBrokerError):
        text(FakeServers(), "getBrokerEpoch", "-b", "nope")


# --- resetMasterFlushOffset


def test_reset() -> None:
    servers = FakeServers()
    made = report(servers, "resetMasterFlushOffset", "-b", SLAVE_A, "-o", "5000000000")
    assert made.render("text") == "reset master flush offset to 5000000000 success\n"
    assert made.members == {"address": SLAVE_A, "offset": 5_000_000_000}
    assert servers.calls == [(SLAVE_A, ResetMasterFlushOffset(5_000_000_000), b"")]


@pytest.mark.parametrize("words", [["-b", SLAVE_A], ["-o", "1"], ["-b", SLAVE_A, "-o", "x"]])
def test_reset_of_nothing(words: list[str]) -> None:
    servers = FakeServers()
    with pytest.raises(CommandLineError):
        text(servers, "resetMasterFlushOffset", *words)
    assert servers.calls == []
