"""Java's mqadmin on name servers, many topics, permissions, settings and clean-up: one fixed text on every server.

A server of its own; the tests follow each other.
"""

import json
import re
from pathlib import Path

import pytest

from tests.kit.apache import MqAdmin
from tests.kit.driver import wait_until
from tests.kit.server import RunningServer

pytestmark = pytest.mark.interop

NAMESRV_SETTINGS = {
    "clientRequestThreadPoolNums": "8",
    "clusterTest": "false",
    "configBlackList": "configBlackList;configStorePath;kvConfigPath",
    "deleteTopicWithBrokerRegistration": "false",
    "enableAllTopicList": "true",
    "enableTopicList": "true",
    "needWaitForService": "false",
    "notifyMinBrokerIdChanged": "false",
    "orderMessageEnable": "false",
    "returnOrderTopicConfigToBroker": "true",
    "scanNotActiveBrokerInterval": "5000",
    "serverChannelMaxIdleTimeSeconds": "120",
    "supportActingMaster": "false",
    "unRegisterBrokerQueueCapacity": "3000",
    "waitSecondsForService": "45",
}


def cause(mq: MqAdmin, *words: str) -> str:
    """Why a command failed that printed nothing else."""
    printed = mq.run(*words)
    assert printed.out == ""
    return next(line for line in printed.err.splitlines() if line.startswith("Caused by: ")).partition("CODE: ")[2]


def perm(mq: MqAdmin, topic: str) -> int:
    """The permission in the route of a topic with one broker."""
    (found,) = re.findall(r'"perm":(\d)', mq.out("topicRoute", "-t", topic))
    return int(found)


def test_key_values(mq: MqAdmin) -> None:
    assert mq.out("updateKvConfig", "-s", "ns1", "-k", "key1", "-v", "v") == (
        "create or update kv config to namespace success.\n"
    )
    assert mq.out("updateKvConfig", "-s", "ORDER_TOPIC_CONFIG", "-k", "T_kv", "-v", "a:1;b:2") == (
        "create or update kv config to namespace success.\n"
    )
    assert mq.out("updateOrderConf", "-t", "T_kv", "-m", "get") == (
        "get orderConf success. topic=[T_kv], orderConf=[a:1;b:2] "
    )
    assert mq.out("updateOrderConf", "-t", "T_kept", "-m", "put", "-v", "a:3") == (
        "update orderConf success. topic=[T_kept], orderConf=[a:3]"
    )
    for _ in range(2):
        assert mq.out("deleteKvConfig", "-s", "ORDER_TOPIC_CONFIG", "-k", "T_kv") == (
            "delete kv config from namespace success.\n"
        )
    assert mq.out("updateOrderConf", "-t", "T_gone", "-m", "delete") == "delete orderConf success. topic=[T_gone]"
    assert cause(mq, "updateOrderConf", "-t", "T_kv", "-m", "get") == (
        "22  DESC: No config item, Namespace: ORDER_TOPIC_CONFIG Key: T_kv"
    )


def namesrv_settings(mq: MqAdmin, own: RunningServer) -> dict[str, str]:
    head, *lines = mq.out("getNamesrvConfig").splitlines()
    assert head == f"============{own.namesrv_addr}============"
    return dict(re.fullmatch(r"(\S+) *=  (.*)", line).groups() for line in lines)  # type: ignore[union-attr]


def test_settings_of_a_name_server(mq: MqAdmin, own: RunningServer) -> None:
    shown = namesrv_settings(mq, own)
    assert {key: shown.get(key) for key in NAMESRV_SETTINGS} == NAMESRV_SETTINGS
    assert mq.out("updateNamesrvConfig", "-k", "unRegisterBrokerQueueCapacity", "-v", "3001") == (
        f"update name server config success![{own.namesrv_addr}]\nunRegisterBrokerQueueCapacity : 3001\n"
    )
    assert namesrv_settings(mq, own)["unRegisterBrokerQueueCapacity"] == "3001"
    for key in ("kvConfigPath", "configStorePath", "configBlackList", "rocketmqHome"):
        refusal = cause(mq, "updateNamesrvConfig", "-k", key, "-v", "x")
        assert refusal == "16  DESC: Can not update config in black list."


def test_topics_of_a_file(mq: MqAdmin, own: RunningServer, tmp_path: Path) -> None:
    done = f"submit batch of topic config to {own.broker_addr} success, please check the result later.\n"
    path = tmp_path / "topics.json"
    topics = [
        {"topicName": "T_one", "readQueueNums": 1, "writeQueueNums": 1, "perm": 6},
        {"topicName": "T_two", "readQueueNums": 2, "writeQueueNums": 3, "perm": 6, "order": True},
    ]
    path.write_text(json.dumps(topics))
    assert mq.out("updateTopicList", "-b", own.broker_addr, "-f", str(path)) == done
    assert mq.out("updateTopicList", "-c", "DefaultCluster", "-f", str(path)).startswith(done)
    wait_until(lambda: "CODE" not in mq.run("topicRoute", "-t", "T_two").err, timeout=60, what=lambda: "no route")
    route = mq.out("topicRoute", "-t", "T_two")
    assert '"readQueueNums":2' in route
    assert '"writeQueueNums":3' in route
    # An unchanged topic in front would end the list with success at Apache's broker.
    path.write_text(json.dumps([{"topicName": "T_three", "perm": 6}, {"topicName": "T bad", "perm": 6}]))
    assert cause(mq, "updateTopicList", "-b", own.broker_addr, "-f", str(path)) == (
        "29  DESC: The specified topic: T bad, contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$"
    )
    path.write_text(json.dumps([{"topicName": "T_three", "perm": 6}, {"topicName": "TBW102", "perm": 6}]))
    assert cause(mq, "updateTopicList", "-b", own.broker_addr, "-f", str(path)) == (
        "29  DESC: The topic[TBW102] is conflict with system topic."
    )
    assert cause(mq, "topicRoute", "-t", "T_three").startswith("17  DESC: No topic route info")


def test_permission_of_a_topic(mq: MqAdmin, own: RunningServer) -> None:
    assert mq.out("updateTopicPerm", "-b", own.broker_addr, "-t", "T_one", "-p", "4") == (
        f"update topic perm from 6 to 4 in {own.broker_addr} success.\n"
        "TopicConfig [topicName=T_one, readQueueNums=1, writeQueueNums=1, perm=R--, topicFilterType=SINGLE_TAG, "
        "topicSysFlag=0, order=false, attributes={}].\n"
    )
    wait_until(lambda: perm(mq, "T_one") == 4, timeout=60, what=lambda: "the route is behind")
    assert mq.out("updateTopicPerm", "-b", own.broker_addr, "-t", "T_one", "-p", "4") == (
        "new perm equals to the old one!\n"
    )
    assert mq.out("updateTopicPerm", "-c", "DefaultCluster", "-t", "T_one", "-p", "6") == (
        f"update topic perm from 4 to 6 in {own.broker_addr} success.\n"
    )
    wait_until(lambda: perm(mq, "T_one") == 6, timeout=60, what=lambda: "the route is behind")


def test_queues_are_divided(mq: MqAdmin) -> None:
    assert mq.out("allocateMQ", "-t", "T_two", "-i", "10.0.0.1,10.0.0.2") == (
        '{"result":{"10.0.0.2":[{"brokerName":"broker-a","queueId":0,"topic":"T_two"}],'
        '"10.0.0.1":[{"brokerName":"broker-a","queueId":1,"topic":"T_two"}]}}\n'
    )


def test_write_permission_of_a_broker(mq: MqAdmin, own: RunningServer) -> None:
    said = f"{{}} write perm of broker[{{}}] in name server[{own.namesrv_addr}] OK, {{}}\n"
    topics = len(mq.out("topicList").splitlines())
    assert mq.out("wipeWritePerm", "-b", "broker-a") == said.format("wipe", "broker-a", topics)
    assert perm(mq, "T_two") == 4
    assert mq.out("addWritePerm", "-b", "broker-a") == said.format("add", "broker-a", topics)
    assert perm(mq, "T_two") == 6
    assert mq.out("wipeWritePerm", "-b", "nope") == said.format("wipe", "nope", 0)
    assert mq.out("addWritePerm", "-b", "nope") == said.format("add", "nope", 0)


def test_settings_of_a_broker(mq: MqAdmin, own: RunningServer) -> None:
    done = f"update broker config success, {own.broker_addr}\n"
    assert mq.out("updateBrokerConfig", "-b", own.broker_addr, "-k", "fileReservedTime", "-v", "49") == done
    assert mq.out("updateBrokerConfig", "-c", "DefaultCluster", "-k", "fileReservedTime", "-v", "48") == done
    assert (
        mq.out("updateBrokerConfig", "-c", "DefaultCluster", "-a", "true", "-k", "fileReservedTime", "-v", "47") == done
    )
    assert f"{'fileReservedTime':<50}=  47\n" in mq.out("getBrokerConfig", "-b", own.broker_addr)
    for key in ("brokerConfigPath", "rocketmqHome", "configBlackList"):
        refusal = cause(mq, "updateBrokerConfig", "-b", own.broker_addr, "-k", key, "-v", "x")
        assert refusal == f"16  DESC: Can not update config in black list. BROKER: {own.broker_addr}"


@pytest.mark.parametrize("name", ["cleanExpiredCQ", "cleanUnusedTopic", "deleteExpiredCommitLog"])
def test_clean_up(mq: MqAdmin, own: RunningServer, name: str) -> None:
    assert mq.out(name, "-b", own.broker_addr) == "success"
    assert mq.out(name, "-c", "DefaultCluster") == "success"
    assert mq.out(name) == "success"
    assert mq.out(name, "-c", "nope") == "false"


def test_what_was_set_is_there_after_a_kill(mq: MqAdmin, own: RunningServer) -> None:
    own.kill()
    own.restart()
    assert mq.out("updateOrderConf", "-t", "T_kept", "-m", "get") == (
        "get orderConf success. topic=[T_kept], orderConf=[a:3] "
    )
    file = Path(namesrv_settings(mq, own)["configStorePath"])
    assert "unRegisterBrokerQueueCapacity=3001" in file.read_text().splitlines()
    assert f"{'fileReservedTime':<50}=  47\n" in mq.out("getBrokerConfig", "-b", own.broker_addr)
    assert '"readQueueNums":2' in mq.out("topicRoute", "-t", "T_two")
