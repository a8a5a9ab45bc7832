"""Clients, DLQ, Trace and ACL as they are painted, at three sizes, dark and light."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.kit.tui.rights import OPEN
from tests.kit.tui.traces import MESSAGE_ID
from tests.kit.tui_service import FakeService, fake_app, press, rounds, settle, type_text

SIZES = [(80, 24), (120, 36), (200, 50)]
THEMES = ["textual-dark", "textual-light"]
Compare = Callable[..., bool]


def shown(*keys: str, trace: str = "", opened: bool = False) -> tuple[FakeService, Callable[[Any], Any]]:
    """A fake, and what brings the application to the picture; a word of several letters is typed."""
    service = FakeService()
    if opened:
        service.told = OPEN

    async def before(pilot: Any) -> None:
        await settle(pilot)
        if trace:
            pilot.app.drill("trace", trace)
            await settle(pilot)
        else:
            await press(pilot, keys[0])
        await rounds(pilot, service, 2)
        for key in keys[1:]:
            if len(key) > 1 and " " in key:
                await type_text(pilot, key)
            else:
                await press(pilot, key)

    return service, before


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", ["clients", "dlq", "trace", "acl"])
def test_screens(snap_compare: Compare, name: str, size: tuple[int, int], theme: str) -> None:
    number = {"clients": "5", "dlq": "6", "trace": "7", "acl": "8"}[name]
    service, before = shown(number, trace=f"Orders/{MESSAGE_ID}" if name == "trace" else "")
    assert snap_compare(fake_app(service, theme=theme), terminal_size=size, run_before=before)


PICTURES: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "client-queues": (("5", "down", "down", "enter"), {}),
    "client-stack": (("5", "G", "k"), {}),
    "dead-letters": (("6", "enter", "space", "space"), {}),
    "resend": (("6", "enter", "space", "space", "p"), {}),
    "trace-question": (("7",), {}),
    "trace-none": ((), {"trace": "Orders/unknown"}),
    "acl-rules": (("8", "G", "enter"), {}),
    "acl-can": (("8", "G", "c", "Orders Group:billing"), {}),
    "acl-open": (("8",), {"opened": True}),
}


@pytest.mark.parametrize("name", PICTURES)
def test_pictures(snap_compare: Compare, name: str) -> None:
    keys, more = PICTURES[name]
    service, before = shown(*keys, **more)
    assert snap_compare(fake_app(service), terminal_size=(80, 24), run_before=before)
