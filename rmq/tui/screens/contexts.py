"""The contexts there are, and the way to each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from rmq.tui.config.contexts import Context
from rmq.tui.formats import cut, one_line
from rmq.tui.screens.dialogs import Dialog

if TYPE_CHECKING:
    from rmq.tui.app import RmqApp


class ContextDialog(Dialog):
    """Chooses a context.

    Args:
        contexts: those there are.
        here: name of the one that is looked at.
    """

    def __init__(self, contexts: Sequence[Context], here: str) -> None:
        super().__init__()
        self._contexts = contexts
        self._here = here

    def compose(self) -> ComposeResult:
        """A line each: name, what may be done, name servers."""
        with Vertical(classes="dialog") as box:
            box.border_title = "Contexts"
            box.border_subtitle = "enter goes there · esc closes"
            yield OptionList(*(Option(self._line(context)) for context in self._contexts), compact=True)

    def on_mount(self) -> None:
        """Begins with the one that is looked at."""
        names = [context.name for context in self._contexts]
        self.query_one(OptionList).highlighted = names.index(self._here)

    def _line(self, context: Context) -> Text:
        mark = "●" if context.name == self._here else " "
        return Text.assemble(
            f"{mark} ",
            (f"{cut(one_line(context.name), 18):<18} ", context.style),
            f"{context.mode:<10} ",
            (cut(";".join(context.namesrv), 36), "dim"),
        )

    @on(OptionList.OptionSelected)
    def take(self, event: OptionList.OptionSelected) -> None:
        """Goes there."""
        name = self._contexts[event.option_index].name
        app = cast("RmqApp", self.app)
        self.dismiss()
        refusal = app.run_line(f"ctx {name}") if name != self._here else ""
        if refusal:
            app.notify(refusal, severity="warning", markup=False)
