"""Pulls from logical queues.

A pull reads one stretch at a time. Where an old stretch ends, the reader is sent on to the beginning of the next one;
at the end of the last one it waits as in any queue. Records leave as they lie, with physical offsets: the reply tells
how much is to be added to each.

Source: PullMessageProcessor (rewriteRequestForStaticTopic, rewriteResponseForStaticTopic).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from twisted.internet.defer import Deferred

from rmq.remoting.calls import Answer
from rmq.server.broker.mapping.forward import Forwarder
from rmq.server.broker.mapping.queues import LogicalQueue
from rmq.wire.bodies.mapping import LogicQueueMappingItem
from rmq.wire.codes import FLAG_RESPONSE, ResponseCode
from rmq.wire.command import Command, encode
from rmq.wire.declare import decode_header, encode_header
from rmq.wire.mapping import has_end, item_after, item_at, last_static_offset, physical_offset, static_offset
from rmq.wire.requests.pull import PullMessage, PullMessageReply

_FOUND: Final = int(ResponseCode.SUCCESS)
_NOT_FOUND: Final = int(ResponseCode.PULL_NOT_FOUND)
_RETRY: Final = int(ResponseCode.PULL_RETRY_IMMEDIATELY)
_MOVED: Final = int(ResponseCode.PULL_OFFSET_MOVED)
_ANSWERS: Final = frozenset({_FOUND, _NOT_FOUND, _RETRY, _MOVED})

_COMMIT_OFFSET: Final = 1
_SUSPEND: Final = 2


class Bounds(NamedTuple):
    """Where a pull goes on, and the ends of its queue."""

    next_begin: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class LogicalPull:
    """A pull from one stretch of a logical queue.

    Attributes:
        queue: the logical queue.
        item: the stretch that holds the offset asked for.
        offset: that offset in the stretch's physical queue.
    """

    queue: LogicalQueue
    item: LogicQueueMappingItem
    offset: int

    @classmethod
    def of(cls, queue: LogicalQueue, offset: int) -> LogicalPull:
        """The pull from a logical offset.

        Raises:
            NotLeaderForQueueError: no stretch can be read yet.
        """
        item = queue.at(offset)
        return cls(queue, item, physical_offset(item, offset))

    def committed(self, offset: int) -> int:
        """The physical offset for a logical one that a pull commits; -1 when it lies in another stretch."""
        if offset < 0 or item_at(self.queue.items, offset) is not self.item:
            return -1
        return physical_offset(self.item, offset)

    def answered(self, code: int, found: Bounds, *, settled: bool = False) -> tuple[int, Bounds, int]:
        """What a physical answer means for the logical queue.

        Args:
            code: the answer's code.
            found: its physical offsets.
            settled: the reader is to go on there whatever the ends are, because an operator wants it so.

        Returns:
            The code, logical offsets, and what is to be added to the offset of each record.
        """
        item = self.item
        if code != _FOUND and not settled:
            code, item, found = self._moved_on(code, found)
        next_begin = min(found.next_begin, item.end_offset) if has_end(item) else found.next_begin
        told = Bounds(
            static_offset(item, next_begin),
            static_offset(item, found.low),
            max(static_offset(item, found.high), last_static_offset(self.queue.leader)),
        )
        return code, told, item.logic_offset - item.start_offset

    def _moved_on(self, code: int, found: Bounds) -> tuple[int, LogicQueueMappingItem, Bounds]:
        """Where a reader stands that got nothing."""
        item, items = self.item, self.queue.items
        if self.offset < found.low:
            # The oldest messages are gone. Elsewhere the reader just goes on behind a gap.
            is_oldest = item is item_at(items, 0)
            return _MOVED if is_oldest else _RETRY, item, found._replace(next_begin=found.low)
        if self.offset < found.high:
            return code, item, found
        if item is items[-1]:
            if self.offset > found.high and code == _MOVED:
                found = found._replace(next_begin=found.high)
            return code, item, found
        following = item_after(items, item)
        if following is None:
            # The new leader's first offset is not decided yet.
            return _NOT_FOUND, item, found._replace(next_begin=max(self.offset, found.high))
        start = following.start_offset
        return _RETRY, following, Bounds(start, start, start)


def pull_elsewhere(forwarder: Forwarder, command: Command, topic: str, pull: LogicalPull) -> Deferred[bytes]:
    """The reply to a client whose next message lies on another broker; that one is not waited for."""
    wanted = decode_header(PullMessage, command.ext)
    header = replace(
        wanted,
        queue_id=pull.item.queue_id,
        queue_offset=pull.offset,
        sys_flag=wanted.sys_flag & ~(_COMMIT_OFFSET | _SUSPEND),
        broker_name=pull.item.bname,
        lo=False,
    )

    def told(answer: Answer) -> bytes:
        reply: PullMessageReply = answer.header
        found = Bounds(reply.next_begin_offset, reply.min_offset, reply.max_offset)
        code, bounds, reply.offset_delta = pull.answered(answer.code, found)
        reply.next_begin_offset, reply.min_offset, reply.max_offset = bounds
        return encode(
            Command(
                code,
                encode_header(reply),
                answer.body if code == _FOUND else b"",
                opaque=command.opaque,
                flag=FLAG_RESPONSE,
                remark=answer.remark,
                serialize_type=command.serialize_type,
            )
        )

    asked: Deferred[Answer] = forwarder.call(topic, pull.item.bname or "", header, accept=_ANSWERS)
    return asked.addCallback(told)
