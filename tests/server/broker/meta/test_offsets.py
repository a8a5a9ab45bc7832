"""Committed offsets: what is kept, in which form, and what an operator's reset does."""

import errno
import json

import pytest

from rmq.server.broker.meta import offsets as offsets_module
from rmq.server.broker.meta.config_file import ConfigFile
from rmq.server.broker.meta.offsets import OffsetTable
from rmq.settings.model import BrokerSettings
from rmq.wire.errors import SystemBusyError
from tests.kit.broker import settings_of
from tests.kit.memory_files import MemoryFiles

APACHES = b"""{
	"dataVersion":{
		"counter":1,
		"stateVersion":0,
		"timestamp":7
	},
	"groupTopicMap":{
		"G":[
			"T",
			"%RETRY%G"
		]
	},
	"offsetTable":{
		"T@G":{
			0:5,
			3:9
		},
		"%RETRY%G@G":{
			0:0
		}
	}
}"""


def table(files: MemoryFiles | None = None, settings: BrokerSettings | None = None) -> OffsetTable:
    made = OffsetTable(settings or settings_of(), ConfigFile("consumerOffset.json", files or MemoryFiles()))
    made.load()
    return made


def test_the_file_is_apaches_byte_for_byte_both_ways() -> None:
    files = MemoryFiles()
    offsets = table(files)
    offsets.commit("G", "T", 0, 5)
    offsets.commit("G", "T", 3, 9)
    offsets.commit("G", "%RETRY%G", 0, 0)
    offsets.save(7)
    assert files.files["consumerOffset.json"] == APACHES
    again = table(files)
    assert again.queues("G", "T") == {0: 5, 3: 9}
    assert again.topics_by_group() == {"G": ["T", "%RETRY%G"]}
    assert again.version == offsets.version


def test_quoted_queue_ids_are_read_too_and_keys_without_a_group_are_left_out() -> None:
    text = b'{"offsetTable":{"T@G":{"1":2},"T":{"0":1},"a@b@c":{"0":1}}}'
    offsets = table(MemoryFiles({"consumerOffset.json": text}))
    assert offsets.queues("G", "T") == {1: 2}
    assert offsets.groups() == {"G"}


def test_only_changes_are_written() -> None:
    files = MemoryFiles()
    offsets = table(files)
    offsets.save(1)
    assert files.files == {}
    offsets.commit("G", "T", 0, 1)
    offsets.save(2)
    files.files.clear()
    offsets.save(3)
    assert files.files == {}


def test_a_save_that_fails_is_made_up_for_by_the_next() -> None:
    files = MemoryFiles()
    offsets = table(files)
    offsets.commit("G", "T", 0, 1)
    files.refuse = OSError(errno.ENOSPC, "no space")
    with pytest.raises(OSError, match="no space"):
        offsets.save(1)
    files.refuse = None
    offsets.save(2)
    assert json.loads(files.files["consumerOffset.json"].replace(b"0:1", b'"0":1'))["offsetTable"] == {"T@G": {"0": 1}}


def test_queries() -> None:
    offsets = table()
    offsets.commit("G", "T", 0, 5)
    offsets.commit("G", "T", 0, 3)
    offsets.commit("H", "T", 1, 7)
    assert offsets.query("G", "T", 0) == 3
    assert (offsets.query("G", "T", 1), offsets.query("G", "U", 0), offsets.query("X", "T", 0)) == (-1, -1, -1)
    assert offsets.groups_of("T") == ["G", "H"]
    assert offsets.topics_of("H") == ["T"]
    assert offsets.groups() == {"G", "H"}
    assert offsets.queues("X", "T") == {}


def test_fetched_offsets_are_apart_from_committed_ones() -> None:
    offsets = table()
    offsets.note_pulled("G", "T", 0, 9)
    assert (offsets.pulled("G", "T", 0), offsets.pulled("G", "T", 1), offsets.query("G", "T", 0)) == (9, -1, -1)


def test_a_reset_waits_for_one_pull() -> None:
    offsets = table()
    offsets.commit("G", "T", 0, 50)
    offsets.reset("G", "T", 0, 10)
    assert offsets.has_reset("G", "T", 0)
    assert not offsets.has_reset("G", "T", 1)
    offsets.commit("G", "T", 0, 60)
    assert offsets.query("G", "T", 0) == 10
    assert offsets.take_reset("G", "T", 0) == 10
    assert offsets.take_reset("G", "T", 0) is None
    assert offsets.query("G", "T", 0) == 60


def test_a_reset_of_a_group_that_never_consumed_is_its_offset() -> None:
    offsets = table()
    offsets.reset("G", "T", 0, 10)
    offsets.take_reset("G", "T", 0)
    assert offsets.query("G", "T", 0) == 10


def test_resets_that_do_not_count() -> None:
    settings = settings_of(useServerSideResetOffset=False)
    offsets = table(settings=settings)
    offsets.reset("G", "T", 0, 10)
    offsets.commit("G", "T", 0, 60)
    assert not offsets.has_reset("G", "T", 0)
    assert offsets.query("G", "T", 0) == 60
    settings.set("useServerSideResetOffset", True)
    assert offsets.has_reset("G", "T", 0)
    assert offsets.query("G", "T", 0) == 10
    settings.set("useServerSideResetOffset", False)
    assert offsets.take_reset("G", "T", 0) is None
    settings.set("useServerSideResetOffset", True)
    assert not offsets.has_reset("G", "T", 0), "the pull took it away all the same"


def test_clone_replaces() -> None:
    offsets = table()
    offsets.commit("G", "T", 0, 5)
    offsets.commit("H", "T", 0, 1)
    offsets.commit("H", "T", 1, 1)
    offsets.clone("G", "H", "T")
    assert offsets.queues("H", "T") == {0: 5}
    offsets.clone("none", "H", "T")
    assert offsets.queues("H", "T") == {0: 5}
    offsets.commit("H", "T", 0, 6)
    assert offsets.query("G", "T", 0) == 5


def test_clone_takes_the_marks_of_a_reset_away_from_its_target_alone() -> None:
    offsets = table()
    offsets.commit("G", "T", 0, 5)
    for group, topic in (("H", "T"), ("H", "U"), ("G", "U")):
        offsets.reset(group, topic, 0, 1)
    offsets.clone("G", "H", "T")
    assert offsets.query("H", "T", 0) == 5
    assert [offsets.has_reset(*queue, 0) for queue in (("H", "T"), ("H", "U"), ("G", "U"))] == [False, True, True]
    offsets.clone("none", "H", "U")
    assert offsets.has_reset("H", "U", 0)


def test_offsets_of_a_topic_by_group() -> None:
    offsets = table()
    for group, topic, queue_id in (("G", "T", 0), ("G", "T", 1), ("H", "T", 0), ("H", "U", 0)):
        offsets.commit(group, topic, queue_id, 7)
    assert offsets.of_topic("T") == {"G": {0: 7, 1: 7}, "H": {0: 7}}
    assert offsets.of_topic("V") == {}


@pytest.mark.parametrize("by_topic", [True, False])
def test_forgetting_leaves_nothing_of_it_and_everything_else(by_topic: bool) -> None:
    offsets = table()
    for group, topic in (("G", "T"), ("G", "U"), ("H", "T"), ("H", "U")):
        offsets.reset(group, topic, 0, 1)
        offsets.note_pulled(group, topic, 0, 2)
    # Fetched but never committed.
    offsets.note_pulled("G", "T", 5, 2)
    if by_topic:
        offsets.forget_topic("T")
        gone, left = [("G", "T"), ("H", "T")], [("G", "U"), ("H", "U")]
    else:
        offsets.forget_group("G")
        gone, left = [("G", "T"), ("G", "U")], [("H", "T"), ("H", "U")]
    for group, topic in gone:
        assert (offsets.query(group, topic, 0), offsets.pulled(group, topic, 0)) == (-1, -1)
        assert not offsets.has_reset(group, topic, 0)
    for group, topic in left:
        assert (offsets.query(group, topic, 0), offsets.pulled(group, topic, 0)) == (1, 2)
    assert offsets.pulled("G", "T", 5) == -1


def test_the_number_of_offsets_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offsets_module, "MOST_OFFSETS", 2)
    offsets = table(MemoryFiles({"consumerOffset.json": b'{"offsetTable":{"T@G":{0:1}}}'}))
    offsets.commit("G", "T", 1, 1)
    offsets.commit("G", "T", 1, 2)
    for group, queue in (("G", 2), ("H", 0)):
        with pytest.raises(SystemBusyError, match="keeps 2 offsets"):
            offsets.commit(group, "T", queue, 1)
    assert offsets.groups() == {"G"}
    offsets.forget_group("G")
    offsets.commit("H", "T", 0, 1)
    for queue in range(5):
        offsets.note_pulled("G", "T", queue, 1)
    offsets.note_pulled("G", "T", 1, 3)
    assert [offsets.pulled("G", "T", queue) for queue in range(3)] == [1, 3, -1]


def test_to_json_is_compact_and_whole() -> None:
    offsets = table()
    offsets.commit("G", "T", 0, 5)
    assert offsets.to_json() == (
        b'{"dataVersion":{"counter":0,"stateVersion":0,"timestamp":0},"groupTopicMap":{"G":["T"]},'
        b'"offsetTable":{"T@G":{0:5}}}'
    )


def test_names_are_known_both_ways_until_the_last_offset_is_gone() -> None:
    files = MemoryFiles()
    offsets = table(files)
    for group, topic in (("G", "T"), ("H", "T"), ("G", "U")):
        offsets.commit(group, topic, 0, 5)
        offsets.commit(group, topic, 1, 5)
    offsets.save(7)
    for known in (offsets, table(files)):
        assert known.groups_of("T") == ["G", "H"]
        assert known.topics_of("G") == ["T", "U"]
        assert known.topics_by_group() == {"G": ["T", "U"], "H": ["T"]}
    offsets.forget_topic("T")
    assert (offsets.groups_of("T"), offsets.topics_of("H"), offsets.groups()) == ([], [], {"G"})
    offsets.commit("H", "T", 0, 5)
    offsets.forget_group("G")
    assert offsets.topics_by_group() == {"H": ["T"]}
    assert offsets.groups_of("U") == []
