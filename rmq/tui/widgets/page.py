"""A text of many lines that scrolls: long lines go on in the next, and only what is visible is made."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip


class TextPage(ScrollView, can_focus=True):
    """Shows a text that is harmless to a terminal. Lines end with a line feed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "go(-1)", "up", id="page.up", show=False),
        Binding("down,j", "go(1)", "down", id="page.down", show=False),
        Binding("pageup", "turn(-1)", "page up", id="page.pageup", show=False),
        Binding("pagedown,space", "turn(1)", "page down", id="page.pagedown", show=False),
        Binding("home,g", "edge(-1)", "first", id="page.first", show=False),
        Binding("end,G", "edge(1)", "last", id="page.last", show=False),
    ]
    HELP: ClassVar[str] = "A body. `j` and `k` scroll, `space` goes on by a page, `d` takes the next decoder."

    def __init__(self, *, identity: str | None = None) -> None:
        super().__init__(id=identity)
        self.text = ""
        self._lines: list[str] = []
        self._width = 0

    def show(self, text: str) -> None:
        """Shows a text from its beginning."""
        if text == self.text and self._lines:
            return
        self.text = text
        self._wrap()
        self.scroll_to(y=0, animate=False)

    def on_resize(self, event: events.Resize) -> None:
        """Other widths wrap at other places."""
        if self.scrollable_content_region.width != self._width:
            self._wrap()

    def action_go(self, lines: int) -> None:
        """Scrolls by lines."""
        self.scroll_to(y=self.scroll_offset.y + lines, animate=False)

    def action_turn(self, pages: int) -> None:
        """Scrolls by what is visible."""
        self.action_go(pages * max(self.size.height - 1, 1))

    def action_edge(self, direction: int) -> None:
        """Scrolls to the first or last line."""
        self.scroll_to(y=0 if direction < 0 else self.max_scroll_y, animate=False)

    def _wrap(self) -> None:
        self._width = self.scrollable_content_region.width
        width = max(self._width, 1)
        self._lines = [part for line in self.text.split("\n") for part in _parts(line, width)]
        self.virtual_size = Size(width, len(self._lines))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        at = self.scroll_offset.y + y
        text = self._lines[at] if at < len(self._lines) else ""
        return Strip([Segment(text, self.rich_style)]).adjust_cell_length(self.size.width, self.rich_style)


def _parts(line: str, width: int) -> list[str]:
    if not line:
        return [""]
    if line.isascii():
        return [line[at : at + width] for at in range(0, len(line), width)]
    return chop_cells(line, width) if cell_len(line) > width else [line]
