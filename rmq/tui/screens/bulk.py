"""Definitions of topics in bulk: from a file into the cluster, and from the cluster into a file."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from rmq.tui.formats import one_line, plural
from rmq.tui.messages import DefinitionsCame
from rmq.tui.screens.dialogs import Dialog
from rmq.tui.service.changes.definitions import Definitions, written
from rmq.tui.service.model import Problem
from rmq.tui.state.session import Session
from rmq.tui.widgets.lines import LineInput, TextLine, titled


class BulkDialog(Dialog):
    """Chooses what is to be done.

    Args:
        ways: what there is to choose, and what each does.
    """

    def __init__(self, ways: dict[str, Callable[[], Any]]) -> None:
        super().__init__()
        self._ways = ways

    def compose(self) -> ComposeResult:
        """A list."""
        with Vertical(classes="dialog") as box:
            box.border_title = "Definitions of topics"
            yield OptionList(*(Option(Text(name)) for name in self._ways), compact=True)

    @on(OptionList.OptionSelected)
    def take(self, event: OptionList.OptionSelected) -> None:
        """Closes, and goes on to what was chosen."""
        self.dismiss()
        list(self._ways.values())[event.option_index]()


class DefinitionsDialog(Dialog):
    """Writes the definitions of topics to a file that an import, here or of mqadmin, takes.

    Args:
        session: what all screens share.
        cluster: whose topics.
        names: which of them; none for all.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+r", "ask", "ask again", id="definitions.again", show=False)]

    def __init__(self, session: Session, cluster: str, names: Collection[str] = ()) -> None:
        super().__init__()
        self._session = session
        self._cluster = cluster
        self._names = frozenset(names)
        self._found: Definitions | None = None

    def compose(self) -> ComposeResult:
        """An input, and a line for what there is or what went wrong."""
        with Vertical(classes="dialog") as box:
            box.border_title = titled(f"Export definitions of {self._cluster}")
            box.border_subtitle = "enter writes · esc cancels"
            field = LineInput("file", id="path")
            field.value = f"{self._cluster}-topics.json"
            yield field
            yield TextLine(id="refusal")

    def on_mount(self) -> None:
        """Asks for the definitions."""
        self.action_ask()

    def action_ask(self) -> None:
        """Asks for the definitions."""
        self._say("asking…", "dim")
        self._ask()

    @work(exclusive=True, group="definitions")
    async def _ask(self) -> None:
        self.post_message(DefinitionsCame(await self._session.service.topic_definitions(self._cluster)))

    @on(DefinitionsCame)
    def came(self, message: DefinitionsCame) -> None:
        """Definitions are there, or why not."""
        if isinstance(message.answer, Problem):
            self._say(f"✗ {message.answer}, ctrl+r asks again", "bold red")
            return
        found = message.answer
        if self._names:
            kept = tuple(topic for topic in found.topics if topic.name in self._names)
            found = Definitions(kept, found.added_up)
        self._found = found
        how = ", queues of all masters added up" if found.added_up else ""
        self._say(f"{plural(len(found.topics), 'topic')}{how}", "dim")

    @on(Input.Submitted)
    def write(self, event: Input.Submitted) -> None:
        """Writes and closes, or says why not."""
        event.stop()
        path = Path(event.value.strip()).expanduser()
        if self._found is None:
            return
        if path.suffix.lower() != ".json":
            self._say("the name must end with .json", "bold red")
            return
        try:
            self._session.save(path, written(self._found, self._session.now()))
        except OSError as error:
            self._say(f"cannot be written: {error.strerror or error}", "bold red")
            return
        self.app.notify(f"{path}", title="Exported", markup=False, timeout=3)
        self.dismiss()

    def _say(self, text: str, style: str) -> None:
        self.query_one("#refusal", TextLine).say(Text(one_line(text), style))
