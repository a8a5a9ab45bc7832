"""Pops that found nothing wait here until a message arrives or their time is over.

They wait under topic, group and queue, or all queues. A message in the topic, or in the group's POP retry topic, wakes
one pop of each group that waits for its queue and one that waits for all; when that one leaves some messages behind,
whoever handles it wakes the next. A woken pop that finds nothing waits on. What waits is bounded as pulls are
(`rmq.server.delivery.hold`), and per queue of a group.

Source: PopLongPollingService.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from rmq.remoting.protocol import Connection
from rmq.remoting.reactor import Clock, DelayedCall, Repeat
from rmq.server.delivery.hold import ParkedPull, PullHold
from rmq.wire.command import Command
from rmq.wire.popinfo import pop_retry_topic

POP_SWEEP_SECONDS: Final = 0.25
"""Pause between two looks for pops whose time is over."""

ALL_QUEUES: Final = -1
_CLEAN_SECONDS: Final = 60.0


class PopHold:
    """The waiting pops of a broker.

    Args:
        clock: tells time and calls later.
        limit: how many places there are.
        listen: asked once, when the first pop waits, to report every message to `arrived`.

    Attributes:
        rerun: runs a pop again, which may wait once more, and sends its reply; its time may be over.
    """

    def __init__(self, clock: Clock, listen: Callable[[], None], *, limit: int = 32768) -> None:
        self._clock = clock
        self._listen = listen
        self._listening = False
        self._room = _Room(clock, limit=limit)
        self._watched: dict[str, set[str]] = {}
        self._arrived: dict[tuple[str, int], set[int]] = {}
        self._next: list[tuple[str, int]] = []
        self._waking: DelayedCall | None = None
        self._cleaner = Repeat(clock, self._clean)

    @property
    def rerun(self) -> Callable[[ParkedPull], None]:
        """What runs a pop again."""
        return self._room.rerun

    @rerun.setter
    def rerun(self, rerun: Callable[[ParkedPull], None]) -> None:
        self._room.rerun = rerun

    @property
    def count(self) -> int:
        """How many places are taken."""
        return self._room.count

    def start(self) -> None:
        """Begins to answer pops whose time is over."""
        self._room.start_sweeping(POP_SWEEP_SECONDS)
        self._cleaner.start(_CLEAN_SECONDS)

    def stop(self) -> None:
        """Ends that."""
        self._room.stop()
        self._cleaner.stop()
        if self._waking is not None:
            self._waking.cancel()
            self._waking = None

    def waiting(self, topic: str, group: str, queue_id: int) -> int:
        """How many pops of a group wait for exactly this queue, or for all."""
        return self._room.waiting((_name(topic, group), queue_id))

    def park(self, pop: ParkedPull, topic: str, group: str) -> bool:
        """Lets a pop wait; False when too many of its connection wait already."""
        if not self._listening:
            self._listening = True
            self._listen()
        name = pop.queue[0]
        for watched in (topic, pop_retry_topic(topic, group, v2=False), pop_retry_topic(topic, group, v2=True)):
            self._watched.setdefault(watched, set()).add(name)
        return self._room.park(pop)

    def arrived(self, topic: str, queue_id: int, next_offset: int, tags_code: int) -> None:
        """Notes that a message came; cheap, called for every message."""
        if topic in self._watched:
            # Many messages come in one read.
            self._arrived.setdefault((topic, queue_id), set()).add(tags_code)
            self._wake_soon()

    def wake(self, topic: str, group: str, queue_id: int) -> None:
        """Runs one pop that waits for exactly this queue, or for all, soon."""
        if self._room.waiting((_name(topic, group), queue_id)):
            self._next.append((_name(topic, group), queue_id))
            self._wake_soon()

    def _wake_soon(self) -> None:
        if self._waking is None:
            self._waking = self._clock.callLater(0, self._wake)

    def _wake(self) -> None:
        self._waking = None
        following, self._next = self._next, []
        for queue in following:
            self._room.release_first(queue, None)
        arrived, self._arrived = self._arrived, {}
        for (topic, queue_id), tags in arrived.items():
            for name in list(self._watched.get(topic, ())):
                queues = self._room.queues_of(name)
                if not queues:
                    self._forget(topic, name)
                own = name.startswith(f"{topic}@")
                for waiting in queues:
                    # A message to try again is for pops of any queue.
                    if waiting in (ALL_QUEUES, queue_id) or not own:
                        self._room.release_first((name, waiting), tags)

    def _clean(self) -> None:
        for topic, names in list(self._watched.items()):
            for name in [name for name in names if not self._room.queues_of(name)]:
                self._forget(topic, name)

    def _forget(self, topic: str, name: str) -> None:
        names = self._watched[topic]
        names.discard(name)
        if not names:
            del self._watched[topic]


class _Room(PullHold):
    """Where they wait: places, deadlines and ends of connections are those of pulls."""

    def __init__(self, clock: Clock, *, limit: int) -> None:
        super().__init__(clock, limit=limit)
        self._queues: dict[str, set[int]] = {}

    def start_sweeping(self, seconds: float) -> None:
        self._sweeper.start(seconds)

    def waiting(self, queue: tuple[str, int]) -> int:
        return len(self._parked.get(queue, ()))

    def queues_of(self, name: str) -> list[int]:
        """Queues of a topic and group for which something waits."""
        waited = [queue_id for queue_id in self._queues.get(name, ()) if (name, queue_id) in self._parked]
        if waited:
            self._queues[name] = set(waited)
        else:
            self._queues.pop(name, None)
        return waited

    def park(self, pull: ParkedPull) -> bool:
        if not super().park(pull):
            return False
        name, queue_id = pull.queue
        self._queues.setdefault(name, set()).add(queue_id)
        return True

    def release_first(self, queue: tuple[str, int], tags: set[int] | None) -> None:
        """Runs the one that waits longest, if these messages are for it."""
        found: list[ParkedPull] = []

        def due(pull: ParkedPull) -> bool:
            if found or not (tags is None or pull.tags is None or not pull.tags.isdisjoint(tags)):
                return False
            found.append(pull)
            return True

        self._release(queue, due)


def _name(topic: str, group: str) -> str:
    return f"{topic}@{group}"


def parked_pop(
    connection: Connection,
    command: Command,
    place: tuple[str, str, int],
    deadline: float,
    tags: frozenset[int] | None,
) -> ParkedPull:
    """A pop that waits under topic, group and queue until a clock time, for messages with one of these tags."""
    topic, group, queue_id = place
    return ParkedPull(connection, command, (_name(topic, group), queue_id), 0, deadline, tags)
