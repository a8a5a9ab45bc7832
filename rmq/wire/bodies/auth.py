"""Users, and the rules about what they may do to which resources.

A rule's resource is written as one text: `*`, or a kind and a name such as `Topic:Orders`, where a name of `*` is
every one of the kind and a `*` at the end makes a prefix. Whom rules are for, their subject, is `User:` and the name.
Words are compared without regard to case and kept in Apache's spelling.

Source: UserInfo, AclInfo, User, Subject, Resource, and the enums UserType, UserStatus, PolicyType, Decision, Action.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from enum import StrEnum
from typing import Any, Final, TypeVar

import orjson

from rmq.wire import fastjson
from rmq.wire.declare import body, from_plain, to_plain
from rmq.wire.errors import InvalidFieldError

T = TypeVar("T")
Word = TypeVar("Word", bound=StrEnum)

_KINDS: Final = ("Unknown", "Any", "Cluster", "Namespace", "Topic", "Group")
_ALL: Final = "*"
_USER: Final = "User"


class UserType(StrEnum):
    """Whether rules apply to a user: to a super user they do not."""

    SUPER = "Super"
    NORMAL = "Normal"


class UserStatus(StrEnum):
    """Whether a user may do anything."""

    ENABLE = "enable"
    DISABLE = "disable"


class PolicyType(StrEnum):
    """Rules of their own come before those that hold by default."""

    CUSTOM = "Custom"
    DEFAULT = "Default"


class Decision(StrEnum):
    """What a rule says."""

    ALLOW = "Allow"
    DENY = "Deny"


class Action(StrEnum):
    """What a rule is about. `ANY` is for questions only, `UNKNOWN` for nothing."""

    UNKNOWN = "Unknown"
    ALL = "All"
    ANY = "Any"
    PUB = "Pub"
    SUB = "Sub"
    CREATE = "Create"
    UPDATE = "Update"
    DELETE = "Delete"
    GET = "Get"
    LIST = "List"


@body
class UserInfo:
    """One user. The password is kept and sent as it is, because signatures are made with it."""

    username: str | None = None
    password: str | None = field(default=None, repr=False)
    user_type: str | None = None
    user_status: str | None = None


@body
class PolicyEntryInfo:
    """One rule; without addresses it holds wherever the user connects from."""

    resource: str | None = None
    actions: list[str] | None = None
    source_ips: list[str] | None = None
    decision: str | None = None


@body
class PolicyInfo:
    """Rules of one type."""

    policy_type: str | None = None
    entries: list[PolicyEntryInfo] | None = None


@body
class AclInfo:
    """All rules for one subject."""

    subject: str | None = None
    policies: list[PolicyInfo] | None = None


def by_name(kind: type[Word], text: str | None) -> Word | None:
    """The member that a word means, whatever its case; None when there is none."""
    lower = (text or "").lower()
    return next((member for member in kind if member.value.lower() == lower), None)


def user_subject(username: str) -> str:
    """The subject that a user is."""
    return f"{_USER}:{username}"


def subject_user(subject: str | None) -> str | None:
    """The name of the user that a subject is, or None when it is no user."""
    kind, _, name = (subject or "").partition(":")
    return name if kind.lower() == _USER.lower() else None


def canonical_resource(text: str | None) -> str | None:
    """A resource as it is kept, or None when the text is none."""
    if not text or not text.strip():
        return None
    kind, _, name = text.partition(":")
    known = next((known for known in _KINDS if known.lower() == kind.lower()), None)
    if text == _ALL or known == "Any":
        return _ALL
    if known is None:
        return None
    if name.endswith(_ALL):
        # A name stops at its first asterisk.
        name = name.partition(_ALL)[0] + _ALL
    return f"{known}:{name}"


def encode_list(items: Iterable[Any]) -> bytes:
    """Bodies as the JSON array that a listing is."""
    plain = [to_plain(item) for item in items]
    try:
        # A tenth of fastjson's time, and the same bytes: there are only texts and lists in these bodies.
        return orjson.dumps(plain)
    except TypeError:
        # A text with half a surrogate pair.
        return fastjson.dumps(plain).encode()


def decode_list(cls: type[T], data: bytes) -> list[T]:
    """A listing's bodies; nothing at all is an empty one.

    Raises:
        InvalidFieldError: the bytes are no JSON array of such bodies.
    """
    try:
        plain = fastjson.loads(data) if data else []
    except fastjson.JSONError:
        raise InvalidFieldError(f"list of {cls.__name__}: no JSON") from None
    if not isinstance(plain, list):
        raise InvalidFieldError(f"list of {cls.__name__}: array expected, got {type(plain).__name__}")
    return [from_plain(cls, item, f"{cls.__name__}[{index}]") for index, item in enumerate(plain)]
