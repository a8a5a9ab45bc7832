"""Rows of a table as text: for the clipboard, and as JSON, JSON lines or CSV for files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any, Final

from rmq.tui.table.columns import Column

FORMATS: Final = ("json", "jsonl", "csv")


def plain(columns: Sequence[Column[Any]], row: Any) -> dict[str, Any]:
    """A row's values by column name; None where one is unknown. Columns that only draw are left out."""
    return {
        column.name: column.text(row).strip() if column.value is None else column.value(row)
        for column in columns
        if column.name != "trend"
    }


def as_json(rows: Sequence[dict[str, Any]]) -> str:
    """An array of objects."""
    return json.dumps(rows, indent=2, ensure_ascii=False) + "\n"


def as_jsonl(rows: Sequence[dict[str, Any]]) -> str:
    """An object a line."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def as_csv(rows: Sequence[dict[str, Any]]) -> str:
    """A head and a line for each row; what is no single value is JSON."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value


def exported(form: str, rows: Sequence[dict[str, Any]]) -> str:
    """The rows in one of `FORMATS`."""
    return {"json": as_json, "jsonl": as_jsonl, "csv": as_csv}[form](rows)
