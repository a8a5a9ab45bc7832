"""Messages as commands show them.

Source: QueryMsgByIdSubCommand.printMsg, PrintMessageSubCommand.printMessage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from rmq.admin.errors import CommandLineError
from rmq.admin.output import TEXT, Report, millis
from rmq.wire.bodies.printed import java_text
from rmq.wire.errors import RemotingError

if TYPE_CHECKING:
    from rmq.admin.declare import Call
    from rmq.client.message import MessageExt

BODY_DIRECTORY: Final = "/tmp/rocketmq/msgbodys"
"""Where bodies of queried messages are written."""

MESSAGE_HELP: Final = (
    "topic, tags, keys, msgId (the sender's), offsetMsgId (the broker's), brokerName, queueId, queueOffset,"
    " commitLogOffset, storeSize, flag, sysFlag, bornTimestamp and storeTimestamp in ms, bornHost, storeHost, bodyCrc,"
    " reconsumeTimes, preparedTransactionOffset, properties, and body: its text, or null with bodyBase64 where it is"
    " not UTF-8"
)
"""The members that `message_members` makes, for the manual."""

SHOWN_HELP: Final = (
    f"{MESSAGE_HELP}; bodyPath, the file that holds the body; and tracks: group, trackType and exceptionDesc of each"
    " group of the topic"
)
"""The members of a message that `show_message` has shown, for the manual."""

MOST_HELD: Final = 1024
"""Messages that are printed together: a topic may hold more than memory does."""

_RECEIVED_BUCKETS = 128  # of the HashMap that Java decodes properties into


def charset(name: str | None, default: str | None = None) -> str | None:
    """The charset that an option names.

    Raises:
        CommandLineError: there is none of that name.
    """
    if name is None:
        return default
    try:
        b" ".decode(name, "replace")
    except (LookupError, UnicodeError):
        raise CommandLineError(f"charset {name} is unknown") from None
    return name


def message_members(message: MessageExt, *, body: bool = True) -> dict[str, Any]:
    """A message as a JSON object, with its body or without."""
    members: dict[str, Any] = {
        "topic": message.topic,
        "tags": message.tags,
        "keys": message.keys,
        "msgId": message.msg_id,
        "offsetMsgId": message.offset_msg_id,
        "brokerName": message.broker_name or None,
        "queueId": message.queue_id,
        "queueOffset": message.queue_offset,
        "commitLogOffset": message.commit_log_offset,
        "storeSize": message.store_size,
        "flag": message.flag,
        "sysFlag": message.sys_flag,
        "bornTimestamp": message.born_timestamp,
        "storeTimestamp": message.store_timestamp,
        "bornHost": message.born_host,
        "storeHost": message.store_host,
        "bodyCrc": message.body_crc,
        "reconsumeTimes": message.reconsume_times,
        "preparedTransactionOffset": message.prepared_transaction_offset,
        "properties": message.properties,
    }
    if not body:
        return members
    try:
        members["body"] = message.body.decode()
    except UnicodeDecodeError:
        import base64

        members |= {"body": None, "bodyBase64": base64.b64encode(message.body).decode()}
    return members


def body_path(message: MessageExt, suffix: str = "") -> str:
    """The file for a message's body, named after its id."""
    # The id is whatever the sender made it; only one that is a plain name becomes a file's.
    name = message.msg_id if message.msg_id.isalnum() and message.msg_id.isascii() else message.offset_msg_id
    return f"{BODY_DIRECTORY}/{name}{suffix}"


def message_line(message: MessageExt, encoding: str | None) -> str:
    """A message on one line, its body read with that charset, or not shown when there is none."""
    body = "NOT PRINT BODY" if encoding is None else message.body.decode(encoding, "replace")
    return f"MSGID: {message.msg_id} {message} BODY: {body}"


class MessagePrinter:
    """Messages on their way out: in reports of a bounded size, or in one where they make one JSON object.

    Args:
        form: the output's format.
        line: a message as text.
        members: a message as JSON.

    Attributes:
        as_text: whether messages go out as text.
        report: what is not shown yet.
    """

    def __init__(
        self,
        form: str | None,
        *,
        line: Callable[[MessageExt], str],
        members: Callable[[MessageExt], dict[str, Any]],
    ) -> None:
        self.as_text = form in {None, TEXT}
        self.report = Report()
        self._line = line
        self._members = members
        self._held = 0

    def add(self, messages: Iterable[MessageExt]) -> None:
        """Prints messages."""
        for message in messages:
            self._held += 1
            if self.as_text:
                self.report.say(self._line(message))
            else:
                self.report.add("messages", self._members(message))

    def full(self) -> Report | None:
        """What is to be shown before there is more."""
        if not self.as_text or self._held < MOST_HELD:
            return None
        shown, self.report, self._held = self.report, Report(), 0
        return shown


class Showing(NamedTuple):
    """How a message is shown.

    Attributes:
        encoding: the charset to show the body with; None to show only the file that holds it.
        offset_id: whether the broker's id comes first.
        track_end: what stands behind each track.
    """

    encoding: str | None = None
    offset_id: bool = True
    track_end: str = "\n"


async def show_message(call: Call, report: Report, message: MessageExt, how: Showing, suffix: str = "") -> None:
    """Shows a message and what became of it in each group; the body goes to a file, whose name may get a suffix.

    Raises:
        OSError: the file cannot be written.
    """
    from rmq.client.admin.messages import message_tracks

    path = body_path(message, suffix)
    call.write_file(path, message.body)
    if how.offset_id:
        _line(report, "OffsetID:", message.offset_msg_id)
    _say_message(report, message)
    _line(report, "Message Body Path:", path)
    if how.encoding is not None:
        _line(report, "Message Body:", message.body.decode(how.encoding, "replace"))
    members: dict[str, Any] = {**message_members(message), "bodyPath": path, "tracks": []}
    report.add("messages", members)
    try:
        tracks = await message_tracks(call.admin, message)
    except RemotingError as error:
        report.fail(error)
        return
    report.say("\n\n" if tracks else "\n\nWARN: No Consumer", end="")
    for track in tracks:
        report.say(str(track), end=how.track_end)
        members["tracks"].append(
            {
                "group": track.consumer_group,
                "trackType": track.track_type,
                "exceptionDesc": track.exception_desc,
            }
        )


def _say_message(report: Report, message: MessageExt) -> None:
    from rmq.client.message import hash_map_order

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


def _line(report: Report, name: str, shown: object) -> None:
    report.say(f"{name:<20} {shown}")
