"""Lines of text that can be many and wide: scrolled both ways, searched, and of the oldest forgotten."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from rmq.tui.formats import one_line

KEPT: Final = 5_000
"""Lines that are kept at least."""
_SPARE: Final = 500


class Pager(ScrollView, can_focus=True):
    """Text line by line.

    Attributes:
        lines: what is kept.
        dropped: lines before them that are kept no longer.
        sought: what is searched for; empty when nothing is.
        follows: whether the last line stays in sight when more come.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"pager--found", "pager--here"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "screen.search", "search", key_display="/", id="pager.search"),
        Binding("n", "next(1)", "next", id="pager.next"),
        Binding("N", "next(-1)", "before", id="pager.before", show=False),
        Binding("y", "screen.copy", "copy all", id="pager.copy"),
        Binding("up,k", "scroll_up", "up", id="pager.up", show=False),
        Binding("down,j", "scroll_down", "down", id="pager.down", show=False),
        Binding("left,h", "sideways(-8)", "left", id="pager.left", show=False),
        Binding("right,l", "sideways(8)", "right", id="pager.right", show=False),
        Binding("pageup", "page_up", "page up", id="pager.pageup", show=False),
        Binding("pagedown", "page_down", "page down", id="pager.pagedown", show=False),
        Binding("home,g", "edge(-1)", "first", id="pager.first", show=False),
        Binding("end,G", "edge(1)", "last", id="pager.last", show=False),
    ]
    HELP: ClassVar[str] = (
        "Text. `/` searches without regard to case, `n` and `N` go on to the next and to the one before; `h` and `l` "
        "go sideways; `y` copies all of it. `G` goes to the last line and follows when more come; scrolling up ends "
        "that."
    )

    def __init__(self, *, identity: str | None = None) -> None:
        super().__init__(id=identity)
        self.lines: list[str] = []
        self.dropped = 0
        self.sought = ""
        self.follows = False
        self._here = -1
        self._widest = 0

    @property
    def text(self) -> str:
        """All that is kept."""
        return "\n".join(self.lines)

    def add(self, lines: Iterable[str]) -> None:
        """Puts lines behind the others."""
        fresh = [one_line(line) for line in lines]
        self.lines += fresh
        if len(self.lines) > KEPT + _SPARE:
            gone = len(self.lines) - KEPT
            del self.lines[:gone]
            self.dropped += gone
            self._here = max(self._here - gone, -1)
        self._widest = max(self._widest, *(cell_len(line) for line in fresh), 0)
        self.virtual_size = Size(self._widest, len(self.lines))
        if self.follows:
            self.scroll_end(animate=False)
        self.refresh()

    # --- searching ------------------------------------------------------------------------------------------------

    def search(self, text: str) -> int:
        """Goes to the first line with the text, from the top of the screen on; returns how many there are."""
        self.sought = text.lower()
        self._here = self.scroll_offset.y - 1
        self.refresh()
        found = self.matches()
        if found:
            self.action_next(1)
        return len(found)

    def matches(self) -> list[int]:
        """Numbers of the lines with what is searched for."""
        return [number for number, line in enumerate(self.lines) if self.sought in line.lower()] if self.sought else []

    def action_next(self, step: int) -> None:
        """Goes to another line with what is searched for; from the last one to the first."""
        found = self.matches()
        if not found:
            return
        if step > 0:
            self._here = next((number for number in found if number > self._here), found[0])
        else:
            self._here = next((number for number in reversed(found) if number < self._here), found[-1])
        at = cell_len(self.lines[self._here][: self.lines[self._here].lower().index(self.sought)])
        x, width = self.scroll_offset.x, self.size.width
        side = x if x <= at < x + width - len(self.sought) else max(at - width // 2, 0)
        self.scroll_to(side, max(self._here - self.size.height // 2, 0), animate=False)
        self.refresh()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Whoever scrolls up wants to read what stands there."""
        super().watch_scroll_y(old_value, new_value)
        if new_value < old_value:
            self.follows = False

    # --- moving ---------------------------------------------------------------------------------------------------

    def action_sideways(self, cells: int) -> None:
        """Scrolls left or right."""
        self.scroll_relative(x=cells, animate=False)

    def action_edge(self, direction: int) -> None:
        """Goes to the first line, or to the last one, which is then followed."""
        if direction < 0:
            self.scroll_home(animate=False)
            self.follows = False
        else:
            self.follows = True
            self.scroll_end(animate=False)

    # --- painting -------------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        """Draws one line of the screen."""
        left, top = self.scroll_offset
        number, width = top + y, self.size.width
        if number >= len(self.lines):
            return Strip.blank(width, self.rich_style)
        return Strip(self._segments(number)).crop_extend(left, left + width, self.rich_style)

    def _segments(self, number: int) -> list[Segment]:
        line, plain = self.lines[number], self.rich_style
        if not self.sought:
            return [Segment(line, plain)]
        name = "pager--here" if number == self._here else "pager--found"
        marked: Style = plain + self.get_component_rich_style(name, partial=True)
        segments, begin, small = [], 0, line.lower()
        while (at := small.find(self.sought, begin)) >= 0:
            end = at + len(self.sought)
            segments += [Segment(line[begin:at], plain), Segment(line[at:end], marked)]
            begin = end
        return [*segments, Segment(line[begin:], plain)]
