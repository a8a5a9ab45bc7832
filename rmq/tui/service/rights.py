"""Users and rules of several brokers, brought together, and what each broker would decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rmq.client.admin.rights import Judgement, RightsQuestion, asked_resource, judge, rule_text
from rmq.tui.service.model import AclRule, AclUser, Rights
from rmq.wire.bodies.auth import AclInfo, Action


def users_of(rights: Rights) -> Mapping[str, AclUser]:
    """Every user and every subject of rules, by name."""
    names = sorted({name for broker in rights.brokers for name in (*broker.users, *broker.rules)})
    return {name: _user(rights, name) for name in names}


def _user(rights: Rights, name: str) -> AclUser:
    having = [broker for broker in rights.brokers if name in broker.users or name in broker.rules]
    told = [broker for broker in rights.brokers if broker.problem is None]
    first = next((broker.users[name] for broker in having if name in broker.users), None)
    sides = {
        (
            (user.user_type, user.user_status) if (user := broker.users.get(name)) is not None else None,
            tuple(sorted(_lines(broker.rules.get(name)))),
        )
        for broker in told
    }
    return AclUser(
        name,
        (first.user_type or "") if first is not None else "",
        (first.user_status or "") if first is not None else "",
        max((len(_lines(broker.rules.get(name))) for broker in having), default=0),
        tuple(broker.broker for broker in having),
        len(sides) <= 1,
    )


_Line = tuple[str, str, str, str, str]


def _lines(acl: AclInfo | None) -> list[_Line]:
    return [
        (
            policy.policy_type or "",
            entry.resource or "",
            ",".join(entry.actions or ()),
            ", ".join(entry.source_ips or ()),
            entry.decision or "",
        )
        for policy in (acl.policies if acl is not None else None) or ()
        for entry in policy.entries or ()
    ]


def rules_of(rights: Rights, name: str) -> tuple[AclRule, ...]:
    """A user's rules, in the order of the first broker that has each; one that several have is there once."""
    brokers: dict[_Line, list[str]] = {}
    for broker in rights.brokers:
        for line in _lines(broker.rules.get(name)):
            brokers.setdefault(line, []).append(broker.broker)
    return tuple(AclRule(*line, tuple(dict.fromkeys(having))) for line, having in brokers.items())


@dataclass(frozen=True, slots=True)
class Answer:
    """What some brokers decide alike.

    Attributes:
        brokers: their names.
        enforced: whether they check rights; when not, everything is allowed whatever the rules say.
        allowed: whether the rules allow it.
        why: what decided, a sentence.
        weaker: rules that match too, and come behind the one that decided, a line each.
        near: why rules for the resource do not match, a sentence each.
    """

    brokers: tuple[str, ...]
    enforced: bool | None
    allowed: bool
    why: str
    weaker: tuple[str, ...] = ()
    near: tuple[str, ...] = ()


def resource_asked(text: str) -> str | None:
    """A resource as it was typed, as brokers ask about it; None when the text is none."""
    return asked_resource(text)


def answers(rights: Rights, name: str, action: Action, resource: str, source_ip: str = "") -> list[Answer]:
    """What the brokers decide; those that say the same for the same reason are one answer."""
    question = RightsQuestion(action, resource, source_ip)
    grouped: dict[tuple[bool | None, str], tuple[list[str], Judgement]] = {}
    for broker in rights.brokers:
        if broker.problem is None:
            judgement = judge(broker.users.get(name), broker.rules.get(name), question)
            told = grouped.setdefault((broker.enforced, judgement.why), ([], judgement))
            told[0].append(broker.broker)
    return [
        Answer(
            tuple(names), key[0], told.allowed, told.why, tuple(rule_text(rule) for rule in told.weaker), told.near
        )
        for key, (names, told) in grouped.items()
    ]
