"""Which queues lack messages that the log has: only where the master has them, and before both logs part."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rmq.remoting.calls import accepted
from rmq.remoting.errors import CallTimeoutError
from rmq.server.ha.inventory import MasterQueues, missing_queues
from rmq.wire.codes import ResponseCode
from rmq.wire.command import Command
from rmq.wire.requests.topic import GetTopicStatsInfo
from tests.kit.masters import MASTER, StorePair, wait

FILE = 64 * 1024


class Pair(StorePair):
    """Two stores, and what the slave asks for its queues."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.ask = MasterQueues(self.answers, MASTER)

    def missing(self, end: int, *, whole: bool = False) -> dict[tuple[str, int], int]:
        return wait(missing_queues(self.ask, self.slave.store, end, whole=whole))

    def first(self, topic: str, queue: int) -> int:
        return self.master.store.queue_units(topic, queue, 0, 1)[0][0]


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    pair = Pair(tmp_path)
    yield pair
    pair.close()


@pytest.mark.parametrize("page", [1, 2, 3, 2000])
def test_all_topics_however_many_come_at_a_time(pair: Pair, page: int) -> None:
    pair.answers.page = page
    assert wait(pair.ask.topics()) == set()
    pair.answers.topics = ["A", "B", "C"]
    pair.master.fill(2)
    assert wait(pair.ask.topics()) == {"A", "B", "C", "T"}


def test_topics_that_change_while_they_are_asked_for(pair: Pair) -> None:
    pair.answers.page, pair.answers.topics = 2, ["B", "C", "D"]
    original = pair.answers.call

    async def call(address: str, header: Any, *args: Any, **options: Any) -> Any:
        answer = await original(address, header, *args, **options)
        pair.answers.topics = ["A", "B", "C", "E", "F"]
        return answer

    pair.answers.call = call  # type: ignore[method-assign]
    assert wait(pair.ask.topics()) == {"A", "B", "C", "E", "F"}


def test_where_the_queues_of_a_topic_begin(pair: Pair) -> None:
    assert wait(pair.ask.oldest("T")) == {}
    results = pair.master.fill(1000)
    assert wait(pair.ask.oldest("T")) == {0: results[0].physical_offset, 1: results[1].physical_offset}
    pair.master.close()
    (pair.master.root / "commitlog" / "0".zfill(20)).unlink()
    pair.master.open()
    pair.answers.store = pair.master.store
    assert min(wait(pair.ask.oldest("T")).values()) == next(
        result.physical_offset for result in results if result.physical_offset >= FILE
    )
    pair.answers.refuses = CallTimeoutError(MASTER, 3.0)
    with pytest.raises(CallTimeoutError):
        wait(pair.ask.oldest("T"))


def test_a_topic_that_the_master_does_not_know(pair: Pair) -> None:
    async def call(address: str, header: Any, *args: Any, **options: Any) -> Any:
        raise_for = GetTopicStatsInfo("T")
        assert header == raise_for
        return accepted(header, Command(ResponseCode.TOPIC_NOT_EXIST, {}, b""), address, options["accept"])

    pair.answers.call = call  # type: ignore[method-assign]
    assert wait(pair.ask.oldest("T")) == {}


def test_queues_that_a_cut_empties(pair: Pair) -> None:
    pair.both(6)
    end = pair.both(3, "Kept")
    pair.slave.store.destroy_topic("T")
    pair.slave.fill(1)
    for topic in ("Kept", "New"):
        pair.slave.fill(4, topic)
    # The second queue of T has nothing yet; it belongs to the topic nevertheless.
    assert pair.missing(end) == {("T", queue): pair.first("T", queue) for queue in range(2)}
    assert pair.answers.asked_of == ["New", "T"]
    assert pair.missing(pair.slave.store.log_max_offset) == {}
    # A master that has deleted the topic too begins later.
    pair.master.store.destroy_topic("T")
    assert pair.missing(end) == {}
    pair.master.fill(2)
    assert pair.missing(end) == {}


def test_topics_that_are_not_here_at_all(pair: Pair) -> None:
    pair.both(6)
    end = pair.both(3, "Kept")
    pair.slave.store.destroy_topic("T")
    pair.answers.topics = ["Unused"]
    assert pair.missing(end) == {}
    assert pair.answers.asked_of == []
    assert pair.missing(end, whole=True) == {("T", queue): pair.first("T", queue) for queue in range(2)}
    assert pair.answers.asked_of == ["", "T", "Unused"]
    pair.master.fill(3, "Later")
    assert ("Later", 0) not in pair.missing(end, whole=True)


def test_an_empty_slave_lacks_nothing(pair: Pair) -> None:
    pair.master.fill(6)
    assert pair.missing(0, whole=True) == {}
    assert pair.answers.asked_of == []
