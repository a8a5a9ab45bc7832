"""A change before, while and after it is done: what it will do, whether the user means it, and what became of it.

The dialog goes through these phases:

    asking --> shown --> running --> ended
       \\--> failed (asked again with `r`)

A change that runs belongs to the application. Escape stops one that can be stopped, and what became of it until then
is shown; with others it closes the dialog and not the change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from rich.text import Text
from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widgets import Button, Input, Static
from textual.worker import Worker

from rmq.tui.config.contexts import Mode
from rmq.tui.formats import count, one_line
from rmq.tui.messages import PreviewCame
from rmq.tui.screens.dialogs import Dialog
from rmq.tui.service.changes.change import Change, Item, Outcome, Preview, Risk
from rmq.tui.service.command_line import masked
from rmq.tui.service.model import Problem
from rmq.tui.state.session import Session
from rmq.tui.table.columns import BAD, GOOD, PLAIN, Column
from rmq.tui.widgets.grid import Grid
from rmq.tui.widgets.lines import LineInput, TextLine, titled

if TYPE_CHECKING:
    from rmq.tui.app import RmqApp

_TONES: Final = {Risk.LOW: "green", Risk.MEDIUM: "yellow", Risk.HIGH: "bold red"}
_FRAME: Final = 4
"""Lines of the box that are its frame."""
_ROOM: Final = 0.95
"""Part of the terminal that the box may take; `rmq.tcss` says the same."""
_LEAST: Final = 3
"""Lines of the table at least."""
_WIDEST: Final = 40
_TOGETHER: Final = 0.1
"""Seconds after which parts that are done are shown."""
_COMMANDS: Final = 2
"""Command lines that are shown; Ops has all."""


class Phase(StrEnum):
    """How far a change is."""

    ASKING = "asking"
    FAILED = "failed"
    SHOWN = "shown"
    RUNNING = "running"
    ENDED = "ended"


class QuietGrid(Grid, inherit_bindings=False):
    """A table that is looked at and does not take the dialog's keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "up", id="preview.up", show=False),
        Binding("down,j", "move(1)", "down", id="preview.down", show=False),
        Binding("pageup", "page(-1)", "page up", id="preview.pageup", show=False),
        Binding("pagedown", "page(1)", "page down", id="preview.pagedown", show=False),
        Binding("home,g", "edge(-1)", "first", id="preview.first", show=False),
        Binding("end,G", "edge(1)", "last", id="preview.last", show=False),
    ]


class ChangeDialog(Dialog):
    """Previews a change, has it confirmed, and shows how it goes.

    Args:
        session: what all screens share.
        change: what is to be done.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "carry_out", "carry out", id="change.carry_out"),
        Binding("n", "dismiss", "cancel", id="change.cancel"),
        Binding("r", "ask_again", "ask again", id="change.again"),
    ]

    def __init__(self, session: Session, change: Change) -> None:
        super().__init__()
        self.session = session
        self.change = change
        self.phase = Phase.ASKING
        self._items: dict[str, Item] = {}
        self._grid: QuietGrid | None = None
        self._painting: Timer | None = None
        self._worker: Worker[None] | None = None

    # --- layout ---------------------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """From above: risk, command, table, facts, and what the user has to do."""
        with Vertical(classes="dialog change") as box:
            box.border_title = titled(masked(self.change.title, self.change.secrets))
            yield TextLine(id="risk")
            yield Static(id="command-line")
            yield Vertical(id="table")
            yield Static(id="facts")
            with Horizontal(id="buttons"):
                yield Button("Carry out (y)", id="carry-out", compact=True, variant="warning")
                yield Button("Cancel (esc)", id="cancel", compact=True)
            yield LineInput("", id="typed")
            yield TextLine(id="refusal")

    def on_mount(self) -> None:
        """Asks what the change will do."""
        risk, context = self.change.risk, self.session.context
        self.query_one(".dialog").set_class(context.production, "-production")
        place = (one_line(context.name), context.style)
        line = Text.assemble((f"{risk.upper()} risk", _TONES[risk]), " · context ", place, f" ({context.mode})")
        self.query_one("#risk", TextLine).say(line)
        self._show_commands(self.change.commands)
        self.action_ask_again()

    def _show_commands(self, commands: Sequence[tuple[str, ...]]) -> None:
        secrets = self.change.secrets
        lines = [one_line(self.session.command_line(words, secrets)) for words in commands[:_COMMANDS]]
        if len(commands) > _COMMANDS:
            lines.append(f"… and {count(len(commands) - _COMMANDS)} more")
        shown = Text("\n".join(lines) or "no command of mqadmin does this", "dim")
        self.query_one("#command-line", Static).update(shown)

    @property
    def word(self) -> str:
        """What has to be typed; empty when pressing a button will do."""
        if self.session.context.mode is Mode.PROTECTED:
            return self.session.name
        return self.change.target if self.change.risk is Risk.HIGH else ""

    def _enter(self, phase: Phase, facts: Text, below: str) -> None:
        self.phase = phase
        self.query_one("#facts", Static).update(facts)
        box = self.query_one(".dialog")
        box.border_subtitle = titled(below)
        typing, pressing = phase is Phase.SHOWN and bool(self.word), phase is Phase.SHOWN and not self.word
        self.query_one("#typed", LineInput).display = typing
        self.query_one("#refusal", TextLine).display = typing
        self.query_one("#buttons").display = pressing
        if typing:
            field = self.query_one("#typed", LineInput)
            field.placeholder = f"type {one_line(self.word)} to confirm"
            field.focus()
        elif pressing:
            self.query_one("#carry-out", Button).focus()
        self.refresh_bindings()

    def _show_table(self, columns: Sequence[Column[Any]], rows: Mapping[str, Any]) -> None:
        place = self.query_one("#table", Vertical)
        if self._grid is not None:
            self._grid.remove()
        self._grid = QuietGrid(columns, label="rows") if rows else None
        place.display = bool(rows)
        if self._grid is not None:
            self._grid.update_rows(rows)
            place.mount(self._grid)
        self._fit()

    def on_resize(self, event: events.Resize) -> None:
        """Gives the table what room there is."""
        self._fit()

    def _fit(self) -> None:
        """Gives the table the lines that the others leave, once it is known how many they take."""
        self.call_after_refresh(self._fit_now)

    def _fit_now(self) -> None:
        if self._grid is None or not self.is_attached:
            return
        box, table = self.query_one(".dialog"), self.query_one("#table")
        others = [child for child in box.children if child.display and child is not table]
        taken = sum(child.size.height + child.styles.margin.height for child in others) + table.styles.margin.height
        room = int(self.app.size.height * _ROOM) - _FRAME - taken
        self._grid.styles.height = max(min(len(self._grid.rows) + 1, room), _LEAST)

    # --- before ---------------------------------------------------------------------------------------------------

    def action_ask_again(self) -> None:
        """Finds out what the change will do."""
        self._enter(Phase.ASKING, Text("finding out what it will do…", "dim"), "esc cancels")
        self._show_table((), {})
        self._preview()

    @work(exclusive=True, group="preview")
    async def _preview(self) -> None:
        self.post_message(PreviewCame(await self.session.service.preview(self.change)))

    @on(PreviewCame)
    def preview_came(self, message: PreviewCame) -> None:
        """Shows what the change will do, or why that is not known."""
        preview = message.answer
        if isinstance(preview, Problem):
            self._enter(Phase.FAILED, _told(preview), "r asks again · esc closes")
            return
        if preview.commands:
            self._show_commands(preview.commands)
        rows = {str(number): row for number, row in enumerate(preview.rows)}
        facts = Text("\n").join(
            [
                *(Text(one_line(note)) for note in preview.notes),
                *(Text(f"⚠ {one_line(warning)}", "yellow") for warning in preview.warnings),
                *([Text(f"✗ {one_line(preview.refusal)}", "bold red")] if preview.refusal else ()),
            ]
        )
        if preview.refusal:
            self._enter(Phase.FAILED, facts, "r asks again · esc closes")
        else:
            self._enter(Phase.SHOWN, facts, "enter carries out · tab to the table · esc cancels")
        self._show_table(preview_columns(preview), rows)

    @on(Button.Pressed)
    def pressed(self, event: Button.Pressed) -> None:
        """One of the two buttons."""
        event.stop()
        if event.button.id == "cancel":
            self.dismiss()
        else:
            self._carry_out()

    @on(Input.Submitted, "#typed")
    def submitted(self, event: Input.Submitted) -> None:
        """Carries the change out when the right name was typed."""
        event.stop()
        if event.value.strip() == self.word:
            self._carry_out()
        else:
            self.query_one("#refusal", TextLine).say(Text(f"that is not {one_line(self.word)}", "bold red"))

    def action_carry_out(self) -> None:
        """Confirms, where nothing has to be typed."""
        self._carry_out()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Which keys there are depends on how far the change is."""
        if action == "carry_out":
            return self.phase is Phase.SHOWN and not self.word
        if action == "ask_again":
            return self.phase is Phase.FAILED
        return super().check_action(action, parameters)

    # --- while and after ------------------------------------------------------------------------------------------

    def _carry_out(self) -> None:
        if self.phase is not Phase.SHOWN:
            return
        below = "esc stops it where it is" if self.change.can_stop else "esc closes, the change goes on"
        self._enter(Phase.RUNNING, Text("running…", "yellow"), below)
        self._show_table((), {})
        self._worker = cast("RmqApp", self.app).carry_out(self.change)

    async def action_dismiss(self, result: None = None) -> None:
        """Stops a change that can be stopped, and closes the dialog otherwise."""
        worker, self._worker = self._worker, None
        if worker is not None and self.phase is Phase.RUNNING and self.change.can_stop:
            worker.cancel()
            self._enter(Phase.RUNNING, Text("stopping…", "yellow"), "esc closes")
        else:
            await super().action_dismiss(result)

    def item_done(self, item: Item) -> None:
        """A part has been done. Many may be done at once: they are shown a few times a second."""
        self._items[item.name] = item
        if self._painting is None:
            self._painting = self.set_timer(_TOGETHER, self._show_progress)

    def _show_progress(self) -> None:
        self._painting = None
        if self.phase is Phase.RUNNING:
            self.query_one("#facts", Static).update(Text(f"running… {count(len(self._items))} done", "yellow"))
            self._show_items()

    def _show_items(self) -> None:
        if self._grid is not None:
            self._grid.update_rows(dict(self._items))
            self._fit()
        else:
            self._show_table(item_columns(), dict(self._items))

    def ended(self, answer: Outcome | Problem) -> None:
        """The change has been carried out, or could not be."""
        if isinstance(answer, Problem):
            self._enter(Phase.ENDED, _told(answer), "esc closes")
            return
        mark, tone = ("✔", "bold green") if answer.ok else ("✗", "bold red")
        lines = [Text(f"{mark} {one_line(answer.text)}", tone), *(Text(one_line(line)) for line in answer.read_back)]
        self._items |= {item.name: item for item in answer.items}
        self._enter(Phase.ENDED, Text("\n").join(lines), "esc closes")
        if self._items:
            self._show_items()


def _told(problem: Problem) -> Text:
    text = Text(f"✗ {one_line(str(problem))}", "bold red")
    return text.append(f"\n{one_line(problem.remedy)}", "not bold dim") if problem.remedy else text


def preview_columns(preview: Preview) -> list[Column[tuple[str, ...]]]:
    """Columns as wide as what they hold; numbers stand to the right."""
    columns: list[Column[tuple[str, ...]]] = []
    for index, title in enumerate(preview.columns):
        texts = [row[index] for row in preview.rows]
        width = min(max(len(one_line(text)) for text in [title, *texts]), _WIDEST)
        right = bool(texts) and all(_is_number(text) for text in texts)
        columns.append(Column(title, width, _cell(index), right=right, grows=index == 0))
    return columns


def _cell(index: int) -> Any:
    return lambda row: row[index]


def _is_number(text: str) -> bool:
    return text in {"", "-", "—"} or text.lstrip("+-−").replace(",", "").replace(".", "", 1).isdigit()


def item_columns() -> list[Column[Item]]:
    """Whether a part was done, which it is, and what became of it."""
    return [
        Column("", 1, lambda item: "✔" if item.ok else "✗", tone=lambda item: GOOD if item.ok else BAD),
        Column("ITEM", 20, lambda item: item.name, tone=lambda item: PLAIN if item.ok else BAD, grows=True),
        Column("RESULT", 24, lambda item: item.text, grows=True),
    ]
