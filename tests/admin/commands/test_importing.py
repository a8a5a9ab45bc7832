"""Imports: what is made, what is left alone, and what is said of it."""

from pathlib import Path
from typing import Any

import pytest

from rmq.admin.errors import CommandLineError
from rmq.wire import fastjson
from rmq.wire.bodies.group import SubscriptionGroupConfig, SubscriptionGroupWrapper
from rmq.wire.bodies.topic import TopicConfig, TopicConfigAndMappingSerializeWrapper, TopicList
from rmq.wire.declare import to_plain
from rmq.wire.errors import InvalidParameterError, RemotingError
from rmq.wire.requests.broker import (
    GetBrokerConfig,
    GetBrokerConfigReply,
    GetSystemTopicListFromBroker,
    UpdateBrokerConfig,
)
from rmq.wire.requests.group import (
    GetAllSubscriptionGroupConfig,
    UpdateAndCreateSubscriptionGroup,
    UpdateAndGetGroupForbidden,
)
from rmq.wire.requests.kv import PutKVConfig
from rmq.wire.requests.topic import GetAllTopicConfig, UpdateAndCreateTopic
from tests.kit.adminfake import MASTER_A, MASTER_B, FakeServers, Reply, report, text

ROW = "{:<24}  {:<8}  {:<48}  {:<8}\n".format
HEAD = ROW("#Broker Name", "#Kind", "#Name", "#Outcome")


@pytest.fixture
def servers() -> FakeServers:
    other = TopicConfig("other", 4, 4, attributes={"old": "1", "k": "v"})
    there = {"there": TopicConfig("there", 4, 4), "other": other}
    groups = {"G": SubscriptionGroupConfig("G")}
    config = b"brokerName=broker-a\ntraceOn=true\nfileReservedTime=72\nflushDiskType=ASYNC_FLUSH\nbrokerId=0\n"
    return FakeServers(
        {
            GetAllTopicConfig: TopicConfigAndMappingSerializeWrapper(there),
            GetAllSubscriptionGroupConfig: SubscriptionGroupWrapper(groups, {"G": {"open": 0}}),
            GetSystemTopicListFromBroker: TopicList(["C1"]),
            GetBrokerConfig: Reply(config, GetBrokerConfigReply("{}")),
        }
    )


def write(path: Path, **content: Any) -> str:
    path.write_text(fastjson.dumps(content, pretty=True))
    return str(path)


def tables(*topics: TopicConfig, groups: tuple[SubscriptionGroupConfig, ...] = ()) -> dict[str, Any]:
    return {
        "topicConfigTable": {config.topic_name: to_plain(config) for config in topics},
        "subscriptionGroupTable": {config.group_name: to_plain(config) for config in groups},
    }


NEW = TopicConfig("new", 3, 5, 4, topic_sys_flag=3, order=True, attributes={"message.type": "FIFO"})
OTHER = TopicConfig("other", 4, 4, attributes={"k": "v", "n": "1"})
THERE = TopicConfig("there", 4, 4)


def test_topics_and_groups_of_a_broker(servers: FakeServers, tmp_path: Path) -> None:
    kept = SubscriptionGroupConfig("G2", attributes={"priority.factor": "3"})
    own = SubscriptionGroupConfig("TOOLS_CONSUMER")
    path = write(
        tmp_path / "metadata.json",
        **tables(NEW, OTHER, THERE, TopicConfig("C1"), TopicConfig("TBW102"), groups=(kept, own)),
        forbiddenTable={"G2": {"new": 4, "there": 2}},
    )
    made = report(servers, "importMetadata", "-b", MASTER_A, "-f", path)
    assert made.render("text") == (
        HEAD
        + ROW("broker-a", "topic", "new", "created")
        + ROW("broker-a", "topic", "other", "skipped")
        + ROW("broker-a", "topic", "there", "same")
        + ROW("broker-a", "group", "G2", "created")
        + "\n"
        "topics: 1 created, 0 changed, 1 same, 1 skipped, 0 failed\n"
        "groups: 1 created, 0 changed, 0 same, 0 skipped, 0 failed\n"
    )
    assert made.members["items"][0] == {"brokerName": "broker-a", "kind": "topic", "name": "new", "outcome": "created"}
    assert not made.failures
    assert servers.sent(UpdateAndCreateTopic) == [
        (
            MASTER_A,
            UpdateAndCreateTopic(
                "new", "TBW102", 3, 5, 4, "SINGLE_TAG", 3, True, "+message.type=FIFO",
            ),
        )
    ]  # fmt: skip
    assert [header.value for _, header in servers.sent(PutKVConfig)] == ["broker-a:5"]
    (body,) = [body for _, header, body in servers.calls if isinstance(header, UpdateAndCreateSubscriptionGroup)]
    assert body == SubscriptionGroupConfig("G2", attributes={"+priority.factor": "3"})
    assert servers.sent(UpdateAndGetGroupForbidden) == [
        (MASTER_A, UpdateAndGetGroupForbidden("G2", "new", readable=False))
    ]


def test_overwriting(servers: FakeServers, tmp_path: Path) -> None:
    changed = SubscriptionGroupConfig("G", retry_max_times=3)
    path = write(tmp_path / "x.json", **tables(OTHER, THERE, groups=(changed,)))
    out = text(servers, "importMetadata", "-b", MASTER_A, "-f", path, "-o")
    assert out.endswith(
        "topics: 0 created, 1 changed, 1 same, 0 skipped, 0 failed\n"
        "groups: 0 created, 1 changed, 0 same, 0 skipped, 0 failed\n"
    )
    ((_, header),) = servers.sent(UpdateAndCreateTopic)
    assert (header.topic, header.attributes) == ("other", "+n=1,-old")


def test_a_forbidden_topic_makes_a_group_differ(servers: FakeServers, tmp_path: Path) -> None:
    content = tables(groups=(SubscriptionGroupConfig("G"),))
    path = write(tmp_path / "x.json", **content, forbiddenTable={"G": {"open": 4}})
    line = ("importMetadata", "-b", MASTER_A, "-f", path)
    assert "groups: 0 created, 0 changed, 0 same, 1 skipped" in text(servers, *line)
    assert "groups: 0 created, 1 changed" in text(servers, *line, "-o")
    assert [header.topic for _, header in servers.sent(UpdateAndGetGroupForbidden)] == ["open"]


def test_a_clusters_queues_are_shared_out(servers: FakeServers, tmp_path: Path) -> None:
    topics = (TopicConfig("even", 8, 8), TopicConfig("odd", 3, 5), TopicConfig("one", 1, 1), TopicConfig("none", 0, 0))
    group = SubscriptionGroupConfig("G9", retry_queue_nums=1)
    path = write(tmp_path / "x.json", **tables(*topics, groups=(group,)), exportTime=1)
    report(servers, "importMetadata", "-c", "C1", "-f", path)
    made = {
        (address, header.topic): (header.read_queue_nums, header.write_queue_nums)
        for address, header in servers.sent(UpdateAndCreateTopic)
    }
    assert made == {
        (MASTER_A, "even"): (4, 4),
        (MASTER_B, "even"): (4, 4),
        (MASTER_A, "odd"): (2, 3),
        (MASTER_B, "odd"): (1, 2),
        (MASTER_A, "one"): (1, 1),
        (MASTER_A, "none"): (0, 0),
        (MASTER_B, "none"): (0, 0),
    }
    bodies = [body for _, header, body in servers.calls if isinstance(header, UpdateAndCreateSubscriptionGroup)]
    assert [body.retry_queue_nums for body in bodies] == [1, 1]


def test_a_brokers_tables_are_taken_as_they_are(servers: FakeServers, tmp_path: Path) -> None:
    path = write(tmp_path / "topic.json", topicConfigTable={"T": to_plain(TopicConfig("T", 3, 3))}, dataVersion={})
    report(servers, "importMetadata", "-c", "C1", "-f", path)
    assert [(address, header.read_queue_nums) for address, header in servers.sent(UpdateAndCreateTopic)] == [
        (MASTER_A, 3),
        (MASTER_B, 3),
    ]


def test_failures_are_told_and_the_rest_goes_on(servers: FakeServers, tmp_path: Path) -> None:
    def update(address: str, header: UpdateAndCreateTopic) -> Any:
        return InvalidParameterError("no such attribute") if header.topic == "bad" else b""

    servers.answers[UpdateAndCreateTopic] = update
    path = write(tmp_path / "x.json", **tables(TopicConfig("bad"), TopicConfig("good")))
    made = report(servers, "importMetadata", "-b", MASTER_A, "-f", path)
    assert "topics: 1 created, 0 changed, 0 same, 0 skipped, 1 failed\n" in made.render("text")
    assert [failure.remark for failure in made.failures] == ["no such attribute"]


def test_a_directory_of_exports(servers: FakeServers, tmp_path: Path) -> None:
    write(tmp_path / "topic.json", topicConfigTable={"T": to_plain(TopicConfig("T"))})
    write(tmp_path / "subscriptionGroup.json", subscriptionGroupTable={"H": to_plain(SubscriptionGroupConfig("H"))})
    line = ("importMetadata", "-b", MASTER_A, "-f", str(tmp_path))
    names = [item["name"] for item in report(servers, *line).members["items"]]
    assert names == ["T", "H"]
    assert [item["name"] for item in report(servers, *line, "-t").members["items"]] == ["T"]
    assert [item["name"] for item in report(servers, *line, "-g").members["items"]] == ["H"]
    write(tmp_path / "metadata.json", **tables(TopicConfig("M")))
    assert [item["name"] for item in report(servers, *line).members["items"]] == ["M"]


def test_what_the_export_script_joined(servers: FakeServers, tmp_path: Path) -> None:
    path = write(tmp_path / "all.json", configs={}, metrics={}, metadata=tables(TopicConfig("M")))
    assert "topics: 1 created" in text(servers, "importMetadata", "-b", MASTER_A, "-f", path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "holds no JSON"),
        ("[]", "holds no JSON object"),
        ("{}", "neither topicConfigTable nor subscriptionGroupTable is in it"),
        ('{"topicConfigTable":{"T":{}}}', "topicName missing"),
        ('{"topicConfigTable":{"T":7}}', "object expected"),
    ],
)
def test_other_files_are_refused(servers: FakeServers, tmp_path: Path, content: str, reason: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(content)
    with pytest.raises(CommandLineError, match=reason):
        report(servers, "importMetadata", "-b", MASTER_A, "-f", str(path))


def test_no_file(servers: FakeServers, tmp_path: Path) -> None:
    with pytest.raises(CommandLineError, match="cannot be read: No such file"):
        report(servers, "importMetadata", "-b", MASTER_A, "-f", str(tmp_path / "none.json"))
    with pytest.raises(CommandLineError, match=r"holds neither metadata\.json nor topic\.json nor"):
        report(servers, "importMetadata", "-b", MASTER_A, "-f", str(tmp_path))


def test_a_master_that_is_down_is_found_out_before_anything_is_made(servers: FakeServers, tmp_path: Path) -> None:
    path = write(tmp_path / "m.json", **tables(TopicConfig("new", 4, 4)))
    servers.down = {MASTER_B}
    with pytest.raises(RemotingError, match=f"connect to {MASTER_B} failed"):
        report(servers, "importMetadata", "-c", "C1", "-f", path)
    assert servers.sent(UpdateAndCreateTopic) == []


# --- settings ------------------------------------------------------------------------------------------------------

SETTING = "{:<24}  {:<32}  {:<24}  {:<24}  {:<8}\n".format
SETTING_HEAD = SETTING("#Broker Name", "#Key", "#Before", "#Wanted", "#Outcome")


def test_configs(servers: FakeServers, tmp_path: Path) -> None:
    wanted = {
        "brokerName": "x", "brokerId": "0", "traceOn": "false", "fileReservedTime": "48", "flushDiskType": "SYNC_FLUSH",
        "unheardOf": "1",
    }  # fmt: skip
    write(tmp_path / "configs.json", brokerConfigs={"broker-x": wanted})
    line = ("importConfigs", "-b", MASTER_A, "-f", str(tmp_path), "-s", "broker-x")
    assert text(servers, *line) == (
        SETTING_HEAD
        + SETTING("broker-a", "brokerName", "broker-a", "x", "skipped")
        + SETTING("broker-a", "fileReservedTime", "72", "48", "changed")
        + SETTING("broker-a", "flushDiskType", "ASYNC_FLUSH", "SYNC_FLUSH", "skipped")
        + SETTING("broker-a", "traceOn", "true", "false", "changed")
    )
    (body,) = [body for _, header, body in servers.calls if isinstance(header, UpdateBrokerConfig)]
    assert body.splitlines() == [b"fileReservedTime=48", b"traceOn=false"]


def test_equal_configs_change_nothing(servers: FakeServers, tmp_path: Path) -> None:
    path = write(tmp_path / "c.json", brokerConfigs={"broker-a": {"traceOn": "true"}})
    assert text(servers, "importConfigs", "-b", MASTER_A, "-f", path) == SETTING_HEAD
    assert not servers.sent(UpdateBrokerConfig)


def test_configs_of_another_broker_must_be_named(servers: FakeServers, tmp_path: Path) -> None:
    path = write(tmp_path / "c.json", brokerConfigs={"broker-x": {}})
    with pytest.raises(CommandLineError, match="holds no broker broker-a; -s names one of broker-x"):
        report(servers, "importConfigs", "-b", MASTER_A, "-f", path)
    with pytest.raises(CommandLineError, match="holds no broker y: broker-x"):
        report(servers, "importConfigs", "-b", MASTER_A, "-f", path, "-s", "y")


def test_configs_of_a_cluster(servers: FakeServers, tmp_path: Path) -> None:
    wanted = {"traceOn": "false"}
    path = write(tmp_path / "c.json", brokerConfigs={"broker-a": wanted})
    with pytest.raises(CommandLineError, match="holds no broker broker-b"):
        report(servers, "importConfigs", "-c", "C1", "-f", path)
    assert not servers.sent(UpdateBrokerConfig)
    path = write(tmp_path / "c.json", brokerConfigs={"broker-a": wanted, "broker-b": wanted})
    servers.down = {MASTER_A}
    made = report(servers, "importConfigs", "-c", "C1", "-f", path)
    assert [(row["brokerName"], row["key"], row["outcome"]) for row in made.members["settings"]] == [
        ("broker-b", "traceOn", "changed")
    ]
    assert [failure.address for failure in made.failures] == [MASTER_A]


def test_what_is_no_export_of_configs(servers: FakeServers, tmp_path: Path) -> None:
    path = write(tmp_path / "c.json", brokerConfigs=[])
    with pytest.raises(CommandLineError, match="brokerConfigs is missing"):
        report(servers, "importConfigs", "-b", MASTER_A, "-f", path)
