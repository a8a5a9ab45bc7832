"""The filter line."""

from typing import Any

import pytest

from rmq.tui.table.filters import FilterError, parse_filter

COLUMNS = ["name", "type", "lag", "last"]
ROWS: dict[str, dict[str, tuple[str, Any]]] = {
    name: {"name": (name, name), "type": (kind, kind), "lag": (str(lag), lag), "last": ("", None)}
    for name, kind, lag in (
        ("Orders", "NORMAL", 3000),
        ("OrdersTx", "TX", 0),
        ("retry-orders", "FIFO", 5),
        ("x", "TX", None),
    )
}


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("", ["Orders", "OrdersTx", "retry-orders", "x"]),
        ("orders", ["Orders", "OrdersTx", "retry-orders"]),
        ("orders !retry", ["Orders", "OrdersTx"]),
        ("~^o.*x$", ["OrdersTx"]),
        ("!~^o", ["retry-orders", "x"]),
        ("lag:>0", ["Orders", "retry-orders"]),
        ("lag:>=3k", ["Orders"]),
        ("lag:<=5", ["OrdersTx", "retry-orders"]),
        ("!lag:>0", ["OrdersTx", "x"]),
        ("type:tx", ["OrdersTx", "x"]),
        ("name:=orders", ["Orders"]),
        ("!", []),
    ],
)
def test_rows_that_are_let_through(line: str, names: list[str]) -> None:
    test = parse_filter(line, COLUMNS)
    assert [name for name, cells in ROWS.items() if test(cells)] == names


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("~(", "missing"),
        ("size:>3", "size: no such column; there are name, type, lag, last"),
        ("lag:>x", "x is no number"),
        ("la:>1", "several columns begin so"),
    ],
)
def test_words_that_mean_nothing(line: str, why: str) -> None:
    with pytest.raises(FilterError, match=why):
        parse_filter(line, COLUMNS)
