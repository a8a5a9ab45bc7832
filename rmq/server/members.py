"""A server in a process of its own, kept by this one.

It is started as a user would start it, from a configuration file in its directory, and what it writes goes there too:
`store` or `kvConfig.json`, `logs`, and `console.log`, which is what it printed. Its standard input is a pipe from this
process that nothing is ever written to: when this process ends, by kill -9 too, the pipe does and the server stops.

A thread for each run reads what is printed: the boot line tells that the server can be used, the end of the output
that it has ended.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import IO, Final, cast

from rmq.server.processes import KEPT_VARIABLE, LOG_DIRECTORY_VARIABLE, Registry

STOP_SECONDS: Final = 30.0

_BOOT_WORDS: Final = " boot success."
_TAKEN_WORDS: Final = "cannot listen on "
_KEPT_LINES: Final = 20


class MemberError(Exception):
    """A server of a cluster does not do what was asked of it; the text says which and why.

    Attributes:
        member: its name.
    """

    def __init__(self, member: str, sentence: str) -> None:
        super().__init__(f"{member} {sentence}")
        self.member = member


class PortTakenError(MemberError):
    """It cannot start because somebody listens on one of its ports."""


class Member:
    """A server of a cluster.

    Args:
        name: its name in the cluster.
        role: `namesrv` or `broker`.
        file: its configuration file; the directory that this lies in is the server's.
        address: what clients are told, `host:port`.
        on_end: called when it has ended after it had come up, whoever ended it, in a thread of its own.

    Attributes:
        address: as given; another one may be set while it does not run.
        store_dir: the message store, for a broker.
    """

    def __init__(
        self, name: str, role: str, file: Path, address: str, on_end: Callable[[Member], None] = lambda member: None
    ) -> None:
        self.name = name
        self.role = role
        self.file = file
        self.directory = file.parent
        self.address = address
        self.on_end = on_end
        self.store_dir = self.directory / "store"
        self.log = self.directory / "logs" / f"{role}.log"
        self._run: _Run | None = None

    # --- facts ----------------------------------------------------------------------------------------------------

    @property
    def pid(self) -> int | None:
        """The number of its process; None when it was never started."""
        return self._run.process.pid if self._run is not None else None

    @property
    def is_running(self) -> bool:
        """Whether its process is there."""
        return self._run is not None and not self._run.ended.is_set()

    @property
    def exit_code(self) -> int | None:
        """What its process ended with, -N for a signal N; None while it is there."""
        return self._run.process.returncode if self._run is not None and self._run.ended.is_set() else None

    @property
    def how_it_ended(self) -> str:
        """The exit code in words."""
        code = self.exit_code
        if code is None:
            return "not ended"
        return f"ended with exit code {code}" if code >= 0 else f"was ended by {signal.Signals(-code).name}"

    @property
    def command(self) -> str:
        """What a shell is told to start it without this process."""
        return f"{LOG_DIRECTORY_VARIABLE}={shlex.quote(str(self.log.parent))} {shlex.join(self._words())}"

    # --- life -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Starts it; when this returns it can be used, and a broker is registered. Does nothing while it runs.

        Raises:
            MemberError: it ended before.
        """
        self.spawn()
        self.wait_until_up()

    def spawn(self) -> None:
        """Makes the process, and does not wait. Does nothing while it runs."""
        if not self.is_running:
            variables = {LOG_DIRECTORY_VARIABLE: str(self.log.parent), KEPT_VARIABLE: "1", "PYTHONUNBUFFERED": "1"}
            environment = {**os.environ, **variables}
            self._run = _Run(self._words(), environment, self.directory / "console.log", lambda: self.on_end(self))

    def wait_until_up(self) -> None:
        """Returns when it can be used.

        Raises:
            PortTakenError: it has ended because a port is taken.
            MemberError: it has ended, or was never started.
        """
        if self._run is None:
            raise MemberError(self.name, "was not started")
        self._run.settled.wait()
        if not self._run.is_up:
            said = self._run.printed[-1] if self._run.printed else "It printed nothing."
            kind = PortTakenError if said.startswith(_TAKEN_WORDS) else MemberError
            raise kind(self.name, f"cannot start, it {self.how_it_ended}: {said}")

    def send_signal(self, number: int) -> None:
        """Signals its process, if that is there, and does not wait."""
        if self._run is not None:
            self._run.process.send_signal(number)

    def wait_until_ended(self, seconds: float | None = None) -> bool:
        """Returns when its process is gone, True, or when so many seconds are over, False."""
        return self._run is None or self._run.ended.wait(seconds)

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Ends it as SIGTERM does; gone when this returns.

        Raises:
            MemberError: it did not end within these seconds; it was killed.
        """
        self.send_signal(signal.SIGTERM)
        if not self.wait_until_ended(seconds):
            self.kill()
            raise MemberError(self.name, f"did not stop within {seconds:g} seconds and was killed")

    def kill(self) -> None:
        """Ends it as SIGKILL does; gone when this returns."""
        self.send_signal(signal.SIGKILL)
        self.wait_until_ended()

    def call_off(self) -> None:
        """Ends it as `stop` does, and `on_end` is not called.

        Raises:
            MemberError: it did not end in time; it was killed.
        """
        if self._run is not None:
            self._run.is_called_off = True
            self.stop()

    def restart(self) -> None:
        """Stops it, and starts it again on the same ports and store.

        Raises:
            MemberError: it did not stop, or cannot start.
        """
        self.stop()
        self.start()

    def _words(self) -> list[str]:
        return [sys.executable, "-m", "rmq", self.role, "-c", str(self.file)]


class _Run:
    """One process of a member.

    Attributes:
        printed: the last lines that it printed.
        is_up: whether the boot line was among them.
        settled: set when it is known whether it came up.
        ended: set when the process is gone.
        is_called_off: whether nobody is to be told of the end.
    """

    def __init__(
        self, words: list[str], environment: dict[str, str], console: Path, on_end: Callable[[], None]
    ) -> None:
        self.printed: deque[str] = deque(maxlen=_KEPT_LINES)
        self.is_up = False
        self.is_called_off = False
        self.settled = threading.Event()
        self.ended = threading.Event()
        self._on_end = on_end
        # In a session of its own: ctrl+c in a terminal is for the process that keeps it, which ends all in order.
        self.process = subprocess.Popen(
            words,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        threading.Thread(target=self._read, args=(console,), name=f"output of {words[-1]}", daemon=True).start()

    def _read(self, console: Path) -> None:
        # Both are pipes, so they are there.
        output, kept_open = cast(IO[bytes], self.process.stdout), cast(IO[bytes], self.process.stdin)
        with kept_open, output, open(console, "ab", buffering=0) as file:
            for line in output:
                file.write(line)
                self.printed.append(line.decode("utf-8", "replace").rstrip())
                if _BOOT_WORDS in self.printed[-1]:
                    self.is_up = True
                    self.settled.set()
            self.process.wait()
        # One that was killed could not do this itself.
        Registry().leave(self.process.pid)
        self.ended.set()
        self.settled.set()
        if self.is_up and not self.is_called_off:
            self._on_end()
