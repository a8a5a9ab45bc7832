"""Consumer groups, and who is connected.

A group is found through its retry topic, which exists on every broker that its consumers have reported to.

Source: DefaultMQAdminExtImpl, MQClientAPIImpl.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from rmq.client.admin.errors import BroadcastGroupError, GroupOfflineError
from rmq.client.admin.session import Admin
from rmq.client.admin.topics import addresses_of, topic_names, topic_route
from rmq.client.errors import ClientError
from rmq.wire.bodies.connection import ConsumerConnection, ProducerConnection
from rmq.wire.bodies.consume import ConsumeStats, GroupList
from rmq.wire.bodies.group import SubscriptionGroupConfig
from rmq.wire.bodies.heartbeat import ConsumeType, MessageModel
from rmq.wire.bodies.route import MessageQueue, TopicRouteData
from rmq.wire.bodies.running import ConsumeMessageDirectlyResult, ConsumerRunningInfo
from rmq.wire.errors import RemotingError, TopicNotExistError
from rmq.wire.names import LMQ_PREFIX, RETRY_PREFIX, TIMER_TOPIC, retry_topic
from rmq.wire.requests.consumer import (
    ConsumeMessageDirectly,
    GetConsumerConnectionList,
    GetConsumerRunningInfo,
    GetConsumeStats,
    GetProducerConnectionList,
    QueryTopicConsumeByWho,
)
from rmq.wire.requests.group import UpdateAndCreateSubscriptionGroup

_STATS_PATIENCE: Final = 3
"""Times the usual time-out: a broker may have many queues to look at."""

_NO_OFFSETS: Final = "Not found the consumer group consume stats, because return offset table is empty, "


async def create_group(admin: Admin, address: str, config: SubscriptionGroupConfig) -> None:
    """Creates a group on one broker, or overwrites its configuration."""
    await admin.call(address, UpdateAndCreateSubscriptionGroup(), config)


async def groups_of_topic(admin: Admin, topic: str) -> list[str]:
    """The groups that consume a topic, by the word of one broker that holds it."""
    addresses = addresses_of(await topic_route(admin, topic))
    if not addresses:
        return []
    return (await admin.call(addresses[0], QueryTopicConsumeByWho(topic))).json(GroupList).group_list


async def retry_groups(admin: Admin) -> list[str]:
    """Every group that has a retry topic, in the name server's order."""
    return [name.removeprefix(RETRY_PREFIX) for name in await topic_names(admin) if name.startswith(RETRY_PREFIX)]


# --- progress ------------------------------------------------------------------------------------------------------


async def consume_stats(admin: Admin, group: str, topic: str | None = None, cluster: str | None = None) -> ConsumeStats:
    """How far a group is.

    Args:
        admin: the session.
        group: the group.
        topic: only this topic.
        cluster: for an LMQ topic, the topic whose route is taken.

    Raises:
        TopicNotExistError: neither the group's retry topic nor the topic has a route.
        GroupOfflineError: the group has no offsets, and nobody of it is connected.
        BroadcastGroupError: the group has no offsets because it broadcasts.
    """
    route = await _route_of_group(admin, group, topic, cluster)

    async def ask(address: str) -> ConsumeStats:
        header = GetConsumeStats(group, topic)
        return (await admin.call(address, header, timeout=admin.timeout * _STATS_PATIENCE)).json(ConsumeStats)

    result = ConsumeStats()
    for part in await admin.each(addresses_of(route), ask):
        result.offset_table.update(part.offset_table)
        result.consume_tps += part.consume_tps
    if not result.offset_table:
        await _explain_no_offsets(admin, group)
    return result


async def _route_of_group(admin: Admin, group: str, topic: str | None, cluster: str | None) -> TopicRouteData:
    candidates = [retry_topic(group)]
    if topic is not None:
        candidates += [topic, f"{retry_topic(group)}_{topic}"]
        if cluster and (topic.startswith(LMQ_PREFIX) or topic == TIMER_TOPIC):
            candidates.append(cluster)
    for candidate in candidates[:-1]:
        try:
            return await topic_route(admin, candidate)
        except TopicNotExistError:
            continue
    return await topic_route(admin, candidates[-1])


async def _explain_no_offsets(admin: Admin, group: str) -> None:
    try:
        connection = await consumer_connection(admin, group)
    except RemotingError:
        raise GroupOfflineError(_NO_OFFSETS + "maybe the consumer not online") from None
    if connection.message_model is MessageModel.BROADCASTING:
        raise BroadcastGroupError(_NO_OFFSETS + "the consumer is under the broadcast mode")


# --- connections ---------------------------------------------------------------------------------------------------


async def consumer_connection(admin: Admin, group: str, address: str | None = None) -> ConsumerConnection:
    """The clients of a consumer group, by the word of one broker.

    Args:
        admin: the session.
        group: the group.
        address: the broker to ask; one that the group knows when None.

    Raises:
        TopicNotExistError: the group has no retry topic.
        ConsumerNotOnlineError, GroupOfflineError: no client of the group is connected.
    """
    if address is None:
        address = _any_of(admin, await topic_route(admin, retry_topic(group)))
    connection = ConsumerConnection()
    if address is not None:
        connection = (await admin.call(address, GetConsumerConnectionList(group))).json(ConsumerConnection)
    if not connection.connection_set:
        raise GroupOfflineError("Not found the consumer group connection")
    return connection


async def producer_connection(admin: Admin, group: str, topic: str) -> ProducerConnection:
    """The clients of a producer group, by the word of one broker that holds the topic.

    Raises:
        TopicNotExistError: the topic has no route.
        ClientError: no client of the group is connected.
    """
    address = _any_of(admin, await topic_route(admin, topic))
    connection = ProducerConnection()
    if address is not None:
        connection = (await admin.call(address, GetProducerConnectionList(group))).json(ProducerConnection)
    if not connection.connection_set:
        raise ClientError("Not found the producer group connection")
    return connection


def _any_of(admin: Admin, route: TopicRouteData) -> str | None:
    addresses = addresses_of(route)
    return addresses[admin.choose(len(addresses))] if addresses else None


async def running_info(admin: Admin, group: str, client_id: str) -> ConsumerRunningInfo:
    """What a consumer says of itself; a broker relays the question.

    Raises:
        TopicNotExistError: the group has no retry topic.
        RemotingError: the client is not connected.
    """
    address = addresses_of(await topic_route(admin, retry_topic(group)))[0]
    return (await admin.call(address, GetConsumerRunningInfo(group, client_id))).json(ConsumerRunningInfo)


def is_push(info: ConsumerRunningInfo) -> bool:
    """Whether the client library drives the consumption."""
    return info.properties.get("PROP_CONSUME_TYPE") == ConsumeType.CONSUME_PASSIVELY


async def queue_owners(admin: Admin, group: str) -> dict[MessageQueue, str]:
    """Which client of a group, by its id, consumes which queue.

    Raises:
        RemotingError: the group or one of its clients cannot be asked.
    """
    connection = await consumer_connection(admin, group)
    ids = [client.client_id for client in connection.connection_set if client.client_id]
    infos = await admin.each(ids, lambda client_id: running_info(admin, group, client_id))
    return {queue: client_id for client_id, info in zip(ids, infos, strict=True) for queue in info.mq_table}


class DirectPush(NamedTuple):
    """A stored message that one client is to consume now."""

    address: str
    topic: str
    offset_message_id: str


async def push_message(admin: Admin, push: DirectPush, group: str, client_id: str) -> ConsumeMessageDirectlyResult:
    """Lets a client consume a message now; the broker that stores it relays."""
    header = ConsumeMessageDirectly(group, client_id, push.offset_message_id, topic=push.topic)
    return (await admin.call(push.address, header)).json(ConsumeMessageDirectlyResult)
