"""A program on a pseudo-terminal, and when it writes what."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

_CHUNK = 1 << 16


class Terminal:
    """One program with a terminal of its own; nothing answers its questions about the terminal.

    Args:
        command: the program and its words.
        columns: width.
        rows: height.

    Attributes:
        started: `time.perf_counter()` just before the program was started.
        output: what it has written.
    """

    def __init__(self, command: Sequence[str], columns: int = 120, rows: int = 36) -> None:
        ours, its = pty.openpty()
        fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self.started = time.perf_counter()
        self._child = subprocess.Popen(
            command, stdin=its, stdout=its, stderr=its, env=environment, start_new_session=True
        )
        os.close(its)
        self._fd = ours
        self.output = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._child.send_signal(signal.SIGKILL)
        self._child.wait()
        os.close(self._fd)

    def read(self, seconds: float) -> bytes:
        """What it writes next; empty when it is silent for so long."""
        ready, _, _ = select.select([self._fd], [], [], seconds)
        if not ready:
            return b""
        try:
            more = os.read(self._fd, _CHUNK)
        except OSError:
            # The program has ended, and its side is closed.
            return b""
        self.output += more
        return more

    def until(self, text: bytes, seconds: float = 60.0) -> float:
        """Reads until it has written a text; returns the seconds since its start.

        Raises:
            TimeoutError: it did not.
        """
        deadline = time.perf_counter() + seconds
        while text not in self.output:
            if time.perf_counter() > deadline:
                raise TimeoutError(f"{text!r} was not written: {self.output[-2000:]!r}")
            self.read(0.1)
        return time.perf_counter() - self.started

    def settle(self, seconds: float) -> int:
        """Reads until it has been silent for so long; returns how many bytes came."""
        count = 0
        while more := self.read(seconds):
            count += len(more)
        return count

    def written(self, seconds: float) -> int:
        """Bytes that it writes in this time."""
        count, deadline = 0, time.perf_counter() + seconds
        while (left := deadline - time.perf_counter()) > 0:
            count += len(self.read(left))
        return count

    def press(self, key: str) -> float:
        """Presses a key; returns the seconds until it writes something.

        Raises:
            TimeoutError: it writes nothing.
        """
        pressed = time.perf_counter()
        os.write(self._fd, key.encode())
        if not self.read(5.0):
            raise TimeoutError(f"nothing is written after {key!r}")
        return time.perf_counter() - pressed

    def cpu(self) -> float:
        """Seconds of processor time that it has used."""
        with open(f"/proc/{self._child.pid}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
