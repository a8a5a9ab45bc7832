"""The filter line of a list: open while the user types, and applied with every letter."""

from __future__ import annotations

from textual import on
from textual.widgets import Input

from rmq.tui.screens.listed import D, F, Listed
from rmq.tui.widgets.grid import Grid
from rmq.tui.widgets.lines import LineInput


class Filtered(Listed[F, D]):
    """A list that can be filtered.

    Attributes:
        list: the list.
    """

    list: Grid

    def filter_line(self) -> LineInput:
        """The line, closed."""
        field = LineInput("words, !not, ~regex, column:>100 — enter keeps, esc clears", id="filter")
        field.display = False
        return field

    @property
    def is_narrow(self) -> bool:
        """Whether list and pane take turns."""
        return self.has_class("-narrow")

    def show_title(self) -> None:
        """Says what the list shows."""
        raise NotImplementedError

    def close_pane(self) -> None:
        """Gives the list its place, if something else has it."""
        raise NotImplementedError

    def action_filter(self) -> None:
        """Opens the filter line of the list."""
        if self.is_narrow and self.has_class("-detail"):
            self.close_pane()
        field = self.query_one("#filter", LineInput)
        field.value = self.list.filter_text
        field.display = True
        field.focus()

    @on(Input.Changed, "#filter")
    def filter_changed(self, event: Input.Changed) -> None:
        """Filters while the user types."""
        self.list.set_filter(event.value)
        self.show_title()

    @on(Input.Submitted, "#filter")
    def filter_kept(self, event: Input.Submitted) -> None:
        """Back to the list, filtered."""
        event.stop()
        self.close_filter()

    def close_filter(self) -> None:
        """Takes the filter line away."""
        self.query_one("#filter", LineInput).display = False
        self.list.focus()

