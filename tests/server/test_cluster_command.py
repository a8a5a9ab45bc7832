"""`rmq standalone --cluster` as a user runs it: what it prints, how it refuses, how it ends."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from rmq.server import cluster_command
from rmq.server.members import Member
from tests.kit.frames import wait_for_broker
from tests.kit.ports import free_port
from tests.kit.process import Child, ends_within

ROOT = str(Path(__file__).parents[2])


class Command:
    """The command, with the test's directory as home."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._env = {"HOME": str(home), "PYTHONPATH": ROOT}
        self._words = [sys.executable, "-m", "rmq", "standalone"]
        self._children: list[Child] = []

    def refused(self, *words: str) -> tuple[int, str, str]:
        """Exit code, output, errors."""
        done = subprocess.run(
            [*self._words, *words], capture_output=True, text=True, timeout=60, check=False, env=self._env
        )
        return done.returncode, done.stdout, done.stderr

    def start(self, *words: str) -> Child:
        return self.run([*self._words, *words])

    def run(self, words: list[str]) -> Child:
        child = Child(words, cwd=self._home, env=self._env)
        self._children.append(child)
        return child

    def stop(self) -> None:
        for child in self._children:
            child.kill()


@pytest.fixture
def command(tmp_path: Path) -> Iterator[Command]:
    made = Command(tmp_path)
    yield made
    made.stop()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            "--cluster 2m-3s",
            "there is no cluster mode '2m-3s'; the modes are single, 2m-2s-async, 2m-2s-sync, 2m-noslave",
        ),
        (
            "--cluster single --namesrvs 0",
            "--namesrvs=0 is not allowed; --namesrvs must be a whole number from 1 to 9.",
        ),
        ("--cluster single --demo", "--demo does not go with --cluster."),
        ("--cluster single --broker-port 0", "--broker-port does not go with --cluster."),
        ("--cluster single -c b.conf", "-c does not go with --cluster."),
        ("--namesrvs 2", "--namesrvs goes with --cluster only."),
    ],
)
def test_wrong_words_are_refused(command: Command, tmp_path: Path, words: str, sentence: str) -> None:
    assert command.refused(*words.split()) == (1, "", f"{sentence}\n")
    assert list(tmp_path.iterdir()) == []


def test_a_member_is_killed_started_by_hand_and_the_rest_stopped(command: Command, tmp_path: Path) -> None:
    child = command.start("--cluster", "2m-noslave", "--namesrvs", "2")
    child.wait_line("NAMESRV_ADDR", timeout=60)
    place = tmp_path / "rmq-clusters" / "2m-noslave"
    lines = [
        re.fullmatch(r"(\S+) +(name server|[A-Z_]+) +(127\.0\.0\.1:\d+)  pid (\d+)", line) for line in child.lines[:4]
    ]
    assert [line.group(1, 2) for line in lines if line] == [
        ("namesrv-1", "name server"),
        ("namesrv-2", "name server"),
        ("broker-a", "ASYNC_MASTER"),
        ("broker-b", "ASYNC_MASTER"),
    ]
    first, second, broker_a, broker_b = (line[3] for line in lines if line)
    assert child.lines[4:] == [
        f"rmq is ready: cluster 2m-noslave; logs and stores are in {place}.",
        f"Use it:       export NAMESRV_ADDR='{first};{second}'",
    ]
    assert command.refused("--cluster", "2m-noslave") == (
        255, "", f"{place} is in use, another cluster runs there; choose another directory or stop it\n"
    )  # fmt: skip

    os.kill(int(lines[2][4]), signal.SIGKILL)
    again = child.wait_line("Start it again: ").removeprefix("Start it again: ")
    assert child.lines[6] == (
        f"broker-a (pid {lines[2][4]}) was ended by SIGKILL; its log is {place}/broker-a/logs/broker.log."
    )
    by_hand = command.run(["sh", "-c", f"exec env {again}"])
    by_hand.wait_line(f"The broker[broker-a, {broker_a}] boot success.")
    for name_server in (first, second):
        for broker in (broker_a, broker_b):
            wait_for_broker(name_server, broker, timeout=5)

    assert child.terminate() == 0
    assert len(child.lines) == 8
    assert not (place / "broker-b" / "store" / "abort").exists()
    assert by_hand.terminate() == 0


def test_a_port_that_is_taken_ends_the_start_with_a_sentence(command: Command, tmp_path: Path) -> None:
    taken = free_port()
    words = ["--cluster", "single", "--namesrv-port", str(taken), "--store"]
    first = command.start(*words, str(tmp_path / "a"))
    first.wait_line("NAMESRV_ADDR")
    assert f"Use it:       export NAMESRV_ADDR=127.0.0.1:{taken}" in first.lines
    code, output, errors = command.refused(*words, str(tmp_path / "b"))
    assert (code, output) == (255, "")
    assert errors.startswith(
        f"namesrv-1 cannot start, it ended with exit code 255: cannot listen on 127.0.0.1:{taken}: "
    )
    assert errors.count("\n") == 1

    pids = [int(line.rpartition("pid ")[2]) for line in first.lines if "  pid " in line]
    for pid in pids:
        os.kill(pid, signal.SIGTERM)
    assert first.wait_line("namesrv-1 (pid").endswith(
        f"ended with exit code 0; its log is {tmp_path}/a/namesrv-1/logs/namesrv.log."
    )
    assert first.wait_line("broker (pid").startswith(f"broker (pid {pids[1]}) ended with exit code 0; ")
    assert first._process.wait(30) == 0


def test_a_second_signal_ends_at_once_what_does_not_stop(command: Command, tmp_path: Path) -> None:
    child = command.start("--cluster", "single", "--store", str(tmp_path / "a"))
    child.wait_line("NAMESRV_ADDR")
    name_server, broker = (int(line.rpartition("pid ")[2]) for line in child.lines[:2])
    os.kill(name_server, signal.SIGSTOP)
    broker_ended = os.pidfd_open(broker)
    os.kill(child.pid, signal.SIGTERM)
    assert ends_within(broker_ended, 30)
    assert child._process.poll() is None
    os.kill(child.pid, signal.SIGTERM)
    assert child._process.wait(30) == 255
    with pytest.raises(ProcessLookupError):
        os.kill(name_server, 0)


def test_members_that_end_together_are_all_told_of(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Ended(Member):
        """One whose process is gone; it tells of that later."""

        pid, exit_code, is_running = 7, 0, False

    members = {name: Ended(name, "broker", tmp_path / "x", "") for name in ("a", "b")}

    class Both:
        def __init__(self, *_: object, **__: object) -> None:
            self.members = members

        def start(self) -> None:
            for seconds, member in enumerate(members.values()):
                threading.Timer(seconds / 10, lambda one: one.on_end(one), [member]).start()

    monkeypatch.setattr(cluster_command, "Cluster", Both)
    monkeypatch.setattr(cluster_command, "_tell", lambda *_: None)
    monkeypatch.setattr(cluster_command, "_Signals", lambda _: SimpleNamespace(watch=lambda: None))
    code = cluster_command.run_cluster("m", tmp_path, host="", told="", name_servers=1, namesrv_port=0)
    assert code == 0
    told = [line.partition(" (pid")[0] for line in capsys.readouterr().out.splitlines() if "(pid" in line]
    assert told == ["a", "b"]
