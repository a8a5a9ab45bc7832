"""Pops that wait: who is woken by what."""

import pytest
from twisted.internet.task import Clock

from rmq.remoting.protocol import Connection
from rmq.server.broker.pop.hold import PopHold, parked_pop
from rmq.server.delivery.hold import ParkedPull
from rmq.wire.command import Command
from tests.kit.peer import MemoryPeer


class Waiting:
    """A hold, and the pops that it ran again."""

    def __init__(self, limit: int = 100) -> None:
        self.clock = Clock()
        self.clock.advance(1000)
        self.listened = 0
        self.hold = PopHold(self.clock, self._listen, limit=limit)
        self.hold.rerun = self._rerun
        self.woken: list[int] = []
        self.hold.start()

    def _listen(self) -> None:
        self.listened += 1

    def _rerun(self, parked: ParkedPull) -> None:
        self.woken.append(parked.command.opaque)

    def park(
        self,
        number: int,
        queue_id: int = -1,
        *,
        topic: str = "T",
        group: str = "G",
        seconds: float = 5.0,
        tags: frozenset[int] | None = None,
        connection: Connection | None = None,
    ) -> bool:
        place = (topic, group, queue_id)
        connection = connection or MemoryPeer(None).connection
        pop = parked_pop(connection, Command(1, opaque=number), place, self.clock.seconds() + seconds, tags)
        return self.hold.park(pop, topic, group)

    def arrive(self, topic: str = "T", queue_id: int = 0, tags_code: int = 0) -> list[int]:
        """A message; the numbers of who was woken since the last look."""
        self.hold.arrived(topic, queue_id, 1, tags_code)
        self.clock.advance(0)
        return self.seen()

    def seen(self) -> list[int]:
        woken, self.woken = self.woken, []
        return sorted(woken)


@pytest.fixture
def waiting() -> Waiting:
    return Waiting()


def test_a_message_wakes_one_of_each_group(waiting: Waiting) -> None:
    waiting.park(1)
    waiting.park(2)
    waiting.park(3, 0)
    waiting.park(4, 1)
    waiting.park(5, group="H")
    waiting.park(6, topic="U")
    assert waiting.arrive() == [1, 3, 5]
    assert waiting.arrive(queue_id=1) == [2, 4]
    assert waiting.arrive() == []
    assert [waiting.hold.waiting(topic, "G", -1) for topic in ("T", "U")] == [0, 1]
    assert waiting.arrive("U") == [6]
    assert (waiting.hold.count, waiting.listened) == (0, 1)


@pytest.mark.parametrize("topic", ["%RETRY%G_T", "%RETRY%G+T"])
def test_a_message_to_try_again_wakes_whoever_pops_the_topic(waiting: Waiting, topic: str) -> None:
    waiting.park(1)
    waiting.park(2, 3)
    waiting.park(3, group="H")
    assert waiting.arrive(topic) == [1, 2]


def test_many_messages_of_one_read_wake_once(waiting: Waiting) -> None:
    waiting.park(1)
    waiting.park(2)
    for offset in range(50):
        waiting.hold.arrived("T", 0, offset, 0)
    assert waiting.arrive() == [1]


def test_tags(waiting: Waiting) -> None:
    waiting.park(1, tags=frozenset({7}))
    waiting.park(2, tags=frozenset({8, 9}))
    assert waiting.arrive(tags_code=5) == []
    assert waiting.arrive(tags_code=9) == [2]
    assert waiting.arrive(tags_code=7) == [1]


def test_time_is_over(waiting: Waiting) -> None:
    waiting.park(1, seconds=1)
    waiting.park(2, seconds=2)
    waiting.clock.advance(0.9)
    assert waiting.seen() == []
    waiting.clock.advance(0.25)
    assert waiting.seen() == [1]
    waiting.clock.advance(1)
    assert waiting.seen() == [2]
    assert waiting.hold.count == 0


def test_waking_the_next(waiting: Waiting) -> None:
    for number in (1, 2, 3):
        waiting.park(number)
    waiting.hold.wake("T", "G", -1)
    waiting.hold.wake("T", "G", 0)
    assert waiting.seen() == []
    waiting.clock.advance(0)
    assert waiting.seen() == [1]


def test_who_leaves_is_forgotten(waiting: Waiting) -> None:
    peer = MemoryPeer(None)
    waiting.park(1, connection=peer.connection)
    waiting.park(2)
    peer.leave()
    assert waiting.hold.count == 1
    assert waiting.arrive() == [2]


def test_places_are_bounded() -> None:
    """Who holds most gives up its own."""
    waiting = Waiting(limit=4)
    greedy = MemoryPeer(None).connection
    for number in range(4):
        assert waiting.park(number, connection=greedy)
    assert not waiting.park(4, connection=greedy)
    assert waiting.park(5)
    assert waiting.seen() == [0, 1, 2, 3]
    assert waiting.hold.count == 1


def test_topics_that_nobody_waits_for_are_forgotten(waiting: Waiting) -> None:
    waiting.park(1, seconds=1)
    assert waiting.hold._watched.keys() == {"T", "%RETRY%G_T", "%RETRY%G+T"}
    for _ in range(61):
        waiting.clock.advance(1)
    assert waiting.hold._watched == {}


def test_after_the_end_nothing_is_woken(waiting: Waiting) -> None:
    waiting.park(1)
    waiting.hold.arrived("T", 0, 1, 0)
    waiting.hold.stop()
    waiting.clock.advance(100)
    assert (waiting.seen(), waiting.clock.getDelayedCalls()) == ([], [])


def test_after_the_end_no_next_one_is_woken(waiting: Waiting) -> None:
    waiting.park(1)
    waiting.hold.wake("T", "G", -1)
    waiting.hold.stop()
    waiting.clock.advance(100)
    assert (waiting.seen(), waiting.clock.getDelayedCalls()) == ([], [])
