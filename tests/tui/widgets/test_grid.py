"""The table: what it paints, where its cursor is, and what its keys do."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.app import App, ComposeResult

from rmq.tui.table.columns import Column
from rmq.tui.widgets.grid import Grid

Row = tuple[str, int]


class Screenful(App[None]):
    """One table."""

    CSS = "Grid { height: 100%; }"

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[tuple[str, str | None]] = []

    def compose(self) -> ComposeResult:
        yield Grid(
            [
                Column("NAME", 10, lambda row: row[0], grows=True),
                Column("LAG", 6, lambda row: str(row[1]), lambda row: row[1], right=True, costly=True),
            ],
            label="rows",
            empty="nothing there",
            sort="name",
        )

    def on_grid_selected(self, message: Grid.Selected) -> None:
        self.heard.append(("selected", message.key))


def drive(script: Callable[[Any, Grid], Awaitable[None]], rows: dict[str, Row], height: int = 12) -> Screenful:
    async def run() -> Screenful:
        app = Screenful()
        async with app.run_test(size=(40, height)) as pilot:
            grid = app.query_one(Grid)
            grid.update_rows(rows)
            grid.focus()
            await pilot.pause()
            await script(pilot, grid)
        return app

    return asyncio.run(run())


def numbered(count: int) -> dict[str, Row]:
    return {f"n{number:05}": (f"n{number:05}", number) for number in range(count)}


def test_keys_move_the_cursor() -> None:
    seen: list[str | None] = []

    async def script(pilot: Any, grid: Grid) -> None:
        for key in ("j", "down", "k", "G", "up", "g", "pagedown", "pageup", "end", "home"):
            await pilot.press(key)
            seen.append(grid.current)

    drive(script, numbered(100))
    assert [int((name or "n-1")[1:]) for name in seen] == [1, 2, 1, 99, 98, 0, 10, 0, 99, 0]


def test_the_window_follows_the_cursor() -> None:
    async def script(pilot: Any, grid: Grid) -> None:
        assert grid.window == [f"n{number:05}" for number in range(11)]
        await pilot.press("G")
        await pilot.pause()
        assert grid.window == [f"n{number:05}" for number in range(4989, 5000)]

    drive(script, numbered(5000))


def test_the_cursor_stays_with_its_row() -> None:
    async def script(pilot: Any, grid: Grid) -> None:
        await pilot.press("j", "j")
        rows = numbered(5)
        grid.update_rows({"a": ("a", 0), **rows})
        assert grid.current == "n00002"
        del rows["n00002"]
        grid.update_rows(rows)
        assert grid.current == "n00003"

    drive(script, numbered(5))


def test_only_cells_that_changed_are_painted() -> None:
    async def script(pilot: Any, grid: Grid) -> None:
        rows = numbered(5000)
        before = grid.painted
        grid.update_rows(dict(rows))
        assert grid.painted == before
        rows["n00003"] = ("n00003", 77)
        rows["n04000"] = ("n04000", 77)
        grid.update_rows(rows)
        assert grid.painted == before + 1
        await pilot.pause()
        rows["n00001"] = ("n00001x", 5)
        grid.update_rows(rows)
        assert grid.painted == before + 3

    drive(script, numbered(5000))


def test_texts_are_made_for_visible_rows_only() -> None:
    asked: list[str] = []

    async def script(pilot: Any, grid: Grid) -> None:
        asked.clear()
        grid.update_rows({key: _Row(key, asked) for key in numbered(5000)})
        await pilot.pause()
        assert 0 < len(set(asked)) <= 11

    drive(script, numbered(5000))


class _Row(tuple[str, int]):
    """A row that tells when its number is read."""

    asked: list[str]

    def __new__(cls, name: str, asked: list[str]) -> "_Row":
        made = super().__new__(cls, (name, 1))
        made.asked = asked
        return made

    def __getitem__(self, index: Any) -> Any:
        if index == 1:
            self.asked.append(super().__getitem__(0))
        return super().__getitem__(index)


def test_sort_and_turn() -> None:
    async def script(pilot: Any, grid: Grid) -> None:
        await pilot.press("s")
        assert (grid.sort_column and grid.sort_column.title, grid.sort_down) == ("LAG", True)
        assert grid.keys == ["c", "a", "b"]
        assert grid.needs_all
        await pilot.press("S")
        assert grid.keys == ["b", "a", "c"]
        await pilot.press("s")
        assert (grid.sort_column and grid.sort_column.title, grid.sort_down) == ("NAME", False)
        assert not grid.needs_all

    drive(script, {"a": ("a", 5), "b": ("b", 1), "c": ("c", 9)})


def test_marks_and_what_is_chosen() -> None:
    async def script(pilot: Any, grid: Grid) -> None:
        assert grid.chosen == ["n00000"]
        await pilot.press("j", "space", "space")
        assert (grid.chosen, grid.current) == (["n00001", "n00002"], "n00003")
        grid.update_rows(numbered(2))
        assert grid.marked == {"n00001"}

    drive(script, numbered(5))


def test_enter_and_a_double_click_choose() -> None:
    async def script(pilot: Any, grid: Grid) -> None:
        await pilot.press("j", "enter")
        await pilot.click(Grid, offset=(4, 4), times=2)
        await pilot.pause()

    assert drive(script, numbered(5)).heard == [("selected", "n00001"), ("selected", "n00003")]


def test_a_click_on_a_head_sorts() -> None:
    async def script(pilot: Any, grid: Grid) -> None:
        await pilot.click(Grid, offset=(38, 0))
        assert (grid.sort_column and grid.sort_column.title, grid.sort_down) == ("LAG", False)
        await pilot.click(Grid, offset=(38, 0))
        assert grid.sort_down

    drive(script, numbered(5))


def test_a_cell_is_chosen_sideways() -> None:
    async def script(pilot: Any, grid: Grid) -> None:
        assert grid.cell_text() == "n00000"
        await pilot.press("l", "l", "j")
        assert grid.cell_text() == "1"
        await pilot.press("h")
        assert grid.cell_text() == "n00001"

    drive(script, numbered(5))


def test_a_wrong_filter_leaves_the_rows() -> None:
    async def script(pilot: Any, grid: Grid) -> None:
        grid.set_filter("lag:>3")
        assert grid.keys == ["n00004"]
        grid.set_filter("~(")
        assert grid.keys == ["n00004"]
        assert grid.problem.startswith("~(:")
        grid.set_filter("")
        assert (len(grid.keys), grid.problem) == (5, "")

    drive(script, numbered(5))


@pytest.mark.parametrize("rows", [{}, numbered(1)])
def test_keys_on_few_rows(rows: dict[str, Row]) -> None:
    async def script(pilot: Any, grid: Grid) -> None:
        await pilot.press(*"jkgGhl sSss", "pagedown", "pageup", "enter")
        assert grid.current == next(iter(rows), None)

    drive(script, rows)
