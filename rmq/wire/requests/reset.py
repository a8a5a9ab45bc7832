"""Moving a group to other offsets.

A tool asks the broker (222, 223), which may have to ask the clients (220, 221).

Source: ResetOffsetRequestHeader, GetConsumerStatusRequestHeader.
"""

from __future__ import annotations

from rmq.wire.bodies.offset import ConsumerStatus, ResetOffsetBody
from rmq.wire.declare import Int32, Int64, request


@request(222, "INVOKE_BROKER_TO_RESET_OFFSET", reply_body=ResetOffsetBody, changes=True)
class InvokeBrokerToResetOffset:
    """Moves a group to a time (ms; -1 is the end), or one queue of it to an offset.

    Attributes:
        queue_id: the queue; -1 for all.
        offset: the new offset, only with a queue.
        is_force: also move forward.
    """

    group: str
    topic: str
    timestamp: Int64
    queue_id: Int32 = -1
    offset: Int64 | None = None
    is_force: bool = False


@request(220, "RESET_CONSUMER_CLIENT_OFFSET", body=ResetOffsetBody, changes=True)
class ResetConsumerClientOffset(InvokeBrokerToResetOffset):
    """Broker to client, one-way: go on from these offsets."""


@request(223, "INVOKE_BROKER_TO_GET_CONSUMER_STATUS", reply_body=ConsumerStatus)
class InvokeBrokerToGetConsumerStatus:
    """Asks for the offsets that a group's clients hold; `client_addr` is one client's id."""

    topic: str
    group: str
    client_addr: str | None = None


@request(221, "GET_CONSUMER_STATUS_FROM_CLIENT", reply_body=ConsumerStatus)
class GetConsumerStatusFromClient(InvokeBrokerToGetConsumerStatus):
    """Broker to client: which offsets do you hold?"""
