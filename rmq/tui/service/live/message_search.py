"""Answers questions for messages: from an index, or by reading queues with plain pulls that commit nothing.

Without a first offset the newest messages come first: each queue is read from its end in windows, a window of every
queue at a time, and within a window forward, as brokers read. What a round of windows has found is taken from the
newest on, so a search that stops at its limit has not favoured a queue. With a first offset it goes forward from there.
Tags and SQL92 are left to the broker, the rest is tested here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from rmq.client.admin.pulling import AT_A_TIME, Reader
from rmq.client.admin.topics import addresses_of
from rmq.remoting.errors import TransportError
from rmq.tui.expressions import TooSlowError
from rmq.tui.service.live.known import Known
from rmq.tui.service.live.message_findings import BYTES, Findings, Tell, selected
from rmq.tui.service.live.message_index import look_up
from rmq.tui.service.live.message_queues import Span, message_of, spans
from rmq.tui.service.model import StoredMessage
from rmq.tui.service.query import Query
from rmq.wire.bodies.heartbeat import CheckClientRequestBody
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.errors import RemotingError
from rmq.wire.names import TOOLS_CONSUMER_GROUP
from rmq.wire.requests.client import CheckClientConfig
from rmq.wire.subscription import SQL92, SUB_ALL, TAG, build_subscription

WINDOW: Final = 256
"""Offsets of one queue that are read before the other queues have their turn."""


async def search(known: Known, query: Query, tell: Tell) -> None:
    """Looks until all is found, a bound is reached, or the caller is cancelled; see `protocol.MessageQuestions`."""
    findings = Findings(query, tell)
    try:
        if not query.by_index or (not await look_up(known, query, findings) and query.is_ranged and query.topic):
            await _Scan(known, query, findings).run()
    except RemotingError as error:
        findings.failed(error)
    except TooSlowError:
        findings.note("stopped: the expression of body~ takes too long on one of the messages; write it simpler")
    findings.finish()


class _Scan:
    def __init__(self, known: Known, query: Query, findings: Findings) -> None:
        self._known = known
        self._query = _local(query)
        self._expression, self._type = (query.sql, SQL92) if query.sql else (query.tag or SUB_ALL, TAG)
        self._findings = findings
        self._forward = query.queue is not None and query.queue.first is not None
        self._left: dict[MessageQueue, tuple[int, int]] = {}
        self._round: list[StoredMessage] = []

    async def run(self) -> None:
        topic, findings = self._query.topic, self._findings
        route = await self._known.route.get(topic)
        if self._query.sql:
            await self._check(addresses_of(route))
        found, failures = await spans(self._known, route, topic)
        self._reader = Reader(self._known.admin, route, topic)
        for failure in failures:
            findings.failed(failure)
        wanted = await self._known.admin.attempt_each([span for span in found if self._is_meant(span)], self._bounds)
        for part in wanted:
            if isinstance(part, RemotingError):
                findings.failed(part)
            elif part.first < part.last:
                self._left[part.queue] = (part.first, part.last)
        if self._query.queue is not None and not wanted and not failures:
            findings.note(f"there is no such queue: {topic} has {', '.join(_names(found)) or 'none'}")
        findings.total = sum(last - first for first, last in self._left.values())
        findings.tell()
        size = AT_A_TIME if self._query.selects else -(-self._query.limit // max(len(self._left), 1))
        while self._left and not findings.is_full:
            size = min(size, WINDOW)
            await self._known.admin.each([self._window(queue, size) for queue in list(self._left)], self._read)
            self._round.sort(key=lambda message: (message.stored, message.log_offset), reverse=not self._forward)
            findings.keep(self._round)
            self._round.clear()
            findings.tell()
            size *= 2

    async def _check(self, addresses: Sequence[str]) -> None:
        """Asks whether brokers understand the expression: Apache's lets everything through that it does not.

        Raises:
            RemotingError: one does not, or filters by tags only.
        """
        subscription = build_subscription(self._query.topic, self._query.sql, SQL92)
        body = CheckClientRequestBody("rmq-tui", TOOLS_CONSUMER_GROUP, subscription)
        for outcome in await self._known.admin.attempt_each(
            addresses, lambda address: self._known.admin.call(address, CheckClientConfig(), body)
        ):
            # One that is silent is found out when it is read.
            if isinstance(outcome, RemotingError) and not isinstance(outcome, TransportError):
                raise outcome

    def _is_meant(self, span: Span) -> bool:
        wanted = self._query.queue
        return wanted is None or (
            wanted.queue_id == span.queue.queue_id and wanted.broker in {"", span.queue.broker_name}
        )

    async def _bounds(self, span: Span) -> Span:
        first, last = span.first, span.last
        queue, begin, end = self._query.queue, self._query.begin, self._query.end
        if queue is not None:
            first = first if queue.first is None else max(first, queue.first)
            last = last if queue.last is None else min(last, queue.last + 1)
        if begin is not None and first < last:
            first = max(first, await self._reader.offset_at(span.queue, begin))
        if end is not None and first < last:
            # One more: some brokers answer with the last offset when all messages are older.
            last = min(last, await self._reader.offset_at(span.queue, end + 1) + 1)
        return replace(span, first=first, last=last)

    def _window(self, queue: MessageQueue, size: int) -> Span:
        first, last = self._left[queue]
        if self._forward:
            window, rest = Span(queue, first, min(first + size, last)), (first + size, last)
        else:
            window, rest = Span(queue, max(last - size, first), last), (first, last - size)
        if rest[0] < rest[1]:
            self._left[queue] = rest
        else:
            del self._left[queue]
        return window

    async def _read(self, window: Span) -> None:
        findings, at = self._findings, window.first
        try:
            async for pulled in self._reader.read(
                window.queue, window.first, window.last, self._expression, self._type
            ):
                self._round += await selected(self._query, [message_of(message) for message in pulled.messages])
                reached = min(max(pulled.next_offset, at), window.last)
                findings.scanned += reached - at
                at = reached
                findings.tell()
                if sum(len(message.body) for message in self._round) >= BYTES:
                    return
            # What was deleted meanwhile has been looked at as well as it could be.
            findings.scanned += window.last - at
        except RemotingError as error:
            self._left.pop(window.queue, None)
            findings.failed(error)


def _local(query: Query) -> Query:
    """What is left to test here, or tested once more: brokers compare hashes of tags, consumers the tags."""
    return replace(query, message_id="", unique_id=query.unique_id or query.message_id)


def _names(found: list[Span]) -> list[str]:
    return [f"{span.queue.broker_name}/{span.queue.queue_id}" for span in found[:4]] + ["…"] * (len(found) > 4)
