"""The second half of transactions.

Source: EndTransactionRequestHeader, CheckTransactionStateRequestHeader.
"""

from __future__ import annotations

from rmq.wire.declare import Int32, Int64, request, wire


@request(37, "END_TRANSACTION", changes=True)
class EndTransaction:
    """Commits (8) or rolls back (12) a half message, or says that this is still unknown (0)."""

    producer_group: str
    tran_state_table_offset: Int64
    commit_log_offset: Int64
    commit_or_rollback: Int32
    msg_id: str
    topic: str | None = None
    from_transaction_check: bool = False
    transaction_id: str | None = None
    broker_name: str | None = wire("bname", default=None)


@request(39, "CHECK_TRANSACTION_STATE")
class CheckTransactionState:
    """Broker to client, one-way: what became of this half message? The body is the message."""

    tran_state_table_offset: Int64
    commit_log_offset: Int64
    topic: str | None = None
    msg_id: str | None = None
    transaction_id: str | None = None
    offset_msg_id: str | None = None
    broker_name: str | None = wire("bname", default=None)
