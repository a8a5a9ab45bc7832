"""A table that draws the lines which are visible, and of those only cells that have changed.

Rows are values by key; the table sorts and filters keys, and asks for a row's texts when its line is on the screen. So
five thousand rows cost what forty do. The cursor stays with its row's key when rows come, go and change places. The
first line is the columns' heads and does not scroll.

What stands in each line is remembered as it was painted. An update makes the visible lines anew, compares, and has the
cells painted that differ: nothing at all when nothing changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from rmq.tui.formats import cut, pad
from rmq.tui.table.columns import DIM, Column, Placed, RowCells, nearest, ordered, place, useful
from rmq.tui.table.filters import Filter, FilterError, parse_filter
from rmq.tui.widgets.grid_lines import MARGIN, Line, head, line_of, painted


class Grid(ScrollView, can_focus=True):
    """A table.

    Args:
        columns: its columns.
        label: what its rows are, in the plural, for titles and help.
        empty: what to say when there are no rows.
        sort: title of the column that it is sorted by at first.
        identity: the widget's id.

    Attributes:
        rows: every row by key.
        keys: keys of the rows that the filter lets through, in order.
        marked: keys of marked rows.
        filter_text: the filter line.
        problem: why the filter line means nothing; empty when it does not.
        painted: cells and lines that were painted since the beginning.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "grid--head",
        "grid--cursor",
        "grid--cell",
        "grid--mark",
        "grid--good",
        "grid--warn",
        "grid--bad",
        "grid--dim",
        "grid--accent",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "open", id="grid.open"),
        Binding("slash", "screen.filter", "filter", key_display="/", id="grid.filter"),
        Binding("s", "sort_next", "sort", id="grid.sort"),
        Binding("S", "sort_flip", "turn", id="grid.turn", show=False),
        Binding("space", "mark", "mark", id="grid.mark", show=False),
        Binding("y", "screen.copy", "copy", id="grid.copy"),
        Binding("x", "screen.export", "export", id="grid.export"),
        Binding("up,k", "move(-1)", "up", id="grid.up", show=False),
        Binding("down,j", "move(1)", "down", id="grid.down", show=False),
        Binding("pageup", "page(-1)", "page up", id="grid.pageup", show=False),
        Binding("pagedown", "page(1)", "page down", id="grid.pagedown", show=False),
        Binding("home,g", "edge(-1)", "first", id="grid.first", show=False),
        Binding("end,G", "edge(1)", "last", id="grid.last", show=False),
        Binding("left,h", "cell(-1)", "cell left", id="grid.left", show=False),
        Binding("right,l", "cell(1)", "cell right", id="grid.right", show=False),
    ]
    HELP: ClassVar[str] = (
        "A table. The cursor stays with its row while figures change; `h` and `l` choose the cell that `y` copies. "
        "`/` filters: `orders !retry` by words, `~^a.*z$` by an expression, `lag:>100` or `type:fifo` by column. "
        "`s` sorts by the next column, `S` turns the order round; a click on a head does both. "
        "`space` marks rows for copy and export."
    )

    class Highlighted(Message):
        """The cursor is on another row, or on none."""

        def __init__(self, grid: Grid, key: str | None) -> None:
            super().__init__()
            self.grid = grid
            self.key = key

        @property
        def control(self) -> Grid:
            """The table."""
            return self.grid

    class Selected(Highlighted):
        """A row was chosen."""

    class Viewed(Message):
        """Other rows are on the screen, or what they are in order of has changed."""

        def __init__(self, grid: Grid) -> None:
            super().__init__()
            self.grid = grid

        @property
        def control(self) -> Grid:
            """The table."""
            return self.grid

    def __init__(
        self,
        columns: Sequence[Column[Any]],
        *,
        label: str,
        empty: str = "",
        sort: str | None = None,
        identity: str | None = None,
    ) -> None:
        super().__init__(id=identity)
        self.label = label
        self.empty = empty
        self.columns = tuple(columns)
        self._by_name = {column.name: column for column in self.columns}
        self.rows: Mapping[str, Any] = {}
        self.keys: list[str] = []
        self.marked: set[str] = set()
        self.filter_text = ""
        self.problem = ""
        self.painted = 0
        self.sort_column = self._by_name[sort.lower()] if sort is not None else None
        self.sort_down = False
        self._filter = Filter()
        self._cursor = 0
        self._cell = 0
        self._useful = useful(self.columns, ())
        self._placed: list[Placed[Any]] = []
        self._lines: dict[int, Line | None] = {}
        self._styles_of: dict[tuple[str, bool, bool], Style] = {}

    # --- content --------------------------------------------------------------------------------------------------

    def update_rows(self, rows: Mapping[str, Any]) -> None:
        """Takes all rows anew and paints what is different."""
        self.rows = rows
        self.marked &= rows.keys()
        before, self._useful = self._useful, useful(self.columns, rows.values())
        if self._useful != before:
            self._arrange_columns()
        self._arrange()

    def set_filter(self, text: str) -> None:
        """Shows only rows that a filter line lets through; with a wrong one, those of the line before."""
        self.filter_text = text
        try:
            self._filter = parse_filter(text, list(self._by_name))
            self.problem = ""
        except FilterError as error:
            self.problem = str(error)
            return
        self._arrange()
        self.post_message(self.Viewed(self))

    def sort_by(self, column: Column[Any], *, down: bool) -> None:
        """Sorts by a column."""
        self.sort_column, self.sort_down = column, down
        self._arrange()
        self.refresh(Region(0, 0, self.size.width, 1))
        self.post_message(self.Viewed(self))

    def go_to(self, key: str) -> bool:
        """Puts the cursor on a row; False when it is not shown."""
        if key not in self.keys:
            return False
        self._move_to(self.keys.index(key))
        return True

    @property
    def current(self) -> str | None:
        """Key of the cursor's row."""
        return self.keys[self._cursor] if self.keys else None

    @property
    def window(self) -> list[str]:
        """Keys of the rows on the screen."""
        top = self.scroll_offset.y
        return self.keys[top : top + max(self.size.height - 1, 0)]

    @property
    def chosen(self) -> list[str]:
        """Keys of the marked rows that are shown, or of the cursor's row."""
        if any(key in self.marked for key in self.keys):
            return [key for key in self.keys if key in self.marked]
        return [self.current] if self.current is not None else []

    def cell_text(self) -> str:
        """What the cursor's cell shows."""
        if self.current is None or not self._placed:
            return ""
        return str(self._placed[self._cell].column.text(self.rows[self.current])).strip()

    @property
    def needs_all(self) -> bool:
        """Whether order or filter depend on figures of rows that may never have been on the screen."""
        costly = [column.name for column in self.columns if column.costly]
        sorted_so = self.sort_column is not None and self.sort_column.costly
        named = [word.lstrip("!").partition(":")[0].lower() for word in self.filter_text.split() if ":" in word]
        return sorted_so or any(name and column.startswith(name) for name in named for column in costly)

    def _arrange(self) -> None:
        here = self.current
        keys = ordered(self.rows, self._passed(), self.sort_column, down=self.sort_down)
        resized, emptied = len(keys) != len(self.keys), not keys or not self.keys
        if keys != self.keys:
            before, self.keys = self.keys, keys
            self._cursor = nearest(before, self._cursor, keys)
        if resized:
            self.virtual_size = Size(self.size.width, len(keys) + 1)
            self._follow()
        if resized and emptied:
            self.refresh()
        self._paint_changes()
        if self.current != here:
            self.post_message(self.Highlighted(self, self.current))

    def _passed(self) -> list[str]:
        if not self.filter_text:
            return list(self.rows)
        try:
            return self._filter.passed((key, RowCells(self._by_name, row)) for key, row in self.rows.items())
        except FilterError as error:
            # Tried on every row that comes it would hold up every refresh: it is let go of until it is typed anew.
            self.problem, self._filter = str(error), Filter()
            return list(self.rows)

    # --- painting -------------------------------------------------------------------------------------------------

    def _line(self, y: int) -> Line | None:
        index = self.scroll_offset.y + y - 1
        if not 0 <= index < len(self.keys):
            return None
        key = self.keys[index]
        return line_of(key, self.rows[key], self._placed, cursor=index == self._cursor, marked=key in self.marked)

    def _paint_changes(self) -> None:
        width = self.size.width
        for y, before in list(self._lines.items()):
            if y >= self.size.height:
                del self._lines[y]
                continue
            after = self._line(y)
            if after == before:
                continue
            if before is None or after is None or before[3:] != after[3:]:
                self._repaint(Region(0, y, width, 1))
                continue
            for index, placed in enumerate(self._placed):
                if (before.texts[index], before.tones[index]) != (after.texts[index], after.tones[index]):
                    self._repaint(Region(placed.at, y, placed.width, 1))

    def _repaint(self, region: Region) -> None:
        self.painted += 1
        self.refresh(region)

    def render_line(self, y: int) -> Strip:
        """Draws one line of the screen."""
        width = self.size.width
        if y == 0:
            style = self.get_component_rich_style("grid--head")
            return head(self._placed, self.sort_column, down=self.sort_down, style=style, width=width)
        line = self._line(y)
        self._lines[y] = line
        if line is None:
            nothing = "nothing passes the filter: esc clears it" if self.rows else self.empty
            text = f"  {nothing}" if y == 1 and not self.keys and nothing else ""
            return Strip([Segment(pad(cut(text, width), width), self._style(DIM))], width)
        focused = self.has_focus
        cell = self.get_component_rich_style("grid--cell", partial=True) if line.cursor and focused else None
        return painted(line, self._style, width, focused=focused, cell=cell, at=self._cell)

    def _style(self, tone: str, line: Line | None = None) -> Style:
        key = (tone, bool(line and line.cursor), self.has_focus)
        style = self._styles_of.get(key)
        if style is None:
            style = self.rich_style
            if key[1]:
                style += self.get_component_rich_style("grid--cursor", partial=True)
            if tone:
                style += Style(color=self.get_component_rich_style(f"grid--{tone}").color)
            self._styles_of[key] = style
        return style

    def notify_style_update(self) -> None:
        """Other colours hold from now on."""
        super().notify_style_update()
        self._styles_of.clear()

    # --- what happens to it ---------------------------------------------------------------------------------------

    def on_resize(self, event: events.Resize) -> None:
        """Places the columns anew."""
        self._arrange_columns()

    def watch_show_vertical_scrollbar(self) -> None:
        """A scrollbar takes a column away, or gives it back."""
        self._arrange_columns()

    def _arrange_columns(self) -> None:
        self._placed = place(self._useful, self.scrollable_content_region.width, MARGIN)
        self._cell = min(self._cell, max(len(self._placed) - 1, 0))
        self._lines.clear()
        self.virtual_size = Size(self.size.width, len(self.keys) + 1)
        self._follow()
        self.refresh()
        self.post_message(self.Viewed(self))

    def watch_has_focus(self, value: bool) -> None:
        """The cursor looks different with focus."""
        super().watch_has_focus(value)
        self._styles_of.clear()
        if self._lines:
            self.refresh()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Other rows are on the screen."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self.post_message(self.Viewed(self))

    def on_click(self, event: events.Click) -> None:
        """A head sorts, a row is taken; twice opens it."""
        if event.y == 0:
            for placed in self._placed:
                if placed.at <= event.x < placed.at + placed.width:
                    same = placed.column is self.sort_column
                    self.sort_by(placed.column, down=not self.sort_down if same else False)
            return
        index = self.scroll_offset.y + event.y - 1
        if 0 <= index < len(self.keys):
            self._move_to(index)
            if event.chain > 1:
                self.action_select()

    # --- actions --------------------------------------------------------------------------------------------------

    def action_move(self, rows: int) -> None:
        """Moves the cursor."""
        self._move_to(self._cursor + rows)

    def action_page(self, direction: int) -> None:
        """Moves the cursor by what is visible."""
        self._move_to(self._cursor + direction * max(self.size.height - 2, 1))

    def action_edge(self, direction: int) -> None:
        """Moves the cursor to the first or last row."""
        self._move_to(0 if direction < 0 else len(self.keys) - 1)

    def action_cell(self, columns: int) -> None:
        """Moves the cell that `y` copies."""
        self._cell = max(min(self._cell + columns, len(self._placed) - 1), 0)
        self._repaint(Region(0, self._cursor - self.scroll_offset.y + 1, self.size.width, 1))

    def action_sort_next(self) -> None:
        """Sorts by the next column that is shown."""
        shown = [placed.column for placed in self._placed]
        at = shown.index(self.sort_column) if self.sort_column in shown else -1
        column = shown[(at + 1) % len(shown)]
        self.sort_by(column, down=column.right)

    def action_sort_flip(self) -> None:
        """Turns the order round."""
        if self.sort_column is not None:
            self.sort_by(self.sort_column, down=not self.sort_down)

    def action_mark(self) -> None:
        """Marks the row, or takes its mark away, and goes on."""
        if self.current is not None:
            self.marked ^= {self.current}
            self._paint_changes()
            self.action_move(1)

    def action_select(self) -> None:
        """Chooses the row."""
        if self.current is not None:
            self.post_message(self.Selected(self, self.current))

    def _move_to(self, index: int) -> None:
        index = max(min(index, len(self.keys) - 1), 0)
        if index == self._cursor or not self.keys:
            return
        self._cursor = index
        self._follow()
        self._paint_changes()
        self.post_message(self.Highlighted(self, self.current))

    def _follow(self) -> None:
        visible = max(self.size.height - 1, 1)
        top = self.scroll_offset.y
        wanted = min(max(top, self._cursor - visible + 1), self._cursor)
        if wanted != top:
            self.scroll_to(y=wanted, animate=False)
