"""Who may do what: which rule decides, and why. The interop tests ask Apache for its own answers."""

import pytest

from rmq.client.admin.rights import RightsQuestion, asked_resource, judge
from rmq.wire.bodies.auth import AclInfo, Action, PolicyEntryInfo, PolicyInfo, UserInfo

ALICE = UserInfo("alice", None, "Normal", "enable")


def rule(resource: str, actions: str, decision: str = "Allow", *sources: str) -> PolicyEntryInfo:
    return PolicyEntryInfo(resource, actions.split(), list(sources) or None, decision)


def rules(*custom: PolicyEntryInfo, default: tuple[PolicyEntryInfo, ...] = ()) -> AclInfo:
    return AclInfo("User:alice", [PolicyInfo("Default", list(default)), PolicyInfo("Custom", list(custom))])


def asked(resource: str = "Topic:Orders", action: Action = Action.PUB, ip: str = "10.0.0.1") -> RightsQuestion:
    return RightsQuestion(action, resource, ip)


@pytest.mark.parametrize(
    ("user", "acl", "allowed", "why"),
    [
        (None, None, False, "the broker has no such user"),
        (UserInfo("alice", None, "Super", "enable"), None, True, "a super user may do everything; rules do not apply"),
        (
            UserInfo("alice", None, "Super", "disable"),
            None,
            False,
            "the user is disabled, and refused before any rule is looked at",
        ),
        (ALICE, None, False, "there are no rules for this user, and what no rule allows is refused"),
        (ALICE, rules(rule("Topic:*", "Pub")), True, "Custom rule: Allow Pub on Topic:*"),
        (ALICE, rules(default=(rule("*", "All", "Deny"),)), False, "Default rule: Deny All on *"),
    ],
)
def test_what_decides(user: UserInfo | None, acl: AclInfo | None, allowed: bool, why: str) -> None:
    judgement = judge(user, acl, asked())
    assert (judgement.allowed, judgement.why) == (allowed, why)


def test_the_closest_rule_decides() -> None:
    acl = rules(
        rule("*", "All", "Deny"),
        rule("Topic:*", "Pub"),
        rule("Topic:Ord*", "Pub", "Deny"),
        rule("Topic:Order*", "Pub Sub", "Allow", "10.0.0.0/8"),
    )
    judgement = judge(ALICE, acl, asked())
    assert judgement.allowed
    assert judgement.why == (
        "Custom rule: Allow Pub,Sub on Topic:Order* from 10.0.0.0/8; it goes before 3 weaker ones"
    )
    assert [entry.resource for entry in judgement.weaker] == ["Topic:Ord*", "Topic:*", "*"]
    assert judge(ALICE, acl, asked(ip="192.168.0.1")).rule == rule("Topic:Ord*", "Pub", "Deny")
    assert judge(ALICE, acl, asked("Group:billing")).rule == rule("*", "All", "Deny")


def test_custom_rules_go_before_closer_default_ones() -> None:
    acl = rules(rule("*", "All"), default=(rule("Topic:Orders", "Pub", "Deny"),))
    assert judge(ALICE, acl, asked()).why == "Custom rule: Allow All on *"


def test_why_no_rule_matches() -> None:
    acl = rules(
        rule("Topic:Orders", "Sub"), rule("Topic:*", "Pub", "Allow", "172.16.0.1"), rule("Group:*", "Pub"),
        default=(rule("Topic:O*", "Get"),),
    )  # fmt: skip
    judgement = judge(ALICE, acl, asked())
    assert (judgement.allowed, judgement.rule) == (False, None)
    assert judgement.near == (
        "Custom rule does not match, another action: Allow Sub on Topic:Orders",
        "Custom rule does not match, another address: Allow Pub on Topic:* from 172.16.0.1",
        "Default rule does not match, another action: Allow Get on Topic:O*",
    )
    assert judge(ALICE, acl, asked(ip="")).near[1].startswith("Custom rule does not match, no address is given")


@pytest.mark.parametrize(
    ("text", "resource"),
    [
        ("Orders", "Topic:Orders"),
        ("topic:Orders", "Topic:Orders"),
        (" GROUP:billing ", "Group:billing"),
        ("%RETRY%billing", "Group:billing"),
        ("Topic:%DLQ%billing", "Group:billing"),
        ("Cluster:C1", "Cluster:C1"),
        ("", None),
        ("Topic:", None),
        ("Topic:Ord*", None),
        ("*", None),
        ("Queue:a", None),
    ],
)
def test_resources_as_they_are_asked_about(text: str, resource: str | None) -> None:
    assert asked_resource(text) == resource
