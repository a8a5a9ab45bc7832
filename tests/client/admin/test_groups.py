"""Consumer groups."""

from typing import Any

import pytest

from rmq.client.admin.groups import GroupOnBroker, create_groups, delete_group, delete_group_topics, group_configs
from rmq.remoting.errors import ConnectFailedError
from rmq.wire.bodies.group import SubscriptionGroupConfig, SubscriptionGroupList, SubscriptionGroupWrapper
from rmq.wire.errors import SystemBusyError
from rmq.wire.requests.group import (
    DeleteSubscriptionGroup,
    GetAllSubscriptionGroupConfig,
    GetAllSubscriptionGroupReply,
    UpdateAndCreateSubscriptionGroupList,
)
from rmq.wire.requests.kv import DeleteKVConfig
from rmq.wire.requests.namesrv import DeleteTopicInNamesrv
from rmq.wire.requests.topic import DeleteTopicInBroker
from tests.kit.adminfake import MASTER_A, MASTER_B, NAMESRV, SLAVE_A, FakeServers, Reply, operate


def test_create_groups() -> None:
    made = FakeServers()
    configs = [SubscriptionGroupConfig("A"), SubscriptionGroupConfig("B")]
    operate(made, lambda admin: create_groups(admin, MASTER_A, configs))
    assert made.calls == [(MASTER_A, UpdateAndCreateSubscriptionGroupList(), SubscriptionGroupList(configs))]


def test_delete_group() -> None:
    made = FakeServers()
    operate(made, lambda admin: delete_group(admin, MASTER_A, "G", remove_offset=True))
    assert made.sent(DeleteSubscriptionGroup) == [(MASTER_A, DeleteSubscriptionGroup("G", True))]


def test_delete_the_topics_of_a_group() -> None:
    made = FakeServers()
    operate(made, lambda admin: delete_group_topics(admin, "C1", "G"))
    topics = ("%RETRY%G", "%DLQ%G")
    assert made.sent(DeleteTopicInBroker) == [
        (address, DeleteTopicInBroker(topic)) for topic in topics for address in (MASTER_A, SLAVE_A, MASTER_B)
    ]
    assert made.sent(DeleteTopicInNamesrv) == [(NAMESRV, DeleteTopicInNamesrv(topic, "C1")) for topic in topics]
    assert made.sent(DeleteKVConfig) == [(NAMESRV, DeleteKVConfig("ORDER_TOPIC_CONFIG", topic)) for topic in topics]


def test_a_server_that_is_down_does_not_keep_the_others_from_deleting_them() -> None:
    topics = ("%RETRY%G", "%DLQ%G")
    made = FakeServers()
    made.nameservers = ("10.0.0.8:9876", NAMESRV)
    made.down = {"10.0.0.8:9876"}
    with pytest.raises(ConnectFailedError):
        operate(made, lambda admin: delete_group_topics(admin, "C1", "G"))
    for topic in topics:
        assert (NAMESRV, DeleteTopicInNamesrv(topic, "C1")) in made.sent(DeleteTopicInNamesrv)
        assert (NAMESRV, DeleteKVConfig("ORDER_TOPIC_CONFIG", topic)) in made.sent(DeleteKVConfig)

    made = FakeServers()
    made.down = {MASTER_A}
    with pytest.raises(ConnectFailedError):
        operate(made, lambda admin: delete_group_topics(admin, "C1", "G"))
    assert len(made.sent(DeleteTopicInBroker)) == 6
    assert made.sent(DeleteTopicInNamesrv) == []


@pytest.mark.parametrize("busy", [False, True])
def test_group_configs(busy: bool) -> None:
    config = SubscriptionGroupConfig("G", retry_max_times=3)

    def groups(address: str, header: Any) -> Any:
        if address == MASTER_A:
            return SystemBusyError("busy") if busy else SubscriptionGroupWrapper()
        return Reply(SubscriptionGroupWrapper({"G": config}), GetAllSubscriptionGroupReply(1))

    found = operate(FakeServers({GetAllSubscriptionGroupConfig: groups}), lambda admin: group_configs(admin, "G"))
    assert found[-1] == GroupOnBroker("C1", "broker-b", config)
    assert [getattr(item, "address", None) for item in found[:-1]] == ([MASTER_A] if busy else [])
