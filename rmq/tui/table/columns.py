"""Columns of a table: what a row shows in them, what it is sorted by, and where there is no room for them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from rmq.tui.formats import cut, cut_front, cut_middle, one_line, pad

R = TypeVar("R")

GAP: Final = 2
"""Blanks between columns."""
LONGEST: Final = 200
"""Characters of a cell that are ever looked at on the screen."""

PLAIN, GOOD, WARN, BAD, DIM, ACCENT = "", "good", "warn", "bad", "dim", "accent"
"""Tones of a cell."""


@dataclass(frozen=True, slots=True)
class Column(Generic[R]):
    """One column.

    Attributes:
        title: its head, and in lower case its name in filters and exports.
        width: in characters.
        text: what a row shows.
        value: what it is sorted, compared and exported by, None when unknown; the text when not given.
        tone: how it stands out.
        right: whether it is aligned to the right.
        end: whether the end is shown where there is no room for all, such as a queue's number.
        middle: whether beginning and end are shown then, such as a client's host and number.
        least: width of the table from which it is shown.
        grows: takes what room is left.
        costly: known only of rows that were on the screen.
        optional: left out while it is empty in every row.
    """

    title: str
    width: int
    text: Callable[[R], str]
    value: Callable[[R], Any] | None = None
    tone: Callable[[R], str] | None = None
    right: bool = False
    end: bool = False
    middle: bool = False
    least: int = 0
    grows: bool = False
    costly: bool = False
    optional: bool = False

    @property
    def name(self) -> str:
        """As filters name it."""
        return self.title.lower()

    def sorts_by(self, row: R) -> Any:
        """The value to compare rows by; None goes last."""
        found = self.text(row) if self.value is None else self.value(row)
        return found.lower() if isinstance(found, str) else found


@dataclass(frozen=True, slots=True)
class Placed(Generic[R]):
    """A column that has its place: where it begins and how wide it is."""

    column: Column[R]
    at: int
    width: int

    def fit(self, text: str) -> str:
        """The text, cut and padded to the column."""
        line = one_line(text[:LONGEST])
        shorten = cut_front if self.column.end else cut_middle if self.column.middle else cut
        shown = shorten(line, self.width)
        return pad(shown, self.width, right=self.column.right)


def useful(columns: Sequence[Column[R]], rows: Collection[R]) -> tuple[Column[R], ...]:
    """The columns without the optional ones that are empty in every row."""
    return tuple(column for column in columns if not column.optional or any(map(column.text, rows)))


def place(columns: Sequence[Column[R]], width: int, margin: int) -> list[Placed[R]]:
    """The columns that there is room for, from left to right; those that do not fit any more are left out."""
    shown = [column for column in columns if width >= column.least]
    while len(shown) > 1 and _needed(shown, margin) > width:
        shown.pop()
    growing = sum(column.grows for column in shown)
    spare = max(width - _needed(shown, margin), 0)
    placed, at = [], margin
    for column in shown:
        extra = 0
        if column.grows:
            extra = spare // growing
            spare, growing = spare - extra, growing - 1
        placed.append(Placed(column, at, column.width + extra))
        at += column.width + extra + GAP
    return placed


def _needed(columns: Sequence[Column[R]], margin: int) -> int:
    return margin + sum(column.width for column in columns) + GAP * (len(columns) - 1)


class RowCells(Mapping[str, tuple[str, Any]]):
    """Cells of one row for a filter, each made when it is looked at."""

    def __init__(self, columns: Mapping[str, Column[Any]], row: Any) -> None:
        self._columns = columns
        self._row = row

    def __getitem__(self, name: str) -> tuple[str, Any]:
        column = self._columns[name]
        text = column.text(self._row)
        return text, text if column.value is None else column.value(self._row)

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)


def ordered(rows: Mapping[str, R], keys: Sequence[str], column: Column[R] | None, *, down: bool) -> list[str]:
    """The keys by a column's values, upwards or down, unknown ones last; as they come without a column."""
    if column is None:
        return list(keys)
    values = {key: column.sorts_by(rows[key]) for key in keys}
    known = [key for key in keys if values[key] is not None]
    known.sort(key=lambda key: values[key], reverse=down)
    return known + [key for key in keys if values[key] is None]


def nearest(before: Sequence[str], cursor: int, keys: Sequence[str]) -> int:
    """Where the cursor's row is now; when it has gone, the next one that is still there, else the one before it."""
    if not keys or not before:
        return 0
    places = {key: index for index, key in enumerate(keys)}
    for key in (*before[cursor:], *reversed(before[:cursor])):
        if key in places:
            return places[key]
    return 0
