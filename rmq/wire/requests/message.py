"""Looking at stored messages.

Source: QueryMessageRequestHeader, QueryMessageResponseHeader, ViewMessageRequestHeader,
QueryConsumeQueueRequestHeader, ResumeCheckHalfMessageRequestHeader.
"""

from __future__ import annotations

from rmq.wire.bodies.consume import ConsumeQueueContent
from rmq.wire.declare import Int32, Int64, header, request, wire


@header
class QueryMessageReply:
    """How far the index reaches: store time (ms) and physical offset of its last entry."""

    index_last_update_timestamp: Int64
    index_last_update_phyoffset: Int64


@request(12, "QUERY_MESSAGE", reply=QueryMessageReply)
class QueryMessage:
    """Asks for messages with a key between two store times (ms); the answer's body is stored messages.

    Attributes:
        unique_key: the key is a client's message id; at most 32 messages come back.
        index_type: `K` keys, `U` unique ids, `T` tags; used by brokers with a RocksDB index.
        last_key: where the page before ended, likewise.
    """

    topic: str
    key: str
    max_num: Int32
    begin_timestamp: Int64
    end_timestamp: Int64
    index_type: str | None = None
    last_key: str | None = None
    unique_key: bool | None = wire("_UNIQUE_KEY_QUERY", default=None)


@request(33, "VIEW_MESSAGE_BY_ID")
class ViewMessageById:
    """Asks for the message at a physical offset; the answer's body is the stored message."""

    offset: Int64
    topic: str | None = None


@request(321, "QUERY_CONSUME_QUEUE", reply_body=ConsumeQueueContent)
class QueryConsumeQueue:
    """Asks for entries of a consume queue, tested against a group's subscription."""

    topic: str | None = None
    queue_id: Int32 = 0
    index: Int64 = 0
    count: Int32 = 0
    consumer_group: str | None = None


@request(323, "RESUME_CHECK_HALF_MESSAGE", changes=True)
class ResumeCheckHalfMessage:
    """Puts a half message back whose checks were given up."""

    topic: str | None = None
    msg_id: str | None = None
