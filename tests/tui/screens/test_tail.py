"""Tail: what comes is shown, what is too fast is counted, and every key."""

import asyncio
from typing import Any

from rmq.tui.screens.tail import TailScreen
from rmq.tui.service.model import Problem, Tailed
from rmq.tui.service.query import QueueRange
from rmq.tui.state.ring import KEPT
from tests.kit.tui.messages import stored
from tests.kit.tui_service import FakeService, play, press, settle, strike, text_of, type_text
from tests.tui.test_app import TYPED

REFUSED = Problem("no answer in time", "10.0.0.1:10911", None, "it is slow or stuck; it is asked again")


def screen(pilot: Any) -> TailScreen:
    assert isinstance(pilot.app.screen, TailScreen)
    return pilot.app.screen


async def come(pilot: Any, service: FakeService, *tailed: Tailed) -> None:
    """What comes, a look each, a second of the clock apart."""
    for each in tailed:
        service.later(1)
        service.tails[-1].coming.append(each)
        await settle(pilot)
        while service.tails[-1].coming:
            screen(pilot).look()
            await settle(pilot)


def some(first: int, last: int) -> tuple[Any, ...]:
    return tuple(stored(number) for number in range(first, last))


def test_new_messages_are_followed() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "2", "j", "t")
        assert (service.tails[0].topic, service.tails[0].queue) == ("Orders", None)
        assert "nothing new yet: what comes from now on is shown here" in text_of(pilot)
        await come(pilot, service, Tailed(), Tailed(some(0, 3)), Tailed(some(3, 7), 9))
        text = text_of(pilot)
        assert "Tail Orders (7)" in text
        assert "7 came · 9 dropped" in text
        assert screen(pilot).chosen == stored(6)
        await press(pilot, "k")
        await come(pilot, service, Tailed(some(7, 8)))
        assert screen(pilot).chosen == stored(5)
        assert "not following" in text_of(pilot)
        await press(pilot, "e")
        assert screen(pilot).chosen == stored(7)
        assert "following · " in text_of(pilot)
        await press(pilot, "C")
        assert screen(pilot).list.keys == []
        await come(pilot, service, Tailed(some(8, 9)))
        assert len(screen(pilot).list.keys) == 1
        await press(pilot, "slash", *"order-9", "enter")
        await come(pilot, service, Tailed(some(9, 12)))
        assert [screen(pilot).list.rows[key].keys for key in screen(pilot).list.keys] == ["order-9"]
        await press(pilot, "escape", "escape")
        assert pilot.app.screen.MODE == "topics"

    play(script)


def test_a_pause_asks_for_nothing_and_goes_on() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "2", "j", "enter", "right_square_bracket", "j", "t")
        tail = service.tails[0]
        assert tail.queue == QueueRange("broker-a", 1)
        assert "Tail Orders broker-a/1" in text_of(pilot)
        await press(pilot, "z")
        looks = tail.looks
        screen(pilot).look()
        await pilot.pause(2.0)
        assert tail.looks == looks
        assert "paused" in text_of(pilot)
        await press(pilot, "z")
        assert tail.looks > looks
        await press(pilot, "2")
        assert pilot.app.screen.MODE == "topics"
        looks = tail.looks
        await pilot.pause(2.0)
        assert tail.looks == looks

    play(script)


def test_a_tail_that_is_not_in_front_does_not_look() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "2", "j", "t", "3")
        tail = service.tails[0]
        looks = tail.looks
        await pilot.pause(2.0)
        assert tail.looks == looks
        await press(pilot, "2")
        assert screen(pilot).topic == "Orders"
        await pilot.pause(0.6)
        assert tail.looks > looks

    play(script)


def test_failing_and_late_answers() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "2", "j", "t")
        await come(pilot, service, Tailed(some(0, 3)))
        service.problems["tail"] = REFUSED
        screen(pilot).look()
        await settle(pilot)
        service.later(75)
        screen(pilot).look()
        await settle(pilot)
        assert "✗ 10.0.0.1:10911: no answer in time  for 1m 15s" in text_of(pilot)
        assert len(screen(pilot).list.keys) == 3
        service.problems.clear()
        service.held["tail"] = asyncio.Event()
        screen(pilot).look()
        await pilot.pause(0.5)
        looks = service.tails[0].looks
        await pilot.pause(2.0)
        assert service.tails[0].looks == looks
        await strike(pilot, "k")
        assert screen(pilot).chosen == stored(1)
        service.held.pop("tail").set()
        await settle(pilot)
        assert "no answer in time" not in text_of(pilot)

    play(script)


def test_no_more_than_so_many_are_kept() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "2", "j", "t")
        await come(pilot, service, Tailed(some(0, KEPT)), Tailed(some(KEPT, KEPT + 30)))
        assert len(screen(pilot).list.keys) == KEPT
        assert screen(pilot).chosen == stored(KEPT + 29)
        assert stored(29).key not in screen(pilot).list.rows
        assert "2,030 came · 0 dropped · newest 2,000 kept" in text_of(pilot)

    play(script)


def test_keys_of_a_message_and_lines() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "2", "j", "t")
        await come(pilot, service, Tailed(some(0, 2)))
        assert "plain text, with grüße" in text_of(pilot)
        await press(pilot, "z", "d")
        assert screen(pilot).pane.body.decoder == "json"
        await press(pilot, "slash")
        await type_text(pilot, TYPED)
        assert pilot.app.focused.value == TYPED
        await press(pilot, "escape", "T")
        assert (pilot.app.current_mode, pilot.app.screen.subject) == (
            "trace",
            "Orders/0A00000B00001234ABCD000000000001",
        )
        await press(pilot, "escape")
        assert screen(pilot).chosen == stored(1)

    play(script)
