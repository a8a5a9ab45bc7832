"""Assignment of queues by the broker.

Source: QueryAssignmentProcessor.
"""

from __future__ import annotations

from rmq.wire.bodies.assignment import (
    MessageRequestModeBody,
    MessageRequestModes,
    QueryAssignmentBody,
    QueryAssignmentReply,
)
from rmq.wire.declare import request


@request(400, "QUERY_ASSIGNMENT", body=QueryAssignmentBody, reply_body=QueryAssignmentReply)
class QueryAssignment:
    """Asks which queues a client should consume."""


@request(401, "SET_MESSAGE_REQUEST_MODE", body=MessageRequestModeBody, changes=True)
class SetMessageRequestMode:
    """Sets whether a group pulls or pops."""


@request(402, "GET_ALL_MESSAGE_REQUEST_MODE", reply_body=MessageRequestModes)
class GetAllMessageRequestMode:
    """A slave asks for the modes of all groups."""
