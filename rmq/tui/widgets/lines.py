"""Lines of text and frames around the tables: they paint when their text changes, and not otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.markup import escape
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from rmq.tui.formats import cut, one_line

_SHORTEST: Final = 3
"""Letters of a name that are left at least."""


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


class LineInput(Input):
    """An input of one line without a frame, and with a cursor that stands still."""

    def __init__(self, prompt: str, **named: Any) -> None:
        super().__init__(placeholder=prompt, compact=True, select_on_focus=False, **named)
        self.cursor_blink = False


class CommandInput(LineInput):
    """The command line: `up` and `down` go through what was typed before."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "before(-1)", "line before", id="command.before", show=False),
        Binding("down", "before(1)", "next line", id="command.after", show=False),
    ]

    def __init__(self, prompt: str, **named: Any) -> None:
        super().__init__(prompt, **named)
        self._typed: Sequence[str] = ()
        self._at = 0

    def begin(self, typed: Sequence[str]) -> None:
        """Is empty; these were typed before, the newest last."""
        self._typed, self._at = typed, len(typed)
        self.value = ""

    def action_before(self, step: int) -> None:
        """Shows another line; behind the newest, an empty one."""
        self._at = max(min(self._at + step, len(self._typed)), 0)
        self.value = self._typed[self._at] if self._at < len(self._typed) else ""
        self.cursor_position = len(self.value)


def _fitting(titles: list[str], current: int, width: int) -> list[str]:
    """The titles, all but the current one cut as far as it needs."""
    for longest in range(max(map(len, titles), default=0), _SHORTEST, -1):
        shown = [title if index == current else cut(title, longest) for index, title in enumerate(titles)]
        if width <= 0 or sum(map(cell_len, shown)) + len(shown) - 1 <= width:
            return shown
    return [title if index == current else cut(title, _SHORTEST) for index, title in enumerate(titles)]
