"""Topics.

Source: DefaultMQAdminExtImpl, MQClientAPIImpl.
"""

from __future__ import annotations

from collections.abc import Mapping

from rmq.client.admin.clusters import chosen_address
from rmq.client.admin.errors import InvalidPermissionError, NoTopicStatsError
from rmq.client.admin.session import Admin
from rmq.wire.bodies.route import TopicRouteData
from rmq.wire.bodies.topic import PERM_PRIORITY, TopicConfig, TopicList, TopicStatsTable
from rmq.wire.names import DEFAULT_TOPIC
from rmq.wire.requests.namesrv import DeleteTopicInNamesrv, GetAllTopicListFromNameserver
from rmq.wire.requests.route import GetRouteInfoByTopic
from rmq.wire.requests.topic import DeleteTopicInBroker, GetTopicStatsInfo, UpdateAndCreateTopic


async def topic_names(admin: Admin) -> list[str]:
    """Every topic that the name server knows, in its order."""
    return (await admin.ask(GetAllTopicListFromNameserver())).json(TopicList).topic_list


async def topic_route(admin: Admin, topic: str) -> TopicRouteData:
    """Where a topic's queues are.

    Raises:
        TopicNotExistError: the name server knows no such topic.
    """
    return (await admin.ask(GetRouteInfoByTopic(topic, True))).json(TopicRouteData)


def addresses_of(route: TopicRouteData) -> list[str]:
    """One address for each broker of a route."""
    chosen = (chosen_address(data) for data in route.broker_datas)
    return [address for address in chosen if address is not None]


async def topic_stats(admin: Admin, topic: str, *, route_of: str | None = None) -> TopicStatsTable:
    """Bounds of a topic's queues on all its brokers.

    Args:
        admin: the session.
        topic: the topic.
        route_of: the topic whose route is taken, for topics that have none.

    Raises:
        NoTopicStatsError: no broker has queues of it.
    """
    route = await topic_route(admin, route_of or topic)

    async def ask(address: str) -> TopicStatsTable:
        return (await admin.call(address, GetTopicStatsInfo(topic))).json(TopicStatsTable)

    result = TopicStatsTable()
    for part in await admin.each(addresses_of(route), ask):
        result.offset_table.update(part.offset_table)
    if not result.offset_table and route_of is None:
        raise NoTopicStatsError
    return result


async def create_topic(admin: Admin, address: str, config: TopicConfig) -> None:
    """Creates a topic on one broker, or overwrites its configuration.

    Raises:
        InvalidPermissionError: the permission is none (Validators.checkTopicConfig).
    """
    if not 0 <= config.perm < PERM_PRIORITY:
        raise InvalidPermissionError(config.perm)
    header = UpdateAndCreateTopic(
        topic=config.topic_name,
        default_topic=DEFAULT_TOPIC,
        read_queue_nums=config.read_queue_nums,
        write_queue_nums=config.write_queue_nums,
        perm=config.perm,
        topic_filter_type=config.topic_filter_type,
        topic_sys_flag=config.topic_sys_flag,
        order=config.order,
        attributes=attributes_text(config.attributes),
    )
    await admin.call(address, header)


async def delete_topic_on_broker(admin: Admin, address: str, topic: str) -> None:
    """Removes a topic and its messages from one broker."""
    await admin.call(address, DeleteTopicInBroker(topic))


async def delete_topic_on_namesrv(admin: Admin, address: str, topic: str, cluster: str | None = None) -> None:
    """Removes a topic from the routes of one name server."""
    await admin.call(address, DeleteTopicInNamesrv(topic, cluster))


def attributes_text(attributes: Mapping[str, str]) -> str:
    """Changes of attributes as they travel, `+key=value,-key` (AttributeParser.parseToString)."""
    return ",".join(f"{key}={value}" if value else key for key, value in attributes.items())
