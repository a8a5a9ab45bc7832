"""Consumer groups are made, changed, shown and removed."""

from pathlib import Path
from typing import Any

import pytest

from rmq.admin.errors import CommandLineError
from rmq.wire.bodies.group import SubscriptionGroupConfig, SubscriptionGroupList, SubscriptionGroupWrapper
from rmq.wire.errors import SystemBusyError
from rmq.wire.requests.group import (
    DeleteSubscriptionGroup,
    GetAllSubscriptionGroupConfig,
    GetAllSubscriptionGroupReply,
    UpdateAndCreateSubscriptionGroup,
    UpdateAndCreateSubscriptionGroupList,
)
from rmq.wire.requests.topic import DeleteTopicInBroker
from tests.kit.adminfake import MASTER_A, MASTER_B, FakeServers, Reply, report, text

# --- updateSubGroup ------------------------------------------------------------------------------------------------


def test_update_sub_group() -> None:
    servers = FakeServers()
    words = ["updateSubGroup", "-c", "C1", "-g", "G", "-q", "2", "-r", "3", "-o", "true", "--attributes", "+a=b"]
    made = report(servers, *words, "-p", '{"type":"CUSTOMIZED","customizedRetryPolicy":{"next":[1,2]}}')
    lines = made.render("text").split("\n")
    assert lines[:2] == [f"create subscription group to {address} success." for address in (MASTER_A, MASTER_B)]
    assert lines[2] == (
        "SubscriptionGroupConfig{groupName=G, consumeEnable=true, consumeFromMinEnable=false, "
        "consumeBroadcastEnable=false, consumeMessageOrderly=true, retryQueueNums=2, retryMaxTimes=3, "
        "groupRetryPolicy=GroupRetryPolicy{type=CUSTOMIZED, exponentialRetryPolicy=null, "
        "customizedRetryPolicy=CustomizedRetryPolicy{next=[1, 2]}}, brokerId=0, whichBrokerWhenConsumeSlowly=1, "
        "notifyConsumerIdsChangedEnable=true, groupSysFlag=0, consumeTimeoutMinute=15, subscriptionDataSet=null, "
        "attributes={+a=b}}"
    )
    assert made.members["group"] == made.members["config"]["groupName"] == "G"
    [_, (address, _, body)] = [call for call in servers.calls if isinstance(call[1], UpdateAndCreateSubscriptionGroup)]
    assert address == MASTER_B
    assert (body.group_name, body.retry_queue_nums, body.consume_from_min_enable) == ("G", 2, False)


def test_update_sub_group_goes_on_after_a_broker_that_refuses() -> None:
    def create(address: str, header: UpdateAndCreateSubscriptionGroup) -> Any:
        return SystemBusyError("busy") if address == MASTER_A else b""

    made = report(FakeServers({UpdateAndCreateSubscriptionGroup: create}), "updateSubGroup", "-c", "C1", "-g", "G")
    assert made.render("text").startswith(
        f"create subscription group to {MASTER_B} success.\nSubscriptionGroupConfig{{"
    )
    assert [failure.address for failure in made.failures] == [MASTER_A]
    assert made.members["brokers"] == [MASTER_B]


def test_update_sub_group_on_one_broker_that_refuses() -> None:
    servers = FakeServers({UpdateAndCreateSubscriptionGroup: SystemBusyError("busy")})
    with pytest.raises(SystemBusyError):
        text(servers, "updateSubGroup", "-b", MASTER_A, "-g", "G")


# --- updateSubGroupList --------------------------------------------------------------------------------------------


@pytest.fixture
def groups(tmp_path: Path) -> str:
    path = tmp_path / "groups.json"
    path.write_text('[{"groupName":"A","consumeEnable":false},{"groupName":"B","attributes":{"+k":"v"}}]')
    return str(path)


SENT = SubscriptionGroupList(
    [SubscriptionGroupConfig("A", consume_enable=False), SubscriptionGroupConfig("B", attributes={"+k": "v"})]
)


def test_groups_of_a_file_on_a_cluster(groups: str) -> None:
    servers = FakeServers()
    made = report(servers, "updateSubGroupList", "-c", "C1", "-f", groups)
    assert made.render("text") == "".join(
        f"submit batch of subscription group config to {address} success, please check the result later.\n"
        for address in (MASTER_A, MASTER_B)
    )
    assert made.members == {"groups": ["A", "B"], "brokers": [MASTER_A, MASTER_B]}
    bodies = [body for _, header, body in servers.calls if isinstance(header, UpdateAndCreateSubscriptionGroupList)]
    assert bodies == [SENT, SENT]


def test_groups_of_a_file_on_one_broker(groups: str) -> None:
    assert text(FakeServers(), "updateSubGroupList", "-b", MASTER_B, "-f", groups) == (
        f"submit batch of group config to {MASTER_B} success, please check the result later.\n"
    )


def test_groups_of_a_file_that_a_broker_refuses(groups: str) -> None:
    servers = FakeServers(
        {UpdateAndCreateSubscriptionGroupList: lambda at, _: SystemBusyError("busy") if at == MASTER_A else b""}
    )
    made = report(servers, "updateSubGroupList", "-c", "C1", "-f", groups)
    assert made.members["brokers"] == [MASTER_B]
    assert [failure.address for failure in made.failures] == [MASTER_A]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    servers, path = FakeServers(), str(tmp_path / "missing.json")
    made = report(servers, "updateSubGroupList", "-b", MASTER_B, "-f", path)
    assert made.render("text") == f"the file path {path} does not exists\n"
    assert made.refusal == f"there is no file {path}"
    assert servers.calls == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('[{"groupName":"A"},{"consumeEnable":true}]', "group 2: groupName missing"),
        ('[{"groupName":"A","retryMaxTimes":"x"}]', "retryMaxTimes"),
        ("[1]", "group 1: object expected"),
        ('{"groupName":"A"}', "array"),
        ("[", "JSON"),
    ],
)
def test_a_file_that_holds_no_groups(tmp_path: Path, content: str, reason: str) -> None:
    path = tmp_path / "groups.json"
    path.write_text(content)
    servers = FakeServers()
    with pytest.raises(CommandLineError, match=reason):
        text(servers, "updateSubGroupList", "-b", MASTER_B, "-f", str(path))
    assert servers.calls == []


def test_a_file_with_an_empty_array(tmp_path: Path) -> None:
    path = tmp_path / "groups.json"
    path.write_text("[]")
    servers = FakeServers()
    assert text(servers, "updateSubGroupList", "-b", MASTER_B, "-f", str(path)) == ""
    assert servers.calls == []


# --- deleteSubGroup ------------------------------------------------------------------------------------------------


def test_delete_from_a_broker() -> None:
    servers = FakeServers()
    made = report(servers, "deleteSubGroup", "-b", MASTER_A, "-g", "G")
    assert made.render("text") == f"delete subscription group [G] from broker [{MASTER_A}] success.\n"
    assert made.members == {"group": "G", "brokers": [MASTER_A]}
    assert servers.calls == [(MASTER_A, DeleteSubscriptionGroup("G", False), b"")]


def test_delete_from_a_cluster_with_offsets() -> None:
    servers = FakeServers()
    made = report(servers, "deleteSubGroup", "-c", "C1", "-g", "G", "-r", "true")
    assert made.render("text") == "".join(
        f"delete subscription group [G] from broker [{address}] in cluster [C1] success.\n"
        for address in (MASTER_A, MASTER_B)
    )
    assert made.members == {"group": "G", "brokers": [MASTER_A, MASTER_B], "topics": ["%RETRY%G", "%DLQ%G"]}
    assert servers.sent(DeleteSubscriptionGroup) == [
        (address, DeleteSubscriptionGroup("G", True)) for address in (MASTER_A, MASTER_B)
    ]


def test_topics_stay_while_a_broker_has_the_group() -> None:
    servers = FakeServers({DeleteSubscriptionGroup: lambda at, _: SystemBusyError("busy") if at == MASTER_A else b""})
    made = report(servers, "deleteSubGroup", "-c", "C1", "-g", "G")
    assert made.members["brokers"] == [MASTER_B]
    assert [failure.address for failure in made.failures] == [MASTER_A]
    assert servers.sent(DeleteTopicInBroker) == []


def test_a_topic_that_cannot_be_deleted() -> None:
    made = report(FakeServers({DeleteTopicInBroker: SystemBusyError("busy")}), "deleteSubGroup", "-c", "C1", "-g", "G")
    assert [failure.remark for failure in made.failures] == ["busy"]
    assert "topics" not in made.members


def test_delete_from_an_unknown_cluster() -> None:
    made = report(FakeServers(), "deleteSubGroup", "-c", "nope", "-g", "G")
    assert made.render("text") == (
        "[error] Make sure the specified clusterName exists or the name server connected to is correct."
    )
    assert len(made.failures) == 1


# --- getConsumerConfig ---------------------------------------------------------------------------------------------


def stored(*names: str) -> Any:
    table = {name: SubscriptionGroupConfig(name, retry_max_times=3, consume_enable=False) for name in names}
    return lambda address, header: Reply(
        SubscriptionGroupWrapper(table if address == MASTER_B else {}), GetAllSubscriptionGroupReply(len(names))
    )


def test_configuration_of_a_group() -> None:
    made = report(FakeServers({GetAllSubscriptionGroupConfig: stored("G", "H")}), "getConsumerConfig", "-g", "G")
    assert made.render("text") == (
        "=============================C1:broker-b=============================\n"
        "groupName                               =  G\n"
        "consumeEnable                           =  false\n"
        "consumeFromMinEnable                    =  true\n"
        "consumeBroadcastEnable                  =  true\n"
        "consumeMessageOrderly                   =  false\n"
        "retryQueueNums                          =  1\n"
        "retryMaxTimes                           =  3\n"
        "groupRetryPolicy                        =  GroupRetryPolicy{type=CUSTOMIZED, exponentialRetryPolicy=null, "
        "customizedRetryPolicy=null}\n"
        "brokerId                                =  0\n"
        "whichBrokerWhenConsumeSlowly            =  1\n"
        "notifyConsumerIdsChangedEnable          =  true\n"
        "groupSysFlag                            =  0\n"
        "consumeTimeoutMinute                    =  15\n"
        "subscriptionDataSet                     =  \n"
        "attributes                              =  {}\n"
    )
    [config] = made.members["configs"]
    assert (config["cluster"], config["brokerName"], config["config"]["retryMaxTimes"]) == ("C1", "broker-b", 3)


def test_a_group_that_no_broker_has() -> None:
    made = report(FakeServers({GetAllSubscriptionGroupConfig: stored("H")}), "getConsumerConfig", "-g", "G")
    assert made.render("text") == ""
    assert [failure.remark for failure in made.failures] == ["no broker has the group G"]


def test_configuration_when_a_broker_is_down() -> None:
    servers = FakeServers({GetAllSubscriptionGroupConfig: stored("G")})
    servers.down = {MASTER_A}
    made = report(servers, "getConsumerConfig", "-g", "G")
    assert len(made.members["configs"]) == 1
    assert [failure.address for failure in made.failures] == [MASTER_A]
