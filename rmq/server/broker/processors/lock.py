"""Clients lock the queues that they consume in order, and give them back.

Source: AdminBrokerProcessor.lockBatchMQ, unlockBatchMQ.
"""

from __future__ import annotations

from rmq.remoting.dispatch import Call, handles
from rmq.server.broker.locks import QueueLocks
from rmq.wire.bodies.lock import LockBatchBody, LockBatchReply
from rmq.wire.requests.lock import LockBatchMq, UnlockBatchMq


class LockProcessor:
    """Handles locks on queues."""

    def __init__(self, locks: QueueLocks) -> None:
        self._locks = locks

    @handles(LockBatchMq)
    def lock(self, header: LockBatchMq, call: Call) -> LockBatchReply:
        """Locks queues for a client; the answer names those of them that it holds."""
        wanted = call.json(LockBatchBody)
        held = self._locks.lock(wanted.consumer_group, wanted.mq_set, wanted.client_id)
        return LockBatchReply(lock_ok_mq_set=held)

    @handles(UnlockBatchMq)
    def unlock(self, header: UnlockBatchMq, call: Call) -> None:
        """Gives locks back; those of others stay."""
        given_up = call.json(LockBatchBody)
        self._locks.unlock(given_up.consumer_group, given_up.mq_set, given_up.client_id)
