"""The screen of dead letters."""

import asyncio
import csv
import io
import json
from pathlib import Path
from typing import Any

from textual import events

from rmq.tui.screens.change import ChangeDialog
from rmq.tui.screens.dead_letters import DeadLettersScreen, exported_letter
from rmq.tui.screens.dialogs import ExportDialog
from rmq.tui.screens.forms import FormDialog
from rmq.tui.service.changes.change import Item, Outcome
from rmq.tui.service.changes.dead_letters import ResendDead
from rmq.tui.service.model import LetterBody, LetterPlace, Problem
from tests.kit.tui.dead_letters import BODIES, letter
from tests.kit.tui_service import FakeService, play, press, rounds, settle, text_of, type_text


def screen(pilot: Any) -> DeadLettersScreen:
    assert isinstance(pilot.app.screen, DeadLettersScreen)
    return pilot.app.screen


def test_groups_and_letters() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "6")
        await rounds(pilot, service, 1)
        shown = text_of(pilot)
        line = next(line for line in shown.splitlines() if "mail-sender" in line)
        assert line.replace("│", " ").split()[:4] == ["mail-sender", "1,204", "=", "14:00:30"]
        assert "billing  7 dead letters" in shown
        line = next(line for line in shown.splitlines() if "order-5" in line)
        cells = line[line.index("14:01:15") :].replace("│", " ").split()
        assert cells[:5] == ["14:01:15", "Orders", "16", "order-5", "TagA"]
        assert letter(5).message_id in cells
        await press(pilot, "j")
        assert "mail-sender  newest 7 of 1,204 · m shows more" in text_of(pilot)
        await press(pilot, "m")
        assert screen(pilot).most == 400
        await press(pilot, "j")
        assert "it has no dead letters any more" in text_of(pilot)
        assert screen(pilot).most == 200

    play(script, size=(260, 30))


def test_the_marked_letters_are_sent_again_as_the_form_says() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "6", "enter", "space", "space", "p")
        assert isinstance(pilot.app.screen, FormDialog)
        assert "Re-send 2 dead letters of billing" in text_of(pilot)
        pilot.app.focused.value = ""
        await type_text(pilot, "fast")
        await press(pilot, "enter")
        assert isinstance(pilot.app.screen, FormDialog)
        pilot.app.focused.value = "0.5"
        await press(pilot, "down")
        await type_text(pilot, "%RETRY%billing")
        assert "Orders, Payments" in text_of(pilot)
        await press(pilot, "ctrl+s")
        assert isinstance(pilot.app.screen, ChangeDialog)
        await press(pilot, "y")
        places = (LetterPlace("broker-a", 0, 6), LetterPlace("broker-a", 0, 5))
        assert service.changed == [ResendDead("billing", places, 0.5, "%RETRY%billing", True)]
        await press(pilot, "escape")
        # The same key again does not send the same letters again.
        assert screen(pilot).pane.grid.marked == set()
        assert "•" not in text_of(pilot)

    play(script)


def test_a_key_on_the_list_leads_to_the_letters_and_never_takes_those_of_the_group_before() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "6", "p")
        assert not isinstance(pilot.app.screen, FormDialog)
        assert screen(pilot).pane.grid.has_focus
        assert "choose a letter first; space marks more than one" in text_of(pilot)
        await press(pilot, "escape", "v")
        assert pilot.app.screen.MODE == "dlq"
        await press(pilot, "space", "escape")
        # The keys come before the pane is about the group that the cursor is on.
        list_of = screen(pilot).list
        list_of.action_move(1)
        screen(pilot).action_resend()
        await settle(pilot)
        assert not isinstance(pilot.app.screen, FormDialog)
        assert (screen(pilot).subject, list_of.current) == ("mail-sender", "mail-sender")

    play(script)


def test_nothing_is_sent_where_nothing_may_be_changed() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "6", "enter", "p")
        assert isinstance(pilot.app.screen, DeadLettersScreen)
        assert "p send" not in text_of(pilot)

    play(script, read_only=True)


def test_where_a_letter_leads() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        message_id = letter(6).message_id
        await press(pilot, "6", "enter", "enter")
        assert (pilot.app.screen.MODE, pilot.app.screen.subject) == ("trace", f"Payments/{message_id}")
        await press(pilot, "escape")
        assert screen(pilot).subject == "billing"
        await press(pilot, "T")
        assert (pilot.app.screen.MODE, pilot.app.screen.subject) == ("trace", f"Payments/{message_id}")
        await press(pilot, "escape", "u")
        assert (pilot.app.screen.MODE, pilot.app.screen.subject) == ("groups", "billing")
        await press(pilot, "escape", "escape")
        went: list[tuple[str, str]] = []
        pilot.app.drill = lambda mode, name: went.append((mode, name))
        await press(pilot, "v")
        assert went == [("messages", "%DLQ%billing queue:broker-a/0@6")]

    play(script)


def test_export_holds_bodies() -> None:
    saved: list[tuple[Path, str]] = []

    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "6", "enter", "space", "j", "space", "x")
        assert isinstance(pilot.app.screen, ExportDialog)
        pilot.app.focused.value = "dead.jsonl"
        await press(pilot, "enter", "x")
        pilot.app.focused.value = "dead.csv"
        await press(pilot, "enter")

    play(script, save=lambda path, text: saved.append((path, text)))
    rows = [json.loads(line) for line in saved[0][1].splitlines()]
    assert [(row["offset"], row["encoding"], row["body"]) for row in rows] == [
        (6, "utf-8", BODIES[0].decode()),
        (4, "base64", "/wCAYmluYXJ5"),
    ]
    assert rows[0]["properties"] == {"KEYS": "order-6", "shop": "7"}
    assert [row["offset"] for row in csv.DictReader(io.StringIO(saved[1][1]))] == ["6", "4"]


def test_a_letter_that_cannot_be_read_is_exported_with_its_problem() -> None:
    found = LetterBody(letter(1).place, problem=Problem("it is not there any more"))
    row = exported_letter(letter(1), found)
    assert (row["body"], row["encoding"], row["problem"]) == ("", "", "it is not there any more")


def test_failing_and_late_answers() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        service.problems["dead_groups"] = Problem("no answer in time", "10.0.0.9:9876")
        await press(pilot, "6")
        assert "no answer" in text_of(pilot)
        service.problems = {}
        await rounds(pilot, service, 1)
        assert "billing" in text_of(pilot)
        slow = Problem("no answer in time", "10.0.0.1:10911")
        service.problems = {("dead_letters", "billing"): slow, ("dead_figures", "billing"): slow}
        await rounds(pilot, service, 3)
        shown = text_of(pilot)
        assert "as of 6s ago · ✗ no answer in time" in shown
        assert "order-5" in shown
        service.problems, service.dead = {}, {}
        await rounds(pilot, service, 1)
        assert "no group has given up on a message" in text_of(pilot)
        await press(pilot, "p")
        assert "there is no dead letter here" in text_of(pilot)
        await settle(pilot)

    play(script)


def test_from_a_group_to_its_dead_letters_and_its_clients() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "3", "j")
        assert pilot.app.screen.subject == "billing"
        await press(pilot, "d")
        assert (screen(pilot).subject, screen(pilot).pane.grid.has_focus) == ("billing", True)
        await press(pilot, "escape", "escape", "escape")
        assert pilot.app.screen.MODE == "groups"
        await press(pilot, "G", "d")
        assert screen(pilot).subject == "warehouse"

    play(script)


def test_escape_stops_a_change_that_can_be_stopped() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        async def change(change: Any, done: Any) -> Outcome:
            done(Item("broker-a/0@6", True, "Orders"))
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                return Outcome(False, "1 of 2 re-sent, stopped, 1 not tried", (Item("broker-a/0@6", True, "Orders"),))
            raise AssertionError

        service.change = change  # type: ignore[method-assign]
        pilot.app.propose(ResendDead("billing", (letter(6).place, letter(5).place)))
        await press(pilot)
        pilot.app.post_message(events.Key("y", "y"))
        for _ in range(5):
            await pilot.pause()
        assert "esc stops it where it is" in text_of(pilot)
        assert "1 done" in text_of(pilot)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, ChangeDialog)
        assert "✗ 1 of 2 re-sent, stopped, 1 not tried" in text_of(pilot)
        await press(pilot, "escape")
        assert not isinstance(pilot.app.screen, ChangeDialog)

    play(script)
