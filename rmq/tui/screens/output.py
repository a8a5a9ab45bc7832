"""What a command of mqadmin prints, while it prints it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from typing import ClassVar, Final

from rich.text import Text
from textual import work
from textual.binding import Binding, BindingType
from textual.timer import Timer

from rmq.tui.formats import count, plural
from rmq.tui.screens.text import TextScreen
from rmq.tui.service.model.commands import Ended
from rmq.tui.state.session import Session

_TOGETHER: Final = 0.05
"""Seconds that lines are gathered before they are shown."""


class OutputScreen(TextScreen):
    """Runs a command; leaving the screen ends it.

    Args:
        session: the cluster.
        words: the command and its options, without `-n`.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "stop", "stop", id="output.stop"),
        Binding("r", "again", "run again", id="output.again"),
    ]

    def __init__(self, session: Session, words: Sequence[str]) -> None:
        super().__init__()
        self.session = session
        self.words = tuple(words)
        self._ended: Ended | None = None
        self._stopped = False
        self._waiting: list[str] = []
        self._soon: Timer | None = None

    def on_mount(self) -> None:
        """Starts the command."""
        kind = self.session.service.command_kind(self.words[0])
        self.pager.follows = "--watch" in self.words or (kind is not None and kind.endless)
        super().on_mount()
        self._run()

    def above(self) -> Text:
        """The command line."""
        return Text.assemble((" $ ", "bold"), self.session.command_line(self.words))

    def below(self) -> Text:
        """How the command ended, and how many lines it has printed."""
        text = Text(" ")
        if self._ended is not None:
            text.append(f"exit code {self._ended.code}", "bold green" if self._ended.code == 0 else "bold red")
        else:
            text.append("stopped" if self._stopped else "running…", "yellow")
        text.append(f"  {plural(len(self.pager.lines), 'line')}", "dim")
        if self.pager.dropped:
            text.append(f", the first {count(self.pager.dropped)} are not kept", "yellow")
        return text

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
            self.pager.add(lines)
        self.show_status()

    # --- keys -----------------------------------------------------------------------------------------------------

    def action_stop(self) -> None:
        """Ends the command."""
        if self._ended is None:
            self._stopped = True
            self.workers.cancel_group(self, "command")
            self.show_status()

    def action_again(self) -> None:
        """Runs the command anew, behind what it printed before."""
        self._ended, self._stopped = None, False
        self.show_status()
        self._run()
