"""The query language: what each word means, and what is said of those that mean nothing."""

from datetime import UTC, datetime

import pytest

from rmq.tui.service.query import Query, QueryError, QueueRange, parse_query

NOW = 1_795_269_720_000
"""2026-11-21 14:02:00 UTC."""


def parsed(line: str) -> Query:
    return parse_query(line, NOW, UTC)


def millis(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("line", "query"),
    [
        ("Orders", Query("Orders")),
        ("  topic: %RETRY%a-b_1|x ", Query("%RETRY%a-b_1|x")),
        ("id:7F00", Query(message_id="7F00")),
        ("Orders id:7F00", Query("Orders", message_id="7F00")),
        ("Orders key:order:17", Query("Orders", key="order:17")),
        ("uniq:AB topic:Orders", Query("Orders", unique_id="AB")),
        ("Orders queue:broker-a/3", Query("Orders", queue=QueueRange("broker-a", 3))),
        ("Orders queue:3", Query("Orders", queue=QueueRange("", 3))),
        ("Orders queue: a/b/3@1200..1300", Query("Orders", queue=QueueRange("a/b", 3, 1200, 1300))),
        ("Orders queue:a/3@1200..", Query("Orders", queue=QueueRange("a", 3, 1200))),
        ("Orders queue:a/3@..7", Query("Orders", queue=QueueRange("a", 3, None, 7))),
        ("Orders queue:a/3@7", Query("Orders", queue=QueueRange("a", 3, 7, 7))),
        ("Orders time:-1h..now", Query("Orders", begin=NOW - 3_600_000)),
        ("Orders time: -1.5m", Query("Orders", begin=NOW - 90_000)),
        ("Orders time:-2d..-250ms", Query("Orders", begin=NOW - 172_800_000, end=NOW - 250)),
        (
            "Orders time:13:00..13:00:30",
            Query("Orders", begin=millis("2026-11-21 13:00"), end=millis("2026-11-21 13:00:30")),
        ),
        ("Orders time:2026-11-20", Query("Orders", begin=millis("2026-11-20"))),
        ('Orders time:"2026-11-20 01:02"', Query("Orders", begin=millis("2026-11-20 01:02"))),
        ("Orders time:2026-11-20T01:02+01:00", Query("Orders", begin=millis("2026-11-20 00:02"))),
        ("Orders time:1795269720000..1795269720001", Query("Orders", begin=NOW, end=NOW + 1)),
        ("Orders time:..-1h", Query("Orders", begin=0, end=NOW - 3_600_000)),
        ("Orders tag:A||B", Query("Orders", tag="A||B")),
        ("Orders sql:\"price > 5 AND r = 'x'\" limit:7", Query("Orders", sql="price > 5 AND r = 'x'", limit=7)),
        ("Orders body~Book", Query("Orders", body="book")),
        ('Orders body~"a b" tag: A', Query("Orders", body="a b", tag="A")),
        ("Orders TAG:A", Query("Orders", tag="A")),
    ],
)
def test_words(line: str, query: Query) -> None:
    assert parsed(line) == query


def test_expressions() -> None:
    pattern = parsed(r"Orders body~/a b\/[0-9]+/ tag:A").pattern
    assert pattern is not None
    assert pattern.found_in("xa b/17", 1.0)
    assert not pattern.found_in("xA b/17", 1.0)
    folded = parsed("Orders body~/book/i").pattern
    assert folded is not None
    assert folded.found_in("a BOOK", 1.0)


def test_what_a_query_is() -> None:
    assert parsed("Orders key:a").by_index
    assert not parsed("Orders tag:a").by_index
    assert parsed("Orders key:a time:-1h").is_ranged
    assert parsed("Orders queue:a/1").is_ranged
    assert not parsed("Orders").is_ranged
    assert parsed("Orders tag:a").selects
    assert not parsed("Orders queue:1").selects


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "messages are read from a topic; it comes first, as in Orders body~book"),
        ("tag:A", "messages are read from a topic; it comes first, as in Orders body~book"),
        ("key:17", "key: is looked up in the index of a topic; it comes first, as in Orders key:order-17"),
        ("Orders book", "book: is neither topic nor word; a text in the body is body~book"),
        ("Or.ders", "Or.ders: is no name of a topic; the topic comes first, as in Orders body~book"),
        ("Orders quue:1", "quue: is unknown; did you mean queue?"),
        (
            "Orders zzz:1",
            "zzz: is unknown; there are topic:, id:, key:, uniq:, queue:, time:, tag:, sql:, limit: body~",
        ),
        ("Orders tag:", "tag: needs a value, such as tag:TagA"),
        ("Orders tag: body~x", "tag: needs a value, such as tag:TagA"),
        ("Orders tag:A tag:B", "tag: is there twice; leave one away"),
        ("Orders body~a body~b", "body: is there twice; leave one away"),
        ("Orders body~", "body~ needs a text, such as body~book or body~/bo+k/"),
        ("Orders body~/a", "body~/a: the expression does not end; it is body~/.../"),
        (
            "Orders body~/a(/",
            "body~/a(/: missing ) at position 2; a text that is no expression is body~TEXT",
        ),
        ('Orders sql:"a > 1', 'sql:"a > 1: the quotes do not end; write "..." and a blank behind it'),
        ("Orders limit:0", "limit:0: a number from 1 to 10,000 is expected"),
        ("Orders limit:x", "limit:x: a number from 1 to 10,000 is expected"),
        ("Orders queue:a", "queue:a: BROKER/NUMBER@FIRST..LAST is expected, such as queue:broker-a/3@1200..1300"),
        ("Orders queue:a/1@9..8", "queue:a/1@9..8: 8 comes before 9; the smaller offset comes first"),
        (
            "Orders queue:a/1@",
            "queue:a/1@: offsets come behind the @, such as @1200..1300, @1200.. or @1200",
        ),
        (
            "Orders time:noon",
            "time: noon is no time; -30m, 14:05, 2026-11-21, 2026-11-21T14:05, now and ms are known",
        ),
        (
            "Orders time:25:00",
            "time: 25:00 is no time; -30m, 14:05, 2026-11-21, 2026-11-21T14:05, now and ms are known",
        ),
        ("Orders time:..", "time:..: needs a time, such as time:-1h..now"),
        ("Orders time:-1h..-2h", "time:-1h..-2h: ends before it begins; the earlier time comes first"),
        ("Orders id:1 key:2", "id: and key: each name messages; leave one away"),
        (
            "Orders key:1 sql:x",
            "sql: is for queues that are read, and key: asks an index; use tag: or body~ with it",
        ),
        ("Orders tag:A sql:x", "sql: and tag: exclude each other; use TAGS = '...' in the sql: expression"),
    ],
)
def test_what_means_nothing(line: str, said: str) -> None:
    with pytest.raises(QueryError) as caught:
        parsed(line)
    assert str(caught.value) == said
