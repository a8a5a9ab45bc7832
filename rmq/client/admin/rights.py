"""What users may do, by the rules that a broker has for them.

The order of decisions, as a broker of Apache's makes them:

    no such user        refused
    disabled            refused, when the user signs in
    super user          allowed, whatever the rules are
    no rule matches     refused
    the first match     decides, allow or deny

A rule matches by its resource, then one of its actions, then the address. Rules of the type Custom are looked at
first, those of the type Default only where no Custom one matches. Of several that match, the one that names the
resource goes before a prefix, a longer prefix before a shorter one, a kind of resource before every resource. Of two
rules for the same resource, which a broker keeps only when one request brought both, the denying one wins. (Apache's
5.4.0 does so; releases before let the allowing one win.)

Source: UserAuthorizationHandler, AclAuthorizationHandler, Resource.isMatch, PolicyEntry, Environment, IPAddressUtils,
DefaultAuthorizationContextBuilder.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Final

from rmq.wire.bodies.auth import (
    AclInfo,
    Action,
    Decision,
    PolicyEntryInfo,
    PolicyType,
    UserInfo,
    UserStatus,
    UserType,
    by_name,
    canonical_resource,
)
from rmq.wire.names import DLQ_PREFIX, RETRY_PREFIX

_EVERYTHING: Final = "*"
_NAMED, _PREFIXED, _KIND, _ANYTHING = range(4)


@dataclass(frozen=True, slots=True)
class RightsQuestion:
    """May a user do something?

    Attributes:
        action: what.
        resource: on what, a kind and a name, such as `Topic:Orders` or `Group:billing`.
        source_ip: from where; empty when that is not known, which no rule with addresses matches.
    """

    action: Action
    resource: str
    source_ip: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The answer.

    Attributes:
        allowed: whether the broker lets it happen.
        why: what decided, a sentence.
        rule: the rule that decided, None when none did.
        weaker: rules that match too, and come behind it.
        near: why rules for the resource do not match, a sentence each; only where no rule matches.
    """

    allowed: bool
    why: str
    rule: PolicyEntryInfo | None = None
    weaker: tuple[PolicyEntryInfo, ...] = ()
    near: tuple[str, ...] = ()


def asked_resource(text: str) -> str | None:
    """A resource as a broker asks about it, None when the text is none.

    A name without a kind is a topic's. What concerns a retry or dead-letter topic is decided by its group.
    """
    word = text.strip()
    kind, colon, name = word.partition(":")
    if not colon:
        kind, name = "Topic", word
    if name.startswith((RETRY_PREFIX, DLQ_PREFIX)):
        kind, name = "Group", name.removeprefix(RETRY_PREFIX).removeprefix(DLQ_PREFIX)
    found = canonical_resource(f"{kind}:{name}")
    return found if found is not None and found != _EVERYTHING and name and not name.endswith(_EVERYTHING) else None


def judge(user: UserInfo | None, acl: AclInfo | None, question: RightsQuestion) -> Judgement:
    """Decides as a broker does that checks rights.

    Args:
        user: the user, None when the broker has none of that name.
        acl: the rules for it, None when there are none.
        question: what is to be decided.
    """
    if user is None:
        return Judgement(False, "the broker has no such user")
    if by_name(UserStatus, user.user_status) is UserStatus.DISABLE:
        return Judgement(False, "the user is disabled, and refused before any rule is looked at")
    if by_name(UserType, user.user_type) is UserType.SUPER:
        return Judgement(True, "a super user may do everything; rules do not apply")
    if acl is None or not acl.policies:
        return Judgement(False, "there are no rules for this user, and what no rule allows is refused")
    for kind in (PolicyType.CUSTOM, PolicyType.DEFAULT):
        matching = [entry for entry in _entries(acl, kind) if not _mismatch(entry, question)]
        if matching:
            # Stable, as Java's sort: of equals, the first stays first.
            rule, *weaker = sorted(matching, key=_rank)
            allowed = by_name(Decision, rule.decision) is not Decision.DENY
            beaten = f"; it goes before {len(weaker)} weaker one{'s' * (len(weaker) > 1)}" if weaker else ""
            return Judgement(allowed, f"{kind} rule: {rule_text(rule)}{beaten}", rule, tuple(weaker))
    near = [
        f"{kind} rule does not match, {reason}: {rule_text(entry)}"
        for kind in (PolicyType.CUSTOM, PolicyType.DEFAULT)
        for entry in _entries(acl, kind)
        if (reason := _mismatch(entry, question)) and reason != _OTHER_RESOURCE
    ]
    return Judgement(False, "no rule matches, and what no rule allows is refused", near=tuple(near))


def rule_text(entry: PolicyEntryInfo) -> str:
    """A rule in a line, such as `Allow Pub,Sub on Topic:Orders* from 10.0.0.0/8`."""
    source = f" from {', '.join(entry.source_ips)}" if entry.source_ips else ""
    return f"{entry.decision} {','.join(entry.actions or ())} on {entry.resource}{source}"


def _entries(acl: AclInfo, kind: PolicyType) -> Sequence[PolicyEntryInfo]:
    for policy in acl.policies or ():
        if by_name(PolicyType, policy.policy_type) is kind:
            return policy.entries or ()
    return ()


# --- matching ------------------------------------------------------------------------------------------------------

_OTHER_RESOURCE: Final = "another resource"


def _mismatch(entry: PolicyEntryInfo, question: RightsQuestion) -> str:
    """Why a rule does not match; empty when it does."""
    if not _covers(entry.resource, question.resource):
        return _OTHER_RESOURCE
    actions = set(_actions(entry))
    wanted = question.action
    if not actions or (wanted is not Action.ANY and not actions & {wanted, Action.ALL}):
        return "another action"
    if entry.source_ips and not (question.source_ip and _is_within(question.source_ip, entry.source_ips)):
        return "another address" if question.source_ip else "no address is given"
    return ""


def _actions(entry: PolicyEntryInfo) -> Iterator[Action]:
    return (action for text in entry.actions or () if (action := by_name(Action, text)) is not None)


def _parts(resource: str | None) -> tuple[int, str, str]:
    """How a rule names what it is for, the kind, and the name or its beginning."""
    text = canonical_resource(resource) or ""
    if text == _EVERYTHING:
        return _ANYTHING, "", ""
    kind, _, name = text.partition(":")
    if name == _EVERYTHING:
        return _KIND, kind, ""
    return (_PREFIXED, kind, name[:-1]) if name.endswith(_EVERYTHING) else (_NAMED, kind, name)


def _covers(rule: str | None, resource: str) -> bool:
    how, kind, name = _parts(rule)
    asked_kind, _, asked = resource.partition(":")
    if how == _ANYTHING:
        return True
    if kind != asked_kind:
        return False
    return how == _KIND or (asked.startswith(name) if how == _PREFIXED else asked == name)


def _rank(entry: PolicyEntryInfo) -> tuple[int, int, bool]:
    how, _, name = _parts(entry.resource)
    length = len(name) if how == _PREFIXED else 0
    return how, -length, by_name(Decision, entry.decision) is not Decision.DENY


def _is_within(address: str, ranges: Sequence[str]) -> bool:
    return any(_is_in(address, one) for one in ranges)


def _is_in(address: str, one: str) -> bool:
    first, slash, length = one.partition("/")
    if not slash:
        # Texts are compared: another spelling of the same address is another one.
        return address == first
    try:
        number, (base, bits) = _number(address)[0], _number(first)
        shift = max(bits - int(length), 0)
    except ValueError:
        return False
    # Numbers are compared across families: `::/0` holds every IPv4 address, `0.0.0.0/0` no usual IPv6 one.
    return number >> shift == base >> shift


def _number(text: str) -> tuple[int, int]:
    """An address as a number, and how many bits it has; Java knows an IPv4 address in IPv6 spelling for what it is."""
    address = ip_address(text)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return int(address), address.max_prefixlen
