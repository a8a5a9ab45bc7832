"""Lines of text and frames around the tables: they paint when their text changes, and not otherwise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final

from rich.cells import cell_len
from rich.highlighter import Highlighter
from rich.text import Text
from textual import events, on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, TextArea

from rmq.tui.formats import cut, one_line

_LONGEST: Final = 500
"""Cells of a title that are ever looked at."""
_SHORTEST: Final = 3
"""Letters of a name that are left at least."""


def titled(text: str) -> Content:
    """A text as the title of a frame: what looks like markup in it is none."""
    return Content(cut(one_line(text), _LONGEST))


class Panel(Vertical):
    """A frame with a title above and one below, which is painted when they become others."""

    titles: tuple[str, str] = ("", "")

    def entitle(self, above: str, below: str = "") -> None:
        """Says what the frame holds; nothing happens when it says that already."""
        if (above, below) != self.titles:
            self.titles = (above, below)
            self.border_title, self.border_subtitle = titled(above), titled(below)


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
        # A letter for a letter: styles stay where they are.
        text.plain = one_line(text.plain)
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

    _titles: Sequence[str] = ()
    _places: Sequence[int] = ()

    class Chosen(Message):
        """A name was clicked."""

        def __init__(self, line: TabLine, index: int) -> None:
            super().__init__()
            self.line = line
            self.index = index

    def show_tabs(self, titles: list[str], current: int, *, width: int = 0) -> None:
        """Shows names; close together, and then cut, when there are not so many cells (0: there are enough)."""
        self._titles = titles = _fitting(titles, current, width)
        pad = "" if 0 < width < sum(map(cell_len, titles)) + 3 * len(titles) - 1 else " "
        text, places = Text(), []
        for index, title in enumerate(titles):
            places.append(text.cell_len + len(pad))
            text.append(f"{pad}{title}{pad}", "reverse bold" if index == current else "")
            if index < len(titles) - 1:
                text.append(" " if not pad or current in {index, index + 1} else "│", "dim")
        self._places = places
        self.say(text)

    @property
    def titles(self) -> Sequence[str]:
        """The names."""
        return self._titles

    @property
    def places(self) -> Sequence[int]:
        """Where each name begins, in cells."""
        return self._places

    def choose(self, index: int) -> None:
        """Has a name chosen, as by a click."""
        self.post_message(self.Chosen(self, index))

    def on_click(self, event: events.Click) -> None:
        """Chooses the name under the pointer."""
        offset = event.get_content_offset(self)
        if offset is not None and self._places:
            self.choose(max(index for index, at in enumerate(self._places) if index == 0 or at <= offset.x + 1))


class _Harmless(Highlighter):
    """Paints blanks for what would move a terminal's cursor; the value stays what it is."""

    def highlight(self, text: Text) -> None:
        """See `Highlighter`."""
        text.plain = one_line(text.plain)


class TabbedPanel(Panel):
    """A frame with tabs, one of which is shown."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right_square_bracket", "tab(1)", "next tab", key_display="]", id="pane.next"),
        Binding("left_square_bracket", "tab(-1)", "tab before", key_display="[", id="pane.before", show=False),
    ]

    class Turned(Message):
        """Another tab is shown."""

    current = 0
    """Which tab is shown."""

    def names(self) -> list[str]:
        """Names of the tabs."""
        raise NotImplementedError

    def choose(self, index: int) -> None:
        """Shows a tab, and posts that it is turned."""
        raise NotImplementedError

    def show_names(self) -> None:
        """Brings the line of names up to date."""
        self.query_one("#tabs", TabLine).show_tabs(self.names(), self.current, width=self.size.width - 2)

    def on_resize(self) -> None:
        """Has the names fit."""
        self.show_names()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Where there is one tab, there is no next one."""
        return len(self.names()) > 1 if action == "tab" else super().check_action(action, parameters)

    def action_tab(self, step: int) -> None:
        """Shows another tab."""
        self.choose((self.current + step) % len(self.names()))

    @on(TabLine.Chosen)
    def tab_clicked(self, event: TabLine.Chosen) -> None:
        """A tab's name was clicked."""
        event.stop()
        self.choose(event.index)


class LineInput(Input):
    """An input of one line without a frame, and with a cursor that stands still."""

    def __init__(self, prompt: str, **named: Any) -> None:
        super().__init__(placeholder=prompt, compact=True, select_on_focus=False, highlighter=_Harmless(), **named)
        self.cursor_blink = False


class HistoryInput(LineInput):
    """An input that brings back with `up` and `down` what was typed before.

    Args:
        prompt: what it says while it is empty.
        recent: gives the lines, the newest first.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "recall(1)", "earlier", id="history.earlier"),
        Binding("down", "recall(-1)", "later", id="history.later", show=False),
    ]

    def __init__(self, prompt: str, recent: Callable[[], Sequence[str]], **named: Any) -> None:
        super().__init__(prompt, **named)
        self._recent = recent
        self._at = -1
        self._typed = ""

    def action_recall(self, step: int) -> None:
        """Shows an earlier or later line; behind the newest stands what was typed."""
        lines = self._recent()
        if self._at < 0:
            self._typed = self.value
        at = min(self._at + step, len(lines) - 1)
        if at < -1 or at == self._at:
            return
        self._at = at
        self.value = lines[at] if at >= 0 else self._typed
        self.cursor_position = len(self.value)

    def rest(self) -> None:
        """Earlier lines are counted from the newest again."""
        self._at = -1


class LinesInput(TextArea):
    """An input of several lines that paints blanks for what would move a terminal's cursor."""

    def get_line(self, line_index: int) -> Text:
        """See `TextArea`."""
        text = super().get_line(line_index)
        text.plain = one_line(text.plain)
        return text


class CommandInput(HistoryInput):
    """The command line; `escape` gives its place back to the status."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "screen.close_command", "close", id="command.close", show=False),
    ]


class FilterInput(LineInput):
    """The line that rows are filtered with; `escape` shows all of them again.

    Args:
        column: an example of a column's filter.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "screen.drop_filter", "show all", id="filter.drop", show=False),
    ]

    def __init__(self, column: str) -> None:
        super().__init__(f"words, !not, ~regex, {column} — enter keeps, esc clears", id="filter")
        self.display = False


def _fitting(titles: list[str], current: int, width: int) -> list[str]:
    """The titles, all but the current one cut as far as it needs."""
    for longest in range(max(map(len, titles), default=0), _SHORTEST, -1):
        shown = [title if index == current else cut(title, longest) for index, title in enumerate(titles)]
        if width <= 0 or sum(map(cell_len, shown)) + len(shown) - 1 <= width:
            return shown
    return [title if index == current else cut(title, _SHORTEST) for index, title in enumerate(titles)]
