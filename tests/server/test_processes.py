"""Processes are found by their files, and a pid is signalled only when it is still the same process."""

import json
import os
import signal
from pathlib import Path

import pytest

from rmq.server.processes import LocalBrokers, Registry, ServerProcess, main, shutdown, start_moment


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "run")


def test_a_process_is_found_by_its_roles_until_it_leaves(registry: Registry) -> None:
    registry.enter(["namesrv", "broker"])
    me = ServerProcess(os.getpid(), start_moment(os.getpid()) or "?", ("namesrv", "broker"))
    assert list(registry.running("broker")) == [me]
    assert list(registry.running("namesrv")) == [me]
    assert list(registry.running("proxy")) == []
    registry.leave()
    assert list(registry.running("broker")) == []
    registry.leave()


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"pid": 1}', json.dumps({"pid": os.getpid(), "started": "long ago", "roles": ["broker"]})],
    ids=["empty", "cut", "no object", "incomplete", "another process of that number"],
)
def test_what_is_no_running_process_is_passed_over_and_removed(tmp_path: Path, content: str) -> None:
    path = tmp_path / "7.json"
    path.write_text(content)
    assert list(Registry(tmp_path).running("broker")) == []
    assert not path.exists()


def test_start_moments_tell_processes_apart() -> None:
    assert start_moment(os.getpid()) == start_moment(os.getpid())
    assert start_moment(os.getpid()) != start_moment(1)
    assert start_moment(2**22 + 1) is None


def test_shutdown_signals_and_says_what_apache_says(registry: Registry, capsys: pytest.CaptureFixture[str]) -> None:
    registry.enter(["broker"])
    sent: list[tuple[int, int]] = []
    assert shutdown("broker", registry, lambda *call: sent.append(call)) == 0
    pid = os.getpid()
    assert sent == [(pid, signal.SIGTERM)]
    assert (
        capsys.readouterr().out == f"The mqbroker({pid}) is running...\nSend shutdown request to mqbroker({pid}) OK\n"
    )


def test_shutdown_of_nothing(registry: Registry, capsys: pytest.CaptureFixture[str]) -> None:
    assert shutdown("namesrv", registry) == 1
    assert capsys.readouterr().out == "No mqnamesrv running.\n"


def test_shutdown_that_is_not_permitted(registry: Registry, capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(pid: int, number: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    registry.enter(["broker"])
    assert shutdown("broker", registry, refuse) == 1
    assert capsys.readouterr().err == f"mqbroker({os.getpid()}) cannot be signalled: Operation not permitted\n"


@pytest.mark.parametrize("words", [[], ["proxy"], ["brokerr"]])
def test_other_words_get_the_usage(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 0
    assert capsys.readouterr().out == "Usage: mqshutdown broker | namesrv\n"


def test_a_broker_is_found_and_ended_by_its_address(registry: Registry) -> None:
    registry.enter(["namesrv", "broker"])
    sent: list[tuple[int, int]] = []
    brokers = LocalBrokers(registry, lambda *call: sent.append(call))
    assert brokers.find("10.0.0.1:10911") is None
    registry.enter(["namesrv", "broker"], ["10.0.0.1:9876", "10.0.0.1:10911"])
    found = brokers.find("10.0.0.1:10911")
    assert found is not None
    assert (found.pid, found.roles) == (os.getpid(), ("namesrv", "broker"))
    assert (brokers.find("10.0.0.1:9876"), brokers.stop("10.0.0.1:9876")) == (None, None)
    assert brokers.stop("10.0.0.1:10911") == os.getpid()
    assert sent == [(os.getpid(), signal.SIGTERM)]


def test_a_process_has_ended_when_none_or_another_has_its_number(registry: Registry) -> None:
    registry.enter(["broker"], ["10.0.0.1:10911"])
    moments: list[str | None] = [start_moment(os.getpid()), None, "later"]
    brokers = LocalBrokers(registry, lambda *call: None, lambda pid: moments.pop(0))
    pid = brokers.stop("10.0.0.1:10911")
    assert pid is not None
    assert [brokers.has_ended(pid) for _ in range(3)] == [False, True, True]
