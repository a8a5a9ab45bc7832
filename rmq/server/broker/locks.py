"""Which client of a group may read which queue, for consumers that keep the order.

A queue is free, or one client's for a minute after it last asked; who holds it asks again every twenty seconds. Nothing
is on the disk: after a restart every queue is free and goes to whoever comes first, which is one client again. A
client that vanishes keeps its queues until their minute is over: it may still be at work on a message.

Source: RebalanceLockManager.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from rmq.remoting.reactor import Clock, Repeat
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.errors import InvalidParameterError, SystemBusyError

LOCK_SECONDS: Final = 60.0
"""How long a lock lasts (rocketmq.broker.rebalance.lockMaxLiveTime)."""
MAX_LOCKS: Final = 65_536
"""Most locked queues of all groups together."""

_MAX_NAME: Final = 255
_MAX_CLIENT_ID: Final = 1024
_SWEEP_SECONDS: Final = 30.0


@dataclass(slots=True)
class _Lock:
    client_id: str
    since: float


class QueueLocks:
    """The locks of one broker.

    Args:
        clock: tells time and calls later.
    """

    def __init__(self, clock: Clock) -> None:
        self._seconds: Callable[[], float] = clock.seconds
        self._groups: dict[str, dict[MessageQueue, _Lock]] = {}
        self._count = 0
        self._sweeping = Repeat(clock, self.sweep)

    def start(self) -> None:
        """Begins to forget locks that are over."""
        self._sweeping.start(_SWEEP_SECONDS)

    def stop(self) -> None:
        """Ends that."""
        self._sweeping.stop()

    def lock(self, group: str, queues: Iterable[MessageQueue], client_id: str) -> list[MessageQueue]:
        """Locks what is free and renews what the client holds; those of `queues` that are its own now.

        Raises:
            InvalidParameterError: a name is longer than names can be.
            SystemBusyError: there are too many locks.
        """
        wanted = list(dict.fromkeys(queues))
        _check(group, wanted, client_id)
        now = self._seconds()
        locks = self._groups.get(group, {})
        held = []
        for queue in wanted:
            lock = locks.get(queue)
            if lock is None:
                if self._count >= MAX_LOCKS:
                    raise SystemBusyError(f"{MAX_LOCKS} queues are locked on this broker and no more can be")
                locks[queue] = _Lock(client_id, now)
                self._groups[group] = locks
                self._count += 1
            elif lock.client_id == client_id or _is_over(lock, now):
                lock.client_id, lock.since = client_id, now
            else:
                continue
            held.append(queue)
        return held

    def unlock(self, group: str, queues: Iterable[MessageQueue], client_id: str) -> None:
        """Gives up those of `queues` that the client holds; the others stay as they are."""
        locks = self._groups.get(group, {})
        for queue in queues:
            lock = locks.get(queue)
            if lock is not None and lock.client_id == client_id:
                self._forget(group, locks, queue)

    def is_ordered(self, group: str) -> bool:
        """Whether a client of the group holds a queue, which tells that the group consumes in order."""
        now = self._seconds()
        return any(not _is_over(lock, now) for lock in self._groups.get(group, {}).values())

    def sweep(self) -> None:
        """Forgets the locks that are over."""
        now = self._seconds()
        for group, locks in list(self._groups.items()):
            for queue in [queue for queue, lock in locks.items() if _is_over(lock, now)]:
                self._forget(group, locks, queue)

    def _forget(self, group: str, locks: dict[MessageQueue, _Lock], queue: MessageQueue) -> None:
        del locks[queue]
        self._count -= 1
        if not locks:
            del self._groups[group]


def _is_over(lock: _Lock, now: float) -> bool:
    return now - lock.since > LOCK_SECONDS


def _check(group: str, queues: Iterable[MessageQueue], client_id: str) -> None:
    """Refuses names that are not those of a client, a group, a topic or a broker: they would be kept."""
    if len(client_id) > _MAX_CLIENT_ID:
        raise InvalidParameterError(f"clientId of {len(client_id)} characters is longer than {_MAX_CLIENT_ID}")
    names = [group, *(queue.topic for queue in queues), *(queue.broker_name for queue in queues)]
    longest = max(map(len, names))
    if longest > _MAX_NAME:
        raise InvalidParameterError(f"a name of {longest} characters is longer than {_MAX_NAME}")
