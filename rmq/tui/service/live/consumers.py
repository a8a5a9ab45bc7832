"""Consumers: those of groups as far as they were asked, which groups to ask next, and what one says of itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rmq.client.admin.running import STARTED
from rmq.tui.service.model import Problem
from rmq.tui.service.model.clients import Connected
from rmq.wire.bodies.heartbeat import ConsumeType
from rmq.wire.bodies.running import ConsumerRunningInfo

KINDS: Final = {
    ConsumeType.CONSUME_ACTIVELY: "pull",
    ConsumeType.CONSUME_PASSIVELY: "push",
    ConsumeType.CONSUME_POP: "pop",
}
"""How consumers get messages, as it is shown."""
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


def started_at(info: ConsumerRunningInfo) -> int:
    """When a consumer was started, in ms; 0 when it does not tell."""
    told = info.properties.get(STARTED, "")
    return int(told) if told.isdigit() else 0
