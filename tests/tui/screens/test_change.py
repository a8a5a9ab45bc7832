"""Changes in their dialog: previewed, confirmed as their risk demands, carried out, and told of."""

import asyncio
from typing import Any

from rmq.tui.config.contexts import Context, Mode
from rmq.tui.screens.change import ChangeDialog, Phase, QuietGrid
from rmq.tui.screens.ops import OpsScreen
from rmq.tui.service.changes.change import Change, Item, Outcome, Preview
from rmq.tui.widgets.lines import LineInput
from tests.kit.tui.paint import Paint, Tear
from tests.kit.tui_service import DEAD, FakeService, play, press, settle, text_of, type_text

PROTECTED = Context("prod", ("10.0.0.9:9876",), Mode.PROTECTED, "red", production=True)


async def proposed(pilot: Any, change: Change) -> ChangeDialog:
    pilot.app.propose(change)
    await settle(pilot)
    dialog = pilot.app.screen
    assert isinstance(dialog, ChangeDialog)
    return dialog


def test_a_change_is_shown_confirmed_and_told_of() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        dialog = await proposed(pilot, Paint())
        shown = text_of(pilot)
        for part in (
            "paint the wall red",
            "MEDIUM risk · context local (confirm)",
            "mqadmin paint -n '10.0.0.9:9876;10.0.0.10:9876' -c red",
            "QUEUE                                          NOW  TARGET  MESSAGES",
            "broker-a/3                                  81,204  80,800      +404",
            "4 queues, 1,616 messages come again",
            "⚠ the group is online",
            "Carry out (y)      Cancel (esc)",
        ):
            assert part in shown, part
        await press(pilot, "n")
        assert (service.changed, pilot.app.screen is dialog) == ([], False)

        dialog = await proposed(pilot, Paint("green"))
        await press(pilot, "tab", "tab")
        assert isinstance(pilot.app.focused, QuietGrid)
        await press(pilot, "j", "k", "G", "g", "down", "up", "pagedown", "pageup", "home", "end")
        assert pilot.app.focused.current == "3"
        await press(pilot, "y")
        assert (service.changed, dialog.phase) == ([Paint("green")], Phase.ENDED)
        shown = text_of(pilot)
        for part in ("✔  broker-a/0", "✔ 4 queues moved", "read back: 80,800", "esc closes"):
            assert part in shown, part
        await press(pilot, "y", "r", "enter")
        assert len(service.changed) == 1
        await press(pilot, "escape")
        assert text_of(pilot).splitlines()[-2].rstrip() == (
            " Topics audit │ ops: 14:02:00 paint the wall green (dry run: 4 queues, 1,…   ok"
        )
        assert [operation.title for operation in pilot.app.session.ops.operations] == ["paint the wall green"]

        await proposed(pilot, Paint("blue"))
        await press(pilot, "enter")
        assert service.changed[-1] == Paint("blue")

    play(script, size=(80, 24))


def test_a_high_risk_wants_the_name() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        dialog = await proposed(pilot, Tear())
        assert "no command of mqadmin does this" in text_of(pilot)
        assert "type wall to confirm" in text_of(pilot)
        field = dialog.query_one("#typed", LineInput)
        printable = "".join(map(chr, range(33, 127)))
        await type_text(pilot, printable)
        assert field.value == printable
        await press(pilot, "enter")
        assert "that is not wall" in text_of(pilot)
        assert (service.changed, dialog.phase) == ([], Phase.SHOWN)
        field.value = ""
        await press(pilot, *"wall", "enter")
        assert service.changed == [Tear()]

    play(script)


def test_a_protected_context_wants_its_name() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await proposed(pilot, Paint())
        assert "MEDIUM risk · context prod (protected)" in text_of(pilot)
        await press(pilot, *"wall", "enter")
        assert "that is not prod" in text_of(pilot)
        assert service.changed == []
        pilot.app.screen.query_one("#typed", LineInput).value = "prod"
        await press(pilot, "enter")
        assert service.changed == [Paint()]
        await press(pilot, "escape")
        lines = text_of(pilot).splitlines()
        assert lines[0].startswith("┏━")
        assert lines[-1].startswith("┗━")
        assert "mode:protected" in lines[1]

    play(script, context=PROTECTED)


def test_what_is_read_only_is_not_changed() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "3")
        before = pilot.app.screen
        assert "n new" not in text_of(pilot)
        assert not any(active.binding.id == "groups.reset" for active in before.active_bindings.values())
        await press(pilot, "R", "n", "D", "e")
        assert pilot.app.screen is before
        await press(pilot, "question_mark")
        assert "R  reset" not in text_of(pilot)
        await press(pilot, "escape")
        pilot.app.propose(Paint())
        await settle(pilot)
        assert pilot.app.screen is before
        assert "the context local is read-only" in text_of(pilot)
        assert service.count("preview") == 0

    play(script, read_only=True)


def test_what_cannot_be_previewed() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        service.problems["preview"] = DEAD
        dialog = await proposed(pilot, Tear())
        assert dialog.phase is Phase.FAILED
        assert "✗ 10.0.0.3:10911: cannot connect: Connection refused" in text_of(pilot)
        assert "is it running?" in text_of(pilot)
        await press(pilot, "y", "enter")
        assert service.changed == []
        del service.problems["preview"]
        service.previews[Tear] = Preview(refusal="there is no wall")
        await press(pilot, "r")
        assert "✗ there is no wall" in text_of(pilot)
        assert "Carry out" not in text_of(pilot)
        held = service.held["preview"] = asyncio.Event()
        pilot.app.simulate_key("r")
        await pilot.pause(0.1)
        assert "finding out what it will do…" in text_of(pilot)
        del service.previews[Tear]
        held.set()
        await settle(pilot)
        assert dialog.phase is Phase.SHOWN

    play(script)


def test_escape_does_not_stop_a_change() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        held = service.held["change"] = asyncio.Event()
        dialog = await proposed(pilot, Paint())
        pilot.app.simulate_key("y")
        await pilot.pause(0.3)
        assert dialog.phase is Phase.RUNNING
        assert "running… 1 done" in text_of(pilot)
        assert "✔  broker-a/0" in text_of(pilot)
        pilot.app.simulate_key("escape")
        await pilot.pause(0.1)
        assert "ops: 14:02:00 paint the wall red" in text_of(pilot).splitlines()[-2]
        assert "running" in text_of(pilot).splitlines()[-2]
        pilot.app.simulate_key("q")
        await pilot.pause(0.1)
        assert [note.title for note in pilot.app._notifications] == ["A change is running"]
        assert pilot.app.is_running
        held.set()
        await settle(pilot)
        assert service.changed == [Paint()]
        assert [(note.title, note.message) for note in pilot.app._notifications][-1] == (
            "paint the wall red",
            "4 queues moved",
        )
        assert text_of(pilot).splitlines()[-2].rstrip().endswith("ok")

    play(script)


def test_a_change_that_fails() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        service.problems["change"] = DEAD
        await proposed(pilot, Paint())
        await press(pilot, "y")
        assert "✗ 10.0.0.3:10911: cannot connect: Connection refused" in text_of(pilot)
        await press(pilot, "escape")
        assert text_of(pilot).splitlines()[-2].rstrip().endswith("failed")
        del service.problems["change"]
        parts = tuple(Item(f"broker-{number}", number > 0, "refused" if not number else "") for number in range(40))
        service.outcomes[Paint] = Outcome(False, "39 of 40 done", parts)
        await proposed(pilot, Paint())
        await press(pilot, "y")
        assert "✗  broker-0" in text_of(pilot)
        assert "✗ 39 of 40 done" in text_of(pilot)

    play(script, size=(80, 24))


def test_many_parts_are_shown_together() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        parts = tuple(Item(f"part {number}", True) for number in range(3000))
        service.outcomes[Paint] = Outcome(True, "3,000 done", parts)
        dialog = await proposed(pilot, Paint())
        shown: list[int] = []
        show = dialog._show_items
        dialog._show_items = lambda: shown.append(len(dialog._items)) or show()  # type: ignore[method-assign,func-returns-value]
        await press(pilot, "y")
        assert "✔ 3,000 done" in text_of(pilot)
        assert shown[-1] == 3000
        assert len(shown) < 30

    play(script)


def test_the_screen_of_changes() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "9")
        assert isinstance(pilot.app.screen, OpsScreen)
        assert "nothing was changed since the start" in text_of(pilot)
        await press(pilot, "y")
        for change in (Paint(), Tear()):
            await proposed(pilot, change)
            await press(pilot, *("y" if change == Paint() else "wall"), "enter")
            await press(pilot, "escape")
        screen = pilot.app.screen
        assert screen.list.keys == ["2", "1"]
        await press(pilot, "g", "y")
        assert "no command of mqadmin does this" in text_of(pilot)
        await press(pilot, "j", "y")
        assert pilot.app.clipboard == "mqadmin paint -n '10.0.0.9:9876;10.0.0.10:9876' -c red"
        shown = text_of(pilot)
        for part in (
            "    2  14:02:00  ok       tear the wall down",
            "▶   1  14:02:00  ok       paint the wall red",
            "command    mqadmin paint -n",
            "dry run    4 queues, 1,616 messages come",
            "result     4 queues moved",
            "read back  read back: 80,800",
            "file       ops.jsonl",
        ):
            assert part in shown, part
        await press(pilot, "enter", "right_square_bracket")
        assert "✔  broker-a/3" in text_of(pilot)
        await press(pilot, "right_square_bracket")
        assert "queue broker-a/3  now 81,204  target 80,800" in text_of(pilot)
        await press(pilot, "escape", "slash", *"tear", "enter")
        assert screen.list.keys == ["2"]
        service.later(60)
        await press(pilot, "escape", "r")
        assert pilot.app.session.ops.operations[1].ended == pilot.app.session.ops.operations[0].ended

    play(script, size=(130, 36))


def test_a_file_that_cannot_be_written_is_told_of() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        pilot.app.session.ops._append = _full
        await proposed(pilot, Paint())
        await press(pilot, "y")
        await press(pilot, "escape")
        assert "ops.jsonl cannot be written: No space left on device" in text_of(pilot).splitlines()[-2]

    play(script, size=(160, 36))


def _full(line: str) -> None:
    raise OSError(28, "No space left on device")
