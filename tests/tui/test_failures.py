"""Slow and dead servers: never frozen, never crashed, shown with age and cause."""

import asyncio
from typing import Any

from rmq.tui.service.model import Problem
from tests.kit.tui_service import DEAD, GONE, OTHER, FakeService, fake_app, play, press, rounds, settle, text_of

SLOW = Problem("no answer in time", OTHER, None, "it is slow or stuck; it is asked again")


def test_a_name_server_that_goes_and_comes_back() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await rounds(pilot, service, 2)
        service.problems = dict.fromkeys(("cluster", "topic_names", "topics", "topic"), GONE)
        await rounds(pilot, service, 5)
        shown = text_of(pilot)
        assert "✗ 10.0.0.9:9876: cannot connect: Connection refused  for 8s, last answer 10s ago" in shown
        assert "is it running?" in shown
        assert "Orders" in shown
        assert "3,2" in shown
        assert "as of 10s ago" in shown
        await press(pilot, "j", "k", "3", "1", "2")
        service.problems = {}
        await rounds(pilot, service, 1)
        assert "✗" not in text_of(pilot)
        assert pilot.app.screen.list.rows["Orders"].at == service.clock

    play(script, size=(140, 36))


def test_a_name_server_that_is_not_there_from_the_beginning() -> None:
    service = FakeService()
    service.problems = dict.fromkeys(("cluster", "topic_names", "group_names"), GONE)

    async def script(pilot: Any, service: FakeService) -> None:
        for number in "213":
            await press(pilot, number)
            shown = text_of(pilot)
            assert "no answer" in shown.splitlines()[0]
            assert "10.0.0.9:9876: cannot connect: Connection refused" in shown
        service.problems = {}
        await press(pilot, "2")
        await rounds(pilot, service, 1)
        assert "Payments" in text_of(pilot)

    play(script, service=service)


def test_a_dead_broker_is_one_among_others() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        service.problems[("broker", OTHER)] = DEAD
        await rounds(pilot, service, 2)
        assert "brokers 2/3" in text_of(pilot).splitlines()[0]
        await press(pilot, "1", "G")
        await rounds(pilot, service, 1)
        assert "✗ 10.0.0.3:10911: cannot connect: Connection refused  for " in text_of(pilot)
        del service.problems[("broker", OTHER)]
        await rounds(pilot, service, 1)
        assert "brokers 3/3" in text_of(pilot).splitlines()[0]

    play(script)


def test_a_topic_of_a_dead_broker_keeps_its_figures() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        service.problems[("topics", "Orders")] = DEAD
        service.problems[("topic", "Orders")] = DEAD
        await press(pilot, "j")
        await rounds(pilot, service, 3)
        row = pilot.app.screen.list.rows["Orders"]
        assert (row.stale, row.figures.lag, service.clock - row.since) == (True, 3201, 6000 - 2000)
        assert "✗ 10.0.0.3:10911: cannot connect: Connection refused  for 4s" in text_of(pilot)

    play(script)


def test_a_slow_row_does_not_keep_the_others() -> None:
    async def run() -> None:
        service = FakeService()
        gate = service.held[("topics", "Orders")] = asyncio.Event()
        app = fake_app(service)
        async with app.run_test(size=(120, 36)) as pilot:
            for _ in range(4):
                await pilot.pause(0.1)
            rows = app.screen.list.rows  # type: ignore[attr-defined]
            assert (rows["Orders"].at, rows["Payments"].at) == (0, service.clock)
            await pilot.press("j", "j")
            await pilot.pause()
            assert app.screen.list.current == "OrdersDelay"  # type: ignore[attr-defined]
            gate.set()
            await settle(pilot)
            assert app.screen.list.rows["Orders"].at == service.clock  # type: ignore[attr-defined]

    asyncio.run(run())


def test_what_is_under_way_is_not_asked_again() -> None:
    async def run() -> None:
        service = FakeService()
        gates = [service.held.setdefault(key, asyncio.Event()) for key in ("cluster", "topic_names")]
        app = fake_app(service)
        async with app.run_test(size=(120, 36)) as pilot:
            for _ in range(5):
                app.tick()
                await pilot.pause()
            assert (service.count("cluster"), service.count("topic_names")) == (1, 1)
            await pilot.press("1", "3", "2", "slash", "a", "escape")
            for gate in gates:
                gate.set()
            await settle(pilot)
            assert "Orders" in text_of(pilot)

    asyncio.run(run())


def test_an_answer_about_a_row_that_was_left_is_dropped() -> None:
    async def run() -> None:
        service = FakeService()
        app = fake_app(service)
        async with app.run_test(size=(120, 36)) as pilot:
            await settle(pilot)
            gate = service.held[("topic", "Orders")] = asyncio.Event()
            await pilot.press("j")
            await pilot.pause(0.3)
            assert service.asked[-1] == ("topic", "Orders")
            await pilot.press("j")
            await pilot.pause(0.3)
            gate.set()
            await settle(pilot)
            screen: Any = app.screen
            assert (screen.subject, screen.detail.value.topic.name) == ("OrdersDelay", "OrdersDelay")

    asyncio.run(run())


def test_a_broker_without_an_answer_in_time() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        service.problems[("group", "audit-trail")] = SLOW
        service.problems[("groups", "audit-trail")] = SLOW
        await press(pilot, "3")
        await rounds(pilot, service, 1)
        shown = text_of(pilot)
        assert "✗ 10.0.0.3:10911: no answer in time  for 2s" in shown
        assert "it is slow or stuck" in shown

    play(script)
