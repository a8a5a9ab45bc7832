"""Tables about groups: the list's columns, and the tabs of the pane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from rmq.tui import formats
from rmq.tui.screens.details import Tab
from rmq.tui.screens.topic_tables import setting_columns, settings
from rmq.tui.service.model import Client, Group, GroupDetail, GroupQueue, Subscription
from rmq.tui.state.history import drain_millis
from rmq.tui.state.seen import Seen, of
from rmq.tui.state.session import Session
from rmq.tui.table.columns import ACCENT, BAD, DIM, GOOD, PLAIN, WARN, Column
from rmq.wire.names import RETRY_PREFIX

_TREND: Final = 8
_STEADY: Final = 10
"""Seconds that a group's rates are the mean of: its clients tell what they have consumed every five only."""
_TONES: Final = {"online": GOOD, "offline": DIM}

Row = Seen[Group]


def group_columns(session: Session) -> list[Column[Row]]:
    """Columns of the list."""
    history = session.history

    def text(key: str) -> Any:
        return lambda row: of(key)(row) or formats.UNKNOWN

    def rate(row: Row, way: str = "out") -> float | None:
        values = history.values(("group", row.name, way))[-max(round(_STEADY / session.refresh), 1) :]
        return sum(values) / len(values) if values else None

    def lags(row: Row) -> list[float]:
        return history.values(("group", row.name, "lag"))

    def age(row: Row) -> int | None:
        oldest = of("oldest")(row)
        return session.now() - oldest if oldest else None

    def eta(row: Row) -> int | None:
        lag = of("lag")(row)
        return None if lag is None else drain_millis(lag, rate(row), rate(row, "in"))

    def done_in(row: Row) -> str:
        return "now" if of("lag")(row) == 0 else formats.span(eta(row))

    return [
        Column("NAME", 18, lambda row: row.name, tone=lambda row: BAD if row.problem else PLAIN, grows=True),
        Column(
            "STATE", 7, text("state"), of("state"), lambda row: _TONES.get(of("state")(row) or "", PLAIN), costly=True
        ),
        Column("MODEL", 12, text("model"), of("model"), least=84, costly=True),
        Column("CL", 3, lambda row: formats.count(of("clients")(row)), of("clients"), right=True, costly=True),
        Column(
            "LAG",
            10,
            lambda row: f"{formats.count(of('lag')(row))} {formats.trend(lags(row))}",
            of("lag"),
            lambda row: WARN if of("lag")(row) else PLAIN,
            right=True,
            costly=True,
        ),
        Column(
            "TREND",
            _TREND,
            lambda row: formats.sparkline(lags(row), _TREND),
            of("lag"),
            lambda row: ACCENT,
            least=60,
            costly=True,
        ),
        Column("OUT/s", 6, lambda row: formats.rate(rate(row)), rate, right=True, costly=True),
        Column("DONE IN", 8, done_in, eta, right=True, least=72, costly=True),
        Column("OLDEST", 8, lambda row: formats.span(age(row)), age, right=True, least=98, costly=True),
    ]


def group_tabs(session: Session) -> list[Tab[GroupDetail]]:
    """Queues, clients, subscriptions and configuration of a group."""
    return [
        Tab(
            "Queues",
            _queue_columns(session),
            lambda detail: {queue_key(row): row for row in _retries_last(detail.queues)},
            lambda name, key: ("consumerProgress", "-g", name, "-t", key.partition(" ")[0], "-s", "true"),
            "it has no offsets",
            lambda row: ("messages", f"{row.topic} queue:{row.broker}/{row.queue_id}@{max(row.consumer_offset, 0)}.."),
        ),
        Tab(
            "Clients",
            _client_columns(session),
            lambda detail: {row.client_id: row for row in detail.clients},
            lambda name, key: ("consumerStatus", "-g", name, "-i", key),
            "nobody is connected",
            lambda row: ("clients", row.client_id),
        ),
        Tab(
            "Subscriptions",
            _subscription_columns(),
            lambda detail: {f"{row.topic} {row.kind} {row.expression}": row for row in detail.subscriptions},
            lambda name, key: ("consumerConnection", "-g", name),
            "nobody is connected who could tell",
            lambda row: ("topics", row.topic),
        ),
        Tab(
            "Config",
            setting_columns(),
            lambda detail: settings(detail.config),
            lambda name, key: ("getConsumerConfig", "-g", name),
            "no broker has a configuration of it",
        ),
    ]


def queue_key(row: GroupQueue) -> str:
    """A queue's key in its table."""
    return f"{row.topic} {row.broker}/{row.queue_id}"


def _retries_last(queues: Sequence[GroupQueue]) -> list[GroupQueue]:
    return sorted(queues, key=lambda row: row.topic.startswith(RETRY_PREFIX))


def _queue_columns(session: Session) -> list[Column[GroupQueue]]:
    return [
        Column("TOPIC", 10, lambda row: row.topic, grows=True),
        Column("QUEUE", 10, lambda row: f"{row.broker}/{row.queue_id}", end=True, grows=True),
        Column(
            "OFFSET",
            9,
            lambda row: formats.count(row.consumer_offset),
            lambda row: row.consumer_offset,
            right=True,
            least=58,
        ),
        Column(
            "LAG",
            7,
            lambda row: formats.count(row.lag),
            lambda row: row.lag,
            lambda row: WARN if row.lag else PLAIN,
            right=True,
        ),
        Column("OWNER", 11, lambda row: row.owner or "nobody", tone=_owner_tone, grows=True, middle=True),
        Column("LAST", 8, lambda row: session.moment(row.last), lambda row: row.last, least=74),
    ]


def _owner_tone(row: GroupQueue) -> str:
    return PLAIN if row.owner else DIM


def _client_columns(session: Session) -> list[Column[Client]]:
    def started(row: Client) -> int | None:
        return session.now() - row.started if row.started else None

    return [
        Column(
            "CLIENT",
            14,
            lambda row: row.client_id,
            tone=lambda row: BAD if row.problem else PLAIN,
            grows=True,
            middle=True,
        ),
        Column("ADDRESS", 21, lambda row: row.address, least=78),
        Column("LANG", 6, lambda row: row.language),
        Column("VERSION", 8, lambda row: row.version),
        Column("Q", 3, lambda row: formats.count(row.queues), lambda row: row.queues, right=True),
        Column("HELD", 5, lambda row: formats.count(row.cached), lambda row: row.cached, right=True),
        Column("UP", 7, lambda row: formats.span(started(row)), started, right=True, least=56),
    ]


def _subscription_columns() -> list[Column[Subscription]]:
    return [
        Column("TOPIC", 10, lambda row: row.topic, grows=True),
        Column("KIND", 5, lambda row: row.kind),
        Column("EXPRESSION", 10, lambda row: row.expression, grows=True),
        Column(
            "CLIENTS",
            7,
            lambda row: f"{row.clients}/{row.of_clients}",
            lambda row: row.clients,
            lambda row: PLAIN if row.agreed else BAD,
            right=True,
        ),
    ]
