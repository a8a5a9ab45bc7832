"""Changes in memory: previews and outcomes by the change's type, and what was carried out."""

from collections.abc import Callable
from typing import Any

from rmq.tui.service.changes.change import Change, Item, Outcome, Preview
from rmq.tui.service.model import Problem

PREVIEW = Preview(
    ("QUEUE", "NOW", "TARGET", "MESSAGES"),
    tuple((f"broker-a/{queue}", "81,204", "80,800", "+404") for queue in range(4)),
    ("4 queues, 1,616 messages come again",),
    ("the group is online: its clients take the new offsets with their next pull",),
)
OUTCOME = Outcome(
    True,
    "4 queues moved",
    tuple(Item(f"broker-a/{queue}", True, "80,800") for queue in range(4)),
    ("read back: 80,800",),
)


class FakeChanges:
    """See `protocol.Changes`.

    Held back and failing as questions are: `("preview", NAME)` and `("change", NAME)` with the name of the change's
    type.

    Attributes:
        previews: by the change's type, where it is not `PREVIEW`.
        outcomes: by the change's type, where it is not `OUTCOME`; its items are told one by one.
        changed: what was carried out.
        audit: lines that were written down.
    """

    _asked: Callable[..., Any]

    def __init__(self) -> None:
        super().__init__()
        self.previews: dict[type[Change], Preview] = {}
        self.outcomes: dict[type[Change], Outcome] = {}
        self.changed: list[Change] = []
        self.audit: list[str] = []
        self.address_map: dict[str, str] = {}

    def map_address(self, advertised: str, reachable: str) -> None:
        self.address_map[advertised] = reachable
        if not reachable:
            del self.address_map[advertised]

    async def preview(self, change: Change) -> Preview | Problem:
        refused: Problem | None = await self._asked("preview", type(change).__name__)
        return refused or self.previews.get(type(change), PREVIEW)

    async def change(self, change: Change, done: Callable[[Item], None]) -> Outcome | Problem:
        outcome = self.outcomes.get(type(change), OUTCOME)
        first, *others = outcome.items or (None,)
        if first is not None:
            done(first)
        refused: Problem | None = await self._asked("change", type(change).__name__)
        if refused is not None:
            return refused
        self.changed.append(change)
        for item in others:
            if item is not None:
                done(item)
        return outcome
