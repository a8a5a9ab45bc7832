"""A search as far as it has come."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from rmq.tui.service.model import Batch, Problem, StoredMessage
from rmq.tui.service.query import Query


class Stage(StrEnum):
    """Where a search is."""

    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"


@dataclass(slots=True)
class Search:
    """One question and what has been found.

    Attributes:
        text: the question as it was typed.
        query: what it asks for.
        generation: tells its batches from those of others.
        begun: when it was asked, in ms.
        found: messages by their keys.
        scanned: messages that were looked at.
        total: messages that there are to look at; None when that is not known.
    """

    text: str
    query: Query
    generation: int
    begun: int
    stage: Stage = Stage.RUNNING
    found: dict[str, StoredMessage] = field(default_factory=dict)
    scanned: int = 0
    total: int | None = None
    notes: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def take(self, generation: int, batch: Batch) -> bool:
        """What was found; False when it belongs to another search, or this one was stopped."""
        if generation != self.generation or self.stage is not Stage.RUNNING:
            return False
        # A new dict for a table that compares; the old one is still the table's.
        self.found = {**self.found, **{message.key: message for message in batch.messages}}
        self.scanned, self.total = batch.scanned, batch.total
        self.notes += batch.notes
        self.problems += batch.problems
        if batch.done:
            self.stage = Stage.DONE
        return True

    def stop(self) -> bool:
        """Ends it where it is; False when it is over already."""
        if self.stage is not Stage.RUNNING:
            return False
        self.stage = Stage.STOPPED
        return True

    @property
    def forward(self) -> bool:
        """Whether it goes from old to new."""
        return self.query.queue is not None and self.query.queue.first is not None
