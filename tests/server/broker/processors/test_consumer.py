"""Who is connected, and how far groups are behind."""

import json
from typing import Any

import pytest

from rmq.remoting.calls import request_command
from rmq.server.broker.processors import consumer as consumer_module
from rmq.wire import fastjson
from rmq.wire.command import Command
from rmq.wire.message import offset_message_id
from rmq.wire.requests.consumer import (
    ConsumeMessageDirectly,
    GetAllProducerInfo,
    GetBrokerConsumeStats,
    GetConsumerConnectionList,
    GetConsumerRunningInfo,
    GetConsumeStats,
    GetProducerConnectionList,
    QueryConsumeTimeSpan,
    QuerySubscriptionByConsumer,
    QueryTopicConsumeByWho,
    QueryTopicsByConsumer,
)
from tests.kit.broker import ADDRESS, EPOCH, HOST, Bench, beat, heartbeat, pull_header, send_header


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
        {"clientId": "c@1", "language": "PYTHON", "lastUpdateTimestamp": EPOCH * 1000, "remoteIP": "/10.0.0.1:40000",
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


def test_fields_that_this_broker_does_not_know_are_passed_on(bench: Bench) -> None:
    asker, consumer = bench.peer(), bench.peer()
    beat(consumer, heartbeat("c@1", "G", {"T": "a"}))
    command = request_command(GetConsumerRunningInfo("G", "c@1", jstack_enable=True))
    command.ext["new"] = "x"
    asker.send(command)
    (question,) = consumer.answers()
    assert question.ext == {"consumerGroup": "G", "clientId": "c@1", "jstackEnable": "true", "new": "x"}


def direct(offset: int = 0, **fields: Any) -> ConsumeMessageDirectly:
    values: dict[str, Any] = {"client_id": "c@1", "msg_id": offset_message_id(HOST, offset), "topic": "T"}
    return ConsumeMessageDirectly("G", **{**values, **fields})


def test_a_consumer_gets_one_message_now(bench: Bench) -> None:
    bench.topic("T", topic_sys_flag=3)
    asker, consumer = bench.peer(), bench.peer()
    assert asker.ask(send_header("T"), b"now").code == 0
    beat(consumer, heartbeat("c@1", "G", {"T": "a"}))
    asker.send(request_command(direct(broker_name="elsewhere")))
    (question,) = consumer.answers()
    assert (question.code, question.body) == (309, bench.store.message_at(0))
    assert question.ext == {
        "consumerGroup": "G", "clientId": "c@1", "msgId": offset_message_id(HOST, 0), "brokerName": "broker-a",
        "topic": "T", "topicSysFlag": "3", "groupSysFlag": "0",
    }  # fmt: skip
    consumer.send(Command(0, body=b'{"consumeResult":"CR_SUCCESS"}', opaque=question.opaque, flag=1))
    (answer,) = asker.answers()
    assert (answer.code, answer.body) == (0, b'{"consumeResult":"CR_SUCCESS"}')


def test_flags_of_unknown_topics_and_groups_stay_as_they_were_asked(bench: Bench) -> None:
    bench.topic("T")
    asker, consumer = bench.peer(), bench.peer()
    asker.ask(send_header("T"), b"now")
    beat(consumer, heartbeat("c@1", "G", {"T": "a"}))
    bench.groups.remove("G")
    asker.send(request_command(direct(topic=None, group_sys_flag=7)))
    (question,) = consumer.answers()
    assert ("topicSysFlag" in question.ext, question.ext["groupSysFlag"]) == (False, "7")


def test_messages_that_cannot_be_handed_to_a_consumer(bench: Bench) -> None:
    bench.topic("T")
    peer = bench.peer()
    peer.ask(send_header("T"), b"now")
    for header, code, remark in (
        (direct(1 << 40), 1, f"can not find message by the offset, {1 << 40}"),
        (direct(msg_id="x"), 29, "'x' is no message id: 32 or 56 hex digits are expected"),
        (direct(msg_id=None), 29, "'' is no message id: 32 or 56 hex digits are expected"),
        (direct(), 1, "The Consumer <G> <c@1> not online"),
        (direct(client_id=None), 1, "The Consumer <G> <> not online"),
    ):
        answer = peer.ask(header)
        assert (answer.code, answer.remark) == (code, remark)


def test_which_times_a_group_has_come_to(bench: Bench) -> None:
    bench.topic("T", 3)
    peer = bench.peer()
    for _ in range(4):
        for queue_id in (0, 1):
            peer.ask(send_header("T", queue_id), b"x")
        bench.clock.advance(1)
    bench.offsets.commit("G", "T", 0, 3)
    bench.offsets.commit("G", "T", 2, 0)
    start = EPOCH * 1000
    spans = json.loads(peer.ask(QueryConsumeTimeSpan("T", "G")).body)["consumeTimeSpanSet"]
    facts = [
        (
            span["messageQueue"], span["minTimeStamp"] - start, span["maxTimeStamp"] - start,
            span["consumeTimeStamp"] - start, span["delayTime"],
        )
        for span in spans
    ]  # fmt: skip
    queues = [{"topic": "T", "brokerName": "broker-a", "queueId": i} for i in range(3)]
    assert facts == [
        (queues[0], 0, 3000, 2000, 1000),
        (queues[1], 0, 3000, 0, 4000),
        (queues[2], -1 - start, -1 - start, -1 - start, 0),
    ]
    answer = peer.ask(QueryConsumeTimeSpan("U", "G"))
    assert (answer.code, answer.remark) == (17, "topic[U] not exist")
