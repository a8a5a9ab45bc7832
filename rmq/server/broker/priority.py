"""Messages with a priority: each number has a queue of its own, as far as the topic has queues.

Consumers that pop take the queues in the order of their numbers. A message that is transactional, delayed or ordered
by a sharding key has no priority besides.

Source: SendMessageProcessor.sendMessage, TopicMessageType.parseFromMessageProperty, Message.getPriority.
"""

from __future__ import annotations

from typing import Final

from rmq.server.broker.putting import MessageInner
from rmq.wire.declare import parse_int
from rmq.wire.message import DELAY_PROPERTIES

PROPERTY_PRIORITY: Final = "_SYS_MSG_PRIORITY_"
_OTHER_KINDS: Final = DELAY_PROPERTIES | {"__SHARDINGKEY"}


def apply_priority(message: MessageInner, write_queues: int) -> None:
    """Puts a message with a priority into its queue, or takes away a priority that does not count.

    Args:
        message: what was sent.
        write_queues: how many queues of its topic are for writing.
    """
    properties = message.properties
    text = properties.get(PROPERTY_PRIORITY)
    if text is None:
        return
    try:
        priority = parse_int(text, 32)
    except ValueError:
        return
    if priority < 0:
        return
    if properties.get("TRAN_MSG", "").lower() == "true" or not _OTHER_KINDS.isdisjoint(properties):
        del properties[PROPERTY_PRIORITY]
    else:
        message.queue_id = min(priority, write_queues - 1)
