"""Which consumers groups have, as far as they were asked, and which groups to ask next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rmq.tui.service.model import Problem
from rmq.tui.service.model.clients import Connected

GROUPS_AT_A_TIME: Final = 32
"""Consumer groups that one question asks about."""
Told = tuple[tuple[Connected, ...], Problem | None]
"""Consumers of a group, and why they are not known."""


class ConsumersSeen:
    """Consumers by group.

    Attributes:
        found: what was told last of each group, in the order in which they were asked.
    """

    def __init__(self) -> None:
        self.found: dict[str, Told] = {}

    def due(self, groups: Sequence[str], first: str = "") -> list[str]:
        """Groups to ask now: `first`, those never asked, those asked longest ago; ones that have gone are forgotten."""
        for gone in self.found.keys() - set(groups):
            del self.found[gone]
        fresh = [name for name in groups if name not in self.found]
        ahead = [first] if first in groups else []
        return list(dict.fromkeys([*ahead, *fresh, *self.found]))[:GROUPS_AT_A_TIME]

    def take(self, group: str, told: Told) -> None:
        """An answer."""
        self.found.pop(group, None)
        self.found[group] = told
