"""What a command of mqadmin prints, while it prints it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from typing import ClassVar, Final

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Input

from rmq.tui.formats import count
from rmq.tui.screens.dialogs import help_of
from rmq.tui.service.model.commands import Ended
from rmq.tui.state.session import Session
from rmq.tui.widgets.keys import KeyLine
from rmq.tui.widgets.lines import LineInput, TextLine
from rmq.tui.widgets.pager import Pager

_TOGETHER: Final = 0.05
"""Seconds that lines are gathered before they are shown."""


class OutputScreen(Screen[None]):
    """Runs a command; leaving the screen ends it.

    Args:
        session: the cluster.
        words: the command and its options, without `-n`.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "stop", "stop", id="output.stop"),
        Binding("r", "again", "run again", id="output.again"),
        Binding("question_mark", "help", "help", key_display="?", id="output.help"),
        Binding("escape,q", "leave", "back", key_display="esc", id="output.leave"),
    ]

    def __init__(self, session: Session, words: Sequence[str]) -> None:
        super().__init__()
        self.session = session
        self.words = tuple(words)
        self._ended: Ended | None = None
        self._stopped = False
        self._remark = ""
        self._waiting: list[str] = []
        self._soon: Timer | None = None

    def compose(self) -> ComposeResult:
        """The command line, its output, how it ended, and the keys."""
        yield TextLine(id="top")
        yield Pager(identity="output")
        field = LineInput("text to search for", id="search")
        field.display = False
        yield field
        yield TextLine(id="status")
        yield KeyLine()

    def on_mount(self) -> None:
        """Starts the command."""
        line = self.session.command_line(self.words)
        self.query_one("#top", TextLine).say(Text.assemble((" $ ", "bold"), line))
        kind = self.session.service.command_kind(self.words[0])
        pager = self.query_one(Pager)
        pager.follows = "--watch" in self.words or (kind is not None and kind.endless)
        pager.focus()
        self._show_status()
        self._run()

    @work(exclusive=True, group="command")
    async def _run(self) -> None:
        async with aclosing(self.session.service.run_command(self.words)) as lines:
            async for line in lines:
                if isinstance(line, Ended):
                    self._ended = line
                else:
                    self._waiting.append(line)
                if self._soon is None:
                    self._soon = self.set_timer(_TOGETHER, self._show_waiting)

    def _show_waiting(self) -> None:
        self._soon = None
        lines, self._waiting = self._waiting, []
        if lines:
            self.query_one(Pager).add(lines)
        self._show_status()

    def _show_status(self) -> None:
        pager = self.query_one(Pager)
        text = Text(" ")
        if self._ended is not None:
            text.append(f"exit code {self._ended.code}", "bold green" if self._ended.code == 0 else "bold red")
        else:
            text.append("stopped" if self._stopped else "running…", "yellow")
        text.append(f"  {count(len(pager.lines))} lines", "dim")
        if pager.dropped:
            text.append(f", the first {count(pager.dropped)} are not kept", "yellow")
        if self._remark:
            text.append(f"  {self._remark}", "yellow")
        self.query_one("#status", TextLine).say(text)

    # --- keys -----------------------------------------------------------------------------------------------------

    def action_stop(self) -> None:
        """Ends the command."""
        if self._ended is None:
            self._stopped = True
            self.workers.cancel_group(self, "command")
            self._show_status()

    def action_again(self) -> None:
        """Runs the command anew, behind what it printed before."""
        self._ended, self._stopped = None, False
        self._show_status()
        self._run()

    def action_leave(self) -> None:
        """Closes the search, else the screen, which ends the command."""
        field = self.query_one("#search", LineInput)
        if field.display:
            field.display = False
            self.query_one(Pager).focus()
        else:
            self.dismiss()

    def action_help(self) -> None:
        """Explains the text."""
        self.app.push_screen(help_of(self))

    def action_copy(self) -> None:
        """Copies all lines."""
        self.app.copy_to_clipboard(self.query_one(Pager).text)
        self.app.notify(f"{count(len(self.query_one(Pager).lines))} lines", title="Copied", timeout=3)

    def action_search(self) -> None:
        """Opens the line for what is searched for."""
        field = self.query_one("#search", LineInput)
        field.value = ""
        field.display = True
        field.focus()

    @on(Input.Submitted, "#search")
    def searched(self, event: Input.Submitted) -> None:
        """Goes to what is searched for."""
        event.stop()
        self.query_one("#search", LineInput).display = False
        pager = self.query_one(Pager)
        found = pager.search(event.value) if event.value else 0
        if not event.value:
            pager.search("")
        self._remark = f"{count(found)} lines with {event.value!r}" if event.value else ""
        pager.focus()
        self._show_status()
