"""Heartbeats, good-byes, and who is in a group."""

import json

import pytest
from twisted.internet.defer import Deferred

from rmq.wire.bodies.heartbeat import CheckClientRequestBody, SubscriptionData
from rmq.wire.bodies.topic import TopicConfig
from rmq.wire.command import Command
from rmq.wire.declare import encode_body
from rmq.wire.requests.client import CheckClientConfig, GetConsumerListByGroup, Heartbeat, UnregisterClient
from tests.kit.broker import Bench, ask_untold, beat, heartbeat

V2 = {"IS_SUPPORT_HEART_BEAT_V2": "true", "IS_SUB_CHANGE": "true"}
SAME = {**V2, "IS_SUB_CHANGE": "false"}


def test_a_heartbeat_registers_groups_and_makes_the_retry_topic(bench: Bench) -> None:
    peer = bench.peer()
    answer = beat(peer, heartbeat("c@1", "G", {"T": "a||b"}, producers=("P", "Q")))
    assert answer.ext == V2
    group = bench.consumers.groups["G"]
    assert group.client_ids == ["c@1"]
    (client,) = group.clients.values()
    assert (client.language, client.version, client.connection) == ("PYTHON", 493, peer.connection)
    assert group.subscriptions["T"].tags_set == {"a", "b"}
    assert list(bench.producers.groups) == ["P", "Q"]
    assert bench.topics.configs["%RETRY%G"] == TopicConfig("%RETRY%G", 1, 1, 6)
    assert "G" in bench.groups.configs


def test_the_retry_topic_is_ordered_when_a_subscribed_topic_is(bench: Bench) -> None:
    bench.topic("T", order=True)
    peer = bench.peer()
    data = heartbeat("c", "G", {"T": "*", "U": "*"})
    data.consumer_data_set[0].unit_mode = True
    beat(peer, data)
    assert bench.topics.configs["%RETRY%G"] == TopicConfig("%RETRY%G", 1, 1, 6, topic_sys_flag=2, order=True)
    beat(peer, heartbeat("c", "G", {"U": "*"}))
    assert not bench.topics.configs["%RETRY%G"].order


def test_a_new_group_is_answered_when_name_servers_know_of_its_retry_topic(bench: Bench) -> None:
    data = heartbeat("c@1", "G", {"T": "*"})
    assert ask_untold(bench, Heartbeat(), data).ext == V2
    bench.topics.told = Deferred
    assert beat(bench.peer(), data).ext == V2, "a topic that exists is waited for by nobody"


def test_an_unknown_group_that_may_not_be_made_is_passed_over(bench: Bench) -> None:
    bench.settings.broker.auto_create_subscription_group = False
    beat(bench.peer(), heartbeat("c", "G", {"T": "*"}, producers=("P",)))
    assert bench.consumers.groups == {}
    assert "%RETRY%G" not in bench.topics.configs
    assert list(bench.producers.groups) == ["P"]


def test_an_illegal_group_is_passed_over(bench: Bench) -> None:
    beat(bench.peer(), heartbeat("c", "../x", {"T": "*"}))
    assert bench.consumers.groups == {}


def test_fingerprints(bench: Bench) -> None:
    peer = bench.peer()
    assert beat(peer, heartbeat("c", "G", {"T": "*"}, fingerprint=5)).ext == SAME
    assert beat(peer, heartbeat("c", "G", fingerprint=5, without_sub=True)).ext == SAME
    assert list(bench.consumers.groups["G"].subscriptions) == ["T"]
    assert beat(peer, heartbeat("c", "G", fingerprint=6, without_sub=True)).ext == V2
    assert beat(peer, heartbeat("c", "G", {"U": "*"}, fingerprint=6)).ext == SAME
    assert list(bench.consumers.groups["G"].subscriptions) == ["U"]


def test_a_short_heartbeat_without_fingerprint_counts_as_whole(bench: Bench) -> None:
    peer = bench.peer()
    beat(peer, heartbeat("c", "G", {"T": "*"}))
    beat(peer, heartbeat("c", "G", without_sub=True))
    assert bench.consumers.groups["G"].subscriptions == {}


def test_members_are_listed_and_nobody_is_an_error(bench: Bench) -> None:
    a, b = bench.peer(), bench.peer()
    beat(a, heartbeat("a", "G", {"T": "*"}))
    beat(b, heartbeat("b", "G", {"T": "*"}))
    a.answers()
    answer = b.ask(GetConsumerListByGroup("G"))
    assert json.loads(answer.body) == {"consumerIdList": ["a", "b"]}
    answer = b.ask(GetConsumerListByGroup("H"))
    assert (answer.code, answer.remark) == (1, "no consumer for this group, H")


@pytest.mark.parametrize(
    ("header", "consumers", "producers"),
    [
        (UnregisterClient("a", "P", "G"), {}, []),
        (UnregisterClient("a", "P"), {"G"}, []),
        (UnregisterClient("a", consumer_group="G"), {}, ["P"]),
        (UnregisterClient("a", "X", "Y"), {"G"}, ["P"]),
        (UnregisterClient("a"), {"G"}, ["P"]),
    ],
)
def test_good_byes(bench: Bench, header: UnregisterClient, consumers: set[str], producers: list[str]) -> None:
    peer = bench.peer()
    beat(peer, heartbeat("a", "G", {"T": "*"}, producers=("P",)))
    answer = peer.ask(header)
    assert (answer.code, answer.body) == (0, b"")
    assert set(bench.consumers.groups) == set(consumers)
    assert list(bench.producers.groups) == producers


def test_one_clients_good_bye_takes_nobody_else_along(bench: Bench) -> None:
    a, b = bench.peer(), bench.peer()
    beat(a, heartbeat("a", "G", {"T": "*"}))
    b.ask(UnregisterClient("a", None, "G"))
    assert bench.consumers.groups["G"].client_ids == ["a"]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"{}", b'{"clientID": 5, "producerDataSet": {}}', b'{"clientID":"c","consumerDataSet":[{}]}',
        b'{"clientID":"c","heartbeatFingerprint":"x"}', b"[" * 5000, b'{"clientID":"\xff"}' * 2,
    ],
)  # fmt: skip
def test_bodies_that_are_none_are_refused(bench: Bench, body: bytes) -> None:
    answer = bench.peer().ask(Heartbeat(), body)
    assert answer.code == 1
    assert bench.consumers.groups == {}


def test_sizes_are_bounded(bench: Bench) -> None:
    peer = bench.peer()
    for data, remark in (
        (heartbeat("c" * 1025), "clientID of 1025 characters is longer than 1024"),
        (heartbeat("c", producers=("p" * 256,)), f"producer group '{'p' * 40}'... is longer than 255 characters"),
        (heartbeat("c", "G", {"T": "x" * (1 << 20)}), None),
    ):
        answer = peer.ask(Heartbeat(), data)
        assert answer.code == 1
        if remark is not None:
            assert answer.remark == remark
    assert (bench.consumers.groups, bench.producers.groups) == ({}, {})
    assert peer.connection.alive


def test_a_heartbeat_from_the_official_client_in_full(bench: Bench) -> None:
    body = (
        b'{"clientID":"10.0.0.1@DEFAULT","consumerDataSet":[{"consumeFromWhere":"CONSUME_FROM_LAST_OFFSET",'
        b'"consumeType":"CONSUME_PASSIVELY","groupName":"G","messageModel":"CLUSTERING","subscriptionDataSet":['
        b'{"classFilterMode":false,"codeSet":[2598919],"expressionType":"TAG","subString":"TagA",'
        b'"subVersion":1700000000000,"tagsSet":["TagA"],"topic":"T"}],"unitMode":false}],"heartbeatFingerprint":0,'
        b'"producerDataSet":[{"groupName":"CLIENT_INNER_PRODUCER"}],"withoutSub":false}'
    )
    peer = bench.peer()
    peer.send(Command(34, body=body, opaque=3, language="JAVA"))
    notified, answer = sorted(peer.answers(), key=lambda command: command.flag, reverse=True)
    assert (notified.code, notified.ext, notified.flag) == (40, {"consumerGroup": "G"}, 2)
    assert (answer.opaque, answer.code, answer.flag) == (3, 0, 1)
    assert bench.consumers.groups["G"].subscriptions["T"] == SubscriptionData(
        "T", "TagA", {"TagA"}, {2598919}, 1700000000000
    )


def test_subscriptions_can_be_checked(bench: Bench) -> None:
    peer = bench.peer()
    for kind, code in (("TAG", 0), ("", 0), ("SQL92", 1)):
        wanted = SubscriptionData("T", "a", expression_type=kind)
        answer = peer.ask(CheckClientConfig(), encode_body(CheckClientRequestBody("c", "G", wanted)))
        assert answer.code == code
    assert answer.remark == "The broker does not support consumer to filter message by SQL92"
    assert peer.ask(CheckClientConfig(), b"{}").code == 0
