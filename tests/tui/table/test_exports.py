"""Rows as text."""

from rmq.tui.table.columns import Column
from rmq.tui.table.exports import exported, plain

COLUMNS: list[Column[tuple[str, int | None]]] = [
    Column("NAME", 6, lambda row: row[0]),
    Column("LAG", 4, lambda row: "·", lambda row: row[1]),
    Column("TREND", 4, lambda row: "▁▂"),
]
ROWS = [plain(COLUMNS, row) for row in (("Or,ders", 3), ("Ö", None))]


def test_values_and_not_what_is_drawn() -> None:
    assert ROWS == [{"name": "Or,ders", "lag": 3}, {"name": "Ö", "lag": None}]


def test_formats() -> None:
    assert exported("jsonl", ROWS) == '{"name": "Or,ders", "lag": 3}\n{"name": "Ö", "lag": null}\n'
    assert exported("csv", ROWS) == 'name,lag\n"Or,ders",3\nÖ,\n'
    assert exported("json", ROWS[1:]) == '[\n  {\n    "name": "Ö",\n    "lag": null\n  }\n]\n'
