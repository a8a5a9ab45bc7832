"""A list with a title that tells what it shows, and a line that filters it with every letter."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.widgets import Input

from rmq.tui.formats import count, one_line
from rmq.tui.screens.frame import FrameScreen
from rmq.tui.widgets.grid import Grid
from rmq.tui.widgets.lines import FilterInput, Panel


class Filtered(FrameScreen):
    """A screen with a list that can be filtered, in the panel `left`; a pane may stand beside it, or in its place.

    Attributes:
        list: the list.
    """

    list: Grid

    @property
    def is_narrow(self) -> bool:
        """Whether list and pane take turns."""
        return self.has_class("-narrow")

    @property
    def heading(self) -> str:
        """What the list shows."""
        return self.TITLE

    def remarks(self) -> Sequence[str]:
        """What else there is to say about the list."""
        return ()

    def show_title(self) -> None:
        """Says what the list shows of how many, filtered and sorted how."""
        total, shown = len(self.list.rows), len(self.list.keys)
        number = count(total) if shown == total else f"{count(shown)}/{count(total)}"
        marked = f" · {len(self.list.marked)} marked" if self.list.marked else ""
        parts = [f"✗ {self.list.problem}"] if self.list.problem else []
        if self.list.filter_text:
            parts.append(f"filter: {one_line(self.list.filter_text)}")
        column = self.list.sort_column
        if column is not None:
            parts.append(f"sort: {column.name} {'↓' if self.list.sort_down else '↑'}")
        title = f"{self.heading} ({number}){marked}"
        self.query_one("#left", Panel).entitle(title, " · ".join([*parts, *self.remarks()]))

    def close_pane(self) -> None:
        """Goes back to the list."""
        self.remove_class("-detail")
        self.call_after_refresh(self.list.focus)

    def narrow(self, text: str) -> None:
        """Shows only rows that a filter line lets through."""
        self.list.set_filter(text)
        self.show_title()

    def action_filter(self) -> None:
        """Opens the filter line of the list."""
        if self.is_narrow and self.has_class("-detail"):
            self.close_pane()
        field = self.query_one(FilterInput)
        field.value = self.list.filter_text
        field.display = True
        # Now, not when the application comes to it: the next key is the line's; later, where the list is not shown yet.
        self.set_focus(field)
        field.focus()

    def action_drop_filter(self) -> None:
        """Back to the list, with every row."""
        self.query_one(FilterInput).value = ""
        self.narrow("")
        self._close_filter()

    @on(Input.Changed, "#filter")
    def filter_changed(self, event: Input.Changed) -> None:
        """Filters while the user types."""
        event.stop()
        self.narrow(event.value)

    @on(Input.Submitted, "#filter")
    def filter_kept(self, event: Input.Submitted) -> None:
        """Back to the list, filtered."""
        event.stop()
        self._close_filter()

    def _close_filter(self) -> None:
        self.query_one(FilterInput).display = False
        self.set_focus(self.list)
