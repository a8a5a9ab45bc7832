"""Offsets of logical queues, put together from those of the physical ones behind them.

Each method turns a request for a logical queue into requests for physical ones: those that lie here go back to the
handler that they came from, the others to their broker. Groups' offsets are kept physically, where the message lies.

Source: AdminBrokerProcessor and ConsumerManageProcessor (rewriteRequestForStaticTopic).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, inlineCallbacks, maybeDeferred

from rmq.server.broker.mapping.forward import Forwarder
from rmq.server.broker.mapping.queues import LogicalQueue, led_queue
from rmq.server.broker.mapping.table import MappingTable
from rmq.wire.bodies.mapping import LogicQueueMappingItem
from rmq.wire.errors import QueryNotFoundError
from rmq.wire.mapping import loose_static_offset, newest, physical_offset, static_offset
from rmq.wire.requests.offset import (
    GetEarliestMsgStoretime,
    GetMaxOffset,
    GetMinOffset,
    OffsetReply,
    QueryConsumerOffset,
    SearchOffsetByTimestamp,
    UpdateConsumerOffset,
)

H = TypeVar(
    "H",
    GetEarliestMsgStoretime,
    GetMaxOffset,
    GetMinOffset,
    QueryConsumerOffset,
    SearchOffsetByTimestamp,
    UpdateConsumerOffset,
)
Local = Callable[[Any], Any]
"""Handles a request for a physical queue of this broker."""


class LogicalOffsets:
    """Answers for logical queues that this broker leads.

    Args:
        mappings: the mappings of static topics.
        forwarder: asks other brokers.
    """

    def __init__(self, mappings: MappingTable, forwarder: Forwarder) -> None:
        self._mappings = mappings
        self._forwarder = forwarder

    def means_logical(self, topic: str, lo: bool | None) -> bool:
        """Whether a request is for a logical queue."""
        return topic in self._mappings.details and lo is not False

    @inlineCallbacks
    def max_offset(self, header: GetMaxOffset, local: Local) -> Any:
        """The logical offset that the next message will get, or would get if the newest stretch were open."""
        queue = self._queue(header)
        item = newest(queue.items) or queue.at(0)
        reply: OffsetReply = yield self._ask(item, header, local)
        return OffsetReply(static_offset(item, reply.offset))

    @inlineCallbacks
    def min_offset(self, header: GetMinOffset, local: Local) -> Any:
        """The logical offset of the oldest message."""
        item = self._queue(header).at(0)
        reply: OffsetReply = yield self._ask(item, header, local)
        return OffsetReply(loose_static_offset(item, reply.offset))

    @inlineCallbacks
    def earliest(self, header: GetEarliestMsgStoretime, local: Local) -> Any:
        """When the oldest message was stored."""
        reply = yield self._ask(self._queue(header).at(0), header, local)
        return reply

    @inlineCallbacks
    def search(self, header: SearchOffsetByTimestamp, local: Local, local_end: Local) -> Any:
        """The logical offset at a time: in the first stretch that has messages of that time or later, else its end.

        Args:
            header: the request.
            local: looks for the time in a queue here.
            local_end: tells where a queue here ends.
        """
        queue = self._queue(header)
        found = queue.at(0).logic_offset
        for item in (item for item in queue.items if item.logic_offset >= 0):
            reply: OffsetReply = yield self._ask(item, header, local)
            end: OffsetReply = yield self._ask(item, GetMaxOffset(header.topic, item.queue_id), local_end)
            if reply.offset >= 0:
                found = static_offset(item, reply.offset)
            if 0 <= reply.offset < end.offset:
                break
        return OffsetReply(found)

    @inlineCallbacks
    def query(self, header: QueryConsumerOffset, local: Local) -> Any:
        """A group's offset: the newest stretch that it has come to counts."""
        queue = self._queue(header)
        if len(queue.items) == 1:
            # Nothing has moved, so that a new group may begin where it would in an ordinary queue.
            reply: OffsetReply = yield self._ask(queue.leader, header, local)
            return OffsetReply(static_offset(queue.leader, reply.offset))
        for item in reversed(queue.items):
            try:
                reply = yield self._ask(item, replace(header, set_zero_if_not_found=False), local)
            except QueryNotFoundError:
                continue
            return OffsetReply(static_offset(item, reply.offset))
        raise QueryNotFoundError("Not found, maybe this group consumer boot first")

    @inlineCallbacks
    def update(self, header: UpdateConsumerOffset, local: Local) -> Any:
        """Commits a group's offset where the message lies that it will read next."""
        item = self._queue(header).at(header.commit_offset)
        physical = replace(header, commit_offset=max(physical_offset(item, header.commit_offset), 0))
        reply = yield self._ask(item, physical, local)
        return reply

    def _queue(self, header: H) -> LogicalQueue:
        return led_queue(self._mappings.details[header.topic], header.queue_id)

    def _ask(self, item: LogicQueueMappingItem, header: H, local: Local) -> Deferred[Any]:
        physical = replace(header, queue_id=item.queue_id, lo=False)
        if item.bname == self._mappings.broker_name:
            return maybeDeferred(local, physical)
        asked: Deferred[Any] = self._forwarder.call(header.topic, item.bname or "", physical)
        # A commit is answered without a header.
        return asked.addCallback(
            lambda answer: None if isinstance(header, UpdateConsumerOffset) else answer.header
        )
