"""What a message trace says, in the text that Apache's tools read.

A trace is a record of fields separated by 0x01 that ends with 0x02. Several make the body of one message to the trace
topic, whose keys are the ids and keys of the messages that were traced. An absent tag or key is the text `null`.

    Pub             time region group topic id tags keys broker length cost kind offset-id success
    SubBefore       time region group call id retries keys
    SubAfter        call id cost success keys outcome time group
    EndTransaction  time region group topic id tags keys broker kind transaction-id state checked

Source: TraceDataEncoder, TraceBean, TraceContext, TraceType, MessageType, ConsumeReturnType.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Final, NamedTuple

from rmq.client.message import PROPERTY_TRAN_MSG
from rmq.wire.message import KEY_SEPARATOR, PROPERTY_DELAY, PROPERTY_KEYS, PROPERTY_TAGS

FIELD: Final = "\x01"
RECORD: Final = "\x02"


class MessageKind(IntEnum):
    """What kind of message was sent."""

    NORMAL = 0
    HALF = 1
    COMMIT = 2
    DELAY = 3
    ORDER = 4


class ConsumeReturn(IntEnum):
    """How a listener ended."""

    SUCCESS = 0
    TIME_OUT = 1
    EXCEPTION = 2
    RETURN_NULL = 3
    FAILED = 4


class Trace(NamedTuple):
    """Records about messages of one topic.

    Attributes:
        topic: of the messages.
        keys: by which the trace is to be found.
        text: the records.
    """

    topic: str
    keys: frozenset[str]
    text: str


def kind_of(properties: Mapping[str, str]) -> MessageKind:
    """What kind of message has these properties."""
    if PROPERTY_DELAY in properties:
        return MessageKind.DELAY
    return MessageKind.HALF if properties.get(PROPERTY_TRAN_MSG) == "true" else MessageKind.NORMAL


def record(*fields: object) -> str:
    """One record."""
    return FIELD.join(_text(field) for field in fields) + RECORD


def _text(field: object) -> str:
    if field is None:
        return "null"
    if isinstance(field, bool):
        return "true" if field else "false"
    return str(int(field)) if isinstance(field, int) else str(field)


def published(
    properties: Mapping[str, str],
    *,
    time: int,
    region: str,
    group: str,
    topic: str,
    message_id: str,
    broker: str,
    length: int,
    cost: int,
    offset_id: str,
    success: bool,
) -> Trace:
    """A message was sent; `length` is that of the body as it was sent, `cost` is in ms."""
    tags, keys = properties.get(PROPERTY_TAGS), properties.get(PROPERTY_KEYS)
    text = record(
        "Pub", time, region, group, topic, message_id, tags, keys, broker, length, cost, kind_of(properties), offset_id,
        success,
    )  # fmt: skip
    return Trace(topic, trace_keys(message_id, keys), text)


class Consumed(NamedTuple):
    """A message that a listener gets."""

    topic: str
    message_id: str
    keys: str | None
    reconsume_times: int


def consuming(messages: Sequence[Consumed], *, time: int, region: str | None, group: str, call: str) -> Trace:
    """A listener is called; `call` is an id of the call."""
    text = "".join(
        record("SubBefore", time, region, group, call, item.message_id, item.reconsume_times, item.keys)
        for item in messages
    )
    return Trace(messages[0].topic, _all_keys(messages), text)


def consumed(
    messages: Sequence[Consumed], *, time: int, group: str, call: str, cost: int, success: bool, outcome: ConsumeReturn
) -> Trace:
    """A listener has ended; `cost` is the time a message took, in ms."""
    text = "".join(
        record("SubAfter", call, item.message_id, cost, success, item.keys, outcome, time, group) for item in messages
    )
    return Trace(messages[0].topic, _all_keys(messages), text)


def transaction_ended(
    properties: Mapping[str, str],
    *,
    time: int,
    region: str,
    group: str,
    topic: str,
    message_id: str,
    broker: str,
    transaction_id: str | None,
    state: str,
    checked: bool,
) -> Trace:
    """A transaction was decided; `checked` when the broker had to ask."""
    tags, keys = properties.get(PROPERTY_TAGS), properties.get(PROPERTY_KEYS)
    text = record(
        "EndTransaction", time, region, group, topic, message_id, tags, keys, broker, MessageKind.COMMIT,
        transaction_id, state, checked,
    )  # fmt: skip
    return Trace(topic, trace_keys(message_id, keys), text)


def trace_keys(message_id: str, keys: str | None) -> frozenset[str]:
    """The keys of the trace of one message."""
    return frozenset([message_id, *(key for key in (keys or "").split(KEY_SEPARATOR) if key)])


def _all_keys(messages: Sequence[Consumed]) -> frozenset[str]:
    return frozenset().union(*(trace_keys(item.message_id, item.keys) for item in messages))
