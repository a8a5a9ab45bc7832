"""Locks on queues, by which a group's orderly consumers keep off each other's queues.

A broker gives the lock on a queue to one client of the group and takes it away when it is not renewed for a minute.
The client renews every twenty seconds and trusts a lock for thirty. A queue that goes to another consumer is unlocked
only when no listener works on it any more.

Source: RebalanceImpl.lock, lockAll, unlock, RebalancePushImpl.tryRemoveOrderMessageQueue, ProcessQueue.isLockExpired.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from rmq.client.instance import ClientInstance
from rmq.client.waiting import logged
from rmq.wire.bodies.lock import LockBatchBody, LockBatchReply
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.errors import RemotingError
from rmq.wire.requests.lock import LockBatchMq, UnlockBatchMq

RENEW_INTERVAL: Final = 20.0
"""Seconds between renewals."""
_TRUSTED = 30_000
_TIMEOUT = 1.0
_LONGEST_REST = 20.0

log = Logger()


class QueueLocks:
    """The locks of one consumer.

    Args:
        instance: whose connections are used.
        group: the consumer group.
        rested: fires when no listener works on a queue.
    """

    def __init__(
        self, instance: ClientInstance, group: str, rested: Callable[[MessageQueue], Awaitable[None]]
    ) -> None:
        self._instance = instance
        self._group = group
        self._rested = rested
        self._since: dict[MessageQueue, int] = {}
        self._leaving: set[MessageQueue] = set()

    def last_locked(self, queue: MessageQueue) -> int:
        """When the lock was got or renewed, ms since the epoch; 0 when it is not held."""
        return self._since.get(queue, 0)

    def holds(self, queue: MessageQueue) -> bool:
        """Whether the lock is held and fresh."""
        return self._instance.now() - self.last_locked(queue) <= _TRUSTED

    async def acquire(self, queue: MessageQueue) -> bool:
        """Asks for the lock on a queue that is to begin, or goes on; gives whether it is held."""
        if queue in self._leaving:
            return False
        await self.renew([queue])
        return self.holds(queue)

    async def renew(self, queues: Iterable[MessageQueue]) -> None:
        """Asks for the locks on these queues; one that is refused is lost."""
        for broker_name, wanted in _by_broker(queues).items():
            body = LockBatchBody(self._group, self._instance.client_id, mq_set=wanted)
            try:
                address = self._instance.routes.master_address(broker_name)
                answer = await self._instance.invoker.call(address, LockBatchMq(), body, timeout=_TIMEOUT)
                granted = set(answer.json(LockBatchReply).lock_ok_mq_set)
            except RemotingError as error:
                log.warn("locking queues of {broker} failed: {error}", broker=broker_name, error=error)
                continue
            for queue in wanted:
                if queue in granted:
                    self._since[queue] = self._instance.now()
                elif self._since.pop(queue, None) is not None:
                    log.warn("the lock on {queue} is lost", queue=queue)

    def let_go(self, queue: MessageQueue) -> None:
        """The queue is no longer this consumer's: unlocks it as soon as no listener works on it."""
        logged(Deferred.fromCoroutine(self._let_go(queue)), f"unlocking {queue}")

    async def _let_go(self, queue: MessageQueue) -> None:
        self._leaving.add(queue)
        try:
            resting: Deferred[None] = Deferred.fromCoroutine(_wait(self._rested(queue)))
            await resting.addTimeout(_LONGEST_REST, self._instance.reactor, onTimeoutCancel=lambda *_: None)
            await self.unlock([queue])
        finally:
            self._leaving.discard(queue)

    async def unlock_all(self) -> None:
        """Gives every lock back, also those of queues that had not begun yet."""
        await self.unlock(list(self._since))

    async def unlock(self, queues: Iterable[MessageQueue]) -> None:
        """Gives locks back; what cannot be told to a broker expires there."""
        held = [queue for queue in queues if self._since.pop(queue, None) is not None]
        for broker_name, wanted in _by_broker(held).items():
            body = LockBatchBody(self._group, self._instance.client_id, mq_set=wanted)
            try:
                address = self._instance.routes.master_address(broker_name)
                await self._instance.invoker.call(address, UnlockBatchMq(), body, timeout=_TIMEOUT)
            except RemotingError as error:
                log.warn("unlocking queues of {broker} failed: {error}", broker=broker_name, error=error)


async def _wait(awaitable: Awaitable[None]) -> None:
    await awaitable


def _by_broker(queues: Iterable[MessageQueue]) -> dict[str, list[MessageQueue]]:
    grouped: dict[str, list[MessageQueue]] = {}
    for queue in queues:
        grouped.setdefault(queue.broker_name, []).append(queue)
    return grouped
