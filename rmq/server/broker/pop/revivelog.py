"""Writes check points and acknowledgements into the revive log.

Source: PopMessageProcessor.buildCkMsg, AckMessageProcessor.appendAck, PopAckConstants.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.logger import Logger

from rmq.server.broker.putting import MessageInner, MessagePutter
from rmq.server.store.api import PutStatus
from rmq.wire.bodies.pop import AckRecord, PopCheckPoint
from rmq.wire.declare import Declared, encode_body
from rmq.wire.errors import RemotingError
from rmq.wire.message import PROPERTY_TAGS, PROPERTY_UNIQ_KEY

CHECK_POINT_TAG: Final = "ck"
ACK_TAG: Final = "ack"
BATCH_ACK_TAG: Final = "bAck"
PROPERTY_DELIVER_TIME: Final = "TIMER_DELIVER_MS"

ACK_INTERVAL: Final = 1000
"""How long before its acknowledgements a check point is delivered, in ms."""

STORED: Final = frozenset(
    {PutStatus.PUT_OK, PutStatus.FLUSH_DISK_TIMEOUT, PutStatus.FLUSH_SLAVE_TIMEOUT, PutStatus.SLAVE_NOT_AVAILABLE}
)

log = Logger()


class ReviveLog:
    """The revive log's writing end.

    Args:
        topic: its topic.
        host: the broker's packed address.
        now: milliseconds since the epoch.
    """

    def __init__(self, putter: MessagePutter, topic: str, host: bytes, now: Callable[[], int]) -> None:
        self._putter = putter
        self._topic = topic
        self._host = host
        self._now = now

    def put_check_point(self, point: PopCheckPoint, revive_queue: int) -> bool:
        """Stores a check point; False when the store does not take it now."""
        key = (
            f"{point.topic}@{point.queue_id}@{point.start_offset}@{point.group}@{point.pop_time}@{point.broker_name}"
            f"@{CHECK_POINT_TAG}"
        )
        return self._put(revive_queue, point, CHECK_POINT_TAG, point.revive_time - ACK_INTERVAL, key)

    def put_ack(self, ack: AckRecord, revive_queue: int, revive_time: int) -> bool:
        """Stores an acknowledgement, of one message or of several; False when the store does not take it now.

        Args:
            ack: the acknowledgement.
            revive_queue: the queue of its check point.
            revive_time: when the invisible time of its messages ends, milliseconds since the epoch.
        """
        tag = ACK_TAG if ack.ack_offset_list is None else BATCH_ACK_TAG
        key = f"{ack.topic}@{ack.queue_id}@{ack.ack_offset}@{ack.group}@{ack.pop_time}@{ack.broker_name}@{ACK_TAG}"
        return self._put(revive_queue, ack, tag, revive_time, key)

    def _put(self, revive_queue: int, record: Declared, tag: str, deliver_time: int, key: str) -> bool:
        message = MessageInner(
            self._topic,
            revive_queue,
            encode_body(record),
            {PROPERTY_TAGS: tag, PROPERTY_DELIVER_TIME: str(deliver_time), PROPERTY_UNIQ_KEY: key},
            flag=0,
            sys_flag=0,
            born_timestamp=self._now(),
            born_host=self._host,
        )
        try:
            status = self._putter.put(message).status
        except RemotingError as error:
            log.warn("{key} is not in the revive log: {error}", key=key, error=error)
            return False
        if status not in STORED:
            log.warn("{key} is not in the revive log: {status}", key=key, status=status.name)
        return status in STORED
