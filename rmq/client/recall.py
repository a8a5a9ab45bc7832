"""Handles by which delayed messages are taken back: text of version, topic, broker, time and id, in base64.

Source: RecallMessageHandle, DefaultMQProducerImpl.recallMessage.
"""

from __future__ import annotations

import base64
import binascii
from typing import NamedTuple

from rmq.client.errors import ClientError

_VERSION = "v1"
_PARTS = 5


class RecallHandle(NamedTuple):
    """What a handle says: `message_id` is the sender's."""

    topic: str
    broker_name: str
    timestamp: str
    message_id: str


def parse_recall_handle(text: str) -> RecallHandle:
    """Reads the handle that the result of a send has.

    Raises:
        ClientError: it is none.
    """
    try:
        parts = base64.b64decode(text, altchars=b"-_", validate=True).decode().split(" ")
    except (binascii.Error, ValueError):
        parts = []
    if len(parts) < _PARTS or parts[0] != _VERSION:
        raise ClientError("recall handle is invalid")
    return RecallHandle(*parts[1:_PARTS])
