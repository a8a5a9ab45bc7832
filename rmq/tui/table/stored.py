"""Stored messages as rows: columns of a list, tables about one message, and what is exported and copied."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import tzinfo
from typing import Any, Final, NamedTuple

from rmq.tui import formats
from rmq.tui.service.model import StoredMessage, Track
from rmq.tui.table.columns import ACCENT, BAD, DIM, GOOD, PLAIN, WARN, Column

_PREVIEW: Final = 400
"""Bytes of a body that a row shows the beginning of."""


class Fact(NamedTuple):
    """Something about a message."""

    name: str
    value: str


def preview(body: bytes) -> str:
    """The beginning of a body on one line."""
    text = body[:_PREVIEW].decode("utf-8", "replace")
    unseen = sum((not letter.isprintable() and letter not in "\r\n\t") or letter == "�" for letter in text)
    if unseen * 4 > len(text):
        return body[: _PREVIEW // 4].hex(" ")
    return text


def queue_of(message: StoredMessage) -> str:
    """The queue that holds a message."""
    return f"{message.broker or message.store_host}/{message.queue_id}"


def message_columns(clock: Callable[[int], str]) -> list[Column[StoredMessage]]:
    """Columns of a list of messages; the clock shows a store time."""
    return [
        Column("STORED", 12, lambda row: clock(row.stored), lambda row: (row.stored, row.log_offset), lambda row: DIM),
        Column("QUEUE", 11, queue_of, lambda row: (row.broker, row.queue_id), end=True),
        Column("OFFSET", 9, lambda row: formats.count(row.offset), lambda row: row.offset, right=True),
        Column("TAG", 8, lambda row: row.tags, tone=lambda row: ACCENT, least=76),
        Column("KEYS", 10, lambda row: row.keys, least=64, grows=True, middle=True),
        Column("SIZE", 7, lambda row: formats.count(len(row.body)), lambda row: len(row.body), right=True, least=90),
        Column("BODY", 14, lambda row: preview(row.body), grows=True),
    ]


def fact_columns(title: str) -> list[Column[Fact]]:
    """Columns of names and values."""
    return [
        Column(title, 14, lambda row: row.name),
        Column("VALUE", 20, lambda row: row.value, grows=True),
    ]


def property_rows(message: StoredMessage) -> dict[str, Fact]:
    """Its properties."""
    return {name: Fact(name, value) for name, value in message.properties}


def where_rows(message: StoredMessage, clock: Callable[[int], str]) -> dict[str, Fact]:
    """Where it is, where it is from, and how large it is."""
    facts = [
        Fact("topic", message.topic),
        Fact("queue", message.queue),
        Fact("offset", formats.count(message.offset)),
        Fact("message id", message.message_id),
        Fact("broker's id", message.offset_id),
        Fact("stored", clock(message.stored)),
        Fact("stored by", message.store_host),
        Fact("born", clock(message.born)),
        Fact("born host", message.born_host),
        Fact("body", f"{formats.count(len(message.body))} bytes"),
        Fact("record", f"{formats.count(message.store_size)} bytes"),
        Fact("log offset", formats.count(message.log_offset)),
        Fact("consumed again", f"{message.reconsumed} times"),
        Fact("crc-32", f"{message.crc & 0xFFFFFFFF:08x}"),
        Fact("flag", str(message.flag)),
        Fact("system flag", f"{message.sys_flag:#x}"),
    ]
    return {fact.name: fact for fact in facts}


_TRACKS: Final[dict[str, tuple[str, str]]] = {
    "CONSUMED": ("consumed", GOOD),
    "CONSUMED_BUT_FILTERED": ("filtered out", DIM),
    "NOT_CONSUME_YET": ("not yet", WARN),
    "NOT_ONLINE": ("offline", WARN),
    "PULL": ("pulls", DIM),
    "CONSUME_BROADCASTING": ("broadcast", DIM),
    "UNKNOWN": ("unknown", BAD),
}
"""What a group made of a message, as it is shown, and how."""


def track_columns() -> list[Column[Track]]:
    """Columns of what groups made of a message."""

    def shown(row: Track) -> tuple[str, str]:
        return _TRACKS.get(row.state, (row.state, PLAIN))

    return [
        Column("GROUP", 14, lambda row: row.group, grows=True),
        Column("STATE", 12, lambda row: shown(row)[0], tone=lambda row: shown(row)[1]),
        Column("REMARK", 12, lambda row: row.remark, tone=lambda row: DIM, grows=True),
    ]


def clock_of(zone: tzinfo | None, now: Callable[[], int]) -> Callable[[int], str]:
    """Shows a time to the millisecond; with the day when it is another one than today's."""

    def shown(millis: int) -> str:
        if millis <= 0:
            return formats.UNKNOWN
        at, today = formats.calendar(millis, zone), formats.calendar(now(), zone)
        if at is None or today is None:
            return formats.BEYOND
        return (
            at.strftime("%H:%M:%S.") + f"{millis % 1000:03d}"
            if at.date() == today.date()
            else at.strftime("%m-%d %H:%M")
        )

    return shown


def whole_clock(zone: tzinfo | None) -> Callable[[int], str]:
    """Shows day and time to the millisecond."""

    def shown(millis: int) -> str:
        if millis <= 0:
            return formats.UNKNOWN
        at = formats.calendar(millis, zone)
        return formats.BEYOND if at is None else f"{at:%Y-%m-%d %H:%M:%S}.{millis % 1000:03d}"

    return shown


def body_text(body: bytes) -> tuple[str, str]:
    """A body as a text and what it was made with: `utf-8`, or `base64` when it is no text."""
    try:
        return body.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return base64.b64encode(body).decode("ascii"), "base64"


def as_record(message: StoredMessage) -> dict[str, Any]:
    """A message as it is exported: times are ms, the body whole, in base64 when it is no text, which is said."""
    body, encoding = body_text(message.body)
    return {
        "topic": message.topic,
        "broker": message.broker,
        "queueId": message.queue_id,
        "queueOffset": message.offset,
        "msgId": message.message_id,
        "offsetMsgId": message.offset_id,
        "storeTimestamp": message.stored,
        "bornTimestamp": message.born,
        "bornHost": message.born_host,
        "storeHost": message.store_host,
        "reconsumeTimes": message.reconsumed,
        "tags": message.tags,
        "keys": message.keys,
        "properties": dict(message.properties),
        "bodySize": len(message.body),
        "bodyEncoding": encoding,
        "body": body,
    }


def place_of(message: StoredMessage) -> str:
    """The question that a message answers alone."""
    if message.broker:
        return f"{message.topic} queue:{message.broker}/{message.queue_id}@{message.offset}"
    return f"{message.topic} id:{message.offset_id}"


def command_of(message: StoredMessage) -> tuple[str, ...]:
    """The mqadmin command that shows a message."""
    if message.broker:
        place = ("-b", message.broker, "-i", str(message.queue_id), "-o", str(message.offset))
        return ("queryMsgByOffset", "-t", message.topic, *place)
    return ("queryMsgById", "-t", message.topic, "-i", message.offset_id)
