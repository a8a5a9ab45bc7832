"""Long polling: pulls that found nothing wait here until a message arrives or their time is over.

A pull parks under its topic and queue. Arrivals are only noted, because many come in one read; `wake` then answers
each waiting pull once. A pull with a filter wakes only for messages that pass it; one that others have passed by is
woken after five seconds, so that it learns how far it is. A woken pull runs again, now without the right to wait.
Parked pulls end with their connection.

Their number is bounded. When all places are taken, the connection with the most parked pulls gives up its own, which
are answered as if their time were over; if that is the newcomer's, the newcomer is refused. So nobody who parks a few
is crowded out by one who parks many.

Source: PullRequestHoldService, ManyPullRequest, NotifyMessageArrivingListener.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from twisted.logger import Logger

from rmq.remoting.protocol import Connection
from rmq.remoting.reactor import Clock, Repeat
from rmq.wire.command import Command

SWEEP_SECONDS: Final = 1.0
"""Pause between two looks for pulls whose time is over."""
PASSED_BY_SWEEPS: Final = 5
"""Every so many looks, pulls are woken that only unwanted messages have come for."""

Queue = tuple[str, int]

log = Logger()


class ParkedPull:
    """A pull that waits.

    Attributes:
        offset: the queue offset it asks for.
        deadline: clock time at which it is answered in any case.
        tags: tag hashes it wants, or None for every message.
        wants: tells whether a message before an offset is wanted, beyond what `tags` says; None when all are.
        passed_by: whether messages came that it does not want.
        places: how many places it takes: one, and one more for each KiB of its header.
    """

    __slots__ = ("command", "connection", "deadline", "offset", "passed_by", "places", "queue", "tags", "wants")

    def __init__(
        self,
        connection: Connection,
        command: Command,
        queue: Queue,
        offset: int,
        deadline: float,
        tags: frozenset[int] | None,
        wants: Callable[[int], bool] | None = None,
    ) -> None:
        self.connection = connection
        self.command = command
        self.queue = queue
        self.offset = offset
        self.deadline = deadline
        self.tags = tags
        self.wants = wants
        self.passed_by = False
        self.places = 1 + sum(map(len, command.ext.values())) // 1024


class _Own:
    """What waits for one connection, and how many places that takes."""

    __slots__ = ("places", "pulls")

    def __init__(self) -> None:
        self.pulls: set[ParkedPull] = set()
        self.places = 0


class PullHold:
    """The waiting pulls of a broker.

    Args:
        clock: tells time and calls later.
        limit: how many places there are.

    Attributes:
        rerun: runs a pull again without letting it wait, and sends its reply.
        count: how many places are taken.
    """

    def __init__(self, clock: Clock, *, limit: int = 32768) -> None:
        self._clock = clock
        self.rerun: Callable[[ParkedPull], None] = lambda pull: None
        self._limit = limit
        self._parked: dict[Queue, list[ParkedPull]] = {}
        self._of_connection: dict[Connection, _Own] = {}
        self._arrived: dict[Queue, list[tuple[int, int]]] = {}
        self._sweeper = Repeat(clock, self.sweep)
        self._sweeps = 0
        self.count = 0

    def start(self) -> None:
        """Begins to answer pulls whose time is over."""
        self._sweeper.start(SWEEP_SECONDS)

    def stop(self) -> None:
        """Ends that; what waits stays unanswered, its connections are about to close."""
        self._sweeper.stop()

    def park(self, pull: ParkedPull) -> bool:
        """Lets a pull wait; False when too many of this connection wait already."""
        if self.count + pull.places > self._limit and not self._make_room(pull):
            return False
        self._parked.setdefault(pull.queue, []).append(pull)
        own = self._of_connection.get(pull.connection)
        if own is None:
            own = self._of_connection[pull.connection] = _Own()
            pull.connection.on_close(self._connection_lost)
        own.pulls.add(pull)
        own.places += pull.places
        self.count += pull.places
        return True

    def arrived(self, topic: str, queue_id: int, next_offset: int, tags_code: int) -> None:
        """Notes that a queue now ends before `next_offset`; cheap, called for every message."""
        queue = (topic, queue_id)
        if queue in self._parked:
            self._arrived.setdefault(queue, []).append((next_offset, tags_code))

    def wake(self) -> None:
        """Answers the pulls that what arrived was waited for."""
        if not self._arrived:
            return
        arrived, self._arrived = self._arrived, {}
        for queue, messages in arrived.items():
            self._release(queue, partial(_wanted, messages[-1][0], {code for _, code in messages}))

    def sweep(self) -> None:
        """Answers the pulls whose time is over, and at times those that messages passed by."""
        now = self._clock.seconds()
        self._sweeps += 1
        passed_by = self._sweeps % PASSED_BY_SWEEPS == 0
        for queue in list(self._parked):
            self._release(queue, lambda pull: pull.deadline <= now or (passed_by and pull.passed_by))

    def notify_all(self, topic: str) -> None:
        """Answers every pull of a topic, because the topic changed or is gone."""
        for queue in [queue for queue in self._parked if queue[0] == topic]:
            self._release(queue, lambda pull: True)

    def release_all(self) -> None:
        """Answers every pull, because there is a better place to wait now."""
        for queue in list(self._parked):
            self._release(queue, lambda pull: True)

    def _make_room(self, newcomer: ParkedPull) -> bool:
        """Answers the pulls of whoever holds most places, unless that is the newcomer's connection."""
        greedy = max(self._of_connection, key=self._places_of, default=newcomer.connection)
        if self._places_of(greedy) <= self._places_of(newcomer.connection) + newcomer.places:
            return False
        now = self._clock.seconds()
        given_up = list(self._of_connection[greedy].pulls)
        for pull in given_up:
            pull.deadline = now
        for queue in {pull.queue for pull in given_up}:
            self._release(queue, lambda pull: pull.connection is greedy)
        return True

    def _places_of(self, connection: Connection) -> int:
        own = self._of_connection.get(connection)
        return 0 if own is None else own.places

    def _release(self, queue: Queue, due: Callable[[ParkedPull], bool]) -> None:
        parked = self._parked.pop(queue, [])
        stay: list[ParkedPull] = []
        go: list[ParkedPull] = []
        for pull in parked:
            (go if _is_due(pull, due) else stay).append(pull)
        if stay:
            self._parked[queue] = stay
        for pull in go:
            self.count -= pull.places
            own = self._of_connection.get(pull.connection)
            if own is not None:
                own.pulls.discard(pull)
                own.places -= pull.places
            self.rerun(pull)

    def _connection_lost(self, connection: Connection) -> None:
        for queue in {pull.queue for pull in self._of_connection.pop(connection).pulls}:
            waiting = self._parked.pop(queue, [])
            stay = [pull for pull in waiting if pull.connection is not connection]
            if stay:
                self._parked[queue] = stay
            self.count -= sum(pull.places for pull in waiting) - sum(pull.places for pull in stay)


def _is_due(pull: ParkedPull, due: Callable[[ParkedPull], bool]) -> bool:
    """Whether a pull is to be answered; one that cannot tell is, so that nobody waits for ever because of it."""
    try:
        return due(pull)
    except Exception:
        log.failure("a pull of {queue} does not know what it waits for", queue=pull.queue)
        return True


def _wanted(end: int, tags: set[int], pull: ParkedPull) -> bool:
    """Whether messages with these tags before this offset are for the pull."""
    if pull.offset >= end:
        return False
    if (pull.tags is None or not pull.tags.isdisjoint(tags)) and (pull.wants is None or pull.wants(end)):
        return True
    pull.passed_by = True
    return False
