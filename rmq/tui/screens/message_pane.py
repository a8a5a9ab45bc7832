"""The pane beside messages: body, properties, what groups made of it, and where it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import ContentSwitcher

from rmq.tui.decoders.registry import Decoders
from rmq.tui.formats import cut
from rmq.tui.service.model import Problem, StoredMessage, Track
from rmq.tui.table.stored import fact_columns, property_rows, track_columns, where_rows
from rmq.tui.widgets.body import BodyView
from rmq.tui.widgets.grid import Grid
from rmq.tui.widgets.lines import TabbedPanel, TabLine

BODY, PROPERTIES, CONSUMPTION, WHERE = range(4)
_TITLES: Final = ["Body", "Properties", "Consumption", "Where"]
_PARTS: Final = ("body-view", "properties", "consumption", "where")


class MessagePane(TabbedPanel):
    """Everything about one message.

    Args:
        decoders: what can show its body.
        clock: shows a time as a whole.
    """

    def __init__(self, decoders: Decoders, clock: Callable[[int], str]) -> None:
        super().__init__(id="right")
        self._clock = clock
        self.message: StoredMessage | None = None
        self.body = BodyView(decoders, identity=_PARTS[BODY])
        self.properties = Grid(fact_columns("NAME"), label="properties", identity=_PARTS[PROPERTIES])
        self.consumption = Grid(track_columns(), label="groups", identity=_PARTS[CONSUMPTION])
        self.where = Grid(fact_columns("WHAT"), label="facts", identity=_PARTS[WHERE])

    def compose(self) -> ComposeResult:
        """The names of the tabs above the current one."""
        yield TabLine(id="tabs")
        with ContentSwitcher(initial=_PARTS[BODY]):
            yield self.body
            yield self.properties
            yield self.consumption
            yield self.where

    def on_mount(self) -> None:
        """Nothing is chosen yet."""
        self.show_names()
        self.show(None, "")

    def names(self) -> list[str]:
        """See `TabbedPanel`."""
        return _TITLES

    @property
    def part(self) -> Widget:
        """What takes the keys."""
        return (self.body.part, self.properties, self.consumption, self.where)[self.current]

    def show(self, message: StoredMessage | None, nothing: str) -> None:
        """Shows a message; None for none, and why there is none."""
        if message is not None and self.message is not None and message.key == self.message.key:
            return
        self.message = message
        self.entitle("" if message is None else f"{message.queue} @ {message.offset:,}  {cut(message.message_id, 40)}")
        self.body.show(None if message is None else message.body, nothing)
        self.properties.empty = "it has none" if message is not None else nothing
        self.properties.update_rows({} if message is None else property_rows(message))
        self.where.empty = nothing
        self.where.update_rows({} if message is None else where_rows(message, self._clock))
        self.show_tracks(None if message is None else ())
        self.consumption.empty = "asking…" if message is not None else nothing
        for grid in (self.properties, self.consumption, self.where):
            grid.refresh_line(1)

    def show_tracks(self, answer: tuple[Track, ...] | Problem | None) -> None:
        """Shows what groups made of the message, or why that cannot be told."""
        if isinstance(answer, Problem):
            self.consumption.empty = f"✗ {answer}"
        elif answer is not None:
            self.consumption.empty = "no group reads its topic"
        self.consumption.update_rows({track.group: track for track in answer} if isinstance(answer, tuple) else {})
        self.consumption.refresh_line(1)

    def choose(self, index: int) -> None:
        """Shows a tab."""
        focused = self.part.has_focus
        self.current = index
        self.query_one(ContentSwitcher).current = _PARTS[index]
        self.show_names()
        if focused:
            self.part.focus()
        self.post_message(self.Turned())
