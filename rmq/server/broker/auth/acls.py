"""The rules for the broker's users, a JSON file.

A subject's rules are grouped by type; inside a type there is one rule for a resource, and a new one replaces it.

Source: AuthorizationMetadataManagerImpl, LocalAuthorizationMetadataProvider, Acl, Policy.
"""

from __future__ import annotations

from dataclasses import field, replace
from typing import Final

from rmq.server.broker.meta.config_file import ConfigFile, MemberTexts, pretty_object
from rmq.wire.bodies.auth import AclInfo, PolicyInfo
from rmq.wire.declare import body, decode_body, encode_body
from rmq.wire.errors import InvalidParameterError, RemotingError, SystemBusyError

MAX_ACL: Final = 64 * 1024
"""Most bytes of JSON of one subject's rules."""
MAX_TOTAL: Final = 4 * 1024 * 1024
"""Most characters of all rules in their file: a change writes them all, and a listing sends them in one answer."""


@body
class AclFile:
    """The file: rules by subject."""

    acls: dict[str, AclInfo] = field(default_factory=dict)


class AclTable:
    """All rules of a broker.

    Args:
        file: `config/acls.json`.
    """

    def __init__(self, file: ConfigFile) -> None:
        self._file = file
        self._acls: dict[str, AclInfo] = {}
        self._texts = MemberTexts(2)

    def load(self) -> None:
        """Reads what an earlier run kept.

        Raises:
            ConfigFileError: the file is damaged.
        """
        stored = self._file.load(lambda content: decode_body(AclFile, content))
        for subject, acl in (stored.acls if stored is not None else {}).items():
            self._enter(subject, replace(acl, subject=subject))

    def find(self, subject: str) -> AclInfo | None:
        """The rules for a subject, or None when there are none."""
        return self._acls.get(subject)

    def matching(self, subject_part: str | None, resource_part: str | None) -> list[AclInfo]:
        """The rules whose subject and resource hold these texts, by subject; blank ones do not matter."""
        wanted = subject_part if subject_part and subject_part.strip() else ""
        resource = resource_part if resource_part and resource_part.strip() else ""
        found = [_of_resource(self._acls[name], resource) for name in sorted(self._acls) if wanted in name]
        return [acl for acl in found if acl.policies]

    def put(self, subject: str, policies: list[PolicyInfo]) -> None:
        """Adds rules to those for a subject.

        Args:
            subject: in its canonical form.
            policies: as `checked_policies` gives them; the table keeps them.

        Raises:
            InvalidParameterError: there would be too many for this subject.
            SystemBusyError: there would be too many altogether.
            RemotingError: the file cannot be written; nothing is changed then.
        """
        known = self._acls.get(subject)
        merged = _merged(known.policies or [], policies) if known is not None else policies
        acl = AclInfo(subject, merged)
        size = len(encode_body(acl))
        if size > MAX_ACL:
            raise InvalidParameterError(f"rules of {size} bytes for one subject are more than {MAX_ACL}")
        self._put(subject, acl)

    def remove(self, subject: str) -> None:
        """Forgets all rules for a subject, if there are any.

        Raises:
            RemotingError: the file cannot be written; the rules remain then.
        """
        if subject in self._acls:
            self._put(subject, None)

    def remove_resource(self, subject: str, policy_type: str, resource: str) -> None:
        """Forgets the rule for one resource, if there is one; see `remove`."""
        known = self._acls.get(subject)
        policy = next((p for p in (known.policies if known else None) or () if p.policy_type == policy_type), None)
        entries = list((policy.entries if policy is not None else None) or ())
        entry = next((entry for entry in entries if entry.resource == resource), None)
        if known is None or policy is None or entry is None:
            return
        entries.remove(entry)
        rest = [replace(p, entries=entries) if p is policy else p for p in known.policies or ()]
        rest = [p for p in rest if p.entries]
        self._put(subject, AclInfo(subject, rest) if rest else None)

    def _put(self, subject: str, acl: AclInfo | None) -> None:
        before, size = self._acls.get(subject), self._texts.size
        self._enter(subject, acl)
        if size < self._texts.size > MAX_TOTAL:
            self._enter(subject, before)
            raise SystemBusyError(f"this broker takes no more than {MAX_TOTAL} characters of rules")
        try:
            self._file.save(pretty_object((("acls", self._texts.object()),)))
        except OSError as error:
            self._enter(subject, before)
            raise RemotingError(f"the rules cannot be written: {error}") from None

    def _enter(self, subject: str, acl: AclInfo | None) -> None:
        if acl is None:
            self._acls.pop(subject, None)
            self._texts.remove(subject)
        else:
            self._acls[subject] = acl
            self._texts.put(subject, acl)


def _merged(known: list[PolicyInfo], new: list[PolicyInfo]) -> list[PolicyInfo]:
    merged = [replace(policy, entries=list(policy.entries or ())) for policy in known]
    for policy in new:
        same = next((p for p in merged if p.policy_type == policy.policy_type), None)
        if same is None:
            merged.append(policy)
            continue
        entries = same.entries = list(same.entries or ())
        places = {entry.resource: index for index, entry in reversed(list(enumerate(entries)))}
        for entry in policy.entries or ():
            place = places.get(entry.resource)
            if place is None:
                places[entry.resource] = len(entries)
                entries.append(entry)
            else:
                entries[place] = entry
    return merged


def _of_resource(acl: AclInfo, part: str) -> AclInfo:
    if not part:
        return acl
    policies = [
        replace(policy, entries=[entry for entry in policy.entries or () if part in (entry.resource or "")])
        for policy in acl.policies or ()
    ]
    return replace(acl, policies=[policy for policy in policies if policy.entries])
