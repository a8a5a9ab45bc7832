"""The screen of clients."""

import json
from pathlib import Path
from typing import Any

from rmq.tui.screens.clients import ClientsScreen, client_state
from rmq.tui.screens.stack import StackScreen
from rmq.tui.service.model import CONSUMER, PRODUCER, Connected, Problem, Running
from rmq.tui.state.seen import Seen
from tests.kit.tui.clients import BUSY, CONNECTED, IDLE, NOW, STACK
from tests.kit.tui_service import FakeService, play, press, rounds, text_of, type_text


def screen(pilot: Any) -> ClientsScreen:
    assert isinstance(pilot.app.screen, ClientsScreen)
    return pilot.app.screen


def test_clients_and_how_they_are() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "5")
        rows = [line.replace("│", " ").split() for line in text_of(pilot).splitlines()]
        first = ["10.0.0.11@4711", "producer", "shop", "active", "JAVA", "V5_4_0", "10.0.0.11:50010", "·", "·", "·"]
        assert first in [row[1:11] for row in rows]
        rows = [row[row[0] == "▶" :] for row in rows if row]
        states = {row[0]: row[3] for row in rows if len(row) > 3 and row[0].startswith("10.0.0.")}
        assert states == {
            "10.0.0.11@4711": "active",
            "10.0.0.12@99": "silent",
            "10.0.0.20@1000": "active",
            "10.0.0.21@1001": "idle",
            "10.0.0.30@7": "stuck",
        }
        asked = {name for question, name in service.asked if question == "running"}
        assert asked == {"10.0.0.20@1000", "10.0.0.21@1001", "10.0.0.30@7"}
        service.groups_asked = 3
        await rounds(pilot, service, 1)
        assert "consumers of 3 of 8 groups" in text_of(pilot)

    play(script, size=(260, 30))


def test_the_pane_and_where_it_leads() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "5", "G", "enter")
        assert screen(pilot).subject == CONNECTED[4].key
        assert "can't consume for a while" in text_of(pilot)
        titles = []
        for _ in range(4):
            titles.append(screen(pilot).pane.tab.title)
            await press(pilot, "right_square_bracket")
        assert titles == ["Queues", "Subscriptions", "Pace", "Facts"]
        await press(pilot, "right_square_bracket")
        assert "TagA || TagB" in text_of(pilot)
        await press(pilot, "enter")
        assert (pilot.app.screen.MODE, pilot.app.screen.subject) == ("topics", "Orders")
        await press(pilot, "escape", "escape")
        assert screen(pilot).subject == CONNECTED[4].key

    play(script, size=(260, 30))


def test_the_stack_is_shown_searched_copied_and_saved() -> None:
    saved: list[tuple[str, str]] = []

    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "5", "k")
        assert "a producer cannot be asked for its threads" in text_of(pilot)
        await press(pilot, "down", "down", "k")
        assert isinstance(pilot.app.screen, StackScreen)
        shown = text_of(pilot)
        assert f"Threads of {BUSY.client_id}" in shown
        assert "TID: 0 STATE: RUNNABLE" in shown
        assert "119 lines" in shown
        await press(pilot, "slash")
        await type_text(pilot, "Shop.java:33")
        await press(pilot, "enter")
        assert "at Shop.take(Shop.java:33)" in text_of(pilot)
        assert "1 line with 'Shop.java:33'" in text_of(pilot)
        await press(pilot, "g")
        assert "TID: 0 STATE" in text_of(pilot)
        await press(pilot, "y")
        assert pilot.app.clipboard == STACK
        await press(pilot, "x")
        assert "saved as 10.0.0.20-1000.jstack" in text_of(pilot)
        await press(pilot, "question_mark", "escape", "escape")
        assert screen(pilot).list.has_focus
        service.problems["stack"] = Problem("no answer in time", "10.0.0.1:10911", None, "it is slow or stuck")
        await press(pilot, "K")
        assert "no threads: 10.0.0.1:10911: no answer in time · it is slow or stuck" in text_of(pilot)

    play(script, save=lambda path, text: saved.append((str(path), text)))
    assert saved == [("10.0.0.20-1000.jstack", STACK)]


def test_to_the_group_and_from_a_group() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "5", "u")
        assert "shop is a group of producers" in text_of(pilot)
        await press(pilot, "G", "u")
        assert (pilot.app.screen.MODE, pilot.app.screen.subject) == ("groups", "warehouse")
        await press(pilot, "escape", "escape")
        pilot.app.drill("clients", "10.0.0.21@1001")
        await press(pilot)
        assert screen(pilot).subject == IDLE.key

    play(script)


def test_a_client_of_a_group_that_was_not_asked_yet() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        late = Connected(CONSUMER, "late", "10.0.0.99@1", "10.0.0.99:1", "JAVA", "V5_4_0", "10.0.0.1:10911", "push")
        await press(pilot, "5")
        service.connected = (*service.connected, late)
        pilot.app.drill("clients", late.key)
        await press(pilot)
        assert ("clients", "late") in service.asked
        assert screen(pilot).subject == late.key

    play(script)


def test_copy_tells_the_command() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        nameservers = "'10.0.0.9:9876;10.0.0.10:9876'"
        await press(pilot, "5", "y", "down", "down", "down", "enter")
        assert pilot.app.clipboard == f"mqadmin producer -n {nameservers} -b 10.0.0.1:10911"
        await press(pilot, "down", "down", "y", "down", "down", "down", "enter")
        assert pilot.app.clipboard == f"mqadmin consumerStatus -n {nameservers} -g billing -i 10.0.0.20@1000"
        await press(pilot, "y", "down", "down", "enter")
        row = json.loads(pilot.app.clipboard)
        assert (row["name"], row["role"], row["group"], row["state"], row["q"]) == (
            BUSY.client_id, "consumer", "billing", "active", 4,
        )  # fmt: skip

    play(script)


def test_failing_and_late_answers() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "5")
        gone = Problem("cannot connect: Connection refused", "10.0.0.9:9876", None, "is it running?")
        service.problems = {"clients": gone, ("running", BUSY.client_id): gone}
        await rounds(pilot, service, 2)
        assert "10.0.0.9:9876: cannot connect: Connection refused  for 2s" in text_of(pilot)
        assert BUSY.client_id in text_of(pilot)
        service.problems = {}
        await rounds(pilot, service, 1)
        assert "cannot connect" not in text_of(pilot)
        service.connected = ()
        await rounds(pilot, service, 1)
        assert "nobody is connected, neither producer nor consumer" in text_of(pilot)

    play(script)


def test_states() -> None:
    sender = Connected(PRODUCER, "shop", "p", "", "", "", "", heard=NOW - 50_000)
    assert client_state(sender, Seen("p"), NOW) == "silent"
    assert client_state(sender, Seen("p"), NOW - 10_000) == "active"
    taker = Connected(CONSUMER, "g", "c", "", "", "", "")
    assert client_state(taker, Seen("c"), NOW) == "·"
    assert client_state(taker, Seen("c").told(Running(2, 0, 0, 1), NOW), NOW) == "stuck"
    assert client_state(taker, Seen("c").told(Running(0, 0), NOW), NOW) == "idle"
    assert client_state(taker, Seen("c").told(Running(problem=Problem("x")), NOW), NOW) == "no answer"


def test_a_stack_that_cannot_be_saved() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "5", "G", "k")
        await press(pilot, "x")
        assert "10.0.0.30-7.jstack cannot be written: no files in this test" in text_of(pilot)

    play(script)
    assert not Path("10.0.0.30-7.jstack").exists()
