"""What every change has, what is known of it before, and what has become of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


class Risk(StrEnum):
    """How much harm a change can do."""

    LOW = "low"
    """It adds something, and can be taken back."""
    MEDIUM = "medium"
    """It changes what is there; the value before is shown and can be put back by hand."""
    HIGH = "high"
    """It destroys something or has messages skipped or consumed again: the target's name must be typed."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something to be done.

    Attributes:
        risk: how much harm it can do.
        can_stop: whether the user may end it where it is; what was done by then stays done, and the outcome tells.
    """

    risk: ClassVar[Risk] = Risk.MEDIUM
    can_stop: ClassVar[bool] = False

    @property
    def title(self) -> str:
        """One line, such as `reset offset billing/Orders -> 2026-10-01 12:00`."""
        raise NotImplementedError

    @property
    def target(self) -> str:
        """The name of what is changed; it is what has to be typed when the risk is high."""
        raise NotImplementedError

    @property
    def command(self) -> tuple[str, ...]:
        """Words of the mqadmin command that does the same, without the program's name and `-n`; empty if none does."""
        raise NotImplementedError

    @property
    def commands(self) -> tuple[tuple[str, ...], ...]:
        """All commands, one after the other, where mqadmin needs several to do it."""
        return (self.command,) if self.command else ()

    @property
    def secrets(self) -> tuple[str, ...]:
        """Texts that nobody may see: they are covered up wherever the change is shown or written down."""
        return ()


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change will do, found out without doing it.

    Attributes:
        columns: titles of a table; empty when there is none.
        rows: its cells, such as a queue, its offset now, its target, and messages that come again or are skipped.
        notes: facts, a line each, such as `8 queues, 1,204 messages come again`.
        warnings: what speaks against it, a line each, such as a group that is online.
        refusal: why it cannot be done at all; empty when it can.
        commands: words of mqadmin commands that do the same, where they depend on what was found out.
    """

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    refusal: str = ""
    commands: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """What has become of one part of a change, such as one dead letter or one broker."""

    name: str
    ok: bool
    text: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What has become of a change.

    Attributes:
        ok: whether all of it was done and, where it can be, read back as wanted.
        text: one line.
        items: its parts.
        read_back: what the servers say now, a line each; empty when there is nothing to read.
    """

    ok: bool
    text: str
    items: tuple[Item, ...] = ()
    read_back: tuple[str, ...] = ()
