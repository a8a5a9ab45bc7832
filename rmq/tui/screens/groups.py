"""Consumer groups: who is connected, how far they are behind, and since when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType

from rmq.tui import formats
from rmq.tui.messages import FormReady, ResetReady
from rmq.tui.screens.charts import chart_tab
from rmq.tui.screens.details import Tab
from rmq.tui.screens.group_forms import delete_group_form, edit_group_form, new_group_form
from rmq.tui.screens.lists import ListScreen
from rmq.tui.screens.offset_forms import reset_form
from rmq.tui.screens.topic_tables import setting_columns, settings
from rmq.tui.service.model import Client, Group, GroupDetail, GroupQueue, Problem, Subscription
from rmq.tui.state.history import drain_millis
from rmq.tui.state.seen import Seen
from rmq.tui.state.session import Session
from rmq.tui.table.columns import ACCENT, BAD, DIM, GOOD, PLAIN, WARN, Column

_TREND = 8
_TONES = {"online": GOOD, "offline": DIM}
Row = Seen[Group]


class GroupsScreen(ListScreen[Group, GroupDetail]):
    """The screen of consumer groups."""

    MODE = "groups"
    NUMBER = 3
    TITLE = "Groups"
    WHAT = "group"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "to_dead_letters", "dead letters", id="groups.dead_letters"),
    ]
    CHANGES: ClassVar[list[BindingType]] = [
        Binding("R", "reset", "reset", id="groups.reset"),
        Binding("n", "new", "new", id="groups.new"),
        Binding("e", "edit", "edit", id="groups.edit"),
        Binding("D", "delete", "delete", id="groups.delete"),
    ]

    def columns(self) -> Sequence[Column[Row]]:
        """Columns of the list."""
        return group_columns(self.session)

    def tabs(self) -> Sequence[Tab[GroupDetail]]:
        """Tabs of the pane."""
        command = ("consumerProgress", "-g")
        chart: Tab[GroupDetail] = chart_tab(
            self.session, lambda detail: (self.MODE, detail.group.name), lambda name, key: (*command, name)
        )
        return [*group_tabs(self.session), chart]

    def sample(self, name: str) -> Sequence[float | None]:
        """See `Listed`."""
        history, row = self.session.history, self.seen.get(name)
        lag = None if row is None or row.figures is None else row.figures.lag
        return (history.last(("group", name, "in")), history.last(("group", name, "out")), lag)

    async def ask_names(self) -> tuple[str, ...] | Problem:
        """Every group."""
        names = await self.session.service.group_names()
        if not isinstance(names, Problem):
            self.session.lags.groups_are(names)
        return names

    async def ask_figures(self, name: str) -> Group:
        """A row."""
        return (await self.session.service.groups([name]))[name]

    async def ask_detail(self, name: str) -> GroupDetail | Problem:
        """The pane."""
        return await self.session.service.group(name)

    def figures_of(self, detail: GroupDetail) -> Group:
        """The row of a detail."""
        return detail.group

    def remember(self, figures: Group) -> None:
        """Offsets and lag."""
        history, now, name = self.session.history, self.session.now(), figures.name
        history.count(("group", name, "out"), now, figures.consumed)
        history.count(("group", name, "in"), now, figures.produced)
        if figures.lag is not None:
            history.level(("group", name, "lag"), now, figures.lag)
            self.session.lags.told(name, figures.lag)

    def headline(self, name: str, detail: GroupDetail | None) -> str:
        """Name, state, model, clients."""
        if detail is None:
            return name
        group = detail.group
        clients = f"{group.clients} client{'s' * (group.clients != 1)}" if group.state else ""
        differ = "subscriptions differ" if any(not item.agreed for item in detail.subscriptions) else ""
        return "  ".join(part for part in (name, group.state, group.kind, group.model, clients, differ) if part)

    def problems_of(self, detail: GroupDetail) -> tuple[Problem, ...]:
        """What is missing."""
        return detail.problems

    def row_command(self, name: str) -> tuple[str, ...]:
        """How far it is."""
        return ("consumerProgress", "-g", name)

    def action_to_dead_letters(self) -> None:
        """Goes to what the group under the cursor has given up on."""
        if self.list.current is not None:
            self.rmq.drill("dlq", self.list.current)

    # --- changes --------------------------------------------------------------------------------------------------

    def action_new(self) -> None:
        """A form for another group."""
        self.app.push_screen(new_group_form(self.session))

    def action_edit(self) -> None:
        """A form for the group under the cursor, as it is now."""
        if self.list.current is not None:
            self._ask_for_form(self.list.current)

    def action_delete(self) -> None:
        """A form for what goes with the group under the cursor."""
        if self.list.current is not None:
            self._ask_for_form(self.list.current, delete=True)

    @work(exclusive=True, group="form")
    async def _ask_for_form(self, name: str, *, delete: bool = False) -> None:
        self.say("asking…")
        self.session.service.forget()
        self.post_message(FormReady(name, await self.session.service.group(name), delete))

    def action_reset(self) -> None:
        """A form for going on from elsewhere: for the marked groups, or for the one under the cursor."""
        chosen = self.list.chosen
        if len(chosen) > 1:
            self.app.push_screen(reset_form(self.session, chosen, ()))
        elif chosen:
            on_queue = self.pane.grid.has_focus and self.pane.tab.title == "Queues"
            self._ask_for_reset(chosen[0], self.pane.grid.current or "" if on_queue else "")

    @work(exclusive=True, group="form")
    async def _ask_for_reset(self, name: str, queue: str) -> None:
        self.session.service.forget()
        self.post_message(ResetReady(await self.session.service.group(name), queue))

    @on(ResetReady)
    def reset_ready(self, message: ResetReady) -> None:
        """Opens the form, or says why there is none; nothing when the user has gone elsewhere."""
        self.say("")
        if not self.is_current:
            return
        if isinstance(message.answer, Problem):
            self.say(str(message.answer))
            return
        detail: GroupDetail = message.answer
        chosen = next((one for one in detail.queues if queue_key(one) == message.queue), None)
        self.app.push_screen(reset_form(self.session, [detail.group.name], detail.queues, chosen))

    @on(FormReady)
    def form_ready(self, message: FormReady) -> None:
        """Opens the form, or says why there is none; nothing when the user has gone elsewhere."""
        self.say("")
        if not self.is_current:
            return
        if isinstance(message.answer, Problem):
            self.say(str(message.answer))
            return
        detail: GroupDetail = message.answer
        form = edit_group_form(self.session, detail)
        if message.delete:
            form = delete_group_form(self.session, detail.group.name, detail.config)
        if form is None:
            self.say(f"no broker told how {detail.group.name} is configured")
        else:
            self.app.push_screen(form)


def group_columns(session: Session) -> list[Column[Row]]:
    """Columns of the list."""
    history = session.history

    def of(key: str) -> Any:
        return lambda row: None if row.figures is None else getattr(row.figures, key)

    def text(key: str) -> Any:
        return lambda row: of(key)(row) or formats.UNKNOWN

    def rate(row: Row, way: str = "out") -> float | None:
        return history.last(("group", row.name, way))

    def lags(row: Row) -> list[float]:
        return history.values(("group", row.name, "lag"))

    def age(row: Row) -> int | None:
        oldest = of("oldest")(row)
        return session.now() - oldest if oldest else None

    def eta(row: Row) -> int | None:
        lag = of("lag")(row)
        return None if lag is None else drain_millis(lag, rate(row), rate(row, "in"))

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
        Column(
            "DONE IN",
            8,
            lambda row: "now" if of("lag")(row) == 0 else formats.span(eta(row)),
            eta,
            right=True,
            least=72,
            costly=True,
        ),
        Column(
            "OLDEST",
            8,
            lambda row: formats.span(age(row)),
            age,
            right=True,
            least=98,
            costly=True,
        ),
    ]


def group_tabs(session: Session) -> list[Tab[GroupDetail]]:
    """Queues, clients, subscriptions and configuration of a group."""
    return [
        Tab(
            "Queues",
            _queue_columns(session),
            lambda detail: {queue_key(row): row for row in detail.queues},
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
        Column("OWNER", 11, lambda row: row.owner or "nobody", tone=_owner_tone, grows=True),
        Column("LAST", 8, lambda row: session.moment(row.last), lambda row: row.last, least=74),
    ]


def _owner_tone(row: GroupQueue) -> str:
    return PLAIN if row.owner else DIM


def _client_columns(session: Session) -> list[Column[Client]]:
    def started(row: Client) -> int | None:
        return session.now() - row.started if row.started else None

    return [
        Column("CLIENT", 14, lambda row: row.client_id, tone=lambda row: BAD if row.problem else PLAIN, grows=True),
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
