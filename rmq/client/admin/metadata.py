"""What a broker knows of topics and groups: all of it, and the part that users own.

Source: MQClientAPIImpl.getAllTopicConfig and getAllSubscriptionGroup, DefaultMQAdminExtImpl.getUserTopicConfig and
getUserSubscriptionGroup.
"""

from __future__ import annotations

from functools import partial

from rmq.client.admin.session import Admin
from rmq.remoting.pages import GROUPS, TOPICS, read_pages
from rmq.wire.bodies.group import SubscriptionGroupWrapper
from rmq.wire.bodies.topic import PERM_PRIORITY, TopicConfigAndMappingSerializeWrapper, TopicList
from rmq.wire.names import DLQ_PREFIX, RETRY_PREFIX, is_predefined_group, is_system_group, is_system_topic
from rmq.wire.requests.broker import GetSystemTopicListFromBroker


async def all_topics(admin: Admin, address: str) -> TopicConfigAndMappingSerializeWrapper:
    """Every topic of a broker, the mappings of its static ones and the table's version."""
    return await read_pages(TOPICS, partial(admin.call, address))


async def all_groups(admin: Admin, address: str) -> SubscriptionGroupWrapper:
    """Every group of a broker, what it is forbidden to read, and the table's version."""
    return await read_pages(GROUPS, partial(admin.call, address))


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
