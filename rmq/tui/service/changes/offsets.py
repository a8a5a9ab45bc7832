"""Consumer groups go on from elsewhere: from a time, an end, an offset, or so many messages from where they are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import ClassVar, Final

from rmq.tui.service.changes.change import Change, Risk
from rmq.tui.times import TimeError, millis_of

EXAMPLES: Final = (
    "earliest, latest, -30m, 14:05, 2026-11-21 14:05, ms, @1200 (one queue's offset), +100 or -100 messages"
)
"""What a target may be."""

_OFFSET: Final = re.compile(r"@(\d{1,18})", re.ASCII)
_MESSAGES: Final = re.compile(r"[+-]\d{1,18}", re.ASCII)


class Kind(StrEnum):
    """What a target is counted from."""

    TIME = "time"
    """Ms since the epoch."""
    EARLIEST = "earliest"
    """The oldest message that is kept."""
    LATEST = "latest"
    """Behind the newest message."""
    OFFSET = "offset"
    """An offset of a queue."""
    BY = "by"
    """Messages from where the group is."""


class TargetError(ValueError):
    """A text is no target; it says what is."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a group is to go on.

    Attributes:
        kind: what the number is counted from.
        number: ms, an offset or messages; 0 for the ends.
        text: as it is shown.
    """

    kind: Kind
    number: int
    text: str


def target_of(text: str, now: int, zone: tzinfo | None) -> Target:
    """What a user has typed.

    Args:
        text: see `EXAMPLES`.
        now: ms since the epoch.
        zone: of days and of times of day; None for the system's.

    Raises:
        TargetError: it is none.
    """
    text = text.strip()
    if text == "earliest":
        return Target(Kind.EARLIEST, 0, "the oldest message")
    if text in {"latest", "now"}:
        return Target(Kind.LATEST, 0, "the end")
    offset = _OFFSET.fullmatch(text)
    if offset is not None:
        return Target(Kind.OFFSET, int(offset[1]), f"offset {int(offset[1]):,}")
    if _MESSAGES.fullmatch(text):
        number = int(text)
        way = "forward" if number > 0 else "back"
        return Target(Kind.BY, number, f"{abs(number):,} messages {way}")
    try:
        millis = millis_of(text, now, zone)
    except TimeError:
        raise TargetError(f"{text:.40} is no target; known are {EXAMPLES}" if text else EXAMPLES) from None
    if millis > now:
        raise TargetError("that time is yet to come; latest goes to the end")
    return Target(Kind.TIME, millis, datetime.fromtimestamp(millis / 1000, zone).strftime("%Y-%m-%d %H:%M:%S"))


@dataclass(frozen=True, slots=True)
class ResetOffsets(Change):
    """Groups go on from elsewhere.

    Attributes:
        groups: the groups.
        topic: the topic; empty for every topic that a group reads, those for its retries left out.
        to: where they go on.
        queue: broker and number of the only queue that is meant; None for all.
    """

    risk: ClassVar[Risk] = Risk.HIGH

    groups: tuple[str, ...]
    topic: str
    to: Target
    queue: tuple[str, int] | None = None

    @property
    def title(self) -> str:
        """See `Change`."""
        place = f"/{self.topic}" if self.topic else ""
        queue = f" {self.queue[0]}/{self.queue[1]}" if self.queue is not None else ""
        return f"reset offset {self.target}{place}{queue} -> {self.to.text}"

    @property
    def target(self) -> str:
        """See `Change`; several groups are meant by their number."""
        return self.groups[0] if len(self.groups) == 1 else f"{len(self.groups)} groups"

    @property
    def command(self) -> tuple[str, ...]:
        """See `Change`; empty when it depends on where the groups are, or on what they read."""
        times = {Kind.TIME: str(self.to.number), Kind.EARLIEST: "0", Kind.LATEST: "-1"}
        if len(self.groups) != 1 or not self.topic or self.to.kind not in times or self.queue is not None:
            return ()
        return by_time(self.groups[0], self.topic, times[self.to.kind])


def by_time(group: str, topic: str, timestamp: str) -> tuple[str, ...]:
    """The command that moves a group to a time."""
    return ("resetOffsetByTime", "-g", group, "-t", topic, "-s", timestamp)


def to_offset(group: str, topic: str, broker: str, queue_id: int, offset: int) -> tuple[str, ...]:
    """The command that moves a group on one queue."""
    return (*by_time(group, topic, "0"), "-b", broker, "-q", str(queue_id), "-o", str(offset))
