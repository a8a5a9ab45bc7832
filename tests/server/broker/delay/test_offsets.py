"""Progress of the levels in its file."""

from typing import Any

import pytest

from rmq.server.broker.delay.offsets import DelayOffsetTable
from rmq.server.broker.meta.config_file import ConfigFile, ConfigFileError
from rmq.wire.bodies.offset import DelayOffsets
from rmq.wire.bodies.version import DataVersion
from tests.kit.broker import settings_of
from tests.kit.memory_files import MemoryFiles

NOW = 1_700_000_000_000
FILE = b"""{
\t"dataVersion":{
\t\t"counter":3,
\t\t"stateVersion":0,
\t\t"timestamp":1795272211791
\t},
\t"offsetTable":{
\t\t1:2,
\t\t2:1,
\t\t18:0
\t}
}"""


class Disk:
    """What the table asks the store for."""

    def __init__(self) -> None:
        self.log_max_offset = 100
        self.flushed_offset = 50


def table(files: MemoryFiles, disk: Any = None, **settings: Any) -> DelayOffsetTable:
    made = DelayOffsetTable(settings_of(**settings), ConfigFile("f", files), disk or Disk())
    made.load(NOW)
    return made


def test_the_file_is_apaches() -> None:
    files = MemoryFiles({"f": FILE})
    made = table(files)
    assert made.offsets == {1: 2, 2: 1, 18: 0}
    assert made.to_json() == (
        b'{"dataVersion":{"counter":3,"stateVersion":0,"timestamp":1795272211791},"offsetTable":{1:2,2:1,18:0}}'
    )
    made.move(3, 7, NOW)
    made.move(3, 0, NOW)
    made.save()
    assert files.files["f"] == FILE.replace(b"2:1,", b"2:1,\n\t\t3:0,")


def test_nothing_is_written_when_nothing_moved() -> None:
    files = MemoryFiles()
    made = table(files)
    made.move(1, 0, NOW)
    made.save()
    written = files.files.pop("f")
    made.move(1, 0, NOW)
    made.note()
    made.write_noted()
    made.save()
    assert (files.files, b"1:0" in written) == ({}, True)


def test_the_version_moves_every_so_many_deliveries() -> None:
    made = table(MemoryFiles(), delayOffsetUpdateVersionStep=3)
    for offset in range(1, 8):
        made.move(1, offset, NOW + offset)
    assert made.to_json() == (
        b'{"dataVersion":{"counter":2,"stateVersion":0,"timestamp":%d},"offsetTable":{1:7}}' % (NOW + 6)
    )


def test_a_noted_state_is_written_as_it_was_when_the_log_is_on_the_disk() -> None:
    files, disk = MemoryFiles(), Disk()
    made = table(files, disk)
    made.move(1, 5, NOW)
    made.note()
    made.move(1, 6, NOW)
    disk.flushed_offset = 99
    made.write_noted()
    assert files.files == {}
    made.note()
    disk.flushed_offset = 100
    made.write_noted()
    assert b"1:5" in files.files["f"]
    made.note()
    made.write_noted()
    assert b"1:6" in files.files["f"]


def test_a_full_disk_is_tried_again() -> None:
    files = MemoryFiles()
    made = table(files)
    made.move(1, 5, NOW)
    files.refuse = OSError("full")
    made.save()
    files.refuse = None
    made.save()
    assert b"1:5" in files.files["f"]


def test_a_damaged_file_stops_the_start() -> None:
    with pytest.raises(ConfigFileError):
        table(MemoryFiles({"f": b"{"}))


def test_another_brokers_progress_waits_for_the_disk_too() -> None:
    files, disk = MemoryFiles(), Disk()
    made = table(files, disk)
    made.move(5, 1, NOW)
    made.assign(DelayOffsets(DataVersion(0, 3, 1795272211791), {1: 2, 2: 1, 18: 0}))
    assert made.offsets == {1: 2, 2: 1, 18: 0}
    assert files.files == {}
    disk.flushed_offset = 100
    made.assign(DelayOffsets(DataVersion(0, 3, 1795272211791), {1: 2, 2: 1, 18: 0}))
    assert files.files["f"] == FILE
    made.assign(DelayOffsets(None, {1: 2, 2: 1, 18: 0}))
    made.save()
    assert files.files["f"] == FILE
