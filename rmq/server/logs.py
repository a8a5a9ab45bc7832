"""Where a server's events go: a file that is rotated, and the terminal when there is one.

An event is one line: local time, level, origin, text. Line feeds and other control characters in a text are escaped,
so no peer can make lines of its own; a traceback follows its event in lines that begin with a bar.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TextIO

from twisted.logger import (
    FilteringLogObserver,
    LogEvent,
    LogLevel,
    LogLevelFilterPredicate,
    formatEvent,
    globalLogBeginner,
)

from rmq.server.processes import LOG_DIRECTORY_VARIABLE

MAX_BYTES: Final = 64 * 1024 * 1024
"""Size at which a log file is put aside."""
KEPT_FILES: Final = 10
"""How many that were put aside are kept."""

_ESCAPES: Final = {code: f"\\x{code:02x}" for code in (*range(32), 127)} | {10: "\\n", 13: "\\r", 9: "\\t"}


def log_directory() -> Path:
    """Where RMQ_LOG_DIR says; without it `~/logs/rocketmqlogs`, where Apache's servers write."""
    named = os.environ.get(LOG_DIRECTORY_VARIABLE)
    return Path(named) if named else Path(os.path.expanduser("~"), "logs", "rocketmqlogs")


class RotatingFile:
    """A text file that only grows, up to a size; then it becomes `name.1` and so on, and a new one begins.

    Args:
        path: the file; its directory is made.
        max_bytes: size at which it is put aside.
        kept: how many older files are kept.

    Raises:
        OSError: it cannot be opened.
    """

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES, kept: int = KEPT_FILES) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._kept = kept
        path.parent.mkdir(parents=True, exist_ok=True)
        self._open()

    def _open(self) -> None:
        self._file = open(self._path, "ab", 0)  # noqa: SIM115
        self._size = self._file.tell()

    def write(self, text: str) -> None:
        """Adds text. A full disk loses it: a server goes on without its log."""
        data = text.encode("utf-8", "replace")
        with contextlib.suppress(OSError):
            if self._size + len(data) > self._max_bytes and self._size:
                self._rotate()
            self._file.write(data)
            self._size += len(data)

    def _rotate(self) -> None:
        self._file.close()
        for number in range(self._kept - 1, 0, -1):
            with contextlib.suppress(FileNotFoundError):
                os.replace(f"{self._path}.{number}", f"{self._path}.{number + 1}")
        with contextlib.suppress(FileNotFoundError):
            os.replace(self._path, f"{self._path}.1")
        self._open()

    def close(self) -> None:
        """Ends it."""
        self._file.close()


def format_line(event: LogEvent) -> str:
    """The line of an event, and the lines of its traceback."""
    when = float(event.get("log_time", 0.0))
    clock = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(when))
    level = getattr(event.get("log_level"), "name", "info").upper()
    origin = str(event.get("log_namespace", "-")).removeprefix("rmq.").removeprefix("server.")
    text = formatEvent(event).translate(_ESCAPES)
    line = f"{clock},{int(when % 1 * 1000):03d} {level:<8} {origin} - {text}\n"
    failure = event.get("log_failure")
    if failure is None:
        return line
    traceback = failure.getTraceback().rstrip("\n").split("\n")
    return line + "".join(f"    | {part.translate(_ESCAPES)}\n" for part in traceback)


class LineObserver:
    """Writes events as lines."""

    def __init__(self, write: Callable[[str], object], wanted: Callable[[LogEvent], bool] | None = None) -> None:
        self._write = write
        self._wanted = wanted

    def __call__(self, event: LogEvent) -> None:
        """Takes one event."""
        if self._wanted is None or self._wanted(event):
            self._write(format_line(event))


def file_observers(directory: Path, names: Sequence[str]) -> list[LineObserver]:
    """Observers that write `<name>.log` files in a directory.

    With one name everything goes there. With several, events of the package `rmq.server.<name>` go to that name's
    file, and all others to the last one's.

    Raises:
        OSError: a file cannot be opened.
    """
    files = {name: RotatingFile(directory / f"{name}.log") for name in names}

    def owner(event: LogEvent) -> str:
        parts = str(event.get("log_namespace", "")).split(".")
        return parts[2] if len(parts) > 2 and parts[2] in files else names[-1]

    def observer(name: str) -> LineObserver:
        return LineObserver(files[name].write, lambda event: owner(event) == name)

    return [observer(name) for name in names]


def begin_logging(names: Sequence[str], directory: Path | None = None, terminal: TextIO | None = None) -> None:
    """Sends this process's events to the files and, if it is a terminal, to `terminal` (default: stderr).

    A server whose log files cannot be opened says so and runs without them.
    """
    stream = terminal or sys.stderr
    observers: list[Any] = []
    try:
        observers += file_observers(directory or log_directory(), names)
    except OSError as error:
        print(f"No log file: {error}", file=sys.stderr)
    if stream.isatty():
        observers.append(LineObserver(stream.write))
    levels = LogLevelFilterPredicate(defaultLogLevel=LogLevel.warn)
    levels.setLogLevelForNamespace("rmq", LogLevel.info)
    predicates: list[Any] = [levels]
    filtered: list[Any] = [FilteringLogObserver(observer, predicates) for observer in observers]
    globalLogBeginner.beginLoggingTo(filtered, redirectStandardIO=False, discardBuffer=True)
