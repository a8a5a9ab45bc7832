"""Long polling: who waits, who wakes, and who gives way."""

from collections.abc import Callable, Iterator

import pytest
from twisted.internet.task import Clock

from rmq.remoting.dispatch import Dispatcher
from rmq.server.delivery.hold import ParkedPull, PullHold
from rmq.wire.command import Command
from tests.kit.peer import MemoryPeer


class Scene:
    """A hold whose woken pulls are listed by their opaque."""

    def __init__(self, limit: int = 32768) -> None:
        self.clock = Clock()
        self.hold = PullHold(self.clock, limit=limit)
        self.woken: list[int] = []
        self.hold.rerun = lambda pull: self.woken.append(pull.command.opaque)

    def peer(self) -> MemoryPeer:
        return MemoryPeer(Dispatcher(()), self.clock)

    def park(
        self,
        peer: MemoryPeer,
        opaque: int,
        *,
        offset: int = 0,
        tags: frozenset[int] | None = None,
        queue: tuple[str, int] = ("T", 0),
        seconds: float = 15,
        text: str = "",
        wants: Callable[[int], bool] | None = None,
    ) -> bool:
        command = Command(11, {"subscription": text}, opaque=opaque)
        deadline = self.clock.seconds() + seconds
        return self.hold.park(ParkedPull(peer.connection, command, queue, offset, deadline, tags, wants))

    def taken(self) -> list[int]:
        woken, self.woken = self.woken, []
        return woken


@pytest.fixture
def scene() -> Iterator[Scene]:
    made = Scene()
    made.hold.start()
    yield made
    made.hold.stop()


def test_an_arrival_wakes_only_at_the_end_of_the_read_and_once(scene: Scene) -> None:
    scene.park(scene.peer(), 1)
    scene.hold.arrived("T", 0, 1, 0)
    scene.hold.arrived("T", 0, 2, 0)
    assert scene.taken() == []
    scene.hold.wake()
    assert scene.taken() == [1]
    scene.hold.wake()
    assert scene.taken() == []
    assert scene.hold.count == 0


def test_all_are_released_at_once(scene: Scene) -> None:
    peer = scene.peer()
    scene.park(peer, 1, offset=100)
    scene.park(peer, 2, queue=("T", 1), wants=lambda end: False)
    scene.park(scene.peer(), 3, queue=("U", 0))
    scene.hold.release_all()
    assert sorted(scene.taken()) == [1, 2, 3]
    assert scene.hold.count == 0
    scene.hold.release_all()
    assert scene.taken() == []


def test_other_queues_and_topics_sleep_on(scene: Scene) -> None:
    peer = scene.peer()
    scene.park(peer, 1)
    scene.park(peer, 2, queue=("T", 1))
    scene.park(peer, 3, queue=("U", 0))
    scene.hold.arrived("T", 1, 1, 0)
    scene.hold.wake()
    assert scene.taken() == [2]
    assert scene.hold.count == 2


def test_an_offset_that_is_not_reached_sleeps_on(scene: Scene) -> None:
    peer = scene.peer()
    scene.park(peer, 1, offset=5)
    scene.park(peer, 2, offset=4)
    scene.hold.arrived("T", 0, 5, 0)
    scene.hold.wake()
    assert scene.taken() == [2]


def test_a_pull_with_tags_wakes_for_one_of_them_only(scene: Scene) -> None:
    peer = scene.peer()
    scene.park(peer, 1, tags=frozenset({7, 8}))
    scene.park(peer, 2, tags=frozenset({9}))
    scene.park(peer, 3)
    scene.hold.arrived("T", 0, 1, 5)
    scene.hold.wake()
    assert scene.taken() == [3]
    scene.hold.arrived("T", 0, 2, 5)
    scene.hold.arrived("T", 0, 3, 8)
    scene.hold.arrived("T", 0, 4, 5)
    scene.hold.wake()
    assert scene.taken() == [1]
    assert scene.hold.count == 1


def test_a_pull_that_looks_for_itself_wakes_when_it_has_found(scene: Scene) -> None:
    asked: list[int] = []

    def wants(end: int) -> bool:
        asked.append(end)
        return end >= 3

    scene.park(scene.peer(), 1, wants=wants, tags=frozenset((7,)))
    for end, tag in ((1, 8), (2, 7), (3, 7)):
        scene.hold.arrived("T", 0, end, tag)
        scene.hold.wake()
    assert scene.taken() == [1]
    assert asked == [2, 3]


def test_whoever_was_passed_by_is_woken_after_five_seconds(scene: Scene) -> None:
    """It learns how far it is, and does not begin from where it was when its time is over."""
    scene.park(scene.peer(), 1, tags=frozenset((1,)))
    scene.park(scene.peer(), 2, tags=frozenset((2,)))
    scene.park(scene.peer(), 3, tags=frozenset((1,)), offset=1)
    scene.hold.arrived("T", 0, 1, 2)
    scene.hold.wake()
    assert scene.taken() == [2]
    scene.clock.pump([1] * 4)
    assert scene.taken() == []
    scene.clock.advance(1)
    assert scene.taken() == [1]


def test_time_ends_every_wait(scene: Scene) -> None:
    peer = scene.peer()
    scene.park(peer, 1, seconds=3)
    scene.park(peer, 2, seconds=5, tags=frozenset({1}))
    scene.park(peer, 3, seconds=-1)
    scene.clock.pump([1])
    assert scene.taken() == [3]
    scene.clock.pump([1, 1])
    assert scene.taken() == [1]
    scene.clock.pump([1, 1])
    assert scene.taken() == [2]
    assert scene.hold.count == 0


def test_a_topic_that_changes_wakes_all_its_pulls(scene: Scene) -> None:
    peer = scene.peer()
    scene.park(peer, 1, queue=("T", 0), tags=frozenset({1}))
    scene.park(peer, 2, queue=("T", 1), offset=99)
    scene.park(peer, 3, queue=("U", 1))
    scene.hold.notify_all("T")
    assert scene.taken() == [1, 2]


def test_waiting_ends_with_the_connection(scene: Scene) -> None:
    a, b = scene.peer(), scene.peer()
    scene.park(a, 1)
    scene.park(a, 2, queue=("T", 1))
    scene.park(b, 3)
    a.leave()
    assert scene.hold.count == 1
    scene.hold.arrived("T", 0, 1, 0)
    scene.hold.arrived("T", 1, 1, 0)
    scene.hold.wake()
    assert scene.taken() == [3]
    b.leave()
    assert scene.hold.count == 0


def test_one_watch_on_a_connection_however_often_it_parks(scene: Scene) -> None:
    peer = scene.peer()
    for opaque in range(50):
        scene.park(peer, opaque)
        scene.hold.arrived("T", 0, 1, 0)
        scene.hold.wake()
    assert len(peer.connection._closed) == 1


def test_an_arrival_nobody_waits_for_is_not_noted(scene: Scene) -> None:
    scene.hold.arrived("T", 0, 1, 0)
    scene.park(scene.peer(), 1, offset=0)
    scene.hold.wake()
    assert scene.taken() == []


def test_whoever_takes_most_places_gives_way() -> None:
    scene = Scene(limit=10)
    greedy, modest = scene.peer(), scene.peer()
    for opaque in range(8):
        assert scene.park(greedy, opaque, queue=("T", opaque % 2))
    for opaque in (100, 101):
        assert scene.park(modest, opaque)
    assert not scene.park(greedy, 8)
    assert scene.taken() == []
    assert scene.park(modest, 102)
    assert sorted(scene.taken()) == list(range(8))
    assert scene.hold.count == 3
    assert scene.park(greedy, 9)
    scene.hold.notify_all("T")
    assert scene.taken() == [100, 101, 102, 9]
    assert scene.hold.count == 0


def test_a_long_header_takes_more_places() -> None:
    scene = Scene(limit=10)
    a, b = scene.peer(), scene.peer()
    assert not scene.park(a, 1, text="x" * 11 * 1024)
    assert scene.park(a, 2, text="x" * 6 * 1024)
    assert scene.hold.count == 7
    assert scene.park(b, 3, text="x" * 1024)
    assert not scene.park(b, 4, text="x" * 9 * 1024)
    assert scene.park(b, 5, text="x" * 2 * 1024)
    assert scene.taken() == [2]
    b.leave()
    assert scene.hold.count == 0


def test_one_that_cannot_tell_what_it_wants_is_answered_and_keeps_nobody_waiting(scene: Scene) -> None:
    def wants(_: int) -> bool:
        raise ValueError("no such message")

    for opaque, test in ((1, None), (2, wants), (3, None)):
        scene.park(scene.peer(), opaque, wants=test)
    scene.hold.arrived("T", 0, 1, 0)
    scene.hold.wake()
    assert scene.taken() == [1, 2, 3]
    assert scene.hold.count == 0


class _Counted(ParkedPull):
    """A pull that counts how often it is compared."""

    __slots__ = ()
    comparisons = 0

    def __eq__(self, other: object) -> bool:
        _Counted.comparisons += 1
        return self is other

    __hash__ = ParkedPull.__hash__


def test_a_connection_with_very_many_pulls_of_one_queue_ends_quickly() -> None:
    scene = Scene()
    peer, other = scene.peer(), scene.peer()
    scene.park(other, 0)
    for opaque in range(1, 2001):
        assert scene.hold.park(_Counted(peer.connection, Command(11, opaque=opaque), ("T", 0), 0, 15, None))
    peer.leave()
    assert _Counted.comparisons < 20_000
    assert scene.hold.count == 1
    scene.hold.notify_all("T")
    assert scene.taken() == [0]


def test_a_full_hold_refuses_without_counting_all_that_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(limit=1000)
    one, other = scene.peer(), scene.peer()
    for opaque in range(500):
        scene.park(one, opaque)
        scene.park(other, opaque)
    reads = []
    places = ParkedPull.places
    monkeypatch.setattr(
        ParkedPull,
        "places",
        property(lambda pull: reads.append(1) or places.__get__(pull), places.__set__),
    )
    assert not scene.park(one, 1000)
    assert len(reads) < 10
