"""Locks on queues, for ordered consumption.

Source: LockBatchRequestBody, UnlockBatchRequestBody, LockBatchResponseBody.
"""

from __future__ import annotations

from dataclasses import field

from rmq.wire.bodies.route import MessageQueue
from rmq.wire.declare import body, wire


@body
class LockBatchBody:
    """Queues that a client wants to lock or unlock for its group."""

    consumer_group: str
    client_id: str
    only_this_broker: bool = False
    mq_set: list[MessageQueue] = field(default_factory=list)


@body
class LockBatchReply:
    """Queues that the client holds now."""

    lock_ok_mq_set: list[MessageQueue] = wire("lockOKMQSet", default_factory=list)
