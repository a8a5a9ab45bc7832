"""A child process whose output is kept and whose end is certain."""

import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path


def ends_within(process: int, seconds: float) -> bool:
    """Whether a process ends in time; closes the descriptor that `os.pidfd_open` gave for it.

    It may be any number: a long run of tests has more open files than `select.select` can count.
    """
    waiting = select.poll()
    waiting.register(process, select.POLLIN)
    try:
        return bool(waiting.poll(seconds * 1000))
    finally:
        os.close(process)


class NotReadyError(Exception):
    """A server ended, or took too long, before it printed its ready line; the text is what it did print."""


class Child:
    """A server process, started with its output collected line by line."""

    def __init__(self, words: Sequence[str], *, cwd: Path, env: dict[str, str] | None = None) -> None:
        self.words = words
        self.lines: list[str] = []
        self._news = threading.Condition()
        self._process = subprocess.Popen(
            words,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._news:
                self.lines.append(line.rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self._news.notify_all()

    def wait_line(self, text: str, *, timeout: float = 90.0) -> str:
        """The first output line that holds the text."""
        deadline = time.monotonic() + timeout
        with self._news:
            while True:
                for line in self.lines:
                    if text in line:
                        return line
                left = deadline - time.monotonic()
                if left <= 0 or not self._reader.is_alive():
                    raise NotReadyError(
                        f"no line with {text!r} from {' '.join(self.words)[:300]}\n" + "\n".join(self.lines)
                    )
                self._news.wait(min(left, 0.5))

    def terminate(self, *, timeout: float = 60.0) -> int:
        """SIGTERM, then the exit status (SIGKILL and an error when it does not end)."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            status = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        self._reader.join(10)
        return status

    def kill(self) -> None:
        """SIGKILL, and gone when this returns."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._reader.join(10)
