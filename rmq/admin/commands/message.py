"""Sending and reading messages.

Source: org.apache.rocketmq.tools.command.message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rmq.admin.declare import Call, command, integer
from rmq.admin.messages import MESSAGE_HELP, message_line, message_members
from rmq.admin.options import topic, value
from rmq.admin.output import Column, Member, Report, Table
from rmq.wire.errors import RemotingError
from rmq.wire.names import TOOLS_CONSUMER_GROUP

if TYPE_CHECKING:
    from rmq.client.admin.pulling import Reader
    from rmq.wire.bodies.route import MessageQueue

_MAX_INT32 = (1 << 31) - 1


# --- sendMessage ---------------------------------------------------------------------------------------------------

_SENT = Table(
    "sent",
    "Where the message went; `sendStatus` is SEND_OK, FLUSH_DISK_TIMEOUT, FLUSH_SLAVE_TIMEOUT or SLAVE_NOT_AVAILABLE.",
    "%-32s  %-4s  %-20s    %s",
    "%-32s  %-4s  %-20s    %s",
    (
        Column("brokerName", "#Broker Name"),
        Column("queueId", "#QID"),
        Column("sendStatus", "#Send Result"),
        Column("msgId", "#MsgId"),
    ),
)


@command(
    "sendMessage",
    "Send one message.",
    topic(),
    value("p", "body", "Text of the message.", required=True),
    value("k", "key", "Keys by which it can be found, separated by blanks."),
    value("c", "tags", "Tag by which consumers select it."),
    value("b", "broker", "Name of the broker; it counts only together with -i."),
    value("i", "qid", "Number of the queue on that broker; any queue if not given."),
    value("m", "msgTraceEnable", "Whether a trace is stored too (true or false).", default="false"),
    data=(_SENT,),
    differs=("With -m true it ends when the trace is stored; Apache's may end before it is sent.",),
    changes=True,
    examples=(
        ("sendMessage -t T -p 'Hello' -k order-7 -c TagA", "Send a message to any queue."),
        ("sendMessage -t T -p 'Hello' -b broker-a -i 0 -m true", "Send to one queue and store a trace."),
    ),
)
async def send_message(call: Call) -> Report:
    """`sendMessage`."""
    from rmq.client.admin.sending import Sender, place_on
    from rmq.client.message import Message

    report = Report()
    queue = call.text("i")
    broker_name = call.text("b")
    if queue is not None and broker_name is None:
        return report.refuse("Broker name must be set if the queue is chosen!")
    number = -1 if queue is None else integer(queue)
    message = Message(call.required("t"), call.required("p"), tags=call.text("c"), keys=call.text("k"))
    place = None
    if broker_name is not None and number >= 0:
        place = await place_on(call.admin, message.topic, broker_name, number)
    sender = Sender(call.admin, str(call.admin.now()), trace=call.truth("m"))
    result = await sender.send(message, place)
    where = result.message_queue
    report.table(_SENT, [(where.broker_name, where.queue_id, result.send_status, result.msg_id)])
    for failure in sender.untraced:
        report.fail(failure)
    return report


# --- consumeMessage ------------------------------------------------------------------------------------------------


class _Range(NamedTuple):
    """What is wanted of each queue: at most so many messages, stored between two times (ms, 0 for no bound)."""

    most: int
    begin: int
    end: int


@command(
    "consumeMessage",
    "Read messages without consuming them: no offset is committed.",
    topic(),
    value("b", "brokerName", "Name of the broker, for -i."),
    value("i", "queueId", "Number of a queue on that broker; all queues if not given."),
    value("o", "offset", "Offset in that queue to begin at."),
    value("g", "consumerGroup", "Name of the consumer group to read as.", default=TOOLS_CONSUMER_GROUP),
    value("s", "beginTimestamp ", "Stored then or later: milliseconds or yyyy-MM-dd#HH:mm:ss:SSS."),
    value("e", "endTimestamp ", "Stored before: milliseconds or yyyy-MM-dd#HH:mm:ss:SSS."),
    value("c", "MessageNumber", "How many messages at most.", default="128"),
    data=(
        Member("messages", f"The messages: {MESSAGE_HELP}."),
        Member("queues", "How reading ended in each queue: brokerName, queueId, status and the next offset."),
    ),
    examples=(
        ("consumeMessage -t T -b broker-a -i 0 -o 100 -c 10", "Read ten messages of a queue."),
        ("consumeMessage -t T -s 2026-01-31#08:00:00:000 -c 5", "Read five messages stored since then."),
    ),
)
async def consume_message(call: Call) -> Report:
    """`consumeMessage`."""
    from rmq.client.admin.pulling import Reader
    from rmq.client.admin.topics import topic_route

    report = Report()
    wanted = _range(call, report)
    if report.refusal:
        return report
    name = call.required("t")
    route = await topic_route(call.admin, name)
    reader = Reader(call.admin, route, name, call.text("g") or TOOLS_CONSUMER_GROUP)
    report.put(messages=[], queues=[])
    await reader.register()
    try:
        if call.given("i"):
            await _read_one(call, report, reader, wanted)
        else:
            from rmq.client.admin.pulling import readable_queues

            await _read_all(report, reader, readable_queues(route, name), wanted)
    finally:
        await reader.unregister()
    return report


def _range(call: Call, report: Report) -> _Range:
    from rmq.admin.times import parse_time

    begin_text, end_text = call.text("s"), call.text("e")
    count = call.number("c", 128, bits=64)
    begin = 0 if begin_text is None else parse_time(begin_text)
    end = 0 if end_text is None else parse_time(end_text)
    now = call.admin.now()
    if count <= 0:
        report.refuse("Please input a positive messageNumber!")
    elif call.given("i") and not call.given("b"):
        report.refuse("Please set the brokerName before queueId!")
    elif call.given("o") and not call.given("i"):
        report.refuse("Please set queueId before offset!")
    elif begin > now:
        report.refuse("Please set the beginTimestamp before now!")
    elif end > now:
        report.refuse("Please set the endTimestamp before now!")
    elif end_text is not None and begin > end:
        report.refuse("Please make sure that the beginTimestamp is less than or equal to the endTimestamp")
    return _Range(count, begin, end)


async def _bounds(reader: Reader, queue: MessageQueue, wanted: _Range) -> tuple[int, int]:
    first, last = await reader.bounds(queue)
    if wanted.begin > 0:
        first = await reader.offset_at(queue, wanted.begin)
    if wanted.end > 0:
        last = await reader.offset_at(queue, wanted.end)
    return first, last


async def _read_all(report: Report, reader: Reader, queues: list[MessageQueue], wanted: _Range) -> None:
    left = wanted.most
    for queue in queues:
        if left == 0:
            return
        first, last = await _bounds(reader, queue, wanted)
        if last - first > left:
            report.say(f"The older {left} message of the {queue.queue_id} queue will be provided")
            last = first + left - 1
            left = 0
        else:
            left -= last - first + 1
        await _read(report, reader, queue, first, last)


async def _read_one(call: Call, report: Report, reader: Reader, wanted: _Range) -> None:
    from rmq.wire.bodies.route import MessageQueue

    queue = MessageQueue(call.required("t"), call.required("b"), call.number("i", 0))
    offset = call.number("o", 0, bits=64)
    first, last = await _bounds(reader, queue, wanted)
    if offset > last:
        report.say(f"{queue} no matched msg, offset={offset}")
        return
    first = max(first, offset)
    if last - first > wanted.most:
        report.say(f"The oldler {wanted.most} message will be provided")
        last = first + wanted.most - 1
    await _read(report, reader, queue, first, last)


async def _read(report: Report, reader: Reader, queue: MessageQueue, first: int, last: int) -> None:
    from rmq.client.admin.pulling import PullStatus

    try:
        async for status, offset, messages in reader.read(queue, first, last + 1, most=_MAX_INT32):
            if status is PullStatus.FOUND:
                report.say("Consume ok")
                for message in messages:
                    report.say(message_line(message, "utf-8"))
                    report.add("messages", message_members(message))
            elif status is PullStatus.NO_MATCHED_MSG:
                report.say(f"{queue} no matched msg. status={status.name}, offset={offset}")
            else:
                report.say(f"{queue} print msg finished. status={status.name}, offset={offset}")
                place = {"brokerName": queue.broker_name, "queueId": queue.queue_id}
                report.add("queues", {**place, "status": status.name, "offset": offset})
    except RemotingError as error:
        report.fail(error)
