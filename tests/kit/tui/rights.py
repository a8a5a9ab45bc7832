"""Users and rules in memory."""

from collections.abc import Callable
from typing import Any

from rmq.tui.service.model import BrokerRights, Problem, Rights
from rmq.wire.bodies.auth import AclInfo, PolicyEntryInfo, PolicyInfo, UserInfo


def rule(resource: str, actions: str, decision: str = "Allow", *sources: str) -> PolicyEntryInfo:
    """A rule."""
    return PolicyEntryInfo(resource, actions.split(), list(sources) or None, decision)


def rules(name: str, *custom: PolicyEntryInfo) -> AclInfo:
    """The rules of a user."""
    return AclInfo(f"User:{name}", [PolicyInfo("Custom", list(custom))])


USERS = {
    "admin": UserInfo("admin", None, "Super", "enable"),
    "shop": UserInfo("shop", None, "Normal", "enable"),
    "billing": UserInfo("billing", None, "Normal", "enable"),
    "former": UserInfo("former", None, "Normal", "disable"),
}
RULES = {
    "shop": rules("shop", rule("Topic:Ord*", "Pub"), rule("Topic:*", "Pub", "Deny")),
    "billing": rules(
        "billing", rule("Topic:Orders", "Sub", "Allow", "10.0.0.0/8"), rule("Group:billing", "Sub"),
    ),
}  # fmt: skip
OTHER_RULES = {**RULES, "shop": rules("shop", rule("Topic:Ord*", "Pub"))}
RIGHTS = Rights(
    (
        BrokerRights("broker-a", "10.0.0.1:10911", USERS, RULES, True),
        BrokerRights("broker-b", "10.0.0.3:10911", USERS, OTHER_RULES, True),
    )
)
OPEN = Rights(
    (
        BrokerRights(
            "broker-a", "10.0.0.1:10911", {}, {}, False,
            "broker-a does not check access rights: everybody may do everything",
        ),
    )
)  # fmt: skip


class FakeRights:
    """See `protocol.RightsQuestions`.

    Attributes:
        told: what the brokers tell.
    """

    _asked: Callable[..., Any]

    def __init__(self) -> None:
        super().__init__()
        self.told = RIGHTS

    async def rights(self) -> Rights | Problem:
        return await self._asked("rights") or self.told
