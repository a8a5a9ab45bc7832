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
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

Cells = Mapping[str, tuple[str, Any]]
"""A row's cells by column name in lower case: the text, and the value that it is sorted by."""
Test = Callable[[Cells], bool]

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


def parse_filter(text: str, columns: Sequence[str]) -> Test:
    """The test that a filter line stands for.

    Args:
        text: the line; an empty one lets everything through.
        columns: names of the columns, in lower case.

    Raises:
        FilterError: a word is wrong.
    """
    tests = [_word(word, columns) for word in text.split()]
    return lambda cells: all(test(cells) for test in tests)


def _word(word: str, columns: Sequence[str]) -> Test:
    if word.startswith("!") and len(word) > 1:
        test = _word(word[1:], columns)
        return lambda cells: not test(cells)
    if word.startswith("~"):
        return _regex(word[1:])
    name, colon, wanted = word.partition(":")
    if colon and name:
        return _column(_named(name, columns), wanted)
    part = word.lower()
    return lambda cells: any(part in text.lower() for text, _ in cells.values())


def _regex(source: str) -> Test:
    try:
        found = re.compile(source, re.IGNORECASE).search
    except re.error as error:
        raise FilterError(f"~{source}: {error}") from None
    return lambda cells: any(found(text) for text, _ in cells.values())


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
