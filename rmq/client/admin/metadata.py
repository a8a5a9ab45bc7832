"""What a broker knows of topics and groups: all of it, and the part that users own.

Large tables come in pages that belong to one version; when the table changes in between, reading starts again.

Source: MQClientAPIImpl.getAllTopicConfig and getAllSubscriptionGroup, DefaultMQAdminExtImpl.getUserTopicConfig and
getUserSubscriptionGroup.
"""

from __future__ import annotations

from typing import Final

from rmq.client.admin.session import Admin
from rmq.wire.bodies.group import SubscriptionGroupWrapper
from rmq.wire.bodies.topic import PERM_PRIORITY, TopicConfigAndMappingSerializeWrapper, TopicList
from rmq.wire.bodies.version import DataVersion
from rmq.wire.declare import encode_body
from rmq.wire.names import DLQ_PREFIX, RETRY_PREFIX, is_predefined_group, is_system_group, is_system_topic
from rmq.wire.requests.broker import GetSystemTopicListFromBroker
from rmq.wire.requests.group import GetAllSubscriptionGroupConfig, GetAllSubscriptionGroupReply
from rmq.wire.requests.topic import GetAllTopicConfig, GetAllTopicConfigReply

PAGE: Final = 2000
"""Topics or groups asked for at a time."""


async def all_topics(admin: Admin, address: str) -> TopicConfigAndMappingSerializeWrapper:
    """Every topic of a broker, the mappings of its static ones and the table's version."""
    found = TopicConfigAndMappingSerializeWrapper()
    version: DataVersion | None = None
    while True:
        header = GetAllTopicConfig(len(found.topic_config_table), _text(version), PAGE)
        answer = await admin.call(address, header)
        page = answer.json(TopicConfigAndMappingSerializeWrapper)
        if version is not None and page.data_version != version:
            # The names of another version may stand on other pages, and the broker has begun again by itself.
            found = TopicConfigAndMappingSerializeWrapper()
        version = page.data_version
        found.topic_config_table.update(page.topic_config_table)
        found.topic_queue_mapping_detail_map.update(page.topic_queue_mapping_detail_map)
        found.data_version, found.mapping_data_version = version, page.mapping_data_version
        reply: GetAllTopicConfigReply = answer.header
        if reply.total_topic_num is None or not page.topic_config_table:
            return found
        if len(found.topic_config_table) >= reply.total_topic_num:
            return found


async def all_groups(admin: Admin, address: str) -> SubscriptionGroupWrapper:
    """Every group of a broker, what it is forbidden to read, and the table's version."""
    found = SubscriptionGroupWrapper()
    version: DataVersion | None = None
    while True:
        header = GetAllSubscriptionGroupConfig(len(found.subscription_group_table), _text(version), PAGE)
        answer = await admin.call(address, header)
        page = answer.json(SubscriptionGroupWrapper)
        if version is not None and page.data_version != version:
            found = SubscriptionGroupWrapper()
        version = found.data_version = page.data_version
        found.subscription_group_table.update(page.subscription_group_table)
        found.forbidden_table.update(page.forbidden_table)
        reply: GetAllSubscriptionGroupReply = answer.header
        if reply.total_group_num is None or not page.subscription_group_table:
            return found
        if len(found.subscription_group_table) >= reply.total_group_num:
            return found


def _text(version: DataVersion | None) -> str:
    return "" if version is None else encode_body(version).decode()


async def system_topics(admin: Admin, address: str) -> frozenset[str]:
    """The topics that a broker itself owns, its cluster's and its own name among them."""
    return frozenset((await admin.call(address, GetSystemTopicListFromBroker())).json(TopicList).topic_list)


async def user_topics(
    admin: Admin, address: str, *, special: bool = False
) -> TopicConfigAndMappingSerializeWrapper:
    """The topics that users made.

    Args:
        admin: the session.
        address: the broker.
        special: keep retry and dead-letter topics.
    """
    wrapper = await all_topics(admin, address)
    system = await system_topics(admin, address)
    wrapper.topic_config_table = {
        name: config
        for name, config in wrapper.topic_config_table.items()
        if name not in system
        and not is_system_topic(name)
        and (special or not name.startswith((RETRY_PREFIX, DLQ_PREFIX)))
        and 0 <= config.perm < PERM_PRIORITY
    }
    return wrapper


async def user_groups(admin: Admin, address: str) -> SubscriptionGroupWrapper:
    """The groups that users made."""
    wrapper = await all_groups(admin, address)
    wrapper.subscription_group_table = {
        name: config for name, config in wrapper.subscription_group_table.items() if not is_own_group(name)
    }
    return wrapper


def is_own_group(name: str) -> bool:
    """Whether RocketMQ itself or one of its tools uses the group."""
    return is_system_group(name) or is_predefined_group(name)
