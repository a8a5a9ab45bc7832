"""Which messages can be taken back: those in the timer.

Taking back stores a message that names the other by its id and belongs to the same slot; when the slot is let out, both
stay.

Source: RecallMessageProcessor, SendMessageProcessor.attachRecallHandle.
"""

from __future__ import annotations

from rmq.server.broker.delay.hook import TIMER_OUT_MS
from rmq.server.broker.putting import MessageInner
from rmq.wire.message import PROPERTY_REAL_TOPIC, PROPERTY_UNIQ_KEY
from rmq.wire.names import RETRY_PREFIX, TIMER_TOPIC
from rmq.wire.recall import RecallHandle


def handle_of(message: MessageInner, broker_name: str) -> str | None:
    """The handle of a message that was put into the timer, a time a millisecond into its slot; None for every other."""
    if message.topic != TIMER_TOPIC:
        return None
    topic = message.properties.get(PROPERTY_REAL_TOPIC, "")
    if not topic or topic.startswith(RETRY_PREFIX):
        return None
    slot = int(message.properties[TIMER_OUT_MS])
    return str(RecallHandle(topic, broker_name, slot + 1, message.properties.get(PROPERTY_UNIQ_KEY, "")))
