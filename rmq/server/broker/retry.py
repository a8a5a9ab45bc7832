"""Where messages go that a group could not consume: its retry topic, and after too many attempts its dead letters.

A group's retry topic `%RETRY%group` has as many queues as the group's `retryQueueNums`, and every member of the group
subscribes it. Its dead-letter topic `%DLQ%group` has one queue, which nobody reads unless told to.

Messages get there on two roads. A consumer sends one *back* and names its place in the log (`processors/send_back.py`);
when that fails it *sends* the message to the retry topic like a producer, and so do orderly consumers with what they
give up. The latter is why a group that holds locked queues has no more attempts: its messages are dead letters at once.

Source: AbstractSendMessageProcessor.consumerSendMsgBack, SendMessageProcessor.handleRetryAndDLQ.
"""

from __future__ import annotations

from typing import Final

from rmq.server.broker.locks import QueueLocks
from rmq.server.broker.meta.groups import GroupTable
from rmq.server.broker.meta.topics import TopicTable
from rmq.server.broker.putting import MessageInner
from rmq.wire.bodies.group import SubscriptionGroupConfig
from rmq.wire.bodies.topic import TopicConfig
from rmq.wire.codes import VERSION_MAX_RECONSUME_TIMES
from rmq.wire.errors import SEE_FAQ, SubscriptionGroupNotExistError
from rmq.wire.message import PROPERTY_DELAY
from rmq.wire.names import RETRY_PREFIX, dlq_topic, retry_topic

DEAD_LETTER_QUEUES: Final = 1
_UNIT_SUB: Final = 2


class RetryRules:
    """Finds topics for what groups could not consume.

    Args:
        groups: how often a group may try, and with how many queues.
        topics: where retry and dead-letter topics are made when they are needed.
        locks: tells which groups consume in order.
    """

    def __init__(self, groups: GroupTable, topics: TopicTable, locks: QueueLocks) -> None:
        self._groups = groups
        self._topics = topics
        self._locks = locks

    def group(self, name: str) -> SubscriptionGroupConfig:
        """The group's configuration, made now if it may be.

        Raises:
            SubscriptionGroupNotExistError: it is unknown and may not be made.
        """
        group = self._groups.find(name)
        if group is None:
            raise SubscriptionGroupNotExistError(f"subscription group not exist, {name} {SEE_FAQ}")
        return group

    def retry_topic(self, group: SubscriptionGroupConfig, *, unit: bool) -> TopicConfig:
        """The group's retry topic; `unit` marks it as one of a deployment in units when it is made now."""
        name = retry_topic(group.group_name)
        return self._topics.ensure(name, group.retry_queue_nums, sys_flag=_UNIT_SUB if unit else 0)

    def dead_letter_topic(self, group: str) -> TopicConfig:
        """The group's dead-letter topic."""
        return self._topics.ensure(dlq_topic(group), DEAD_LETTER_QUEUES)

    def redirect(self, message: MessageInner, most: int | None, version: int) -> None:
        """Makes a message that a client sends to a retry topic a dead letter, where its attempts are used up.

        Args:
            message: what was sent; its topic begins with the prefix of retry topics.
            most: how many attempts the client allows, None for as many as the group.
            version: the client's version.

        Raises:
            SubscriptionGroupNotExistError: the topic's group is unknown and may not be made.
        """
        name = message.topic.removeprefix(RETRY_PREFIX)
        allowed = attempts(self.group(name), most, version)
        if message.reconsume_times <= allowed and not self._locks.is_ordered(name):
            return
        message.topic = self.dead_letter_topic(name).topic_name
        message.queue_id = 0
        message.properties[PROPERTY_DELAY] = "-1"


def attempts(group: SubscriptionGroupConfig, most: int | None, version: int) -> int:
    """How often a message is tried again: what the client says, if it is one that can, else what the group says."""
    return group.retry_max_times if most is None or version < VERSION_MAX_RECONSUME_TIMES else most
