"""Users and the rules for them, as each broker has them. Passwords never get this far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rmq.tui.service.model.problem import Problem
from rmq.wire.bodies.auth import AclInfo, UserInfo


@dataclass(frozen=True, slots=True)
class BrokerRights:
    """Users and rules of one broker.

    Attributes:
        broker: its name.
        address: where it is.
        users: by name, without their passwords.
        rules: by name of the user.
        enforced: whether it checks rights at all; None when that is not known.
        note: what is to be said about that, a sentence; empty when it checks them.
        problem: why it could not tell.
    """

    broker: str
    address: str
    users: Mapping[str, UserInfo]
    rules: Mapping[str, AclInfo]
    enforced: bool | None = None
    note: str = ""
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class AclUser:
    """A user on all brokers together.

    Attributes:
        kind: `Super`, `Normal`, or empty for a subject that has rules and is no user.
        status: `enable` or `disable`.
        rules: how many rules there are for it on the broker that has most.
        brokers: names of the brokers that have it.
        alike: whether those brokers have the same of it.
        problem: never one; rows of a list may have one.
    """

    name: str
    kind: str = ""
    status: str = ""
    rules: int = 0
    brokers: tuple[str, ...] = ()
    alike: bool = True
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class AclRule:
    """A rule for a user; `brokers` have it."""

    kind: str
    resource: str
    actions: str
    sources: str
    decision: str
    brokers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rights:
    """Users and rules of all masters."""

    brokers: tuple[BrokerRights, ...] = ()
