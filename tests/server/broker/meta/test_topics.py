"""Topics: which there are from the start, how others come into being, and what is kept of them."""

import errno
import json
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from rmq.server.broker.meta import topics as topics_module
from rmq.server.broker.meta.config_file import ConfigFile, ConfigFileError
from rmq.server.broker.meta.topics import TopicTable
from rmq.wire.bodies.mapping import TopicQueueMappingInfo
from rmq.wire.bodies.topic import TopicConfig, TopicFilterType
from rmq.wire.bodies.version import DataVersion
from rmq.wire.errors import ServiceNotAvailableError, SystemBusyError
from tests.kit.broker import settings_of
from tests.kit.logs import logged
from tests.kit.memory_files import MemoryFiles

GOLDEN = Path(__file__).parents[1] / "golden"
FULL = OSError(errno.ENOSPC, "no space")


def table(files: MemoryFiles | None = None, **overrides: Any) -> TopicTable:
    made = TopicTable(settings_of(**overrides), ConfigFile("topics.json", files or MemoryFiles()), lambda: 1000)
    made.load()
    return made


def kept(files: MemoryFiles) -> Any:
    return json.loads(files.files["topics.json"])


def test_the_systems_topics_are_those_that_apache_creates() -> None:
    written = json.loads((GOLDEN / "topics.json").read_bytes())["topicConfigTable"]
    files = MemoryFiles()
    table(files).save()
    assert kept(files)["topicConfigTable"] == written


def test_a_file_of_apaches_loads_and_is_written_again_byte_for_byte() -> None:
    written = (GOLDEN / "topics.json").read_bytes()
    files = MemoryFiles({"topics.json": written})
    loaded = table(files)
    assert loaded.version == DataVersion(0, 0, 1795258542847)
    names = list(json.loads(written)["topicConfigTable"])
    loaded._texts._texts = {name: loaded._texts._texts[name] for name in names}
    loaded.save()
    assert files.files["topics.json"] == written


def test_settings_choose_system_topics() -> None:
    closed = table(autoCreateTopicEnable=False, clusterTopicEnable=False, brokerTopicEnable=False)
    assert "TBW102" not in closed.configs
    assert (closed.configs["DefaultCluster"].perm, closed.configs["broker-a"].perm) == (1, 1)
    traced = table(traceTopicEnable=True, msgTraceTopicName="trace", defaultTopicQueueNums=3)
    assert traced.configs["trace"].read_queue_nums == 1
    assert (traced.configs["TBW102"].read_queue_nums, traced.configs["TBW102"].perm) == (3, 7)
    assert traced.is_system("trace")
    assert not table(msgTraceTopicName="trace").is_system("trace")


@pytest.mark.parametrize(
    "name", ["TBW102", "rmq_sys_x", "DefaultCluster", "broker-a", "DefaultCluster_REPLY_TOPIC", "RMQ_SYS_TRACE_TOPIC"]
)
def test_system_topics(name: str) -> None:
    assert table().is_system(name)
    assert not table().is_system(name + "x" if not name.startswith("rmq_sys_") else "x")


def test_what_the_file_says_of_system_topics_is_kept_as_at_apaches() -> None:
    files = MemoryFiles()
    first = table(files, defaultTopicQueueNums=5)
    first.put(TopicConfig("BenchmarkTest", 7, 7))
    again = table(files, defaultTopicQueueNums=6)
    assert again.configs["BenchmarkTest"].read_queue_nums == 7
    assert again.configs["TBW102"].read_queue_nums == 5


def test_put_raises_the_version_saves_and_tells() -> None:
    files = MemoryFiles()
    topics = table(files)
    told: list[list[TopicConfig]] = []
    topics.on_change = told.append
    config = TopicConfig("T", 3, 2, 6, TopicFilterType.MULTI_TAG, 1, True, {"a": "b"})
    topics.put(config)
    assert topics.version == DataVersion(0, 1, 1000)
    assert told == [[config]]
    assert kept(files)["dataVersion"] == {"counter": 1, "stateVersion": 0, "timestamp": 1000}
    assert kept(files)["topicConfigTable"]["T"] == {
        "attributes": {"a": "b"}, "order": True, "perm": 6, "readQueueNums": 3, "topicFilterType": "MULTI_TAG",
        "topicName": "T", "topicSysFlag": 1, "writeQueueNums": 2,
    }  # fmt: skip
    again = table(files)
    assert again.configs["T"] == config
    assert again.version == topics.version
    assert (again.is_order("T"), again.is_order("TBW102"), again.is_order("none")) == (True, False, False)


def test_remove_forgets_and_tells_once() -> None:
    files = MemoryFiles()
    topics = table(files)
    topics.put(TopicConfig("T"))
    told: list[list[TopicConfig]] = []
    topics.on_change = told.append
    assert topics.remove("T")
    assert not topics.remove("T")
    assert told == [[]]
    assert topics.version.counter == 2
    assert "T" not in kept(files)["topicConfigTable"]


def test_a_damaged_file_stops_the_start() -> None:
    with pytest.raises(ConfigFileError):
        table(MemoryFiles({"topics.json": b'{"topicConfigTable": 5}'}))


@pytest.mark.parametrize(("wanted", "got"), [(4, 4), (8, 8), (9, 8), (0, 0), (-3, 0)])
def test_a_send_creates_a_topic_after_its_template(wanted: int, got: int) -> None:
    topics = table()
    config = topics.create_on_send("T", "TBW102", wanted, 2)
    assert config == TopicConfig("T", got, got, 6, TopicFilterType.SINGLE_TAG, 2)
    assert topics.configs["T"] is config


def test_permission_and_filter_type_come_from_the_template() -> None:
    topics = table()
    topics.put(TopicConfig("template", 2, 3, 3, TopicFilterType.MULTI_TAG))
    assert topics.create_on_send("T", "template", 8) == TopicConfig("T", 3, 3, 2, TopicFilterType.MULTI_TAG)


def test_no_topic_without_template_or_its_consent() -> None:
    topics = table()
    assert topics.create_on_send("T", "missing", 8) is None
    assert topics.create_on_send("T", "BenchmarkTest", 8) is None
    assert "T" not in topics.configs


def test_auto_creation_switched_off_closes_tbw102_but_no_other_template() -> None:
    files = MemoryFiles()
    table(files).save()
    topics = table(files, autoCreateTopicEnable=False)
    assert "TBW102" in topics.configs
    assert topics.create_on_send("T", "TBW102", 8) is None
    assert topics.create_on_send("T", "DefaultCluster", 8) is not None


def test_a_retry_topic_needs_no_template() -> None:
    config = table().create_on_send("%RETRY%G", "missing", 8, 2)
    assert config == TopicConfig("%RETRY%G", 1, 1, 6, topic_sys_flag=2)


def test_a_send_creates_nothing_that_cannot_be_kept() -> None:
    files = MemoryFiles()
    topics = table(files)
    files.refuse = FULL
    with pytest.raises(ServiceNotAvailableError, match=r"topic\[T\] cannot be kept on the disk now"):
        topics.create_on_send("T", "TBW102", 4)
    assert "T" not in topics.configs
    files.refuse = None
    topics.save()
    assert "T" not in kept(files)["topicConfigTable"]


def test_ensure_makes_a_topic_once_and_follows_the_order_flag() -> None:
    topics = table()
    made = topics.ensure("%RETRY%G", 2, order=True, sys_flag=2)
    assert made == TopicConfig("%RETRY%G", 2, 2, 6, topic_sys_flag=2, order=True)
    assert topics.ensure("%RETRY%G", 9, order=True) is made
    assert topics.version.counter == 1
    assert not topics.ensure("%RETRY%G", 9, order=False).order
    assert topics.version.counter == 2


def test_a_full_disk_does_not_keep_consumers_away() -> None:
    files = MemoryFiles()
    topics = table(files)
    told: list[list[TopicConfig]] = []
    topics.on_change = told.append
    files.refuse = FULL
    made = topics.ensure("%RETRY%G", 1)
    assert told == [[made]]
    files.refuse = None
    topics.put(TopicConfig("T"))
    assert "%RETRY%G" in kept(files)["topicConfigTable"]


def test_an_operator_is_told_that_the_disk_is_full() -> None:
    files = MemoryFiles()
    topics = table(files)
    files.refuse = FULL
    with pytest.raises(OSError, match="no space"):
        topics.put(TopicConfig("T"))


def test_the_number_of_topics_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    topics = table()
    monkeypatch.setattr(topics_module, "MAX_TOPICS", len(topics.configs) + 2)
    topics.put(TopicConfig("A"), TopicConfig("B"))
    topics.put(TopicConfig("A", 1, 1))
    for create in (
        lambda: topics.put(TopicConfig("C")),
        lambda: topics.create_on_send("C", "TBW102", 1),
        lambda: topics.ensure("%RETRY%C", 1),
    ):
        with pytest.raises(SystemBusyError, match="takes no more than"):
            create()
    assert topics.configs.keys() & {"C", "%RETRY%C"} == set()


@pytest.mark.parametrize(("broker", "perm", "registered"), [(6, 7, 7), (4, 7, 4), (2, 6, 2), (0, 6, 0)])
def test_registered_permissions_never_exceed_the_brokers(broker: int, perm: int, registered: int) -> None:
    topics = table(brokerPermission=broker)
    topics.put(TopicConfig("T", perm=perm))
    wrapper = topics.wrapper()
    assert wrapper.topic_config_table["T"].perm == registered
    assert topics.configs["T"].perm == perm
    assert wrapper.data_version == topics.version
    assert wrapper.topic_config_table.keys() == topics.configs.keys()


def test_another_permission_of_the_broker_is_told_under_another_version() -> None:
    topics = table()
    told: list[list[TopicConfig]] = []
    topics.on_change = told.append
    before = topics.version
    topics.settings_changed()
    assert (topics.version, told) == (before, [[]])
    # Name servers look at topics only when the version is another one.
    topics._settings.broker.broker_permission = 4
    topics.settings_changed()
    assert (topics.version.counter, told) == (before.counter + 1, [[], []])
    topics.settings_changed()
    assert topics.version.counter == before.counter + 1


def test_some_topics_are_registered_with_their_mappings_alone() -> None:
    topics = table(brokerPermission=4)
    topics.put(TopicConfig("T"), TopicConfig("U"))
    topics.mappings = lambda names: {name: TopicQueueMappingInfo(name) for name in names or ("all",)}
    wrapper = topics.wrapper(["U", "gone"])
    assert wrapper.topic_config_table == {"U": TopicConfig("U", perm=4)}
    assert wrapper.data_version == topics.version
    assert wrapper.topic_queue_mapping_info_map.keys() == {"U", "gone"}
    assert topics.wrapper().topic_queue_mapping_info_map.keys() == {"all"}


def test_who_changed_nothing_waits_for_nobody() -> None:
    topics = table()
    told: Deferred[None] = Deferred()
    topics.told = lambda: told
    version = topics.version
    topics.ensure("TBW102", 1)
    assert topics.told_since(version) is None
    topics.ensure("%RETRY%G", 1)
    assert topics.told_since(version) is told


def test_a_name_servers_word_marks_ordered_topics() -> None:
    files = MemoryFiles()
    topics = table(files)
    topics.put(TopicConfig("T", 1, 1), TopicConfig("U", 1, 1, order=True), TopicConfig("V", 1, 1))
    changes: list[list[TopicConfig]] = []
    topics.on_change = changes.append
    topics.mark_ordered({"T": "broker-a:1", "U": "broker-a:1", "unknown": "broker-a:1"})
    assert changes == [[TopicConfig("T", 1, 1, order=True)]]
    assert [topics.is_order(name) for name in ("T", "U", "V", "unknown")] == [True, True, False, False]
    assert kept(files)["topicConfigTable"]["T"]["order"] is True
    topics.mark_ordered(["T", "U"])
    topics.mark_ordered([])
    assert len(changes) == 1, "what is marked already is no change, and nothing loses its mark"


def test_a_full_disk_does_not_unmark_ordered_topics() -> None:
    files = MemoryFiles()
    topics = table(files)
    topics.put(TopicConfig("T", 1, 1))
    files.refuse = FULL
    topics.mark_ordered(["T"])
    assert topics.is_order("T")


def test_a_topic_that_needs_more_than_this_broker_has_is_told_at_the_start() -> None:
    files = MemoryFiles()
    topics = table(files)
    topics.put(TopicConfig("T", 1, 1, attributes={"queue.type": "BatchCQ", "cleanup.policy": "DELETE"}))
    with logged() as told:
        loaded = table(files)
    reason = "this broker keeps every message in its place in a queue and has no batch queues"
    assert told == [f"topic T has queue.type=BatchCQ, but {reason}"]
    assert loaded.configs["T"].attributes == {"queue.type": "BatchCQ", "cleanup.policy": "DELETE"}


def test_another_brokers_topics_in_place_of_the_own() -> None:
    files = MemoryFiles()
    topics = table(files)
    topics.put(TopicConfig("OLD"), TopicConfig("T", 1, 1))
    changes: list[list[TopicConfig]] = []
    topics.on_change = changes.append
    kept_config = topics.configs["T"]
    version = DataVersion(3, 9, 77)
    topics.replace({"T": TopicConfig("T", 1, 1), "NEW": TopicConfig("NEW", 4, 2, 6)}, version)
    assert topics.configs == {"T": kept_config, "NEW": TopicConfig("NEW", 4, 2, 6)}
    assert (topics.version, changes) == (version, [[]])
    assert kept(files)["dataVersion"] == {"counter": 9, "stateVersion": 3, "timestamp": 77}
    assert kept(files)["topicConfigTable"].keys() == {"T", "NEW"}


def test_a_full_disk_lets_topics_be_taken_again() -> None:
    files = MemoryFiles()
    topics = table(files)
    before = topics.version
    changes: list[list[TopicConfig]] = []
    topics.on_change = changes.append
    files.refuse = FULL
    with pytest.raises(OSError, match="no space"):
        topics.replace({"T": TopicConfig("T")}, DataVersion(0, 9, 77))
    assert (topics.configs.keys(), topics.version, changes) == ({"T"}, before, [[]])


def test_what_the_log_holds_becomes_readable() -> None:
    files = MemoryFiles()
    topics = table(files)
    topics.put(TopicConfig("T", 2, 2, 6), TopicConfig("U", 8, 8, 6))
    changes: list[list[TopicConfig]] = []
    topics.on_change = changes.append
    topics.discover({"N": 3, "T": 5, "U": 8})
    found = [TopicConfig("N", 3, 3, 6), TopicConfig("T", 5, 2, 6)]
    assert changes == [found]
    assert [topics.configs["N"], topics.configs["T"]] == found
    assert topics.version.counter == 2
    files.refuse = FULL
    topics.discover({"M": 1})
    assert topics.configs["M"].perm == 6
    changes.clear()
    topics.discover({"N": 3})
    assert changes == []
