"""What rules may look like.

Checked in Apache's order and refused with its words; what a rule says comes out in Apache's spelling.

Source: AuthorizationMetadataManagerImpl.validate, AclConverter, IPAddressUtils.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final

from rmq.wire.bodies.auth import (
    AclInfo,
    Action,
    Decision,
    PolicyEntryInfo,
    PolicyInfo,
    PolicyType,
    by_name,
    canonical_resource,
)
from rmq.wire.errors import NoPermissionError, RemotingError

_BITS: Final = {4: 32, 6: 128}


def checked_policies(acl: AclInfo) -> list[PolicyInfo]:
    """The policies of a request as they are kept; ones without rules are left out.

    Raises:
        RemotingError: there is none at all.
        NoPermissionError: one is not in order.
    """
    if not acl.policies:
        raise RemotingError("The body of acl is null")
    policies = [
        PolicyInfo(by_name(PolicyType, policy.policy_type) or PolicyType.CUSTOM, list(map(_checked, policy.entries)))
        for policy in acl.policies
        if policy.entries
    ]
    if not policies:
        raise NoPermissionError("The policies is empty.")
    return policies


def _checked(entry: PolicyEntryInfo) -> PolicyEntryInfo:
    resource = canonical_resource(entry.resource)
    if resource is None:
        raise NoPermissionError("The resource is null.")
    actions = [action for text in entry.actions or () if (action := by_name(Action, text)) is not None]
    if not actions:
        raise NoPermissionError("The actions is empty.")
    if Action.ANY in actions:
        raise NoPermissionError("The actions can not be Any.")
    for address in entry.source_ips or ():
        if not address.strip():
            raise NoPermissionError("The source ip is empty.")
        if not is_address_range(address):
            raise NoPermissionError("The source ip is invalid.")
    decision = by_name(Decision, entry.decision)
    if decision is None:
        raise NoPermissionError("The decision is null or illegal.")
    return PolicyEntryInfo(resource, list(actions), list(entry.source_ips) if entry.source_ips else None, decision)


def is_address_range(text: str) -> bool:
    """Whether this is an IP address, or one with the length of a prefix after a slash; no host name, no mask."""
    host, slash, length = text.partition("/")
    try:
        address = ip_address(host)
    except ValueError:
        return False
    if not slash:
        return True
    return length.isascii() and length.isdigit() and len(length) < 4 and int(length) <= _BITS[address.version]
