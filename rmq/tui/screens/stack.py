"""The threads of a client, as text to scroll and to search in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType

from rmq.tui.formats import count, one_line, plural
from rmq.tui.screens.text import TextScreen


class StackScreen(TextScreen):
    """Shows what the threads of a client were doing when it was asked.

    Args:
        client_id: whose threads.
        text: what it answered.
        save: writes a text to a file.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("x", "save", "save", id="stack.save")]

    def __init__(self, client_id: str, text: str, save: Callable[[Path, str], None]) -> None:
        super().__init__()
        self._client_id = client_id
        self._whole = text
        self._save = save

    def on_mount(self) -> None:
        """Begins at the first line."""
        self.pager.add(line.expandtabs(4) for line in self._whole.splitlines())
        self.pager.call_after_refresh(self.pager.scroll_home, animate=False)
        super().on_mount()

    def above(self) -> Text:
        """The client."""
        return Text.assemble((" Threads of ", "bold"), one_line(self._client_id))

    def below(self) -> Text:
        """How many lines there are, and whether all are shown."""
        text = Text(f" {plural(len(self.pager.lines), 'line')}", "dim")
        if self.pager.dropped:
            text.append(f", the first {count(self.pager.dropped)} are left out; x saves all", "yellow")
        return text

    def whole(self) -> str:
        """What the client answered."""
        return self._whole

    def action_save(self) -> None:
        """Writes all of it to a file named after the client."""
        name = "".join(letter if letter.isalnum() or letter in ".-_" else "-" for letter in self._client_id)
        path = Path(f"{name}.jstack")
        try:
            self._save(path, self._whole)
        except OSError as error:
            self.say(f"{path} cannot be written: {error.strerror}")
        else:
            self.say(f"saved as {path}")
