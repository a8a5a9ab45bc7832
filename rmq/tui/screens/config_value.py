"""One setting of a broker is given another value, which waits in `config` until it is applied."""

from __future__ import annotations

from collections.abc import Callable

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input, Static

from rmq.tui.screens.dialogs import Dialog
from rmq.tui.service.changes.settings import about, is_secret, nearest, refused
from rmq.tui.widgets.lines import LineInput, titled


class ValueDialog(Dialog):
    """Asks for a setting's value, and for its name when it is not known.

    Args:
        key: the setting; empty to ask for it.
        value: its value at first.
        take: is given key and value.
        known: settings that the broker lists, to say what a name is like.
    """

    def __init__(self, key: str, value: str, take: Callable[[str, str], None], known: tuple[str, ...] = ()) -> None:
        super().__init__()
        self._key = key
        self._value = value
        self._take = take
        self._known = known

    def compose(self) -> ComposeResult:
        """What it is for, one or two inputs, and what is to be said about them."""
        with Vertical(classes="dialog") as box:
            box.border_title = titled(self._key or "Another setting")
            box.border_subtitle = "enter keeps the edit · nothing is sent yet"
            if not self._key:
                yield LineInput("key", id="key")
            value = LineInput("value", id="value", password=is_secret(self._key))
            value.value = self._value
            yield value
            yield Static(about(self._key), id="about-setting", markup=False)
            yield Static(id="remarks", markup=False)

    @on(Input.Changed)
    def changed(self, event: Input.Changed) -> None:
        """Says what a broker of ours would make of it; Apache's may see it otherwise, so it is no refusal."""
        event.stop()
        key, field = self._named(), self.query_one("#value", Input)
        field.password = is_secret(key)
        remarks = [refused(key, field.value)] if self._key or field.value else []
        if not self._key and key and key not in self._known:
            near = nearest(key, self._known)
            remarks.insert(0, f"it is not listed{f'; did you mean {near}?' if near and near != key else ''}")
        self.query_one("#about-setting", Static).update(Text(about(key), "dim"))
        self.query_one("#remarks", Static).update(Text("\n".join(filter(None, remarks)), "yellow"))

    def _named(self) -> str:
        return self._key or self.query_one("#key", Input).value.strip()

    @on(Input.Submitted)
    def submitted(self, event: Input.Submitted) -> None:
        """Keeps the edit."""
        event.stop()
        key, value = self._named(), self.query_one("#value", Input).value
        if not key or any(mark in key for mark in " =:#\n"):
            self.query_one("#remarks", Static).update(Text("a key is needed, without blanks", "bold red"))
        elif event.input.id == "key":
            self.query_one("#value", Input).focus()
        else:
            self.dismiss()
            self._take(key, value)
