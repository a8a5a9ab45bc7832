"""Small screens over the others: what to copy, where to export to, and help."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from rich.table import Table
from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from rmq.tui.formats import count, cut, one_line
from rmq.tui.table.exports import FORMATS, exported
from rmq.tui.widgets.lines import LineInput, TextLine


class Dialog(ModalScreen[None]):
    """A box over a screen that escape closes."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "close", id="dialog.close")]


class CopyDialog(Dialog):
    """Chooses one of several texts for the clipboard.

    Args:
        texts: what may be copied, by what it is called.
    """

    def __init__(self, texts: Mapping[str, str]) -> None:
        super().__init__()
        self._texts = dict(texts)

    def compose(self) -> ComposeResult:
        """A list with the beginning of each text."""
        options = [
            Option(Text.assemble((f"{name:<9}", "bold"), cut(one_line(text), 60))) for name, text in self._texts.items()
        ]
        with Vertical(classes="dialog") as box:
            box.border_title = "Copy"
            yield OptionList(*options, compact=True)

    @on(OptionList.OptionSelected)
    def take(self, event: OptionList.OptionSelected) -> None:
        """Copies and closes."""
        text = list(self._texts.values())[event.option_index]
        self.app.copy_to_clipboard(text)
        self.app.notify(cut(one_line(text), 120), title="Copied", markup=False, timeout=3)
        self.dismiss()


class ExportDialog(Dialog):
    """Writes rows to a file; its ending tells the format.

    Args:
        rows: values by column name.
        label: what the rows are.
        path: where to, at first.
        save: writes a file.
    """

    def __init__(
        self, rows: Sequence[dict[str, Any]], label: str, path: str, save: Callable[[Path, str], None]
    ) -> None:
        super().__init__()
        self._rows = rows
        self._label = label
        self._path = path
        self._save = save

    def compose(self) -> ComposeResult:
        """An input and a line for what went wrong."""
        with Vertical(classes="dialog") as box:
            box.border_title = f"Export {count(len(self._rows))} {self._label}"
            box.border_subtitle = "enter writes · .json .jsonl .csv"
            field = LineInput("file", id="path")
            field.value = self._path
            yield field
            yield TextLine(id="refusal")

    @on(Input.Submitted)
    def write(self, event: Input.Submitted) -> None:
        """Writes and closes, or says why not."""
        path = Path(event.value.strip()).expanduser()
        form = path.suffix.removeprefix(".").lower()
        if form not in FORMATS:
            self._refuse("the name must end with .json, .jsonl or .csv")
            return
        self._write(path, form)

    @work(exclusive=True, group="export")
    async def _write(self, path: Path, form: str) -> None:
        try:
            # Messages may be many megabytes.
            await asyncio.to_thread(lambda: self._save(path, exported(form, self._rows)))
        except OSError as error:
            self._refuse(f"cannot be written: {error.strerror or error}")
            return
        self.app.notify(f"{path}", title="Exported", markup=False, timeout=3)
        self.dismiss()

    def _refuse(self, why: str) -> None:
        self.query_one("#refusal", TextLine).say(Text(why, "bold red"))


class HelpDialog(Dialog):
    """What the focused part is for, and the keys that work now.

    Args:
        about: what it is for.
        keys: keys and what they do.
    """

    def __init__(self, about: str, keys: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._about = about
        self._keys = keys

    def compose(self) -> ComposeResult:
        """Text above a table of two columns of keys."""
        table = Table.grid(padding=(0, 2), expand=True)
        half = (len(self._keys) + 1) // 2
        for left, right in zip(self._keys[:half], [*self._keys[half:], ("", "")], strict=False):
            table.add_row(Text(left[0], "bold"), left[1], Text(right[0], "bold"), right[1])
        with VerticalScroll(classes="dialog") as box:
            box.border_title = "Help"
            box.border_subtitle = "esc closes"
            yield Static(self._about.replace("`", ""), markup=False)
            yield Static()
            yield Static(table)


def help_of(screen: Screen[Any]) -> HelpDialog:
    """Help for what has the focus on a screen: what it is for, and every key that works now."""
    together: dict[tuple[str, str], list[str]] = {}
    for active in sorted(screen.active_bindings.values(), key=lambda one: _commonness(one.binding.id or "")):
        if active.binding.description and active.enabled:
            keys = together.setdefault((active.binding.action, active.binding.description), [])
            keys.append(screen.app.get_key_display(active.binding))
    about = getattr(screen.focused, "HELP", "") or f"The screen {getattr(screen, 'TITLE', None) or ''}."
    return HelpDialog(about, [(" ".join(keys), does) for (_, does), keys in together.items()])


def _commonness(binding: str) -> int:
    """Keys of this part stand before those of every table, of every screen, and of every application."""
    part = binding.partition(".")[0]
    return {"": 3, "app": 2, "screen": 2, "grid": 1}.get(part, 0)
