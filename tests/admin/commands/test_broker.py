"""Broker commands."""

from typing import Any

from rmq.client.admin.properties import parse_properties, properties_text
from rmq.wire.bodies.broker import HAClientRuntimeInfo, HAConnectionRuntimeInfo, HARuntimeInfo, KVTable
from rmq.wire.bodies.route import BrokerData, ClusterInfo
from rmq.wire.errors import NoPermissionError
from rmq.wire.requests.broker import GetBrokerConfig, GetBrokerConfigReply, GetBrokerRuntimeInfo, UpdateBrokerConfig
from rmq.wire.requests.replication import GetBrokerHaStatus
from rmq.wire.requests.route import GetBrokerClusterInfo
from tests.kit.adminfake import MASTER_A, MASTER_B, SLAVE_A, FakeServers, Reply, report, text

STATUS = KVTable({"putTps": "1.0 2.0", "bootTimestamp": "7"})
CONFIG = Reply(b"brokerName=a\nmessageDelayLevel=1s 5s\nodd=x=y\n", GetBrokerConfigReply("{}"))


def test_status_of_a_broker() -> None:
    servers = FakeServers({GetBrokerRuntimeInfo: STATUS, GetBrokerHaStatus: HARuntimeInfo(True)})
    made = report(servers, "brokerStatus", "-b", MASTER_A)
    assert made.render("text") == f"{'bootTimestamp':<32}: 7\n{'putTps':<32}: 1.0 2.0\n"
    assert made.members == {
        "brokers": {MASTER_A: STATUS.table},
        "replication": {MASTER_A: {"role": "master", "slaves": []}},
    }


def test_status_of_a_broker_that_does_not_tell_its_role() -> None:
    servers = FakeServers({GetBrokerRuntimeInfo: STATUS, GetBrokerHaStatus: NoPermissionError("no")})
    made = report(servers, "brokerStatus", "-b", MASTER_A)
    assert made.members == {"brokers": {MASTER_A: STATUS.table}, "replication": {}}
    assert made.failures == []


def test_status_of_a_master_and_its_slave() -> None:
    connections = [
        HAConnectionRuntimeInfo("10.0.0.2:5", 90, 10, True, lag_millis=1_250),
        HAConnectionRuntimeInfo("10.0.0.4:6", 0, 100),
    ]
    states = {
        MASTER_A: HARuntimeInfo(True, 100, 1, connections),
        SLAVE_A: HARuntimeInfo(ha_client_runtime_info=HAClientRuntimeInfo("10.0.0.1:10912", 0, 90)),
        MASTER_B: HARuntimeInfo(True),
    }
    servers = FakeServers({GetBrokerRuntimeInfo: STATUS, GetBrokerHaStatus: lambda address, header: states[address]})
    made = report(servers, "brokerStatus", "-c", "C1")
    row = "{:<24} {:<32}: {}\n".format
    assert made.render("text") == (
        row(MASTER_A, "bootTimestamp", 7)
        + row(MASTER_A, "brokerRole", "master")
        + row(MASTER_A, "haSlave.10.0.0.2:5", "10 bytes, 1.3 s behind, in sync")
        + row(MASTER_A, "haSlave.10.0.0.4:6", "100 bytes behind, not in sync")
        + row(MASTER_A, "putTps", "1.0 2.0")
        + row(SLAVE_A, "bootTimestamp", 7)
        + row(SLAVE_A, "brokerRole", "slave")
        + row(SLAVE_A, "haMaster", "10.0.0.1:10912")
        + row(SLAVE_A, "putTps", "1.0 2.0")
        + row(MASTER_B, "bootTimestamp", 7)
        + row(MASTER_B, "putTps", "1.0 2.0")
    )
    assert made.members["replication"] == {
        MASTER_A: {
            "role": "master",
            "slaves": [
                {"address": "10.0.0.2:5", "lag": 10, "lagMillis": 1_250, "inSync": True},
                {"address": "10.0.0.4:6", "lag": 100, "lagMillis": None, "inSync": False},
            ],
        },
        SLAVE_A: {"role": "slave", "masterAddress": "10.0.0.1:10912", "maxOffset": 90},
        MASTER_B: {"role": "master", "slaves": []},
    }


def test_status_of_a_cluster_goes_on_after_a_broker_that_is_down() -> None:
    servers = FakeServers({GetBrokerRuntimeInfo: STATUS, GetBrokerHaStatus: HARuntimeInfo(True)})
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


def test_config_of_a_cluster_goes_on_after_a_broker_that_is_down() -> None:
    servers = FakeServers({GetBrokerConfig: CONFIG})
    servers.down = {MASTER_A}
    made = report(servers, "getBrokerConfig", "-c", "C1")
    assert made.render("text") == (
        f"============Master: {MASTER_A}============\n"
        f"============My Master: {MASTER_A}=====Slave: {SLAVE_A}============\n{settings()}"
        f"============Master: {MASTER_B}============\n{settings()}"
    )
    assert list(made.members["brokers"]) == [SLAVE_A, MASTER_B]
    assert [failure.address for failure in made.failures] == [MASTER_A]


def test_config_of_a_cluster_without_a_master() -> None:
    orphan = ClusterInfo({"a": BrokerData("a", "C1", {1: SLAVE_A})}, {"C1": ["a"]})
    servers = FakeServers({GetBrokerClusterInfo: orphan, GetBrokerConfig: CONFIG})
    assert text(servers, "getBrokerConfig", "-c", "C1") == (
        "============Master: NO_MASTER============\n"
        f"============My Master: NO_MASTER=====Slave: {SLAVE_A}============\n{settings()}"
    )


class Settings(FakeServers):
    """Brokers that keep settings."""

    def __init__(self) -> None:
        self.kept = {"fileReservedTime": "72"}
        super().__init__({GetBrokerConfig: lambda *_: Reply(properties_text(self.kept), GetBrokerConfigReply("{}"))})

    async def call(self, address: str, header: Any, body: Any = b"", **options: Any) -> Any:
        answer = await super().call(address, header, body, **options)
        if isinstance(header, UpdateBrokerConfig):
            self.kept.update(parse_properties(body.decode()))
        return answer


def test_change_of_a_brokers_setting() -> None:
    servers = Settings()
    made = report(servers, "updateBrokerConfig", "-b", MASTER_A, "-k", "fileReservedTime", "-v", "49")
    assert made.render("text") == f"update broker config success, {MASTER_A}\n"
    assert made.members == {"key": "fileReservedTime", "value": "49", "brokers": [MASTER_A]}
    assert servers.kept == {"fileReservedTime": "49"}


def test_change_of_a_clusters_setting() -> None:
    words = ("updateBrokerConfig", "-c", "C1", "-k", "fileReservedTime", "-v", "49")
    line = "update broker config success, {}\n".format
    assert text(Settings(), *words) == line(MASTER_A) + line(MASTER_B)
    assert text(Settings(), *words, "-a", "no") == line(MASTER_A) + line(SLAVE_A) + line(MASTER_B)
    servers = Settings()
    servers.down = {MASTER_A}
    made = report(servers, *words)
    assert made.render("text") == line(MASTER_B)
    assert [failure.address for failure in made.failures] == [MASTER_A]


def test_change_of_an_unknown_clusters_setting() -> None:
    made = report(Settings(), "updateBrokerConfig", "-c", "nope", "-k", "a", "-v", "b")
    assert made.render("text").startswith("[error] Make sure the specified clusterName exists")
    assert [failure.remark for failure in made.failures] == ["the cluster nope does not exist"]


def test_change_that_a_broker_refuses_or_ignores() -> None:
    servers = Settings()
    servers.answers[UpdateBrokerConfig] = NoPermissionError("Can not update config in black list.")
    made = report(servers, "updateBrokerConfig", "-b", MASTER_A, "-k", "brokerConfigPath", "-v", "/tmp/x")
    assert made.render("text") == ""
    assert [failure.remark for failure in made.failures] == ["Can not update config in black list."]
    ignoring = FakeServers({GetBrokerConfig: CONFIG})
    words = ("updateBrokerConfig", "-b", MASTER_A, "-k", "noSuchKey", "-v", "1")
    made = report(ignoring, *words)
    assert made.render("text") == ""
    assert [failure.remark for failure in made.failures] == [
        f"{MASTER_A} answered success but did not take noSuchKey=1: it knows no setting noSuchKey"
    ]
    # A rehearsal does not look for what it did not do.
    assert report(ignoring, *words, "--dry-run").failures == []
