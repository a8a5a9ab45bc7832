"""The form of an offset reset, and what it proposes."""

from typing import Any

from rmq.tui.screens.change import ChangeDialog
from rmq.tui.screens.forms import FormDialog
from rmq.tui.service.changes.offsets import EXAMPLES, Kind, ResetOffsets, Target
from rmq.tui.widgets.lines import LineInput
from tests.kit.tui_service import DEAD, FakeService, play, press, strike, text_of, type_text

HALF_AN_HOUR = Target(Kind.TIME, 1_795_267_920_000, "2026-11-21 13:32:00")


def test_a_group() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "3", "R")
        form = pilot.app.screen
        assert isinstance(form, FormDialog)
        assert "Reset offsets of audit-trail" in text_of(pilot)
        assert form.values == {"target": "", "topic": "Orders", "queue": ""}
        field = form.query_one("#field-target", LineInput)
        printable = "".join(map(chr, range(32, 127)))
        await type_text(pilot, printable)
        assert field.value == printable
        await press(pilot, "enter")
        assert "is no target; known are earliest" in text_of(pilot)
        field.value = "@3"
        await press(pilot, "enter")
        assert "an offset is one queue's: choose the queue, too" in text_of(pilot)
        field.value = "-30m"
        await press(pilot, "enter")
        dialog = pilot.app.screen
        assert isinstance(dialog, ChangeDialog)
        wanted = ResetOffsets(("audit-trail",), "Orders", HALF_AN_HOUR)
        assert dialog.change == wanted
        await press(pilot, *"audit-trail", "enter", "escape")
        assert service.changed == [wanted]
        assert not isinstance(pilot.app.screen, FormDialog)

    play(script)


def test_the_queue_under_the_cursor() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "3", "j", "enter", "j", "R")
        form = pilot.app.screen
        assert form.values == {"target": "", "topic": "Orders", "queue": "Orders broker-a 1"}
        form.query_one("#field-target", LineInput).value = "@80000"
        await press(pilot, "enter")
        assert pilot.app.screen.change == ResetOffsets(
            ("billing",), "Orders", Target(Kind.OFFSET, 80_000, "offset 80,000"), ("broker-a", 1)
        )

    play(script)


def test_marked_groups() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "3", "space", "space", "R")
        form = pilot.app.screen
        assert "Reset offsets of 2 groups" in text_of(pilot)
        assert form.values == {"target": "", "topic": ""}
        await strike(pilot, *"earliest", "enter")
        await press(pilot)
        wanted = ResetOffsets(("audit-trail", "billing"), "", Target(Kind.EARLIEST, 0, "the oldest message"))
        assert pilot.app.screen.change == wanted
        assert "type 2 groups to confirm" in text_of(pilot)
        await press(pilot, *"2 groups", "enter")
        assert service.changed == [wanted]

    play(script)


def test_a_group_that_cannot_be_asked() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "3")
        service.problems["group"] = DEAD
        await press(pilot, "R")
        assert not isinstance(pilot.app.screen, FormDialog)
        assert str(DEAD) in text_of(pilot)

    play(script)


def test_the_hint_says_what_is_known() -> None:
    assert EXAMPLES.startswith("earliest, latest, -30m")
