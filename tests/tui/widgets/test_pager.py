"""Text that is scrolled and searched."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from textual.app import App, ComposeResult

from rmq.tui.widgets.pager import KEPT, Pager


class Text(App[None]):
    """Nothing but a text."""

    CSS = "Pager { height: 100%; }"

    def compose(self) -> ComposeResult:
        yield Pager()


def drive(script: Callable[[Any, Pager], Awaitable[None]], lines: list[str]) -> None:
    async def run() -> None:
        app = Text()
        async with app.run_test(size=(40, 10)) as pilot:
            pager = app.query_one(Pager)
            pager.add(lines)
            pager.focus()
            await pilot.pause()
            await script(pilot, pager)

    asyncio.run(run())


def test_every_key_scrolls() -> None:
    places: dict[str, tuple[int, int]] = {}

    async def script(pilot: Any, pager: Pager) -> None:
        for key in ("j", "down", "k", "up", "l", "right", "h", "left", "pagedown", "pageup", "G", "g", "end", "home"):
            await pilot.press(key)
            await pilot.wait_for_scheduled_animations()
            places[key] = (pager.scroll_offset.x, pager.scroll_offset.y)

    drive(script, [f"line {number} {'x' * 100}" for number in range(100)])
    assert places == {
        "j": (0, 1),
        "down": (0, 2),
        "k": (0, 1),
        "up": (0, 0),
        "l": (8, 0),
        "right": (16, 0),
        "h": (8, 0),
        "left": (0, 0),
        "pagedown": (0, places["pagedown"][1]),
        "pageup": (0, 0),
        "G": (0, places["G"][1]),
        "g": (0, 0),
        "end": places["G"],
        "home": (0, 0),
    }
    assert 8 <= places["pagedown"][1] <= 10
    assert places["G"][1] >= 90


def test_search_goes_round_and_into_the_width() -> None:
    seen: list[tuple[int, int]] = []

    async def script(pilot: Any, pager: Pager) -> None:
        assert pager.search("NEEDLE") == 3
        seen.append((pager._here, pager.scroll_offset.x))
        for key in ("n", "n", "n", "N"):
            await pilot.press(key)
            await pilot.pause()
            seen.append((pager._here, pager.scroll_offset.x))
        assert pager.search("nothing of the kind") == 0
        assert pager.search("") == 0

    lines = [f"line {number}" for number in range(100)]
    lines[3], lines[50], lines[51] = "needle one", "x" * 200 + "Needle", "a needle"
    drive(script, lines)
    assert [line for line, _ in seen] == [3, 50, 51, 3, 51]
    assert seen[1][1] >= 160
    assert seen[2][1] == 0


def test_the_oldest_lines_go() -> None:
    async def script(pilot: Any, pager: Pager) -> None:
        pager.add(f"line {number}" for number in range(KEPT + 600))
        assert (len(pager.lines), pager.dropped) == (KEPT, 601)
        assert pager.lines[-1] == f"line {KEPT + 599}"
        assert pager.text.startswith("line 600\n")

    drive(script, ["first"])


def test_the_end_is_followed_once_it_was_gone_to() -> None:
    async def script(pilot: Any, pager: Pager) -> None:
        pager.add(["more"])
        assert pager.scroll_offset.y == 0
        await pilot.press("G")
        pager.add(["and more"] * 5)
        await pilot.pause()
        assert pager.scroll_offset.y == pager.max_scroll_y
        await pilot.press("k")
        await pilot.wait_for_scheduled_animations()
        before = pager.scroll_offset.y
        pager.add(["and more"] * 5)
        await pilot.pause()
        assert pager.scroll_offset.y == before

    drive(script, [f"line {number}" for number in range(50)])


def test_control_characters_do_not_reach_the_terminal() -> None:
    async def script(pilot: Any, pager: Pager) -> None:
        assert pager.lines == ["a [31mb c"]

    drive(script, ["a\x1b[31mb\rc"])
