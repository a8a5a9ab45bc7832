"""Messages and Tail as they are painted, at three sizes, dark and light."""

from collections.abc import Callable
from typing import Any

import pytest

from rmq.tui.service.model import Tailed
from tests.kit.tui.messages import stored
from tests.kit.tui_service import FakeService, fake_app, press, settle, type_text
from tests.tui.test_snapshots import SIZES, THEMES, Compare


def asked(line: str, *keys: str) -> Callable[[Any], Any]:
    """What asks a question, and presses keys then."""

    async def before(pilot: Any) -> None:
        await settle(pilot)
        await press(pilot, "4", "i")
        await type_text(pilot, line)
        await press(pilot, "enter")
        await press(pilot, *keys)

    return before


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_messages(snap_compare: Compare, size: tuple[int, int], theme: str) -> None:
    before = asked("Orders time:-1h..now body~/e/i", "j")
    assert snap_compare(fake_app(FakeService(), theme=theme), terminal_size=size, run_before=before)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_tail(snap_compare: Compare, size: tuple[int, int], theme: str) -> None:
    service = FakeService()

    async def before(pilot: Any) -> None:
        await settle(pilot)
        await press(pilot, "2", "j", "t")
        for first in (0, 8):
            service.later(1)
            service.tails[0].coming.append(Tailed(tuple(stored(first + at) for at in range(8)), 3))
            pilot.app.screen.look()
            await settle(pilot)
        await press(pilot, "z")

    assert snap_compare(fake_app(service, theme=theme), terminal_size=size, run_before=before)


PICTURES = {
    "body": ("Orders key:order-4", "enter"),
    "hex": ("Orders key:order-6", "enter"),
    "properties": ("Orders key:order-6", "enter", "right_square_bracket"),
    "consumption": ("Orders key:order-6", "c"),
    "where": ("Orders key:order-6", "enter", "left_square_bracket"),
    "wrong": ("Orders quue:1",),
    "nothing": ("Orders body~nothing",),
    "send": ("Orders key:order-4", "p"),
    "queries": ("Orders key:order-4", "F"),
    "save": ("Orders key:order-4", "f"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_pictures(snap_compare: Compare, name: str) -> None:
    line, *keys = PICTURES[name]
    assert snap_compare(fake_app(FakeService()), terminal_size=(80, 24), run_before=asked(line, *keys))


def test_nothing_was_asked(snap_compare: Compare) -> None:
    async def before(pilot: Any) -> None:
        await settle(pilot)
        await press(pilot, "4")

    assert snap_compare(fake_app(FakeService()), terminal_size=(80, 24), run_before=before)
