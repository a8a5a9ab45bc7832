"""Following the new messages of a topic or of one queue by plain pulls, which commit nothing.

Each look asks every broker for the bounds of its queues and reads those that have grown. What has come faster than a
look may read is left out, and counted.
"""

from __future__ import annotations

from typing import Final

from rmq.client.admin.pulling import Reader
from rmq.tui.service.live.known import Known
from rmq.tui.service.live.message_queues import Span, message_of, spans
from rmq.tui.service.model import StoredMessage, Tailed
from rmq.tui.service.problems import problem_of
from rmq.tui.service.query import QueueRange
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.errors import RemotingError

MOST: Final = 1024
"""Messages that one look reads; a queue has its equal part of them."""


class LiveTail:
    """See `protocol.Tail`.

    Args:
        known: the session.
        topic: what is followed.
        queue: only this queue of it; its first offset is where to begin, the queue's end when it has none.
    """

    def __init__(self, known: Known, topic: str, queue: QueueRange | None) -> None:
        self._known = known
        self._topic = topic
        self._queue = queue
        self._next: dict[MessageQueue, int] = {}
        self._begun = False

    async def look(self) -> Tailed:
        """See `protocol.Tail.look`."""
        try:
            return await self._look()
        except RemotingError as error:
            return Tailed(problem=problem_of(error))

    async def _look(self) -> Tailed:
        route = await self._known.route.get(self._topic)
        found, failures = await spans(self._known, route, self._topic)
        followed = [span for span in found if self._is_meant(span.queue)]
        for span in followed:
            at = self._next.setdefault(span.queue, self._start(span))
            if not span.first <= at <= span.last:
                # Made anew, or deleted as too old.
                self._next[span.queue] = span.first
        self._begun = self._begun or bool(followed)
        grown = [span for span in followed if self._next[span.queue] < span.last]
        skipped = sum(self._skip(span, MOST // len(grown)) for span in grown)
        reader = Reader(self._known.admin, route, self._topic)
        parts = await self._known.admin.attempt_each(grown, lambda span: self._read(reader, span))
        failures += [part for part in parts if isinstance(part, RemotingError)]
        messages = [message for part in parts if not isinstance(part, RemotingError) for message in part]
        messages.sort(key=lambda message: (message.stored, message.log_offset))
        return Tailed(tuple(messages), skipped, problem_of(failures[0]) if failures else None)

    def _is_meant(self, queue: MessageQueue) -> bool:
        wanted = self._queue
        return wanted is None or (wanted.queue_id == queue.queue_id and wanted.broker in {"", queue.broker_name})

    def _start(self, span: Span) -> int:
        if self._begun:
            return span.first
        wanted = self._queue.first if self._queue is not None else None
        return span.last if wanted is None else wanted

    def _skip(self, span: Span, most: int) -> int:
        at = self._next[span.queue]
        self._next[span.queue] = max(at, span.last - max(most, 1))
        return self._next[span.queue] - at

    async def _read(self, reader: Reader, span: Span) -> list[StoredMessage]:
        found: list[StoredMessage] = []
        async for pulled in reader.read(span.queue, self._next[span.queue], span.last):
            found += map(message_of, pulled.messages)
            self._next[span.queue] = max(pulled.next_offset, self._next[span.queue])
        return found
