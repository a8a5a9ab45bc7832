"""Popping messages: the broker picks the queues, and hides what it hands out until it is acknowledged.

Source: PopMessageRequestHeader, PopMessageResponseHeader, PeekMessageRequestHeader, AckMessageRequestHeader,
ChangeInvisibleTimeRequestHeader, ChangeInvisibleTimeResponseHeader, NotificationRequestHeader,
NotificationResponseHeader, PollingInfoRequestHeader, PollingInfoResponseHeader.
"""

from __future__ import annotations

from rmq.wire.bodies.pop import BatchAckBody
from rmq.wire.declare import Int32, Int64, header, request


@header
class PopMessageReply:
    """What was popped; `rmq.wire.popinfo` tells how the three texts are made. The body is stored messages."""

    pop_time: Int64
    invisible_time: Int64
    revive_qid: Int32
    rest_num: Int64
    start_offset_info: str | None = None
    msg_offset_info: str | None = None
    order_count_info: str | None = None


@request(200050, "POP_MESSAGE", reply=PopMessageReply, changes=True)
class PopMessage:
    """Pops up to 32 messages of a topic, of all queues when `queue_id` is -1; times are milliseconds.

    `init_mode` is 0 when a new group begins at a queue's start, 1 at its end.
    """

    consumer_group: str
    topic: str
    queue_id: Int32
    max_msg_nums: Int32
    invisible_time: Int64
    poll_time: Int64
    born_time: Int64
    init_mode: Int32
    exp_type: str | None = None
    exp: str | None = None
    order: bool = False
    attempt_id: str | None = None


@request(200052, "PEEK_MESSAGE", reply=PopMessageReply)
class PeekMessage:
    """Shows messages that the next pops would bring."""

    topic: str
    queue_id: Int32
    max_msg_nums: Int32
    consumer_group: str


@request(200051, "ACK_MESSAGE", changes=True)
class AckMessage:
    """Acknowledges a popped message; `extra_info` is its handle."""

    consumer_group: str
    topic: str
    queue_id: Int32
    extra_info: str
    offset: Int64


@request(200151, "BATCH_ACK_MESSAGE", body=BatchAckBody, changes=True)
class BatchAckMessage:
    """Acknowledges messages of many pops."""


@header
class ChangeInvisibleTimeReply:
    """The parts of the message's new handle."""

    pop_time: Int64
    invisible_time: Int64
    revive_qid: Int32


@request(200053, "CHANGE_MESSAGE_INVISIBLETIME", reply=ChangeInvisibleTimeReply, changes=True)
class ChangeInvisibleTime:
    """Hides a popped message for `invisible_time` ms from now on."""

    consumer_group: str
    topic: str
    queue_id: Int32
    extra_info: str
    offset: Int64
    invisible_time: Int64


@header
class NotificationReply:
    """Whether a pop would bring something."""

    has_msg: bool
    polling_full: bool = False


@request(200054, "NOTIFICATION", reply=NotificationReply)
class Notification:
    """Waits until a pop would bring something."""

    consumer_group: str
    topic: str
    queue_id: Int32
    poll_time: Int64
    born_time: Int64
    order: bool = False
    attempt_id: str | None = None


@header
class PollingInfoReply:
    """How many pops wait."""

    polling_num: Int32


@request(200055, "POLLING_INFO", reply=PollingInfoReply)
class PollingInfo:
    """Asks how many pops of a group wait for messages."""

    consumer_group: str
    topic: str
    queue_id: Int32


@request(200056, "POP_ROLLBACK", changes=True)
class PopRollback:
    """Lets a broker that keeps records of pops in RocksDB write them back as messages of the revive log."""
