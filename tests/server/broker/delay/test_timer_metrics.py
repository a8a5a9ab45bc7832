"""How many wait, by topic."""

import pytest

from rmq.server.broker.delay.timer_metrics import TimerCounts
from rmq.server.broker.meta.config_file import ConfigFile, ConfigFileError
from tests.kit.memory_files import MemoryFiles

# As Apache's broker writes it.
FILE = (
    b'{"dataVersion":{"counter":15,"stateVersion":0,"timestamp":1795272218076},'
    b'"timingCount":{"T":{"count":-1,"timeStamp":1795272218076},"U":{"count":7,"timeStamp":1795272216060}}}'
)


def loaded(files: MemoryFiles) -> TimerCounts:
    counts = TimerCounts(ConfigFile("timermetrics", files))
    counts.load()
    return counts


def test_the_file_is_apaches() -> None:
    files = MemoryFiles({"timermetrics": FILE})
    counts = loaded(files)
    counts.save()
    assert files.files["timermetrics"] is FILE
    counts.add("U", 3, 1795272216060)
    counts.add("U", -3, 1795272216060)
    counts.add("V", 1, 1795272218080)
    counts.save()
    assert files.files["timermetrics"] == FILE.replace(b'"counter":15', b'"counter":18').replace(
        b"1795272218076},", b"1795272218080},", 1
    ).replace(b"6060}}}", b'6060},"V":{"count":1,"timeStamp":1795272218080}}}')


def test_a_full_disk_is_tried_again() -> None:
    files = MemoryFiles()
    counts = loaded(files)
    counts.add("T", 1, 5)
    files.refuse = OSError("full")
    counts.save()
    files.refuse = None
    counts.save()
    assert b'"T":{"count":1' in files.files["timermetrics"]


def test_a_damaged_file_stops_the_start() -> None:
    with pytest.raises(ConfigFileError):
        loaded(MemoryFiles({"timermetrics": b"{"}))


def test_another_brokers_counts_in_place_of_the_own() -> None:
    files = MemoryFiles()
    counts = loaded(files)
    counts.add("OLD", 1, 5)
    counts.assign(loaded(MemoryFiles({"timermetrics": FILE})).metrics)
    counts.save()
    assert files.files["timermetrics"] == FILE
    written = files.files["timermetrics"]
    counts.assign(loaded(MemoryFiles({"timermetrics": FILE})).metrics)
    counts.save()
    assert files.files["timermetrics"] is written
