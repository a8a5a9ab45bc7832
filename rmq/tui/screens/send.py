"""The form with which a message is sent: a new one, or a stored one once more with changes."""

from __future__ import annotations

import re
from typing import Final

from rmq.tui.formats import cut
from rmq.tui.screens.forms import Field, FormDialog, Values
from rmq.tui.service.changes.change import Change
from rmq.tui.service.changes.messages import SendMessage, is_reserved
from rmq.tui.service.model import StoredMessage
from rmq.tui.times import span_millis
from rmq.wire.names import is_legal_topic

EDITABLE: Final = 64 << 10
"""Bytes of a body that can be edited; a larger one is sent as it is."""
_QUEUE: Final = re.compile(r"(.+)/([0-9]{1,5})", re.ASCII)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)


def send_form(*, topic: str = "", message: StoredMessage | None = None) -> FormDialog:
    """A form for a new message of a topic, or for a stored one."""
    title = f"Send a message to {topic}" if message is None else f"Send again {message.message_id}"
    text = _text(message.body) if message is not None else ""
    own = own_properties(message) if message is not None else ()
    left_out = _left_out(message)
    body = Field("body", "Body", text or "", lines=6, hint="ctrl+s previews; an empty body is allowed")
    if text is None and message is not None:
        what = "no text" if len(message.body) <= EDITABLE else "too long to edit"
        body = Field("body", "Body", f"as it is: {len(message.body):,} bytes, {what}", fixed=True)
    fields = [
        Field("topic", "Topic", message.topic if message is not None else topic, check=_topic_problem),
        Field("tags", "Tag", message.tags if message is not None else "", check=_tag_problem),
        Field("keys", "Keys", message.keys if message is not None else "", hint="one or several, apart by blanks"),
        Field("queue", "Queue", check=_queue_problem, hint="BROKER/NUMBER, such as broker-a/3; empty for any"),
        Field("delay", "Delay", check=_delay_problem, hint="a span such as 30s or 5m; empty for none"),
        Field(
            "properties",
            "Properties",
            "\n".join(f"{name}={_escaped(value)}" for name, value in own),
            lines=3,
            check=_properties_problem,
            hint=f"name=value, one a line; \\n is a line's end{left_out}",
        ),
        body,
    ]

    def make(values: Values) -> Change | str:
        match = _QUEUE.fullmatch(values["queue"].strip())
        return SendMessage(
            values["topic"].strip(),
            message.body if text is None and message is not None else values["body"].encode(),
            values["tags"].strip(),
            values["keys"].strip(),
            properties_of(values["properties"]),
            match[1] if match is not None else "",
            int(match[2]) if match is not None else 0,
            delay_of(values["delay"].strip()),
            message.message_id if message is not None else "",
        )

    return FormDialog(title, fields, make)


def own_properties(message: StoredMessage) -> tuple[tuple[str, str], ...]:
    """Properties that a client may set: not those that RocketMQ has set or that have fields of their own."""
    return tuple(pair for pair in message.properties if not is_reserved(pair[0]))


def _left_out(message: StoredMessage | None) -> str:
    names = [] if message is None else [name for name, _ in message.properties if is_reserved(name)]
    others = [name for name in names if name not in {"TAGS", "KEYS", "WAIT"}]
    return f" · RocketMQ's own are made anew: {cut(', '.join(others), 60)}" if others else ""


def _text(body: bytes) -> str | None:
    """The body as it can be edited; None when it cannot."""
    if len(body) > EDITABLE:
        return None
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return None
    # Editing would lose carriage returns, and a terminal cannot show control characters.
    return text if all(letter.isprintable() or letter in "\n\t" for letter in text) else None


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n")


def properties_of(text: str) -> tuple[tuple[str, str], ...]:
    """Properties from lines of `name=value`.

    Raises:
        ValueError: a line is none; the text says which.
    """
    found: dict[str, str] = {}
    for line in filter(None, (line.strip() for line in text.split("\n"))):
        name, equals, value = line.partition("=")
        if not equals or not name.strip() or not value:
            raise ValueError(f"{cut(line, 30)}: name=value is expected")
        if is_reserved(name.strip()):
            raise ValueError(f"{name.strip()} is RocketMQ's own")
        if name.strip() in found:
            raise ValueError(f"{name.strip()} is there twice")
        found[name.strip()] = _ESCAPED.sub(lambda part: "\n" if part[1] == "n" else part[1], value)
    return tuple(found.items())


def _properties_problem(text: str) -> str:
    try:
        properties_of(text)
    except ValueError as error:
        return str(error)
    return ""


def _topic_problem(text: str) -> str:
    return "" if is_legal_topic(text.strip()) else "the name of a topic is needed"


def _tag_problem(text: str) -> str:
    return "a tag holds neither | nor blanks" if re.search(r"[|\s]", text.strip()) else ""


def _queue_problem(text: str) -> str:
    return "" if not text.strip() or _QUEUE.fullmatch(text.strip()) else "BROKER/NUMBER, or nothing"


def delay_of(text: str) -> int:
    """The ms of a span such as `30s`; 0 for none.

    Raises:
        ValueError: it is no span.
    """
    if not text:
        return 0
    millis = span_millis(text)
    if millis is None:
        raise ValueError("a span such as 30s, 5m or 2h")
    return int(millis)


def _delay_problem(text: str) -> str:
    try:
        delay_of(text.strip())
    except ValueError as error:
        return str(error)
    return ""
