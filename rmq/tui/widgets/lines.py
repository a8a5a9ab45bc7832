"""Lines of text and frames around the tables: they paint when their text changes, and not otherwise."""

from __future__ import annotations

from typing import Any

from rich.text import Text
from textual import events
from textual.containers import Vertical
from textual.markup import escape
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from rmq.tui.formats import one_line


class Panel(Vertical):
    """A frame with a title above and one below, which is painted when they become others."""

    titles: tuple[str, str] = ("", "")

    def entitle(self, above: str, below: str = "") -> None:
        """Says what the frame holds; nothing happens when it says that already."""
        if (above, below) != self.titles:
            self.titles = (above, below)
            self.border_title, self.border_subtitle = escape(one_line(above)), escape(one_line(below))


class TextLine(Widget):
    """One line that is painted when it becomes another."""

    def __init__(self, **named: Any) -> None:
        super().__init__(**named)
        self._text = Text()

    @property
    def text(self) -> str:
        """What it says."""
        return self._text.plain

    def say(self, text: Text) -> None:
        """Says something; nothing happens when it is what the line says already."""
        text.no_wrap = True
        text.overflow = "ellipsis"
        if text != self._text or text.spans != self._text.spans:
            self._text = text
            self.refresh()

    def render(self) -> Text:
        """The text."""
        return self._text


class TabLine(TextLine):
    """Names side by side of which one is current; a click chooses."""

    class Chosen(Message):
        """A name was clicked."""

        def __init__(self, line: TabLine, index: int) -> None:
            super().__init__()
            self.line = line
            self.index = index

    def show_tabs(self, titles: list[str], current: int) -> None:
        """Shows names."""
        self._titles = titles
        text = Text()
        for index, title in enumerate(titles):
            text.append(f" {title} ", "reverse bold" if index == current else "")
            if index < len(titles) - 1:
                text.append(" " if current in {index, index + 1} else "│", "dim")
        self.say(text)

    def on_click(self, event: events.Click) -> None:
        """Chooses the name under the pointer."""
        at = 0
        for index, title in enumerate(self._titles):
            at += len(title) + 3
            if event.x < at:
                self.post_message(self.Chosen(self, index))
                return


class LineInput(Input):
    """An input of one line without a frame, and with a cursor that stands still."""

    def __init__(self, prompt: str, **named: Any) -> None:
        super().__init__(placeholder=prompt, compact=True, select_on_focus=False, **named)
        self.cursor_blink = False
