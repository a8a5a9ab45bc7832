"""Messages as brokers have them: searches, new ones, the newest of a topic, and what groups made of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from rmq.client.admin.messages import message_tracks, view_message
from rmq.client.admin.pulling import Reader
from rmq.tui.service.live.known import Known, or_problem
from rmq.tui.service.live.message_queues import Span, message_of, spans
from rmq.tui.service.live.message_search import search
from rmq.tui.service.live.message_tail import LiveTail
from rmq.tui.service.model import Batch, StoredMessage, Track
from rmq.tui.service.query import Query, QueueRange
from rmq.wire.errors import RemotingError

_QUEUES: Final = 8
"""Queues that are read for the newest messages of a topic: those that something came to last."""


class LiveMessages:
    """See `protocol.MessageQuestions`."""

    _known: Known

    async def search(self, query: Query, tell: Callable[[Batch], None]) -> None:
        """See `AdminService.search`."""
        await search(self._known, query, tell)

    def tail(self, topic: str, queue: QueueRange | None = None) -> LiveTail:
        """See `AdminService.tail`."""
        return LiveTail(self._known, topic, queue)

    @or_problem
    async def newest(self, topic: str, most: int) -> tuple[StoredMessage, ...]:
        """See `AdminService.newest`."""
        return await newest(self._known, topic, most)

    @or_problem
    async def tracks(self, message: StoredMessage) -> tuple[Track, ...]:
        """See `AdminService.tracks`."""
        admin = self._known.admin
        stored = await view_message(admin, message.topic, message.offset_id)
        found = await message_tracks(admin, stored)
        return tuple(Track(each.consumer_group, each.track_type.value, each.exception_desc or "") for each in found)


async def newest(known: Known, topic: str, most: int) -> tuple[StoredMessage, ...]:
    """The messages of a topic that came last, the newest first.

    Raises:
        RemotingError: no broker answered.
    """
    route = await known.route.get(topic)
    found, failures = await spans(known, route, topic)
    if failures and not found:
        raise failures[0]
    reader = Reader(known.admin, route, topic)
    latest = sorted((span for span in found if span.last > span.first), key=lambda span: span.newest, reverse=True)

    async def read(span: Span) -> list[StoredMessage]:
        start = max(span.last - most, span.first)
        return [
            message_of(message)
            async for pulled in reader.read(span.queue, start, span.last)
            for message in pulled.messages
        ]

    parts = await known.admin.attempt_each(latest[:_QUEUES], read)
    refused = [part for part in parts if isinstance(part, RemotingError)]
    if refused and len(refused) == len(parts):
        raise refused[0]
    messages = [message for part in parts if not isinstance(part, RemotingError) for message in part]
    return tuple(sorted(messages, key=lambda message: (message.stored, message.log_offset), reverse=True)[:most])
