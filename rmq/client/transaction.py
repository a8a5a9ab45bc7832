"""Sends messages whose delivery depends on what the program does next.

The message is stored where no consumer sees it (a half message), then the program's local transaction runs, and then
the broker is told to deliver the message or to forget it. When the broker hears nothing in time, it asks any producer
of the group, which looks up what became of the local transaction:

    send --half--> broker        check --state?--> listener
    execute                              <--state--
    end  --commit or rollback-->         --commit or rollback--> broker

A local transaction that raises is undecided: the broker asks later, fifteen times, and gives up.

Source: TransactionMQProducer, DefaultMQProducerImpl.sendMessageInTransaction, checkTransactionState, endTransaction,
LocalTransactionState.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Unpack

from twisted.logger import Logger

from rmq.client.config import TransactionConfig
from rmq.client.errors import IllegalMessageError
from rmq.client.lifecycle import Home
from rmq.client.message import (
    PROPERTY_PRODUCER_GROUP,
    PROPERTY_TRAN_MSG,
    TIMER_PROPERTIES,
    Message,
    MessageExt,
)
from rmq.client.producer import Producer
from rmq.client.results import SendResult, SendStatus
from rmq.client.waiting import deferred
from rmq.client.workers import Workers
from rmq.wire.errors import RemotingError
from rmq.wire.message import PROPERTY_DELAY, parse_offset_message_id
from rmq.wire.requests.transaction import CheckTransactionState, EndTransaction
from rmq.wire.sysflag import TRANSACTION_COMMIT, TRANSACTION_ROLLBACK

_SHUTDOWN_TIMEOUT = 10.0
_TRANSACTION_ID = "__transactionId__"

log = Logger()


class TransactionState(StrEnum):
    """What became of a local transaction."""

    COMMIT = "COMMIT_MESSAGE"
    ROLLBACK = "ROLLBACK_MESSAGE"
    UNKNOWN = "UNKNOW"


_ENDINGS = {
    TransactionState.COMMIT: TRANSACTION_COMMIT,
    TransactionState.ROLLBACK: TRANSACTION_ROLLBACK,
    TransactionState.UNKNOWN: 0,
}

Execute = Callable[[Message, Any], TransactionState | Awaitable[TransactionState | None] | None]
"""Runs the local transaction for a message, with the argument of the send. Nothing returned means unknown."""

Check = Callable[[MessageExt], TransactionState | Awaitable[TransactionState | None] | None]
"""Tells what became of the local transaction for a half message. Nothing returned, or an exception, means unknown."""


@dataclass(frozen=True, slots=True)
class TransactionResult:
    """What a producer learns of a message it sent in a transaction.

    Attributes:
        send_result: of the half message.
        state: of the local transaction, as the broker was told.
    """

    send_result: SendResult
    state: TransactionState


class TransactionProducer(Producer):
    """A producer of one group whose messages may depend on local transactions.

    Args:
        reactor: a Twisted reactor.
        group: the producer group; every producer of it must be able to answer for the others.
        check: tells what became of a local transaction.
        config: how it sends.
        home: where it lives; see `rmq.client.lifecycle.Home`.

    Raises:
        InvalidParameterError: the group's name is not allowed.
        NamesrvAddressError: an address is not `host:port`.
    """

    def __init__(
        self,
        reactor: Any,
        group: str,
        check: Check,
        *,
        config: TransactionConfig | None = None,
        **home: Unpack[Home],
    ) -> None:
        config = config or TransactionConfig()
        super().__init__(reactor, group, config=config, **home)
        self._check = check
        self._most_held = config.check_request_hold_max
        self._workers = Workers(
            reactor,
            max(config.threads, config.check_concurrency),
            threads=config.threads,
            name=f"CheckTransaction_{group}",
        )

    async def _start(self) -> None:
        self._workers.start()
        await super()._start()

    async def _shutdown(self) -> None:
        await self._workers.stop(_SHUTDOWN_TIMEOUT)
        await super()._shutdown()

    @deferred
    async def send_in_transaction(
        self, message: Message, execute: Execute, arg: Any = None, *, timeout: float | None = None
    ) -> TransactionResult:
        """Sends a half message, runs the local transaction, and tells the broker how it ended.

        A half message that is stored less safely than asked for is rolled back, and `execute` is not called. A delay
        level is taken off.

        Args:
            message: the message.
            execute: runs the local transaction.
            arg: for `execute`.
            timeout: seconds for the half message.

        Raises:
            IllegalMessageError: the message is timed.
            RemotingError: as `send`; then there is nothing to commit.
        """
        self._check_running()
        if any(name in message.properties for name in TIMER_PROPERTIES):
            raise IllegalMessageError("a message that is sent in a transaction cannot be delivered at a time")
        message.properties.pop(PROPERTY_DELAY, None)
        message.properties[PROPERTY_TRAN_MSG] = "true"
        message.properties[PROPERTY_PRODUCER_GROUP] = self.group
        # A broker can only ask a producer that it knows.
        await self._introduce(message.topic, self.config.send_timeout if timeout is None else timeout)
        result = await self.send(message, timeout=timeout)
        state = TransactionState.ROLLBACK
        if result.send_status is SendStatus.SEND_OK:
            if result.transaction_id is not None:
                message.properties[_TRANSACTION_ID] = result.transaction_id
            message.transaction_id = message.unique_id
            try:
                state = await self._workers.call(execute, message, arg) or TransactionState.UNKNOWN
            except Exception:
                log.failure("the local transaction of {message} failed", message=message)
                state = TransactionState.UNKNOWN
        await self._end(message, result, state)
        return TransactionResult(result, state)

    async def _end(self, message: Message, result: SendResult, state: TransactionState) -> None:
        queue = result.message_queue
        header = EndTransaction(
            producer_group=self.group,
            tran_state_table_offset=result.queue_offset,
            commit_log_offset=parse_offset_message_id(result.offset_msg_id)[1],
            commit_or_rollback=_ENDINGS[state],
            msg_id=result.msg_id,
            topic=self.instance.namespace.wrap(message.topic),
            transaction_id=result.transaction_id,
            broker_name=queue.broker_name,
        )
        try:
            await self._tell(self.instance.routes.master_address(queue.broker_name), message, header, state)
        except RemotingError as error:
            # The broker asks when it hears nothing.
            log.warn("the broker was not told of {state}: {error}", state=state, error=error)

    async def _tell(self, address: str, message: Message, header: EndTransaction, state: TransactionState) -> None:
        if self.tracer is not None:
            self.tracer.transaction_ended(
                message.topic,
                message.properties,
                message_id=header.msg_id,
                address=address,
                transaction_id=header.transaction_id,
                state=state,
                checked=header.from_transaction_check,
            )
        await self.instance.invoker.send_oneway(address, header)

    # --- questions of brokers ---------------------------------------------------------------------------------------

    def check_transaction(self, message: MessageExt, header: CheckTransactionState, address: str) -> None:
        """A broker asks what became of a half message; it is told when the listener knows."""
        if self._workers.waiting >= self._most_held:
            log.warn("too many transactions of {group} wait to be checked", group=self.group)
            return
        self._workers.submit(lambda _: self._answer(message, header, address))

    async def _answer(self, message: MessageExt, asked: CheckTransactionState, address: str) -> None:
        try:
            state = await self._workers.call(self._check, message) or TransactionState.UNKNOWN
        except Exception:
            log.failure("the check of {message} failed", message=message)
            state = TransactionState.UNKNOWN
        header = EndTransaction(
            producer_group=self.group,
            tran_state_table_offset=asked.tran_state_table_offset,
            commit_log_offset=asked.commit_log_offset,
            commit_or_rollback=_ENDINGS[state],
            msg_id=message.msg_id,
            topic=asked.topic,
            from_transaction_check=True,
            transaction_id=asked.transaction_id,
            broker_name=asked.broker_name,
        )
        try:
            await self._tell(address, message, header, state)
        except RemotingError as error:
            log.warn("{address} was not told of a checked transaction: {error}", address=address, error=error)
