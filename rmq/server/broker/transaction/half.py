"""The forms that a transactional message takes on its way, each a message of a topic.

| form | topic, queue | how it differs from the one before |
|---|---|---|
| half | RMQ_SYS_TRANS_HALF_TOPIC, 0 | REAL_TOPIC and REAL_QID are its destination; `__transactionId__` is UNIQ_KEY |
| half, checked | the same | TRANSACTION_CHECK_TIMES counts the questions asked about it |
| half, put off | the same | TRAN_PREPARED_QUEUE_OFFSET is the place of the first of its kind: its end names that one |
| committed | the destination | bits of a commit, place of the half message; without REAL_TOPIC and REAL_QID |
| given up | TRANS_CHECK_MAX_TIME_TOPIC, 0 | nothing: an operator can have it resumed |

A half message carries no transaction bits, because a record with them would be in no queue. TRAN_MSG stays with it
to the consumer.

Source: TransactionalMessageBridge, EndTransactionProcessor.endMessageTransaction,
DefaultTransactionalMessageCheckListener.
"""

from __future__ import annotations

from typing import Final

from rmq.server.broker.putting import MessageInner
from rmq.wire.errors import MessageIllegalError
from rmq.wire.message import (
    DELAY_PROPERTIES,
    PROPERTY_DELAY,
    PROPERTY_REAL_QUEUE_ID,
    PROPERTY_REAL_TOPIC,
    PROPERTY_UNIQ_KEY,
    StoredMessage,
)
from rmq.wire.names import (
    TRANS_CHECK_MAX_TIME_TOPIC,
    TRANS_HALF_TOPIC,
    is_legal_topic,
    is_not_allowed_send_topic,
)
from rmq.wire.sysflag import TRANSACTION_COMMIT, TRANSACTION_MASK

PRODUCER_GROUP: Final = "PGROUP"
TRANSACTION_ID: Final = "__transactionId__"
CHECK_TIMES: Final = "TRANSACTION_CHECK_TIMES"
IMMUNITY: Final = "CHECK_IMMUNITY_TIME_IN_SECONDS"
FIRST_OFFSET: Final = "TRAN_PREPARED_QUEUE_OFFSET"
HALF_QUEUE: Final = 0

_LONGEST_NUMBER: Final = 19
_MOST_QUEUE_ID: Final = 2**31 - 1


def is_half(message: MessageInner) -> bool:
    """Whether what a client sends begins a transaction.

    Clients before 4.6.1 send what they could not consume with the mark still on it; that is no transaction.
    """
    properties = message.properties
    if properties.get("TRAN_MSG", "").lower() != "true":
        return False
    return not (message.reconsume_times > 0 and number(properties.get(PROPERTY_DELAY), 0) > 0)


def make_half(message: MessageInner) -> None:
    """Turns a client's message into a half message.

    Raises:
        MessageIllegalError: it asks for a delay too. (Apache takes it and never delivers it.)
    """
    properties = message.properties
    if any(properties.get(name, "0") != "0" for name in DELAY_PROPERTIES):
        raise MessageIllegalError("a transactional message cannot be delayed")
    unique = properties.get(PROPERTY_UNIQ_KEY)
    if unique:
        properties[TRANSACTION_ID] = unique
    properties[PROPERTY_REAL_TOPIC] = message.topic
    properties[PROPERTY_REAL_QUEUE_ID] = str(message.queue_id)
    message.sys_flag &= ~TRANSACTION_MASK
    message.topic = TRANS_HALF_TOPIC
    message.queue_id = HALF_QUEUE


def committed(half: StoredMessage) -> MessageInner:
    """The message that consumers get.

    Raises:
        MessageIllegalError: the half message does not know its destination.
    """
    properties = dict(half.properties)
    topic = properties.pop(PROPERTY_REAL_TOPIC, "")
    queue_id = number(properties.pop(PROPERTY_REAL_QUEUE_ID, None), -1)
    if not is_legal_topic(topic) or is_not_allowed_send_topic(topic) or not 0 <= queue_id <= _MOST_QUEUE_ID:
        raise MessageIllegalError(f"the half message at {half.physical_offset} names no topic and queue")
    message = _copy(half, topic, queue_id, properties)
    message.sys_flag = half.sys_flag & ~TRANSACTION_MASK | TRANSACTION_COMMIT
    message.prepared_transaction_offset = half.physical_offset
    return message


def again(half: StoredMessage, **changed: str) -> MessageInner:
    """The half message once more, at the end of its queue, with some properties changed."""
    return _copy(half, half.topic, half.queue_id, {**half.properties, **changed})


def given_up(half: StoredMessage) -> MessageInner:
    """The half message where operators find it."""
    return _copy(half, TRANS_CHECK_MAX_TIME_TOPIC, 0, dict(half.properties))


def resumed(message: StoredMessage) -> MessageInner:
    """A message that was given up as a half message again, to be checked from the beginning.

    Raises:
        MessageIllegalError: it is none that was given up.
    """
    # In any other topic these properties may be a client's, and they become names of directories.
    needed = (PRODUCER_GROUP, PROPERTY_REAL_TOPIC, PROPERTY_REAL_QUEUE_ID)
    if message.topic != TRANS_CHECK_MAX_TIME_TOPIC or not all(message.properties.get(name) for name in needed):
        raise MessageIllegalError(f"the message at {message.physical_offset} was no half message")
    return _copy(message, TRANS_HALF_TOPIC, HALF_QUEUE, {**message.properties, CHECK_TIMES: "0"})


def immunity(half: StoredMessage, timeout: int) -> int | None:
    """Milliseconds after its birth in which a half message wants not to be checked; None where it does not say."""
    text = half.properties.get(IMMUNITY)
    if text is None:
        return None
    seconds = number(text, -1)
    return timeout if seconds == -1 else seconds * 1000


def number(text: str | None, otherwise: int) -> int:
    """The number that a property holds."""
    if text is None or len(text) > _LONGEST_NUMBER or not text.removeprefix("-").isdecimal():
        return otherwise
    return int(text)


def _copy(source: StoredMessage, topic: str, queue_id: int, properties: dict[str, str]) -> MessageInner:
    return MessageInner(
        topic,
        queue_id,
        source.body,
        properties,
        source.flag,
        source.sys_flag,
        source.born_timestamp,
        source.born_host,
        source.reconsume_times,
    )
