"""Controllers."""

from typing import Any

import pytest

from rmq.admin.errors import CommandLineError
from rmq.client.admin.controllers import NoLeaderError
from rmq.wire.bodies.route import BrokerMemberGroup
from rmq.wire.errors import SystemBusyError
from rmq.wire.requests.controller import (
    CleanBrokerData,
    ControllerMetadata,
    ElectMaster,
    ElectMasterReply,
    GetControllerConfig,
    GetControllerMetadata,
    UpdateControllerConfig,
)
from tests.kit.adminfake import NOW, FakeServers, Reply, report, text

ASKED, LEADER = "10.0.1.1:9878", "10.0.1.2:9878"
METADATA = Reply(header=ControllerMetadata("group1", "n1", LEADER, False, "n0:10.0.1.1:9878;n1:10.0.1.2:9878"))


def servers(**answers: Any) -> FakeServers:
    return FakeServers({GetControllerMetadata: METADATA, **answers.get("more", {})})


def test_who_leads() -> None:
    made = report(servers(), "getControllerMetaData", "-a", ASKED)
    assert made.render("text") == (
        "\n#ControllerGroup\tgroup1\n#ControllerLeaderId\tn1\n#ControllerLeaderAddress\t10.0.1.2:9878"
        "\n#Peer:\tn0:10.0.1.1:9878\n#Peer:\tn1:10.0.1.2:9878\n"
    )
    assert made.members == {
        "group": "group1",
        "leaderId": "n1",
        "leaderAddress": LEADER,
        "peers": ["n0:10.0.1.1:9878", "n1:10.0.1.2:9878"],
    }


def test_nobody_leads() -> None:
    made = FakeServers({GetControllerMetadata: Reply(header=ControllerMetadata("group1"))})
    assert text(made, "getControllerMetaData", "-a", ASKED) == (
        "\n#ControllerGroup\tgroup1\n#ControllerLeaderId\tnull\n#ControllerLeaderAddress\tnull\n"
    )
    with pytest.raises(NoLeaderError, match="have no leader"):
        text(made, "electMaster", "-a", ASKED, "-b", "2", "-bn", "broker-a", "-c", "C1")


def test_settings() -> None:
    made = report(
        servers(more={GetControllerConfig: b"a=1\nlonger=x=y\n"}), "getControllerConfig", "-a", f"{ASKED};{LEADER}"
    )
    rows = f"{'a':<50}=  1\n{'longer':<50}=  x=y\n"
    assert made.render("text") == "".join(f"============{address}============\n{rows}" for address in (ASKED, LEADER))
    assert made.members["controllers"][LEADER] == {"a": "1", "longer": "x=y"}


def test_settings_where_a_controller_is_down() -> None:
    made = servers(more={GetControllerConfig: b"a=1\n"})
    made.down = {ASKED}
    result = report(made, "getControllerConfig", "-a", f"{ASKED};{LEADER}")
    assert result.render("text") == f"============{LEADER}============\n{'a':<50}=  1\n"
    assert result.members["controllers"] == {LEADER: {"a": "1"}}
    assert [failure.address for failure in result.failures] == [ASKED]


class Controller:
    """Keeps settings that it knows, and answers success to all."""

    def __init__(self) -> None:
        self.settings = {"a": "0"}

    def read(self, address: str, header: Any) -> bytes:
        return "".join(f"{key}={value}\n" for key, value in self.settings.items()).encode()


def test_change_a_setting() -> None:
    known = {ASKED: Controller(), LEADER: Controller()}

    def update(address: str, header: Any) -> bytes:
        known[address].settings["a"] = "b"
        return b""

    made = servers(
        more={
            GetControllerConfig: lambda address, header: known[address].read(address, header),
            UpdateControllerConfig: update,
        }
    )
    result = report(made, "updateControllerConfig", "-a", f"{ASKED};{LEADER}", "-k", "a", "-v", "b")
    assert result.render("text") == f"update controller config success![{ASKED}, {LEADER}]\na : b\n"
    assert [body for _, header, body in made.calls if isinstance(header, UpdateControllerConfig)] == [b"a=b\n"] * 2
    assert result.members == {"key": "a", "value": "b", "controllers": [ASKED, LEADER]}


def test_a_controller_that_refuses_or_does_not_follow_is_no_success() -> None:
    def update(address: str, header: Any) -> Any:
        return SystemBusyError("busy") if address == LEADER else b""

    made = report(
        servers(more={UpdateControllerConfig: update, GetControllerConfig: b"a=0\n"}),
        *("updateControllerConfig", "-a", f"{ASKED};{LEADER}", "-k", "a", "-v", "b"),
    )
    assert made.render("text") == ""
    assert made.members["controllers"] == []
    assert [failure.address for failure in made.failures] == ["", LEADER]
    assert "did not take a=b" in made.failures[0].remark


def test_a_controller_that_is_down_does_not_hide_that_the_other_took_it() -> None:
    made = servers(more={GetControllerConfig: b"a=b\n"})
    made.down = {ASKED}
    result = report(made, "updateControllerConfig", "-a", f"{ASKED};{LEADER}", "-k", "a", "-v", "b")
    assert result.render("text") == f"update controller config success![{LEADER}]\na : b\n"
    assert result.members["controllers"] == [LEADER]
    assert [failure.address for failure in result.failures] == [ASKED]


def test_elect() -> None:
    outcome = Reply(BrokerMemberGroup("C1", "broker-a", {1: "a:1", 2: "b:2"}), ElectMasterReply(2, "b:2", 3, 4))
    made = servers(more={ElectMaster: outcome})
    result = report(made, "electMaster", "-a", ASKED, "-b", "2", "-bn", "broker-a", "-c", "C1")
    assert result.render("text") == (
        "\n#ClusterName\tC1\n#BrokerName\tbroker-a\n#BrokerMasterAddr\tb:2\n#MasterEpoch\t3\n#SyncStateSetEpoch\t4\n"
        "\t#Broker\t1\ta:1\n\t#Broker\t2\tb:2\n"
    )
    assert made.sent(ElectMaster) == [(LEADER, ElectMaster("C1", "broker-a", 2, True, NOW))]
    assert result.members == {
        "cluster": "C1",
        "brokerName": "broker-a",
        "masterAddress": "b:2",
        "masterEpoch": 3,
        "syncStateSetEpoch": 4,
        "replicas": {"1": "a:1", "2": "b:2"},
    }


def test_elect_without_members() -> None:
    made = servers(more={ElectMaster: Reply(header=ElectMasterReply(2, "b:2", 3, 4))})
    shown = text(made, "electMaster", "-a", ASKED, "-b", "2", "-bn", "broker-a", "-c", "C1")
    assert shown.endswith("#SyncStateSetEpoch\t4\n")


def test_clean() -> None:
    made = servers()
    result = report(made, "cleanBrokerMetadata", "-a", ASKED, "-bn", "broker-a", "-c", "C1", "-b", "1; 2")
    assert result.render("text") == "clear broker broker-a metadata from controller success! \n"
    assert result.members == {"brokerName": "broker-a", "ids": [1, 2]}
    text(made, "cleanBrokerMetadata", "-a", ASKED, "-bn", "broker-a", "-l")
    assert made.sent(CleanBrokerData) == [
        (LEADER, CleanBrokerData("broker-a", "C1", "1;2", False, NOW)),
        (LEADER, CleanBrokerData("broker-a", None, None, True, NOW)),
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [([], "clusterName option can not be empty"), (["-c", "C1", "-b", "1;x"], 'For input string: "x"')],
)
def test_clean_refuses(words: list[str], message: str) -> None:
    made = servers()
    with pytest.raises(CommandLineError, match=message):
        text(made, "cleanBrokerMetadata", "-a", ASKED, "-bn", "broker-a", *words)
    assert made.calls == []
