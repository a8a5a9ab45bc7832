"""Plays the scenario with one of the two tools, against whatever server runs.

A command gets what a user's would: NAMESRV_ADDR, and a directory to work in. Java's commands run in one JVM, so a
client of an earlier command can still be connected, until `fresh` ends that JVM.
"""

import contextlib
import io
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.golden.scenario import STEPS, Step, first_message_id, first_offset_id
from tests.kit.apache import MqAdmin
from tests.kit.server import BROKER_NAME, CLUSTER_NAME, RunningServer
from tests.kit.toolchains import ROOT, apache_class_path, java

SERVER = {
    "enablePropertyFilter": "true",
    "brokerIP2": "127.0.0.1",
    "authenticationMetadataProvider": (
        "org.apache.rocketmq.auth.authentication.provider.LocalAuthenticationMetadataProvider"
    ),
    "authorizationMetadataProvider": (
        "org.apache.rocketmq.auth.authorization.provider.LocalAuthorizationMetadataProvider"
    ),
    # A pull that finds nothing is held for a second, not for fifteen: offsets of the live consumer settle soon, and no
    # pull of a client that has gone is answered long afterwards (which makes Apache's broker create its group again).
    "longPollingEnable": "false",
    # Apache's broker may handle a heartbeat after the connection that it came by was closed, and then keeps the client.
    "channelExpiredTimeout": "5000",
    "sendThreadPoolQueueCapacity": "10000",
    "bindAddress": "127.0.0.1",
}
"""Broker settings of the servers that the scenario runs against."""

_PAUSE = 0.2
"""Seconds between two looks at a state that is still on its way."""
_APART = 0.02
"""Seconds between a time that a later step names and the steps on both sides of it."""
_DATED = {number for step in STEPS for number in re.findall(r"\{ms:(\d+)\}", step.line)}


@dataclass(frozen=True)
class Outcome:
    """What a step printed; the exit code where it is known (Java's commands share a process)."""

    out: str
    err: str = ""
    exit: int | None = None


class Tool(Protocol):
    """Something that runs mqadmin's command lines."""

    def run(self, words: Sequence[str]) -> Outcome:
        """One command."""

    def command(self) -> list[str]:
        """The words that start a process for one command."""

    def refresh(self) -> None:
        """Disconnect what earlier commands left connected."""

    def close(self) -> None:
        """Give everything back."""


class JavaTool:
    """Apache's mqadmin."""

    def __init__(self, namesrv_addr: str, home: Path) -> None:
        self._namesrv_addr, self._home = namesrv_addr, home
        self._admin: MqAdmin | None = None

    def run(self, words: Sequence[str]) -> Outcome:
        if self._admin is None:
            self._admin = MqAdmin(self._namesrv_addr, self._home)
        printed = self._admin.run_as_given(words)
        return Outcome(printed.out, printed.err)

    def command(self) -> list[str]:
        flags = ("-Xmx512m", "-XX:TieredStopAtLevel=1")
        return [*java(apache_class_path(), "org.apache.rocketmq.tools.command.MQAdminStartup", *flags)]

    def refresh(self) -> None:
        self.close()
        # A slow first command would still run when its own heartbeat is due; this one asks the name server alone.
        self.run(["topicClusterList", "-t", CLUSTER_NAME])

    def close(self) -> None:
        if self._admin is not None:
            self._admin.close()
            self._admin = None


class OurTool:
    """Our mqadmin, in this process: a command's own start is measured elsewhere."""

    def __init__(self, namesrv_addr: str, home: Path) -> None:
        self._namesrv_addr, self._home = namesrv_addr, home

    def run(self, words: Sequence[str]) -> Outcome:
        from rmq.admin.cli import main

        out, err = io.StringIO(), io.StringIO()
        with (
            contextlib.chdir(self._home),
            _environment(NAMESRV_ADDR=self._namesrv_addr),
            _temporary_files_in(self._home),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = main(words)
        return Outcome(out.getvalue(), err.getvalue(), code)

    def command(self) -> list[str]:
        return [sys.executable, "-m", "rmq.admin.cli"]

    def refresh(self) -> None:
        """Nothing stays connected."""

    def close(self) -> None:
        """Nothing is held."""


@contextlib.contextmanager
def _environment(**values: str) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextlib.contextmanager
def _temporary_files_in(home: Path) -> Iterator[None]:
    before, tempfile.tempdir = tempfile.tempdir, str(home)
    try:
        yield
    finally:
        tempfile.tempdir = before


class Live:
    """The official clients that stay connected for a while."""

    def __init__(self, namesrv_addr: str, topic: str, home: Path) -> None:
        flags = (f"-Duser.home={home}", "-Drocketmq.client.rebalance.waitInterval=1000", "-XX:TieredStopAtLevel=1")
        self._process = subprocess.Popen(
            [*java(apache_class_path(), "interop.Live", *flags), namesrv_addr, topic],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=home,
        )
        self._wait()

    def tell(self, words: Sequence[str]) -> None:
        """Back when it is done."""
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join(words).encode() + b"\n")
        self._process.stdin.flush()
        self._wait()

    def _wait(self) -> None:
        assert self._process.stdout is not None
        said = self._process.stdout.readline().decode()
        if said != "ready\n":
            raise RuntimeError(f"the live clients said: {said}" if said else "the live clients have ended")

    def stop(self) -> None:
        """A clean shutdown of both."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)

    def kill(self) -> None:
        """Gone when this returns."""
        self._process.kill()
        self._process.wait()


Accept = Callable[[Step, Outcome], bool]


class Player:
    """One play of the whole scenario."""

    def __init__(self, server: RunningServer, tool: Tool, home: Path) -> None:
        self.known = {
            "namesrv": server.namesrv_addr,
            "broker": server.broker_addr,
            "cluster": CLUSTER_NAME,
            "brokerName": BROKER_NAME,
            "dir": str(home),
            "home": str(server.home),
        }
        self._tool, self._home = tool, home
        self._live: Live | None = None

    def play(self, accept: Accept) -> Iterator[tuple[Step, Outcome]]:
        """Every printing step and its outcome; a step that may be retried is, until that is accepted or too late."""
        try:
            before = STEPS[0]
            for step in STEPS:
                if step.printing:
                    yield step, self._patiently(before, step, accept)
                else:
                    self._set_stage(step.words(self.known))
                before = step
        finally:
            self._tool.close()
            if self._live is not None:
                self._live.kill()

    def _patiently(self, before: Step, step: Step, accept: Accept) -> Outcome:
        if step.fresh:
            self._tool.refresh()
        deadline = time.monotonic() + step.retry
        if step.number in _DATED:
            time.sleep(_APART)
            self.known[f"ms:{step.number}"] = str(time.time_ns() // 1_000_000)
            time.sleep(_APART)
        outcome = self._once(step, accept)
        while not accept(step, outcome) and time.monotonic() < deadline:
            time.sleep(_PAUSE)
            if step.again:
                self._once(before, accept)
            outcome = self._once(step, accept)
        for kind, found in (("msgid", first_message_id(outcome.out)), ("offsetid", first_offset_id(outcome.out))):
            if found:
                self.known[f"{kind}:{step.number}"] = found
        return outcome

    def _once(self, step: Step, accept: Accept) -> Outcome:
        words = step.words(self.known)
        if step.command == "@cat":
            path = Path(words[1])
            return Outcome(path.read_text(encoding="utf-8") if path.exists() else "")
        if step.kill:
            return self._stopped([*self._tool.command(), *words], step, accept)
        return self._tool.run(words)

    def _stopped(self, words: list[str], step: Step, accept: Accept) -> Outcome:
        """A command in a process of its own, stopped when its output is right or long enough, or its time is up."""
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self._home,
            env={**os.environ, "NAMESRV_ADDR": self.known["namesrv"], "PYTHONPATH": str(ROOT)},
        )
        timer = threading.Timer(step.kill, process.kill)
        timer.start()
        assert process.stdout is not None
        assert process.stderr is not None
        out = ""
        while chunk := os.read(process.stdout.fileno(), 4096):
            out += chunk.decode()
            if 0 < step.head <= out.count("\n") or accept(step, Outcome(out)):
                break
        process.kill()
        err = process.stderr.read().decode()
        code = process.wait()
        timer.cancel()
        return Outcome(out, err, code if code >= 0 else None)

    def _set_stage(self, words: list[str]) -> None:
        match words:
            case ["@sleep", seconds]:
                time.sleep(float(seconds))
            case ["@write", path, text]:
                Path(path).write_text(text, encoding="utf-8")
            case ["@live", "start", topic]:
                self._live = Live(self.known["namesrv"], topic, self._home)
            case ["@live", "stop"] if self._live is not None:
                self._live.stop()
                self._live = None
            case ["@live", *words] if self._live is not None:
                self._live.tell(words)
            case _:
                raise ValueError(" ".join(words))
