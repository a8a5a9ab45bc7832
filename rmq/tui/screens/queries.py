"""Small screens about questions: earlier and saved ones to choose from, and a name to save one under."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Final

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from rmq.tui.formats import cut, one_line
from rmq.tui.screens.dialogs import Dialog
from rmq.tui.state.queries import Queries
from rmq.tui.widgets.lines import LineInput, TextLine

_NAME: Final = 14
_WIDTH: Final = 66


class QueriesDialog(Dialog):
    """Chooses a question that was saved or asked before.

    Args:
        queries: what there is.
        choose: takes the one that was chosen.
        forget: forgets a saved one.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("delete,D", "forget", "forget", id="queries.forget")]

    def __init__(self, queries: Queries, choose: Callable[[str], object], forget: Callable[[str], object]) -> None:
        super().__init__()
        self._queries = queries
        self._choose = choose
        self._forget = forget
        self._shown: list[tuple[str, str]] = []

    def compose(self) -> ComposeResult:
        """Saved questions above recent ones."""
        with Vertical(classes="dialog") as box:
            box.border_title = "Questions"
            box.border_subtitle = "enter asks · D forgets a saved one · esc closes"
            yield OptionList(compact=True)

    def on_mount(self) -> None:
        """Shows them."""
        self._fill()

    def _fill(self) -> None:
        queries = self._queries
        self._shown = [*queries.saved.items(), *(("", line) for line in queries.recent)]
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(
            Option(
                Text.assemble(
                    (f"{cut(name or 'recent', _NAME):<{_NAME}} ", "bold" if name else "dim"),
                    cut(one_line(line), _WIDTH - _NAME),
                )
            )
            for name, line in self._shown
        )
        options.highlighted = 0 if self._shown else None

    @on(OptionList.OptionSelected)
    def take(self, event: OptionList.OptionSelected) -> None:
        """Asks it."""
        event.stop()
        line = self._shown[event.option_index][1]
        self.dismiss()
        self._choose(line)

    def action_forget(self) -> None:
        """Forgets the saved question under the cursor."""
        at = self.query_one(OptionList).highlighted
        if at is not None and self._shown[at][0]:
            self._forget(self._shown[at][0])
            self._fill()


class SaveDialog(Dialog):
    """Asks for the name under which a question is saved.

    Args:
        text: the question.
        save: saves it under a name; returns why not, or nothing.
    """

    def __init__(self, text: str, save: Callable[[str], str]) -> None:
        super().__init__()
        self._text = text
        self._save = save

    def compose(self) -> ComposeResult:
        """The question, and an input for its name."""
        with Vertical(classes="dialog") as box:
            box.border_title = "Save the question"
            box.border_subtitle = "enter saves · F shows saved ones"
            question = TextLine(classes="line")
            question.say(Text(one_line(self._text), "dim"))
            yield question
            yield LineInput("name", id="name")
            yield TextLine(id="refusal")

    @on(Input.Submitted)
    def save(self, event: Input.Submitted) -> None:
        """Saves and closes, or says why not."""
        event.stop()
        refusal = self._save(event.value)
        if refusal:
            self.query_one("#refusal", TextLine).say(Text(refusal, "bold red"))
            return
        self.app.notify(one_line(event.value.strip()), title="Saved", markup=False, timeout=3)
        self.dismiss()
