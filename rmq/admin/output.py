"""What a command found out, and how it is shown: as Apache's text, as one JSON object, or as CSV.

A command fills a `Report` with two views of the same facts: `say` and `table` write the lines that Apache's tool
prints, `put` and `table` the members of the JSON object. What went wrong on the way, while the rest went on, is
noted with `fail`; it goes to standard error and makes the exit code 1.

Formats are those of Java's `printf`, which for `%s`, `%d` and widths are Python's too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rmq.remoting.errors import TransportError
from rmq.wire.errors import RemotingError

TEXT: Final = "text"
JSON: Final = "json"
CSV: Final = "csv"
FORMATS: Final = (TEXT, JSON, CSV)


class NoTableError(Exception):
    """This command prints no table; take -f json instead of csv."""


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a command's JSON object, declared for the manual."""

    name: str
    help: str


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        name: its member in JSON and its heading in CSV.
        head: Apache's heading.
        text: turns the value into what Apache prints.
    """

    name: str
    head: str = ""
    text: Callable[[Any], object] = str


@dataclass(frozen=True, slots=True)
class Table:
    """A table that a command prints: in JSON a list of objects, or of values where there is one column.

    Attributes:
        name: its member in JSON.
        help: what a row is.
        head: format of the heading, "" for none.
        row: format of a row.
        columns: the columns in Apache's order.
    """

    name: str
    help: str
    head: str
    row: str
    columns: tuple[Column, ...]

    def heading(self) -> str:
        """Apache's heading line."""
        return self.head % tuple(column.head for column in self.columns)

    def line(self, row: Sequence[Any]) -> str:
        """Apache's line of a row."""
        return self.row % tuple(column.text(value) for column, value in zip(self.columns, row, strict=True))


class Report:
    """What a command found out.

    Attributes:
        failures: what went wrong on the way.
        refusal: why the options given mean nothing together, or "".
    """

    def __init__(self) -> None:
        self._text: list[str] = []
        self._members: dict[str, Any] = {}
        self._tables: list[tuple[Table, list[Sequence[Any]]]] = []
        self.failures: list[RemotingError] = []
        self.refusal = ""

    def say(self, text: str = "", *, end: str = "\n") -> None:
        """A line of Apache's text."""
        self._text.append(text + end)

    def put(self, **members: Any) -> None:
        """Members of the JSON object."""
        self._members.update(members)

    def add(self, member: str, item: Any) -> None:
        """An item of a list that is a member of the JSON object."""
        self._members.setdefault(member, []).append(item)

    def table(self, table: Table, rows: Iterable[Sequence[Any]]) -> None:
        """A table, both as lines and as a member."""
        if table.head:
            self.say(table.heading())
        kept = list(rows)
        for row in kept:
            self.say(table.line(row))
        names = [column.name for column in table.columns]
        shown = (row[0] if len(names) == 1 else dict(zip(names, row, strict=True)) for row in kept)
        self._members.setdefault(table.name, []).extend(shown)
        self._tables.append((table, kept))

    def fail_unless_answered(self, error: RemotingError) -> None:
        """Notes that a server could not be asked. One that refused has answered: there is nothing to show."""
        if isinstance(error, TransportError):
            self.fail(error)

    def fail(self, error: RemotingError) -> Report:
        """Notes what went wrong, once where it went wrong many times in the same way."""
        known = (error.code, error.address, error.remark)
        if all(known != (other.code, other.address, other.remark) for other in self.failures):
            self.failures.append(error)
        return self

    def refuse(self, reason: str) -> Report:
        """Says that the options given mean nothing together."""
        self.refusal = reason
        self.say(reason, end="")
        return self

    @property
    def members(self) -> dict[str, Any]:
        """The JSON object; `errors` is there when something went wrong."""
        if not self.failures:
            return self._members
        return {**self._members, "errors": [_error_members(error) for error in self.failures]}

    def render(self, form: str, *, on_one_line: bool = False) -> str:
        """The report in one of `FORMATS`, a JSON object on one line if that is wanted.

        Raises:
            NoTableError: CSV is wanted of a report without tables.
        """
        if form == TEXT:
            return "".join(self._text)
        if form == JSON:
            import orjson

            indent = 0 if on_one_line else orjson.OPT_INDENT_2
            return orjson.dumps(self.members, option=indent | orjson.OPT_APPEND_NEWLINE).decode()
        return self._csv()

    def _csv(self) -> str:
        import csv
        import io

        if not self._tables:
            raise NoTableError
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        for index, (table, rows) in enumerate(self._tables):
            if index:
                out.write("\n")
            writer.writerow(column.name for column in table.columns)
            writer.writerows([_cell(value) for value in row] for row in rows)
        return out.getvalue()


def _cell(value: Any) -> Any:
    """A value in CSV: lists, objects and truths as JSON writes them."""
    if isinstance(value, bool | dict | list):
        import orjson

        return orjson.dumps(value).decode()
    return value


def _error_members(error: RemotingError) -> dict[str, Any]:
    return {"code": int(error.code), "address": error.address, "message": error.remark}


# --- texts ---------------------------------------------------------------------------------------------------------


def same(value: Any) -> Any:
    """The value itself, for columns whose format wants a number."""
    return value


def cut(width: int) -> Callable[[str], str]:
    """Cuts texts after so many characters (UtilAll.frontStringAtLeast)."""
    return lambda text: text[:width]


def seconds(timestamp: int) -> str:
    """Milliseconds since the epoch as local time, `2026-01-31 23:59:59`."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(timestamp // 1000))


def millis(timestamp: int) -> str:
    """Milliseconds since the epoch as local time, `2026-01-31 23:59:59,999`."""
    return f"{seconds(timestamp)},{timestamp % 1000:03d}"


def fixed(value: float, digits: int) -> str:
    """A number with so many digits after the point, rounded half up as Java does."""
    from decimal import ROUND_HALF_UP, Decimal

    return str(Decimal(repr(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))
