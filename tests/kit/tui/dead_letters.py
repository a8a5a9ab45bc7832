"""Dead letters in memory."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rmq.tui.service.model import DeadGroup, DeadLetter, DeadLetters, LetterBody, LetterPlace, Problem

NOW = 1_795_269_720_000
_GROUPS = {
    "billing": DeadGroup("billing", 7, NOW - 40_000, NOW - 7_200_000),
    "mail-sender": DeadGroup("mail-sender", 1204, NOW - 90_000, NOW - 4 * 86_400_000),
    "warehouse": DeadGroup("warehouse", 0),
}
BODIES = (b'{"id": 17, "item": "book", "amount": 3}', b"\xff\x00\x80binary")


def letter(number: int) -> DeadLetter:
    """The dead letter at an offset."""
    body = BODIES[number % 5 == 4]
    return DeadLetter(
        LetterPlace("broker-a", 0, number),
        "Orders" if number % 3 else "Payments",
        f"0A00000B00001234ABCD{number:012X}",
        f"0A000001000000000000{number:012X}",
        "TagA",
        f"order-{number}",
        16,
        NOW - 40_000 - (6 - number) * 5000,
        NOW - 4_000_000,
        len(body),
        body.decode() if body is BODIES[0] else body.hex(" "),
    )


class FakeDeadLetters:
    """See `protocol.DeadLetterQuestions`.

    Attributes:
        dead: groups and what is told of them.
        letters: the dead letters of each group, oldest first.
    """

    _asked: Callable[..., Any]

    def __init__(self) -> None:
        super().__init__()
        self.dead = dict(_GROUPS)
        self.letters = [letter(number) for number in range(7)]

    async def dead_groups(self) -> tuple[str, ...] | Problem:
        return await self._asked("dead_groups") or tuple(self.dead)

    async def dead_figures(self, groups: Sequence[str]) -> Mapping[str, DeadGroup]:
        found = {}
        for name in groups:
            refused = await self._asked("dead_figures", name)
            found[name] = DeadGroup(name, problem=refused) if refused is not None else self.dead[name]
        return found

    async def dead_letters(self, group: str, most: int) -> DeadLetters | Problem:
        refused = await self._asked("dead_letters", group)
        if refused is not None:
            return refused
        figures = self.dead.get(group)
        if figures is None:
            return Problem(f"there is no topic %DLQ%{group}")
        return DeadLetters(figures, tuple(reversed(self.letters)) if figures.count else ())

    async def letter_bodies(self, group: str, places: Sequence[LetterPlace]) -> tuple[LetterBody, ...]:
        refused = await self._asked("letter_bodies", group)
        return tuple(
            LetterBody(place, problem=refused)
            if refused is not None
            else LetterBody(place, BODIES[place.offset % 5 == 4], (("KEYS", f"order-{place.offset}"), ("shop", "7")))
            for place in places
        )
