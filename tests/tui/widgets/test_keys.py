"""The line of keys."""

from typing import Any

from rmq.tui.screens.dialogs import HelpDialog
from tests.kit.tui_service import FakeService, play, press, settle, text_of


def footer(pilot: Any) -> str:
    return text_of(pilot).splitlines()[-1]


def test_it_follows_the_focus_and_keeps_the_way_to_the_help() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        assert footer(pilot).startswith(" ⏎ open  / filter  t tail  n new  e edit  D delete  p send  b bulk  s sort  ")
        assert footer(pilot).endswith(": command  ? help ")
        await press(pilot, "slash")
        assert "sort" not in footer(pilot)
        await press(pilot, "escape", "z")
        for width in (40, 60, 80, 200):
            await pilot.resize_terminal(width, 24)
            await settle(pilot)
            assert footer(pilot).endswith(": command  ? help ")
            assert len(footer(pilot)) == width
            assert "⏎ open" in footer(pilot)
            assert ("p send" in footer(pilot), "y copy" in footer(pilot)) == (width >= 80, width >= 120)
        assert "x export  q quit" in footer(pilot)

    play(script)


def test_a_click_presses_a_key() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        at = footer(pilot).index("? help")
        await pilot.click("#keys", offset=(at + 3, 0))
        await settle(pilot)
        assert isinstance(pilot.app.screen, HelpDialog)

    play(script)
