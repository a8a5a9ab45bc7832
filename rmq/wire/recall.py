"""Handles by which timed messages are taken back.

A handle is text: version, real topic, broker, a time in the message's slot and its unique id, joined by blanks, in
URL-safe base64. The broker gives it out with the answer to a send, and takes it back in a recall.

Source: RecallMessageHandle.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final

_VERSION: Final = "v1"
_PARTS: Final = 5
_NUMBER: Final = re.compile(r"[0-9]{1,18}", re.ASCII)


class RecallHandleError(ValueError):
    """Text that is no recall handle."""


@dataclass(frozen=True, slots=True)
class RecallHandle:
    """What a handle says.

    Attributes:
        topic: the real topic.
        broker_name: who has the message.
        timestamp: a time (ms) in its slot, -1 when the handle has none.
        message_id: its unique id.
    """

    topic: str
    broker_name: str
    timestamp: int
    message_id: str

    def __str__(self) -> str:
        text = " ".join((_VERSION, self.topic, self.broker_name, str(self.timestamp), self.message_id))
        return base64.urlsafe_b64encode(text.encode()).decode()


def parse_recall_handle(text: str) -> RecallHandle:
    """Reads a handle.

    Raises:
        RecallHandleError: it is none.
    """
    try:
        parts = base64.b64decode(text, altchars=b"-_", validate=True).decode().split(" ")
    except (binascii.Error, UnicodeError, ValueError):
        parts = []
    if len(parts) < _PARTS or parts[0] != _VERSION:
        raise RecallHandleError("recall handle is invalid")
    _, topic, broker_name, timestamp, message_id = parts[:_PARTS]
    time = int(timestamp) if _NUMBER.fullmatch(timestamp) else -1
    return RecallHandle(topic, broker_name, time, message_id)
