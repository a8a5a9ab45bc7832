"""What one line of a table holds, and how it becomes a strip of the screen. Knows nothing of the widget."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from rmq.tui.table.columns import BAD, DIM, GAP, PLAIN, Column, Placed

MARGIN: Final = 2
"""Cells at the left for the mark and the cursor's arrow."""


class Line(NamedTuple):
    """What stands in one line: its key, texts and tones by column, and whether cursor and mark are there."""

    key: str
    texts: tuple[str, ...]
    tones: tuple[str, ...]
    cursor: bool
    marked: bool
    dim: bool


Styles = Callable[[str, Line | None], Style]
"""The style of a tone in a line."""


def line_of(key: str, row: Any, placed: Sequence[Placed[Any]], *, cursor: bool, marked: bool) -> Line:
    """A row's line."""
    texts = tuple(place.fit(place.column.text(row)) for place in placed)
    tones = tuple(PLAIN if place.column.tone is None else place.column.tone(row) for place in placed)
    return Line(key, texts, tones, cursor, marked, bool(getattr(row, "stale", False)))


def painted(line: Line, styles: Styles, width: int, *, focused: bool, cell: Style | None, at: int) -> Strip:
    """A line as the screen shows it; the cell of a column is set off when it has a style of its own."""
    fill = styles(PLAIN, line)
    mark = "•" if line.marked else "▶" if line.cursor and focused else " "
    segments = [Segment(mark.ljust(MARGIN), styles("mark", line))]
    for index, (text, tone) in enumerate(zip(line.texts, line.tones, strict=True)):
        if index:
            segments.append(Segment(" " * GAP, fill))
        style = styles(DIM if line.dim and tone != BAD else tone, line)
        segments.append(Segment(text, style + cell if cell is not None and index == at else style))
    return Strip(segments).adjust_cell_length(width, fill)


def head(placed: Sequence[Placed[Any]], by: Column[Any] | None, *, down: bool, style: Style, width: int) -> Strip:
    """The titles of the columns, with an arrow at the one that is sorted by."""
    segments = [Segment(" " * MARGIN, style)]
    for index, place in enumerate(placed):
        column = place.column
        arrow = ("↓" if down else "↑") if column is by else ""
        title = f"{arrow}{column.title}" if column.right else f"{column.title}{arrow}"
        segments.append(Segment(" " * (GAP if index else 0) + place.fit(title), style))
    return Strip(segments).adjust_cell_length(width, style)
