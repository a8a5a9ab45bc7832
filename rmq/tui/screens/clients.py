"""Producers and consumers that are connected: where from, in which language, and what consumers are doing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual import work
from textual.binding import Binding, BindingType

from rmq.tui import formats
from rmq.tui.screens.details import Tab
from rmq.tui.screens.lists import ListScreen
from rmq.tui.screens.stack import StackScreen
from rmq.tui.service.model import (
    CONSUMER,
    PRODUCER,
    ClientDetail,
    Clients,
    Connected,
    HeldQueue,
    Pace,
    Problem,
    Running,
    Wanted,
)
from rmq.tui.service.model.clients import SILENT_MILLIS
from rmq.tui.state.seen import Seen, of
from rmq.tui.state.session import Session
from rmq.tui.table.columns import BAD, DIM, GOOD, PLAIN, WARN, Column
from rmq.tui.widgets.grid import Grid
from rmq.tui.widgets.lines import Panel

Row = Seen[Running]
_NOBODY = Connected("", "", "", "", "", "", "")
_TONES = {"active": GOOD, "idle": WARN, "silent": WARN, "stuck": BAD, "no answer": BAD}


class ClientGrid(Grid):
    """The list of clients, where `k` shows the stack."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("k", "screen.stack", "stack", id="clients.stack"),
        Binding("u", "screen.to_group", "group", id="clients.group"),
    ]
    HELP: ClassVar[str] = (
        "Clients, one row for each group that one is in. `k` shows what the threads of a consumer do (`up` moves the "
        "cursor up here), `u` goes to its group. A producer is silent when it has not reported for 45 seconds, a "
        "consumer idle when it has no queue, and stuck when a queue does not get on. " + Grid.HELP
    )


class ClientsScreen(ListScreen[Running, ClientDetail]):
    """The screen of clients."""

    MODE = "clients"
    NUMBER = 5
    TITLE = "Clients"
    WHAT = "client"
    NONE = "nobody is connected, neither producer nor consumer"
    LIST = ClientGrid
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("K", "stack", "stack", id="clients.stack_anywhere", show=False),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.found = Clients((), 0, 0)
        self._by_key: dict[str, Connected] = {}
        self._first = ""

    def client_of(self, name: str | None) -> Connected:
        """The client of a row."""
        return self._by_key.get(name or "", _NOBODY)

    # --- what the list is made of ---------------------------------------------------------------------------------

    def columns(self) -> Sequence[Column[Row]]:
        """Columns of the list."""
        return client_columns(self)

    def tabs(self) -> Sequence[Tab[ClientDetail]]:
        """Tabs of the pane."""
        return client_tabs(self.session, self.client_of)

    async def ask_names(self) -> tuple[str, ...] | Problem:
        """Every client that is known so far."""
        first, self._first = self._first, ""
        answer = await self.session.service.clients(first)
        if isinstance(answer, Problem):
            return answer
        self.found = answer
        self._by_key = {client.key: client for client in answer.connected}
        return tuple(self._by_key)

    async def ask_figures(self, name: str) -> Running:
        """What a consumer does; producers have told all with the list."""
        client = self.client_of(name)
        return Running() if client.role == PRODUCER else await self.session.service.running(client)

    async def ask_detail(self, name: str) -> ClientDetail | Problem:
        """The pane."""
        return await self.session.service.client(self.client_of(name))

    def figures_of(self, detail: ClientDetail) -> Running:
        """The row of a detail."""
        return detail.running

    def remember(self, figures: Running) -> None:
        """Nothing of it goes into the history."""

    def headline(self, name: str, detail: ClientDetail | None) -> str:
        """Client, role, group."""
        client = self.client_of(name)
        parts = (client.client_id, f"{client.kind} {client.role}".strip(), client.group)
        return "  ".join(part for part in parts if part)

    def problems_of(self, detail: ClientDetail) -> tuple[Problem, ...]:
        """What is missing."""
        return () if detail.running.problem is None else (detail.running.problem,)

    def row_command(self, name: str) -> tuple[str, ...]:
        """How it is connected."""
        client = self.client_of(name)
        if client.role == PRODUCER:
            return ("producer", "-b", client.broker)
        return ("consumerStatus", "-g", client.group, "-i", client.client_id)

    def show_title(self) -> None:
        """Tells also of how many groups the consumers are known."""
        super().show_title()
        found = self.found
        parts = []
        if found.asked < found.groups:
            parts.append(f"consumers of {formats.count(found.asked)} of {formats.count(found.groups)} groups")
        if found.problems:
            parts.append(f"✗ {found.problems[0]}")
        if parts:
            left = self.query_one("#left", Panel)
            left.entitle(left.titles[0], " · ".join([*parts, *filter(None, [left.titles[1]])]))

    # --- where one gets from here ---------------------------------------------------------------------------------

    def go_to(self, name: str) -> None:
        """Takes a row's key, or the id of a client; its group is asked first when it is not known yet."""
        role, _, rest = name.partition(" ")
        group = rest.partition(" ")[0] if role in {CONSUMER, PRODUCER} and rest else ""
        if name not in self._by_key and not group:
            name = next((key for key, client in self._by_key.items() if client.client_id == name), name)
        elif name not in self._by_key and self.names.value is not None:
            self._first = group
            self.names = self.names.anew()
            self._wanted = name
            self.poll_again()
            return
        self._first = group
        super().go_to(name)

    def action_to_group(self) -> None:
        """Goes to the client's group."""
        client = self.client_of(self.list.current)
        if client.role == CONSUMER:
            self.rmq.drill("groups", client.group)
        elif client.role:
            self.say(f"{client.group} is a group of producers; brokers keep nothing of those")

    def action_stack(self) -> None:
        """Asks the consumer for its threads."""
        client = self.client_of(self.list.current)
        if client.role == PRODUCER:
            self.say("a producer cannot be asked for its threads")
        elif client.role:
            self.say("asking for the threads…")
            self._ask_stack(client)

    @work(exclusive=True, group="stack")
    async def _ask_stack(self, client: Connected) -> None:
        answer = await self.session.service.stack(client)
        if not self.is_current:
            return
        if isinstance(answer, Problem):
            self.say(f"no threads: {answer}" + (f" · {answer.remedy}" if answer.remedy else ""))
            return
        self.say("")
        self.app.push_screen(StackScreen(client.client_id, answer, self.session.save))


def client_columns(screen: ClientsScreen) -> list[Column[Row]]:
    """Columns of the list."""
    session = screen.session

    def client(row: Row) -> Connected:
        return screen.client_of(row.name)

    def role_tone(row: Row) -> str:
        return DIM if client(row).role == PRODUCER else PLAIN

    def state(row: Row) -> str:
        return client_state(client(row), row, session.now())

    def up(row: Row) -> int | None:
        started = of("started")(row)
        return session.now() - started if started else None

    return [
        Column("NAME", 16, lambda row: client(row).client_id, tone=_name_tone, grows=True, middle=True),
        Column("ROLE", 8, lambda row: client(row).role, tone=role_tone),
        Column("GROUP", 12, lambda row: client(row).group, grows=True),
        Column("STATE", 9, state, tone=lambda row: _TONES.get(state(row), DIM), costly=True),
        Column("LANG", 6, lambda row: client(row).language, least=64),
        Column("VERSION", 8, lambda row: client(row).version, least=74),
        Column("ADDRESS", 21, lambda row: client(row).address, least=104),
        Column("Q", 3, lambda row: formats.count(of("queues")(row)), of("queues"), right=True, costly=True),
        Column(
            "HELD", 6, lambda row: formats.count(of("held")(row)), of("held"), right=True, least=92, costly=True
        ),
        Column("UP", 7, lambda row: formats.span(up(row)), up, right=True, least=116, costly=True),
    ]


def _name_tone(row: Row) -> str:
    return BAD if row.problem else PLAIN


def client_state(client: Connected, row: Row, now: int) -> str:
    """How a client is, in a word or two; `·` when that is not known yet."""
    if client.role == PRODUCER:
        return "silent" if client.heard and now - client.heard > SILENT_MILLIS else "active"
    if row.problem is not None:
        return "no answer"
    running = row.figures
    if running is None or running.queues is None:
        return formats.UNKNOWN
    return "stuck" if running.stuck else "active" if running.queues else "idle"


def client_tabs(session: Session, client_of: Any) -> list[Tab[ClientDetail]]:
    """Queues, subscriptions, pace and what else a client tells of itself."""

    def command(name: str, key: str) -> tuple[str, ...]:
        client = client_of(name)
        if client.role == PRODUCER:
            return ("producer", "-b", client.broker)
        return ("consumerStatus", "-g", client.group, "-i", client.client_id)

    return [
        Tab(
            "Queues",
            _queue_columns(session),
            lambda detail: {f"{row.topic} {row.broker}/{row.queue_id}": row for row in detail.queues},
            command,
            "it has no queues",
            lambda row: ("topics", row.topic),
        ),
        Tab(
            "Subscriptions",
            _wanted_columns(),
            lambda detail: {f"{row.topic} {row.kind} {row.expression}": row for row in detail.wanted},
            command,
            "it subscribes to nothing",
            lambda row: ("topics", row.topic),
        ),
        Tab(
            "Pace",
            _pace_columns(),
            lambda detail: {row.topic: row for row in detail.paces},
            command,
            "it tells of no topic",
            lambda row: ("topics", row.topic),
        ),
        Tab(
            "Facts",
            [
                Column("KEY", 12, lambda row: row[0], grows=True),
                Column("VALUE", 16, lambda row: row[1], grows=True),
            ],
            lambda detail: {key: (key, value) for key, value in detail.facts},
            command,
            "nothing is known",
        ),
    ]


def _queue_columns(session: Session) -> list[Column[HeldQueue]]:
    return [
        Column("TOPIC", 10, lambda row: row.topic, tone=lambda row: BAD if row.trouble else PLAIN, grows=True),
        Column("QUEUE", 10, lambda row: f"{row.broker}/{row.queue_id}", end=True, grows=True),
        Column("HELD", 6, lambda row: formats.count(row.held), lambda row: row.held, right=True),
        Column("CONSUMED", 8, lambda row: session.moment(row.consumed), lambda row: row.consumed),
        Column("PULLED", 8, lambda row: session.moment(row.pulled), lambda row: row.pulled, least=58),
        Column(
            "DONE TO",
            9,
            lambda row: formats.count(row.committed if row.committed >= 0 else None),
            lambda row: row.committed,
            right=True,
            least=68,
        ),
        Column("TROUBLE", 20, lambda row: row.trouble, tone=lambda row: BAD, least=90, grows=True),
    ]


def _wanted_columns() -> list[Column[Wanted]]:
    return [
        Column("TOPIC", 12, lambda row: row.topic, grows=True),
        Column("KIND", 5, lambda row: row.kind),
        Column("EXPRESSION", 10, lambda row: row.expression, grows=True),
    ]


def _pace_columns() -> list[Column[Pace]]:
    return [
        Column("TOPIC", 10, lambda row: row.topic, grows=True),
        Column("PULL/s", 6, lambda row: formats.rate(row.pull_rate), lambda row: row.pull_rate, right=True, least=56),
        Column("OK/s", 6, lambda row: formats.rate(row.ok_rate), lambda row: row.ok_rate, right=True),
        Column("MS", 6, lambda row: f"{row.consume_millis:.1f}", lambda row: row.consume_millis, right=True),
        Column("FAIL/h", 6, lambda row: formats.count(row.failed), lambda row: row.failed,
               lambda row: BAD if row.failed else PLAIN, right=True),
    ]  # fmt: skip
