"""A command of mqadmin that the user has typed and that changes something."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, Final

from rmq.tui.service.changes.change import Change, Risk
from rmq.tui.service.command_line import command_line

_SECRETS: Final = {"createuser": ("-p", "--password"), "updateuser": ("-p", "--password")}
"""Options that take a secret, by the command's name in small letters."""


@dataclass(frozen=True, slots=True)
class RunCommand(Change):
    """Runs a command; what it harms is known to it alone, so its name has to be typed.

    Attributes:
        words: the command and its options, without `-n`.
    """

    risk: ClassVar[Risk] = Risk.HIGH
    words: tuple[str, ...]

    @property
    def title(self) -> str:
        """The command line."""
        return command_line(self.words, "").replace(" -n ''", "")

    @property
    def target(self) -> str:
        """The command's name."""
        return self.words[0]

    @property
    def command(self) -> tuple[str, ...]:
        """The words."""
        return self.words

    @property
    def secrets(self) -> tuple[str, ...]:
        """What follows an option that takes a password."""
        secret = _SECRETS.get(self.words[0].lower(), ())
        return tuple(value for option, value in pairwise(self.words) if option in secret)
