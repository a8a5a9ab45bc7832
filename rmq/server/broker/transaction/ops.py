"""The op queue: which half messages have ended.

An op record tells the half-queue offsets of transactions that were committed or rolled back, as decimal numbers with
a comma after each and the tag `d`. It lies in RMQ_SYS_TRANS_OP_HALF_TOPIC, in the queue with the half queue's number.
One record for many ends saves most of the writing: offsets are gathered until they fill a record
(`transactionOpMsgMaxSize`) or the oldest has waited long enough (`transactionOpBatchInterval`). What was gathered and
not written when the broker is killed is asked of the producers again.

Brokers before 5.0 wrote one record for each end, with a single number and no comma.

Source: TransactionalMessageServiceImpl.deletePrepareMessage, TransactionalOpBatchService.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from twisted.logger import Logger

from rmq.remoting.reactor import Clock, DelayedCall
from rmq.server.broker.putting import MessageInner, MessagePutter
from rmq.server.store.api import PutStatus
from rmq.settings.broker import BrokerConfig
from rmq.wire.message import StoredMessage
from rmq.wire.names import TRANS_OP_HALF_TOPIC

REMOVE_TAG: Final = "d"
SEPARATOR: Final = ","
MOST_WAITING: Final = 20_000
"""Most ends of one half queue that wait to be written while the store refuses (MessageQueueOpContext)."""

log = Logger()


def offsets_of(op: StoredMessage) -> list[int]:
    """The half-queue offsets that a record tells; what is no number is passed over."""
    if op.properties.get("TAGS") != REMOVE_TAG:
        return []
    texts = op.body.decode("utf-8", "replace").split(SEPARATOR)
    return [int(text) for text in texts if text.isascii() and text.isdigit()]


class _Gathered:
    """Ends of one half queue that are not written yet."""

    __slots__ = ("size", "texts")

    def __init__(self) -> None:
        self.texts: deque[str] = deque()
        self.size = 0


class OpWriter:
    """Writes op records.

    Args:
        clock: calls later.
        broker: size and time of gathering.
        putter: the way into the store.
        host: packed address and port of the broker.
        now: milliseconds since the epoch.
    """

    def __init__(
        self, clock: Clock, broker: BrokerConfig, putter: MessagePutter, host: bytes, now: Callable[[], int]
    ) -> None:
        self._clock = clock
        self._broker = broker
        self._putter = putter
        self._host = host
        self._now = now
        self._gathered: dict[int, _Gathered] = {}
        self._timer: DelayedCall | None = None
        self._stopped = False

    def add(self, queue_id: int, offset: int) -> None:
        """A half message has ended."""
        gathered = self._gathered.get(queue_id)
        if gathered is None:
            gathered = self._gathered[queue_id] = _Gathered()
        if len(gathered.texts) >= MOST_WAITING:
            log.warn("the end of half message {offset} cannot be noted: the store refuses", offset=offset)
            return
        text = f"{offset}{SEPARATOR}"
        gathered.texts.append(text)
        gathered.size += len(text)
        if self._stopped or gathered.size > self._broker.transaction_op_msg_max_size:
            self._write(queue_id, gathered)
        self._wait()

    def flush(self) -> None:
        """Writes everything that was gathered; what the store refuses stays."""
        for queue_id, gathered in self._gathered.items():
            while gathered.texts and self._write(queue_id, gathered):
                pass

    def stop(self) -> None:
        """Writes what there is; ends that still come are written at once."""
        self._stopped = True
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        self.flush()

    def _due(self) -> None:
        self._timer = None
        self.flush()
        self._wait()

    def _wait(self) -> None:
        """Sees to it that what is gathered now will be written."""
        if self._timer is None and not self._stopped and any(each.texts for each in self._gathered.values()):
            self._timer = self._clock.callLater(self._broker.transaction_op_batch_interval / 1000, self._due)

    def _write(self, queue_id: int, gathered: _Gathered) -> bool:
        """One record; False when the store refuses."""
        taken: list[str] = []
        size = 0
        for text in gathered.texts:
            if size >= self._broker.transaction_op_msg_max_size:
                break
            taken.append(text)
            size += len(text)
        op = MessageInner(
            TRANS_OP_HALF_TOPIC,
            queue_id,
            "".join(taken).encode(),
            {"WAIT": "true", "TAGS": REMOVE_TAG},
            0,
            0,
            self._now(),
            self._host,
        )
        status = self._putter.put(op).status
        if status is not PutStatus.PUT_OK:
            log.warn("{count} ends of transactions cannot be noted now: {status}", count=len(taken), status=status.name)
            return False
        for _ in taken:
            gathered.texts.popleft()
        gathered.size -= size
        return True
