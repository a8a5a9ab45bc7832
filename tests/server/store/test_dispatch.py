"""Units go into their queues, the same each way that the loops can take."""

import errno
from pathlib import Path

import pytest

from rmq.server.store.api import StoreOptions
from rmq.server.store.consumequeue import UNIT
from rmq.server.store.dispatch import Put, QueueFiller
from rmq.server.store.queues import Queues
from rmq.server.store.runs import Parts
from tests.kit.stores import SMALL, FaultyEnv

pytestmark = pytest.mark.usefixtures("loops")


class World:
    """Queues with files of 50 units, and their filler."""

    def __init__(self, path: Path) -> None:
        self.env = FaultyEnv()
        self.queues = Queues(StoreOptions(str(path), **SMALL), self.env)
        self.filler = QueueFiller(self.queues)

    def part(self, topic: bytes, queue_id: int, first: int, count: int, physical: int = 0) -> Parts:
        units = b"".join(UNIT.pack(physical + number * 100, 100, number % 2) for number in range(count))
        return {(topic, queue_id): (first, bytearray(units), {0, 1} if count > 1 else {0})}

    def put(self, parts: Parts) -> list[Put]:
        for topic, queue_id in self.filler.unready(parts):
            queue = self.filler.queue_of(topic, queue_id)
            if queue is not None:
                first, units, _ = parts[topic, queue_id]
                self.filler.make_ready(queue, first, len(units) // UNIT.size)
        done: list[Put] = []
        self.filler.put(parts, done)
        return done

    def units(self, topic: str, queue_id: int) -> list[tuple[int, int, int] | None]:
        queue = self.queues.topics[topic].queues[queue_id]
        return [queue.unit(offset) for offset in range(queue.first, queue.next)]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def expected(count: int, physical: int = 0) -> list[tuple[int, int, int]]:
    return [(physical + number * 100, 100, number % 2) for number in range(count)]


def test_what_is_not_known_is_not_ready(world: World) -> None:
    parts = world.part(b"T", 0, 0, 3) | world.part(b"T", 1, 0, 1)
    assert world.filler.unready(parts) == [(b"T", 0), (b"T", 1)]
    done = world.put(parts)
    first, second = (world.queues.topics["T"].queues[queue_id] for queue_id in (0, 1))
    assert done == [(first, 0, -1, {0, 1}), (second, 0, -1, {0})]
    assert (first.next, first.max_physical, second.next, second.max_physical) == (3, 300, 1, 100)
    assert (world.units("T", 0), world.units("T", 1)) == (expected(3), expected(1))


def test_units_that_follow_are_ready_until_there_is_no_room(world: World) -> None:
    world.put(world.part(b"T", 0, 0, 40))
    queue = world.queues.topics["T"].queues[0]
    more = world.part(b"T", 0, 40, 5, 4000)
    assert world.filler.unready(more) == []
    assert world.put(more) == [(queue, 40, 4000, {0, 1})]
    over = world.part(b"T", 0, 45, 110, 4500)
    assert world.filler.unready(over) == [(b"T", 0)]
    assert world.put(over) == [(queue, 45, 4500, {0, 1})]
    assert world.units("T", 0) == expected(40) + expected(5, 4000) + expected(110, 4500)
    assert (queue.next, queue.max_physical, len(queue.segments.files)) == (155, 15_500, 4)


def test_a_file_that_is_filled_to_its_end(world: World) -> None:
    world.put(world.part(b"T", 0, 0, 50))
    queue = world.queues.topics["T"].queues[0]
    assert (queue.next, queue.limit) == (50, 50)
    world.put(world.part(b"T", 0, 50, 1, 5000))
    assert world.units("T", 0) == expected(50) + expected(1, 5000)


@pytest.mark.parametrize("first", [1, 5])
def test_what_does_not_follow_is_not_ready(world: World, first: int) -> None:
    world.put(world.part(b"T", 0, 0, 3))
    assert world.filler.unready(world.part(b"T", 0, first, 1, 300)) == [(b"T", 0)]


def test_a_file_that_is_not_mapped_is_mapped(world: World) -> None:
    world.put(world.part(b"T", 0, 0, 3))
    queue = world.queues.topics["T"].queues[0]
    assert queue.active is not None
    queue.active.unmap()
    more = world.part(b"T", 0, 3, 2, 300)
    assert world.filler.unready(more) == [(b"T", 0)]
    world.filler.make_ready(queue, 3, 2)
    assert world.filler.unready(more) == []
    world.put(more)
    assert world.units("T", 0) == expected(3) + expected(2, 300)


def test_a_name_that_can_be_no_directory_is_passed_over(world: World) -> None:
    parts = world.part(b"../up", 0, 0, 1) | world.part(b"T", 0, 0, 1)
    assert [put[0].topic for put in world.put(parts)] == ["T"]
    assert world.filler.problems == ["messages of a topic called b'../up' are left out of the queues"]
    assert list(world.queues.topics) == ["T"]


def test_what_failed_is_taken_back(world: World) -> None:
    world.put(world.part(b"T", 0, 0, 3) | world.part(b"T", 1, 0, 49))
    parts = world.part(b"T", 0, 3, 2, 300) | world.part(b"T", 1, 49, 1, 5000)
    second = world.queues.topics["T"].queues[1]
    assert second.active is not None
    second.active.unmap()
    world.env.fail = {"map_file": (0, errno.ENOMEM)}
    done: list[Put] = []
    with pytest.raises(OSError, match="ENOMEM"):
        world.filler.put(parts, done)
    world.filler.take_back(done)
    world.env.fail = {}
    assert (world.units("T", 0), world.units("T", 1)) == (expected(3), expected(49))
    first = world.queues.topics["T"].queues[0]
    assert (first.max_physical, second.max_physical) == (300, 4900)
    world.put(parts)
    assert world.units("T", 1) == expected(49) + expected(1, 5000)
