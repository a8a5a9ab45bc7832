"""The line into which a question for messages is typed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.suggester import Suggester

from rmq.tui.service.query import EXAMPLES
from rmq.tui.widgets.lines import HistoryInput


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


class QueryInput(HistoryInput):
    """Takes a question."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "leave", id="query.leave"),
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
        super().__init__(
            "a topic, then words: Orders time:-1h..now tag:A body~text key:17 queue:a/3@1200..", recent, **named
        )
        self.suggester = suggester

    def action_leave(self) -> None:
        """Leaves the line as it is."""
        self.post_message(self.Left())
