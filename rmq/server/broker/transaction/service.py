"""Transactions from beginning to end: what the processors call.

A transaction begins with a half message, which nobody can consume (`half`). Its producer then says what became of it:
a commit stores the message again for its consumers, and either end is noted in the op queue (`ops`). Who says nothing
is asked (`check`). All state is in the store: the half queue, the op queue, and how far the checks have come in them.

An end is noted after the message is stored, so that a kill between the two delivers it twice rather than not at all.

Source: TransactionalMessageServiceImpl, EndTransactionProcessor.
"""

from __future__ import annotations

from collections.abc import Callable

from rmq.remoting.reactor import Clock, Repeat
from rmq.server.broker.clients import ProducerTable
from rmq.server.broker.meta.config_file import ConfigFile
from rmq.server.broker.meta.offsets import OffsetTable
from rmq.server.broker.meta.topics import TopicTable
from rmq.server.broker.putting import MessageInner, MessagePutter
from rmq.server.broker.stats import BrokerStats
from rmq.server.broker.transaction import half as forms
from rmq.server.broker.transaction.asking import ProducerAsker
from rmq.server.broker.transaction.check import TransactionChecker
from rmq.server.broker.transaction.copies import Copies
from rmq.server.broker.transaction.metrics import TransactionMetrics
from rmq.server.broker.transaction.ops import OpWriter
from rmq.server.store.api import AppendResult, PutStatus
from rmq.server.store.store import MessageStore
from rmq.settings.model import BrokerSettings
from rmq.wire.codes import ResponseCode
from rmq.wire.errors import NoPermissionError, RemotingError
from rmq.wire.message import PROPERTY_REAL_TOPIC, MessageError, StoredMessage, decode_message
from rmq.wire.names import TRANS_HALF_TOPIC
from rmq.wire.requests.transaction import EndTransaction


class Transactions:
    """Begins and ends transactions, and has those checked that do not end.

    Args:
        clock: tells time and calls later.
        settings: read at each use.
        store: where everything is.
        topics: makes the topic of what is given up.
        offsets: how far the checks have come.
        putter: the way into the store.
        stats: counts what is stored.
        producers: who can be asked.
        file: `config/transactionMetrics`.
        host: packed address and port of the broker.
        now: milliseconds since the epoch.

    Raises:
        ConfigFileError: the file is damaged.
    """

    def __init__(
        self,
        clock: Clock,
        settings: BrokerSettings,
        store: MessageStore,
        topics: TopicTable,
        offsets: OffsetTable,
        putter: MessagePutter,
        stats: BrokerStats,
        producers: ProducerTable,
        file: ConfigFile,
        host: bytes,
        now: Callable[[], int],
    ) -> None:
        self._broker = settings.broker
        self._store = store
        self._putter = putter
        self._stats = stats
        self._now = now
        self._metrics = TransactionMetrics(file, now)
        self._metrics.load()
        self._saver = Repeat(clock, self._metrics.save)
        self._ops = OpWriter(clock, settings.broker, putter, host, now)
        self._copies = Copies()
        asker = ProducerAsker(producers, settings.broker.broker_name)
        self._checker = TransactionChecker(
            clock, settings, store, topics, offsets, putter, stats, self._metrics, self._ops, self._copies, asker, now
        )

    def start(self) -> None:
        """Begins to check."""
        self._checker.start()
        self._saver.start(self._broker.transaction_metric_flush_interval / 1000)

    def stop(self) -> None:
        """Ends the checks and writes what is still to be written; the store must be open."""
        self._checker.stop()
        self._ops.stop()
        self._saver.stop()
        self._metrics.save()

    def begin(self, message: MessageInner) -> AppendResult:
        """Stores a client's message as a half message.

        Raises:
            NoPermissionError: this broker takes none.
            MessageIllegalError: it is to be delayed too.
        """
        if self._broker.reject_transaction_message:
            raise NoPermissionError(f"the broker[{self._broker.broker_ip1}] sending transaction message is forbidden")
        topic = message.topic
        forms.make_half(message)
        result = self._putter.put(message)
        if result.status is PutStatus.PUT_OK:
            self._metrics.add(topic, 1)
        return result

    def find(self, end: EndTransaction) -> StoredMessage:
        """The half message that an END_TRANSACTION means.

        Raises:
            RemotingError: there is none at that place, it belongs to another group, or it is too late to end it
                without having been asked.
        """
        record = self._store.message_at(end.commit_log_offset)
        try:
            half = decode_message(record) if record is not None else None
        except MessageError:
            half = None
        if half is None or half.topic != TRANS_HALF_TOPIC or half.physical_offset != end.commit_log_offset:
            raise RemotingError("Find prepared transaction message failed")
        if not end.from_transaction_check and self._too_late(half):
            raise RemotingError(
                f"the half message at {half.physical_offset} will be checked now", ResponseCode.ILLEGAL_OPERATION
            )
        if half.properties.get(forms.PRODUCER_GROUP) != end.producer_group:
            raise RemotingError("The producer group wrong")
        if half.queue_offset != end.tran_state_table_offset:
            raise RemotingError("The transaction state table offset wrong")
        return half

    def _too_late(self, half: StoredMessage) -> bool:
        """Whether its time without checks is over; a message that asks for none may be ended at any time."""
        if not half.properties.get(forms.IMMUNITY):
            return False
        timeout = self._broker.transaction_time_out
        return self._now() - half.born_timestamp > max(forms.immunity(half, timeout) or 0, timeout)

    def commit(self, half: StoredMessage) -> AppendResult:
        """Stores the message for its consumers, and the end of its transaction if that succeeds.

        Raises:
            MessageIllegalError: the half message does not know its destination.
        """
        message = forms.committed(half)
        topic = message.topic
        result = self._putter.put(message)
        if result.status is PutStatus.PUT_OK:
            self._stats.put(message.topic, 1, result.wrote_bytes)
            self._end(half, topic)
        return result

    def roll_back(self, half: StoredMessage) -> None:
        """Notes that nobody will get the message."""
        self._end(half, half.properties.get(PROPERTY_REAL_TOPIC, ""))

    def resume(self, physical_offset: int) -> AppendResult:
        """Stores a message that was given up as a half message again, as if it had never been checked.

        Raises:
            RemotingError: no message begins there, or it is none that was given up.
        """
        record = self._store.message_at(physical_offset)
        try:
            message = decode_message(record) if record is not None else None
        except MessageError:
            message = None
        if message is None:
            raise RemotingError(f"can not find message by the offset, {physical_offset}")
        return self._putter.put(forms.resumed(message))

    def _end(self, half: StoredMessage, topic: str) -> None:
        newest = self._copies.newest(half.queue_id, half.queue_offset)
        for offset in dict.fromkeys((half.queue_offset, newest)):
            self._ops.add(half.queue_id, offset)
            self._checker.ended(half.queue_id, offset)
        self._metrics.add(topic, -1)
