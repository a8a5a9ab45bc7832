"""Sending messages.

Source: SendMessageRequestHeader, SendMessageRequestHeaderV2, SendMessageResponseHeader, RecallMessageRequestHeader.
"""

from __future__ import annotations

from rmq.wire.declare import Int32, Int64, header, request, wire


@header
class SendMessageReply:
    """Where the message was stored. `msg_id` is the offset message id, comma-joined for a batch."""

    msg_id: str
    queue_id: Int32
    queue_offset: Int64
    transaction_id: str | None = None
    batch_uniq_id: str | None = None
    recall_handle: str | None = None


@request(10, "SEND_MESSAGE", reply=SendMessageReply, changes=True)
class SendMessage:
    """Sends one message; the body is the message's. Times in ms."""

    producer_group: str
    topic: str
    default_topic: str
    default_topic_queue_nums: Int32
    queue_id: Int32
    sys_flag: Int32
    born_timestamp: Int64
    flag: Int32
    properties: str | None = None
    reconsume_times: Int32 | None = None
    unit_mode: bool | None = None
    batch: bool | None = None
    max_reconsume_times: Int32 | None = None


@request(310, "SEND_MESSAGE_V2", reply=SendMessageReply, changes=True)
class SendMessageV2:
    """Sends one message, with one-letter field names; the body is the message's."""

    producer_group: str = wire("a")
    topic: str = wire("b")
    default_topic: str = wire("c")
    default_topic_queue_nums: Int32 = wire("d")
    queue_id: Int32 = wire("e")
    sys_flag: Int32 = wire("f")
    born_timestamp: Int64 = wire("g")
    flag: Int32 = wire("h")
    properties: str | None = wire("i", default=None)
    reconsume_times: Int32 | None = wire("j", default=None)
    unit_mode: bool | None = wire("k", default=None)
    max_reconsume_times: Int32 | None = wire("l", default=None)
    batch: bool | None = wire("m", default=None)
    broker_name: str | None = wire("n", default=None)


@request(320, "SEND_BATCH_MESSAGE", reply=SendMessageReply, changes=True)
class SendBatchMessage(SendMessageV2):
    """Sends several messages of one topic and queue; the body is the batch encoding, `batch` is true."""


@header
class RecallMessageReply:
    """Unique id of the message that was recalled."""

    msg_id: str


@request(370, "RECALL_MESSAGE", reply=RecallMessageReply, changes=True)
class RecallMessage:
    """Takes back a timed message that was not delivered yet."""

    topic: str
    recall_handle: str
    producer_group: str | None = None
