"""Consumer groups, and who is connected.

A group is found through its retry topic, which exists on every broker that its consumers have reported to.

Source: DefaultMQAdminExtImpl, MQClientAPIImpl.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from rmq.client.admin.clusters import chosen_address, cluster_info, replicas
from rmq.client.admin.errors import BroadcastGroupError, GroupOfflineError
from rmq.client.admin.session import Admin
from rmq.client.admin.topics import (
    addresses_of,
    delete_topic_on_broker,
    delete_topic_on_namesrv,
    topic_names,
    topic_route,
)
from rmq.client.errors import ClientError
from rmq.wire.bodies.connection import ConsumerConnection, ProducerConnection
from rmq.wire.bodies.consume import ConsumeStats, GroupList
from rmq.wire.bodies.group import SubscriptionGroupConfig, SubscriptionGroupList
from rmq.wire.bodies.heartbeat import MessageModel
from rmq.wire.bodies.route import TopicRouteData
from rmq.wire.errors import RemotingError, TopicNotExistError
from rmq.wire.names import LMQ_PREFIX, RETRY_PREFIX, TIMER_TOPIC, dlq_topic, retry_topic
from rmq.wire.requests.consumer import (
    GetConsumerConnectionList,
    GetConsumeStats,
    GetProducerConnectionList,
    QueryTopicConsumeByWho,
)
from rmq.wire.requests.group import (
    DeleteSubscriptionGroup,
    UpdateAndCreateSubscriptionGroup,
    UpdateAndCreateSubscriptionGroupList,
)

_STATS_PATIENCE: Final = 3
"""Times the usual time-out: a broker may have many queues to look at."""

_NO_OFFSETS: Final = "Not found the consumer group consume stats, because return offset table is empty, "


async def create_group(admin: Admin, address: str, config: SubscriptionGroupConfig) -> None:
    """Creates a group on one broker, or overwrites its configuration."""
    await admin.call(address, UpdateAndCreateSubscriptionGroup(), config)


async def create_groups(admin: Admin, address: str, configs: Sequence[SubscriptionGroupConfig]) -> None:
    """Creates groups on one broker, or overwrites their configurations."""
    await admin.call(address, UpdateAndCreateSubscriptionGroupList(), SubscriptionGroupList(list(configs)))


async def delete_group(admin: Admin, address: str, group: str, *, remove_offset: bool) -> None:
    """Removes a group from one broker, its offsets too if wanted. A broker that has no such group agrees as well."""
    await admin.call(address, DeleteSubscriptionGroup(group, remove_offset))


async def delete_group_topics(admin: Admin, cluster: str, group: str) -> None:
    """Removes a group's retry and dead-letter topics, with the messages in them, from a cluster and the name servers.

    Raises:
        RemotingError: a server cannot be reached or refuses; the others of its kind have done it. The name servers are
            asked only when all brokers have.
    """
    from rmq.client.admin.namesrv import delete_kv
    from rmq.client.admin.order import NAMESPACE

    topics = (retry_topic(group), dlq_topic(group))
    addresses = [broker.address for broker in await replicas(admin, cluster)]
    jobs = [(topic, address) for topic in topics for address in addresses]
    await admin.every(jobs, lambda job: delete_topic_on_broker(admin, job[1], job[0]))

    async def forget(job: tuple[str, str]) -> None:
        topic, address = job
        await delete_topic_on_namesrv(admin, address, topic, cluster)
        await delete_kv(admin, address, NAMESPACE, topic)

    await admin.every([(topic, address) for topic in topics for address in admin.nameservers], forget)


class GroupOnBroker(NamedTuple):
    """A group as one broker has it."""

    cluster: str
    broker_name: str
    config: SubscriptionGroupConfig


async def group_configs(admin: Admin, group: str) -> list[GroupOnBroker | RemotingError]:
    """A group's configuration on every broker that has it, and the failures of brokers that cannot be asked.

    All groups of a broker are read: asking for one would create it where groups make themselves.
    """
    from rmq.client.admin.metadata import all_groups

    info = await cluster_info(admin)
    cluster_of = {name: cluster for cluster, names in info.cluster_addr_table.items() for name in names}
    brokers = [
        (cluster_of.get(name, data.cluster), name, address)
        for name, data in sorted(info.broker_addr_table.items())
        if (address := chosen_address(data)) is not None
    ]

    async def look(broker: tuple[str, str, str]) -> GroupOnBroker | None:
        cluster, name, address = broker
        config = (await all_groups(admin, address)).subscription_group_table.get(group)
        return None if config is None else GroupOnBroker(cluster, name, config)

    return [found for found in await admin.attempt_each(brokers, look) if found is not None]


async def groups_of_topic(admin: Admin, topic: str) -> list[str]:
    """The groups that consume a topic, by the word of one broker that holds it."""
    addresses = addresses_of(await topic_route(admin, topic))
    return await groups_on(admin, addresses[0], topic) if addresses else []


async def groups_on(admin: Admin, address: str, topic: str) -> list[str]:
    """The groups that consume a topic, by the word of this broker."""
    return (await admin.call(address, QueryTopicConsumeByWho(topic))).json(GroupList).group_list


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
    result = await stats_on(admin, addresses_of(route), group, topic)
    if not result.offset_table:
        await _explain_no_offsets(admin, group)
    return result


async def stats_on(admin: Admin, addresses: Sequence[str], group: str, topic: str | None = None) -> ConsumeStats:
    """How far a group is on these brokers; nothing when it has no offsets there."""

    async def ask(address: str) -> ConsumeStats:
        header = GetConsumeStats(group, topic)
        return (await admin.call(address, header, timeout=admin.timeout * _STATS_PATIENCE)).json(ConsumeStats)

    result = ConsumeStats()
    for part in await admin.each(addresses, ask):
        for progress in part.offset_table.values():
            # Negative in a queue of a static topic that the group has not come to.
            progress.consumer_offset = max(progress.consumer_offset, 0)
        result.offset_table.update(part.offset_table)
        result.consume_tps += part.consume_tps
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
