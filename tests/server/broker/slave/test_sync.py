"""Tables that become the master's: all of it or nothing, and deliveries not before the log is that far."""

import errno
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from rmq.remoting import pages as pages_module
from rmq.remoting.errors import ConnectFailedError
from rmq.server.broker.meta.config_file import ConfigFile
from rmq.server.broker.slave.marks import OffsetMarks
from rmq.server.broker.slave.offsets import SlaveOffsets
from rmq.server.broker.slave.sync import MetadataSync
from rmq.wire.bodies.assignment import MessageRequestMode, MessageRequestModeBody
from rmq.wire.bodies.broker import TimerMetric, TimerMetrics
from rmq.wire.bodies.group import SubscriptionGroupConfig
from rmq.wire.bodies.mapping import TopicQueueMappingDetail
from rmq.wire.bodies.offset import DelayOffsets
from rmq.wire.bodies.topic import TopicConfig
from rmq.wire.bodies.version import DataVersion
from rmq.wire.requests.assignment import GetAllMessageRequestMode
from rmq.wire.requests.broker import GetBrokerRuntimeInfo
from rmq.wire.requests.group import GetAllSubscriptionGroupConfig
from rmq.wire.requests.offset import GetAllConsumerOffset, GetAllDelayOffset
from rmq.wire.requests.topic import GetAllTopicConfig
from tests.kit.logs import logged
from tests.kit.slavemaster import SlaveMaster, Tables
from tests.kit.stores import SmallStore


class Delays:
    """What is told of deliveries."""

    def __init__(self) -> None:
        self.followed: list[tuple[dict[int, int], bytes]] = []
        self.metrics: list[TimerMetrics] = []

    def follow(self, levels: DelayOffsets, checkpoint: bytes) -> None:
        self.followed.append((levels.offset_table, checkpoint))

    def assign_timer_metrics(self, metrics: TimerMetrics) -> None:
        self.metrics.append(metrics)


class Scene:
    def __init__(self, path: Path) -> None:
        self.master = SlaveMaster()
        self.own = Tables([500_000])
        self.small = SmallStore(path)
        marks = OffsetMarks(ConfigFile("marks", self.own.files))
        self.offsets = SlaveOffsets(self.own.settings, ConfigFile("slaveoffsets", self.own.files), marks)
        self.delays = Delays()
        delays: Any = self.delays
        self.sync = MetadataSync(
            self.own.settings, self.master, self.small.store, topics=self.own.topics, mappings=self.own.mappings,
            groups=self.own.groups, offsets=self.offsets, modes=self.own.modes, delays=delays,
        )  # fmt: skip

    def run(self) -> Any:
        return self._now(self.sync.everything())

    def follow(self) -> None:
        self._now(self.sync.follow())

    def _now(self, work: Any) -> Any:
        over: list[Any] = []
        Deferred.fromCoroutine(work).addBoth(over.append)
        return over[0]

    def equal(self) -> bool:
        mine, theirs = self.own, self.master
        return (
            mine.topics.configs == theirs.topics.configs
            and mine.topics.version == theirs.topics.version
            and mine.mappings.details == theirs.mappings.details
            and mine.mappings.version == theirs.mappings.version
            and mine.groups.configs == theirs.groups.configs
            and mine.groups.forbidden == theirs.groups.forbidden
            and mine.groups.version == theirs.groups.version
            and mine.modes.all() == theirs.modes.all()
        )


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def lines_of(work: Any) -> list[str]:
    with logged() as lines:
        work()
    return lines


def furnish(master: SlaveMaster) -> None:
    master.topics.put(TopicConfig("T", 3, 5, 6, order=True), TopicConfig("U", 1, 1, 4))
    master.groups.put(SubscriptionGroupConfig("g", retry_max_times=3))
    master.groups.set_forbidden("g", "T", 2, True)
    master.mappings.keep(TopicQueueMappingDetail("T", total_queues=2, bname="broker-a", epoch=5))
    master.modes.put("T", "g", MessageRequestModeBody("T", "g", MessageRequestMode.POP, 2))
    master.metrics = TimerMetrics({"T": TimerMetric(3, 7)}, DataVersion(0, 1, 2))


def test_everything_becomes_the_masters(scene: Scene) -> None:
    furnish(scene.master)
    changes: list[Any] = []
    scene.own.topics.on_change = changes.append
    assert scene.run() is True
    assert scene.equal()
    assert changes == [[]]
    assert scene.delays.metrics == [scene.master.metrics]
    again = Tables()
    again.files.files = scene.own.files.files
    for table in (again.topics, again.groups, again.mappings, again.modes):
        table.load()
    assert again.topics.configs == scene.master.topics.configs
    assert (again.topics.version, again.groups.version) == (scene.master.topics.version, scene.master.groups.version)
    assert (again.groups.forbidden, again.mappings.details) == ({"g": {"T": 4}}, scene.master.mappings.details)
    assert again.modes.all() == scene.master.modes.all()


def test_what_did_not_change_is_not_taken_again(scene: Scene) -> None:
    furnish(scene.master)
    scene.run()
    written = dict(scene.own.files.files)
    assert scene.run() is True
    assert all(scene.own.files.files[name] is content for name, content in written.items())
    scene.own.groups.find("made-here")
    scene.own.topics.ensure("%RETRY%made-here", 1)
    scene.run()
    assert scene.equal()


def test_large_tables_come_in_pages(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages_module, "PAGE", 7)
    furnish(scene.master)
    scene.master.groups.put(*(SubscriptionGroupConfig(f"g{number}") for number in range(20)))
    scene.run()
    assert scene.equal()
    assert scene.master.kinds().count("GetAllTopicConfig") == -(-len(scene.master.topics.configs) // 7)


def test_a_master_that_repeats_a_page_is_not_asked_for_ever(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages_module, "PAGE", 7)
    processor = scene.master._topic_processor
    page = processor.all_configs
    monkeypatch.setattr(processor, "all_configs", lambda header, call: page(replace(header, topic_seq=0), call))
    told = sorted(scene.master.topics.configs)[:7]
    assert len(scene.master.topics.configs) > 7
    scene.run()
    assert set(told) <= set(scene.own.topics.configs)
    assert scene.master.kinds().count("GetAllTopicConfig") == 2


def test_a_table_that_changes_between_two_pages_is_read_anew(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages_module, "PAGE", 7)
    furnish(scene.master)
    scene.master.groups.put(*(SubscriptionGroupConfig(f"g{number}") for number in range(20)))

    def change(kind: Any, work: Any) -> None:
        if sum(type(header) is kind for header in scene.master.asked) == 3:
            work()

    scene.master.meanwhile[GetAllTopicConfig] = lambda: change(
        GetAllTopicConfig, lambda: scene.master.topics.put(TopicConfig("A"))
    )
    scene.master.meanwhile[GetAllSubscriptionGroupConfig] = lambda: change(
        GetAllSubscriptionGroupConfig, lambda: scene.master.groups.remove("g7")
    )
    scene.run()
    assert "A" in scene.own.topics.configs
    assert scene.equal()


def test_a_master_that_goes_between_two_pages_leaves_the_table_whole(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    furnish(scene.master)
    scene.run()
    before = dict(scene.own.topics.configs)
    monkeypatch.setattr(pages_module, "PAGE", 7)
    scene.master.topics.put(TopicConfig("A"))
    scene.master.asked.clear()

    def go() -> None:
        if len(scene.master.asked) == 2:
            scene.master.timeout(GetAllTopicConfig)

    scene.master.meanwhile[GetAllTopicConfig] = go
    assert scene.run() is False
    assert scene.own.topics.configs == before


def test_each_failure_is_told_once_and_keeps_the_others_from_nothing(scene: Scene) -> None:
    furnish(scene.master)
    for kind in (GetAllTopicConfig, GetAllConsumerOffset, GetAllMessageRequestMode):
        scene.master.refuse(kind)
    lines = lines_of(scene.run)
    assert len(lines) == 3
    assert lines[0] == "the master's topics cannot be taken now: CODE: 16  DESC: no BROKER: 10.0.0.1:10911"
    assert scene.own.groups.configs == scene.master.groups.configs
    assert "T" not in scene.own.topics.configs
    assert lines_of(scene.run) == []
    scene.master.failures.clear()
    assert [line.split(" are ")[0] for line in lines_of(scene.run)] == [
        "the master's topics", "the master's offsets", "the master's request modes",
    ]  # fmt: skip
    assert scene.equal()


def test_a_master_that_cannot_be_reached_is_not_asked_on(scene: Scene) -> None:
    furnish(scene.master)
    scene.master.failures[GetAllConsumerOffset] = ConnectFailedError("10.0.0.1:10911")
    lines = lines_of(scene.run)
    assert lines == ["the master's offsets cannot be taken now: connect to 10.0.0.1:10911 failed"]
    assert scene.master.kinds() == ["GetAllTopicConfig", "GetAllConsumerOffset"]
    # One that only takes too long may answer what is smaller.
    scene.master.timeout(GetAllConsumerOffset)
    assert scene.run() is True
    assert scene.own.groups.configs == scene.master.groups.configs
    scene.master.failures[GetAllDelayOffset] = ConnectFailedError("10.0.0.1:10911")
    scene.follow()
    assert scene.delays.followed == []


def test_a_disk_that_is_full_is_tried_again(scene: Scene) -> None:
    furnish(scene.master)
    scene.own.files.refuse = OSError(errno.ENOSPC, "no space")
    assert scene.run() is False
    scene.own.files.refuse = None
    assert scene.run() is True
    assert scene.equal()
    assert b'"T"' in scene.own.files.files["topics"]


def test_a_topic_that_is_gone_takes_its_offsets_with_it_but_not_its_messages(scene: Scene) -> None:
    furnish(scene.master)
    scene.run()
    scene.small.fill(4, "U")
    scene.offsets.commit("g", "U", 0, 1)
    scene.master.topics.remove("U")
    scene.run()
    assert "U" not in scene.own.topics.configs
    assert scene.offsets.groups_of("U") == []
    assert sorted(scene.small.store.queues()) == [("U", 0), ("U", 1)]


def test_offsets_are_cut_to_the_own_queues(scene: Scene) -> None:
    furnish(scene.master)
    scene.small.fill(4, "T")
    scene.master.offsets.commit("g", "T", 0, 5)
    scene.master.offsets.commit("g", "T", 1, 1)
    scene.run()
    assert scene.offsets.queues("g", "T") == {0: 2, 1: 1}


def test_deliveries_count_when_the_log_holds_them(scene: Scene) -> None:
    scene.small.fill(2)
    scene.master.levels = DelayOffsets(DataVersion(0, 1, 2), {3: 7})
    scene.master.timer = (5000, 2)
    scene.master.log_end = str(scene.small.store.log_max_offset + 1)
    scene.follow()
    assert scene.master.kinds() == ["GetAllDelayOffset", "GetTimerCheckPoint", "GetBrokerRuntimeInfo"]
    assert scene.delays.followed == []
    scene.master.levels = DelayOffsets(DataVersion(0, 2, 2), {3: 9})
    scene.follow()
    assert scene.master.kinds() == ["GetBrokerRuntimeInfo"]
    assert scene.delays.followed == []
    scene.small.fill(1, first=2)
    scene.follow()
    ((levels, checkpoint),) = scene.delays.followed
    assert levels == {3: 7}
    assert checkpoint == bytes.fromhex("0000000000001388") + bytes(16) + bytes.fromhex("0000000000000002") + bytes(24)
    scene.master.log_end = "0"
    scene.follow()
    assert scene.delays.followed[1][0] == {3: 9}


def test_another_log_begins_anew(scene: Scene) -> None:
    scene.master.log_end = "1000000"
    scene.follow()
    scene.sync.restart()
    scene.master.log_end = "0"
    scene.follow()
    assert len(scene.delays.followed) == 1


def test_a_master_that_does_not_tell_its_end(scene: Scene) -> None:
    scene.master.log_end = "?"
    assert lines_of(scene.follow) == [
        "the master's progress of deliveries cannot be taken now: CODE: 1  DESC: commitLogMaxOffset '?' is no offset"
    ]
    scene.master.refuse(GetBrokerRuntimeInfo)
    assert lines_of(scene.follow) == []
    scene.master.failures.clear()
    scene.master.log_end = "0"
    scene.sync.stop()
    scene.follow()
    assert scene.delays.followed == []
