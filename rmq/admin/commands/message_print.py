"""Printing what queues hold, without consuming it.

Source: org.apache.rocketmq.tools.command.message.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final, NamedTuple

from rmq.admin.declare import Call, command
from rmq.admin.errors import CommandLineError
from rmq.admin.messages import MESSAGE_HELP, MessagePrinter, charset, message_line, message_members
from rmq.admin.options import topic, value
from rmq.admin.output import Column, Member, Report, Table
from rmq.client.errors import ClientError
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.errors import RemotingError, SubscriptionParseError
from rmq.wire.javahash import hash_order, java_hash

if TYPE_CHECKING:
    from rmq.client.admin.pulling import Reader

_LINE: Final = "-" * 56
_MESSAGES: Final = Member("messages", f"The messages: {MESSAGE_HELP}; without a body where -d turns it off.")
_SELECTION: Final = (
    value("c", "charsetName ", "Charset of the bodies.", default="UTF-8"),
    value("s", "subExpression ", "Only messages with one of these tags, joined by ||.", default="*"),
    value("b", "beginTimestamp ", "Stored then or later: milliseconds or yyyy-MM-dd#HH:mm:ss:SSS."),
    value("e", "endTimestamp ", "Stored before: milliseconds or yyyy-MM-dd#HH:mm:ss:SSS."),
)
_EXACT_END: Final = "With -e it stops where that time begins; Apache prints up to 31 messages beyond."
_UNKNOWN_CHARSET: Final = "An unknown charset is refused; Apache prints no message then."


class _Wanted(NamedTuple):
    """What is wanted of each queue: messages with these tags, stored between two times (ms)."""

    expression: str
    begin: int | None
    end: int | None


def _wanted(call: Call) -> _Wanted:
    from rmq.admin.times import parse_time
    from rmq.wire.subscription import SUB_ALL, build_subscription

    expression = call.text("s") or SUB_ALL
    try:
        build_subscription("", expression)
    except SubscriptionParseError as error:
        raise CommandLineError(error.remark) from None
    begin, end = call.text("b"), call.text("e")
    return _Wanted(expression, None if begin is None else parse_time(begin), None if end is None else parse_time(end))


async def _bounds(reader: Reader, queue: MessageQueue, wanted: _Wanted) -> tuple[int, int]:
    first, last = await reader.bounds(queue)
    if wanted.begin is not None:
        first = await reader.offset_at(queue, wanted.begin)
    if wanted.end is not None:
        last = await reader.offset_at(queue, wanted.end)
    return first, last


def _printer(form: str | None, encoding: str | None) -> MessagePrinter:
    """Prints messages, with their bodies read with that charset, or without when there is none."""
    return MessagePrinter(
        form,
        line=lambda message: message_line(message, encoding),
        members=lambda message: message_members(message, body=encoding is not None),
    )


# --- printMsg ------------------------------------------------------------------------------------------------------


@command(
    "printMsg",
    "Print the messages of a topic, or those with a tag or of a time, without consuming them.",
    topic(),
    *_SELECTION,
    value("d", "printBody ", "Whether bodies are shown (true or false).", default="true"),
    value("l", "lmqParentTopic", "For an LMQ topic: the topic whose route is taken."),
    data=(
        _MESSAGES,
        Member("queues", "The queues that were read: brokerName, queueId, minOffset and maxOffset."),
    ),
    differs=(_EXACT_END, _UNKNOWN_CHARSET),
    examples=(
        ("printMsg -t T -s 'TagA || TagB'", "Print the messages with one of two tags."),
        ("printMsg -t T -b 2026-01-31#08:00:00:000 -f json", "Messages since that time as one JSON object."),
    ),
)
async def print_message(call: Call) -> AsyncIterator[Report]:
    """`printMsg`."""
    from rmq.client.admin.pulling import PullStatus, Reader, readable_queues
    from rmq.client.admin.topics import topic_route

    wanted = _wanted(call)
    encoding = charset(call.text("c"), "utf-8")
    name, parent = call.required("t"), call.text("l")
    printer = _printer(call.text(print_message.format_option.key), encoding if call.truth("d", True) else None)
    route = await topic_route(call.admin, parent or name)
    queues = readable_queues(route, parent or name)
    if not queues:
        raise ClientError(f"the topic {name} has no queue that may be read")
    reader = Reader(call.admin, route, name)
    printer.report.put(messages=[], queues=[])
    for found in queues:
        queue = MessageQueue(name, found.broker_name, found.queue_id)
        try:
            first, last = await _bounds(reader, queue, wanted)
            printer.report.say(f"minOffset={first}, maxOffset={last}, {queue}")
            place = {"brokerName": queue.broker_name, "queueId": queue.queue_id}
            printer.report.add("queues", {**place, "minOffset": first, "maxOffset": last})
            async for pulled in reader.read(queue, first, last, wanted.expression):
                if pulled.status is PullStatus.FOUND:
                    printer.add(pulled.messages)
                else:
                    what = "no matched msg." if pulled.status is PullStatus.NO_MATCHED_MSG else "print msg finished."
                    printer.report.say(f"{queue} {what} status={pulled.status.name}, offset={pulled.next_offset}")
                if (shown := printer.full()) is not None:
                    yield shown
        except RemotingError as error:
            printer.report.fail(error)
        printer.report.say(_LINE)
    yield printer.report


# --- printMsgByQueue -----------------------------------------------------------------------------------------------

_TAGS = Table(
    "tags",
    "With -f true: a tag and the number of its messages.",
    "",
    "Tag: %-30s Count: %s",
    (Column("tag"), Column("count")),
)


@command(
    "printMsgByQueue",
    "Print the messages of one queue, or count them by tag, without consuming them.",
    topic(),
    value("a", "brokerName ", "Name of the broker.", required=True),
    value("i", "queueId ", "Number of the queue on that broker.", required=True),
    *_SELECTION,
    value("p", "print msg", "Whether messages are printed (true or false).", default="false"),
    value("d", "printBody ", "Whether bodies are shown (true or false).", default="false"),
    value("f", "calculate", "Whether messages are counted by tag (true or false).", default="false"),
    data=(
        Member("messages", f"With -p true, the messages: {MESSAGE_HELP}; without a body unless -d asks for it."),
        _TAGS,
    ),
    differs=(
        "It reads on where a stretch of the queue holds no message with the tags wanted; Apache ends there.",
        _EXACT_END,
        _UNKNOWN_CHARSET,
    ),
    examples=(
        ("printMsgByQueue -t T -a broker-a -i 0 -p true -d true", "Print a queue with its bodies."),
        ("printMsgByQueue -t T -a broker-a -i 0 -f true", "Count a queue's messages by tag."),
    ),
)
async def print_message_by_queue(call: Call) -> AsyncIterator[Report]:
    """`printMsgByQueue`."""
    from rmq.client.admin.pulling import Reader
    from rmq.client.admin.topics import topic_route

    wanted = _wanted(call)
    encoding = charset(call.text("c"), "utf-8")
    printing, counting = call.truth("p"), call.truth("f")
    queue = MessageQueue(call.required("t"), call.required("a"), call.number("i", 0))
    form = call.text(print_message_by_queue.format_option.key)
    printer = _printer(form, encoding if call.truth("d") else None)
    reader = Reader(call.admin, await topic_route(call.admin, queue.topic), queue.topic)
    first, last = await _bounds(reader, queue, wanted)
    if printing:
        printer.report.put(messages=[])
    counts: dict[str, int] = {}
    if printing or counting:
        try:
            async for pulled in reader.read(queue, first, last, wanted.expression):
                for message in pulled.messages:
                    if message.tags and message.tags.strip():
                        counts[message.tags] = counts.get(message.tags, 0) + 1
                if printing:
                    printer.add(pulled.messages)
                    if (shown := printer.full()) is not None:
                        yield shown
        except RemotingError as error:
            printer.report.fail(error)
    if counting:
        order = hash_order(counts.items(), lambda entry: java_hash(entry[0]))
        printer.report.table(_TAGS, sorted(order, key=lambda entry: -entry[1]))
    yield printer.report
