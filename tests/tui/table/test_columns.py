"""Where columns stand, and in what order rows come."""

import pytest

from rmq.tui.table.columns import Column, Placed, nearest, ordered, place, useful

Row = tuple[str, int | None]
NAME: Column[Row] = Column("NAME", 6, lambda row: row[0], grows=True)
LAG: Column[Row] = Column("LAG", 4, lambda row: str(row[1]), lambda row: row[1], right=True)
WIDE: Column[Row] = Column("WIDE", 5, lambda row: "", least=40)
ROWS: dict[str, Row] = {"b": ("b", 2), "A": ("A", None), "c": ("c", 10)}


def test_a_growing_column_takes_the_room_that_is_left() -> None:
    assert [(p.column.title, p.at, p.width) for p in place([NAME, LAG, WIDE], 30, 2)] == [
        ("NAME", 2, 22),
        ("LAG", 26, 4),
    ]
    assert [(p.column.title, p.at, p.width) for p in place([NAME, LAG, WIDE], 40, 2)] == [
        ("NAME", 2, 25),
        ("LAG", 29, 4),
        ("WIDE", 35, 5),
    ]


def test_columns_that_do_not_fit_are_left_out() -> None:
    assert [placed.column.title for placed in place([NAME, LAG], 10, 2)] == ["NAME"]


def test_optional_columns_are_left_out_while_they_are_empty() -> None:
    note: Column[Row] = Column("NOTE", 4, lambda row: "late" if row[1] else "", optional=True)
    assert useful([NAME, note, WIDE], [("a", None), ("b", 1)]) == (NAME, note, WIDE)
    assert useful([NAME, note, WIDE], [("a", None)]) == useful([NAME, note, WIDE], []) == (NAME, WIDE)


def test_cells_are_cut_and_padded() -> None:
    name, lag = place([NAME, LAG], 14, 2)
    assert (name.fit("abcdefg"), name.fit("a"), lag.fit("7")) == ("abcde…", "a     ", "   7")


def test_order() -> None:
    keys = list(ROWS)
    assert ordered(ROWS, keys, None, down=False) == ["b", "A", "c"]
    assert ordered(ROWS, keys, NAME, down=False) == ["A", "b", "c"]
    assert ordered(ROWS, keys, LAG, down=True) == ["c", "b", "A"]
    assert ordered(ROWS, keys, LAG, down=False) == ["b", "c", "A"]


@pytest.mark.parametrize(
    ("before", "cursor", "keys", "place"),
    [
        ("abc", 1, "xabc", 2),
        ("abc", 1, "ac", 1),
        ("abc", 2, "ab", 1),
        ("abc", 1, "xy", 0),
        ("", 0, "ab", 0),
        ("ab", 1, "", 0),
    ],
)
def test_where_the_cursor_goes_when_rows_change(before: str, cursor: int, keys: str, place: int) -> None:
    assert nearest(before, cursor, keys) == place


def test_what_matters_is_shown_where_there_is_no_room_for_all() -> None:
    begins, ends = Column("A", 6, str), Column("A", 6, str, end=True)
    assert Placed(begins, 0, 6).fit("broker-a/12") == "broke…"
    assert Placed(ends, 0, 6).fit("broker-a/12") == "…-a/12"
    assert Placed(begins, 0, 6).fit("订单创建") == "订单… "
