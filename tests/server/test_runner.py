"""The life of a process: parts start in order, stop in the opposite order, and its exit code tells how it went."""

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred, succeed

from rmq.server.processes import Registry
from rmq.server.runner import Process, StartError, when_input_ends


class FakeReactor:
    running = True

    def __init__(self, said: list[str]) -> None:
        self._said = said

    def stop(self) -> None:
        self.running = False
        self._said.append("reactor stopped")


class FakePart:
    def __init__(self, role: str, said: list[str], start: Any = None, stop: Any = None) -> None:
        self.role, self.address = role, f"{role}:1"
        self._said, self._start, self._stop = said, start, stop

    def start(self) -> Deferred[Any] | None:
        self._said.append(f"{self.role} starts")
        if isinstance(self._start, Exception):
            raise self._start
        return self._start

    def stop(self) -> Deferred[Any]:
        self._said.append(f"{self.role} stops")
        if isinstance(self._stop, Exception):
            raise self._stop
        return self._stop or succeed(None)

    def boot_line(self) -> str:
        return f"{self.role} boot success"


class World:
    def __init__(self, tmp_path: Path) -> None:
        self.said: list[str] = []
        self.reactor = FakeReactor(self.said)
        self.registry = Registry(tmp_path)
        self.ended: list[int] = []

    def part(self, role: str, **behaviour: Any) -> FakePart:
        return FakePart(role, self.said, **behaviour)

    def process(self, *parts: FakePart) -> Process:
        process = Process(self.reactor, parts, self.registry, lambda: print("all ready"), self.ended.append)
        process.start()
        return process


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_parts_start_in_order_and_stop_in_the_opposite_order(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    process = world.process(world.part("namesrv"), world.part("broker"))
    assert capsys.readouterr().out == "namesrv boot success\nbroker boot success\nall ready\n"
    assert [found.roles for found in world.registry.running("broker")] == [("namesrv", "broker")]
    assert [found.addresses for found in world.registry.running("broker")] == [("namesrv:1", "broker:1")]
    process.signalled(15)
    assert world.said == ["namesrv starts", "broker starts", "broker stops", "namesrv stops", "reactor stopped"]
    assert process.exit_code == 0
    assert list(world.registry.running("broker")) == []


def test_a_part_waits_for_the_one_before(world: World) -> None:
    ready: Deferred[None] = Deferred()
    world.process(world.part("namesrv", start=ready), world.part("broker"))
    assert world.said == ["namesrv starts"]
    ready.callback(None)
    assert world.said == ["namesrv starts", "broker starts"]


def test_a_part_that_cannot_start_ends_the_others_and_sets_the_exit_code(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    process = world.process(world.part("namesrv"), world.part("broker", start=StartError("the port is taken", 253)))
    assert world.said == ["namesrv starts", "broker starts", "namesrv stops", "reactor stopped"]
    assert process.exit_code == 253
    assert capsys.readouterr().err == "the port is taken\n"


def test_an_unexpected_error_is_one_sentence_too(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    process = world.process(world.part("broker", start=ValueError("what?")))
    assert process.exit_code == 255
    assert capsys.readouterr().err == "mqbroker cannot start: ValueError: what?\n"


def test_a_signal_while_starting_stops_what_has_begun(world: World) -> None:
    ready: Deferred[None] = Deferred()
    process = world.process(world.part("namesrv", start=ready), world.part("broker"))
    process.signalled(2)
    ready.callback(None)
    assert world.said == ["namesrv starts", "namesrv stops", "reactor stopped"]


def test_stopping_waits_and_a_second_signal_does_not(world: World) -> None:
    flushed: Deferred[None] = Deferred()
    process = world.process(world.part("namesrv"), world.part("broker", stop=flushed))
    process.signalled(15)
    assert world.said[-1] == "broker stops"
    process.signalled(15)
    assert world.ended == [143]
    flushed.callback(None)
    assert world.said[-1] == "reactor stopped"


def test_a_server_whose_keeper_has_ended_stops_once(world: World) -> None:
    flushed: Deferred[None] = Deferred()
    process = world.process(world.part("broker", stop=flushed))
    process.abandoned()
    process.abandoned()
    assert world.said == ["broker starts", "broker stops"]
    flushed.callback(None)
    assert (world.said[-1], process.exit_code, world.ended) == ("reactor stopped", 0, [])


def test_the_end_of_the_input_is_told_and_nothing_else_of_it() -> None:
    ended = threading.Event()
    reading, writing = os.pipe()
    when_input_ends(ended.set, reading)
    os.write(writing, b"anything")
    assert not ended.wait(0.05)
    os.close(writing)
    assert ended.wait(10)
    os.close(reading)


def test_an_input_that_cannot_be_read_has_ended() -> None:
    ended = threading.Event()
    when_input_ends(ended.set, -1)
    assert ended.wait(10)


def test_a_part_that_does_not_stop_properly_is_told_by_the_exit_code(world: World) -> None:
    process = world.process(world.part("namesrv"), world.part("broker", stop=OSError("disk gone")))
    process.signalled(15)
    assert world.said[-2:] == ["namesrv stops", "reactor stopped"]
    assert process.exit_code == 255


@pytest.mark.parametrize(
    ("before", "kind"),
    [
        ("", "rmq.remoting.epoll"),
        ("import sys; sys.modules['twisted.internet.epollreactor'] = None", "twisted.internet.pollreactor"),
        ("import twisted.internet.pollreactor as other; other.install()", "twisted.internet.pollreactor"),
    ],
    ids=["epoll", "no epoll", "another one is installed"],
)
def test_the_reactor_of_a_process_is_its_only_one(before: str, kind: str) -> None:
    program = f"""{before}
from rmq.server.runner import obtain_reactor
first, second = obtain_reactor(), obtain_reactor()
from twisted.internet import reactor
print(type(reactor).__module__, first is second is reactor)
"""
    root = str(Path(__file__).parents[2])
    words = [sys.executable, "-c", program]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True, env={"PYTHONPATH": root})
    assert done.stdout == f"{kind} True\n"
