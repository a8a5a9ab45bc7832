"""Blank units in the middle of a queue: they have no place in the log, so that no search may go by them."""

from pathlib import Path

import pytest

from rmq.server.store.consumequeue import ConsumeQueue
from rmq.server.store.env import Env
from rmq.server.store.segment import MapCache

SIZE = 100


def queue_of(root: Path, layout: str) -> ConsumeQueue:
    """A queue of ten units a file: `m` is a message of `SIZE` bytes, one behind the other in the log; `.` is blank."""
    queue = ConsumeQueue(Env(), MapCache(100), str(root), 200, "T", 0)
    physical = 0
    for place, kind in enumerate(layout):
        if kind == "m":
            queue.fill_blank(place)
            queue.make_room(1)
            queue.put(physical, SIZE, 0)
            physical += SIZE
    return queue


LAYOUTS = ["m" * 35, "mmm" + "." * 20 + "mm", "mmmmm.mmmm" * 3, "....mm..mm", "m" + "." * 30 + "m" * 9, "." * 25 + "m"]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_minimum_is_the_first_message_in_the_log(tmp_path: Path, layout: str) -> None:
    queue = queue_of(tmp_path, layout)
    messages = [place for place, kind in enumerate(layout) if kind == "m"]
    for number, place in enumerate([*messages, len(layout)]):
        queue.minimum = 0
        queue.correct_minimum(number * SIZE)
        assert queue.minimum == place


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_is_behind_an_end_goes(tmp_path: Path, layout: str) -> None:
    messages = [place for place, kind in enumerate(layout) if kind == "m"]
    for number in range(len(messages)):
        queue = queue_of(tmp_path / str(number), layout)
        assert queue.truncate(number * SIZE)
        assert queue.next == (messages[number - 1] + 1 if number else queue.first)
        kept = [queue.unit(offset) for offset in range(queue.first, queue.next)]
        assert [unit[0] for unit in kept if unit is not None and unit[1] == SIZE] == [n * SIZE for n in range(number)]
        assert not queue.truncate(number * SIZE)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_only_what_was_on_the_disk_is_trusted(tmp_path: Path, layout: str) -> None:
    queue = queue_of(tmp_path, layout)
    messages = [place for place, kind in enumerate(layout) if kind == "m"]
    for number in range(len(messages)):
        queue.trust(number * SIZE)
        assert queue.synced == (messages[number - 1] + 1 if number else queue.first)
        assert [segment.listed for segment in queue.segments.files] == [
            segment.start < queue.synced * 20 for segment in queue.segments.files
        ]
    queue.trust(len(messages) * SIZE)
    assert queue.synced == queue.next


def test_what_was_erased_goes_to_the_disk_again(tmp_path: Path) -> None:
    queue = queue_of(tmp_path, "m" * 35)
    queue.trust(35 * SIZE)
    assert queue.synced == queue.next == 35
    queue.truncate(23 * SIZE)
    assert (queue.synced, queue.next) == (22, 23)
    assert [segment.start for segment in queue.unsynced()] == [400]
