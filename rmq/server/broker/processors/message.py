"""Finds stored messages by key and by place, and shows the entries of their queues.

Source: QueryMessageProcessor, AdminBrokerProcessor.queryConsumeQueue.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rmq.remoting.dispatch import Call, Reply, handles
from rmq.server.broker.clients import ConsumerTable
from rmq.server.broker.filters import FilterTable
from rmq.server.store.index import TAGS_PREFIX
from rmq.server.store.store import MessageStore
from rmq.settings.model import BrokerSettings
from rmq.wire.bodies.consume import ConsumeQueueContent, ConsumeQueueData
from rmq.wire.errors import QueryNotFoundError, RemotingError
from rmq.wire.requests.message import QueryConsumeQueue, QueryMessage, QueryMessageReply, ViewMessageById

INDEX_TAGS: Final = "T"
"""Index type of a request that asks by tags; K, U and none ask by key or unique key (MessageConst.INDEX_TAG_TYPE)."""

MOST_ENTRIES: Final = 65536
"""Most entries of a queue that one answer shows."""

_MOST_BYTES: Final = 8 * 1024 * 1024
"""A reply ends after the message that reaches this size; frames are limited to 16 MiB."""


class MessageProcessor:
    """Handles look-ups of messages."""

    def __init__(
        self, settings: BrokerSettings, consumers: ConsumerTable, filters: FilterTable, store: MessageStore
    ) -> None:
        self._settings = settings
        self._consumers = consumers
        self._filters = filters
        self._store = store

    @handles(QueryMessage)
    def query(self, header: QueryMessage, call: Call) -> Reply:
        """Records whose key, or unique key, has this hash; the caller compares the keys themselves."""
        key = TAGS_PREFIX + header.key if header.index_type == INDEX_TAGS else header.key
        most = self._settings.store.default_query_max_num if header.unique_key else header.max_num
        found = self._store.query_index(header.topic, key, most, header.begin_timestamp, header.end_timestamp)
        if not found.messages:
            raise QueryNotFoundError("can not find message, maybe time range not correct")
        messages, size = [], 0
        for message in found.messages:
            messages.append(message)
            size += len(message)
            if size >= _MOST_BYTES:
                break
        reply = QueryMessageReply(
            index_last_update_timestamp=found.last_update_timestamp,
            index_last_update_phyoffset=found.last_update_offset,
        )
        return Reply(reply, b"".join(messages))

    @handles(ViewMessageById)
    def view(self, header: ViewMessageById, call: Call) -> Reply:
        """The record at a physical offset."""
        message = self._store.message_at(header.offset)
        if message is None:
            raise RemotingError(f"can not find message by the offset, {header.offset}")
        return Reply(body=message)

    @handles(QueryConsumeQueue)
    def entries(self, header: QueryConsumeQueue, call: Call) -> ConsumeQueueContent | Reply:
        """Entries of a queue from an offset on, and what a group subscribes of its topic."""
        topic, queue_id = header.topic or "", header.queue_id
        if (topic, queue_id) not in self._store.queues():
            raise RemotingError(f"{queue_id}@{topic} is not exist!")
        start, end = self._store.min_offset(topic, queue_id), self._store.max_offset(topic, queue_id)
        if not start <= header.index < end:
            return Reply(remark=f"Index {header.index} of {queue_id}@{topic} is not exist!")
        content = ConsumeQueueContent(max_queue_index=end, min_queue_index=start)
        if header.consumer_group is not None:
            group = header.consumer_group
            content.subscription_data = self._consumers.subscription(group, topic)
            if content.subscription_data is None:
                content.filter_data = f"{group}@{topic} is not online!"
            else:
                content.filter_data = self._filters.described(topic, group)
        content.queue_data = [
            ConsumeQueueData(physic_offset=physical, physic_size=size, tags_code=code)
            for physical, size, code in self._units(topic, queue_id, header.index, min(header.count, MOST_ENTRIES))
        ]
        return content

    def _units(self, topic: str, queue_id: int, offset: int, count: int) -> Iterator[tuple[int, int, int]]:
        while count > 0 and (units := self._store.queue_units(topic, queue_id, offset, count)):
            yield from units
            offset += len(units)
            count -= len(units)
