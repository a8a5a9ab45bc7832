"""Whether a client may send to a topic and queue, asked before anything is stored.

Order of checks, as Apache's: broker permission, topic name, topics closed to clients, topic existence (made now if
it may be), queue id.

Source: AbstractSendMessageProcessor.msgCheck.
"""

from __future__ import annotations

from random import randrange
from typing import Final

from rmq.server.broker.meta.topics import TopicTable
from rmq.settings.broker import BrokerConfig
from rmq.wire.bodies.topic import PERM_WRITE, TopicConfig
from rmq.wire.errors import SEE_FAQ, InvalidParameterError, NoPermissionError, TopicNotExistError
from rmq.wire.names import RETRY_PREFIX, check_topic, is_not_allowed_send_topic
from rmq.wire.requests.send import SendMessage, SendMessageV2

_UNIT: Final = 1
_UNIT_SUB: Final = 2


def checked_topic(broker: BrokerConfig, topics: TopicTable, header: SendMessage | SendMessageV2) -> TopicConfig:
    """The topic that a send names.

    Raises:
        NoPermissionError: the broker does not take sends, or the topic is closed to clients.
        InvalidParameterError: the name is not allowed.
        TopicNotExistError: it is unknown and may not be made.
    """
    name = header.topic
    if not broker.broker_permission & PERM_WRITE and topics.is_order(name):
        raise NoPermissionError(f"the broker[{broker.broker_ip1}] sending message is forbidden")
    check_topic(name)
    if is_not_allowed_send_topic(name):
        raise NoPermissionError(f"Sending message to topic[{name}] is forbidden.")
    known = topics.configs.get(name)
    if known is not None:
        return known
    sys_flag = (_UNIT_SUB if name.startswith(RETRY_PREFIX) else _UNIT) if header.unit_mode else 0
    topic = topics.create_on_send(name, header.default_topic, header.default_topic_queue_nums, sys_flag)
    if topic is None:
        raise TopicNotExistError(f"topic[{name}] not exist, apply first please!{SEE_FAQ}")
    return topic


def checked_queue(topic: TopicConfig, queue_id: int, producer: str) -> int:
    """The queue for a message; chosen here when its producer names none.

    Args:
        topic: where it goes.
        queue_id: what the producer names, negative for none.
        producer: its address, for the refusal.

    Raises:
        InvalidParameterError: the topic has no such queue, neither for writing nor for reading.
    """
    if queue_id < 0:
        queue_id = randrange(topic.write_queue_nums) if topic.write_queue_nums else topic.read_queue_nums
    if queue_id >= topic.write_queue_nums and queue_id >= topic.read_queue_nums:
        raise InvalidParameterError(f"request queueId[{queue_id}] is illegal, {topic} Producer: {producer}")
    return queue_id
