"""Finding messages.

Source: org.apache.rocketmq.tools.command.message.
"""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Any

from rmq.admin.declare import Call, command
from rmq.admin.errors import CommandLineError
from rmq.admin.messages import MESSAGE_HELP, message_members, write_body
from rmq.admin.options import route_cluster, topic, value
from rmq.admin.output import Column, Member, Report, Table, millis, same
from rmq.client.admin.messages import BY_KEY, BY_TAG, FOREVER, find_message, message_tracks, messages_with_key
from rmq.wire.bodies.printed import java_text
from rmq.wire.errors import RemotingError

if TYPE_CHECKING:
    from rmq.client.admin.sending import Sender
    from rmq.client.message import MessageExt

_MILLIS_OF_HOUR = 3_600_000
_RESENDING_GROUP = "ReSendMsgById"
_RECEIVED_BUCKETS = 128  # of the HashMap that Java decodes properties into


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
        Member(
            "messages",
            f"The messages: {MESSAGE_HELP}; bodyPath, the file that holds the body; and tracks: consumerGroup,"
            " trackType and exceptionDesc of each group of the topic.",
        ),
        Member("resent", "With -s true: originalMsgId, and the new message's sendStatus, msgId and offsetMsgId."),
        Member("pushed", "With -g and -d: msgId and the consumer's consumeResult, remark and spentTimeMills."),
    ),
)
async def query_message_by_id(call: Call) -> Report:
    """`queryMsgById`."""
    report = Report()
    charset = _charset(call.text("f"))
    ids = [part.strip() for part in call.required("i").split(",") if part.strip()]
    pushing = call.given("g") and call.given("d")
    report.put(messages=[])
    if call.given("s") and not pushing and not call.truth("s"):
        return report
    sender = _sender(call) if call.truth("s") else None
    for message_id in ids:
        try:
            if pushing:
                await _push(call, report, message_id)
            elif sender is not None:
                await _resend(call, report, sender, message_id)
            else:
                message = await find_message(call.admin, call.required("t"), message_id, call.text("c"))
                await _show(call, report, message, charset)
        except RemotingError as error:
            report.fail(error)
    return report


def _charset(name: str | None) -> str | None:
    if name is None:
        return None
    try:
        return codecs.lookup(name).name
    except LookupError:
        raise CommandLineError(f"bodyFormat: charset {name} is unknown") from None


def _sender(call: Call) -> Sender:
    from rmq.client.admin.sending import Sender

    return Sender(call.admin, _RESENDING_GROUP)


async def _show(call: Call, report: Report, message: MessageExt, charset: str | None) -> None:
    path = write_body(message)
    _say_message(report, message, path)
    if charset is not None:
        _line(report, "Message Body:", message.body.decode(charset, "replace"))
    members: dict[str, Any] = {**message_members(message), "bodyPath": path, "tracks": []}
    report.add("messages", members)
    try:
        tracks = await message_tracks(call.admin, message)
    except RemotingError as error:
        report.fail(error)
        return
    report.say("\n\n" if tracks else "\n\nWARN: No Consumer", end="")
    for track in tracks:
        report.say(str(track))
        members["tracks"].append(
            {
                "consumerGroup": track.consumer_group,
                "trackType": track.track_type,
                "exceptionDesc": track.exception_desc,
            }
        )


def _say_message(report: Report, message: MessageExt, path: str, *, with_offset_id: bool = True) -> None:
    from rmq.client.message import hash_map_order

    if with_offset_id:
        _line(report, "OffsetID:", message.offset_msg_id)
    _line(report, "Topic:", message.topic)
    _line(report, "Tags:", f"[{java_text(message.tags)}]")
    _line(report, "Keys:", f"[{java_text(message.keys)}]")
    _line(report, "Queue ID:", message.queue_id)
    _line(report, "Queue Offset:", message.queue_offset)
    _line(report, "CommitLog Offset:", message.commit_log_offset)
    _line(report, "Reconsume Times:", message.reconsume_times)
    _line(report, "Born Timestamp:", millis(message.born_timestamp))
    _line(report, "Store Timestamp:", millis(message.store_timestamp))
    _line(report, "Born Host:", message.born_host)
    _line(report, "Store Host:", message.store_host)
    _line(report, "System Flag:", message.sys_flag)
    _line(report, "Properties:", java_text(dict(hash_map_order(message.properties, _RECEIVED_BUCKETS))))
    _line(report, "Message Body Path:", path)


def _line(report: Report, name: str, shown: object) -> None:
    report.say(f"{name:<20} {shown}")


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


async def _push(call: Call, report: Report, message_id: str) -> None:
    from rmq.client.admin.groups import DirectPush, is_push, push_message, running_info

    group, client = call.required("g"), call.required("d")
    if not is_push(await running_info(call.admin, group, client)):
        report.say(f"this {client} client is not push consumer ,not support direct push ")
        return
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
    )

    def index_key(message: MessageExt) -> str:
        hour = message.store_timestamp - message.store_timestamp % _MILLIS_OF_HOUR
        return f"{hour}@{name}@{kind}@{key}@{message.msg_id}@{message.commit_log_offset}"

    report.table(_FOUND, ((item.msg_id, item.queue_id, item.queue_offset, index_key(item)) for item in found))
    return report
