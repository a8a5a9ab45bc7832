"""Tables about topics: the list's columns, and the tabs of the pane."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from rmq.tui import formats
from rmq.tui.screens.details import Tab
from rmq.tui.service.changes.settings import shown
from rmq.tui.service.model import Queue, Reader, RouteEntry, Setting, StoredMessage, Topic, TopicDetail
from rmq.tui.state.history import drain_millis
from rmq.tui.state.seen import Seen, of
from rmq.tui.state.session import Session
from rmq.tui.table.columns import ACCENT, BAD, DIM, PLAIN, WARN, Column
from rmq.tui.table.stored import clock_of, command_of, place_of, preview, queue_of

QUEUES: Final = "Queues"
PEEK: Final = "Peek"
"""The tab of the newest messages."""
_TREND: Final = 8
_SHORT_KINDS: Final = {"TRANSACTION": "TX", "UNSPECIFIED": "ANY"}
Row = Seen[Topic]


def topic_columns(session: Session) -> list[Column[Row]]:
    """Columns of the list."""
    history = session.history

    def rate(row: Row) -> float | None:
        return history.last(("topic", row.name, "in"))

    def kind(row: Row) -> str:
        name = of("kind")(row) or formats.UNKNOWN
        return _SHORT_KINDS.get(name, name)

    def lag_text(row: Row) -> str:
        lag = of("lag")(row)
        return f"{formats.count(lag)} {formats.trend(history.values(('topic', row.name, 'lag')))}"

    def lag_tone(row: Row) -> str:
        return WARN if of("lag")(row) else PLAIN

    return [
        Column("NAME", 16, lambda row: row.name, tone=_name_tone, grows=True),
        Column("TYPE", 6, kind, of("kind"), least=58, costly=True),
        Column("Q", 3, lambda row: formats.count(of("read_queues")(row)), of("read_queues"), right=True, costly=True),
        Column("IN/s", 6, lambda row: formats.rate(rate(row)), rate, right=True, costly=True),
        Column(
            "TREND",
            _TREND,
            lambda row: formats.sparkline(history.values(("topic", row.name, "in")), _TREND),
            rate,
            lambda row: ACCENT,
            least=69,
            costly=True,
        ),
        Column("GRP", 3, lambda row: formats.count(of("groups")(row)), of("groups"), right=True, costly=True),
        Column("LAG", 10, lag_text, of("lag"), lag_tone, right=True, costly=True),
        Column(
            "STORED", 10, lambda row: formats.count(of("stored")(row)), of("stored"), right=True, least=94, costly=True
        ),
        Column("LAST", 8, lambda row: session.moment(of("last")(row) or 0), of("last"), least=106, costly=True),
    ]


def _name_tone(row: Seen[Any]) -> str:
    return BAD if row.problem is not None else PLAIN


def topic_tabs(session: Session) -> list[Tab[TopicDetail]]:
    """Route, queues, groups and configuration of a topic."""
    return [
        Tab("Route", _route_columns(), _routes, lambda name, key: ("topicRoute", "-t", name), "no broker has it"),
        Tab(
            QUEUES,
            _queue_columns(session),
            _queues,
            lambda name, key: ("topicStatus", "-t", name),
            "no broker told of queues",
            lambda row: ("messages", f"{row[0]} queue:{row[1].broker}/{row[1].queue_id}"),
        ),
        Tab(
            "Groups",
            _reader_columns(session),
            _readers,
            lambda name, key: ("consumerProgress", "-g", key),
            "no group reads it",
            lambda row: ("groups", row[1].group),
        ),
        Tab(
            "Config",
            setting_columns(),
            lambda detail: settings(detail.config),
            lambda name, key: ("topicRoute", "-t", name),
            "no broker told of it",
        ),
    ]


def peek_tab(session: Session, newest: Callable[[str], Mapping[str, StoredMessage]]) -> Tab[TopicDetail]:
    """The newest messages of a topic; one leads to itself."""
    clock = clock_of(session.zone, session.now)
    columns: list[Column[StoredMessage]] = [
        Column("STORED", 12, lambda row: clock(row.stored), lambda row: row.stored, lambda row: DIM),
        Column("QUEUE", 11, queue_of, end=True, least=64),
        Column("KEYS", 8, lambda row: row.keys, least=48, grows=True, middle=True),
        Column("BODY", 14, lambda row: preview(row.body), grows=True),
    ]

    def command(name: str, key: str) -> tuple[str, ...]:
        message = newest(name).get(key)
        return command_of(message) if message is not None else ("topicStatus", "-t", name)

    return Tab(
        PEEK,
        columns,
        lambda detail: newest(detail.topic.name),
        command,
        "asking…",
        lambda row: ("messages", place_of(row)),
    )


def _route_columns() -> list[Column[RouteEntry]]:
    return [
        Column("BROKER", 8, lambda row: row.broker, grows=True, end=True),
        Column("ADDRESS", 21, lambda row: row.address),
        Column("R/W", 5, lambda row: f"{row.read_queues}/{row.write_queues}", lambda row: row.write_queues, right=True),
        Column("PERM", 4, lambda row: row.perm),
    ]


def _routes(detail: TopicDetail) -> dict[str, RouteEntry]:
    return {entry.broker: entry for entry in detail.route}


_QueueRow = tuple[str, Queue]


def _queue_columns(session: Session) -> list[Column[_QueueRow]]:
    def rate(row: _QueueRow) -> float | None:
        topic, queue = row
        return session.history.last(("queue", topic, queue.broker, str(queue.queue_id)))

    return [
        Column("QUEUE", 12, lambda row: f"{row[1].broker}/{row[1].queue_id}", end=True, grows=True),
        Column(
            "MIN", 9, lambda row: formats.count(row[1].min_offset), lambda row: row[1].min_offset, right=True, least=56
        ),
        Column("MAX", 9, lambda row: formats.count(row[1].max_offset), lambda row: row[1].max_offset, right=True),
        Column("LAST", 8, lambda row: session.moment(row[1].last), lambda row: row[1].last),
        Column("IN/s", 5, lambda row: formats.rate(rate(row)), rate, right=True),
    ]


def _queues(detail: TopicDetail) -> dict[str, _QueueRow]:
    return {f"{queue.broker}/{queue.queue_id}": (detail.topic.name, queue) for queue in detail.queues}


_ReaderRow = tuple[str, Reader]


def _reader_columns(session: Session) -> list[Column[_ReaderRow]]:
    history = session.history

    def rate(row: _ReaderRow, way: str = "out") -> float | None:
        return history.last(("reader", row[0], row[1].group, way))

    def lag(row: _ReaderRow) -> str:
        return f"{formats.count(row[1].lag)} {formats.trend(history.values(('reader', row[0], row[1].group, 'lag')))}"

    def eta(row: _ReaderRow) -> int | None:
        return None if row[1].lag is None else drain_millis(row[1].lag, rate(row), rate(row, "in"))

    return [
        Column("GROUP", 12, lambda row: row[1].group, tone=lambda row: BAD if row[1].problem else PLAIN, grows=True),
        Column("LAG", 10, lag, lambda row: row[1].lag, lambda row: WARN if row[1].lag else PLAIN, right=True),
        Column("OUT/s", 6, lambda row: formats.rate(rate(row)), rate, right=True),
        Column("DONE IN", 8, lambda row: "now" if row[1].lag == 0 else formats.span(eta(row)), eta, right=True),
    ]


def _readers(detail: TopicDetail) -> Mapping[str, _ReaderRow]:
    return {reader.group: (detail.topic.name, reader) for reader in detail.readers}


def setting_columns() -> list[Column[Setting]]:
    """Columns of a table of settings."""
    return [
        Column("KEY", 20, lambda row: row.key, grows=True),
        Column("VALUE", 14, lambda row: shown(row.key, row.value), grows=True),
        Column("BROKER", 12, lambda row: row.server, tone=lambda row: DIM, least=60, end=True),
    ]


def settings(rows: Sequence[Setting]) -> dict[str, Setting]:
    """Settings by server and key."""
    return {f"{row.server} {row.key}": row for row in rows}
