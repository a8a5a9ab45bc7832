"""Finds the traces of a message and reads them.

A trace message holds records of several messages, of one topic; see `rmq.client.trace` for what a record is. Which
fields one has depends on the release that wrote it: the last ones may be missing.

Source: TraceView, TraceDataEncoder.decoderFromTraceDataString.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from rmq.client.admin.errors import NoMessageError
from rmq.client.admin.messages import FOREVER, messages_with_key
from rmq.client.admin.session import Admin
from rmq.client.errors import ClientError
from rmq.client.message import MessageExt
from rmq.client.trace import FIELD, RECORD
from rmq.wire.errors import RemotingError
from rmq.wire.names import TRACE_TOPIC

PUBLISHED: Final = "Pub"
CONSUMED: Final = "SubAfter"
_CONSUMING: Final = "SubBefore"
_TRANSACTION: Final = "EndTransaction"
_RECALL: Final = "Recall"


class MalformedTraceError(ClientError):
    """A message of a trace topic holds a record that cannot be read."""

    def __init__(self, message_id: str, reason: str) -> None:
        super().__init__(f"trace message {message_id} cannot be read: {reason}")


@dataclass(frozen=True, slots=True)
class TraceEvent:
    """Something that happened to a message.

    Attributes:
        kind: `Pub` it was sent, `SubBefore` a listener was called, `SubAfter` the listener ended, `EndTransaction` its
            transaction was decided, `Recall` it was recalled.
        group: the producer or consumer group; None where that is not told.
        client_host: address of the client that tells.
        time: ms since the epoch.
        cost: how long it took in ms; None where that is not told.
        success: whether it went well; None where that is not told.
        facts: what else is told, by name.
    """

    kind: str
    group: str | None
    client_host: str
    time: int
    cost: int | None
    success: bool | None
    facts: dict[str, str]


async def message_trace(
    admin: Admin,
    message_id: str,
    *,
    topic: str = TRACE_TOPIC,
    most: int = 64,
    begin: int = 0,
    end: int = FOREVER,
    failed: Callable[[RemotingError], object] | None = None,
) -> list[TraceEvent]:
    """What is told of the message with a client's id.

    Args:
        admin: the session.
        message_id: the client's id.
        topic: where traces are stored.
        most: trace messages from each broker.
        begin: stored at this time (ms) or later.
        end: stored at this time (ms) or earlier.
        failed: is told of brokers that could not look while others have found something.

    Raises:
        NoTopicRouteError: the trace topic has no route.
        NoMessageError: nothing is told of it.
        MalformedTraceError: a trace cannot be read.
    """
    found = await messages_with_key(admin, topic, message_id, most=most, begin=begin, end=end, failed=failed)
    events = []
    for message in found:
        try:
            events += [event for told, event in _events(message) if told == message_id]
        except (ValueError, IndexError) as error:
            raise MalformedTraceError(message.msg_id, str(error)) from None
    if not events:
        raise NoMessageError(f"no trace in {topic} tells of {message_id}")
    return events


def _events(message: MessageExt) -> Iterator[tuple[str, TraceEvent]]:
    """The events in a trace message, each with the id of the message that it is about."""
    host = message.born_host.rpartition(":")[0].strip("[]")
    for record in message.body.decode("utf-8", "replace").split(RECORD):
        fields = record.split(FIELD)
        if fields[0] == PUBLISHED:
            yield fields[5], _published(fields, host)
        elif fields[0] == _CONSUMING:
            facts = {"region": fields[2], "call": fields[4], "reconsumeTimes": fields[6], "keys": fields[7]}
            yield fields[5], TraceEvent(_CONSUMING, fields[3], host, int(fields[1]), None, None, facts)
        elif fields[0] == CONSUMED:
            yield fields[2], _consumed(fields, host)
        elif fields[0] == _TRANSACTION:
            yield fields[5], _decided(fields, host)
        elif fields[0] == _RECALL:
            facts = {"region": fields[2], "topic": fields[4]}
            yield fields[5], TraceEvent(_RECALL, fields[3], host, int(fields[1]), None, fields[6] == "true", facts)


def _published(fields: list[str], host: str) -> TraceEvent:
    names = ("region", "", "topic", "", "tags", "keys", "broker", "length", "", "messageType")
    facts = {name: text for name, text in zip(names, fields[2:], strict=False) if name}
    if len(fields) > 13:
        facts["offsetMsgId"] = fields[12]
    success = fields[12 if len(fields) == 13 else 13]
    return TraceEvent(PUBLISHED, fields[3], host, int(fields[1]), int(fields[10]), success == "true", facts)


def _consumed(fields: list[str], host: str) -> TraceEvent:
    facts = {"call": fields[1], "keys": fields[5]}
    if len(fields) > 6:
        facts["outcome"] = fields[6]
    time, group = (int(fields[7]), fields[8]) if len(fields) > 8 else (0, None)
    return TraceEvent(CONSUMED, group, host, time, int(fields[3]), fields[4] == "true", facts)


def _decided(fields: list[str], host: str) -> TraceEvent:
    names = ("region", "", "topic", "", "tags", "keys", "broker", "messageType", "transactionId", "state", "checked")
    facts = {name: text for name, text in zip(names, fields[2:], strict=False) if name}
    return TraceEvent(_TRANSACTION, fields[3], host, int(fields[1]), None, None, facts)
