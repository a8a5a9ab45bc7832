"""Ends transactions, and takes up again what was given up.

Clients end transactions one-way; what goes wrong then shows in the log and with the next check. An end that says
"unknown" is never answered, whoever asks.

Source: EndTransactionProcessor, AdminBrokerProcessor.resumeCheckHalfMessage.
"""

from __future__ import annotations

from typing import Final

from twisted.internet.defer import Deferred

from rmq.remoting.dispatch import Call, Reply, handles, handles_raw
from rmq.remoting.protocol import Connection
from rmq.server.broker.safety import Safety
from rmq.server.broker.transaction.service import Transactions
from rmq.server.store.api import PutStatus
from rmq.wire.codes import FLAG_ONEWAY
from rmq.wire.command import Command, encode
from rmq.wire.declare import decode_header
from rmq.wire.errors import InvalidParameterError, MessageIllegalError, RemotingError, ServiceNotAvailableError
from rmq.wire.message import MessageError, parse_offset_message_id
from rmq.wire.requests.message import ResumeCheckHalfMessage
from rmq.wire.requests.transaction import EndTransaction
from rmq.wire.sysflag import TRANSACTION_COMMIT, TRANSACTION_ROLLBACK

_WAIT: Final = "WAIT"


class TransactionProcessor:
    """Handles END_TRANSACTION and RESUME_CHECK_HALF_MESSAGE.

    Args:
        transactions: does what is asked for.
        safety: when the end of a transaction may be answered.
    """

    def __init__(self, transactions: Transactions, safety: Safety) -> None:
        self._transactions = transactions
        self._safety = safety

    @handles_raw(EndTransaction)
    def end(self, connection: Connection, command: Command) -> bytes | Deferred[bytes | None] | None:
        """Commits or rolls back; nothing happens, and nothing is answered, for any other outcome."""
        header = decode_header(EndTransaction, command.ext)
        if header.commit_or_rollback not in {TRANSACTION_COMMIT, TRANSACTION_ROLLBACK}:
            return None
        half = self._transactions.find(header)
        if header.commit_or_rollback == TRANSACTION_ROLLBACK:
            self._transactions.roll_back(half)
            return encode(Reply().to_command(command))
        result = self._transactions.commit(half)
        _check(result.status)
        nobody_waits = command.flag & FLAG_ONEWAY or half.properties.get(_WAIT) == "false"
        safe = None if nobody_waits else self._safety.when_safe(result)
        if safe is not None:
            # Whatever comes of it: the message is stored, and no other end of the transaction could change that.
            return safe.addCallback(lambda _: encode(Reply().to_command(command)))
        return encode(Reply().to_command(command))

    @handles(ResumeCheckHalfMessage)
    def resume(self, header: ResumeCheckHalfMessage, call: Call) -> None:
        """Makes a message in TRANS_CHECK_MAX_TIME_TOPIC a half message again; its id is the one of that copy."""
        try:
            _, offset = parse_offset_message_id(header.msg_id or "")
        except MessageError as error:
            raise InvalidParameterError(str(error)) from None
        if self._transactions.resume(offset).status is not PutStatus.PUT_OK:
            raise RemotingError("Put message back to RMQ_SYS_TRANS_HALF_TOPIC failed.")


def _check(status: PutStatus) -> None:
    """Refuses with what the store says, if it did not store."""
    if status in {PutStatus.MESSAGE_ILLEGAL, PutStatus.PROPERTIES_SIZE_EXCEEDED}:
        raise MessageIllegalError("The message is illegal, maybe msg body or properties length not matched.")
    if status is PutStatus.SERVICE_NOT_AVAILABLE:
        raise ServiceNotAvailableError("Service not available now.")
    if status is PutStatus.CREATE_MAPPED_FILE_FAILED:
        raise RemotingError("Create mapped file failed.")
    if status is PutStatus.UNKNOWN_ERROR:
        raise RemotingError("UNKNOWN_ERROR")
