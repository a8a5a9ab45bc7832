"""Whether a message is among those that a question asks for, as far as that can be told from the message."""

from __future__ import annotations

from typing import Final

from rmq.tui.service.model import StoredMessage
from rmq.tui.service.query import Query

PATIENCE: Final = 0.25
"""Seconds that an expression may take for one body."""
_SEPARATOR: Final = "||"


def matches(query: Query, message: StoredMessage) -> bool:
    """Whether a message is meant; an SQL92 expression is for brokers, and holds here.

    Raises:
        TooSlowError: the expression for bodies takes longer than `PATIENCE`.
    """
    return (
        (not query.key or query.key in message.keys.split(" "))
        and (not query.unique_id or query.unique_id == message.message_id)
        and (query.begin is None or message.stored >= query.begin)
        and (query.end is None or message.stored <= query.end)
        and _on_queue(query, message)
        and _has_tag(query.tag, message.tags)
        and _has_body(query, message.body)
    )


def _on_queue(query: Query, message: StoredMessage) -> bool:
    wanted = query.queue
    return wanted is None or (
        wanted.queue_id == message.queue_id
        and wanted.broker in {"", message.broker}
        and (wanted.first is None or message.offset >= wanted.first)
        and (wanted.last is None or message.offset <= wanted.last)
    )


def _has_tag(wanted: str, tag: str) -> bool:
    return not wanted or wanted == "*" or tag in {part.strip() for part in wanted.split(_SEPARATOR)}


def _has_body(query: Query, body: bytes) -> bool:
    if not query.body and query.pattern is None:
        return True
    text = body.decode("utf-8", "replace")
    if query.pattern is not None:
        return query.pattern.found_in(text, PATIENCE)
    return query.body in text.lower()
