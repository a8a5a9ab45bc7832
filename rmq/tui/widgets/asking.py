"""The line into which a question for messages is typed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.suggester import Suggester

from rmq.tui.service.query import EXAMPLES
from rmq.tui.widgets.lines import LineInput


class QuerySuggester(Suggester):
    """Goes on as a recent question does, else with a topic's name, else with a word of the language.

    Args:
        topics: gives the names of topics.
        recent: gives recent questions, the newest first.
    """

    def __init__(self, topics: Callable[[], Sequence[str]], recent: Callable[[], Sequence[str]]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._topics = topics
        self._recent = recent

    async def get_suggestion(self, value: str) -> str | None:
        """The whole line as it may be meant."""
        if not value.strip():
            return None
        before, blank, last = value.rpartition(" ")
        if not blank:
            begun = [name for name in self._topics() if name.startswith(value)]
            if begun:
                return min(begun, key=len)
        for line in self._recent():
            if line.startswith(value) and line != value:
                return line
        words = [*(f"{name}:" for name in EXAMPLES if name != "body"), "body~"]
        found = next((word for word in words if last and word.startswith(last) and word != last), None)
        return f"{before}{blank}{found}" if found is not None else None


class QueryInput(LineInput):
    """Takes a question; up and down go through recent ones."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "leave", id="query.leave"),
        Binding("up", "recall(1)", "earlier", id="query.earlier"),
        Binding("down", "recall(-1)", "later", id="query.later", show=False),
        Binding("f1", "screen.help", "help", id="query.help"),
    ]
    HELP: ClassVar[str] = (
        "A question for messages: a topic, and words that must all hold. queue:broker-a/3@1200..1300 by offset, "
        'time:-1h..now by store time, tag:A||B, sql:"price > 5", body~text or body~/expression/i, '
        "key:order-17 and uniq:ID by index, id:ID, limit:200. Values with blanks stand in double quotes. "
        "Enter asks, up brings back earlier questions, right takes what is suggested."
    )

    class Left(Message):
        """The user goes back to what was found."""

    def __init__(self, recent: Callable[[], Sequence[str]], suggester: QuerySuggester, **named: str) -> None:
        super().__init__("a topic, then words: Orders time:-1h..now tag:A body~text key:17 queue:a/3@1200..", **named)
        self.suggester = suggester
        self._recent = recent
        self._at = -1
        self._typed = ""

    def action_leave(self) -> None:
        """Leaves the line as it is."""
        self.post_message(self.Left())

    def action_recall(self, step: int) -> None:
        """Shows an earlier or later question; behind the newest stands what was typed."""
        lines = self._recent()
        if self._at < 0:
            self._typed = self.value
        at = min(self._at + step, len(lines) - 1)
        if at < -1 or at == self._at:
            return
        self._at = at
        self.value = lines[at] if at >= 0 else self._typed
        self.cursor_position = len(self.value)

    def rest(self) -> None:
        """Earlier questions are counted from the newest again."""
        self._at = -1
