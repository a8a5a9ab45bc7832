"""Charts: what is drawn, how often, and in which colours."""

from typing import Any

import pytest

from rmq.tui.widgets.chart import Chart, steps
from tests.kit.tui_service import FakeService, play, press, rounds, settle, text_of


@pytest.mark.parametrize(
    ("highest", "number", "found"),
    [
        (0, 4, [0, 1]),
        (1, 4, [0, 0.5, 1]),
        (7, 4, [0, 2, 4, 6, 8]),
        (100, 4, [0, 50, 100]),
        (101, 4, [0, 50, 100, 150]),
        (12_400, 3, [0, 5000, 10_000, 15_000]),
        (0.03, 3, [0, 0.01, 0.02, 0.03]),
    ],
)
def test_round_numbers_at_the_side(highest: float, number: int, found: list[float]) -> None:
    assert steps(highest, number) == pytest.approx(found)


def test_the_cluster_is_drawn_when_something_came_and_not_otherwise() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "1")
        chart = pilot.app.screen.query_one("#rates", Chart)
        assert "nothing to draw yet" in text_of(pilot)
        await rounds(pilot, service, 3)
        drawn = chart.drawn
        shown = text_of(pilot)
        assert "All brokers  in/s  out/s" in shown
        assert " 100┤" in shown
        assert "-1m" in shown
        assert 1 <= drawn <= 3
        await press(pilot, "j", "k", "h", "l")
        chart.refresh()
        await settle(pilot)
        assert chart.drawn == drawn
        await rounds(pilot, service, 1)
        assert chart.drawn == drawn + 1
        await press(pilot, "ctrl+t")
        assert chart.drawn == drawn + 2
        await pilot.resize_terminal(120, 24)
        await settle(pilot)
        assert not chart.display

    play(script, size=(120, 36))


def test_lag_and_rates_of_what_is_under_the_cursor() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "j", "enter")
        await rounds(pilot, service, 4)
        await press(pilot, "left_square_bracket")
        pane = pilot.app.screen.pane
        assert pane.tab.title == "Chart"
        shown = text_of(pilot)
        assert "in/s  out/s" in shown
        assert "4.0k┤" in shown
        assert pane.grid.has_focus
        newest = pane.grid.rows[pane.grid.keys[0]]
        assert newest == (service.clock, (28.0, 73.5, 3229))
        assert pane.grid.current == pane.grid.keys[0]
        await press(pilot, "x")
        assert "Export 5 chart" in text_of(pilot)

    play(script, size=(120, 36))


def test_what_looks_the_same_is_not_painted() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "1")
        chart = pilot.app.screen.query_one("#rates", Chart)
        painted: list[object] = []
        samples = [(second * 1000, (10.0, 5.0)) for second in range(1000)]
        chart.show(samples[:900], 899_000)
        # Nothing is awaited from here on: the screen would draw samples of its own.
        chart.render()
        drawn = chart.drawn
        chart.refresh = lambda *regions, **named: painted.append(regions) or chart  # type: ignore[assignment,func-returns-value]
        chart.show(samples[50:950], 949_000)
        assert (chart.drawn, painted) == (drawn + 1, [])
        chart.show([*samples[50:950], (950_000, (90.0, 5.0))], 950_000)
        assert (chart.drawn, painted) == (drawn + 2, [()])

    play(script, size=(120, 36))


def test_a_group_has_a_chart_too() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "3", "j", "enter", "left_square_bracket")
        await rounds(pilot, service, 3)
        pane = pilot.app.screen.pane
        assert pane.grid.rows[pane.grid.keys[0]] == (service.clock, (39.0, 39.0, 3190))
        assert "lag" in text_of(pilot)

    play(script, size=(80, 24))


def test_the_cluster_is_sampled_every_second_while_it_is_drawn_and_looked_at() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        async def asked() -> int:
            before = service.count("cluster")
            await pilot.pause(10.0)
            return service.count("cluster") - before

        assert await asked() == 0
        await press(pilot, "1")
        assert 9 <= await asked() <= 11
        pilot.app.app_focus = False
        assert await asked() == 0
        pilot.app.app_focus = True
        await press(pilot, "z")
        assert await asked() == 0
        await press(pilot, "z", "question_mark")
        assert await asked() == 0

    play(script)
