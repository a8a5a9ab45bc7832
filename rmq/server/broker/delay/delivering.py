"""Putting a delayed message where it was meant to go.

What is stored carries the properties that it had while it waited, REAL_TOPIC and the delay among them: consumers of
Apache's broker see them too. It passes no hook: its time has come.

Source: ScheduleMessageService.messageTimeUp, TimerMessageStore.convert, TimerMessageStore.doPut.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from twisted.logger import Logger

from rmq.server.broker.stats import BrokerStats
from rmq.server.store.api import PutStatus
from rmq.server.store.store import MessageStore
from rmq.wire.errors import InvalidParameterError
from rmq.wire.message import (
    MAX_PROPERTIES,
    PROPERTY_REAL_QUEUE_ID,
    PROPERTY_REAL_TOPIC,
    PROPERTY_TAGS,
    StoredMessage,
    format_properties,
    tags_code,
)
from rmq.wire.names import TRANS_HALF_TOPIC, check_topic

_LONGEST_QUEUE_ID: Final = 10
_NEVER: Final = frozenset({PutStatus.MESSAGE_ILLEGAL, PutStatus.PROPERTIES_SIZE_EXCEEDED})

log = Logger()


class Deliverer:
    """Stores messages whose time has come.

    Args:
        store: where they were, and where they go.
        stats: counts them as arrivals of their topic.
    """

    def __init__(self, store: MessageStore, stats: BrokerStats) -> None:
        self._store = store
        self._stats = stats

    def deliver(self, message: StoredMessage, marks: Mapping[str, str] | None = None) -> bool:
        """Stores a message in its real topic.

        Args:
            message: as it waited.
            marks: properties that it gets in addition.

        Returns:
            Whether this is done with: stored, or such that it never can be, which is logged. False: try again later.
        """
        properties = message.properties
        topic = properties.get(PROPERTY_REAL_TOPIC)
        queue_id = properties.get(PROPERTY_REAL_QUEUE_ID, "")
        if topic is None or topic == TRANS_HALF_TOPIC or not _is_queue(topic, queue_id):
            log.error(
                "the delayed message at {at} has no topic to go to (REAL_TOPIC={topic}, REAL_QID={queue}) and is left",
                at=message.physical_offset,
                topic=topic,
                queue=queue_id,
            )
            return True
        return self.store_in(topic, int(queue_id), message, marks)

    def store_in(
        self, topic: str, queue_id: int, message: StoredMessage, marks: Mapping[str, str] | None = None
    ) -> bool:
        """Stores a message in that queue; see `deliver`."""
        text = message.properties_text.encode()
        if marks:
            marked = format_properties({**message.properties, **marks}).encode()
            if len(marked) <= MAX_PROPERTIES:
                text = marked
        result = self._store.append(
            topic,
            queue_id,
            message.flag,
            message.sys_flag,
            message.born_timestamp,
            message.born_host,
            message.reconsume_times,
            0,
            message.body,
            text,
            tags_code(message.properties.get(PROPERTY_TAGS)),
        )
        if result.status is PutStatus.PUT_OK:
            self._stats.put(topic, 1, result.wrote_bytes)
            return True
        self._stats.put_failed()
        if result.status in _NEVER:
            log.critical(
                "the delayed message at {at} cannot be stored in {topic} ({status}) and is left",
                at=message.physical_offset,
                topic=topic,
                status=result.status.name,
            )
            return True
        return False


def _is_queue(topic: str, queue_id: str) -> bool:
    """Whether these can name a queue: they become names of directories."""
    try:
        check_topic(topic)
    except InvalidParameterError:
        return False
    return queue_id.isdecimal() and len(queue_id) < _LONGEST_QUEUE_ID
