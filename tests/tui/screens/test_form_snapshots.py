"""Forms, the settings of a broker and bulk dialogs as they are painted."""

from collections.abc import Callable

import pytest

from rmq.tui.service.changes.change import Preview
from rmq.tui.service.changes.topics import DeleteTopic
from tests.kit.tui_service import FakeService, fake_app, press, settle, type_text

SIZES = [(80, 24), (120, 36), (200, 50)]
THEMES = ["textual-dark", "textual-light"]
Compare = Callable[..., bool]
IMPACT = Preview(
    ("GROUP", "STATE", "CLIENTS", "LAG"),
    (("billing", "online", "2", "3,190"), ("audit-trail", "online", "1", "11")),
    ("405,000 messages stored on 1 broker can be read no longer", "2 groups read it"),
    (
        "billing, audit-trail are online and would ask for it in vain",
        "3,201 messages have not been consumed by billing",
    ),
)


def shows(snap_compare: Compare, size: tuple[int, int], keys: tuple[str, ...], theme: str = "textual-dark") -> bool:
    """Words after `=` are typed, others are keys."""
    service = FakeService()
    service.previews[DeleteTopic] = IMPACT

    async def before(pilot: object) -> None:
        await settle(pilot)
        for key in keys:
            await (type_text(pilot, key[1:]) if key.startswith("=") else press(pilot, key))
        await settle(pilot)

    return snap_compare(fake_app(service, theme=theme), terminal_size=size, run_before=before)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(
    "keys",
    [
        ("2", "n", "=Fresh", "tab", "tab", "tab", "=x"),
        ("1", "e", "G", "e", "=X", "enter", "n", "=fileReservedTim", "enter", "=48", "enter"),
    ],
    ids=["form", "settings"],
)
def test_screens(snap_compare: Compare, keys: tuple[str, ...], size: tuple[int, int], theme: str) -> None:
    assert shows(snap_compare, size, keys, theme)


PICTURES = {
    "topic-edit": ("2", "j", "e"),
    "topic-choice": ("2", "n", "tab", "tab", "enter"),
    "topic-delete": ("2", "j", "D"),
    "group-new": ("3", "n"),
    "group-delete": ("3", "j", "D"),
    "bulk": ("2", "space", "b"),
    "export": ("2", "b", "down", "enter"),
    "import": ("2", "b", "enter"),
    "value": ("1", "e", "G", "e"),
    "edits-only": ("1", "e", "v"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_pictures(snap_compare: Compare, name: str) -> None:
    assert shows(snap_compare, (80, 24), PICTURES[name])
