"""Changes of dead letters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rmq.tui.formats import plural
from rmq.tui.service.changes.change import Change, Risk
from rmq.tui.service.model.dead_letters import LetterPlace


@dataclass(frozen=True, slots=True)
class ResendDead(Change):
    """Sends dead letters again; they stay where they are.

    Attributes:
        group: whose dead letters.
        places: where they lie.
        rate: messages a second.
        topic: where they go; empty when each goes to the topic that it was sent to. The group's retry topic is read by
            that group and by no other.
        keep_properties: whether the user's own properties are sent too; tags and keys are in any case.
    """

    risk: ClassVar[Risk] = Risk.MEDIUM
    can_stop: ClassVar[bool] = True

    group: str
    places: tuple[LetterPlace, ...]
    rate: float = 10.0
    topic: str = ""
    keep_properties: bool = True

    @property
    def title(self) -> str:
        """See `Change`."""
        number = len(self.places)
        what = plural(number, "dead letter")
        origin = "where they came from" if number != 1 else "where it came from"
        return f"re-send {what} of {self.group} to {self.topic or origin} at {self.rate:g}/s"

    @property
    def target(self) -> str:
        """See `Change`."""
        return self.group

    @property
    def command(self) -> tuple[str, ...]:
        """No command of mqadmin does this."""
        return ()
