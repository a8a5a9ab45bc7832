"""What a refresh asks for, and what it paints: as much with five thousand topics as with fifty."""

import asyncio
from typing import Any

import pytest

from tests.kit.tui_service import FakeService, fake_app, press, rounds, settle, strike

SCREENS = "123456789"
MOST = 110
"""Questions of one refresh: the figures of the rows on a screen of fifty lines, and a few more."""


def asked_by(topics: int, groups: int) -> dict[str, int]:
    """Questions that one refresh asks on each screen, sorted and filtered by figures, too."""

    async def run() -> dict[str, int]:
        service = FakeService()
        service.more_topics = tuple(f"topic-{number:05}" for number in range(topics))
        service.more_groups = tuple(f"group-{number:05}" for number in range(groups))
        app, found = fake_app(service), {}
        async with app.run_test(size=(140, 50)) as pilot:
            for screen in SCREENS:
                await press(pilot, screen)
                if screen == "4":
                    app.screen.go_to("Orders")  # type: ignore[attr-defined]
                    await settle(pilot)
                for way in ("", "costly"):
                    if way == "costly" and screen in "23":
                        app.screen.list.set_filter("lag:>=0")  # type: ignore[attr-defined]
                        await settle(pilot)
                    await rounds(pilot, service, 1)
                    before = len(service.asked)
                    await rounds(pilot, service, 1)
                    found[f"{screen}{way}"] = len(service.asked) - before
        return found

    return asyncio.run(run())


def test_a_refresh_asks_for_no_more_when_there_is_more() -> None:
    few, many = asked_by(100, 100), asked_by(5000, 1000)
    # Timers of the screens may ask for the cluster or a row once more.
    assert [name for name in few if many[name] > few[name] + 4] == []
    assert max(many.values()) <= MOST


@pytest.mark.parametrize("screen", SCREENS)
def test_nothing_is_painted_when_nothing_changes(screen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> list[Any]:
        service = FakeService()
        service.flow = False
        service.more_topics = tuple(f"topic-{number:05}" for number in range(5000))
        service.more_groups = tuple(f"group-{number:05}" for number in range(1000))
        app = fake_app(service)
        async with app.run_test(size=(140, 50)) as pilot:
            await press(pilot, screen)
            await strike(pilot, "j")
            await rounds(pilot, service, 2)
            painted: list[Any] = []
            display = app._display
            monkeypatch.setattr(app, "_display", lambda on, what: (painted.append(what), display(on, what)))
            for _ in range(2):
                # No time passes: ages and clocks would change with it.
                app.tick()
                await settle(pilot)
            return painted

    assert asyncio.run(run()) == []
