"""Finds stored messages, and tells who has consumed one.

Source: MQAdminImpl, DefaultMQAdminExtImpl.messageTrackDetail.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from rmq.client.admin.clusters import MASTER, chosen_address, cluster_info
from rmq.client.admin.errors import NoMessageError, NoTopicRouteError
from rmq.client.admin.groups import consume_stats, consumer_connection, groups_of_topic
from rmq.client.admin.session import Admin
from rmq.client.admin.stored import messages_in
from rmq.client.admin.topics import topic_route
from rmq.client.message import MessageExt
from rmq.wire.address import join_address
from rmq.wire.bodies.connection import ConsumerConnection
from rmq.wire.bodies.heartbeat import ConsumeType
from rmq.wire.bodies.printed import java_text
from rmq.wire.codes import ResponseCode
from rmq.wire.errors import RemotingError, TopicNotExistError
from rmq.wire.message import (
    KEY_SEPARATOR,
    MessageError,
    parse_offset_message_id,
    unpack_host,
)
from rmq.wire.names import LMQ_PREFIX, TIMER_TOPIC
from rmq.wire.requests.message import QueryMessage, ViewMessageById

FOREVER: Final = (1 << 63) - 1
"""The latest time there is, in ms."""

BY_KEY: Final = "K"
BY_TAG: Final = "T"
_BY_UNIQUE_ID: Final = "U"

_PATIENCE: Final = 3
"""Times the usual time-out: an index may be large."""

_UNIQUE_ID_LIMIT: Final = 32
_UNIQUE_ID_AGE: Final = 3 * 24 * 60 * 60 * 1000


# --- finding -------------------------------------------------------------------------------------------------------


async def messages_with_key(
    admin: Admin,
    topic: str,
    key: str,
    *,
    cluster: str | None = None,
    most: int = 64,
    begin: int = 0,
    end: int = FOREVER,
    kind: str = BY_KEY,
    last_key: str | None = None,
    failed: Callable[[RemotingError], object] | None = None,
) -> list[MessageExt]:
    """Messages with a key or a tag, of every broker that holds the topic.

    Args:
        admin: the session.
        topic: the topic.
        key: the key or tag.
        cluster: only its brokers; for an LMQ topic, the topic whose route is taken.
        most: messages from each broker.
        begin: stored at this time (ms) or later.
        end: stored at this time (ms) or earlier.
        kind: `BY_KEY` or `BY_TAG`.
        last_key: where an earlier look ended.
        failed: is told of brokers that could not look while others have found something.

    Raises:
        NoTopicRouteError: the topic has no route.
        NoMessageError: nothing was found.
        RemotingError: nothing was found, and a broker could not look.
    """
    header = QueryMessage(_indexed_topic(topic, cluster), key, most, begin, end, kind, last_key)
    found = await _query(admin, topic, cluster, header, failed)

    def matches(message: MessageExt) -> bool:
        if kind == BY_TAG:
            return message.tags == key
        same_topic = topic.startswith(LMQ_PREFIX) or message.topic == topic
        return same_topic and key in (message.keys or "").split(KEY_SEPARATOR)

    return _some([message for message in found if matches(message)])


async def messages_with_unique_id(
    admin: Admin,
    topic: str,
    unique_id: str,
    *,
    cluster: str | None = None,
    begin: int | None = None,
    end: int = FOREVER,
) -> list[MessageExt]:
    """Messages with a client's id, stored in the last three days unless `begin` says otherwise.

    Raises:
        NoTopicRouteError: the topic has no route.
        NoMessageError: nothing was found.
    """
    since = admin.now() - _UNIQUE_ID_AGE if begin is None else begin
    header = QueryMessage(
        _indexed_topic(topic, cluster),
        unique_id,
        _UNIQUE_ID_LIMIT,
        since,
        end,
        _BY_UNIQUE_ID,
        unique_key=True,
    )
    found = await _query(admin, topic, cluster, header)
    return _some([message for message in found if message.msg_id == unique_id])


def _indexed_topic(topic: str, cluster: str | None) -> str:
    return cluster if cluster and topic.startswith(LMQ_PREFIX) else topic


async def _query(
    admin: Admin,
    topic: str,
    cluster: str | None,
    header: QueryMessage,
    failed: Callable[[RemotingError], object] | None = None,
) -> list[MessageExt]:
    by_cluster_topic = topic.startswith(LMQ_PREFIX) or topic == TIMER_TOPIC
    try:
        route = await topic_route(admin, cluster if cluster and by_cluster_topic else topic)
    except TopicNotExistError:
        raise NoTopicRouteError(topic) from None
    lmq = topic.startswith(LMQ_PREFIX)
    brokers = [data for data in route.broker_datas if lmq or not cluster or data.cluster == cluster]
    addresses = [(address, data.broker_name) for data in brokers if (address := chosen_address(data)) is not None]
    if not addresses:
        raise NoTopicRouteError(topic)

    async def ask(broker: tuple[str, str]) -> list[MessageExt]:
        address, name = broker
        answer = await admin.call(address, header, timeout=admin.timeout * _PATIENCE)
        return list(messages_in(answer, name))

    outcomes = await admin.attempt_each(addresses, ask)
    found = [message for outcome in outcomes if not isinstance(outcome, RemotingError) for message in outcome]
    failures = [outcome for outcome in outcomes if isinstance(outcome, RemotingError)]
    # A broker without such a message refuses; anything else hides messages that may be there.
    hiding = [failure for failure in failures if failure.code != ResponseCode.QUERY_NOT_FOUND]
    if hiding and not found:
        raise hiding[0]
    for failure in hiding:
        if failed is not None:
            failed(failure)
    return found


def _some(messages: list[MessageExt]) -> list[MessageExt]:
    if not messages:
        raise NoMessageError("query message by key finished, but no message.")
    return messages


async def find_message(admin: Admin, topic: str, message_id: str, cluster: str | None = None) -> MessageExt:
    """The message with a broker's id or a client's.

    Raises:
        NoTopicRouteError: the topic has no route.
        NoMessageError: nothing was found.
    """
    try:
        return await view_message(admin, topic, message_id)
    except (MessageError, RemotingError):
        # Both kinds of id look alike; what no broker knows is taken for a client's.
        return (await messages_with_unique_id(admin, topic, message_id, cluster=cluster))[0]


async def view_message(admin: Admin, topic: str, offset_message_id: str) -> MessageExt:
    """The message with a broker's id, from the broker that the id names.

    Raises:
        MessageError: it is no such id.
        RemotingError: the broker has no such message, or cannot be reached.
    """
    host, offset = parse_offset_message_id(offset_message_id)
    address = join_address(*unpack_host(host))
    answer = await admin.call(address, ViewMessageById(offset, topic))
    return _some(list(messages_in(answer)))[0]


# --- tracks --------------------------------------------------------------------------------------------------------


class TrackType(StrEnum):
    """What became of a message in a group."""

    CONSUMED = "CONSUMED"
    CONSUMED_BUT_FILTERED = "CONSUMED_BUT_FILTERED"
    PULL = "PULL"
    NOT_CONSUME_YET = "NOT_CONSUME_YET"
    NOT_ONLINE = "NOT_ONLINE"
    CONSUME_BROADCASTING = "CONSUME_BROADCASTING"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class MessageTrack:
    """What became of a message in one group; its text is what Java prints."""

    consumer_group: str
    track_type: TrackType
    exception_desc: str | None = None

    def __str__(self) -> str:
        return (
            f"MessageTrack [consumerGroup={self.consumer_group}, trackType={self.track_type}, "
            f"exceptionDesc={java_text(self.exception_desc)}]"
        )


async def message_tracks(admin: Admin, message: MessageExt) -> list[MessageTrack]:
    """What became of a message in each group that consumes its topic.

    Raises:
        RemotingError: the groups cannot be asked for.
    """
    groups = await groups_of_topic(admin, message.topic)
    return await admin.each(groups, lambda group: _track(admin, message, group))


async def _track(admin: Admin, message: MessageExt, group: str) -> MessageTrack:
    try:
        connection = await consumer_connection(admin, group)
        if connection.consume_type is ConsumeType.CONSUME_ACTIVELY:
            return MessageTrack(group, TrackType.PULL)
        if connection.consume_type is not ConsumeType.CONSUME_PASSIVELY:
            return MessageTrack(group, TrackType.UNKNOWN)
        if not await _is_consumed(admin, message, group):
            return MessageTrack(group, TrackType.NOT_CONSUME_YET)
    except RemotingError as error:
        return _untracked(group, error)
    selected = _selects(connection, message)
    return MessageTrack(group, TrackType.CONSUMED if selected else TrackType.CONSUMED_BUT_FILTERED)


def _untracked(group: str, error: RemotingError) -> MessageTrack:
    if error.code == ResponseCode.BROADCAST_CONSUMPTION:
        return MessageTrack(group, TrackType.CONSUME_BROADCASTING)
    offline = error.code == ResponseCode.CONSUMER_NOT_ONLINE
    described = f"CODE:{int(error.code)} DESC:{error.remark}"
    return MessageTrack(group, TrackType.NOT_ONLINE if offline else TrackType.UNKNOWN, described)


async def _is_consumed(admin: Admin, message: MessageExt, group: str) -> bool:
    stats = await consume_stats(admin, group)
    info = await cluster_info(admin)
    for queue, offsets in stats.offset_table.items():
        data = info.broker_addr_table.get(queue.broker_name)
        stored_there = data is not None and data.broker_addrs.get(MASTER) == message.store_host
        if stored_there and (queue.topic, queue.queue_id) == (message.topic, message.queue_id):
            return offsets.consumer_offset > message.queue_offset
    return False


def _selects(connection: ConsumerConnection, message: MessageExt) -> bool:
    subscription = connection.subscription_table.get(message.topic)
    if subscription is None or not subscription.tags_set:
        return True
    return "*" in subscription.tags_set or message.tags in subscription.tags_set
