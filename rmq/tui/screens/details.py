"""The pane beside a list: everything about the row under the cursor, in tabs of one table each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import ContentSwitcher

from rmq.tui.table.columns import Column
from rmq.tui.widgets.grid import Grid
from rmq.tui.widgets.lines import Panel, TabLine

D = TypeVar("D")


@dataclass(frozen=True, slots=True)
class Tab(Generic[D]):
    """One table about a thing.

    Attributes:
        title: on the tab.
        columns: of the table.
        rows: the rows by key.
        command: the words of the mqadmin command that shows the same, from the thing's name and a row's key.
        empty: what to say when there are no rows.
        leads_to: mode and name of what a row opens, if anything.
    """

    title: str
    columns: Sequence[Column[Any]]
    rows: Callable[[D], Mapping[str, Any]]
    command: Callable[[str, str], tuple[str, ...]]
    empty: str
    leads_to: Callable[[Any], tuple[str, str]] | None = None


class DetailPane(Panel, Generic[D]):
    """Tabs about one thing.

    Args:
        tabs: what it shows.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right_square_bracket", "tab(1)", "next tab", key_display="]", id="pane.next"),
        Binding("left_square_bracket", "tab(-1)", "tab before", key_display="[", id="pane.before", show=False),
    ]

    def __init__(self, tabs: Sequence[Tab[D]]) -> None:
        super().__init__(id="right")
        self.tabs = tabs
        self._current = 0
        self._grids = [
            Grid(
                tab.columns,
                label=tab.title.lower(),
                empty="asking…",
                identity=f"tab-{index}",
            )
            for index, tab in enumerate(tabs)
        ]

    def compose(self) -> ComposeResult:
        """The names of the tabs above the current one's table."""
        yield TabLine(id="tabs")
        with ContentSwitcher(initial="tab-0"):
            yield from self._grids

    def on_mount(self) -> None:
        """Shows the names."""
        self._show_names()

    @property
    def grid(self) -> Grid:
        """The table that is shown."""
        return self._grids[self._current]

    @property
    def tab(self) -> Tab[D]:
        """The tab that is shown."""
        return self.tabs[self._current]

    def show(self, detail: D | None, waiting: str = "asking…") -> None:
        """Fills all tabs; None empties them."""
        for grid, tab in zip(self._grids, self.tabs, strict=True):
            grid.empty = waiting if detail is None else tab.empty
            grid.update_rows({} if detail is None else tab.rows(detail))
            if not grid.rows:
                grid.refresh_line(1)

    def action_tab(self, step: int) -> None:
        """Shows another tab."""
        self.choose((self._current + step) % len(self.tabs))

    def choose(self, index: int) -> None:
        """Shows a tab."""
        focused = self.grid.has_focus
        self._current = index
        self.query_one(ContentSwitcher).current = f"tab-{index}"
        self._show_names()
        if focused:
            self.grid.focus()

    def _show_names(self) -> None:
        self.query_one("#tabs", TabLine).show_tabs([tab.title for tab in self.tabs], self._current)

    @on(TabLine.Chosen)
    def clicked(self, event: TabLine.Chosen) -> None:
        """A tab's name was clicked."""
        event.stop()
        self.choose(event.index)
