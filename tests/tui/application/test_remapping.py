"""Keys of the user's own."""

from typing import Any

import pytest

from rmq.tui.application import bindings
from rmq.tui.application.remapping import clashes
from rmq.tui.screens.dialogs import HelpDialog
from tests.kit.tui_service import FakeService, play, press, text_of


def notices(pilot: Any) -> list[str]:
    return [notice.message for notice in pilot.app._notifications]


def test_a_binding_gets_other_keys() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        grid = pilot.app.screen.list
        await press(pilot, "f6")
        assert pilot.app.focused.id == "filter"
        await press(pilot, "escape", "slash")
        assert pilot.app.focused is grid
        await press(pilot, "f2")
        assert isinstance(pilot.app.screen, HelpDialog)
        await press(pilot, "escape", "f3", "f3", "f4")
        assert grid.current == "Orders"
        assert " f6 filter" in text_of(pilot).splitlines()[-1]
        assert notices(pilot) == []

    keymap = {"grid.filter": "f6", "screen.help": "f2", "grid.down": "f3", "grid.up": "f4"}
    play(script, keymap=keymap, read_only=True)


def test_unknown_ids_are_told() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        assert notices(pilot) == ["no binding is called grid.fliter; did you mean grid.filter?"]
        await press(pilot, "slash")
        assert pilot.app.focused.id == "filter"

    play(script, keymap={"grid.fliter": "f"})


@pytest.mark.parametrize(
    ("keymap", "told"),
    [
        ({"grid.sort": "y"}, "y is the key of grid.copy and grid.sort: only one of them can have it"),
        ({"grid.sort": "q"}, "q is the key of grid.sort and screen.quit: only one of them can have it"),
        ({"topics.internal": "r"}, "r is the key of screen.refresh and topics.internal: only one of them can have it"),
    ],
)
def test_a_key_that_two_have_is_told(keymap: dict[str, str], told: str) -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "j", "k")
        assert told in notices(pilot)

    play(script, keymap=keymap)


def test_keys_change_places_without_a_word() -> None:
    found = bindings.every()
    assert clashes(found, {"grid.sort": "y", "grid.copy": "s"}) == set()
    assert clashes(found, {}) == set()
    # What is heard on different screens only may have one key.
    assert clashes(found, {"groups.edit": "f9", "topics.edit": "f9"}) == set()
