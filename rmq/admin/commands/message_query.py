"""Finding messages.

Source: org.apache.rocketmq.tools.command.message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rmq.admin.declare import Call, command
from rmq.admin.messages import SHOWN_HELP, Showing, charset, show_message
from rmq.admin.options import flag, route_cluster, topic, value
from rmq.admin.output import Column, Member, Report, Table, same
from rmq.client.admin.errors import NoMessageError
from rmq.client.admin.messages import (
    BY_KEY,
    BY_TAG,
    FOREVER,
    find_message,
    messages_with_key,
    messages_with_unique_id,
)
from rmq.client.errors import ClientError
from rmq.wire.bodies.running import ConsumeResult
from rmq.wire.errors import RemotingError

if TYPE_CHECKING:
    from rmq.client.admin.sending import Sender
    from rmq.client.message import MessageExt

_MILLIS_OF_HOUR = 3_600_000
_RESENDING_GROUP = "ReSendMsgById"
_UNIQUE_KEY_SPAN = 36 * _MILLIS_OF_HOUR

_PUSHED = Member("pushed", "With -g and -d: msgId and the consumer's consumeResult, remark and spentTimeMills.")


# --- queryMsgById --------------------------------------------------------------------------------------------------


@command(
    "queryMsgById",
    "Find messages by id, the sender's or the broker's; show them, send them again, or push them to a consumer.",
    topic(),
    value("i", "msgId", "Ids joined by commas.", required=True),
    value("g", "consumerGroup", "With -d: push the message to a client of this group instead of showing it."),
    value("d", "clientId", "With -g: id of that client."),
    value("s", "sendMessage", "Send the message again instead of showing it (true or false).", default="false"),
    value("u", "unitName", "Name of the unit; it has no effect."),
    value("f", "bodyFormat", "Also show the body, read with this charset."),
    route_cluster(),
    data=(
        Member("messages", f"The messages: {SHOWN_HELP}."),
        Member("resent", "With -s true: originalMsgId, and the new message's sendStatus, msgId and offsetMsgId."),
        _PUSHED,
    ),
    differs=("With -s false it shows the messages; Apache's prints nothing.",),
    changes=True,
    examples=(
        ("queryMsgById -t T -i 7F0000010ED8251A69D72E2F5B4C0000 -f UTF-8", "Show a message with its body as text."),
        (
            "queryMsgById -t T -i 7F0000010ED8251A69D72E2F5B4C0000 -g G -d 10.0.0.5@4711",
            "Let one client of a group consume a message again.",
        ),
    ),
)
async def query_message_by_id(call: Call) -> Report:
    """`queryMsgById`."""
    report = Report()
    how = Showing(charset(call.text("f")))
    ids = [part.strip() for part in call.required("i").split(",") if part.strip()]
    pushing = call.given("g") and call.given("d")
    report.put(messages=[])
    sender = _sender(call) if call.truth("s") else None
    for message_id in ids:
        try:
            if pushing:
                if await _is_push(call, report):
                    await _push(call, report, message_id)
                else:
                    report.say(f"this {call.required('d')} client is not push consumer ,not support direct push ")
            elif sender is not None:
                await _resend(call, report, sender, message_id)
            else:
                message = await find_message(call.admin, call.required("t"), message_id, call.text("c"))
                await show_message(call, report, message, how)
        except RemotingError as error:
            report.fail(error)
    return report


def _sender(call: Call) -> Sender:
    from rmq.client.admin.sending import Sender

    return Sender(call.admin, _RESENDING_GROUP)


async def _resend(call: Call, report: Report, sender: Sender, message_id: str) -> None:
    message = await find_message(call.admin, call.required("t"), message_id, call.text("c"))
    report.say(f"prepare resend msg. originalMsgId={message_id}", end="")
    result = await sender.send(message)
    report.say(str(result), end="")
    report.add(
        "resent",
        {
            "originalMsgId": message_id,
            "sendStatus": result.send_status,
            "msgId": result.msg_id,
            "offsetMsgId": result.offset_msg_id,
        },
    )


async def _is_push(call: Call, report: Report) -> bool:
    """Whether the client can be given messages; if not, that is noted."""
    from rmq.client.admin.running import is_push, running_info

    client = call.required("d")
    if is_push(await running_info(call.admin, call.required("g"), client)):
        return True
    report.fail(ClientError(f"{client} is no push consumer: messages cannot be pushed to it"))
    return False


async def _push(call: Call, report: Report, message_id: str) -> None:
    from rmq.client.admin.running import DirectPush, push_message

    group, client = call.required("g"), call.required("d")
    message = await find_message(call.admin, call.required("t"), message_id, call.text("c"))
    target = DirectPush(message.store_host, call.required("t"), message.offset_msg_id)
    result = await push_message(call.admin, target, group, client)
    report.say(str(result), end="")
    report.add(
        "pushed",
        {
            "msgId": message_id,
            "consumeResult": result.consume_result,
            "remark": result.remark,
            "spentTimeMills": result.spent_time_mills,
        },
    )
    if result.consume_result not in {ConsumeResult.CR_SUCCESS, ConsumeResult.CR_COMMIT}:
        report.fail(ClientError(f"{client} did not consume {message_id}: {result.consume_result}"))


# --- queryMsgByKey -------------------------------------------------------------------------------------------------

_FOUND = Table(
    "messages",
    "A message; `indexKey` can be given to -l to go on from there.",
    "%-50s %4s %40s %-200s",
    "%-50s %4d %40d %-200s",
    (
        Column("msgId", "#Message ID"),
        Column("queueId", "#QID", same),
        Column("queueOffset", "#Offset", same),
        Column("indexKey", "#IndexKey"),
    ),
)


@command(
    "queryMsgByKey",
    "Find messages by key or tag.",
    topic(),
    value("k", "msgKey", "The key, or the tag with -p T.", required=True),
    value("b", "beginTimestamp", "Stored at this time (ms) or later.", default="0"),
    value("e", "endTimestamp", "Stored at this time (ms) or earlier.", default="no limit"),
    value("m", "maxNum", "How many messages at most from each broker.", default="64"),
    value("p", "keyType", "K for a key, T for a tag.", default="K"),
    value("l", "lastKey", "Index key where an earlier look ended."),
    route_cluster(),
    data=(_FOUND,),
)
async def query_message_by_key(call: Call) -> Report:
    """`queryMsgByKey`."""
    report = Report()
    kind = call.text("p") or BY_KEY
    if kind not in {BY_KEY, BY_TAG}:
        return report.refuse("index type error, just support K for keys or T for tags")
    name, key = call.required("t"), call.required("k")
    found = await messages_with_key(
        call.admin,
        name,
        key,
        cluster=call.text("c"),
        most=call.number("m", 64),
        begin=call.number("b", 0, bits=64),
        end=call.number("e", FOREVER, bits=64),
        kind=kind,
        last_key=call.text("l"),
        failed=report.fail,
    )

    def index_key(message: MessageExt) -> str:
        hour = message.store_timestamp - message.store_timestamp % _MILLIS_OF_HOUR
        return f"{hour}@{name}@{kind}@{key}@{message.msg_id}@{message.commit_log_offset}"

    report.table(_FOUND, ((item.msg_id, item.queue_id, item.queue_offset, index_key(item)) for item in found))
    return report


# --- queryMsgByUniqueKey -------------------------------------------------------------------------------------------


@command(
    "queryMsgByUniqueKey",
    "Find messages by the id that their sender gave them; show them, or push one to a consumer.",
    topic(),
    value("i", "msgId", "The sender's id.", required=True),
    value("g", "consumerGroup", "With -d: push the message to a client of this group instead of showing it."),
    value("d", "clientId", "With -g: id of that client."),
    flag("a", "showAll", "Show every message with this id (at most 32), not only the oldest."),
    route_cluster(),
    value("s", "startTime", "Stored at this time (ms) or later.", default="36 hours ago"),
    value("e", "endTime", "Stored at this time (ms) or earlier.", default="in 36 hours"),
    data=(Member("messages", f"The messages, oldest first: {SHOWN_HELP}."), _PUSHED),
    differs=("-s and -e count each alone; Apache ignores one without the other.",),
    changes=True,
    examples=(
        ("queryMsgByUniqueKey -t T -i 7F0000010ED8251A69D72E2F5B4C0000 -a", "Show all copies of a message."),
        (
            "queryMsgByUniqueKey -t T -i 7F0000010ED8251A69D72E2F5B4C0000 -s 0",
            "Look for it in all times, not only in the last 36 hours.",
        ),
    ),
)
async def query_message_by_unique_key(call: Call) -> Report:
    """`queryMsgByUniqueKey`."""
    report = Report()
    now = call.admin.now()
    begin = call.number("s", now - _UNIQUE_KEY_SPAN, bits=64)
    end = call.number("e", now + _UNIQUE_KEY_SPAN, bits=64)
    name, message_id = call.required("t"), call.required("i")
    if call.given("g") and call.given("d"):
        await _push_by_unique_key(call, report, message_id)
        return report
    found = await messages_with_unique_id(call.admin, name, message_id, cluster=call.text("c"), begin=begin, end=end)
    found.sort(key=lambda message: message.store_timestamp)
    how = Showing(offset_id=False, track_end="")
    for number, message in enumerate(found if call.given("a") else found[:1]):
        await show_message(call, report, message, how, f"_{number}" if number else "")
    return report


async def _push_by_unique_key(call: Call, report: Report, message_id: str) -> None:
    client = call.required("d")
    try:
        pushing = await _is_push(call, report)
    except RemotingError as error:
        report.say(f"get consumer runtime info for {client} client failed ")
        report.fail(error)
        pushing = False
    if pushing:
        await _push(call, report, message_id)
    else:
        report.say(f"get consumer info failed or this {client} client is not push consumer, not support direct push ")


# --- queryMsgByOffset ----------------------------------------------------------------------------------------------


@command(
    "queryMsgByOffset",
    "Show the message at an offset of a queue.",
    topic(),
    value("b", "brokerName", "Name of the broker.", required=True),
    value("i", "queueId", "Number of the queue on that broker.", required=True),
    value("o", "offset", "Offset in that queue.", required=True),
    value("f", "bodyFormat", "Also show the body, read with this charset."),
    data=(Member("messages", f"The message: {SHOWN_HELP}."),),
    examples=(("queryMsgByOffset -t T -b broker-a -i 0 -o 42 -f UTF-8", "Show a message with its body as text."),),
    changes=True,
)
async def query_message_by_offset(call: Call) -> Report:
    """`queryMsgByOffset`."""
    from rmq.client.admin.pulling import PullStatus, Reader
    from rmq.client.admin.topics import topic_route
    from rmq.wire.bodies.route import MessageQueue

    report = Report()
    how = Showing(charset(call.text("f")))
    queue = MessageQueue(call.required("t"), call.required("b"), call.number("i", 0))
    offset = call.number("o", 0, bits=64)
    reader = Reader(call.admin, await topic_route(call.admin, queue.topic), queue.topic)
    pulled = await reader.pull(queue, offset, 1)
    if pulled.status is PullStatus.FOUND and pulled.messages:
        await show_message(call, report, pulled.messages[0], how)
        return report
    report.put(messages=[])
    return report.fail(NoMessageError(f"there is no message at offset {offset} of {queue}: {pulled.status.name}"))
