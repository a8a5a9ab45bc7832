"""Locks on queues, for ordered consumption.

Source: LockBatchMqRequestHeader, UnlockBatchMqRequestHeader.
"""

from __future__ import annotations

from rmq.wire.bodies.lock import LockBatchBody, LockBatchReply
from rmq.wire.declare import request


@request(41, "LOCK_BATCH_MQ", body=LockBatchBody, reply_body=LockBatchReply, changes=True)
class LockBatchMq:
    """Locks queues for a client, or renews its locks."""


@request(42, "UNLOCK_BATCH_MQ", body=LockBatchBody, changes=True)
class UnlockBatchMq:
    """Gives locks back."""
