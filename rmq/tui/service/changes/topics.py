"""Topics are made, changed, deleted, and taken over from a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from rmq.tui.formats import plural
from rmq.tui.service.changes.change import Change, Risk
from rmq.tui.service.changes.places import Place
from rmq.wire.bodies.topic import PERM_PRIORITY, perm_text

MESSAGE_TYPE: Final = "message.type"
MESSAGE_TYPES: Final = ("NORMAL", "FIFO", "DELAY", "TRANSACTION", "MIXED")
"""What the attribute `message.type` may be (TopicMessageType)."""

MOST_QUEUES: Final = 16_384
"""Queues that a topic may have on a broker."""
_UNIT_BIT: Final = 1
_UNIT_SUBSCRIPTION_BIT: Final = 2

Attributes = tuple[tuple[str, str], ...]
"""Names and values."""


@dataclass(frozen=True, slots=True)
class TopicDefinition:
    """A topic as a broker is to have it.

    Attributes:
        perm: a sum of 4 read, 2 write, 1 inherit.
        filter_type: `SINGLE_TAG` or `MULTI_TAG`.
        sys_flag: a sum of 1 unit, 2 units subscribe.
        attributes: all of them.
    """

    name: str
    read_queues: int = 8
    write_queues: int = 8
    perm: int = 6
    order: bool = False
    attributes: Attributes = ()
    filter_type: str = "SINGLE_TAG"
    sys_flag: int = 0

    def members(self) -> dict[str, str]:
        """What there is to compare, by the names that brokers use."""
        return {
            "readQueueNums": str(self.read_queues),
            "writeQueueNums": str(self.write_queues),
            "perm": perm_text(self.perm),
            "order": str(self.order).lower(),
            "topicFilterType": self.filter_type,
            "topicSysFlag": str(self.sys_flag),
            **dict(self.attributes),
        }


def differences(before: TopicDefinition, wanted: TopicDefinition) -> list[tuple[str, str, str]]:
    """What differs: name, value before, value wanted; empty where an attribute is missing."""
    had, gets = before.members(), wanted.members()
    return [
        (name, had.get(name, ""), gets.get(name, ""))
        for name in dict.fromkeys((*had, *gets))
        if had.get(name) != gets.get(name)
    ]


def signed(before: Mapping[str, str], wanted: Mapping[str, str]) -> Attributes:
    """The changes that make attributes what they should be, as they travel: `+name` and a value, or `-name`."""
    added = tuple((f"+{name}", value) for name, value in wanted.items() if before.get(name) != value)
    return added + tuple((f"-{name}", "") for name in before if name not in wanted)


def attribute_text(changes: Iterable[tuple[str, str]]) -> str:
    """Signed changes as mqadmin takes them, `+key=value,-key`."""
    return ",".join(f"{name}={value}" if value else name for name, value in changes)


def permissions() -> list[tuple[str, int]]:
    """Permissions that a topic is given, as text and number; inherit is for templates of the system."""
    return [(perm_text(perm), perm) for perm in (6, 4, 2)]


@dataclass(frozen=True, slots=True)
class CreateTopic(Change):
    """Makes a topic. One that is there already is not touched: that is refused in the preview."""

    risk: ClassVar[Risk] = Risk.LOW

    place: Place
    wanted: TopicDefinition

    @property
    def title(self) -> str:
        """See `Change`."""
        return f"create topic {self.wanted.name} on {self.place}"

    @property
    def target(self) -> str:
        """See `Change`."""
        return self.wanted.name

    @property
    def command(self) -> tuple[str, ...]:
        """See `Change`."""
        return _update_topic(self.place, self.wanted, signed({}, dict(self.wanted.attributes)))


@dataclass(frozen=True, slots=True)
class EditTopic(Change):
    """Changes a topic.

    Attributes:
        before: what it was as far as known; the change of attributes follows from it.
    """

    place: Place
    wanted: TopicDefinition
    before: TopicDefinition

    @property
    def title(self) -> str:
        """See `Change`."""
        found = differences(self.before, self.wanted)
        told = ", ".join(f"{name} {old or '-'} -> {new or '-'}" for name, old, new in found)
        return f"edit topic {self.wanted.name} on {self.place}: {told or 'nothing changes'}"

    @property
    def target(self) -> str:
        """See `Change`."""
        return self.wanted.name

    @property
    def changes(self) -> Attributes:
        """Signed changes of attributes."""
        return signed(dict(self.before.attributes), dict(self.wanted.attributes))

    @property
    def command(self) -> tuple[str, ...]:
        """See `Change`."""
        return _update_topic(self.place, self.wanted, self.changes)


@dataclass(frozen=True, slots=True)
class DeleteTopic(Change):
    """Deletes a topic and its messages from a cluster, and its route from the name servers."""

    risk: ClassVar[Risk] = Risk.HIGH

    cluster: str
    name: str

    @property
    def title(self) -> str:
        """See `Change`."""
        return f"delete topic {self.name} from cluster {self.cluster}"

    @property
    def target(self) -> str:
        """See `Change`."""
        return self.name

    @property
    def command(self) -> tuple[str, ...]:
        """See `Change`."""
        return ("deleteTopic", "-c", self.cluster, "-t", self.name)


@dataclass(frozen=True, slots=True)
class ImportTopics(Change):
    """Makes topics of a file, and makes those that are there like the file's.

    Attributes:
        path: the file, as mqadmin is told.
        overwrite: whether topics that are there and differ are changed; without, they are passed over.
        added_up: queues are those of all masters together, and are shared out again (an export of a cluster).
    """

    place: Place
    definitions: tuple[TopicDefinition, ...]
    path: str
    overwrite: bool = False
    added_up: bool = False

    @property
    def title(self) -> str:
        """See `Change`."""
        how = "" if self.overwrite else ", existing ones stay"
        topics = plural(len(self.definitions), "topic")
        return f"import {topics} from {self.path} to {self.place}{how}"

    @property
    def target(self) -> str:
        """See `Change`."""
        return self.path

    @property
    def command(self) -> tuple[str, ...]:
        """See `Change`."""
        return ("importMetadata", *self.place.words, "-f", self.path, "-t", *(("-o",) if self.overwrite else ()))


def is_permission(perm: int) -> bool:
    """Whether it is a sum of 4 read, 2 write and 1 inherit."""
    return 0 <= perm < PERM_PRIORITY


def _update_topic(place: Place, wanted: TopicDefinition, changes: Attributes) -> tuple[str, ...]:
    flags = ("-u", "true") * bool(wanted.sys_flag & _UNIT_BIT) + ("-s", "true") * bool(
        wanted.sys_flag & _UNIT_SUBSCRIPTION_BIT
    )
    return (
        "updateTopic",
        *place.words,
        "-t",
        wanted.name,
        "-r",
        str(wanted.read_queues),
        "-w",
        str(wanted.write_queues),
        "-p",
        str(wanted.perm),
        "-o",
        str(wanted.order).lower(),
        *flags,
        *(("-a", attribute_text(changes)) if changes else ()),
    )
