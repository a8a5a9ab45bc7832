"""A text over the screens: to scroll, to search in, and to copy."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Input

from rmq.tui.formats import one_line, plural
from rmq.tui.screens.dialogs import help_of
from rmq.tui.widgets.keys import KeyLine
from rmq.tui.widgets.lines import LineInput, TextLine
from rmq.tui.widgets.pager import Pager


class TextScreen(Screen[None]):
    """A screen with one text, a line above that says what it is, and a line below that says how it is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "help", "help", key_display="?", id="text.help"),
        Binding("escape,q", "leave", "back", key_display="esc", id="text.leave"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._remark = ""

    # --- what differs ---------------------------------------------------------------------------------------------

    def above(self) -> Text:
        """What the text is."""
        raise NotImplementedError

    def below(self) -> Text:
        """How it is."""
        raise NotImplementedError

    def whole(self) -> str:
        """What is copied."""
        return self.pager.text

    # --- layout ---------------------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """What it is, the text, what is searched for, how it is, and the keys."""
        yield TextLine(id="top")
        yield Pager(identity="text")
        field = LineInput("text to search for", id="search")
        field.display = False
        yield field
        yield TextLine(id="status")
        yield KeyLine()

    def on_mount(self) -> None:
        """Begins with the text."""
        self.query_one("#top", TextLine).say(self.above())
        self.pager.focus()
        self.show_status()

    @property
    def pager(self) -> Pager:
        """The text."""
        return self.query_one(Pager)

    def show_status(self) -> None:
        """Brings the line below up to date."""
        text = self.below()
        if self._remark:
            text.append(f"  {one_line(self._remark)}", "yellow")
        self.query_one("#status", TextLine).say(text)

    def say(self, remark: str) -> None:
        """Puts a remark behind what the line below says."""
        self._remark = remark
        self.show_status()

    # --- keys -----------------------------------------------------------------------------------------------------

    def action_leave(self) -> None:
        """Closes the search, else the screen."""
        if self.query_one("#search").display:
            self._close_search()
        else:
            self.dismiss()

    def action_help(self) -> None:
        """Explains the text."""
        self.app.push_screen(help_of(self))

    def action_copy(self) -> None:
        """Copies all of it."""
        text = self.whole()
        self.app.copy_to_clipboard(text)
        self.app.notify(plural(len(text.splitlines()), "line"), title="Copied", timeout=3)

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
        self._close_search()
        found = self.pager.search(event.value)
        self.say(f"{plural(found, 'line')} with {event.value!r}" if event.value else "")

    def _close_search(self) -> None:
        self.query_one("#search").display = False
        self.pager.focus()
