"""Commands of mqadmin, and what one prints."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CommandKind:
    """What is known of a command before it runs.

    Attributes:
        name: as mqadmin spells it.
        summary: one sentence.
        changes: whether it can change something, or write a file.
        endless: whether it repeats itself until it is stopped.
        asks_nameservers: whether its `-n` tells the name servers.
    """

    name: str
    summary: str
    changes: bool = False
    endless: bool = False
    asks_nameservers: bool = True


@dataclass(frozen=True, slots=True)
class Ended:
    """A command has ended.

    Attributes:
        code: 0 done, 1 failed or refused, 2 the command line is wrong; negative when a signal ended it.
    """

    code: int
