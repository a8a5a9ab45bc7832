"""A row as it is known: the newest figures, how old they are, and why they are not newer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from rmq.tui.service.model import Problem


class Figures(Protocol):
    """What a service tells of one name."""

    @property
    def problem(self) -> Problem | None:
        """Why parts are missing."""
        ...


F = TypeVar("F", bound=Figures)


@dataclass(frozen=True, slots=True)
class Seen(Generic[F]):
    """A name, with what has been told of it so far.

    Attributes:
        figures: the newest that were whole; partial ones only while there never were others.
        at: when they came, in ms; 0 before the first.
        problem: why the newest answer was not whole.
        since: when the problem began, in ms.
    """

    name: str
    figures: F | None = None
    at: int = 0
    problem: Problem | None = None
    since: int = 0

    @property
    def stale(self) -> bool:
        """Whether the figures are older than the newest answer."""
        return self.problem is not None

    def told(self, figures: F, now: int) -> Seen[F]:
        """The row after an answer."""
        if figures.problem is None:
            return Seen(self.name, figures, now)
        since = self.since if self.problem is not None else now
        if self.at:
            return Seen(self.name, self.figures, self.at, figures.problem, since)
        return Seen(self.name, figures, 0, figures.problem, since)


def of(key: str) -> Callable[[Seen[Any]], Any]:
    """Tells one figure of a row, by the attribute's name; None while nothing was told."""
    return lambda row: None if row.figures is None else getattr(row.figures, key)
