"""A consumer sends a message back that it could not consume: it will come again later, or is a dead letter.

The message's copy goes to the group's retry topic with a delay that grows with every attempt, one level after the
other from the third. Body, flags and sender are those of the original; properties tell where it came from:

| property | meaning |
|---|---|
| RETRY_TOPIC | topic of the original; consumers show it as the message's |
| ORIGIN_MESSAGE_ID | the original's offset message id |
| DELAY | the delay level |
| WAIT | false: nobody waits for the disk |

Order of checks, as Apache's: group, broker permission, retry queues, retry topic and its permission, the message.

Source: AbstractSendMessageProcessor.consumerSendMsgBack.
"""

from __future__ import annotations

from random import randrange
from typing import Final

from twisted.internet.defer import Deferred

from rmq.remoting.dispatch import Call, handles
from rmq.server.broker.meta.topics import TopicTable
from rmq.server.broker.putting import MessageInner, MessagePutter
from rmq.server.broker.retry import RetryRules, attempts
from rmq.server.broker.stats import BrokerStats
from rmq.server.store.api import PutStatus
from rmq.server.store.store import MessageStore
from rmq.settings.model import BrokerSettings
from rmq.wire.bodies.topic import PERM_WRITE
from rmq.wire.errors import NoPermissionError, RemotingError
from rmq.wire.message import PROPERTY_DELAY, MessageError, StoredMessage, decode_message
from rmq.wire.names import SCHEDULE_TOPIC
from rmq.wire.requests.retry import ConsumerSendMsgBack

RETRY_TOPIC: Final = "RETRY_TOPIC"
ORIGIN_MESSAGE_ID: Final = "ORIGIN_MESSAGE_ID"
_WAIT: Final = "WAIT"
_FIRST_LEVEL: Final = 3
_MAX_INT32: Final = 0x7FFFFFFF


class SendBackProcessor:
    """Handles messages that come back.

    Args:
        settings: permission of the broker.
        topics: tells what name servers know.
        rules: where they go.
        store: where the originals lie.
        putter: the way into the store.
        stats: counts them.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        topics: TopicTable,
        rules: RetryRules,
        store: MessageStore,
        putter: MessagePutter,
        stats: BrokerStats,
    ) -> None:
        self._broker = settings.broker
        self._topics = topics
        self._rules = rules
        self._store = store
        self._putter = putter
        self._stats = stats

    @handles(ConsumerSendMsgBack)
    def send_back(self, header: ConsumerSendMsgBack, call: Call) -> Deferred[None] | None:
        """Stores the message again, for later or for good; a group without retry queues has it dropped."""
        group = self._rules.group(header.group)
        if not self._broker.broker_permission & PERM_WRITE:
            raise NoPermissionError(f"the broker[{self._broker.broker_ip1}] sending message is forbidden")
        if group.retry_queue_nums <= 0:
            return None
        version = self._topics.version
        topic = self._rules.retry_topic(group, unit=bool(header.unit_mode))
        if not topic.perm & PERM_WRITE:
            raise NoPermissionError(f"the topic[{topic.topic_name}] sending message is forbidden")
        original = self._original(header.offset)
        times = original.reconsume_times
        level = header.delay_level
        if times >= attempts(group, header.max_reconsume_times, call.command.version) or level < 0:
            name, queue_id, level = self._rules.dead_letter_topic(group.group_name).topic_name, 0, 0
        else:
            # A topic that was made when the group had fewer retry queues has those still, and nobody reads others.
            queues = min(group.retry_queue_nums, topic.read_queue_nums)
            name, queue_id, level = topic.topic_name, randrange(max(queues, 1)), level or _FIRST_LEVEL + times
        copy = _copy(original, name, queue_id, level)
        result = self._putter.put(copy)
        if result.status is not PutStatus.PUT_OK:
            self._stats.put_failed()
            raise RemotingError(result.status.name)
        if copy.topic == SCHEDULE_TOPIC:
            self._stats.put(SCHEDULE_TOPIC, 1, result.wrote_bytes)
        self._stats.sent_back(copy.properties[RETRY_TOPIC], group.group_name)
        return self._topics.told_since(version)

    def _original(self, offset: int) -> StoredMessage:
        record = self._store.message_at(offset)
        if record is None:
            raise RemotingError(f"look message by offset failed, {offset}")
        try:
            return decode_message(record)
        except MessageError:
            raise RemotingError(f"look message by offset failed, {offset}") from None


def _copy(original: StoredMessage, topic: str, queue_id: int, level: int) -> MessageInner:
    properties = {
        RETRY_TOPIC: original.topic,
        ORIGIN_MESSAGE_ID: original.offset_id,
        **original.properties,
        _WAIT: "false",
        PROPERTY_DELAY: str(min(level, _MAX_INT32)),
    }
    return MessageInner(
        topic,
        queue_id,
        original.body,
        properties,
        original.flag,
        original.sys_flag,
        original.born_timestamp,
        original.born_host,
        min(original.reconsume_times + 1, _MAX_INT32),
    )
