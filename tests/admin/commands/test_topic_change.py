"""Commands that change topics, and the one that divides their queues."""

import json
from pathlib import Path
from typing import Any

import pytest

from rmq.admin.errors import CommandLineError
from rmq.wire.bodies.mapping import TopicQueueMappingInfo
from rmq.wire.bodies.route import BrokerData, QueueData, TopicRouteData
from rmq.wire.bodies.topic import (
    CreateTopicListRequestBody,
    TopicConfig,
    TopicConfigAndMappingSerializeWrapper,
    TopicFilterType,
)
from rmq.wire.errors import InvalidParameterError, QueryNotFoundError, TopicNotExistError
from rmq.wire.requests.kv import DeleteKVConfig, GetKVConfig, GetKVConfigReply, PutKVConfig
from rmq.wire.requests.topic import (
    GetAllTopicConfig,
    GetAllTopicConfigReply,
    GetTopicConfig,
    UpdateAndCreateTopic,
    UpdateAndCreateTopicList,
)
from tests.kit.adminfake import MASTER_A, MASTER_B, NAMESRV, SLAVE_A, FakeServers, Reply, report, route, text

SUBMITTED = "submit batch of topic config to {} success, please check the result later.\n"


# --- updateTopicList -----------------------------------------------------------------------------------------------


@pytest.fixture
def empty_brokers() -> FakeServers:
    return FakeServers({GetAllTopicConfig: Reply(TopicConfigAndMappingSerializeWrapper(), GetAllTopicConfigReply(0))})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "topics.json"
    topics: list[dict[str, Any]] = [
        {"topicName": "T1", "readQueueNums": 1, "writeQueueNums": 2, "perm": 4, "order": True},
        {"topicName": "T2", "topicFilterType": "MULTI_TAG", "topicSysFlag": 1, "attributes": {"+message.type": "FIFO"}},
    ]
    path.write_text(json.dumps(topics))
    return path


def bodies(servers: FakeServers) -> list[tuple[str, Any]]:
    return [(address, body) for address, header, body in servers.calls if isinstance(header, UpdateAndCreateTopicList)]


CONFIGS = [
    TopicConfig("T1", 1, 2, 4, order=True),
    TopicConfig("T2", 16, 16, 6, TopicFilterType.MULTI_TAG, 1, attributes={"+message.type": "FIFO"}),
]


def test_topic_list_of_a_file_on_a_broker(empty_brokers: FakeServers, file: Path) -> None:
    made = report(empty_brokers, "updateTopicList", "-b", MASTER_A, "-f", str(file))
    assert made.render("text") == SUBMITTED.format(MASTER_A)
    assert made.members == {"topics": ["T1", "T2"], "brokers": [MASTER_A]}
    assert bodies(empty_brokers) == [(MASTER_A, CreateTopicListRequestBody(CONFIGS))]


def test_topic_list_of_a_file_on_a_cluster(empty_brokers: FakeServers, file: Path) -> None:
    def take(address: str, _: Any) -> bytes | InvalidParameterError:
        return InvalidParameterError("The specified topic is blank.") if address == MASTER_A else b""

    empty_brokers.answers[UpdateAndCreateTopicList] = take
    made = report(empty_brokers, "updateTopicList", "-c", "C1", "-f", str(file))
    assert made.render("text") == SUBMITTED.format(MASTER_B)
    assert made.members["brokers"] == [MASTER_B]
    assert [failure.address for failure in made.failures] == [MASTER_A]
    made = report(empty_brokers, "updateTopicList", "-c", "nope", "-f", str(file))
    assert made.render("text").startswith("[error] Make sure the specified clusterName exists")
    assert [failure.remark for failure in made.failures] == ["the cluster nope does not exist"]


def test_topic_list_without_a_file(empty_brokers: FakeServers, tmp_path: Path) -> None:
    made = report(empty_brokers, "updateTopicList", "-b", MASTER_A, "-f", f"{tmp_path}/none")
    assert made.render("text") == f"the file path {tmp_path}/none does not exists\n"
    assert made.refusal == f"there is no file {tmp_path}/none"


def test_topic_list_that_is_empty(empty_brokers: FakeServers, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("[]")
    assert text(empty_brokers, "updateTopicList", "-b", MASTER_A, "-f", f"{tmp_path}/empty") == ""
    assert empty_brokers.calls == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{nonsense", "holds no JSON: ':' expected at character 9 near '{nonsense'"),
        ('{"topicName":"T"}', "holds no JSON array"),
        ('[{"topicName":"T"},{}]', "topic 2: topicName missing"),
        ('[{"topicName":"T","perm":"x"}]', "topic 1.perm"),
        ("[null]", "topic 1: object expected"),
    ],
)
def test_topic_list_that_is_none(empty_brokers: FakeServers, tmp_path: Path, content: str, reason: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(content)
    with pytest.raises(CommandLineError) as raised:
        report(empty_brokers, "updateTopicList", "-b", MASTER_A, "-f", str(path))
    assert str(raised.value).startswith(str(path))
    assert reason in str(raised.value)
    assert empty_brokers.calls == []


# --- updateTopicPerm -----------------------------------------------------------------------------------------------

T_LINE = (
    "TopicConfig [topicName=T, readQueueNums={}, writeQueueNums={}, perm={}, topicFilterType=SINGLE_TAG, "
    "topicSysFlag=0, order={}, attributes={{}}].\n"
)


@pytest.fixture
def brokers() -> FakeServers:
    """Both brokers hold T, each otherwise; the route is behind."""

    def config(address: str, _: Any) -> TopicConfig:
        return TopicConfig("T", 1, 2, 6) if address == MASTER_A else TopicConfig("T", 3, 4, 2, order=True)

    servers = FakeServers({GetTopicConfig: config})
    servers.routes = {"T": route(QueueData("broker-a", 8, 8, 4), QueueData("broker-b", 8, 8, 4))}
    return servers


def test_permission_on_a_broker(brokers: FakeServers) -> None:
    made = report(brokers, "updateTopicPerm", "-t", "T", "-b", MASTER_B, "-p", "6")
    assert made.render("text") == (
        f"update topic perm from 2 to 6 in {MASTER_B} success.\n" + T_LINE.format(3, 4, "RW-", "true")
    )
    assert made.members == {"topic": "T", "perm": 6, "brokers": {MASTER_B: 2}}
    assert brokers.sent(UpdateAndCreateTopic) == [
        (MASTER_B, UpdateAndCreateTopic("T", "TBW102", 3, 4, 6, "SINGLE_TAG", 0, True, ""))
    ]


def test_permission_that_is_the_old_one(brokers: FakeServers) -> None:
    made = report(brokers, "updateTopicPerm", "-t", "T", "-b", MASTER_A, "-p", "6")
    assert made.render("text") == "new perm equals to the old one!\n"
    assert made.members["brokers"] == {MASTER_A: 6}
    assert made.failures == []
    assert brokers.sent(UpdateAndCreateTopic) == []


@pytest.mark.parametrize("address", [SLAVE_A, "127.0.0.1:1"])
def test_permission_on_a_broker_that_is_no_master(brokers: FakeServers, address: str) -> None:
    made = report(brokers, "updateTopicPerm", "-t", "T", "-b", address, "-p", "6")
    assert made.render("text") == "updateTopicPerm error broker not exit or broker is not master!.\n"
    assert [failure.remark for failure in made.failures] == [f"The broker[{address}] not exist"]
    assert brokers.sent(UpdateAndCreateTopic) == []


def test_permission_on_a_cluster(brokers: FakeServers) -> None:
    made = report(brokers, "updateTopicPerm", "-t", "T", "-c", "C1", "-p", "4")
    assert made.render("text") == (
        f"update topic perm from 6 to 4 in {MASTER_A} success.\nupdate topic perm from 2 to 4 in {MASTER_B} success.\n"
    )
    assert made.members["brokers"] == {MASTER_A: 6, MASTER_B: 2}
    brokers.answers[UpdateAndCreateTopic] = InvalidParameterError("no")
    made = report(brokers, "updateTopicPerm", "-t", "T", "-c", "C1", "-p", "2")
    assert made.render("text") == f"update topic perm from 2 to 2 in {MASTER_B} success.\n"
    assert [failure.address for failure in made.failures] == [MASTER_A]


def test_permission_on_a_cluster_only_where_the_topic_is(brokers: FakeServers) -> None:
    brokers.routes = {"T": route(QueueData("broker-a", 8, 8, 4))}
    made = report(brokers, "updateTopicPerm", "-t", "T", "-c", "C1", "-p", "4")
    assert made.members["brokers"] == {MASTER_A: 6}
    brokers.routes = {"T": TopicRouteData([BrokerData("broker-x", "C2", {0: "10.0.0.7:1"})], [QueueData("broker-x")])}
    made = report(brokers, "updateTopicPerm", "-t", "T", "-c", "C1", "-p", "4")
    assert made.render("text") == ""
    assert [failure.remark for failure in made.failures] == ["The topic[T] not matched route info"]


def test_permission_on_an_unknown_cluster(brokers: FakeServers) -> None:
    made = report(brokers, "updateTopicPerm", "-t", "T", "-c", "nope", "-p", "4")
    assert made.render("text").startswith("[error] Make sure the specified clusterName exists")
    assert [failure.remark for failure in made.failures] == ["the cluster nope does not exist"]


def test_permission_of_nothing(brokers: FakeServers) -> None:
    with pytest.raises(TopicNotExistError):
        report(brokers, "updateTopicPerm", "-t", "nope", "-b", MASTER_A, "-p", "4")
    with pytest.raises(CommandLineError, match='For input string: "x"'):
        report(brokers, "updateTopicPerm", "-t", "T", "-b", MASTER_A, "-p", "x")


# --- updateOrderConf -----------------------------------------------------------------------------------------------


def test_order_conf_read() -> None:
    servers = FakeServers({GetKVConfig: Reply(header=GetKVConfigReply("a:1;b:2"))})
    made = report(servers, "updateOrderConf", "-t", "T", "-m", "get")
    assert made.render("text") == "get orderConf success. topic=[T], orderConf=[a:1;b:2] "
    assert made.members == {"topic": "T", "method": "get", "orderConf": "a:1;b:2"}
    servers.answers[GetKVConfig] = QueryNotFoundError("No config item, Namespace: ORDER_TOPIC_CONFIG Key: T")
    with pytest.raises(QueryNotFoundError):
        report(servers, "updateOrderConf", "-t", "T", "-m", "get")


def test_order_conf_set() -> None:
    servers = FakeServers()
    made = report(servers, "updateOrderConf", "-t", "T", "-m", "put", "-v", "a:1")
    assert made.render("text") == "update orderConf success. topic=[T], orderConf=[a:1]"
    assert made.members == {"topic": "T", "method": "put", "orderConf": "a:1"}
    assert servers.sent(PutKVConfig) == [(NAMESRV, PutKVConfig("ORDER_TOPIC_CONFIG", "T", "a:1"))]
    with pytest.raises(CommandLineError, match="please set orderConf with option -v"):
        report(servers, "updateOrderConf", "-t", "T", "-m", "put")


def test_order_conf_removed() -> None:
    servers = FakeServers()
    made = report(servers, "updateOrderConf", "-t", "T", "-m", "delete")
    assert made.render("text") == "delete orderConf success. topic=[T]"
    assert made.members == {"topic": "T", "method": "delete"}
    assert servers.sent(DeleteKVConfig) == [(NAMESRV, DeleteKVConfig("ORDER_TOPIC_CONFIG", "T"))]


def test_order_conf_with_another_method_shows_the_page() -> None:
    servers = FakeServers()
    made = report(servers, "updateOrderConf", "-t", "T", "-m", "wrong")
    assert made.render("text").startswith("usage: mqadmin updateOrderConf [-h] -m <arg> [-n <arg>] -t <arg> [-v <arg>]")
    assert made.refusal == "the method is get, put or delete, not wrong"
    assert servers.calls == []


# --- allocateMQ ----------------------------------------------------------------------------------------------------


def test_queues_are_divided_in_the_order_of_javas_set() -> None:
    servers = FakeServers()
    servers.routes = {"T_two": route(QueueData("broker-a", 2, 2, 6)), "T_order": route(QueueData("broker-a", 4, 4, 6))}
    queue = '{{"brokerName":"broker-a","queueId":{1},"topic":"{0}"}}'.format
    assert text(servers, "allocateMQ", "-t", "T_two", "-i", "10.0.0.1,10.0.0.2") == (
        f'{{"result":{{"10.0.0.2":[{queue("T_two", 0)}],"10.0.0.1":[{queue("T_two", 1)}]}}}}\n'
    )
    made = report(servers, "allocateMQ", "-t", "T_order", "-i", "10.0.0.2,10.0.0.1,10.0.0.3")
    first = f"{queue('T_order', 0)},{queue('T_order', 1)}"
    assert made.render("text") == (
        f'{{"result":{{"10.0.0.3":[{queue("T_order", 3)}],"10.0.0.2":[{first}],"10.0.0.1":[{queue("T_order", 2)}]}}}}\n'
    )
    assert {consumer: len(queues) for consumer, queues in made.members["result"].items()} == {
        "10.0.0.2": 2,
        "10.0.0.1": 1,
        "10.0.0.3": 1,
    }


def test_more_consumers_than_queues_and_queues_that_nobody_may_read() -> None:
    servers = FakeServers()
    servers.routes = {"T": route(QueueData("broker-a", 1, 1, 6), QueueData("broker-b", 4, 4, 2))}
    assert text(servers, "allocateMQ", "-t", "T", "-i", "10.0.0.1,10.0.0.2") == (
        '{"result":{"10.0.0.2":[],"10.0.0.1":[{"brokerName":"broker-a","queueId":0,"topic":"T"}]}}\n'
    )


def test_logical_queues_of_a_static_topic_are_divided() -> None:
    servers = FakeServers()
    static = route(QueueData("broker-a", 8, 8, 6))
    static.topic_queue_mapping_by_broker = {
        "broker-a": TopicQueueMappingInfo("T_static", total_queues=1),
        "broker-b": TopicQueueMappingInfo("T_static", total_queues=2),
    }
    servers.routes = {"T_static": static}
    queue = '{{"brokerName":"__syslo__global__","queueId":{},"topic":"T_static"}}'.format
    assert text(servers, "allocateMQ", "-t", "T_static", "-i", "a,b,c") == (
        f'{{"result":{{"a":[{queue(1)}],"b":[{queue(0)}],"c":[]}}}}\n'
    )


def test_no_topic_to_divide() -> None:
    with pytest.raises(TopicNotExistError):
        report(FakeServers(), "allocateMQ", "-t", "nope", "-i", "10.0.0.1")
