"""Offsets on a slave: the master's, with what was committed here and is not told yet."""

from contextlib import suppress
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from rmq.remoting.errors import CallTimeoutError
from rmq.server.broker.meta.config_file import ConfigFile, ConfigFileError
from rmq.server.broker.meta.offsets import OffsetTable
from rmq.server.broker.slave.marks import OffsetMarks
from rmq.server.broker.slave.offsets import SlaveOffsets, sync_offsets
from rmq.wire.bodies.version import DataVersion
from rmq.wire.codes import ResponseCode
from rmq.wire.errors import error_for
from rmq.wire.fastjson import loads
from rmq.wire.requests.offset import GetAllConsumerOffset, UpdateConsumerOffset
from tests.kit.broker import settings_of
from tests.kit.memory_files import MemoryFiles
from tests.kit.slavemaster import SlaveMaster

MARKS = """\
{
	"beforeTable":{
		"T@g":{
			0:5
		}
	},
	"dataVersion":{
		"counter":1,
		"stateVersion":0,
		"timestamp":7
	},
	"formerVersion":{
		"counter":0,
		"stateVersion":0,
		"timestamp":0
	},
	"offsetTable":{
		"T@g":{
			0:9
		}
	}
}"""


class Scene:
    """A slave's table beside its master; queues end at 100 unless `ends` says otherwise."""

    def __init__(self) -> None:
        self.master = SlaveMaster()
        self.files = MemoryFiles()
        self.table = self.made()
        self.ends: dict[tuple[str, int], int] = {}

    def made(self) -> SlaveOffsets:
        """A table over the files."""
        return SlaveOffsets(settings_of(), ConfigFile("o", self.files), OffsetMarks(ConfigFile("m", self.files)))

    def restart(self) -> None:
        """As after kill -9."""
        self.table = self.made()
        self.table.load()

    def sync(self) -> None:
        over: list[Any] = []
        ends = self.ends
        work = sync_offsets(self.master, self.table, lambda topic, queue_id: ends.get((topic, queue_id), 100))
        Deferred.fromCoroutine(work).addBoth(over.append)
        (result,) = over
        if result is not None:
            result.raiseException()

    def go_on(self, now: int) -> None:
        """A group that the master knows at 5 comes to 9 here, and that is saved."""
        self.master.offsets.commit("g", "T", 0, 5)
        self.sync()
        self.table.commit("g", "T", 0, 9)
        self.table.save(now)

    def told(self) -> list[UpdateConsumerOffset]:
        asked, self.master.asked = self.master.asked, []
        return [header for header in asked if isinstance(header, UpdateConsumerOffset)]


def test_the_masters_table_replaces_the_own() -> None:
    scene = Scene()
    scene.table.commit("old", "T", 0, 3)
    scene.table.local.clear()
    for queue_id in (0, 1):
        scene.master.offsets.commit("g", "T", queue_id, 7 + queue_id)
    scene.sync()
    assert scene.table.queues("g", "T") == {0: 7, 1: 8}
    assert scene.table.groups() == {"g"}
    assert scene.table.groups_of("T") == ["g"]
    scene.table.save(5)
    assert b'"T@g":{\n\t\t\t0:7,\n\t\t\t1:8\n\t\t}' in scene.files.files["o"]
    # An operator's way back counts too, and the same table again is not written again.
    scene.master.offsets.commit("g", "T", 0, 2)
    scene.sync()
    assert scene.table.query("g", "T", 0) == 2
    scene.table.save(6)
    written = scene.files.files["o"]
    scene.sync()
    scene.table.save(7)
    assert scene.files.files["o"] is written
    assert scene.told() == []


def test_offsets_end_where_the_own_queue_ends() -> None:
    scene = Scene()
    scene.master.offsets.commit("g", "T", 0, 50)
    scene.ends["T", 0] = 40
    scene.sync()
    assert scene.table.query("g", "T", 0) == 40
    scene.ends["T", 0] = 60
    scene.sync()
    assert scene.table.query("g", "T", 0) == 50


def test_what_was_committed_here_goes_to_a_master_that_is_behind() -> None:
    scene = Scene()
    for queue_id, offset in enumerate((5, 9, 9)):
        scene.master.offsets.commit("g", "T", queue_id, offset)
    for queue_id in range(4):
        scene.table.commit("g", "T", queue_id, 9 - queue_id)
    scene.sync()
    told = sorted(scene.told(), key=lambda header: header.queue_id)
    assert told == [UpdateConsumerOffset("g", "T", 0, 9, lo=False), UpdateConsumerOffset("g", "T", 3, 6, lo=False)]
    assert scene.master.offsets.queues("g", "T") == {0: 9, 1: 9, 2: 9, 3: 6}
    assert scene.table.queues("g", "T") == {0: 9, 1: 9, 2: 9, 3: 6}
    assert scene.table.local == {}


def test_what_the_master_could_not_be_told_stays_marked() -> None:
    scene = Scene()
    scene.master.offsets.commit("g", "T", 0, 5)
    scene.table.commit("g", "T", 0, 9)
    scene.master.timeout(UpdateConsumerOffset)
    with pytest.raises(CallTimeoutError):
        scene.sync()
    assert scene.table.query("g", "T", 0) == 9
    assert scene.table.local == {("g", "T", 0): -1}
    scene.master.failures.clear()
    scene.sync()
    assert scene.master.offsets.query("g", "T", 0) == 9
    assert scene.table.local == {}


def test_a_master_that_does_not_answer_changes_nothing() -> None:
    scene = Scene()
    scene.table.commit("g", "T", 0, 9)
    scene.master.timeout(GetAllConsumerOffset)
    with pytest.raises(CallTimeoutError):
        scene.sync()
    assert scene.table.queues("g", "T") == {0: 9}
    assert scene.told() == []


def test_what_the_master_does_not_want_is_given_up() -> None:
    scene = Scene()
    scene.table.commit("g", "T", 0, 9)
    scene.master.failures[UpdateConsumerOffset] = error_for(ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST, "no group")
    scene.sync()
    assert scene.table.local == {}
    scene.master.failures.clear()
    scene.sync()
    assert scene.table.queues("g", "T") == {}


def test_what_is_committed_while_the_master_is_told_stays() -> None:
    scene = Scene()
    scene.table.commit("g", "T", 0, 9)
    scene.master.meanwhile[UpdateConsumerOffset] = lambda: scene.table.commit("g", "T", 0, 11)
    scene.sync()
    assert scene.table.query("g", "T", 0) == 11
    assert scene.table.local == {("g", "T", 0): -1}
    scene.master.meanwhile.clear()
    scene.sync()
    assert scene.master.offsets.query("g", "T", 0) == 11


def test_a_mark_without_an_offset_is_nothing() -> None:
    scene = Scene()
    scene.table.commit("g", "T", 0, 9)
    scene.table.forget_topic("T")
    scene.sync()
    assert scene.told() == []
    assert scene.table.local == {}
    assert scene.table.groups() == set()


def test_marks_survive_a_restart() -> None:
    scene = Scene()
    scene.master.offsets.commit("g", "T", 0, 5)
    scene.master.offsets.commit("g", "T", 1, 5)
    scene.sync()
    scene.table.commit("g", "T", 0, 9)
    scene.table.commit("h", "T", 0, 3)
    scene.table.save(1)
    scene.table.commit("g", "T", 0, 10)
    scene.table.commit("g", "T", 0, 11)
    scene.table.save(2)
    scene.table.commit("g", "T", 1, 7)
    scene.restart()
    assert scene.table.queues("g", "T") == {0: 11, 1: 5}
    assert scene.table.local == {("g", "T", 0): 5, ("h", "T", 0): -1}
    scene.sync()
    told = sorted(scene.told(), key=lambda header: header.consumer_group)
    assert told == [UpdateConsumerOffset("g", "T", 0, 11, lo=False), UpdateConsumerOffset("h", "T", 0, 3, lo=False)]
    assert scene.table.queues("g", "T") == {0: 11, 1: 5}
    # An operator's way back counts, whenever this broker was killed after it told.
    scene.master.offsets.commit("g", "T", 0, 6)
    scene.restart()
    scene.sync()
    assert scene.told() == []
    assert scene.table.query("g", "T", 0) == 6


def test_marks_that_are_left_survive_another_restart() -> None:
    scene = Scene()
    scene.table.commit("g", "T", 0, 9)
    scene.table.commit("g", "T", 1, 8)
    scene.table.save(1)
    scene.restart()
    scene.master.offsets.commit("g", "T", 0, 20)
    scene.master.timeout(UpdateConsumerOffset)
    with pytest.raises(CallTimeoutError):
        scene.sync()
    scene.restart()
    assert scene.table.local == {("g", "T", 1): -1}
    scene.master.failures.clear()
    scene.sync()
    assert scene.master.offsets.queues("g", "T") == {0: 20, 1: 8}
    scene.table.save(2)
    written = scene.files.files["m"]
    assert b"T@g" not in written
    scene.table.save(3)
    scene.master.offsets.commit("g", "T", 1, 9)
    scene.sync()
    scene.table.save(4)
    assert scene.files.files["m"] is written


class KilledError(Exception):
    pass


class FilesUntilKilled(MemoryFiles):
    """`left` more files are replaced, then the process is gone."""

    left = 1 << 30

    def replace(self, path: str, content: bytes, *, private: bool = False) -> None:
        if not self.left:
            raise KilledError
        self.left -= 1
        super().replace(path, content, private=private)


@pytest.mark.parametrize("left", [0, 1, 2])
def test_a_kill_between_both_files_costs_no_mark(left: int) -> None:
    scene = Scene()
    files = scene.files = FilesUntilKilled()
    scene.table = scene.made()
    scene.table.commit("g", "T", 0, 9)
    scene.table.save(1)
    scene.table.commit("g", "T", 0, 11)
    scene.table.commit("g", "U", 0, 4)
    files.left = left
    with suppress(KilledError):
        scene.table.save(2)
    files.left = 1 << 30
    scene.restart()
    assert scene.table.query("g", "T", 0) == (9 if left == 0 else 11)
    assert scene.table.topics_of("g") == (["T"] if left == 0 else ["T", "U"])
    scene.restart()
    scene.table.save(3)
    scene.restart()
    scene.sync()
    assert scene.master.offsets.query("g", "T", 0) == (9 if left == 0 else 11)
    assert scene.master.offsets.query("g", "U", 0) == (-1 if left == 0 else 4)


def test_a_disk_that_refuses_loses_no_mark() -> None:
    scene = Scene()
    scene.table.commit("g", "T", 0, 9)
    scene.table.save(1)
    scene.table.commit("g", "T", 0, 11)
    scene.files.refuse = OSError("full")
    with pytest.raises(OSError, match="full"):
        scene.table.save(2)
    scene.files.refuse = None
    scene.restart()
    assert (scene.table.query("g", "T", 0), scene.table.local) == (9, {("g", "T", 0): -1})
    scene.files.refuse = OSError("full")
    with pytest.raises(OSError, match="full"):
        scene.sync()
    assert scene.master.offsets.query("g", "T", 0) == 9
    scene.files.refuse = None
    scene.sync()
    scene.restart()
    assert scene.table.local == {}


@pytest.mark.parametrize("offset", [2, 12])
def test_marks_do_not_count_when_another_broker_has_written_offsets(offset: int) -> None:
    """Ours as a master, or Apache's, which need not change the version."""
    scene = Scene()
    scene.table.commit("g", "T", 0, 9)
    scene.table.save(1)
    other = OffsetTable(settings_of(), ConfigFile("o", scene.files))
    other.load()
    other.commit("g", "T", 0, offset)
    other.save(2)
    scene.restart()
    assert scene.table.local == {}
    scene.files.files["o"] = (
        scene.files.files["o"].replace(b'"counter":2', b'"counter":1').replace(b'"timestamp":2', b'"timestamp":1')
    )
    scene.restart()
    assert scene.table.version == DataVersion(0, 1, 1)
    assert scene.table.local == {}


def test_a_master_drops_the_marks_of_a_former_slave() -> None:
    scene = Scene()
    OffsetMarks(ConfigFile("m", scene.files)).drop()
    assert scene.files.files == {}
    scene.table.commit("g", "T", 0, 9)
    scene.table.save(1)
    OffsetMarks(ConfigFile("m", scene.files)).drop()
    scene.restart()
    assert (scene.table.query("g", "T", 0), scene.table.local) == (9, {})
    scene.files.files["m"] = b"{"
    with pytest.raises(ConfigFileError):
        scene.restart()
    OffsetMarks(ConfigFile("m", scene.files)).drop()
    scene.restart()
    scene.table.commit("g", "T", 0, 10)
    scene.table.save(2)
    scene.files.refuse = OSError("full")
    OffsetMarks(ConfigFile("m", scene.files)).drop()


@pytest.mark.parametrize(("theirs", "told"), [(None, False), (4, False), (5, True), (7, True), (9, False)])
def test_after_a_restart_a_reset_at_the_master_stands(theirs: int | None, told: bool) -> None:
    """Where the master is before what it had, somebody has reset it while nobody here could see."""
    scene = Scene()
    scene.go_on(1)
    scene.restart()
    scene.master.offsets.forget_group("g")
    if theirs is not None:
        scene.master.offsets.commit("g", "T", 0, theirs)
    scene.sync()
    assert scene.master.offsets.query("g", "T", 0) == (9 if told else -1 if theirs is None else theirs)
    assert scene.table.local == {}


def test_what_is_committed_after_a_restart_counts_as_ever() -> None:
    scene = Scene()
    scene.go_on(1)
    scene.restart()
    scene.table.commit("g", "T", 0, 10)
    scene.master.offsets.commit("g", "T", 0, 4)
    scene.sync()
    assert scene.master.offsets.query("g", "T", 0) == 10


def test_the_files() -> None:
    scene = Scene()
    scene.go_on(7)
    assert scene.files.files["m"].decode() == MARKS
    plain = OffsetTable(settings_of(), ConfigFile("o", MemoryFiles({"o": scene.files.files["o"]})))
    plain.load()
    assert (plain.query("g", "T", 0), plain.version) == (9, DataVersion(0, 1, 7))
    assert sorted(loads(scene.files.files["o"])) == ["dataVersion", "groupTopicMap", "offsetTable"]
