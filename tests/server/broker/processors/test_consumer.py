"""Who is connected, and how far groups are behind."""

import json
from typing import Any

import pytest

from rmq.remoting.calls import request_command
from rmq.server.broker.processors import consumer as consumer_module
from rmq.wire import fastjson
from rmq.wire.command import Command
from rmq.wire.requests.consumer import (
    GetAllProducerInfo,
    GetBrokerConsumeStats,
    GetConsumerConnectionList,
    GetConsumerRunningInfo,
    GetConsumeStats,
    GetProducerConnectionList,
    QuerySubscriptionByConsumer,
    QueryTopicConsumeByWho,
    QueryTopicsByConsumer,
)
from tests.kit.broker import ADDRESS, EPOCH, Bench, beat, heartbeat, pull_header, send_header


def progress(answer: Command) -> dict[tuple[str, int], Any]:
    assert answer.code == 0, answer.remark
    table = fastjson.loads(answer.body)["offsetTable"]
    return {(dict(key)["topic"], dict(key)["queueId"]): value for key, value in table.items()}


def test_connections(bench: Bench) -> None:
    peer = bench.peer()
    beat(peer, heartbeat("c@1", "G", {"T": "a"}, producers=("P",)))
    connection = {"clientAddr": "10.0.0.1:40000", "clientId": "c@1", "language": "PYTHON", "version": 493}
    body = json.loads(peer.ask(GetConsumerConnectionList("G")).body)
    assert body["connectionSet"] == [connection]
    assert (body["consumeType"], body["messageModel"]) == ("CONSUME_PASSIVELY", "CLUSTERING")
    assert body["consumeFromWhere"] == "CONSUME_FROM_LAST_OFFSET"
    assert body["subscriptionTable"]["T"]["subString"] == "a"
    assert json.loads(peer.ask(GetProducerConnectionList("P")).body) == {"connectionSet": [connection]}
    body = json.loads(peer.ask(GetAllProducerInfo()).body)
    assert body["data"]["P"] == [
        {"clientId": "c@1", "language": "PYTHON", "lastUpdateTimestamp": EPOCH * 1000, "remoteIP": "10.0.0.1:40000",
         "version": 493}
    ]  # fmt: skip


def test_nobody_is_online(bench: Bench) -> None:
    peer = bench.peer()
    answer = peer.ask(GetConsumerConnectionList("G"))
    assert (answer.code, answer.remark) == (206, "the consumer group[G] not online")
    answer = peer.ask(GetProducerConnectionList("P"))
    assert (answer.code, answer.remark) == (1, "the producer group[P] not exist")


def test_groups_of_a_topic_and_topics_of_a_group(bench: Bench) -> None:
    peer = bench.peer()
    beat(peer, heartbeat("c", "G", {"T": "a"}))
    bench.offsets.commit("H", "T", 0, 1)
    bench.offsets.commit("G", "T", 0, 1)
    assert json.loads(peer.ask(QueryTopicConsumeByWho("T")).body) == {"groupList": ["G", "H"]}
    assert json.loads(peer.ask(QueryTopicsByConsumer("H")).body) == {"brokerAddr": ADDRESS, "topicList": ["T"]}
    body = json.loads(peer.ask(QuerySubscriptionByConsumer("G", "T")).body)
    assert (body["group"], body["topic"], body["subscriptionData"]["tagsSet"]) == ("G", "T", ["a"])
    assert json.loads(peer.ask(QuerySubscriptionByConsumer("G", "U")).body) == {"group": "G", "topic": "U"}


def test_progress_of_a_group(bench: Bench) -> None:
    bench.topic("T", 2)
    bench.topic("U", 1)
    peer = bench.peer()
    for _ in range(3):
        peer.ask(send_header("T", 1), b"x")
        bench.clock.advance(1)
    peer.ask(pull_header("T", 0, queue_id=1))
    bench.offsets.commit("G", "T", 1, 2)
    bench.offsets.commit("G", "gone", 0, 2)
    expected = {
        ("T", 0): {"brokerOffset": 0, "consumerOffset": 0, "lastTimestamp": 0, "pullOffset": 0},
        ("T", 1): {"brokerOffset": 3, "consumerOffset": 2, "lastTimestamp": (EPOCH + 1) * 1000, "pullOffset": 3},
    }
    assert progress(peer.ask(GetConsumeStats("G"))) == expected
    assert progress(peer.ask(GetConsumeStats("G", "T"))) == expected
    assert progress(peer.ask(GetConsumeStats("G", "gone"))) == {}
    assert progress(peer.ask(GetConsumeStats("G", "", "T;U;T;gone;"))).keys() == {("T", 0), ("T", 1), ("U", 0)}
    beat(peer, heartbeat("c", "G", {"U": "*"}))
    assert progress(peer.ask(GetConsumeStats("G"))) == {}
    assert progress(peer.ask(GetConsumeStats("G", "U"))).keys() == {("U", 0)}
    assert progress(peer.ask(GetConsumeStats("G", "U", "T"))) == expected


def test_progress_of_all_groups(bench: Bench) -> None:
    bench.topic("T", 1)
    bench.topic("O", 1, order=True)
    peer = bench.peer()
    for _ in range(3):
        peer.ask(send_header("T"), b"x")
    for group, topic in (("G", "T"), ("G", "O"), ("G", "gone"), ("unknown", "T")):
        bench.offsets.commit(group, topic, 0, 1)
    bench.groups.find("G")
    body = fastjson.loads(peer.ask(GetBrokerConsumeStats()).body)
    assert (body["brokerAddr"], body["totalDiff"]) == (ADDRESS, 2 - 1)
    shown = {group: stats for entry in body["consumeStatsList"] for group, stats in entry.items()}
    assert shown.keys() == bench.groups.configs.keys()
    assert len(shown["G"]) == 2
    assert shown["TOOLS_CONSUMER"] == []
    body = fastjson.loads(peer.ask(GetBrokerConsumeStats(is_order=True)).body)
    shown = {group: stats for entry in body["consumeStatsList"] for group, stats in entry.items()}
    (stats,) = shown["G"]
    assert [dict(key)["topic"] for key in stats["offsetTable"]] == ["O"]


def test_one_answer_shows_only_so_many_queues(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer_module, "MOST_QUEUES", 3)
    bench.topic("T", 3)
    bench.topic("U", 1)
    bench.groups.find("G")
    peer = bench.peer()
    for topic in ("T", "U"):
        assert peer.ask(GetBrokerConsumeStats()).code == 0
        bench.offsets.commit("G", topic, 0, 0)
    assert peer.ask(GetConsumeStats("G", "T")).code == 0
    for header in (GetConsumeStats("G"), GetConsumeStats("G", None, "T;U"), GetBrokerConsumeStats()):
        answer = peer.ask(header)
        assert (answer.code, answer.remark) == (29, "an answer shows at most 3 queues, ask for fewer topics")


def test_a_consumer_is_asked_about_itself(bench: Bench) -> None:
    asker, consumer = bench.peer(), bench.peer()
    beat(consumer, heartbeat("c@1", "G", {"T": "a"}))
    asker.send(request_command(GetConsumerRunningInfo("G", "c@1")))
    (question,) = consumer.answers()
    assert (question.code, question.ext) == (307, {"consumerGroup": "G", "clientId": "c@1", "jstackEnable": "false"})
    consumer.send(Command(0, body=b'{"mqTable":{}}', opaque=question.opaque, flag=1))
    (answer,) = asker.answers()
    assert (answer.code, answer.body) == (0, b'{"mqTable":{}}')


def test_a_consumer_that_says_nothing_about_itself(bench: Bench) -> None:
    asker, consumer = bench.peer(), bench.peer()
    beat(consumer, heartbeat("c@1", "G", {"T": "a"}))
    asker.send(request_command(GetConsumerRunningInfo("G", "c@1")))
    bench.clock.advance(10)
    (answer,) = asker.answers()
    text = "wait response on the channel <10.0.0.1:40000> timeout, 10000(ms)"
    assert (answer.code, answer.remark) == (207, f"consumer <G> <c@1> Timeout: {text}")


def test_nobody_to_ask(bench: Bench) -> None:
    answer = bench.peer().ask(GetConsumerRunningInfo("G", "c@1"))
    assert (answer.code, answer.remark) == (1, "The Consumer <G> <c@1> not online")
