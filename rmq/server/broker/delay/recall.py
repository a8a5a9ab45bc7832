"""Handles by which timed messages are taken back.

A handle is text: version, real topic, broker, the millisecond after the beginning of the message's slot and its unique
id, joined by blanks, in URL-safe base64. Taking back stores a message that names the other by its id and belongs to the
same slot; when the slot is let out, both stay.

Source: RecallMessageHandle, RecallMessageProcessor.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final

from rmq.server.broker.delay.delivering import REAL_TOPIC
from rmq.server.broker.delay.hook import TIMER_OUT_MS
from rmq.server.broker.putting import MessageInner
from rmq.wire.codes import ResponseCode
from rmq.wire.errors import RemotingError
from rmq.wire.message import PROPERTY_UNIQ_KEY
from rmq.wire.names import RETRY_PREFIX, TIMER_TOPIC

_VERSION: Final = "v1"
_PARTS: Final = 5
_NUMBER: Final = re.compile(r"[0-9]{1,18}", re.ASCII)


class IllegalOperationError(RemotingError):
    """A handle that is none, or does not fit the request."""

    default_code = ResponseCode.ILLEGAL_OPERATION


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


def parse_handle(text: str) -> RecallHandle:
    """Reads a handle.

    Raises:
        IllegalOperationError: it is none.
    """
    try:
        parts = base64.b64decode(text, altchars=b"-_", validate=True).decode().split(" ")
    except (binascii.Error, UnicodeError, ValueError):
        parts = []
    if len(parts) < _PARTS or parts[0] != _VERSION:
        raise IllegalOperationError("recall handle is invalid")
    _, topic, broker_name, timestamp, message_id = parts[:_PARTS]
    time = int(timestamp) if _NUMBER.fullmatch(timestamp) else -1
    return RecallHandle(topic, broker_name, time, message_id)


def handle_of(message: MessageInner, broker_name: str) -> str | None:
    """The handle of a message that was put into the timer; None for every other."""
    if message.topic != TIMER_TOPIC:
        return None
    topic = message.properties.get(REAL_TOPIC, "")
    time = message.properties.get(TIMER_OUT_MS, "")
    if not topic or topic.startswith(RETRY_PREFIX) or not _NUMBER.fullmatch(time):
        return None
    return str(RecallHandle(topic, broker_name, int(time) + 1, message.properties.get(PROPERTY_UNIQ_KEY, "")))
