"""Broker commands."""

from rmq.wire.bodies.broker import KVTable
from rmq.wire.bodies.route import BrokerData, ClusterInfo
from rmq.wire.requests.broker import GetBrokerConfig, GetBrokerConfigReply, GetBrokerRuntimeInfo
from rmq.wire.requests.route import GetBrokerClusterInfo
from tests.kit.adminfake import MASTER_A, MASTER_B, SLAVE_A, FakeServers, Reply, report, text

STATUS = KVTable({"putTps": "1.0 2.0", "bootTimestamp": "7"})
CONFIG = Reply(b"brokerName=a\nmessageDelayLevel=1s 5s\nodd=x=y\n", GetBrokerConfigReply("{}"))


def test_status_of_a_broker() -> None:
    made = report(FakeServers({GetBrokerRuntimeInfo: STATUS}), "brokerStatus", "-b", MASTER_A)
    assert made.render("text") == f"{'bootTimestamp':<32}: 7\n{'putTps':<32}: 1.0 2.0\n"
    assert made.members == {"brokers": {MASTER_A: STATUS.table}}


def test_status_of_a_cluster_goes_on_after_a_broker_that_is_down() -> None:
    servers = FakeServers({GetBrokerRuntimeInfo: STATUS})
    servers.down = {SLAVE_A}
    made = report(servers, "brokerStatus", "-c", "C1")
    row = "{:<24} {:<32}: {}\n".format
    assert made.render("text") == "".join(
        row(address, name, STATUS.table[name])
        for address in (MASTER_A, MASTER_B)
        for name in ("bootTimestamp", "putTps")
    )
    assert [failure.address for failure in made.failures] == [SLAVE_A]


def settings() -> str:
    return f"{'brokerName':<50}=  a\n{'messageDelayLevel':<50}=  1s 5s\n{'odd':<50}=  x=y\n\n"


def test_config_of_a_broker() -> None:
    servers = FakeServers({GetBrokerConfig: CONFIG})
    assert text(servers, "getBrokerConfig", "-b", MASTER_A) == f"============{MASTER_A}============\n" + settings()


def test_config_of_a_cluster() -> None:
    servers = FakeServers({GetBrokerConfig: CONFIG})
    assert text(servers, "getBrokerConfig", "-c", "C1") == (
        f"============Master: {MASTER_A}============\n{settings()}"
        f"============My Master: {MASTER_A}=====Slave: {SLAVE_A}============\n{settings()}"
        f"============Master: {MASTER_B}============\n{settings()}"
    )


def test_config_of_a_cluster_without_a_master() -> None:
    orphan = ClusterInfo({"a": BrokerData("a", "C1", {1: SLAVE_A})}, {"C1": ["a"]})
    servers = FakeServers({GetBrokerClusterInfo: orphan, GetBrokerConfig: CONFIG})
    assert text(servers, "getBrokerConfig", "-c", "C1") == (
        "============Master: NO_MASTER============\n"
        f"============My Master: NO_MASTER=====Slave: {SLAVE_A}============\n{settings()}"
    )
