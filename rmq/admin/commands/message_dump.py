"""Reading a broker's files where they lie.

Source: DumpCompactionLogCommand.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

from rmq.admin.declare import Call, command
from rmq.admin.messages import MESSAGE_HELP, MessagePrinter, message_members
from rmq.admin.options import value
from rmq.admin.output import Member, Report
from rmq.client.errors import ClientError
from rmq.wire.errors import RemotingError
from rmq.wire.message import MessageError, decode_message
from rmq.wire.sysflag import BLANK_MAGIC

if TYPE_CHECKING:
    from rmq.client.message import MessageExt

_NO_FILE = "miss dump log file name"
_SIZE_AND_MAGIC = 8


class _DamagedFileError(ClientError):
    """A file holds something else than messages."""

    def __init__(self, path: str, offset: int, reason: str) -> None:
        super().__init__(f"{path} cannot be read beyond byte {offset}: {reason}")


@command(
    "dumpCompactionLog",
    "Print the messages in a file of a compacted topic, on the machine where it lies; text leaves out the bodies.",
    value("f", "file", "The file."),
    data=(Member("messages", f"The messages: {MESSAGE_HELP}."),),
    differs=("The file is only read; Apache's opens it for writing.", "A damaged record is a failure."),
    examples=(("dumpCompactionLog -f compactionLog/T/0/00000000000000000000", "Print the messages of one file."),),
)
async def dump_compaction_log(call: Call) -> AsyncIterator[Report]:
    """`dumpCompactionLog`."""
    path = call.text("f")
    if path is None:
        report = Report()
        report.refuse(_NO_FILE)
        report.say()
        yield report
        return
    with open(path, "rb") as file:
        data = file.read()
    printer = MessagePrinter(
        call.text(dump_compaction_log.format_option.key), line=_without_body, members=message_members
    )
    if not printer.as_text:
        printer.report.put(messages=[])
    try:
        for message in _messages(path, data, decompressed=not printer.as_text):
            printer.add([message])
            if (shown := printer.full()) is not None:
                yield shown
    except RemotingError as error:
        printer.report.fail(error)
    yield printer.report


def _messages(path: str, data: bytes, *, decompressed: bool) -> Iterator[MessageExt]:
    """The messages of a file, up to the blank that fills its end.

    Raises:
        _DamagedFileError: a record cannot be read.
        IllegalMessageError: a body cannot be decompressed.
    """
    from rmq.client.message import MessageExt

    offset = 0
    while len(data) - offset >= _SIZE_AND_MAGIC:
        size, magic = (int.from_bytes(data[at : at + 4], "big") for at in (offset, offset + 4))
        if size == 0 or magic == BLANK_MAGIC:
            return
        try:
            stored = decode_message(data, offset)
        except MessageError as error:
            raise _DamagedFileError(path, offset, str(error)) from None
        yield MessageExt(stored, decompressed=decompressed)
        offset += stored.total_size


def _without_body(message: MessageExt) -> str:
    message.body = b""
    before, _, after = str(message).rpartition("body=[]")
    return f"{before}body=null{after}"
