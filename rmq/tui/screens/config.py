"""The settings of one broker: search, edits that wait, how they differ from what is there, and their way to the broker.

An edit changes nothing yet. `a` proposes all of them together to this broker, `A` to every broker of its cluster; the
change's dialog shows old and new of each broker. An edit is dropped when the broker has taken it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from rich.text import Text
from textual import events, on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widget import Widget

from rmq.tui.formats import one_line, plural
from rmq.tui.messages import DetailCame
from rmq.tui.screens.config_value import ValueDialog
from rmq.tui.screens.filtered import Filtered
from rmq.tui.screens.frame import FrameScreen
from rmq.tui.screens.header import Step
from rmq.tui.service.changes.brokers import ChangeBrokerSettings
from rmq.tui.service.changes.places import Place
from rmq.tui.service.changes.settings import about, shown, when
from rmq.tui.service.model import Broker, Problem, Setting
from rmq.tui.state.feed import Feed
from rmq.tui.state.session import Session
from rmq.tui.table.columns import ACCENT, DIM, PLAIN, WARN, Column
from rmq.tui.widgets.grid import Grid
from rmq.tui.widgets.lines import FilterInput, Panel, TextLine


@dataclass(frozen=True, slots=True)
class Row:
    """A setting, and what it is to become; `value` is None when the broker lists none of that name."""

    key: str
    value: str | None
    wanted: str | None = None

    def shown(self, value: str | None) -> str:
        """A value as it may be seen."""
        return "-" if value is None else shown(self.key, value)


def _columns() -> list[Column[Row]]:
    return [
        Column(
            "KEY", 26, lambda row: row.key, tone=lambda row: ACCENT if row.wanted is not None else PLAIN, grows=True
        ),
        Column(
            "VALUE",
            16,
            lambda row: row.shown(row.value),
            tone=lambda row: DIM if row.value is None else PLAIN,
            grows=True,
        ),
        Column("NEW", 16, _new, tone=lambda row: WARN, grows=True),
        Column("IN EFFECT", 22, lambda row: when(row.key), tone=lambda row: DIM, least=110),
    ]


def _new(row: Row) -> str:
    return "" if row.wanted is None else row.shown(row.wanted) or "''"


class SettingsTable(Grid, inherit_bindings=False):
    """The table, whose footer has room for the keys of the edits."""

    BINDINGS: ClassVar[list[BindingType]] = [
        replace(binding, show=binding.action == "screen.filter") for binding in Binding.make_bindings(Grid.BINDINGS)
    ]
    HELP: ClassVar[str] = (
        "Settings of one broker. `enter` or `e` edits the one under the cursor, `u` takes the edit back, `v` shows "
        "only what was edited. Nothing is sent before `a` (to this broker) or `A` (to every broker of its cluster): "
        "both show old and new, and ask. `n` sets a key that is not listed."
    )


class ConfigScreen(Filtered):
    """Settings of a broker; it is pushed over the screen Cluster.

    Args:
        session: what all screens share.
        broker: whose settings.
    """

    MODE = "cluster"
    NUMBER = 1
    TITLE = "Settings"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("v", "differing", "edits only", id="config.differing")]
    CHANGES: ClassVar[list[BindingType]] = [
        Binding("e", "edit", "edit", id="config.edit"),
        Binding("n", "new", "another key", id="config.new", show=False),
        Binding("u", "undo", "undo", id="config.undo"),
        Binding("a", "apply", "apply", id="config.apply"),
        Binding("A", "apply_everywhere", "to the cluster", id="config.apply_everywhere"),
    ]

    def __init__(self, session: Session, broker: Broker) -> None:
        super().__init__(session)
        self.broker = broker
        self.feed: Feed[dict[str, str]] = Feed()
        self.edits: dict[str, str] = {}
        self.differing = False
        self._leaving = False

    @property
    def subject(self) -> str:
        """The broker's address."""
        return self.broker.address

    def steps(self) -> list[Step]:
        """The cluster, the broker, and here."""
        return [("Cluster", self.broker.name), (self.TITLE, self.list.current)]

    # --- layout ---------------------------------------------------------------------------------------------------

    def compose_body(self) -> Iterable[Widget]:
        """The table and its filter."""
        self.list = SettingsTable(_columns(), label="settings", empty="asking…", sort="key", identity="settings")
        with Horizontal(id="body"), Panel(id="left"):
            yield self.list
            yield TextLine(id="about")
            yield FilterInput("value:true")

    def on_mount(self) -> None:
        """Begins with the table."""
        super().on_mount()
        self.set_focus(self.list)
        self.show_rows()

    # --- asking ---------------------------------------------------------------------------------------------------

    def poll(self) -> None:
        """Asks once; `r` asks again."""
        if self.feed.value is None:
            self._ask()

    def poll_again(self) -> None:
        """Asks now."""
        self._ask()

    @work(exclusive=True, group="settings")
    async def _ask(self) -> None:
        generation = self.feed.begin()
        answer = await self.session.service.broker_config(self.broker.address)
        told: Any = answer if isinstance(answer, Problem) else _values(answer)
        self.post_message(DetailCame(generation, self.broker.address, told))

    @on(DetailCame)
    def settings_came(self, message: DetailCame) -> None:
        """Settings are there, or why not; edits that the broker has taken are done."""
        message.stop()
        if not self.feed.take(message.generation, message.answer, self.session.now()):
            return
        if self.feed.value is not None and self.feed.problem is None:
            self.edits = {key: value for key, value in self.edits.items() if self.feed.value.get(key) != value}
        self.show_rows()
        self.show_frame()

    def problem_at_hand(self) -> tuple[Problem, int] | None:
        """Why the settings are not known, or not newer."""
        return (self.feed.problem, self.feed.since) if self.feed.problem is not None else None

    # --- the table ------------------------------------------------------------------------------------------------

    def show_rows(self) -> None:
        """Brings table and titles up to date."""
        known: Mapping[str, str] = self.feed.value or {}
        self.list.empty = self._nothing()
        keys = self.edits if self.differing else {**known, **self.edits}
        self.list.update_rows({key: Row(key, known.get(key), self.edits.get(key)) for key in keys})
        if not self.list.keys:
            self.list.refresh_line(1)
        self.show_title()
        self._tell_about()

    @property
    def heading(self) -> str:
        """Whose settings they are."""
        return f"Settings of {self.broker.name} {self.broker.role} {self.broker.address}"

    def remarks(self) -> Sequence[str]:
        """Edits that wait, and whether only those are shown."""
        waiting = f"{plural(len(self.edits), 'edit')} not applied" if self.edits else "no edits"
        return [waiting, *(["edits only"] if self.differing else [])]

    def narrow(self, text: str) -> None:
        """Says, too, why there are no settings."""
        super().narrow(text)
        self.show_rows()

    def _nothing(self) -> str:
        if self.differing and not self.edits:
            return "nothing was edited: e edits, v shows all settings"
        if self.feed.value is None:
            return "no answer: r asks again" if self.feed.problem is not None else "asking…"
        return "no setting matches the filter: esc shows all"

    def _tell_about(self) -> None:
        key = self.list.current
        text = Text(f" {one_line(about(key))}" if key is not None else "", "dim")
        self.query_one("#about", TextLine).say(text)
        self.show_frame()

    @on(Grid.Highlighted)
    def highlighted(self, message: Grid.Highlighted) -> None:
        """Tells what the setting is for; enter edits it."""
        message.stop()
        self._leaving = False
        self._tell_about()
        if isinstance(message, Grid.Selected) and not self.session.read_only:
            self.action_edit()

    @on(Grid.Viewed)
    def viewed(self, message: Grid.Viewed) -> None:
        """Nothing more has to be asked."""
        message.stop()

    # --- edits ----------------------------------------------------------------------------------------------------

    def action_edit(self) -> None:
        """Another value for the setting under the cursor."""
        key = self.list.current
        if key is not None:
            row: Row = self.list.rows[key]
            value = row.value if row.wanted is None else row.wanted
            self.app.push_screen(ValueDialog(key, value or "", self._edited))

    def action_new(self) -> None:
        """A setting that the broker does not list."""
        self.app.push_screen(ValueDialog("", "", self._edited, known=tuple(self.feed.value or ())))

    def _edited(self, key: str, value: str) -> None:
        known = self.feed.value or {}
        if known.get(key) == value:
            self.edits.pop(key, None)
        else:
            self.edits[key] = value
        self.show_rows()
        self.list.go_to(key)

    def action_undo(self) -> None:
        """Drops the edit under the cursor."""
        if self.edits.pop(self.list.current or "", None) is None:
            self.say("there is no edit under the cursor")
        self.show_rows()

    def action_differing(self) -> None:
        """Shows only what was edited, or everything."""
        self.differing = not self.differing
        self.show_rows()

    def action_apply(self) -> None:
        """Proposes the edits to this broker."""
        self._propose(Place(broker=self.broker.address))

    def action_apply_everywhere(self) -> None:
        """Proposes the edits to every broker of the cluster, slaves too."""
        self._propose(Place(cluster=self.broker.cluster))

    def _propose(self, place: Place) -> None:
        if not self.edits:
            self.say("nothing was edited: e edits the setting under the cursor")
            return
        values = tuple(sorted(self.edits.items()))
        self.rmq.propose(ChangeBrokerSettings(place, values, slaves=bool(place.cluster)))

    @on(events.ScreenResume)
    def dialog_closed(self) -> None:
        """The broker may have taken the edits."""
        if self.edits:
            self.poll_again()

    # --- ways -----------------------------------------------------------------------------------------------------

    def command_for(self, grid: Grid, key: str) -> str:
        """What lists the settings."""
        return self.mqadmin("getBrokerConfig", "-b", self.broker.address)

    def go_to(self, name: str) -> None:
        """Another broker is wanted: the screen below shows it."""
        self.app.pop_screen()
        if isinstance(self.app.screen, FrameScreen):
            self.app.screen.go_to(name)

    def action_back(self) -> None:
        """Out of the filter, then back to the cluster; edits that were not applied need a second press."""
        if self.list.filter_text:
            self.narrow("")
        elif self.edits and not self._leaving:
            self._leaving = True
            self.show_frame()
            self.say("the edits are not applied: esc again drops them, a applies them")
        else:
            self.app.pop_screen()


def _values(settings: Iterable[Setting]) -> dict[str, str]:
    return {setting.key: setting.value for setting in settings}
