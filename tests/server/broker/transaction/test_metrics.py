"""Numbers of pending half messages, in Apache's file."""

import pytest

from rmq.server.broker.meta.config_file import ConfigFile, ConfigFileError
from rmq.server.broker.transaction import metrics as metrics_module
from rmq.server.broker.transaction.metrics import Metric, TransactionMetrics
from rmq.wire.bodies.version import DataVersion
from tests.kit.memory_files import MemoryFiles

APACHES = (
    b'{"dataVersion":{"counter":22,"stateVersion":0,"timestamp":1795272355313},'
    b'"transactionCount":{"TT":{"count":-10,"timeStamp":1795272355313}}}'
)


def metrics(files: MemoryFiles) -> TransactionMetrics:
    made = TransactionMetrics(ConfigFile("m", files), lambda: 5000)
    made.load()
    return made


def test_apaches_file_is_read_and_written() -> None:
    files = MemoryFiles({"m": APACHES})
    counts = metrics(files)
    assert (counts.counts, counts.version) == ({"TT": Metric(-10, 1795272355313)}, DataVersion(0, 22, 1795272355313))
    counts.add("TT", 1)
    counts.save()
    assert files.files["m"] == (
        b'{"dataVersion":{"counter":23,"stateVersion":0,"timestamp":5000},'
        b'"transactionCount":{"TT":{"count":-9,"timeStamp":5000}}}'
    )


def test_nothing_is_written_without_a_change() -> None:
    files = MemoryFiles()
    counts = metrics(files)
    counts.save()
    assert files.files == {}
    counts.add("T", 1)
    counts.save()
    files.files.clear()
    counts.save()
    assert files.files == {}


def test_a_disk_that_refuses_is_tried_again() -> None:
    files = MemoryFiles()
    counts = metrics(files)
    counts.add("T", 2)
    files.refuse = OSError("full")
    counts.save()
    files.refuse = None
    counts.save()
    assert metrics(files).counts == {"T": Metric(2, 5000)}


def test_topics_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_module, "MOST_TOPICS", 1)
    counts = metrics(MemoryFiles())
    counts.add("T", 1)
    counts.add("U", 1)
    counts.add("T", 1)
    assert counts.counts == {"T": Metric(2, 5000)}


def test_a_damaged_file_stops_the_start() -> None:
    with pytest.raises(ConfigFileError):
        metrics(MemoryFiles({"m": b"{"}))
