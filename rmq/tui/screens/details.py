"""The pane beside a list: everything about the row under the cursor, in tabs of one table each.

A table is mounted, and its rows are made, when its tab is shown for the first time: styling a widget costs more than
painting it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import ContentSwitcher

from rmq.tui.state.timeline import Sample
from rmq.tui.table.columns import Column
from rmq.tui.widgets.chart import Chart, Plotted
from rmq.tui.widgets.grid import Grid
from rmq.tui.widgets.lines import TabbedPanel, TabLine

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
        charts: titles and lines of charts above the table, which draw `samples`.
        samples: figures over time, and the time now.
    """

    title: str
    columns: Sequence[Column[Any]]
    rows: Callable[[D], Mapping[str, Any]]
    command: Callable[[str, str], tuple[str, ...]]
    empty: str
    leads_to: Callable[[Any], tuple[str, str]] | None = None
    charts: Sequence[tuple[str, Sequence[Plotted]]] = ()
    samples: Callable[[D], tuple[Sequence[Sample], int]] | None = None


class DetailPane(TabbedPanel, Generic[D]):
    """Tabs about one thing.

    Args:
        tabs: what it shows.
    """

    def __init__(self, tabs: Sequence[Tab[D]]) -> None:
        super().__init__(id="right")
        self.tabs = tabs
        self._focusing = False
        self._detail: D | None = None
        self._waiting = "asking…"
        self._grids = [
            Grid(
                tab.columns,
                label=tab.title.lower(),
                empty="asking…",
                identity=None if tab.charts else f"tab-{index}",
            )
            for index, tab in enumerate(tabs)
        ]
        self._charts = [[Chart(title, lines) for title, lines in tab.charts] for tab in tabs]

    def compose(self) -> ComposeResult:
        """The names of the tabs above the current one's table."""
        yield TabLine(id="tabs")
        with ContentSwitcher(initial="tab-0"):
            yield self._content()

    def _content(self) -> Widget:
        charts = self._charts[self.current]
        return Vertical(*charts, self.grid, id=f"tab-{self.current}", classes="charts") if charts else self.grid

    def on_mount(self) -> None:
        """Shows the names."""
        self.show_names()

    def on_resize(self) -> None:
        """Has rows fit that are broken into lines; Textual calls the method of `TabbedPanel`, too."""
        self._fill()

    def names(self) -> list[str]:
        """See `TabbedPanel`."""
        return [tab.title for tab in self.tabs]

    @property
    def grid(self) -> Grid:
        """The table that is shown."""
        return self._grids[self.current]

    @property
    def tab(self) -> Tab[D]:
        """The tab that is shown."""
        return self.tabs[self.current]

    def show(self, detail: D | None, waiting: str = "asking…") -> None:
        """Fills the tabs; None empties them."""
        self._detail, self._waiting = detail, waiting
        self._fill()

    def _fill(self) -> None:
        grid, tab, detail = self.grid, self.tab, self._detail
        empty = self._waiting if detail is None else tab.empty
        says_more = empty != grid.empty and not grid.keys
        grid.empty = empty
        at_top = not grid.keys or grid.current == grid.keys[0]
        grid.update_rows({} if detail is None else tab.rows(detail))
        if says_more and not grid.rows:
            grid.refresh_line(1)
        if tab.samples is not None:
            samples, now = ((), 0) if detail is None else tab.samples(detail)
            for chart in self._charts[self.current]:
                chart.show(samples, now)
            if at_top:
                # The newest is on top; the cursor would go down with the one that it was on.
                grid.action_edge(-1)

    def choose(self, index: int) -> None:
        """Shows a tab."""
        # The table of the tab before may not have got the focus yet when keys come fast.
        self._focusing = self._focusing or self.grid.has_focus
        self.current = index
        switcher = self.query_one(ContentSwitcher)
        if not self.grid.is_attached:
            switcher.mount(self._content())
        self._fill()
        switcher.current = f"tab-{index}"
        self.show_names()
        if self._focusing:
            self.call_after_refresh(self._focus)
        self.post_message(self.Turned())

    def _focus(self) -> None:
        self._focusing = False
        self.grid.focus()
