"""Changes as they are painted: proposed, refused, done, and on the screen Ops."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from rmq.tui.config.contexts import Context, Mode
from rmq.tui.service.changes.change import Item, Outcome, Preview
from rmq.tui.service.changes.offsets import ResetOffsets
from tests.kit.tui.paint import Paint, Tear
from tests.kit.tui_service import DEAD, FakeService, fake_app, press, settle

SIZES = [(80, 24), (120, 36), (200, 50)]
THEMES = ["textual-dark", "textual-light"]
Compare = Callable[..., bool]
LOCAL = Context("local", ("10.0.0.9:9876",), colour="green")
PROD = Context("prod", ("10.0.0.9:9876",), Mode.PROTECTED, "red", production=True)
STAGE = Context("stage", ("10.0.0.7:9876", "10.0.0.8:9876"), Mode.READ_ONLY, "yellow")
RESET = Preview(
    ("QUEUE", "NOW", "TARGET", "AGAIN", "SKIPPED"),
    tuple(
        (f"broker-a/{queue}", f"{81_204 + queue:,}", f"{80_000 + queue * 400:,}", f"{1204 - queue * 399:,}", "")
        for queue in range(4)
    )
    + tuple((f"broker-b/{queue}", "20,000", "20,312", "", "312") for queue in range(12)),
    ("16 queues, 2,422 messages come again, 3,744 are skipped",),
    ("billing is online with 2 clients: they go on from there at once, and what they hold may be consumed twice",),
)
MOVED = Outcome(
    True,
    "16 queues moved and read back",
    tuple(
        Item(f"billing Orders {'broker-a' if queue < 4 else 'broker-b'}/{queue}", True, "81,204 → 80,000")
        for queue in range(16)
    ),
    ("billing: online, lag 4,812, 16 queues looked at",),
)
FAILED = Outcome(False, "1 of 2 brokers done", (Item("broker-a", True, "done"), Item("broker-b", False, str(DEAD))))


async def reset(pilot: Any) -> None:
    """The dialog of a reset."""
    await press(pilot, "3", "j", "R")
    await press(pilot, *"-30m", "enter")


async def filled(pilot: Any, service: FakeService) -> None:
    """Three changes were made: one well, one badly, one still runs."""
    service.previews[ResetOffsets] = RESET
    service.outcomes = {ResetOffsets: MOVED, Tear: FAILED}
    await reset(pilot)
    await press(pilot, *"billing", "enter", "escape")
    service.later(75)
    pilot.app.propose(Tear())
    await press(pilot)
    await press(pilot, *"wall", "enter", "escape")
    service.later(30)
    service.held["change"] = asyncio.Event()
    pilot.app.propose(Paint())
    await settle(pilot)
    pilot.app.simulate_key("y")
    await pilot.pause(0.1)
    pilot.app.simulate_key("escape")
    service.later(4)
    pilot.app.simulate_key("9")
    await pilot.pause(0.3)
    pilot.app.simulate_key("j")
    pilot.app.simulate_key("j")
    await pilot.pause(0.3)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_ops(snap_compare: Compare, size: tuple[int, int], theme: str) -> None:
    service = FakeService()

    async def before(pilot: Any) -> None:
        await settle(pilot)
        await filled(pilot, service)

    app = fake_app(service, theme=theme, context=LOCAL)
    assert snap_compare(app, terminal_size=size, run_before=before)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_reset_in_production(snap_compare: Compare, size: tuple[int, int], theme: str) -> None:
    service = FakeService()
    service.previews[ResetOffsets] = RESET

    async def before(pilot: Any) -> None:
        await settle(pilot)
        await reset(pilot)

    assert snap_compare(fake_app(service, theme=theme, context=PROD), terminal_size=size, run_before=before)


async def _form(pilot: Any) -> None:
    await press(pilot, "3", "j", "R")
    await press(pilot, *"soon")


async def _done(pilot: Any) -> None:
    await reset(pilot)
    await press(pilot, *"billing", "enter")


async def _refused(pilot: Any) -> None:
    pilot.app.propose(Paint())
    await press(pilot)


async def _unknown(pilot: Any) -> None:
    pilot.app.propose(Tear())
    await press(pilot)
    await press(pilot, *"door", "enter")


async def _failed(pilot: Any) -> None:
    pilot.app.propose(Tear())
    await press(pilot)
    await press(pilot, *"wall", "enter")


async def _contexts(pilot: Any) -> None:
    pilot.app.run_line("ctx")
    await press(pilot)


PICTURES = {
    "form": _form,
    "done": _done,
    "refused": _refused,
    "wrong-word": _unknown,
    "failed": _failed,
    "contexts": _contexts,
}


@pytest.mark.parametrize("name", PICTURES)
def test_pictures(snap_compare: Compare, name: str) -> None:
    service = FakeService()
    service.previews = {ResetOffsets: RESET}
    service.outcomes = {ResetOffsets: MOVED, Tear: FAILED}
    if name == "refused":
        service.problems["preview"] = DEAD

    async def before(pilot: Any) -> None:
        await settle(pilot)
        await PICTURES[name](pilot)

    app = fake_app(service, context=LOCAL, contexts={one.name: one for one in (LOCAL, PROD, STAGE)})
    assert snap_compare(app, terminal_size=(80, 24), run_before=before)
