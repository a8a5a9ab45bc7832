"""A program in a real terminal: tmux keeps the screen, keys go in as a user types them.

The tmux server is this terminal's own (a socket in the test's directory) and ends with it.
"""

import re
import shlex
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self


class Terminal:
    """One window with one program.

    Args:
        command: the program and its words.
        home: a directory for the socket; it is the program's HOME as well.
        columns: width.
        rows: height.
        env: environment variables beside HOME and TERM.
    """

    def __init__(
        self,
        command: Sequence[str],
        home: Path,
        *,
        columns: int = 120,
        rows: int = 36,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._base = ["tmux", "-S", str(home / "tmux"), "-f", "/dev/null"]
        variables = {"HOME": str(home), "COLORTERM": "truecolor", **(env or {})}
        # The size is tmux's to tell, not that of whoever runs the tests.
        unset = ["-u", "COLUMNS", "-u", "LINES"]
        words = shlex.join(["env", *unset, *(f"{name}={value}" for name, value in variables.items()), *command])
        # What the program prints at its end must still be there to read.
        self._tmux("new-session", "-d", "-x", str(columns), "-y", str(rows), f"{words}; echo exit code $?; sleep 600")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        subprocess.run([*self._base, "kill-server"], check=False, capture_output=True)

    def _tmux(self, *words: str) -> str:
        return subprocess.run([*self._base, *words], check=True, capture_output=True, text=True, timeout=30).stdout

    def screen(self) -> str:
        """What is on the screen, without colours."""
        return self._tmux("capture-pane", "-p")

    def press(self, *keys: str) -> None:
        """Presses keys by tmux's names: `Enter`, `Escape`, `Down`, `C-p`, or characters."""
        self._tmux("send-keys", *keys)

    def type(self, text: str) -> None:
        """Types a text as it is."""
        self._tmux("send-keys", "-l", text)

    def resize(self, columns: int, rows: int) -> None:
        """Gives the window another size."""
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def wait_row(self, *cells: str) -> str:
        """Waits until a line of the screen holds these words in their order; returns the screen.

        Raises:
            AssertionError: it did not come; with the screen.
        """
        pattern = re.compile(r".*?\s".join(rf"(?<!\S){re.escape(cell)}(?!\S)" for cell in cells))
        deadline = time.monotonic() + 60.0
        while True:
            screen = self.screen()
            if any(pattern.search(line) for line in screen.splitlines()):
                return screen
            if time.monotonic() > deadline:
                raise AssertionError(f"no row of {cells}:\n{screen}")
            time.sleep(0.05)

    def wait(self, *texts: str, gone: Sequence[str] = (), seconds: float = 60.0) -> str:
        """Waits until all of `texts` are on the screen and none of `gone`; returns the screen.

        Raises:
            AssertionError: they did not come; with the screen.
        """
        deadline = time.monotonic() + seconds
        while True:
            screen = self.screen()
            if all(text in screen for text in texts) and not any(text in screen for text in gone):
                return screen
            if time.monotonic() > deadline:
                missing, left = [t for t in texts if t not in screen], [t for t in gone if t in screen]
                raise AssertionError(f"still awaiting {missing}, still there {left}:\n{screen}")
            time.sleep(0.05)
