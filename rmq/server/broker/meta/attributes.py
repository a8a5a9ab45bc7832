"""Attributes of topics and groups, which are changed one by one: `+key=value` sets one, `-key` takes one away.

Only the attributes that are declared here exist. Refusals have Apache's words, and its code SYSTEM_ERROR; those of
values that Apache serves and this broker does not are our own.

An attribute `message.type` says what a topic is for. As at Apache's it is kept and told, and no broker holds messages
against it: gRPC proxies do.

Source: AttributeParser, AttributeUtil, TopicAttributes, SubscriptionGroupAttributes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rmq.wire.declare import parse_int
from rmq.wire.errors import InvalidParameterError, RemotingError


@dataclass(frozen=True, slots=True)
class OneOf:
    """An attribute with a set of values (EnumAttribute).

    Attributes:
        values: the set, in the order in which Java prints it.
        changeable: whether it can be changed once the topic or group exists.
    """

    values: tuple[str, ...]
    changeable: bool = True

    def check(self, value: str) -> None:
        """Raises RemotingError for a value that is none of the set's."""
        if value not in self.values:
            raise RemotingError(f"value is not in set: [{', '.join(self.values)}]")


@dataclass(frozen=True, slots=True)
class Between:
    """An attribute that is an integer from `low` to `high` (LongRangeAttribute); `changeable` as of `OneOf`."""

    low: int
    high: int
    changeable: bool = True

    def check(self, value: str) -> None:
        """Raises RemotingError for a value that is no such integer."""
        try:
            number = parse_int(value)
        except ValueError:
            raise RemotingError(f'For input string: "{value:.40}"') from None
        if not self.low <= number <= self.high:
            raise RemotingError(f"value is not in range({self.low}, {self.high})")


Attributes = Mapping[str, OneOf | Between]

MESSAGE_TYPE: Final = "message.type"
MIXED: Final = "MIXED"
TOPIC_ATTRIBUTES: Final[Attributes] = {
    "queue.type": OneOf(("SimpleCQ", "BatchCQ"), changeable=False),
    "cleanup.policy": OneOf(("DELETE", "COMPACTION"), changeable=False),
    MESSAGE_TYPE: OneOf(("UNSPECIFIED", MIXED, "TRANSACTION", "PRIORITY", "FIFO", "DELAY", "NORMAL")),
    "reserve.time": Between(-1, (1 << 63) - 1),
}
"""What a topic can have."""
UNSERVED: Final = {
    ("queue.type", "BatchCQ"): "this broker keeps every message in its place in a queue and has no batch queues",
    ("cleanup.policy", "COMPACTION"): "this broker compacts no topics: what is older than fileReservedTime is deleted",
}
"""Values that Apache knows and this broker cannot live up to, and why."""
GROUP_ATTRIBUTES: Final[Attributes] = {"priority.factor": Between(0, 100)}
"""What a group can have."""


def check_served(changes: Mapping[str, str]) -> None:
    """Refuses to set what this broker cannot live up to.

    Args:
        changes: signed names and values, as requests carry them.

    Raises:
        InvalidParameterError: one of them is such a value.
    """
    for signed, value in changes.items():
        reason = UNSERVED.get((signed.removeprefix("+"), value))
        if reason is not None:
            raise InvalidParameterError(f"{signed}={value} is not served: {reason}")


def parse_changes(text: str) -> dict[str, str]:
    """The changes in `+key=value,-key`, as a map from the signed name to the value.

    Raises:
        RemotingError: a part is neither form, or changes what another one does.
    """
    changes: dict[str, str] = {}
    # As Java's split: commas at the end count for nothing, nor does what follows a second "=".
    text = text.rstrip(",")
    for part in text.split(",") if text else ():
        name, equals, rest = part.partition("=")
        value = rest.partition("=")[0]
        if equals and ("+" not in name or not rest.strip("=")):
            raise RemotingError(f"add/alter attribute format is wrong: {name:.80}")
        if not equals and "-" not in name:
            raise RemotingError(f"delete attribute format is wrong: {name:.80}")
        if name in changes:
            raise RemotingError(f"key duplication: {name:.80}")
        changes[name] = value
    return changes


def altered(known: Mapping[str, str], changes: Mapping[str, str], allowed: Attributes, *, new: bool) -> dict[str, str]:
    """Attributes after some changes.

    Args:
        known: attributes so far.
        changes: signed names and values, as requests carry them.
        allowed: the attributes that exist.
        new: the topic or group is being made, so that nothing can be taken away.

    Raises:
        RemotingError: a change has no sign, or is of something that does not exist, cannot be changed or cannot have
            that value.
    """
    values, gone = _sorted_out(known, changes, new=new)
    for name, value in (values | dict.fromkeys(gone)).items():
        attribute = allowed.get(name)
        if attribute is None:
            raise RemotingError(f"unsupported key: {name:.80}")
        if not new and not attribute.changeable:
            raise RemotingError(f"attempt to update an unchangeable attribute. key: {name}")
        if value is not None:
            attribute.check(value)
    return {name: value for name, value in {**known, **values}.items() if name not in gone}


def _sorted_out(known: Mapping[str, str], changes: Mapping[str, str], *, new: bool) -> tuple[dict[str, str], set[str]]:
    """What is set, and what is taken away."""
    values: dict[str, str] = {}
    gone: set[str] = set()
    for signed, value in changes.items():
        sign, name = signed[:1], signed[1:]
        if not name or "+" in name or "-" in name:
            raise RemotingError("kv string format wrong.")
        if name in values or name in gone:
            raise RemotingError(f"alter duplication key. key: {name:.80}")
        if sign == "+":
            values[name] = value
        elif new:
            raise RemotingError(f"only add attribute is supported while creating topic. key: {name:.80}")
        elif sign != "-":
            raise RemotingError(f"wrong format key: {name:.80}")
        elif name not in known:
            raise RemotingError(f"attempt to delete a nonexistent key: {name:.80}")
        else:
            gone.add(name)
    return values, gone
