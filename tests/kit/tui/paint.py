"""Changes that no server knows, for tests of what all changes have in common."""

from dataclasses import dataclass
from typing import ClassVar

from rmq.tui.service.changes.change import Change, Risk


@dataclass(frozen=True, slots=True)
class Paint(Change):
    """A change of medium risk."""

    colour: str = "red"

    @property
    def title(self) -> str:
        return f"paint the wall {self.colour}"

    @property
    def target(self) -> str:
        return "wall"

    @property
    def command(self) -> tuple[str, ...]:
        return ("paint", "-c", self.colour)


@dataclass(frozen=True, slots=True)
class Tear(Paint):
    """A change of high risk, which no command does."""

    risk: ClassVar[Risk] = Risk.HIGH

    @property
    def title(self) -> str:
        return "tear the wall down"

    @property
    def command(self) -> tuple[str, ...]:
        return ()
