"""Topics: what comes in, who reads, how far they are behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from textual.binding import Binding, BindingType

from rmq.tui import formats
from rmq.tui.screens.details import Tab
from rmq.tui.screens.lists import ListScreen
from rmq.tui.service.model import Problem, Queue, Reader, RouteEntry, Setting, Topic, TopicDetail
from rmq.tui.state.seen import Seen
from rmq.tui.state.session import Session
from rmq.tui.table.columns import ACCENT, BAD, DIM, PLAIN, WARN, Column

_TREND = 8
_SHORT_KINDS = {"TRANSACTION": "TX", "UNSPECIFIED": "ANY"}
Row = Seen[Topic]


class TopicsScreen(ListScreen[Topic, TopicDetail]):
    """The screen of topics."""

    MODE = "topics"
    NUMBER = 2
    TITLE = "Topics"
    WHAT = "topic"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("i", "internal", "internal", id="topics.internal", show=False)]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._internal = False

    def columns(self) -> Sequence[Column[Row]]:
        """Columns of the list."""
        return topic_columns(self.session)

    def tabs(self) -> Sequence[Tab[TopicDetail]]:
        """Tabs of the pane."""
        return topic_tabs(self.session)

    async def ask_names(self) -> tuple[str, ...] | Problem:
        """Every topic."""
        return await self.session.service.topic_names()

    async def ask_figures(self, name: str) -> Topic:
        """A row."""
        return (await self.session.service.topics([name]))[name]

    async def ask_detail(self, name: str) -> TopicDetail | Problem:
        """The pane."""
        return await self.session.service.topic(name)

    def figures_of(self, detail: TopicDetail) -> Topic:
        """The row of a detail; its queues and groups go into the history."""
        history, now, topic = self.session.history, self.session.now(), detail.topic.name
        for queue in detail.queues:
            history.count(("queue", topic, queue.broker, str(queue.queue_id)), now, queue.max_offset)
        for reader in detail.readers:
            if reader.problem is None:
                history.count(("reader", topic, reader.group, "out"), now, reader.consumed)
                history.count(("reader", topic, reader.group, "in"), now, reader.produced)
                history.level(("reader", topic, reader.group, "lag"), now, reader.lag or 0)
        return detail.topic

    def remember(self, figures: Topic) -> None:
        """Total and lag."""
        now = self.session.now()
        self.session.history.count(("topic", figures.name, "in"), now, figures.total)
        if figures.lag is not None:
            self.session.history.level(("topic", figures.name, "lag"), now, figures.lag)

    def headline(self, name: str, detail: TopicDetail | None) -> str:
        """Name, type, permission, queues, brokers."""
        if detail is None:
            return name
        topic = detail.topic
        queues = f"{topic.read_queues}r/{topic.write_queues}w"
        brokers = f"{topic.brokers} broker{'s' * (topic.brokers != 1)}"
        return "  ".join(part for part in (name, topic.kind, topic.perm, queues, brokers) if part)

    def problems_of(self, detail: TopicDetail) -> tuple[Problem, ...]:
        """What is missing."""
        return detail.problems

    def row_command(self, name: str) -> tuple[str, ...]:
        """Bounds of the queues."""
        return ("topicStatus", "-t", name)

    def shown_names(self) -> Sequence[str]:
        """Without RocketMQ's own, unless the user wants them."""
        names = self.names.value or ()
        return names if self._internal else [name for name in names if not self.session.is_internal(name)]

    def reveal(self, name: str) -> None:
        """Shows RocketMQ's own when it is one of them."""
        if self.session.is_internal(name) and not self._internal:
            self.action_internal()

    def action_internal(self) -> None:
        """Shows RocketMQ's own topics, or leaves them out."""
        self._internal = not self._internal
        self.show_rows()
        self.ask_window()

    def cluster_changed(self) -> None:
        """Topics named after brokers become known as such."""
        super().cluster_changed()
        self.show_rows()


def topic_columns(session: Session) -> list[Column[Row]]:
    """Columns of the list."""
    history = session.history

    def of(key: str) -> Any:
        return lambda row: None if row.figures is None else getattr(row.figures, key)

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
            "Queues",
            _queue_columns(session),
            _queues,
            lambda name, key: ("topicStatus", "-t", name),
            "no broker told of queues",
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


def _route_columns() -> list[Column[RouteEntry]]:
    return [
        Column("BROKER", 8, lambda row: row.broker, grows=True),
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
        Column("QUEUE", 12, lambda row: f"{row[1].broker}/{row[1].queue_id}", grows=True),
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
        from rmq.tui.state.history import drain_millis

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
        Column("VALUE", 14, lambda row: row.value, grows=True),
        Column("BROKER", 10, lambda row: row.server, tone=lambda row: DIM, least=60),
    ]


def settings(rows: Sequence[Setting]) -> dict[str, Setting]:
    """Settings by server and key."""
    return {f"{row.server} {row.key}": row for row in rows}
