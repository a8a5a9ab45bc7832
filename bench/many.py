"""A broker with many topics and groups, for whatever shows all of them."""

from __future__ import annotations

import asyncio
import random
import time

from rmq.client.admin.aio import together
from rmq.client.admin.session import Admin
from rmq.client.admin.topics import topic_names
from rmq.remoting.aio import AsyncioClient
from rmq.wire.bodies.group import SubscriptionGroupConfig, SubscriptionGroupList
from rmq.wire.bodies.topic import CreateTopicListRequestBody, TopicConfig
from rmq.wire.names import retry_topic
from rmq.wire.requests.group import UpdateAndCreateSubscriptionGroupList
from rmq.wire.requests.offset import UpdateConsumerOffset
from rmq.wire.requests.send import SendMessageV2
from rmq.wire.requests.topic import UpdateAndCreateTopicList

QUEUES = 4
TOPICS_OF_A_GROUP = 4
MESSAGES = 2
_PAGE = 500
_READY_S = 60.0


def topic_name(number: int) -> str:
    """Name of a topic."""
    return f"Topic_{number:05d}"


def group_name(number: int) -> str:
    """Name of a group."""
    return f"GID_{number:04d}"


def fill(namesrv_addr: str, broker_addr: str, topics: int, groups: int) -> None:
    """Makes topics with a few messages in each, and groups that are one message behind in each of their topics.

    A group consumes four topics that follow one another. Returns when the name server knows all.
    """
    asyncio.run(_fill(namesrv_addr, broker_addr, topics, groups))


async def _fill(namesrv_addr: str, broker_addr: str, topics: int, groups: int) -> None:
    client = AsyncioClient()
    admin = Admin(
        client, (namesrv_addr,), together=together, now=_now, sleep=asyncio.sleep, choose=random.randrange, timeout=30.0
    )
    names = [topic_name(number) for number in range(topics)]
    pairs = [
        (group_name(group), names[(group * TOPICS_OF_A_GROUP + turn) % topics])
        for group in range(groups)
        for turn in range(TOPICS_OF_A_GROUP)
    ]
    try:
        await _create(admin, broker_addr, names, [group_name(number) for number in range(groups)])
        await admin.each(names, lambda name: _send(admin, broker_addr, name))
        await admin.each(pairs, lambda pair: admin.call(broker_addr, UpdateConsumerOffset(*pair, 0, MESSAGES - 1)))
        deadline = time.monotonic() + _READY_S
        while len(set(names).intersection(await topic_names(admin))) < topics:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{namesrv_addr} does not know all topics")
            await asyncio.sleep(0.2)
    finally:
        await client.close()


async def _create(admin: Admin, broker_addr: str, topics: list[str], groups: list[str]) -> None:
    wanted = [TopicConfig(name, QUEUES, QUEUES) for name in topics]
    wanted += [TopicConfig(retry_topic(name), 1, 1) for name in groups]
    for start in range(0, len(wanted), _PAGE):
        body = CreateTopicListRequestBody(wanted[start : start + _PAGE])
        await admin.call(broker_addr, UpdateAndCreateTopicList(), body)
    for start in range(0, len(groups), _PAGE):
        configs = [SubscriptionGroupConfig(name) for name in groups[start : start + _PAGE]]
        await admin.call(broker_addr, UpdateAndCreateSubscriptionGroupList(), SubscriptionGroupList(configs))


async def _send(admin: Admin, broker_addr: str, topic: str) -> None:
    for _ in range(MESSAGES):
        await admin.call(broker_addr, SendMessageV2("PID", topic, "TBW102", QUEUES, 0, 0, _now(), 0), b"message")


def _now() -> int:
    return time.time_ns() // 1_000_000
