"""Marks on the disk: they count with the one save of consumerOffset.json that they belong to."""

import pytest

from rmq.server.broker.meta.config_file import ConfigFile
from rmq.server.broker.slave.marks import Marked, OffsetMarks
from rmq.wire.bodies.version import DataVersion
from tests.kit.memory_files import MemoryFiles

FORMER, VERSION = DataVersion(0, 4, 100), DataVersion(0, 5, 200)
MARKS = {("g", "T", 0): Marked(9, 5), ("g", "T", 3): Marked(2, -1), ("%RETRY%g", "U", 1): Marked(7, 0)}


def made(files: MemoryFiles) -> OffsetMarks:
    return OffsetMarks(ConfigFile("m", files))


@pytest.mark.parametrize(
    ("version", "found", "newer"),
    [
        (VERSION, MARKS, False),
        (FORMER, MARKS, True),
        (DataVersion(0, 6, 300), {}, False),
        (DataVersion(0, 5, 201), {}, False),
        (DataVersion(), {}, False),
    ],
)
def test_marks_go_with_two_versions(
    version: DataVersion, found: dict[tuple[str, str, int], Marked], newer: bool
) -> None:
    files = MemoryFiles()
    made(files).save(MARKS, FORMER, VERSION)
    assert made(files).load(version) == (found, newer)


def test_without_marks_there_is_no_file() -> None:
    files = MemoryFiles()
    marks = made(files)
    assert marks.load(VERSION) == ({}, False)
    marks.save({}, FORMER, VERSION)
    marks.keep_only(set())
    marks.drop()
    assert files.files == {}


def test_the_last_mark_leaves_an_empty_file_that_is_not_written_again() -> None:
    files = MemoryFiles()
    marks = made(files)
    marks.save(MARKS, FORMER, VERSION)
    marks.save({}, VERSION, DataVersion(0, 6, 300))
    written = files.files["m"]
    assert b"@" not in written
    marks.save({}, DataVersion(0, 6, 300), DataVersion(0, 7, 300))
    assert files.files["m"] is written


def test_marks_that_go_go_at_once_and_the_others_stay_as_they_were() -> None:
    files = MemoryFiles()
    marks = made(files)
    marks.save(MARKS, FORMER, VERSION)
    marks.keep_only({("g", "T", 0), ("other", "T", 0)})
    assert made(files).load(VERSION) == ({("g", "T", 0): Marked(9, 5)}, False)
    written = files.files["m"]
    marks.keep_only({("g", "T", 0)})
    assert files.files["m"] is written


def test_names_that_cannot_be_are_left_out() -> None:
    files = MemoryFiles({"m": b'{"offsetTable":{"T@g":{0:9},"T":{0:1},"T@g@h":{0:2}},"dataVersion":{"counter":1}}'})
    assert made(files).load(DataVersion(0, 1, 0)) == ({("g", "T", 0): Marked(9, -1)}, False)
