"""The threads of a client, as text to scroll and to search in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Input

from rmq.tui.formats import count, one_line
from rmq.tui.screens.dialogs import HelpDialog
from rmq.tui.widgets.keys import KeyLine
from rmq.tui.widgets.lines import LineInput, TextLine
from rmq.tui.widgets.pager import Pager


class StackScreen(Screen[None]):
    """Shows what the threads of a client were doing when it was asked.

    Args:
        client_id: whose threads.
        text: what it answered.
        save: writes a text to a file.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "save", "save", id="stack.save"),
        Binding("question_mark", "help", "help", key_display="?", id="stack.help"),
        Binding("escape,q", "leave", "back", key_display="esc", id="stack.leave"),
    ]

    def __init__(self, client_id: str, text: str, save: Callable[[Path, str], None]) -> None:
        super().__init__()
        self._client_id = client_id
        self._whole = text
        self._save = save
        self._remark = ""

    def compose(self) -> ComposeResult:
        """The client, its threads, what was searched for, and the keys."""
        yield TextLine(id="top")
        yield Pager(identity="stack")
        field = LineInput("text to search for", id="search")
        field.display = False
        yield field
        yield TextLine(id="status")
        yield KeyLine()

    def on_mount(self) -> None:
        """Begins at the first line."""
        self.query_one("#top", TextLine).say(Text.assemble((" Threads of ", "bold"), one_line(self._client_id)))
        pager = self.query_one(Pager)
        pager.add(line.expandtabs(4) for line in self._whole.splitlines())
        pager.focus()
        pager.call_after_refresh(pager.scroll_home, animate=False)
        self._show_status()

    def _show_status(self) -> None:
        pager = self.query_one(Pager)
        text = Text(f" {count(len(pager.lines))} lines", "dim")
        if pager.dropped:
            text.append(f", the first {count(pager.dropped)} are left out; x saves all", "yellow")
        if self._remark:
            text.append(f"  {one_line(self._remark)}", "yellow")
        self.query_one("#status", TextLine).say(text)

    # --- keys -----------------------------------------------------------------------------------------------------

    def action_leave(self) -> None:
        """Closes the search, else the screen."""
        field = self.query_one("#search", LineInput)
        if field.display:
            field.display = False
            self.query_one(Pager).focus()
        else:
            self.dismiss()

    def action_help(self) -> None:
        """Explains the text."""
        keys = [
            (self.app.get_key_display(active.binding), active.binding.description)
            for active in self.active_bindings.values()
            if active.binding.description and active.enabled
        ]
        self.app.push_screen(HelpDialog(Pager.HELP, list(dict.fromkeys(keys))))

    def action_copy(self) -> None:
        """Copies all of it."""
        self.app.copy_to_clipboard(self._whole)
        self.app.notify(f"{count(len(self._whole.splitlines()))} lines", title="Copied", timeout=3)

    def action_save(self) -> None:
        """Writes all of it to a file named after the client."""
        name = "".join(letter if letter.isalnum() or letter in ".-_" else "-" for letter in self._client_id)
        path = Path(f"{name}.jstack")
        try:
            self._save(path, self._whole)
        except OSError as error:
            self._remark = f"{path} cannot be written: {error.strerror}"
        else:
            self._remark = f"saved as {path}"
        self._show_status()

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
        found = pager.search(event.value)
        self._remark = f"{count(found)} lines with {event.value!r}" if event.value else ""
        pager.focus()
        self._show_status()
