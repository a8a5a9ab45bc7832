"""What differs between the lists: the columns and tabs, and the questions that fill them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Generic, TypeVar

from rmq.tui.screens.details import DetailPane, Tab
from rmq.tui.screens.filtered import Filtered
from rmq.tui.service.model import Problem
from rmq.tui.state.seen import Figures, Seen
from rmq.tui.table.columns import Column
from rmq.tui.widgets.grid import Grid

F = TypeVar("F", bound=Figures)
D = TypeVar("D")


class Listed(Filtered, Generic[F, D]):
    """What a screen tells of its list; `ListScreen` does the rest."""

    SORT: ClassVar[str] = "name"
    """The column that it is sorted by at first."""
    PANE: ClassVar[type[DetailPane[Any]]] = DetailPane
    """What the pane is."""
    LIST: ClassVar[type[Grid]] = Grid
    """What the list is; one may have keys of its own."""
    NONE: ClassVar[str] = ""
    """What to say when there are none, if it is not just that."""

    def columns(self) -> Sequence[Column[Seen[F]]]:
        """Columns of the list."""
        raise NotImplementedError

    def tabs(self) -> Sequence[Tab[D]]:
        """Tabs of the pane."""
        raise NotImplementedError

    async def ask_names(self) -> tuple[str, ...] | Problem:
        """Every name."""
        raise NotImplementedError

    async def ask_figures(self, name: str) -> F:
        """Figures of one name."""
        raise NotImplementedError

    async def ask_detail(self, name: str) -> D | Problem:
        """Everything about one name."""
        raise NotImplementedError

    def figures_of(self, detail: D) -> F:
        """The figures that are part of it."""
        raise NotImplementedError

    def remember(self, figures: F) -> None:
        """Puts figures that are whole into the history."""
        raise NotImplementedError

    def headline(self, name: str, detail: D | None) -> str:
        """The pane's title."""
        raise NotImplementedError

    def problems_of(self, detail: D) -> tuple[Problem, ...]:
        """What is missing in it."""
        raise NotImplementedError

    def sample(self, name: str) -> Sequence[float | None] | None:
        """Figures of a name for its chart: messages a second in and out, and lag; None when it has no chart."""
        return None

    def row_command(self, name: str) -> tuple[str, ...]:
        """The mqadmin command that shows a row."""
        raise NotImplementedError
