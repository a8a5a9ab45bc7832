"""The bars of a trace."""

import asyncio
from typing import Any

from textual.app import App, ComposeResult

from rmq.tui.service.model import StepKind, TraceStep
from rmq.tui.widgets.trace_bars import TraceBars, tone

STEPS = tuple(
    TraceStep(
        StepKind.CONSUME, "a-group-with-a-long-name", "c", number * 1000, 500, number % 2 == 0, attempt=number + 1
    )
    for number in range(20)
)


class Page(App[None]):
    def compose(self) -> ComposeResult:
        self.line = TraceBars()
        yield self.line


def drawn(size: tuple[int, int], steps: tuple[TraceStep, ...], current: int) -> list[str]:
    async def run() -> list[str]:
        app = Page()
        async with app.run_test(size=size) as pilot:
            app.line.styles.height = size[1]
            app.line.show(steps, current)
            await pilot.pause()
            return app.line.render().plain.splitlines()

    return asyncio.run(run())


def test_only_the_lines_around_the_current_step_are_drawn() -> None:
    lines = drawn((80, 8), STEPS, 15)
    assert len(lines) == 8
    assert [line[:24].strip() for line in lines[1:]] == [
        f"consume a-group-wit… ×{number}" for number in range(13, 20)
    ]
    assert lines[0].startswith(" " * 25 + "0 ")
    assert all(line.endswith(" 500ms") for line in lines[1:])
    assert max(map(len, lines)) <= 80


def test_narrow_lines_have_short_names() -> None:
    lines = drawn((50, 4), STEPS[:2], 0)
    assert [line[:18] for line in lines[1:]] == ["consume a-group-… ", "consume a-gro… ×2 "]


def test_the_same_again_paints_nothing() -> None:
    async def run() -> None:
        app = Page()
        async with app.run_test(size=(80, 24)) as pilot:
            app.line.show(STEPS, 0)
            await pilot.pause()
            refreshed: list[Any] = []
            app.line.refresh = lambda *args, **named: refreshed.append(named)  # type: ignore[method-assign]
            app.line.show(list(STEPS), 0)
            assert refreshed == []
            app.line.show(STEPS, 1)
            assert len(refreshed) == 1

    asyncio.run(run())


def test_tones() -> None:
    assert [tone(TraceStep(StepKind.CONSUME, "", "", 0, ok=ok)) for ok in (True, False, None)] == [
        "green",
        "bold red",
        "yellow",
    ]
    assert tone(TraceStep(StepKind.SEND, "", "", 0, ok=True)) == "cyan"
