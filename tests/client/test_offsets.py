"""Offsets in memory, at brokers and in files."""

from pathlib import Path

import pytest
from twisted.internet.defer import Deferred

from rmq.client.offsets import LocalOffsets, Offsets, RemoteOffsets, local_offsets_path
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.errors import SystemBusyError
from rmq.wire.requests.offset import QueryConsumerOffset, UpdateConsumerOffset
from tests.kit.cluster import MemoryCluster

Q0, Q1 = MessageQueue("T", "broker-a", 0), MessageQueue("T", "broker-a", 1)


def now(result: object) -> object:
    """What a coroutine that need not wait returns."""
    outcome: list[object] = []
    Deferred.fromCoroutine(result).addBoth(outcome.append)  # type: ignore[arg-type]
    return outcome[0]


def test_in_memory() -> None:
    offsets = Offsets()
    offsets.update(Q0, 10)
    offsets.update(Q0, 5, increase_only=True)
    assert offsets.get(Q0) == 10
    offsets.update(Q0, 5)
    assert offsets.get(Q0) == 5
    offsets.update(Q1, 7, increase_only=True)
    assert offsets.snapshot("T") == {Q0: 5, Q1: 7}
    assert offsets.snapshot("U") == {}
    offsets.forget(Q0)
    assert offsets.get(Q0) is None


def remote() -> tuple[MemoryCluster, RemoteOffsets]:
    cluster = MemoryCluster()
    cluster.create("T")
    instance = cluster.instance()
    now(instance.refresh_routes())
    instance.routes.refresh("T")
    return cluster, RemoteOffsets(instance, "G")


def test_remote_offsets() -> None:
    cluster, offsets = remote()
    assert now(offsets.read(Q0)) is None
    offsets.update(Q0, 42)
    now(offsets.persist([Q0, Q1]))
    assert cluster.offsets == {("G", Q0): 42}
    assert cluster.calls[-1].timeout is None
    assert now(offsets.read(Q0)) == 42
    assert cluster.asked(QueryConsumerOffset)[0] == QueryConsumerOffset("G", "T", 0)
    offsets.update(Q1, 3)
    now(offsets.persist([Q1], confirmed=True))
    assert (cluster.calls[-1].header, cluster.calls[-1].timeout) == (UpdateConsumerOffset("G", "T", 1, 3), 5.0)


def test_remote_offsets_that_cannot_be_committed_are_kept() -> None:
    cluster, offsets = remote()
    offsets.update(Q0, 42)
    cluster.failures[UpdateConsumerOffset] = SystemBusyError("busy")
    now(offsets.persist([Q0], confirmed=True))
    assert cluster.offsets == {}
    cluster.failures.clear()
    now(offsets.persist([Q0], confirmed=True))
    assert cluster.offsets == {("G", Q0): 42}


# What Apache's client writes for these two offsets.
WRITTEN = """{
\t"offsetTable":{
\t\t{
\t\t\t"brokerName":"broker-a",
\t\t\t"queueId":1,
\t\t\t"topic":"T"
\t\t}:4,
\t\t{
\t\t\t"brokerName":"broker-a",
\t\t\t"queueId":0,
\t\t\t"topic":"T"
\t\t}:3
\t}
}"""


def test_file_is_apaches(tmp_path: Path) -> None:
    path = local_offsets_path(tmp_path, "10.1.1.1@DEFAULT", "G")
    assert path == tmp_path / "10.1.1.1@DEFAULT" / "G" / "offsets.json"
    offsets = LocalOffsets(path)
    offsets.update(Q1, 4)
    offsets.update(Q0, 3)
    now(offsets.persist([Q1, Q0]))
    assert path.read_text() == WRITTEN
    again = LocalOffsets(path)
    assert (now(again.read(Q0)), now(again.read(Q1))) == (3, 4)
    assert now(again.read(MessageQueue("T", "broker-a", 2))) is None


def test_home_directory_is_the_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert local_offsets_path(None, "c", "g") == tmp_path / ".rocketmq_offsets" / "c" / "g" / "offsets.json"


def test_file_keeps_what_is_not_in_work_and_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "offsets.json"
    path.write_text(WRITTEN)
    offsets = LocalOffsets(path)
    offsets.update(Q0, 9)
    offsets.update(Q1, 9)
    now(offsets.persist([Q0]))
    assert (tmp_path / "offsets.json.bak").read_text() == WRITTEN
    again = LocalOffsets(path)
    assert (now(again.read(Q0)), now(again.read(Q1))) == (9, 4)


@pytest.mark.parametrize("damage", ["", "{", '{"offsetTable":3}'])
def test_damaged_file_gives_way_to_the_one_before(tmp_path: Path, damage: str) -> None:
    (tmp_path / "offsets.json").write_text(damage)
    offsets = LocalOffsets(tmp_path / "offsets.json")
    assert now(offsets.read(Q0)) is None
    (tmp_path / "offsets.json.bak").write_text(WRITTEN)
    assert now(offsets.read(Q0)) == 3


def test_directory_that_cannot_be_written_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    offsets = LocalOffsets(tmp_path / "file" / "offsets.json")
    offsets.update(Q0, 1)
    assert now(offsets.persist([Q0])) is None
    assert offsets.get(Q0) == 1
