"""Asks producers what became of a half message: one of the group, one after the other in turn.

Any producer of the group may be asked, not only the one that sent the message, so that a group outlives its members.
The answer comes as an END_TRANSACTION of its own; nothing waits for it here.

Source: AbstractTransactionalMessageCheckListener, ProducerManager.getAvailableChannel.
"""

from __future__ import annotations

from typing import Final

from twisted.logger import Logger

from rmq.remoting.calls import request_command
from rmq.remoting.protocol import Connection
from rmq.server.broker.clients import ProducerTable
from rmq.server.broker.transaction.half import HALF_QUEUE, PRODUCER_GROUP, number
from rmq.wire.message import (
    PROPERTY_REAL_QUEUE_ID,
    PROPERTY_REAL_TOPIC,
    StoredMessage,
    encode_message,
    format_properties,
)
from rmq.wire.names import TRANS_HALF_TOPIC
from rmq.wire.requests.transaction import CheckTransactionState

MOST_UNREAD: Final = 1024 * 1024
"""A producer with more than this many bytes of unread output is not asked."""

log = Logger()


class ProducerAsker:
    """Sends CHECK_TRANSACTION_STATE.

    Args:
        producers: who is connected.
        broker_name: what the producer is told about who asks.
    """

    def __init__(self, producers: ProducerTable, broker_name: str) -> None:
        self._producers = producers
        self._broker_name = broker_name
        self._turn = 0

    def ask(self, half: StoredMessage) -> bool:
        """Asks about a half message; False when no producer of its group can be asked now.

        Args:
            half: as it stands in the half queue now: its offsets are what the answer will name.
        """
        group = half.properties.get(PRODUCER_GROUP, "")
        connection = self._producer(group)
        if connection is None:
            log.debug("no producer of {group} can be asked about a half message", group=group)
            return False
        unique = half.unique_id
        header = CheckTransactionState(
            topic=TRANS_HALF_TOPIC,
            tran_state_table_offset=half.queue_offset,
            commit_log_offset=half.physical_offset,
            msg_id=unique,
            transaction_id=unique,
            offset_msg_id=half.offset_id,
            broker_name=self._broker_name,
        )
        half.topic = half.properties.get(PROPERTY_REAL_TOPIC, "")
        half.queue_id = number(half.properties.get(PROPERTY_REAL_QUEUE_ID), HALF_QUEUE)
        half.properties_text = format_properties(half.properties)
        connection.send_oneway(request_command(header, encode_message(half), oneway=True))
        return True

    def _producer(self, group: str) -> Connection | None:
        clients = self._producers.groups.get(group)
        if not clients:
            return None
        connections = list(clients)
        self._turn += 1
        for step in range(len(connections)):
            connection = connections[(self._turn + step) % len(connections)]
            if connection.alive and connection.unread <= MOST_UNREAD:
                return connection
        return None
