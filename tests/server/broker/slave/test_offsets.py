"""Offsets on a slave: the master's, with what was committed here and is not told yet."""

from typing import Any

import pytest
from twisted.internet.defer import Deferred

from rmq.remoting.errors import CallTimeoutError
from rmq.server.broker.meta.config_file import ConfigFile
from rmq.server.broker.slave.offsets import SlaveOffsets, sync_offsets
from rmq.wire.codes import ResponseCode
from rmq.wire.errors import error_for
from rmq.wire.requests.offset import GetAllConsumerOffset, UpdateConsumerOffset
from tests.kit.broker import settings_of
from tests.kit.memory_files import MemoryFiles
from tests.kit.slavemaster import SlaveMaster


class Scene:
    """A slave's table beside its master; queues end at 100 unless `ends` says otherwise."""

    def __init__(self) -> None:
        self.master = SlaveMaster()
        self.files = MemoryFiles()
        self.table = SlaveOffsets(settings_of(), ConfigFile("o", self.files))
        self.ends: dict[tuple[str, int], int] = {}

    def sync(self) -> None:
        over: list[Any] = []
        ends = self.ends
        work = sync_offsets(self.master, self.table, lambda topic, queue_id: ends.get((topic, queue_id), 100))
        Deferred.fromCoroutine(work).addBoth(over.append)
        (result,) = over
        if result is not None:
            result.raiseException()

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
    assert scene.table.local == set()


def test_what_the_master_could_not_be_told_stays_marked() -> None:
    scene = Scene()
    scene.master.offsets.commit("g", "T", 0, 5)
    scene.table.commit("g", "T", 0, 9)
    scene.master.timeout(UpdateConsumerOffset)
    with pytest.raises(CallTimeoutError):
        scene.sync()
    assert scene.table.query("g", "T", 0) == 9
    assert scene.table.local == {("g", "T", 0)}
    scene.master.failures.clear()
    scene.sync()
    assert scene.master.offsets.query("g", "T", 0) == 9
    assert scene.table.local == set()


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
    assert scene.table.local == set()
    scene.master.failures.clear()
    scene.sync()
    assert scene.table.queues("g", "T") == {}


def test_what_is_committed_while_the_master_is_told_stays() -> None:
    scene = Scene()
    scene.table.commit("g", "T", 0, 9)
    scene.master.meanwhile[UpdateConsumerOffset] = lambda: scene.table.commit("g", "T", 0, 11)
    scene.sync()
    assert scene.table.query("g", "T", 0) == 11
    assert scene.table.local == {("g", "T", 0)}
    scene.master.meanwhile.clear()
    scene.sync()
    assert scene.master.offsets.query("g", "T", 0) == 11


def test_a_mark_without_an_offset_is_nothing() -> None:
    scene = Scene()
    scene.table.commit("g", "T", 0, 9)
    scene.table.forget_topic("T")
    scene.sync()
    assert scene.told() == []
    assert scene.table.local == set()
    assert scene.table.groups() == set()


def test_a_file_loads_without_marks() -> None:
    scene = Scene()
    scene.table.commit("g", "T", 0, 9)
    scene.table.save(1)
    again = SlaveOffsets(settings_of(), ConfigFile("o", scene.files))
    again.load()
    assert again.query("g", "T", 0) == 9
    assert again.local == set()
