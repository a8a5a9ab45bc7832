"""Consumer groups: who is connected, how far they are behind, and since when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType

from rmq.tui import formats
from rmq.tui.messages import FormReady, ResetReady
from rmq.tui.screens.charts import chart_tab
from rmq.tui.screens.details import Tab
from rmq.tui.screens.group_forms import delete_group_form, edit_group_form, new_group_form
from rmq.tui.screens.group_tables import Row, group_columns, group_tabs, queue_key
from rmq.tui.screens.lists import ListScreen
from rmq.tui.screens.offset_forms import reset_form
from rmq.tui.service.model import Group, GroupDetail, Problem
from rmq.tui.table.columns import Column


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
            self.session.lags.told(name, figures.lag, now)

    def headline(self, name: str, detail: GroupDetail | None) -> str:
        """Name, state, model, clients."""
        if detail is None:
            return name
        group = detail.group
        clients = formats.plural(group.clients, "client") if group.state else ""
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
            self.ask_for_form(self.list.current)

    def action_delete(self) -> None:
        """A form for what goes with the group under the cursor."""
        if self.list.current is not None:
            self.ask_for_form(self.list.current, delete=True)

    def action_reset(self) -> None:
        """A form for going on from elsewhere: for the marked groups or the one under the cursor; in its pane for it."""
        in_pane = self.pane.grid.has_focus and self.subject is not None
        chosen = [self.subject] if in_pane and self.subject is not None else self.list.chosen
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
        detail: GroupDetail | None = self.usable(message.answer)
        if detail is None:
            return
        chosen = next((one for one in detail.queues if queue_key(one) == message.queue), None)
        self.app.push_screen(reset_form(self.session, [detail.group.name], detail.queues, chosen))

    @on(FormReady)
    def form_ready(self, message: FormReady) -> None:
        """Opens the form, or says why there is none; nothing when the user has gone elsewhere."""
        detail: GroupDetail | None = self.usable(message.answer)
        if detail is None:
            return
        form = edit_group_form(self.session, detail)
        if message.delete:
            form = delete_group_form(self.session, detail.group.name, detail.config)
        if form is None:
            self.say(f"no broker told how {detail.group.name} is configured")
        else:
            self.app.push_screen(form)
