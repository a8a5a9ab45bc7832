"""Request-reply: a consumer's answer travels through the broker to the producer that asked.

Source: ReplyMessageRequestHeader; the first two share the headers of sending.
"""

from __future__ import annotations

from rmq.wire.declare import Int32, Int64, request
from rmq.wire.requests.send import SendMessage, SendMessageReply, SendMessageV2


@request(324, "SEND_REPLY_MESSAGE", reply=SendMessageReply, changes=True)
class SendReplyMessage(SendMessage):
    """Sends an answer; the body is its payload."""


@request(325, "SEND_REPLY_MESSAGE_V2", reply=SendMessageReply, changes=True)
class SendReplyMessageV2(SendMessageV2):
    """Sends an answer, with one-letter field names."""


@request(326, "PUSH_REPLY_MESSAGE_TO_CLIENT")
class PushReplyMessageToClient:
    """Broker to client: hands an answer to the producer that waits for it. Hosts are `ip:port`, times in ms."""

    producer_group: str
    topic: str
    default_topic: str
    default_topic_queue_nums: Int32
    queue_id: Int32
    sys_flag: Int32
    born_timestamp: Int64
    flag: Int32
    born_host: str
    store_host: str
    store_timestamp: Int64
    properties: str | None = None
    reconsume_times: Int32 | None = None
    unit_mode: bool | None = None
