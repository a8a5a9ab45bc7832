"""The queues of a topic with their bounds, in one request a broker, and their messages as values."""

from __future__ import annotations

from dataclasses import dataclass

from rmq.client.admin.pulling import readable_queues
from rmq.client.admin.topics import addresses_of
from rmq.client.message import PROPERTY_MAX_OFFSET, PROPERTY_MIN_OFFSET, MessageExt
from rmq.tui.service.live.known import Known
from rmq.tui.service.model import StoredMessage
from rmq.wire.bodies.route import MessageQueue, TopicRouteData
from rmq.wire.bodies.topic import TopicStatsTable
from rmq.wire.errors import RemotingError
from rmq.wire.requests.topic import GetTopicStatsInfo


@dataclass(frozen=True, slots=True)
class Span:
    """Offsets of a queue from `first` to before `last`; `newest` is when the last message came, in ms."""

    queue: MessageQueue
    first: int
    last: int
    newest: int = 0


async def spans(known: Known, route: TopicRouteData, topic: str) -> tuple[list[Span], list[RemotingError]]:
    """What readable queues hold, in their order, and why some brokers could not tell."""

    async def ask(address: str) -> TopicStatsTable:
        return (await known.admin.call(address, GetTopicStatsInfo(topic))).json(TopicStatsTable)

    outcomes = await known.admin.attempt_each(addresses_of(route), ask)
    readable = set(readable_queues(route, topic))
    found = [
        Span(queue, at.min_offset, at.max_offset, at.last_update_timestamp)
        for outcome in outcomes
        if not isinstance(outcome, RemotingError)
        for queue, at in sorted(outcome.offset_table.items())
        if queue in readable
    ]
    return found, [outcome for outcome in outcomes if isinstance(outcome, RemotingError)]


def message_of(message: MessageExt, broker: str = "") -> StoredMessage:
    """A stored message as a value; what a pull has added to its properties is left out."""
    properties = dict(message.properties)
    for added in (PROPERTY_MIN_OFFSET, PROPERTY_MAX_OFFSET):
        properties.pop(added, None)
    return StoredMessage(
        message.topic,
        message.broker_name or broker,
        message.queue_id,
        message.queue_offset,
        message.msg_id,
        message.offset_msg_id,
        message.body,
        message.tags or "",
        message.keys or "",
        tuple(sorted(properties.items())),
        message.store_timestamp,
        message.born_timestamp,
        message.born_host,
        message.store_host,
        message.store_size,
        message.commit_log_offset,
        message.reconsume_times,
        message.body_crc,
        message.flag,
        message.sys_flag,
    )
