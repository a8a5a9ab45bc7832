"""Queues of the master of whose messages a slave's log has some, and its queues none.

A log says nothing of topics that were deleted, so equal logs do not make equal queues: a broker that was a master and
deleted a topic has no units for messages that its new master, which never heard of that, hands out. It would serve
other messages than its master, and lack them when it is promoted. So the queues are compared as well: all of them when
a master is met first, and those that a cut would empty. Such queues are filled from the log, beginning where the
master's begins (`rmq.server.store.refill`).

Source: none, Apache's slaves compare nothing without a controller.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from rmq.remoting.calls import SUCCESS, Invoker
from rmq.remoting.pages import TOPICS, read_pages
from rmq.server.store.refill import QueueName
from rmq.server.store.store import MessageStore
from rmq.wire.bodies.consume import ConsumeQueueContent
from rmq.wire.bodies.topic import TopicStatsTable
from rmq.wire.codes import ResponseCode
from rmq.wire.requests.message import QueryConsumeQueue
from rmq.wire.requests.topic import GetTopicStatsInfo

_TIMEOUT: Final = 30.0
"""Seconds in which the master must answer with a page."""


class MasterQueues:
    """Asks a master about its queues. All methods raise RemotingError when it cannot be asked.

    Args:
        invoker: sends the requests.
        address: the master, `host:port`.
    """

    def __init__(self, invoker: Invoker, address: str) -> None:
        self._invoker = invoker
        self._address = address

    async def topics(self) -> set[str]:
        """Names of its topics."""
        ask = partial(self._invoker.call, self._address, timeout=_TIMEOUT)
        return set((await read_pages(TOPICS, ask)).topic_config_table)

    async def oldest(self, topic: str) -> dict[int, int]:
        """Physical offset of the oldest message of each queue of a topic, by queue id; nothing for empty queues."""
        answer = await self._invoker.call(
            self._address, GetTopicStatsInfo(topic), accept=SUCCESS | {ResponseCode.TOPIC_NOT_EXIST}
        )
        if answer.code != ResponseCode.SUCCESS:
            return {}
        places = {}
        for queue, bounds in answer.json(TopicStatsTable).offset_table.items():
            if bounds.min_offset < bounds.max_offset:
                header = QueryConsumeQueue(topic, queue.queue_id, bounds.min_offset, 1)
                unit = await self._invoker.call(self._address, header)
                # It has none when the message has expired since.
                for data in (unit.json(ConsumeQueueContent) if unit.body else ConsumeQueueContent()).queue_data:
                    places[queue.queue_id] = data.physic_offset
        return places


async def missing_queues(ask: MasterQueues, store: MessageStore, end: int, *, whole: bool) -> dict[QueueName, int]:
    """Queues without a unit before `end` here that the master has messages of before it, with where these begin.

    Args:
        end: both logs are equal up to this physical offset.
        whole: whether topics count of which there is no queue here.

    Raises:
        RemotingError: the master could not be asked.
        OSError: a file cannot be mapped.
    """
    emptied = set(store.emptied_by(end))
    here = set(store.queues())
    topics = {topic for topic, _ in emptied}
    if whole and end > store.log_min_offset:
        topics |= await ask.topics() - {topic for topic, _ in here}
    missing = {}
    for topic in sorted(topics):
        for queue_id, physical in (await ask.oldest(topic)).items():
            queue = topic, queue_id
            if physical < end and (queue in emptied or queue not in here):
                missing[queue] = physical
    return missing
