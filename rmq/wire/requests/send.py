"""Sending messages.

Source: SendMessageRequestHeader, SendMessageRequestHeaderV2, SendMessageResponseHeader.
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


@request(310, "SEND_MESSAGE_V2", reply=SendMessageReply)
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
    properties: str | None = wire("i", None)
    reconsume_times: Int32 | None = wire("j", None)
    unit_mode: bool | None = wire("k", None)
    max_reconsume_times: Int32 | None = wire("l", None)
    batch: bool | None = wire("m", None)
    broker_name: str | None = wire("n", None)
