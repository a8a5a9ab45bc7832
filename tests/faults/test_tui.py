"""The terminal interface over servers that stop, die, lie and come back: never frozen, never ended, and itself again.

The servers are processes of their own; the network in between is a relay that spoils answers. What is awaited is what
the terminal shows. All the while a heartbeat measures for how long the loop was kept.
"""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from rmq.client.aio import Producer
from rmq.client.message import Message
from rmq.tui.app import RmqApp
from rmq.tui.service.live import service as live
from rmq.tui.state.session import Session
from tests.kit.frames import create_topic, wait_for_broker
from tests.kit.ports import free_block, free_port
from tests.kit.process import Child
from tests.kit.relay import Relay, Way
from tests.kit.server import BASE_CONFIG, write_config
from tests.kit.tui_service import strike, text_of

PATIENCE = 0.6
"""Seconds that a server has for an answer in these tests."""
KEPT_BACK = 5.0
"""Seconds for which the loop may be kept on a machine that has other things to do; a wait would keep it for longer."""
TOPIC = "Orders"


class Servers:
    """A name server and a broker, each a process."""

    def __init__(self, home: Path) -> None:
        self._home = home
        port, self._namesrv_port = free_block(-2, 0, 1), free_port()
        self.namesrv_addr, self.broker_addr = f"127.0.0.1:{self._namesrv_port}", f"127.0.0.1:{port}"
        ours = {"listenPort": str(port), "storePathRootDir": str(home / "store"), "namesrvAddr": self.namesrv_addr}
        self._configs = {
            "namesrv": write_config(home / "namesrv.conf", {"listenPort": str(self._namesrv_port)}),
            "broker": write_config(home / "broker.conf", {**BASE_CONFIG, **ours, "traceTopicEnable": "true"}),
        }
        self.children: dict[str, Child] = {}
        self.start("namesrv", "broker")

    def start(self, *roles: str) -> None:
        for role in roles:
            words = [sys.executable, "-m", "rmq", role, "-c", str(self._configs[role])]
            environment = {"HOME": str(self._home), "PYTHONPATH": str(Path(__file__).parents[2])}
            self.children[role] = Child(words, cwd=self._home, env=environment)
        wait_for_broker(self.namesrv_addr, self.broker_addr)

    def signal(self, role: str, number: signal.Signals) -> None:
        os.kill(self.children[role].pid, number)

    def kill(self, *roles: str) -> None:
        for role in roles:
            self.children[role].kill()


async def send(namesrv: str) -> None:
    async with Producer("sender", namesrv_addr=namesrv) as producer:
        for number in range(20):
            await producer.send(Message(TOPIC, f"body {number}" if number else "a" * 5000 + "!"))


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    running = Servers(tmp_path_factory.mktemp("servers"))
    try:
        create_topic(running.namesrv_addr, running.broker_addr, TOPIC, 4)
        asyncio.run(send(running.namesrv_addr))
        yield running
    finally:
        running.kill(*running.children)


@asynccontextmanager
async def shown(namesrv: str, table: dict[str, str] | None = None) -> AsyncIterator[Any]:
    """The application, asking twice a second; at its end, how long the loop was kept at most."""

    def now() -> int:
        return time.time_ns() // 1_000_000

    def forbidden(path: Path, text: str) -> None:
        raise OSError(13, "no files in this test")

    gaps = [0.0]

    async def beat() -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.01)
            gaps.append(time.monotonic() - before - 0.01)

    service = live.LiveService([namesrv], now, None, table)
    app = RmqApp(Session(service, now, None, forbidden, refresh=0.5))
    async with app.run_test(size=(140, 36)) as pilot:
        heart = asyncio.ensure_future(beat())
        yield pilot
        heart.cancel()
    assert max(gaps) < KEPT_BACK


async def until(pilot: Any, holds: Callable[[str], bool], *, seconds: float = 60.0) -> None:
    """Waits for what the terminal is to show."""
    end = time.monotonic() + seconds
    while not holds(text_of(pilot)):
        assert time.monotonic() < end, text_of(pilot)
        await asyncio.sleep(0.02)


async def everywhere(pilot: Any, screens: str = "123456789") -> None:
    """Goes through screens and their tabs, as fast as keys come; each key is answered."""
    for screen in screens:
        await strike(pilot, screen)
        assert int(screen) == pilot.app.screen.NUMBER
        assert f"{screen} {pilot.app.screen.TITLE}" in text_of(pilot)
        if screen in "47":
            pilot.app.screen.go_to(TOPIC if screen == "4" else f"{TOPIC}/7F00000100002A9F0000000000000A00")
        await strike(pilot, "j", "right_square_bracket", "right_square_bracket", "r", "y", "escape")


async def followed(pilot: Any) -> None:
    """A search, and a tail that stays open."""
    await strike(pilot, "4")
    pilot.app.screen.go_to(TOPIC)
    await strike(pilot, "t")
    await until(pilot, lambda text: f"Tail {TOPIC}" in text)


def is_well(text: str) -> bool:
    return "brokers 1/1" in text and "✗" not in text and TOPIC in text


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "TIMEOUT", PATIENCE)


@pytest.mark.timeout(120)
def test_servers_that_stop_and_die_and_come_back(servers: Servers) -> None:
    async def run() -> None:
        async with shown(servers.namesrv_addr) as pilot:
            await until(pilot, is_well)
            await strike(pilot, "4")
            pilot.app.screen.go_to(f"{TOPIC} body~/(a|aa)+$/")
            await until(pilot, lambda text: "takes too long on one of the messages" in text)
            await strike(pilot, "2")
            servers.signal("broker", signal.SIGSTOP)
            await until(pilot, lambda text: "no answer in time  for " in text and "brokers 0/1" in text)
            await everywhere(pilot)
            await followed(pilot)
            await until(pilot, lambda text: f"✗ {servers.broker_addr}: no answer in time  for " in text)
            servers.signal("broker", signal.SIGCONT)
            await until(pilot, lambda text: "brokers 1/1" in text and "✗" not in text)
            await strike(pilot, "escape", "2")
            await until(pilot, is_well)

            await asyncio.to_thread(servers.kill, "broker")
            # Its name server learns of it from the connection, and forgets it.
            await until(pilot, lambda text: "brokers 0/0" in text)
            await everywhere(pilot)
            await asyncio.to_thread(servers.kill, "namesrv")
            refused = f"✗ {servers.namesrv_addr}: cannot connect: Connection refused  for "
            await until(pilot, lambda text: refused in text)
            assert ", last answer " in text_of(pilot)
            await everywhere(pilot, "1246")
            await asyncio.to_thread(servers.start, "namesrv", "broker")
            await strike(pilot, "2")
            await until(pilot, is_well)

    asyncio.run(run())


def nested(code: int, body: bytes) -> bytes:
    return b"[" * 100_000


def wrong_types(code: int, body: bytes) -> bytes:
    """The members that are expected, with values that are not."""
    try:
        known = json.loads(body)
    except ValueError:
        return b"null"
    wrong = {name: [-1, {"\x1b[31m": None}] for name in known} if isinstance(known, dict) else "abc"
    return json.dumps(wrong).encode()


@pytest.mark.timeout(120)
def test_answers_that_are_late_or_no_answers(servers: Servers) -> None:
    async def run(namesrv: Relay, broker: Relay) -> None:
        async with shown(namesrv.address, {servers.broker_addr: broker.address}) as pilot:
            await until(pilot, is_well)
            for way, forge, screens in (
                (Way.SLOW, nested, "123456789"),
                (Way.GARBAGE, nested, "2"),
                (Way.HUGE, nested, "5"),
                (Way.HALF, nested, "3"),
                (Way.FORGED, nested, "1"),
                (Way.FORGED, wrong_types, "123456789"),
            ):
                broker.forge, broker.way = forge, way
                await until(pilot, lambda text: "✗" in text and "  for " in text and "brokers 0/1" in text)
                await everywhere(pilot, screens)
                namesrv.forge, namesrv.way = forge, way
                await until(pilot, lambda text: "✗" in text and ", last answer " in text)
                await strike(pilot, "1", "2", "j")
                broker.way = namesrv.way = Way.TRUE
                await until(pilot, is_well)

    namesrv, broker = Relay(servers.namesrv_addr), Relay(servers.broker_addr)
    try:
        asyncio.run(run(namesrv, broker))
    finally:
        namesrv.stop()
        broker.stop()
