"""What a producer learns of a message it sent.

Source: SendStatus, SendResult.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from rmq.wire.bodies.printed import java_text
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.codes import ResponseCode


class SendStatus(StrEnum):
    """How safely the message is stored; it is stored in every case."""

    SEND_OK = "SEND_OK"
    FLUSH_DISK_TIMEOUT = "FLUSH_DISK_TIMEOUT"
    FLUSH_SLAVE_TIMEOUT = "FLUSH_SLAVE_TIMEOUT"
    SLAVE_NOT_AVAILABLE = "SLAVE_NOT_AVAILABLE"


STATUS_BY_CODE = {
    int(ResponseCode.SUCCESS): SendStatus.SEND_OK,
    int(ResponseCode.FLUSH_DISK_TIMEOUT): SendStatus.FLUSH_DISK_TIMEOUT,
    int(ResponseCode.FLUSH_SLAVE_TIMEOUT): SendStatus.FLUSH_SLAVE_TIMEOUT,
    int(ResponseCode.SLAVE_NOT_AVAILABLE): SendStatus.SLAVE_NOT_AVAILABLE,
}
"""Response codes of a send that mean stored."""


@dataclass(frozen=True, slots=True)
class SendResult:
    """Where a message went; its text is what Java prints.

    Attributes:
        send_status: how safely it is stored.
        msg_id: the client's id; ids joined by commas for a batch.
        offset_msg_id: the broker's id; joined by commas for a batch.
        message_queue: the queue.
        queue_offset: its position there, for a batch that of the first message.
        transaction_id: the id of the transaction, for a half message.
        recall_handle: what recalls a delayed message.
        region_id: the broker's region.
        trace_on: whether the broker wants traces.
    """

    send_status: SendStatus
    msg_id: str
    offset_msg_id: str
    message_queue: MessageQueue
    queue_offset: int
    transaction_id: str | None = None
    recall_handle: str | None = None
    region_id: str = "DefaultRegion"
    trace_on: bool = True

    def __str__(self) -> str:
        return (
            f"SendResult [sendStatus={self.send_status}, msgId={self.msg_id}, offsetMsgId={self.offset_msg_id}, "
            f"messageQueue={self.message_queue}, queueOffset={self.queue_offset}, "
            f"recallHandle={java_text(self.recall_handle)}]"
        )
