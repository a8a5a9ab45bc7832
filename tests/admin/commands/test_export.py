"""Exports: files as Apache writes them, and what is printed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rmq.admin.errors import CommandLineError
from rmq.client.admin.errors import UnknownClusterError
from rmq.wire import fastjson
from rmq.wire.bodies.broker import BrokerStatsData, BrokerStatsItem, KVTable
from rmq.wire.bodies.connection import Connection, ConsumerConnection
from rmq.wire.bodies.group import SubscriptionGroupConfig, SubscriptionGroupWrapper
from rmq.wire.bodies.topic import TopicConfig, TopicConfigAndMappingSerializeWrapper, TopicList
from rmq.wire.bodies.version import DataVersion
from rmq.wire.codes import VERSION
from rmq.wire.errors import RemotingError
from rmq.wire.requests.broker import (
    GetBrokerConfig,
    GetBrokerConfigReply,
    GetBrokerRuntimeInfo,
    GetSystemTopicListFromBroker,
    ViewBrokerStatsData,
)
from rmq.wire.requests.consumer import GetConsumerConnectionList
from rmq.wire.requests.group import GetAllSubscriptionGroupConfig
from rmq.wire.requests.pop import PopRollback
from rmq.wire.requests.topic import GetAllTopicConfig
from tests.kit.adminfake import MASTER_A, MASTER_B, NOW, SLAVE_A, FakeServers, Reply, report, route, text

VERSION_NOW = DataVersion(0, 7, 1_700_000_000_000)
CLUSTER_SENTENCE = (
    "[error] Make sure the specified clusterName exists or the name server connected to is correct."
)


def plain_topic(name: str, queues: int, perm: int = 6) -> dict[str, Any]:
    return {
        "attributes": {},
        "order": False,
        "perm": perm,
        "readQueueNums": queues,
        "topicFilterType": "SINGLE_TAG",
        "topicName": name,
        "topicSysFlag": 0,
        "writeQueueNums": queues,
    }


def plain_group(name: str, retry_queues: int = 1) -> dict[str, Any]:
    return {
        "attributes": {},
        "brokerId": 0,
        "consumeBroadcastEnable": True,
        "consumeEnable": True,
        "consumeFromMinEnable": True,
        "consumeMessageOrderly": False,
        "consumeTimeoutMinute": 15,
        "groupName": name,
        "groupRetryPolicy": {"type": "CUSTOMIZED"},
        "groupSysFlag": 0,
        "notifyConsumerIdsChangedEnable": True,
        "retryMaxTimes": 16,
        "retryQueueNums": retry_queues,
        "whichBrokerWhenConsumeSlowly": 1,
    }


def topics(address: str, header: GetAllTopicConfig) -> TopicConfigAndMappingSerializeWrapper:
    queues = {MASTER_A: 2, MASTER_B: 3}[address]
    names = ("T", "%RETRY%G", "%DLQ%G", "TBW102", "C1", "rmq_sys_wheel_timer")
    table = {name: TopicConfig(name, queues, queues) for name in names}
    table["closed"] = TopicConfig("closed", perm=9)
    return TopicConfigAndMappingSerializeWrapper(table, VERSION_NOW)


def groups(address: str, header: GetAllSubscriptionGroupConfig) -> SubscriptionGroupWrapper:
    names = ("G", "TOOLS_CONSUMER", "CID_RMQ_SYS_TRANS")
    return SubscriptionGroupWrapper(
        {name: SubscriptionGroupConfig(name) for name in names}, {"G": {"T": 4}}, VERSION_NOW
    )


def settings(address: str, header: GetBrokerConfig) -> Reply:
    name = {MASTER_A: "broker-a", MASTER_B: "broker-b", SLAVE_A: "broker-a"}[address]
    lines = (f"brokerName={name}", "brokerId=0", "traceOn=true", "clientCallbackExecutorThreads=2", "listenPort=10911")
    return Reply("\n".join(lines).encode(), GetBrokerConfigReply("{}"))


@pytest.fixture
def servers() -> FakeServers:
    return FakeServers(
        {
            GetAllTopicConfig: topics,
            GetAllSubscriptionGroupConfig: groups,
            GetSystemTopicListFromBroker: TopicList(["TBW102", "C1"]),
            GetBrokerConfig: settings,
        }
    )


def test_metadata_of_a_cluster(servers: FakeServers, tmp_path: Path) -> None:
    made = report(servers, "exportMetadata", "-c", "C1", "-f", str(tmp_path / "deep"))
    path = tmp_path / "deep" / "metadata.json"
    assert made.render("text") == f"export {path} success\n"
    assert made.members == {"path": str(path), "topics": 1, "groups": 1}
    written = path.read_text()
    assert written.startswith('{\n\t"topicConfigTable":{\n\t\t"T":{\n\t\t\t"attributes":{\n\t\t\t\t\n\t\t\t},\n')
    assert fastjson.loads(written) == {
        "topicConfigTable": {"T": plain_topic("T", 5)},
        "subscriptionGroupTable": {"G": plain_group("G", 2)},
        "exportTime": NOW,
    }


def test_topics_of_a_cluster_with_special_ones(servers: FakeServers, tmp_path: Path) -> None:
    path = tmp_path / "topic.json"
    assert text(servers, "exportMetadata", "-c", "C1", "-f", str(tmp_path), "-t", "-s") == f"export {path} success\n"
    assert fastjson.loads(path.read_text()) == {
        "topicConfigTable": {name: plain_topic(name, 5) for name in ("T", "%RETRY%G", "%DLQ%G")},
        "exportTime": NOW,
    }


def test_groups_of_a_cluster(servers: FakeServers, tmp_path: Path) -> None:
    path = tmp_path / "subscriptionGroup.json"
    assert text(servers, "exportMetadata", "-c", "C1", "-f", str(tmp_path), "-g") == f"export {path} success\n"
    assert fastjson.loads(path.read_text()) == {
        "subscriptionGroupTable": {"G": plain_group("G", 2)},
        "exportTime": NOW,
    }


def test_topics_of_a_broker(servers: FakeServers, tmp_path: Path) -> None:
    path = tmp_path / "topic.json"
    assert text(servers, "exportMetadata", "-b", MASTER_A, "-f", str(tmp_path), "-t") == f"export {path} success"
    assert fastjson.loads(path.read_text()) == {
        "dataVersion": {"counter": 7, "stateVersion": 0, "timestamp": 1_700_000_000_000},
        "topicConfigTable": {"T": plain_topic("T", 2)},
    }


def test_groups_of_a_broker(servers: FakeServers, tmp_path: Path) -> None:
    path = tmp_path / "subscriptionGroup.json"
    assert text(servers, "exportMetadata", "-b", MASTER_A, "-f", str(tmp_path), "-g") == f"export {path} success"
    assert fastjson.loads(path.read_text()) == {
        "dataVersion": {"counter": 7, "stateVersion": 0, "timestamp": 1_700_000_000_000},
        "forbiddenTable": {"G": {"T": 4}},
        "subscriptionGroupTable": {"G": plain_group("G")},
    }


def test_both_tables_of_a_broker(servers: FakeServers, tmp_path: Path) -> None:
    path = tmp_path / "metadata.json"
    assert text(servers, "exportMetadata", "-b", MASTER_A, "-f", str(tmp_path)) == f"export {path} success"
    assert fastjson.loads(path.read_text()) == {
        "forbiddenTable": {"G": {"T": 4}},
        "subscriptionGroupTable": {"G": plain_group("G")},
        "topicConfigTable": {"T": plain_topic("T", 2)},
    }


@pytest.mark.parametrize("name", ["exportMetadata", "exportConfigs"])
def test_an_unknown_cluster_is_not_exported(servers: FakeServers, tmp_path: Path, name: str) -> None:
    made = report(servers, name, "-c", "nope", "-f", str(tmp_path))
    assert made.render("text") == CLUSTER_SENTENCE
    assert [type(failure) for failure in made.failures] == [UnknownClusterError]
    assert list(tmp_path.iterdir()) == []


def test_configs(servers: FakeServers, tmp_path: Path) -> None:
    made = report(servers, "exportConfigs", "-c", "C1", "-f", str(tmp_path))
    path = tmp_path / "configs.json"
    assert made.render("text") == f"export {path} success"
    assert made.members == {"path": str(path), "brokers": ["broker-a", "broker-b"]}
    chosen = {"brokerId": "0", "traceOn": "true"}
    assert fastjson.loads(path.read_text()) == {
        "brokerConfigs": {
            "broker-a": {"brokerName": "broker-a", **chosen},
            "broker-b": {"brokerName": "broker-b", **chosen},
        },
        "clusterScale": {"namesrvSize": 1, "masterBrokerSize": 2, "slaveBrokerSize": 1},
    }


FIGURES = KVTable(
    {
        "putTps": "1.5 2.5 3.5",
        "getTransferredTps": "2.25 0.0 0.0",
        "msgPutTotalTodayMorning": "30",
        "msgPutTotalYesterdayMorning": "10",
        "msgGetTotalTodayMorning": "9",
        "msgGetTotalYesterdayMorning": "4",
        "commitLogDiskRatio": "0.25",
        "consumeQueueDiskRatio": "0.5",
        "putMessageAverageSize": "230.5",
    }
)


def test_metrics(servers: FakeServers, tmp_path: Path) -> None:
    def stats(address: str, header: ViewBrokerStatsData) -> BrokerStatsData | RemotingError:
        if header.stats_key == "SCHEDULE_TOPIC_XXXX":
            return RemotingError("The stats <TOPIC_PUT_NUMS> not exist")
        minute, hour = BrokerStatsItem(6, 0.1, 1.0), BrokerStatsItem(60, 0.1, 1.0)
        return BrokerStatsData(minute, hour, BrokerStatsItem())

    clients = [Connection("c1", "1.1.1.1:1", "JAVA", VERSION), Connection("c2", "1.1.1.2:1", "PYTHON", VERSION)]
    servers.answers |= {
        GetBrokerRuntimeInfo: FIGURES,
        ViewBrokerStatsData: stats,
        GetConsumerConnectionList: ConsumerConnection(clients),
    }
    servers.routes = {"%RETRY%G": route()}
    made = report(servers, "exportMetrics", "-c", "C1", "-f", str(tmp_path))
    path = tmp_path / "metrics.json"
    assert made.render("text") == f"export {path} success"
    assert made.members == {"path": str(path), "brokers": ["broker-a", "broker-b"]}
    broker = {
        "runtimeEnv": {"cpuNum": "2"},
        "runtimeQuota": {
            "diskRatio": {"commitLogDiskRatio": "0.25", "consumeQueueDiskRatio": "0.5"},
            "tps": {"normalInTps": 1.5, "normalOutTps": 2.25, "transInTps": 0.1, "scheduleInTps": 0.0},
            "oneDayNum": {
                "normalOneDayInNum": 20,
                "normalOneDayOutNum": 5,
                "transOneDayInNum": 60,
                "scheduleOneDayInNum": 0,
            },
            "messageAverageSize": "230.5",
            "topicSize": 1,
            "groupSize": 1,
        },
        "runtimeVersion": {"rocketmqVersion": "V5_4_0", "clientInfo": ["JAVA%V5_4_0", "PYTHON%V5_4_0"]},
    }
    assert fastjson.loads(path.read_text()) == {
        "evaluateReport": {"broker-a": broker, "broker-b": broker},
        "totalData": {
            "totalTps": {
                "totalNormalInTps": 3.0,
                "totalNormalOutTps": 4.5,
                "totalTransInTps": 0.2,
                "totalScheduleInTps": 0.0,
            },
            "totalOneDayNum": {
                "normalOneDayInNum": 40,
                "normalOneDayOutNum": 10,
                "transOneDayInNum": 120,
                "scheduleOneDayInNum": 0,
            },
        },
    }


def test_metrics_of_an_unknown_cluster(servers: FakeServers, tmp_path: Path) -> None:
    with pytest.raises(UnknownClusterError):
        report(servers, "exportMetrics", "-c", "nope", "-f", str(tmp_path))


def rolled_back(servers: FakeServers) -> list[str]:
    return [address for address, _ in servers.sent(PopRollback)]


def test_pop_records_of_a_broker(servers: FakeServers) -> None:
    made = report(servers, "exportPopRecord", "-b", MASTER_A)
    line = f"Export broker records, brokerName=broker-a, brokerAddr={MASTER_A}, dryRun=false\n"
    assert made.render("text") == line
    assert made.members == {
        "brokers": [{"brokerName": "broker-a", "address": MASTER_A, "done": True}],
        "dryRun": False,
    }
    assert rolled_back(servers) == [MASTER_A]


def test_a_dry_run_of_pop_records_is_one(servers: FakeServers) -> None:
    line: Callable[..., str] = "Export broker records, brokerName={}, brokerAddr={}, dryRun=true\n".format
    assert text(servers, "exportPopRecord", "-c", "C1", "-d", "true") == (
        line("broker-a", MASTER_A) + line("broker-a", SLAVE_A) + line("broker-b", MASTER_B)
    )
    assert rolled_back(servers) == []


def test_pop_records_go_on_after_a_failure(servers: FakeServers) -> None:
    servers.down = {SLAVE_A}
    made = report(servers, "exportPopRecord", "-c", "C1")
    assert made.render("text").splitlines()[1] == (
        f"Export broker records error, brokerName=broker-a, brokerAddr={SLAVE_A}, dryRun=false"
    )
    assert [failure.address for failure in made.failures] == [SLAVE_A]
    assert rolled_back(servers) == [MASTER_A, SLAVE_A, MASTER_B]


def test_pop_records_want_a_truth(servers: FakeServers) -> None:
    with pytest.raises(CommandLineError, match="true or false is expected"):
        report(servers, "exportPopRecord", "-c", "C1", "-d", "yes")
