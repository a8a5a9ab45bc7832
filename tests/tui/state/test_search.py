"""A search takes its own batches while it runs, and no others."""

from rmq.tui.service.model import Batch, Problem
from rmq.tui.service.query import Query, QueueRange
from rmq.tui.state.search import Search, Stage
from tests.kit.tui.messages import stored


def test_batches_add_up() -> None:
    search = Search("Orders", Query("Orders"), 3, 0)
    assert search.take(3, Batch((stored(1),), 10, 40, ("note",)))
    assert search.take(3, Batch((stored(1), stored(2)), 40, 40, (), (Problem("no"),), True))
    assert list(search.found.values()) == [stored(1), stored(2)]
    assert (search.scanned, search.total, search.notes, search.problems) == (40, 40, ["note"], [Problem("no")])
    assert search.stage is Stage.DONE
    assert not search.stop()


def test_what_comes_too_late() -> None:
    search = Search("Orders", Query("Orders"), 3, 0)
    assert not search.take(2, Batch((stored(1),), 10, 40))
    assert search.stop()
    assert not search.take(3, Batch((stored(1),), 10, 40))
    assert (search.found, search.stage) == ({}, Stage.STOPPED)


def test_the_direction() -> None:
    assert Search("", Query("Orders", queue=QueueRange("a", 1, 5)), 1, 0).forward
    assert not Search("", Query("Orders", queue=QueueRange("a", 1)), 1, 0).forward
