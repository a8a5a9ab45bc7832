"""Topics are made, changed, asked for and removed."""

import json
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from rmq.server.broker.meta.attributes import parse_changes
from rmq.server.broker.processors.topic import MAX_QUEUES
from rmq.wire import fastjson
from rmq.wire.bodies.topic import (
    CreateTopicListRequestBody,
    TopicConfig,
    TopicConfigAndQueueMapping,
    TopicFilterType,
)
from rmq.wire.declare import decode_body
from rmq.wire.requests.broker import CleanUnusedTopic, GetSystemTopicListFromBroker
from rmq.wire.requests.topic import (
    DeleteTopicInBroker,
    GetAllTopicConfig,
    GetTopicConfig,
    GetTopicStatsInfo,
    UpdateAndCreateTopic,
    UpdateAndCreateTopicList,
)
from tests.kit.broker import EPOCH, Bench, ask_untold, pull_header, send_header


def wanted(topic: str = "T", **fields: Any) -> UpdateAndCreateTopic:
    values: dict[str, Any] = {
        "default_topic": "TBW102", "read_queue_nums": 8, "write_queue_nums": 4, "perm": 6,
        "topic_filter_type": "SINGLE_TAG",
    }  # fmt: skip
    return UpdateAndCreateTopic(topic, **{**values, **fields})


def test_a_topic_is_made_as_asked_and_told(bench: Bench) -> None:
    changes: list[list[TopicConfig]] = []
    bench.topics.on_change = changes.append
    attributes = "+message.type=FIFO"
    header = wanted(perm=4, topic_filter_type="MULTI_TAG", topic_sys_flag=2, order=True, attributes=attributes)
    assert bench.peer().ask(header).code == 0
    config = TopicConfig("T", 8, 4, 4, TopicFilterType.MULTI_TAG, 2, True, {"message.type": "FIFO"})
    assert bench.topics.configs["T"] == config
    assert changes == [[config]]


def test_the_same_again_changes_nothing(bench: Bench) -> None:
    peer = bench.peer()
    peer.ask(wanted())
    version = bench.topics.version
    assert peer.ask(wanted()).code == 0
    assert bench.topics.version == version
    peer.ask(wanted(attributes="+message.type=FIFO"))
    assert peer.ask(wanted()).code == 0
    assert bench.topics.configs["T"].attributes == {"message.type": "FIFO"}
    peer.ask(wanted(attributes="-message.type"))
    assert bench.topics.configs["T"].attributes == {}


@pytest.mark.parametrize(
    ("fields", "remark"),
    [
        ({"topic": "../x"}, "The specified topic: ../x, contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$"),
        ({"topic": ""}, "The specified topic is blank."),
        ({"topic": "x" * 128}, f"The specified topic: {'x' * 128}, is longer than topic max length: 127"),
        ({"topic": "TBW102"}, "The topic[TBW102] is conflict with system topic."),
        (
            {"topic": "DefaultCluster_REPLY_TOPIC"},
            "The topic[DefaultCluster_REPLY_TOPIC] is conflict with system topic.",
        ),
        ({"read_queue_nums": MAX_QUEUES + 1}, "readQueueNums 65537 is not between 0 and 65536"),
        ({"write_queue_nums": -1}, "writeQueueNums -1 is not between 0 and 65536"),
        ({"perm": 16}, "perm 16 is no sum of 8, 4 (read), 2 (write) and 1 (inherit)"),
        ({"topic_filter_type": "X"}, "topicFilterType 'X' is neither SINGLE_TAG nor MULTI_TAG"),
        ({"attributes": "+message.type=MIXED"}, "MIXED message type is not supported."),
    ],
)
def test_what_is_refused(bench: Bench, fields: dict[str, Any], remark: str) -> None:
    before = dict(bench.topics.configs)
    answer = bench.peer().ask(wanted(**{"topic": "T", **fields}))
    assert (answer.code, answer.remark) == (29, remark)
    assert bench.topics.configs == before


@pytest.mark.parametrize(
    ("attributes", "remark"),
    [
        ("a", "delete attribute format is wrong: a"),
        ("+nosuch.key=1", "unsupported key: nosuch.key"),
        ("+queue.type=WRONG", "value is not in set: [SimpleCQ, BatchCQ]"),
    ],
)
def test_attributes_that_are_refused(bench: Bench, attributes: str, remark: str) -> None:
    answer = bench.peer().ask(wanted(attributes=attributes))
    assert (answer.code, answer.remark) == (1, remark)
    assert "T" not in bench.topics.configs


def test_a_change_is_answered_when_name_servers_know_of_it(bench: Bench) -> None:
    assert ask_untold(bench, wanted()).code == 0
    many = CreateTopicListRequestBody([TopicConfig("A", 1, 1)])
    assert ask_untold(bench, UpdateAndCreateTopicList(), many).code == 0
    bench.topics.told = Deferred
    assert bench.peer().ask(wanted()).code == 0, "what is like that already is waited for by nobody"
    assert bench.peer().ask(UpdateAndCreateTopicList(), many).code == 0


def test_what_is_settled_when_a_topic_is_made(bench: Bench) -> None:
    peer = bench.peer()
    assert peer.ask(wanted(attributes="+queue.type=SimpleCQ,+cleanup.policy=DELETE")).code == 0
    answer = peer.ask(wanted(attributes="+queue.type=SimpleCQ"))
    assert (answer.code, answer.remark) == (1, "attempt to update an unchangeable attribute. key: queue.type")
    assert bench.topics.configs["T"].attributes == {"queue.type": "SimpleCQ", "cleanup.policy": "DELETE"}


@pytest.mark.parametrize(
    ("attributes", "remark"),
    [
        (
            "+queue.type=BatchCQ",
            "+queue.type=BatchCQ is not served: this broker keeps every message in its place in a queue and has no "
            "batch queues",
        ),
        (
            "+message.type=FIFO,+cleanup.policy=COMPACTION",
            "+cleanup.policy=COMPACTION is not served: this broker compacts no topics: what is older than "
            "fileReservedTime is deleted",
        ),
    ],
)
def test_a_topic_is_not_promised_what_it_would_not_get(bench: Bench, attributes: str, remark: str) -> None:
    answer = bench.peer().ask(wanted(attributes=attributes))
    assert (answer.code, answer.remark) == (29, remark)
    config = TopicConfig("T", 1, 1, attributes=parse_changes(attributes))
    answer = bench.peer().ask(UpdateAndCreateTopicList(), CreateTopicListRequestBody([config]))
    assert (answer.code, answer.remark) == (29, remark)
    assert "T" not in bench.topics.configs


def test_a_message_type_is_kept_and_holds_nothing_back(bench: Bench) -> None:
    """Apache's broker tells it to gRPC proxies, which check it; it checks nothing itself."""
    peer = bench.peer()
    assert peer.ask(wanted(attributes="+message.type=FIFO")).code == 0
    assert peer.ask(send_header("T"), b"not ordered at all").code == 0
    answer = decode_body(TopicConfigAndQueueMapping, peer.ask(GetTopicConfig("T")).body)
    assert answer.attributes == {"message.type": "FIFO"}


def test_mixed_messages_where_they_are_allowed(bench: Bench) -> None:
    bench.settings.set("enableMixedMessageType", True)
    assert bench.peer().ask(wanted(attributes="+message.type=MIXED")).code == 0
    assert bench.topics.configs["T"].attributes == {"message.type": "MIXED"}


def test_a_full_disk_is_told_to_the_operator(bench: Bench) -> None:
    bench.files.refuse = OSError(28, "No space left on device")
    answer = bench.peer().ask(wanted())
    assert answer.code == 1
    assert "No space left" in (answer.remark or "")


def test_many_at_once_all_or_none(bench: Bench) -> None:
    peer = bench.peer()
    bad = CreateTopicListRequestBody([TopicConfig("A"), TopicConfig("../x")])
    assert peer.ask(UpdateAndCreateTopicList(), bad).code == 29
    assert "A" not in bench.topics.configs
    bad = CreateTopicListRequestBody([TopicConfig("A"), TopicConfig("B", attributes={"+x": "1"})])
    answer = peer.ask(UpdateAndCreateTopicList(), bad)
    assert (answer.code, answer.remark) == (1, "unsupported key: x")
    assert "A" not in bench.topics.configs
    first = TopicConfig("A", 1, 1, attributes={"+reserve.time": "1"})
    good = CreateTopicListRequestBody([first, TopicConfig("B", 2, 2)])
    assert peer.ask(UpdateAndCreateTopicList(), good).code == 0
    assert bench.topics.configs["A"] == TopicConfig("A", 1, 1, attributes={"reserve.time": "1"})
    assert bench.topics.configs["B"] == TopicConfig("B", 2, 2)
    assert bench.topics.version.counter == 1


def test_many_at_once_and_some_are_like_that_already(bench: Bench) -> None:
    """Apache's broker stops at the first of those, with success."""
    peer = bench.peer()
    assert peer.ask(UpdateAndCreateTopicList(), CreateTopicListRequestBody([TopicConfig("A", 1, 1)])).code == 0
    both = CreateTopicListRequestBody([TopicConfig("A", 1, 1), TopicConfig("B", 1, 1)])
    assert peer.ask(UpdateAndCreateTopicList(), both).code == 0
    assert bench.topics.configs["B"] == TopicConfig("B", 1, 1)
    version = bench.topics.version
    assert peer.ask(UpdateAndCreateTopicList(), both).code == 0
    assert peer.ask(UpdateAndCreateTopicList(), CreateTopicListRequestBody()).code == 0
    assert bench.topics.version == version


def test_many_at_once_and_one_comes_twice(bench: Bench) -> None:
    twice = [
        TopicConfig("A", 1, 1, attributes={"+reserve.time": "1"}),
        TopicConfig("A", 2, 2, attributes={"+message.type": "FIFO"}),
    ]
    assert bench.peer().ask(UpdateAndCreateTopicList(), CreateTopicListRequestBody(twice)).code == 0
    assert bench.topics.configs["A"] == TopicConfig("A", 2, 2, attributes={"reserve.time": "1", "message.type": "FIFO"})


def test_deleting_takes_queues_offsets_and_figures_along(bench: Bench) -> None:
    bench.topic("T")
    bench.topic("%RETRY%G+T")
    bench.topic("%RETRY%H_T")
    bench.topic("Other")
    bench.groups.find("G")
    peer = bench.peer()
    for topic in ("T", "Other"):
        peer.ask(send_header(topic), b"x")
        bench.offsets.commit("G", topic, 0, 1)
    bench.offsets.commit("H", "T", 0, 1)
    assert peer.ask(DeleteTopicInBroker("T")).code == 0
    assert bench.topics.configs.keys() & {"T", "%RETRY%G+T", "%RETRY%H_T", "Other"} == {"Other"}
    assert bench.store.queues() == [("Other", 0)]
    assert bench.offsets.topics_by_group() == {"G": ["Other"]}
    assert peer.ask(pull_header("T")).code == 17
    assert peer.ask(DeleteTopicInBroker("T")).code == 0
    bench.topic("T")
    assert peer.ask(send_header("T"), b"x").ext["queueOffset"] == "0"


def test_pop_retry_topics_stay_when_the_setting_says_so(bench: Bench) -> None:
    bench.settings.broker.clear_retry_topic_when_delete_topic = False
    bench.topic("T")
    bench.topic("%RETRY%G+T")
    bench.offsets.commit("G", "T", 0, 1)
    bench.peer().ask(DeleteTopicInBroker("T"))
    assert "%RETRY%G+T" in bench.topics.configs


@pytest.mark.parametrize(
    ("topic", "remark"),
    [(" ", "The specified topic is blank."), ("TBW102", "The topic[TBW102] is conflict with system topic.")],
)
def test_what_cannot_be_deleted(bench: Bench, topic: str, remark: str) -> None:
    answer = bench.peer().ask(DeleteTopicInBroker(topic))
    assert (answer.code, answer.remark) == (29, remark)


def test_one_configuration(bench: Bench) -> None:
    bench.topic("T", 3, attributes={"a": "b"})
    peer = bench.peer()
    assert json.loads(peer.ask(GetTopicConfig("T")).body) == {
        "attributes": {"a": "b"}, "order": False, "perm": 6, "readQueueNums": 3, "topicFilterType": "SINGLE_TAG",
        "topicName": "T", "topicSysFlag": 0, "writeQueueNums": 3,
    }  # fmt: skip
    missing = peer.ask(GetTopicConfig("U"))
    assert (missing.code, missing.remark) == (17, "No topic in this broker. topic: U")


def test_all_configurations_whole_and_in_pages(bench: Bench) -> None:
    peer = bench.peer()
    answer = peer.ask(GetAllTopicConfig())
    body = json.loads(answer.body)
    assert body["topicConfigTable"].keys() == bench.topics.configs.keys()
    assert answer.ext == {"totalTopicNum": str(len(bench.topics.configs))}
    names = sorted(bench.topics.configs)
    version = json.dumps(body["dataVersion"])
    page = json.loads(peer.ask(GetAllTopicConfig(2, version, 3)).body)
    assert sorted(page["topicConfigTable"]) == names[2:5]
    bench.topic("New")
    page = json.loads(peer.ask(GetAllTopicConfig(2, version, 3)).body)
    assert sorted(page["topicConfigTable"]) == sorted(bench.topics.configs)[:3]


def test_figures_of_queues(bench: Bench) -> None:
    bench.topics.put(TopicConfig("T", 1, 3))
    bench.stats.start()
    peer = bench.peer()
    for _ in range(2):
        peer.ask(send_header("T", 2), b"x")
    bench.clock.advance(10)
    answer = peer.ask(GetTopicStatsInfo("T"))
    table = {dict(key)["queueId"]: value for key, value in fastjson.loads(answer.body)["offsetTable"].items()}
    empty = {"lastUpdateTimestamp": 0, "maxOffset": 0, "minOffset": 0}
    assert table == {
        0: empty, 1: empty, 2: {"lastUpdateTimestamp": EPOCH * 1000, "maxOffset": 2, "minOffset": 0}
    }  # fmt: skip
    assert fastjson.loads(answer.body)["topicPutTps"] == 0.2
    answer = peer.ask(GetTopicStatsInfo("U"))
    assert (answer.code, answer.remark) == (17, "topic[U] not exist")


def test_system_topics_and_cleaning(bench: Bench) -> None:
    bench.topic("T")
    peer = bench.peer()
    body = json.loads(peer.ask(GetSystemTopicListFromBroker()).body)
    assert set(body["topicList"]) == bench.topics.configs.keys() - {"T"}
    peer.ask(send_header("T"), b"x")
    bench.topics.remove("T")
    assert bench.store.queues() == [("T", 0)]
    assert peer.ask(CleanUnusedTopic()).code == 0
    assert bench.store.queues() == []
