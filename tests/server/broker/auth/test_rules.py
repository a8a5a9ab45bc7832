"""What rules may look like, as Apache 5.4.0 answered to the same."""

from typing import Any

import pytest

from rmq.server.broker.auth.rules import checked_policies, is_address_range
from rmq.wire.bodies.auth import AclInfo, PolicyEntryInfo, PolicyInfo
from rmq.wire.errors import RemotingError


def rule(**members: Any) -> PolicyEntryInfo:
    return PolicyEntryInfo(**{"resource": "Topic:T", "actions": ["Pub"], "decision": "Allow", **members})


def acl(*entries: PolicyEntryInfo, policy_type: str | None = None) -> AclInfo:
    return AclInfo("User:bob", [PolicyInfo(policy_type, list(entries))])


def test_words_are_kept_in_apaches_spelling() -> None:
    wanted = acl(rule(resource="topic:T", actions=["pub", "SUB", "nonsense"], decision="deny", source_ips=[]))
    assert checked_policies(wanted) == [
        PolicyInfo("Custom", [PolicyEntryInfo("Topic:T", ["Pub", "Sub"], None, "Deny")])
    ]


@pytest.mark.parametrize(
    ("given", "kept"),
    [(None, "Custom"), ("", "Custom"), ("nonsense", "Custom"), ("default", "Default"), ("CUSTOM", "Custom")],
)
def test_types(given: str | None, kept: str) -> None:
    assert checked_policies(acl(rule(), policy_type=given))[0].policy_type == kept


def test_policies_without_rules_are_left_out() -> None:
    wanted = AclInfo("User:bob", [PolicyInfo(), PolicyInfo("Default", [rule()]), PolicyInfo("Custom", [])])
    assert checked_policies(wanted) == [PolicyInfo("Default", [rule()])]


@pytest.mark.parametrize(
    ("wanted", "code", "reason"),
    [
        (AclInfo(), 1, "The body of acl is null"),
        (AclInfo("User:bob", []), 1, "The body of acl is null"),
        (acl(), 16, "The policies is empty."),
        (acl(rule(resource=None)), 16, "The resource is null."),
        (acl(rule(resource="Topik:T")), 16, "The resource is null."),
        (acl(rule(actions=None)), 16, "The actions is empty."),
        (acl(rule(actions=[])), 16, "The actions is empty."),
        (acl(rule(actions=["Wrong"])), 16, "The actions is empty."),
        (acl(rule(actions=["Pub", "Any"])), 16, "The actions can not be Any."),
        (acl(rule(source_ips=["10.0.0.1", " "])), 16, "The source ip is empty."),
        (acl(rule(source_ips=["10.0.0.1", "localhost"])), 16, "The source ip is invalid."),
        (acl(rule(decision=None)), 16, "The decision is null or illegal."),
        (acl(rule(), rule(decision="Maybe")), 16, "The decision is null or illegal."),
    ],
)
def test_what_is_refused(wanted: AclInfo, code: int, reason: str) -> None:
    with pytest.raises(RemotingError) as caught:
        checked_policies(wanted)
    assert (caught.value.code, caught.value.remark) == (code, reason)


@pytest.mark.parametrize(
    "text", ["1.2.3.4", "1.2.3.4/32", "192.168.1.1/16", "10.0.0.0/0", "::1", "::1/64", "fe80::1%eth0", "::ffff:1.2.3.4"]
)
def test_addresses(text: str) -> None:
    assert is_address_range(text)


@pytest.mark.parametrize(
    "text",
    ["", "1.2.3", "01.2.3.4", "1.2.3.4/33", "1.2.3.4/255.0.0.0", "1.2.3.4/", "1.2.3.4/-1", "::1/129", "*", "1.2.3.*",
     "localhost", "1.2.3.4/0000"],
)  # fmt: skip
def test_no_addresses(text: str) -> None:
    assert not is_address_range(text)
