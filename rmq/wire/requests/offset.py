"""Offsets: of consumers, and the bounds of queues. Everywhere `lo` false says that a static topic's physical queue is
meant, and not a logical one.

Source: QueryConsumerOffsetRequestHeader, UpdateConsumerOffsetRequestHeader, SearchOffsetRequestHeader,
GetMaxOffsetRequestHeader, GetMinOffsetRequestHeader, GetEarliestMsgStoretimeRequestHeader,
QueryCorrectionOffsetHeader, CloneGroupOffsetRequestHeader.
"""

from __future__ import annotations

from rmq.wire.bodies.consume import CorrectionOffsets
from rmq.wire.bodies.offset import ConsumerOffsetWrapper, DelayOffsets
from rmq.wire.declare import Int32, Int64, header, request


@header
class OffsetReply:
    """An offset in a queue."""

    offset: Int64


@request(14, "QUERY_CONSUMER_OFFSET", reply=OffsetReply)
class QueryConsumerOffset:
    """Asks for a group's committed offset. Without one, `set_zero_if_not_found` false means QUERY_NOT_FOUND."""

    consumer_group: str
    topic: str
    queue_id: Int32
    set_zero_if_not_found: bool | None = None
    lo: bool | None = None


@request(15, "UPDATE_CONSUMER_OFFSET", changes=True)
class UpdateConsumerOffset:
    """Commits a group's offset; mostly sent one-way."""

    consumer_group: str
    topic: str
    queue_id: Int32
    commit_offset: Int64
    lo: bool | None = None


@request(29, "SEARCH_OFFSET_BY_TIMESTAMP", reply=OffsetReply)
class SearchOffsetByTimestamp:
    """Asks for the offset at a time (ms). `boundary_type` is `lower` or `upper` among messages of that time."""

    topic: str
    queue_id: Int32
    timestamp: Int64
    boundary_type: str | None = None
    lo: bool | None = None


@request(30, "GET_MAX_OFFSET", reply=OffsetReply)
class GetMaxOffset:
    """Asks where the next message will be. `committed` false counts messages not replicated yet."""

    topic: str
    queue_id: Int32
    committed: bool = True
    lo: bool | None = None


@request(31, "GET_MIN_OFFSET", reply=OffsetReply)
class GetMinOffset:
    """Asks for the oldest offset still stored."""

    topic: str
    queue_id: Int32
    lo: bool | None = None


@header
class EarliestStoreTimeReply:
    """Store time of the oldest message, in ms."""

    timestamp: Int64


@request(32, "GET_EARLIEST_MSG_STORETIME", reply=EarliestStoreTimeReply)
class GetEarliestMsgStoretime:
    """Asks when the oldest message of a queue was stored."""

    topic: str
    queue_id: Int32
    lo: bool | None = None


@request(43, "GET_ALL_CONSUMER_OFFSET", reply_body=ConsumerOffsetWrapper)
class GetAllConsumerOffset:
    """A slave asks for all committed offsets."""


@request(45, "GET_ALL_DELAY_OFFSET", reply_body=DelayOffsets)
class GetAllDelayOffset:
    """A slave asks for the progress of delay levels; the answer is the text of delayOffset.json."""


@request(308, "QUERY_CORRECTION_OFFSET", reply_body=CorrectionOffsets)
class QueryCorrectionOffset:
    """Asks from where a group should go on, judged by other groups (`filter_groups`, comma-joined)."""

    compare_group: str
    topic: str
    filter_groups: str | None = None


@request(314, "CLONE_GROUP_OFFSET", changes=True)
class CloneGroupOffset:
    """Copies one group's offsets to another; all topics of the group when none is given."""

    src_group: str
    dest_group: str
    topic: str | None = None
    offline: bool = False
