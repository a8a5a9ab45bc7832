"""The language in which messages are asked for.

A line is the topic and words, all of which must hold:

    Orders                             the newest messages
    Orders queue:broker-a/3@1200..1300 offsets of one queue; `@1200..`, `@..1300` and `@1200` too, broker optional
    Orders time:-1h..now               by store time; -30m, 14:05, 2026-11-21, 2026-11-21T14:05:30, ms since the epoch
    Orders tag:A||B                    by tag, as consumers select
    Orders sql:"price > 5 AND r = 'x'" by SQL92, evaluated by the broker
    Orders body~book                   a text in the body, upper and lower case alike
    Orders body~/b[eo]+k/              a regular expression in the body; `/i` at its end for upper and lower case alike
    Orders key:order-17                by the index of keys
    Orders uniq:7F00000100002A9F...    by the index of senders' ids
    id:7F00000100002A9F0000000000000A  a broker's id; with a topic, a sender's id too
    limit:200                          no more than so many

A value that holds blanks stands in double quotes. Words and values may be apart: `tag: A`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from difflib import get_close_matches
from typing import Any, Final

from rmq.tui.expressions import Expression, ExpressionError
from rmq.tui.service.query.words import Word, WordError, words
from rmq.tui.times import TimeError, millis_of

LIMIT: Final = 500
"""Messages that are found when nothing else is said."""
MOST: Final = 10_000
"""Messages that one question may ask for."""

_TOPIC: Final = re.compile(r"[%|\w-]+", re.ASCII)
_QUEUE: Final = re.compile(r"(?:(.+)/)?([0-9]{1,9})(?:@([0-9]{0,18})(\.\.)?([0-9]{0,18}))?", re.ASCII)


class QueryError(ValueError):
    """A word that means nothing, or does not go with another; the text names it and says what would do."""


@dataclass(frozen=True, slots=True)
class QueueRange:
    """Offsets of one queue, from `first` to `last`, both included; `last` is None for the queue's end.

    Attributes:
        broker: its broker; empty for the queue of that number on each broker.
        first: None for the queue's beginning.
    """

    broker: str
    queue_id: int
    first: int | None = None
    last: int | None = None

    def whole(self) -> QueueRange:
        """The queue without the offsets."""
        return QueueRange(self.broker, self.queue_id)


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for; see the module's text.

    Attributes:
        begin: ms; None for the beginning.
        end: ms; None for now and later.
        body: a text, in lower case.
    """

    topic: str = ""
    message_id: str = ""
    key: str = ""
    unique_id: str = ""
    queue: QueueRange | None = None
    begin: int | None = None
    end: int | None = None
    tag: str = ""
    sql: str = ""
    body: str = ""
    pattern: Expression | None = None
    limit: int = LIMIT

    @property
    def by_index(self) -> bool:
        """Whether an index or an id answers it, without reading queues."""
        return bool(self.message_id or self.key or self.unique_id)

    @property
    def is_ranged(self) -> bool:
        """Whether it says which part of the topic is meant."""
        return self.queue is not None or self.begin is not None

    @property
    def selects(self) -> bool:
        """Whether some of the messages that are read are left out."""
        return bool(self.tag or self.sql or self.body or self.pattern is not None)


def parse_query(line: str, now: int, zone: tzinfo | None) -> Query:
    """What a line asks for.

    Args:
        line: the line.
        now: ms that relative times are counted from.
        zone: of times of day; None for the system's.

    Raises:
        QueryError: a word is wrong.
    """
    found: dict[str, Any] = {}
    try:
        for word in words(line):
            for name, value in _meaning(word, "topic" in found, now, zone).items():
                if name in found:
                    raise QueryError(f"{word.name or word.value}: is there twice; leave one away")
                found[name] = value
    except WordError as error:
        raise QueryError(str(error)) from None
    query = Query(**found)
    _check(query)
    return query


def _meaning(word: Word, has_topic: bool, now: int, zone: tzinfo | None) -> dict[str, Any]:
    name, value = word.name, word.value
    if not name:
        if has_topic:
            raise QueryError(f"{value}: is neither topic nor word; a text in the body is body~{value}")
        return {"topic": _topic(value)}
    if name == "body":
        return _body(word)
    readers: Mapping[str, Callable[[str], dict[str, Any]]] = {
        "topic": lambda text: {"topic": _topic(text)},
        "id": lambda text: {"message_id": text},
        "key": lambda text: {"key": text},
        "uniq": lambda text: {"unique_id": text},
        "queue": lambda text: {"queue": _queue(text)},
        "time": lambda text: _span(text, now, zone),
        "tag": lambda text: {"tag": text},
        "sql": lambda text: {"sql": text},
        "limit": lambda text: {"limit": _limit(text)},
    }
    if name not in readers:
        near = get_close_matches(name, [*readers, "body~"], n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(f'{known}:' for known in readers)} body~"
        raise QueryError(f"{name}: is unknown; {hint}")
    if not value:
        raise QueryError(f"{name}: needs a value, such as {EXAMPLES[name]}")
    return readers[name](value)


EXAMPLES: Final = {
    "topic": "topic:Orders",
    "id": "id:7F00000100002A9F0000000000000A00",
    "key": "key:order-17",
    "uniq": "uniq:7F000001000018B4AAC2000000000000",
    "queue": "queue:broker-a/3@1200..1300",
    "time": "time:-1h..now",
    "tag": "tag:TagA",
    "sql": 'sql:"price > 5"',
    "body": "body~book",
    "limit": "limit:200",
}
"""Each word as it may be written."""


def _topic(text: str) -> str:
    if not _TOPIC.fullmatch(text):
        raise QueryError(f"{text}: is no name of a topic; the topic comes first, as in Orders body~book")
    return text


def _limit(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9 or not 1 <= int(text) <= MOST:
        raise QueryError(f"limit:{text}: a number from 1 to {MOST:,} is expected")
    return int(text)


def _queue(text: str) -> QueueRange:
    match = _QUEUE.fullmatch(text)
    if match is None:
        raise QueryError(f"queue:{text}: BROKER/NUMBER@FIRST..LAST is expected, such as {EXAMPLES['queue']}")
    broker, number, first, dots, last = match.groups()
    begin = int(first) if first else None
    if dots is None:
        if last or first == "":
            raise QueryError(f"queue:{text}: offsets come behind the @, such as @1200..1300, @1200.. or @1200")
        end = begin
    else:
        end = int(last) if last else None
    if begin is not None and end is not None and end < begin:
        raise QueryError(f"queue:{text}: {end} comes before {begin}; the smaller offset comes first")
    return QueueRange(broker or "", int(number), begin, end)


def _span(text: str, now: int, zone: tzinfo | None) -> dict[str, Any]:
    first, dots, last = text.partition("..")
    begin = _time(first, now, zone) if first else None
    end = _time(last, now, zone) if last else None
    if begin is None and end is None:
        raise QueryError(f"time:{text}: needs a time, such as {EXAMPLES['time']}")
    if dots and last == "now":
        end = None
    if begin is not None and end is not None and end < begin:
        raise QueryError(f"time:{text}: ends before it begins; the earlier time comes first")
    return {"begin": begin if begin is not None else 0, **({} if end is None else {"end": end})}


def _time(text: str, now: int, zone: tzinfo | None) -> int:
    try:
        return millis_of(text, now, zone)
    except TimeError as error:
        raise QueryError(f"time: {error}") from None


def _body(word: Word) -> dict[str, Any]:
    if not word.value:
        raise QueryError("body~ needs a text, such as body~book or body~/bo+k/")
    if not word.is_pattern:
        return {"body": word.value.lower()}
    try:
        return {"pattern": Expression(word.value, ignore_case="i" in word.flags)}
    except ExpressionError as error:
        raise QueryError(f"body~/{word.value}/: {error}; a text that is no expression is body~TEXT") from None


def _check(query: Query) -> None:
    named = [word for word, value in (("id", query.message_id), ("key", query.key), ("uniq", query.unique_id)) if value]
    if len(named) > 1:
        raise QueryError(f"{named[0]}: and {named[1]}: each name messages; leave one away")
    if not query.topic and not query.message_id:
        why = f"{named[0]}: is looked up in the index of a topic" if named else "messages are read from a topic"
        raise QueryError(f"{why}; it comes first, as in Orders {EXAMPLES[named[0] if named else 'body']}")
    if named and query.sql:
        raise QueryError(f"sql: is for queues that are read, and {named[0]}: asks an index; use tag: or body~ with it")
    if query.sql and query.tag:
        raise QueryError("sql: and tag: exclude each other; use TAGS = '...' in the sql: expression")
