"""Where columns stand, and in what order rows come."""

from rmq.tui.table.columns import Column, ordered, place

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


def test_cells_are_cut_and_padded() -> None:
    name, lag = place([NAME, LAG], 14, 2)
    assert (name.fit("abcdefg"), name.fit("a"), lag.fit("7")) == ("abcde…", "a     ", "   7")


def test_order() -> None:
    keys = list(ROWS)
    assert ordered(ROWS, keys, None, down=False) == ["b", "A", "c"]
    assert ordered(ROWS, keys, NAME, down=False) == ["A", "b", "c"]
    assert ordered(ROWS, keys, LAG, down=True) == ["c", "b", "A"]
    assert ordered(ROWS, keys, LAG, down=False) == ["b", "c", "A"]
