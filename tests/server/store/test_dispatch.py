"""Queues are made fit for the units that come next."""

from pathlib import Path

import pytest

from rmq.server.store.api import StoreOptions
from rmq.server.store.dispatch import QueueFiller
from rmq.server.store.queues import Queues
from tests.kit.stores import SMALL, FaultyEnv

ROWS = [(number * 100, 100, number % 2) for number in range(200)]


class World:
    """Queues with files of 50 units, and their filler."""

    def __init__(self, path: Path) -> None:
        self.queues = Queues(StoreOptions(str(path), **SMALL), FaultyEnv())
        self.filler = QueueFiller(self.queues)

    def put(self, first: int, last: int, offset: int | None = None) -> None:
        """Puts rows into queue 0 of topic T, from a queue offset on that is theirs unless told."""
        for number in range(first, last):
            queue = self.filler.queue_of(b"T", 0)
            assert queue is not None
            self.filler.make_ready(queue, number if offset is None else offset + number - first).put(*ROWS[number])

    def units(self) -> list[tuple[int, int, int] | None]:
        queue = self.queues.topics["T"].queues[0]
        return [queue.unit(offset) for offset in range(queue.first, queue.next)]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_queue_is_opened_when_it_gets_its_first_unit(world: World) -> None:
    assert world.filler.names == {}
    world.put(0, 3)
    assert (world.filler.names, list(world.queues.topics)) == ({b"T": "T"}, ["T"])
    assert world.filler.queue_of(b"T", 0) is world.queues.topics["T"].queues[0]
    assert world.units() == ROWS[:3]


def test_files_follow_each_other(world: World) -> None:
    world.put(0, 50)
    queue = world.queues.topics["T"].queues[0]
    assert (queue.next, queue.limit, len(queue.segments.files)) == (50, 50, 1)
    world.put(50, 155)
    assert world.units() == ROWS[:155]
    assert (queue.next, queue.max_physical, len(queue.segments.files)) == (155, 15_500, 4)


def test_a_file_that_is_not_mapped_is_mapped(world: World) -> None:
    world.put(0, 3)
    queue = world.queues.topics["T"].queues[0]
    assert queue.active is not None
    queue.active.unmap()
    assert world.filler.make_ready(queue, 3) is queue
    assert queue.active.map is not None
    world.put(3, 5)
    assert world.units() == ROWS[:5]


def test_what_lacks_is_blank_and_told_of(world: World) -> None:
    world.put(0, 2)
    world.put(5, 6)
    blank = world.units()[2]
    assert world.units() == [*ROWS[:2], blank, blank, blank, ROWS[5]]
    assert world.filler.problems == [
        f"messages 2 to 4 of {world.queues.topics['T'].queues[0].segments.directory} are not in the log"
    ]


def test_an_offset_that_was_given_out_begins_the_queue_again(world: World) -> None:
    world.put(0, 60)
    world.put(60, 63, offset=1)
    queue = world.queues.topics["T"].queues[0]
    assert (queue.minimum, queue.next, world.filler.restarts) == (1, 4, 1)
    assert world.units()[1:] == ROWS[60:63]


@pytest.mark.parametrize("name", [b"../up", b"a\0b", b".", b"\xff"])
def test_a_name_that_can_be_no_directory_has_no_queue_and_is_told_of_once(world: World, name: bytes) -> None:
    for queue_id in (0, 0, 1):
        assert world.filler.queue_of(name, queue_id) is None
    assert world.filler.problems == [f"messages of a topic called {name!r} are left out of the queues"]
    assert (world.filler.names, list(world.queues.topics)) == ({name: ""}, [])
