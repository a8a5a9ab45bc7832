"""How one kind of change is previewed and carried out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from rmq.tui.service.changes.change import Change, Item, Outcome, Preview
from rmq.tui.service.live.known import Known

C = TypeVar("C", bound=Change)
Done = Callable[[Item], None]
"""Is told of each part of a change as it is done."""


@dataclass(frozen=True, slots=True)
class Doer(Generic[C]):
    """Previews and carries out one kind of change. Both may raise `RemotingError`, which becomes a `Problem`.

    Attributes:
        kind: the type of the change.
        preview: finds out what it will do, and alters nothing.
        carry_out: does it, tells of each part, and reads back what became of it. A part that fails is an `Item` that is
            not ok and does not keep the others from being done; nothing is raised once something has been altered.
    """

    kind: type[C]
    preview: Callable[[Known, C], Awaitable[Preview]]
    carry_out: Callable[[Known, C, Done], Awaitable[Outcome]]
