"""Finds stored messages by key and by place.

Source: QueryMessageProcessor.
"""

from __future__ import annotations

from typing import Final

from rmq.remoting.dispatch import Call, Reply, handles
from rmq.server.store.index import TAGS_PREFIX
from rmq.server.store.store import MessageStore
from rmq.settings.model import BrokerSettings
from rmq.wire.errors import QueryNotFoundError, RemotingError
from rmq.wire.requests.message import QueryMessage, QueryMessageReply, ViewMessageById

INDEX_TAGS: Final = "T"
"""Index type of a request that asks by tags; K, U and none ask by key or unique key (MessageConst.INDEX_TAG_TYPE)."""

_MOST_BYTES: Final = 8 * 1024 * 1024
"""A reply ends after the message that reaches this size; frames are limited to 16 MiB."""


class MessageProcessor:
    """Handles look-ups of messages."""

    def __init__(self, settings: BrokerSettings, store: MessageStore) -> None:
        self._settings = settings
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
