"""Topics.

Source: DefaultMQAdminExtImpl, MQClientAPIImpl.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from rmq.client.admin.clusters import chosen_address
from rmq.client.admin.errors import InvalidPermissionError, NoTopicStatsError
from rmq.client.admin.session import Admin
from rmq.wire.bodies.route import TopicRouteData
from rmq.wire.bodies.topic import (
    PERM_PRIORITY,
    CreateTopicListRequestBody,
    TopicConfig,
    TopicList,
    TopicStatsTable,
)
from rmq.wire.names import DEFAULT_TOPIC
from rmq.wire.requests.namesrv import DeleteTopicInNamesrv, GetAllTopicListFromNameserver
from rmq.wire.requests.route import GetRouteInfoByTopic
from rmq.wire.requests.topic import (
    DeleteTopicInBroker,
    GetTopicConfig,
    GetTopicStatsInfo,
    UpdateAndCreateTopic,
    UpdateAndCreateTopicList,
)


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
    """Bounds of a topic's queues on all its brokers, and of its logical queues if it is static.

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
    if route.topic_queue_mapping_by_broker and route_of is None:
        from rmq.client.admin.static_topics import add_logical_bounds

        await add_logical_bounds(admin, topic, route, result)
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


async def create_topics(admin: Admin, address: str, configs: Sequence[TopicConfig]) -> None:
    """Creates topics on one broker together, or overwrites their configurations.

    Attributes are changes: their names begin with `+` or `-`. Apache's broker stops at the first topic that is like
    that already, and calls it a success: such ones are left out.

    Raises:
        RemotingError: the broker refused one of them, and took none.
    """
    from rmq.client.admin.metadata import all_topics

    known = (await all_topics(admin, address)).topic_config_table
    wanted = [config for config in configs if known.get(config.topic_name) != config]
    if wanted:
        await admin.call(address, UpdateAndCreateTopicList(), CreateTopicListRequestBody(wanted))


async def topic_config(admin: Admin, address: str, topic: str) -> TopicConfig:
    """A topic's configuration on one broker.

    Raises:
        TopicNotExistError: the broker has no such topic.
    """
    return (await admin.call(address, GetTopicConfig(topic))).json(TopicConfig)


class Permitted(NamedTuple):
    """A topic's permission before a change, and its configuration as it was sent."""

    before: int
    config: TopicConfig


async def change_permission(admin: Admin, address: str, topic: str, perm: int) -> Permitted:
    """Changes nothing but a topic's permission on one broker; when it is that already, nothing is sent.

    Raises:
        TopicNotExistError: the broker has no such topic.
        InvalidPermissionError: the permission is none.
    """
    known = await topic_config(admin, address, topic)
    # Attributes travel as changes, and there are none.
    config = replace(known, perm=perm, attributes={})
    if known.perm != perm:
        await create_topic(admin, address, config)
    return Permitted(known.perm, config)


async def delete_topic_on_broker(admin: Admin, address: str, topic: str) -> None:
    """Removes a topic and its messages from one broker."""
    await admin.call(address, DeleteTopicInBroker(topic))


async def delete_topic_on_namesrv(admin: Admin, address: str, topic: str, cluster: str | None = None) -> None:
    """Removes a topic from the routes of one name server."""
    await admin.call(address, DeleteTopicInNamesrv(topic, cluster))


def attributes_text(attributes: Mapping[str, str]) -> str:
    """Changes of attributes as they travel, `+key=value,-key` (AttributeParser.parseToString)."""
    return ",".join(f"{key}={value}" if value else key for key, value in attributes.items())
