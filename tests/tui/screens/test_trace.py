"""The screen of a message's way."""

import asyncio
import json
from typing import Any

from rmq.tui.screens.trace import TraceScreen, parsed
from rmq.tui.service.model import Problem
from rmq.tui.widgets.trace_bars import TraceBars
from tests.kit.tui.traces import MESSAGE_ID
from tests.kit.tui_service import FakeService, play, press, rounds, text_of, type_text

TYPED = "abcXYZ 0189 !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ é€"


def screen(pilot: Any) -> TraceScreen:
    assert isinstance(pilot.app.screen, TraceScreen)
    return pilot.app.screen


def test_the_question_takes_every_character_and_escape_gives_it_back() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "7")
        assert screen(pilot).steps_grid.has_focus, "so that the numbers go on working"
        assert "Press i and type the id of a message, or press T" in text_of(pilot)
        await press(pilot, "i")
        assert pilot.app.focused.id == "query"
        await type_text(pilot, TYPED)
        assert pilot.app.focused.value == TYPED
        await press(pilot, "escape")
        assert (screen(pilot).steps_grid.has_focus, screen(pilot).query_one("#query").value) == (True, "")
        await press(pilot, "slash")
        assert pilot.app.focused.id == "query"
        await press(pilot, "enter")
        assert "an id is needed: TOPIC/ID, or ID" in text_of(pilot)
        assert service.count("trace") == 0

    play(script)


def test_bars_and_steps() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "7", "i")
        await type_text(pilot, f" {MESSAGE_ID} , OwnTraces")
        await press(pilot, "enter")
        assert service.asked[-1] == ("trace", f"/{MESSAGE_ID},OwnTraces")
        lines = text_of(pilot).splitlines()
        shown = [line.strip("│ ") for line in lines]
        assert f"Orders  {MESSAGE_ID}  13.91s" in lines[3]
        axis = next(line for line in shown if line.startswith("0 ") and "+13.91s" in line)
        assert axis.split() == ["0", "+3.48s", "+6.96s", "+10.43s", "+13.91s"]
        begin = shown.index(axis)
        bars = shown[begin + 1 : begin + 7]
        names = [line.split("  ")[0] for line in bars]
        assert names[:1] == ["send shop"]
        assert "consume billing ×2" in names
        failed = next(line for line in bars if line.startswith("consume billing "))
        again = next(line for line in bars if line.startswith("consume billing ×2"))
        assert (failed.count("█"), failed.split()[-1]) == (11, "2.4s")
        assert (again.count("█"), again.split()[-1]) == (6, "1.31s")
        rows = [line.split() for line in shown if "14:00:" in line]
        assert rows[0][-5:] == ["send", "shop", "14:00:00.000", "12ms", "sent"]
        assert rows[-1] == ["consume", "billing", "2", "14:00:12.600", "1.31s", "success"]
        assert "keys order-17" in text_of(pilot)

    play(script, size=(100, 30))


def test_where_steps_lead_and_what_is_copied() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        pilot.app.drill("trace", f"Orders/{MESSAGE_ID}")
        await press(pilot)
        went: list[tuple[str, str]] = []
        drill, pilot.app.drill = pilot.app.drill, lambda mode, name: went.append((mode, name))
        await press(pilot, "enter")
        await press(pilot, "G", "enter")
        assert went == [("messages", f"Orders uniq:{MESSAGE_ID}"), ("groups", "billing")]
        assert screen(pilot).query_one(TraceBars).current == 5
        pilot.app.drill = drill
        await press(pilot, "y", "down", "down", "down", "enter")
        assert pilot.app.clipboard == (
            f"mqadmin queryMsgTraceById -n '10.0.0.9:9876;10.0.0.10:9876' -i {MESSAGE_ID}"
        )
        await press(pilot, "y", "down", "down", "enter")
        row = json.loads(pilot.app.clipboard)
        assert (row["step"], row["group"], row["try"], row["took"]) == ("consume", "billing", 2, 1310)
        await press(pilot, "enter", "escape", "escape")
        assert screen(pilot).subject == f"Orders/{MESSAGE_ID}"
        await press(pilot, "escape")
        assert pilot.app.screen.MODE == "topics"

    play(script)


def test_why_there_is_none() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "colon", *"trace Orders/unknown", "enter")
        shown = " ".join(line.strip("│ ") for line in text_of(pilot).splitlines())
        assert "No trace: there is no trace topic: traceTopicEnable is off on broker-a" in shown
        assert "→ set traceTopicEnable=true and start the broker again" in shown
        assert "nothing is told" in shown

    play(script)


def test_failing_and_late_answers() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        service.problems["trace"] = Problem("no answer in time", "10.0.0.1:10911", None, "it is slow or stuck")
        pilot.app.drill("trace", f"Orders/{MESSAGE_ID}")
        await press(pilot)
        assert "✗ 10.0.0.1:10911: no answer in time" in text_of(pilot)
        service.problems = {}
        await rounds(pilot, service, 1)
        assert "consume billing" in text_of(pilot)
        service.problems["trace"] = Problem("no answer in time", "10.0.0.1:10911")
        await rounds(pilot, service, 2)
        shown = text_of(pilot)
        assert "as of 4s ago · ✗ no answer in time" in shown
        assert "consume billing" in shown
        await press(pilot, "z")
        asked = service.count("trace")
        await rounds(pilot, service, 2)
        assert service.count("trace") == asked

    play(script)


def test_an_answer_for_another_message_is_dropped() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        service.held[("trace", f"Orders/{MESSAGE_ID}")] = asyncio.Event()
        pilot.app.drill("trace", f"Orders/{MESSAGE_ID}")
        await pilot.pause(0.05)
        screen(pilot).go_to("Orders/unknown")
        service.held[("trace", f"Orders/{MESSAGE_ID}")].set()
        await press(pilot)
        assert screen(pilot).traced.value.message_id == "unknown"
        assert "consume billing" not in text_of(pilot)

    play(script)


def test_questions() -> None:
    assert parsed("A") == ("A", "", "")
    assert parsed(" Orders/A , Own ") == ("A", "Orders", "Own")
    assert parsed("%DLQ%billing/A") == ("A", "%DLQ%billing", "")
    assert parsed("Orders/") == ("", "Orders", "")
