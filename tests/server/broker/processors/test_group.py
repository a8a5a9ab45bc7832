"""Consumer groups are made, changed, asked for and removed."""

import json

import pytest

from rmq.wire.bodies.group import (
    CustomizedRetryPolicy,
    GroupRetryPolicy,
    SimpleSubscriptionData,
    SubscriptionGroupConfig,
    SubscriptionGroupList,
)
from rmq.wire.requests.group import (
    DeleteSubscriptionGroup,
    GetAllSubscriptionGroupConfig,
    GetSubscriptionGroupConfig,
    UpdateAndCreateSubscriptionGroup,
    UpdateAndCreateSubscriptionGroupList,
    UpdateAndGetGroupForbidden,
)
from tests.kit.broker import Bench


def test_a_group_is_made_and_changed(bench: Bench) -> None:
    peer = bench.peer()
    config = SubscriptionGroupConfig("G", retry_max_times=3, attributes={"+priority.factor": "1"})
    assert peer.ask(UpdateAndCreateSubscriptionGroup(), config).code == 0
    kept = {"priority.factor": "1"}
    assert bench.groups.configs["G"] == SubscriptionGroupConfig("G", retry_max_times=3, attributes=kept)
    peer.ask(UpdateAndCreateSubscriptionGroup(), SubscriptionGroupConfig("G", consume_enable=False))
    assert bench.groups.configs["G"] == SubscriptionGroupConfig("G", consume_enable=False, attributes=kept)
    file = json.loads(bench.files.files["subscriptionGroup.json"])
    assert file["subscriptionGroupTable"]["G"]["consumeEnable"] is False


@pytest.mark.parametrize(
    "config",
    [
        SubscriptionGroupConfig("../x"),
        SubscriptionGroupConfig("x" * 121),
        SubscriptionGroupConfig("G", retry_queue_nums=1025),
        SubscriptionGroupConfig("G", subscription_data_set=[SimpleSubscriptionData("T", expression="x" * 20000)]),
        SubscriptionGroupConfig(
            "G", group_retry_policy=GroupRetryPolicy(customized_retry_policy=CustomizedRetryPolicy([1000] * 9999))
        ),
    ],
)
def test_what_is_refused_alone_and_among_others(bench: Bench, config: SubscriptionGroupConfig) -> None:
    peer = bench.peer()
    assert peer.ask(UpdateAndCreateSubscriptionGroup(), config).code == 29
    many = SubscriptionGroupList([SubscriptionGroupConfig("A"), config])
    assert peer.ask(UpdateAndCreateSubscriptionGroupList(), many).code == 29
    assert bench.groups.configs.keys() & {"A", "G", config.group_name} == set()


def test_attributes_that_are_refused(bench: Bench) -> None:
    peer = bench.peer()
    config = SubscriptionGroupConfig("G", attributes={"+nosuch": "1"})
    many = SubscriptionGroupList([SubscriptionGroupConfig("A"), config])
    for answer in (
        peer.ask(UpdateAndCreateSubscriptionGroup(), config), peer.ask(UpdateAndCreateSubscriptionGroupList(), many)
    ):  # fmt: skip
        assert (answer.code, answer.remark) == (1, "unsupported key: nosuch")
    assert bench.groups.configs.keys() & {"A", "G"} == set()


def test_many_at_once(bench: Bench) -> None:
    many = SubscriptionGroupList([SubscriptionGroupConfig("A"), SubscriptionGroupConfig("B")])
    assert bench.peer().ask(UpdateAndCreateSubscriptionGroupList(), many).code == 0
    assert {"A", "B"} <= bench.groups.configs.keys()
    assert bench.groups.version.counter == 1


def test_all_and_pages(bench: Bench) -> None:
    bench.groups.find("AAA")
    bench.groups.set_forbidden("AAA", "T", 2, True)
    bench.groups.set_forbidden("TOOLS_CONSUMER", "T", 2, True)
    peer = bench.peer()
    answer = peer.ask(GetAllSubscriptionGroupConfig())
    body = json.loads(answer.body)
    assert body["subscriptionGroupTable"].keys() == bench.groups.configs.keys()
    assert answer.ext == {"totalGroupNum": str(len(bench.groups.configs))}
    assert body["forbiddenTable"] == {"AAA": {"T": 4}, "TOOLS_CONSUMER": {"T": 4}}
    page = json.loads(peer.ask(GetAllSubscriptionGroupConfig(0, "", 2)).body)
    assert sorted(page["subscriptionGroupTable"]) == sorted(bench.groups.configs)[:2]
    assert page["forbiddenTable"] == {"AAA": {"T": 4}}


def test_one_group_is_made_by_asking_when_it_may_be(bench: Bench) -> None:
    peer = bench.peer()
    assert json.loads(peer.ask(GetSubscriptionGroupConfig("G")).body)["groupName"] == "G"
    assert "G" in bench.groups.configs
    bench.settings.broker.auto_create_subscription_group = False
    answer = peer.ask(GetSubscriptionGroupConfig("H"))
    assert (answer.code, answer.remark) == (26, "No group in this broker. group: H")


@pytest.mark.parametrize("clean", [True, False])
def test_deleting(bench: Bench, clean: bool) -> None:
    bench.groups.find("G")
    bench.offsets.commit("G", "T", 0, 5)
    peer = bench.peer()
    assert peer.ask(DeleteSubscriptionGroup("G", clean)).code == 0
    assert "G" not in bench.groups.configs
    assert bench.offsets.query("G", "T", 0) == (-1 if clean else 5)
    assert peer.ask(DeleteSubscriptionGroup("G", clean)).code == 0


def test_the_right_to_read(bench: Bench) -> None:
    peer = bench.peer()

    def readable(value: bool | None) -> object:
        body = json.loads(peer.ask(UpdateAndGetGroupForbidden("G", "T", value)).body)
        assert (body["group"], body["topic"]) == ("G", "T")
        return body["readable"]

    assert [readable(value) for value in (None, False, None, True, None)] == [True, False, False, True, True]
    assert bench.groups.forbidden == {}
    assert peer.ask(UpdateAndGetGroupForbidden("a b", "T", False)).code == 29
    assert peer.ask(UpdateAndGetGroupForbidden("G", "../x", False)).code == 29
    assert bench.groups.forbidden == {}
