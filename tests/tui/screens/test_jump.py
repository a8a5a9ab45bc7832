"""Letters on everything one can go to."""

from typing import Any

from rmq.tui.screens.jump import JumpScreen, targets
from tests.kit.tui_service import FakeService, play, press, settle, text_of


def test_letters_lead_to_panes_tabs_and_screens() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        app = pilot.app
        await press(pilot, "o")
        assert isinstance(app.screen, JumpScreen)
        await press(pilot, "s")
        assert app.front.pane.tab.title == "Route"
        await press(pilot, "o")
        await press(pilot, "d")
        assert app.front.pane.tab.title == "Queues"
        letters = {target.key: target for target in targets(app.front)}
        assert {str(screen.NUMBER) for screen in app.screens_in_order} <= letters.keys()
        level = app.front.pane.grid.region.y
        grids = [key for key, target in letters.items() if key.isalpha() and target.at.y == level]
        await press(pilot, "o")
        await press(pilot, grids[-1])
        assert app.front.pane.grid.has_focus
        await press(pilot, "o")
        await press(pilot, "a")
        assert app.front.list.has_focus
        await press(pilot, "o")
        await press(pilot, "3")
        assert app.front.MODE == "groups"

    play(script)


def test_any_other_key_stays() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        here = pilot.app.screen
        for key in ("escape", "0", "Q", "enter"):
            await press(pilot, "o")
            await press(pilot, key)
            assert (pilot.app.screen, here.list.has_focus) == (here, True)
        await press(pilot, "o")
        await pilot.click(offset=(40, 12))
        await settle(pilot)
        assert pilot.app.screen is here

    play(script)


def test_every_letter_stands_where_it_leads() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        found = targets(pilot.app.screen)
        assert len({target.key for target in found}) == len(found)
        await press(pilot, "o")
        lines = text_of(pilot).splitlines()
        for target in found:
            assert lines[target.at.y][target.at.x] == target.key

    play(script)


def test_a_narrow_terminal_has_letters_for_what_it_shows() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        screen = pilot.app.screen
        assert [target.key for target in targets(screen) if target.key.isalpha()] == ["a"]
        await press(pilot, "enter")
        assert len([target.key for target in targets(screen) if target.key.isalpha()]) == len(screen.pane.tabs) + 1

    play(script, size=(80, 24))
