"""The mouse, and terminals that change their size."""

from typing import Any

from textual.events import MouseScrollDown

from tests.kit.tui_service import FakeService, play, press, rounds, settle, text_of


def test_heads_sort_rows_are_taken_and_opened() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        screen = pilot.app.screen
        grid = screen.list
        lag = text_of(pilot).splitlines()[grid.region.y].index("LAG") - grid.region.x
        await pilot.click(grid, offset=(lag, 0))
        assert (grid.sort_column.title, grid.sort_down) == ("LAG", False)
        await pilot.click(grid, offset=(lag, 0))
        assert (grid.sort_column.title, grid.sort_down, grid.keys[0]) == ("LAG", True, "Orders")
        await pilot.click(grid, offset=(5, 3))
        assert grid.current == grid.keys[2]
        await pilot.click(grid, offset=(5, 1), times=2)
        await settle(pilot)
        assert (screen.subject, screen.pane.grid.has_focus) == ("Orders", True)

    play(script)


def test_names_of_screens_and_tabs_are_clicked() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        for title, mode in (("3 Groups", "groups"), ("1 Cluster", "cluster"), ("2 Topics", "topics")):
            at = text_of(pilot).splitlines()[1].index(title)
            await pilot.click("#nav", offset=(at + 2, 0))
            await settle(pilot)
            assert pilot.app.current_mode == mode
        tabs = pilot.app.screen.query_one("#tabs")
        for title in ("Groups", "Queues", "Chart", "Route"):
            at = text_of(pilot).splitlines()[tabs.region.y].index(title, tabs.region.x)
            await pilot.click("#tabs", offset=(at - tabs.region.x, 0))
            await settle(pilot)
            assert pilot.app.screen.pane.tab.title == title

    play(script)


def test_the_wheel_scrolls() -> None:
    service = FakeService()
    service.more_topics = tuple(f"topic-{number:03}" for number in range(300))

    async def script(pilot: Any, service: FakeService) -> None:
        grid = pilot.app.screen.list
        x, y = grid.region.x + 5, grid.region.y + 5
        for _ in range(5):
            grid.post_message(MouseScrollDown(grid, x, y, 0, 1, 0, False, False, False))
        await settle(pilot)
        assert grid.window[0] > "Shipments"

    play(script, service=service)


def test_any_size_while_data_flows() -> None:
    sizes = [(80, 24), (200, 50), (109, 30), (12, 4), (110, 36), (80, 24)]

    async def script(pilot: Any, service: FakeService) -> None:
        for keys in (("1",), ("3", "enter", "left_square_bracket")):
            await press(pilot, *keys)
            for size in sizes:
                await pilot.resize_terminal(*size)
                await rounds(pilot, service, 1)
                lines = text_of(pilot).splitlines()
                assert len(lines) == size[1]
                assert {len(line) for line in lines} == {size[0]}
            assert text_of(pilot).splitlines()[0].endswith("3600s  14:02 ")

    play(script)
