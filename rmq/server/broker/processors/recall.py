"""Takes timed messages back that were not delivered yet.

Source: RecallMessageProcessor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.internet.defer import Deferred

from rmq.remoting.dispatch import Call, Reply, handles
from rmq.server.broker.delay.hook import TIMER_DELETE
from rmq.server.broker.meta.topics import TopicTable
from rmq.server.broker.putting import MessageInner, MessagePutter
from rmq.server.broker.safety import Safety
from rmq.server.broker.stats import BrokerStats
from rmq.server.store.api import PutStatus
from rmq.settings.model import BrokerSettings
from rmq.wire.bodies.topic import PERM_WRITE
from rmq.wire.codes import ResponseCode
from rmq.wire.errors import NoPermissionError, RemotingError, ServiceNotAvailableError, TopicNotExistError
from rmq.wire.message import PROPERTY_TAGS, PROPERTY_TIMER_DELIVER_MS, PROPERTY_UNIQ_KEY
from rmq.wire.recall import RecallHandle, RecallHandleError, parse_recall_handle
from rmq.wire.requests.send import RecallMessage, RecallMessageReply

_TAG: Final = "_RECALL_TAG_"


class IllegalOperationError(RemotingError):
    """A handle that is none, or does not fit the request."""

    default_code = ResponseCode.ILLEGAL_OPERATION


class RecallProcessor:
    """Handles recalls.

    Args:
        settings: whether recalls are allowed.
        topics: which topics exist.
        putter: the way into the store.
        safety: when a recall may be answered.
        stats: counts recalls as messages.
        now: milliseconds since the epoch.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        topics: TopicTable,
        putter: MessagePutter,
        safety: Safety,
        stats: BrokerStats,
        now: Callable[[], int],
    ) -> None:
        self._broker = settings.broker
        self._store = settings.store
        self._topics = topics
        self._putter = putter
        self._safety = safety
        self._stats = stats
        self._now = now

    @handles(RecallMessage)
    def recall(self, header: RecallMessage, call: Call) -> Reply | Deferred[Reply]:
        """Takes a message back that was not delivered yet."""
        broker = self._broker
        if not broker.recall_message_enable:
            raise NoPermissionError("recall failed, operation is forbidden")
        closed = not broker.broker_permission & PERM_WRITE and not broker.allow_recall_when_broker_not_writeable
        if closed or self._now() < broker.start_accept_send_request_time_stamp:
            raise ServiceNotAvailableError("recall failed, broker service not available")
        if header.topic not in self._topics.configs:
            raise TopicNotExistError(f"recall failed, the topic[{header.topic}] not exist")
        handle = self._handle(header.recall_handle, header.topic)
        message = self._message(handle, header.producer_group, call.connection.host)
        result = self._putter.put(message)
        if result.status is not PutStatus.PUT_OK:
            raise RemotingError("recall failed, execute error")
        self._stats.put(message.topic, 1, result.wrote_bytes)
        reply = Reply(RecallMessageReply(handle.message_id), ext={"MSG_REGION": broker.region_id})
        safe = self._safety.when_safe(result)
        return reply if safe is None else safe.addCallback(lambda _: reply)

    def _handle(self, text: str, topic: str) -> RecallHandle:
        """What a handle says, if it can be about a pending message of the topic."""
        try:
            handle = parse_recall_handle(text)
        except RecallHandleError as error:
            raise IllegalOperationError(str(error)) from None
        if handle.topic != topic:
            raise IllegalOperationError("recall failed, topic not match")
        if handle.broker_name != self._broker.broker_name:
            raise IllegalOperationError("recall failed, broker service not available")
        if not 0 < handle.timestamp - self._now() < self._store.timer_max_delay_sec * 1000:
            raise IllegalOperationError("recall failed, timestamp invalid")
        return handle

    def _message(self, handle: RecallHandle, group: str | None, host: bytes) -> MessageInner:
        """What makes the timer leave the other message out."""
        key = handle.message_id
        if self._store.append_topic_for_timer_delete_key:
            key = f"{handle.topic}+{key}"
        now = self._now()
        properties = {
            TIMER_DELETE: key,
            PROPERTY_UNIQ_KEY: handle.message_id,
            PROPERTY_TIMER_DELIVER_MS: str(handle.timestamp),
            PROPERTY_TAGS: _TAG,
            "BORN_TIMESTAMP": str(now),
        }
        if group:
            properties["PGROUP"] = group
        return MessageInner(handle.topic, 0, b"0", properties, 0, 0, now, host)
