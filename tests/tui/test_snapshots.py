"""Every screen as it is painted, at three sizes, dark and light, with a clock that stands still."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.kit.tui_service import GONE, FakeService, fake_app, press, rounds, settle

SIZES = [(80, 24), (120, 36), (200, 50)]
THEMES = ["textual-dark", "textual-light"]
Compare = Callable[..., bool]


def shown(*keys: str, gone: bool = False) -> tuple[FakeService, Callable[[Any], Any]]:
    """A fake, and what brings the application to the picture."""
    service = FakeService()

    async def before(pilot: Any) -> None:
        await settle(pilot)
        await press(pilot, keys[0])
        await rounds(pilot, service, 4)
        if gone:
            service.problems = dict.fromkeys(("cluster", "topic_names", "topics", "topic"), GONE)
            await rounds(pilot, service, 3)
        await press(pilot, *keys[1:])

    return service, before


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("number", ["1", "2", "3"], ids=["cluster", "topics", "groups"])
def test_screens(snap_compare: Compare, number: str, size: tuple[int, int], theme: str) -> None:
    service, before = shown(number)
    assert snap_compare(fake_app(service, theme=theme), terminal_size=size, run_before=before)


PICTURES = {
    "topic-queues": ("2", "j", "enter", "right_square_bracket"),
    "topic-groups": ("2", "j", "enter", "left_square_bracket", "left_square_bracket"),
    "group-clients": ("3", "j", "enter", "right_square_bracket"),
    "filter": ("2", "slash", "o", "r", "d", "enter"),
    "command": ("2", "colon", "t", "o", "p", "i", "c"),
    "marked": ("2", "space", "space"),
    "copy": ("2", "y"),
    "export": ("2", "x"),
    "help": ("2", "question_mark"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_pictures(snap_compare: Compare, name: str) -> None:
    service, before = shown(*PICTURES[name])
    assert snap_compare(fake_app(service), terminal_size=(80, 24), run_before=before)


@pytest.mark.parametrize("theme", THEMES)
def test_a_name_server_that_is_gone(snap_compare: Compare, theme: str) -> None:
    service, before = shown("2", gone=True)
    assert snap_compare(fake_app(service, theme=theme), terminal_size=(120, 36), run_before=before)


OVER = {
    "chart": ("3", "j", "enter", "left_square_bracket"),
    "output": ("2", "colon", *"mqadmin topicList", "enter"),
    "jump": ("2", "o"),
}


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", OVER)
def test_charts_output_and_letters(snap_compare: Compare, name: str, size: tuple[int, int], theme: str) -> None:
    service, before = shown(*OVER[name])

    async def with_figures(pilot: Any) -> None:
        await before(pilot)
        if name == "chart":
            await rounds(pilot, service, 30)

    assert snap_compare(fake_app(service, theme=theme), terminal_size=size, run_before=with_figures)
