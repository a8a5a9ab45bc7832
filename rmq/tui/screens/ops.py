"""What was changed since the start: each change with its command, what it was going to do, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any, Final, NamedTuple

from rmq.tui import formats
from rmq.tui.screens.change import item_columns
from rmq.tui.screens.details import Tab
from rmq.tui.screens.header import Step
from rmq.tui.screens.lists import ListScreen
from rmq.tui.service.changes.change import Outcome, Risk
from rmq.tui.service.model import Problem
from rmq.tui.service.ops import Operation
from rmq.tui.state.seen import Seen, of
from rmq.tui.state.session import Session
from rmq.tui.table.columns import ACCENT, BAD, DIM, GOOD, PLAIN, WARN, Column

_STATES: Final = {"ok": GOOD, "failed": BAD, "running": ACCENT}
_RISKS: Final = {Risk.LOW: PLAIN, Risk.MEDIUM: WARN, Risk.HIGH: BAD}
_MARGIN: Final = 16
_NARROWEST: Final = 20
_LONGEST: Final = 200
"""Lines that were read back and are shown."""
Row = Seen[Operation]


class OpsScreen(ListScreen[Operation, Operation]):
    """The screen of changes, the newest first."""

    MODE = "ops"
    NUMBER = 9
    TITLE = "Ops"
    WHAT = "change"
    SORT = "#"
    NONE = "nothing was changed since the start; each change is kept here with its command"

    def on_mount(self) -> None:
        """Has the newest on top."""
        super().on_mount()
        self.list.sort_by(self.list.columns[0], down=True)

    def columns(self) -> Sequence[Column[Row]]:
        """Columns of the list."""
        return operation_columns(self.session)

    def tabs(self) -> Sequence[Tab[Operation]]:
        """Tabs of the pane."""
        return [
            Tab("Summary", fact_columns(), self._facts, _no_command, "nothing"),
            Tab("Parts", item_columns(), lambda one: one.items, _no_command, "it has no parts"),
            Tab("Dry run", [Column("ROW", 20, _itself, grows=True)], _dry_run_rows, _no_command, "there was no table"),
        ]

    async def ask_names(self) -> tuple[str, ...] | Problem:
        """Every change that is kept."""
        return tuple(str(operation.number) for operation in self.session.ops.operations)

    async def ask_figures(self, name: str) -> Operation:
        """A row."""
        return self._find(name)

    async def ask_detail(self, name: str) -> Operation | Problem:
        """The pane."""
        return self._find(name)

    def _find(self, name: str) -> Operation:
        return next(one for one in self.session.ops.operations if str(one.number) == name)

    def figures_of(self, detail: Operation) -> Operation:
        """The row of a detail."""
        return detail

    def remember(self, figures: Operation) -> None:
        """Changes have no history."""

    def headline(self, name: str, detail: Operation | None) -> str:
        """What was changed."""
        return "" if detail is None else detail.title

    def problems_of(self, detail: Operation) -> tuple[Problem, ...]:
        """Nothing is missing."""
        return ()

    def row_command(self, name: str) -> tuple[str, ...]:
        """No command shows what this run did."""
        return ()

    def _facts(self, operation: Operation) -> Mapping[str, Fact]:
        return facts(operation, self.session, max(self.pane.size.width - _MARGIN, _NARROWEST))

    def steps(self) -> list[Step]:
        """See `FrameScreen`; lines of the pane have no names."""
        return [(title, None if index else name) for index, (title, name) in enumerate(super().steps())]

    def action_copy(self) -> None:
        """Copies the command lines of the row, or of the marked ones."""
        chosen = [self.list.rows[key].figures for key in self.list.chosen]
        lines = [line for one in chosen if one is not None for line in one.commands]
        if not lines:
            self.say("no command of mqadmin does this")
            return
        self.app.copy_to_clipboard("\n".join(lines))
        self.app.notify(formats.cut(formats.one_line(lines[0]), 120), title="Copied", markup=False, timeout=3)

    def operations_changed(self) -> None:
        """A change has gone on."""
        super().operations_changed()
        self.poll_again()


def operation_columns(session: Session) -> list[Column[Row]]:
    """Columns of the list."""

    def text(key: str) -> Any:
        return lambda row: str(of(key)(row) or "")

    def took(row: Row) -> int | None:
        one = row.figures
        return None if one is None else (one.ended or session.now()) - one.started

    return [
        Column("#", 3, lambda row: row.name, lambda row: int(row.name), right=True, least=50),
        Column("TIME", 8, lambda row: session.moment(of("started")(row) or 0), of("started")),
        Column("STATE", 7, text("state"), tone=lambda row: _STATES.get(of("state")(row), PLAIN)),
        Column("CHANGE", 28, text("title"), grows=True),
        Column("RISK", 6, text("risk"), tone=lambda row: _RISKS.get(of("risk")(row), PLAIN), least=60),
        Column("DRY RUN", 18, text("dry_run"), least=84, grows=True),
        Column("RESULT", 18, text("result"), least=104, grows=True),
        Column("TOOK", 6, lambda row: formats.span(took(row)), took, right=True, least=72),
        Column("CONTEXT", 9, text("context"), least=66),
    ]


class Fact(NamedTuple):
    """A line of the summary."""

    key: str
    text: str
    tone: str = PLAIN


def facts(operation: Operation, session: Session, width: int) -> dict[str, Fact]:
    """What is known of a change, in lines of so many characters."""
    preview, answer = operation.preview, operation.answer
    lines = [
        ("change", operation.title, PLAIN),
        ("context", f"{operation.context}  {operation.namesrv}", PLAIN),
        ("risk", operation.risk.value, _RISKS[operation.risk]),
        ("state", operation.state, _STATES[operation.state]),
        *(("command", line, PLAIN) for line in operation.commands),
    ]
    if preview is not None:
        lines += [("dry run", note, PLAIN) for note in preview.notes]
        lines += [("warning", warning, WARN) for warning in preview.warnings]
    lines.append(("result", operation.result or "not yet", _STATES[operation.state]))
    if isinstance(answer, Problem) and answer.remedy:
        lines.append(("remedy", answer.remedy, DIM))
    if isinstance(answer, Outcome):
        lines += [("read back", line, PLAIN) for line in answer.read_back[:_LONGEST]]
    lines.append(("file", session.ops.trouble or session.ops.where, BAD if session.ops.trouble else DIM))
    found: dict[str, Fact] = {}
    before = ""
    for key, text, tone in lines:
        for number, part in enumerate(wrap(formats.one_line(text), width) or [""]):
            first = not number and key != before
            found[f"{len(found):04}"] = Fact(key if first else "", part, tone)
        before = key
    return found


def fact_columns() -> list[Column[Fact]]:
    """Columns of the summary."""
    return [
        Column("WHAT", 9, lambda fact: fact.key, tone=lambda fact: DIM),
        Column("SAYS", 20, lambda fact: fact.text, tone=lambda fact: fact.tone, grows=True),
    ]


def _dry_run_rows(operation: Operation) -> Mapping[str, str]:
    preview = operation.preview
    if preview is None:
        return {}
    rows = (
        "  ".join(f"{title.lower()} {cell}" for title, cell in zip(preview.columns, row, strict=False))
        for row in preview.rows
    )
    return {f"{number:04}": row for number, row in enumerate(rows)}


def _itself(row: str) -> str:
    return row


def _no_command(name: str, key: str) -> tuple[str, ...]:
    return ()
