"""Assignment of queues by the broker.

Source: QueryAssignmentRequestBody, QueryAssignmentResponseBody, MessageQueueAssignment,
SetMessageRequestModeRequestBody.
"""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum

from rmq.wire.bodies.heartbeat import MessageModel
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.declare import Int32, body


class MessageRequestMode(StrEnum):
    """How a group gets its messages."""

    PULL = "PULL"
    POP = "POP"


@body
class QueryAssignmentBody:
    """Who asks for which topic's queues."""

    topic: str
    consumer_group: str
    client_id: str
    strategy_name: str | None = None
    message_model: MessageModel | None = None


@body
class MessageQueueAssignment:
    """One assigned queue."""

    message_queue: MessageQueue | None = None
    mode: MessageRequestMode = MessageRequestMode.PULL
    attachments: dict[str, str] | None = None


@body
class QueryAssignmentReply:
    """The assigned queues; absent when the client is to keep what it has."""

    message_queue_assignments: list[MessageQueueAssignment] | None = None


@body
class MessageRequestModeBody:
    """The mode of a group on a topic; `pop_share_queue_num` is how many clients may share a queue."""

    topic: str | None = None
    consumer_group: str | None = None
    mode: MessageRequestMode = MessageRequestMode.PULL
    pop_share_queue_num: Int32 = 0


@body
class MessageRequestModes:
    """All modes that differ from the default: topic to group to mode."""

    message_request_mode_map: dict[str, dict[str, MessageRequestModeBody]] = field(default_factory=dict)
