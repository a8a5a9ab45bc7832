"""Peers that send the worst: shown harmless, nothing ends, nothing keeps the loop, and memory has bounds."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from rich.cells import cell_len

from rmq.tui.service.model import (
    Batch,
    BrokerRights,
    ClientDetail,
    Cluster,
    DeadGroup,
    DeadLetter,
    HeldQueue,
    LetterPlace,
    NameServer,
    Problem,
    Queue,
    Reader,
    Rights,
    RouteEntry,
    Running,
    Setting,
    StoredMessage,
    Tailed,
    Topic,
    TopicDetail,
    Traced,
    TraceStep,
    Track,
)
from rmq.tui.service.model import Broker as BrokerRow
from rmq.tui.service.model.clients import CONSUMER, Connected
from rmq.tui.service.model.traces import StepKind
from rmq.tui.service.query import Query
from rmq.tui.state.ring import KEPT
from tests.kit.tui.blocking import longest_callback
from tests.kit.tui.messages import stored
from tests.kit.tui.rights import rule, rules
from tests.kit.tui_service import FakeService, play, press, rounds, settle, strike, text_of, type_text

KEPT_BACK = 0.5
"""Seconds of the processor for which a callback may keep the loop; making a screen of widgets takes half of it."""
FAR = 2**63 - 1
NASTY = (
    "\x1b]0;owned\x07\x1b[2J\x1b[31mred a\nb\r\tc\x00d\x7f\x9b31m \u202eright to left\u2066",
    "[red]not red[/red] [@click=app.quit]x[/] [/] %s {0} {name} %(x)s",
    "订单主题" * 20 + "🎉👨‍👩‍👧‍👦é",
    "x" * 30_000,
    "",
)


class Hostile(FakeService):
    """Answers everything with one text, and numbers that nobody should send."""

    def __init__(self, text: str, number: int) -> None:
        super().__init__()
        self.text, self.number = text, number
        self.problem = Problem(text, text, 1, text)
        self.settings = {text: text, "other": text}
        self.connected = (Connected(CONSUMER, text, text, text, text, text, text, text, number),)
        place = LetterPlace(text, 0, number)
        self.letters = [DeadLetter(place, text, text, text, text, text, number, number, number, number, text)]
        self.dead = {text: DeadGroup(text, number, number, number)}
        self.track = (Track(text, text, text),)
        self.messages = [self.message(at) for at in range(3)]

    def message(self, at: int) -> StoredMessage:
        text, number = self.text, self.number
        body = text.encode("utf-8", "surrogatepass")
        return StoredMessage(
            "Orders", text, number, number, text, f"{text}{at}", body, text, text, ((text, text),),
            number, number, text, text, number, number, number, number, number, number,
        )  # fmt: skip

    async def cluster(self) -> Cluster | Problem:
        text, number = self.text, self.number
        row = BrokerRow(
            text, text, number, text or ":", text, number, number, number, float(number), number, number, number,
            number, number, False, number, number, ((text, text),),
        )  # fmt: skip
        return Cluster((row, replace(row, address="x", problem=self.problem)), (NameServer(text, number, (text,)),))

    async def topic_names(self) -> tuple[str, ...] | Problem:
        return "Orders", self.text

    async def group_names(self) -> tuple[str, ...] | Problem:
        return "billing", self.text

    def _topic(self, name: str) -> Topic:
        number = self.number
        return Topic(name, self.text, self.text, number, number, number, number, number, number, 1, number)

    async def topic(self, name: str) -> TopicDetail | Problem:
        text, number = self.text, self.number
        return TopicDetail(
            self._topic(name),
            (RouteEntry(text, text, "", number, number, text),),
            (Queue(text, number, number, -1, number),),
            (Reader(text, number, number, -1), Reader(text + "2", None, 0, 0, self.problem)),
            (Setting(text, text, text),),
            (self.problem,),
        )

    async def client(self, client: Connected) -> ClientDetail | Problem:
        text, number = self.text, self.number
        held = HeldQueue(text, text, number, number, number, number, number, text)
        return ClientDetail(Running(number, number, number, number), (held,), facts=((text, text),))

    async def trace(self, message_id: str, topic: str = "", trace_topic: str = "") -> Traced | Problem:
        text, number = self.text, self.number
        step = TraceStep(StepKind.SEND, text, text, number, number, True, text, number, {text: text})
        return Traced(text, text, (step, replace(step, kind=StepKind.CONSUME, start=0, millis=None)), text, text)

    async def rights(self) -> Rights | Problem:
        info = rules(self.text, rule(self.text, self.text))
        one = BrokerRights(self.text, self.text, {}, {self.text: info}, True)
        return Rights((one,))


def harmless(pilot: Any) -> str:
    """What the terminal shows, after it was looked at: no character that moves a cursor, no line too long."""
    shown = text_of(pilot)
    width = pilot.app.size.width
    wrong = [line for line in shown.splitlines() if not line.isprintable() or cell_len(line) != width]
    assert wrong == []
    return shown


@pytest.mark.parametrize("at", range(len(NASTY)))
def test_every_screen_with_the_worst_of_names_and_numbers(at: int) -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        app = pilot.app
        with longest_callback() as longest:
            for screen in "123456789":
                await press(pilot, screen)
                if screen in "47":
                    app.screen.go_to("Orders" if screen == "4" else "Orders/X")
                await rounds(pilot, service, 1)
                await strike(pilot, "j", "enter")
                for _ in range(4):
                    harmless(pilot)
                    await strike(pilot, "right_square_bracket")
                for key in "yx":
                    await strike(pilot, key)
                    harmless(pilot)
                    await strike(pilot, "escape")
                await strike(pilot, "escape")
            service.problems = dict.fromkeys(("topics", "groups", "dead_letters", "running"), service.problem)  # type: ignore[attr-defined]
            for screen in "2356":
                await press(pilot, screen)
                await rounds(pilot, service, 1)
                harmless(pilot)
            await press(pilot, "4")
            for key in "pTt":
                await press(pilot, key)
                harmless(pilot)
                await press(pilot, "escape")
        assert longest.seconds < KEPT_BACK, longest

    play(script, service=Hostile(NASTY[at], (FAR, -FAR, 0)[at % 3]), size=(130, 36))


Script = Callable[[Any, Any], Awaitable[None]]


async def a_hundred_thousand_names(pilot: Any, service: FakeService) -> None:
    service.more_topics = tuple(f"topic-{number:06}" for number in range(100_000))
    await rounds(pilot, service, 1)
    await press(pilot, "G", "k")
    assert "topic-" in harmless(pilot)
    assert pilot.app.screen.remarks() == ["90,010 more names are left out"]
    await press(pilot, "slash")
    await type_text(pilot, "099")
    await press(pilot, "enter", "s", "s", "escape")


async def ten_thousand_messages(pilot: Any, service: FakeService) -> None:
    async def search(query: Query, tell: Callable[[Batch], None]) -> None:
        for start in range(0, 10_000, 500):
            tell(Batch(tuple(stored(start + at) for at in range(500)), start + 500, 10_000, done=start == 9_500))
            await asyncio.sleep(0.1)

    service.search = search  # type: ignore[method-assign]
    await press(pilot, "4")
    pilot.app.screen.go_to("Orders limit:10000")
    await settle(pilot)
    assert "10,000 found" in harmless(pilot)
    await press(pilot, "G", "s", "S", "slash", "b", "o", "enter")


async def a_fast_tail(pilot: Any, service: FakeService) -> None:
    await press(pilot, "4")
    pilot.app.screen.go_to("Orders")
    await press(pilot, "t")
    for look in range(8):
        service.tails[-1].coming.append(Tailed(tuple(stored(look * 1024 + at) for at in range(1024)), 4000))
        service.later(0.25)
        await press(pilot, "r", "k")
    assert len(pilot.app.screen.ring.messages) == KEPT
    assert "32,000 dropped" in harmless(pilot)


async def large_and_deep_bodies(pilot: Any, service: FakeService) -> None:
    wide = json.dumps({f"key {at}": [at, "中" * 50] for at in range(12_000)}).encode()
    bodies = [b"a" * (4 << 20), b"\x00\xff" * (2 << 20), b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 100_000, wide]
    bodies += ["中🎉".encode() * 500_000, b"[" + b"9" * 1_000_000 + b"]", b"[1e999999999999999999]", b"\n" * (1 << 20)]
    service.messages = [stored(at, body=body) for at, body in enumerate(bodies)]
    await press(pilot, "4")
    pilot.app.screen.go_to("Orders")
    await settle(pilot)
    for _ in bodies:
        for _ in range(6):
            await press(pilot, "d")
            harmless(pilot)
        await press(pilot, "j")


async def many_settings(pilot: Any, service: FakeService) -> None:
    service.settings = {f"key{number:05}": "v" * 50 for number in range(10_000)}
    await press(pilot, "1", "right_square_bracket", "e")
    await press(pilot, "G", "slash", "9", "9", "enter")
    harmless(pilot)


async def many_clients(pilot: Any, service: FakeService) -> None:
    service.connected = tuple(
        Connected(CONSUMER, "billing", f"客户端@{number}", "h:1", "JAVA", "V5", "b:1", "push") for number in range(5000)
    )
    await press(pilot, "5", "G", "k", "slash", "9", "9", "enter")
    assert "客户端@" in harmless(pilot)
    assert service.count("running") < 400


@pytest.mark.parametrize(
    "script",
    [a_hundred_thousand_names, ten_thousand_messages, a_fast_tail, large_and_deep_bodies, many_settings, many_clients],
)
def test_much(script: Script) -> None:
    async def measured(pilot: Any, service: FakeService) -> None:
        with longest_callback() as longest:
            await script(pilot, service)
        # A list is filtered and sorted at once: twenty microseconds a row.
        assert longest.seconds < 2 * KEPT_BACK, longest

    play(measured, size=(130, 36))


@pytest.mark.parametrize(
    "line", ["~(a+)+$", "~(a|aa)+$ !x", "~(?R)", "~((a{999}){999}){999}", "~" + "(" * 300, "~(x+x+)+y"]
)
def test_an_expression_that_never_ends_filters_nothing(line: str) -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        service.more_topics = tuple(f"{'a' * 60}{'x' * 60}{number}!" for number in range(2000))
        await rounds(pilot, service, 1)
        await press(pilot, "slash")
        with longest_callback() as longest:
            pilot.app.focused.value = line
            await settle(pilot)
            await press(pilot, "enter", "j")
            await rounds(pilot, service, 2)
        assert "✗ ~" in harmless(pilot)
        assert pilot.app.screen.list.problem
        assert longest.seconds < 2 * KEPT_BACK, longest

    play(script)
