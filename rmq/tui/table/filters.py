"""The filter line: which rows are shown.

Words apart by blanks must all hold. A word is

    text       a part of any cell, upper and lower case alike
    ~regex     a regular expression found in any cell
    col:text   a part of that column's cell; col:=text is the whole of it
    col:>100   the column's number is greater; also >=, <, <=. 3k and 1.5M are numbers
    !word      the word does not hold

A column is named by its title or the beginning of it, as in `lag:>0`.
"""

from __future__ import annotations

import operator
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from rmq.tui.expressions import Expression, ExpressionError, TooSlowError

Cells = Mapping[str, tuple[str, Any]]
"""A row's cells by column name in lower case: the text, and the value that it is sorted by."""
Test = Callable[[Cells], bool]
PATIENCE: Final = 0.05
"""Seconds that all expressions of a line may take for all rows: the screen waits for them."""

_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_FACTORS: Final = {"": 1, "k": 1000, "m": 1_000_000, "g": 1_000_000_000}
_NUMBER: Final = re.compile(r"(-?[0-9]+(?:\.[0-9]+)?)([kmg]?)", re.IGNORECASE)


class FilterError(ValueError):
    """A word of the filter line that means nothing; the text says why."""


class Filter:
    """Decides which rows are shown."""

    def __init__(self) -> None:
        self._tests: list[Test] = []
        self._left = PATIENCE

    def __call__(self, cells: Cells) -> bool:
        """Whether all words hold for a row."""
        return all(test(cells) for test in self._tests)

    def passed(self, rows: Iterable[tuple[str, Cells]]) -> list[str]:
        """Keys of the rows that are let through.

        Raises:
            FilterError: its expressions take too long.
        """
        self._left = PATIENCE
        if not self._tests:
            return [key for key, _ in rows]
        return [key for key, cells in rows if self(cells)]

    def add(self, word: str, columns: Sequence[str]) -> None:
        """One more word must hold.

        Raises:
            FilterError: it is wrong.
        """
        self._tests.append(self._word(word, columns))

    def _word(self, word: str, columns: Sequence[str]) -> Test:
        if word.startswith("!") and len(word) > 1:
            test = self._word(word[1:], columns)
            return lambda cells: not test(cells)
        if word.startswith("~"):
            return self._expression(word[1:])
        name, colon, wanted = word.partition(":")
        if colon and name:
            return _column(_named(name, columns), wanted)
        part = word.lower()
        return lambda cells: any(part in text.lower() for text, _ in cells.values())

    def _expression(self, source: str) -> Test:
        try:
            expression = Expression(source, ignore_case=True)
        except ExpressionError as error:
            raise FilterError(f"~{source}: {error}") from None

        def found(text: str) -> bool:
            begun = time.perf_counter()
            try:
                return expression.found_in(text, self._left)
            except TooSlowError:
                raise FilterError(f"~{source}: takes too long; write it simpler") from None
            finally:
                self._left -= time.perf_counter() - begun

        return lambda cells: any(found(text) for text, _ in cells.values())


def parse_filter(text: str, columns: Sequence[str]) -> Filter:
    """What a filter line stands for.

    Args:
        text: the line; an empty one lets everything through.
        columns: names of the columns, in lower case.

    Raises:
        FilterError: a word is wrong.
    """
    made = Filter()
    for word in text.split():
        made.add(word, columns)
    return made


def _named(name: str, columns: Sequence[str]) -> str:
    wanted = name.lower()
    exact = [column for column in columns if column == wanted]
    near = exact or [column for column in columns if column.startswith(wanted)]
    if len(near) != 1:
        known = ", ".join(column for column in columns if column)
        raise FilterError(f"{name}: {'several columns begin so' if near else 'no such column'}; there are {known}")
    return near[0]


def _column(column: str, wanted: str) -> Test:
    for sign, compare in _COMPARE.items():
        if wanted.startswith(sign):
            limit = _number(wanted[len(sign) :])
            return lambda cells: _holds(compare, cells[column][1], limit)
    if wanted.startswith("="):
        whole = wanted[1:].lower()
        return lambda cells: cells[column][0].strip().lower() == whole
    part = wanted.lower()
    return lambda cells: part in cells[column][0].lower()


def _holds(compare: Callable[[Any, Any], bool], value: Any, limit: float) -> bool:
    return isinstance(value, int | float) and compare(value, limit)


def _number(text: str) -> float:
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise FilterError(f"{text or 'nothing'} is no number")
    return float(found[1]) * _FACTORS[found[2].lower()]
