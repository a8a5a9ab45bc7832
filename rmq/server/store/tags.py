"""The tags code of a message's queue unit, computed from its properties.

Source: CommitLog.checkMessageAndReturnSize, ScheduleMessageService.computeDeliverTimestamp.
"""

from __future__ import annotations

from rmq.wire.message import find_property, tags_code

SCHEDULE_TOPIC = "SCHEDULE_TOPIC_XXXX"
_UNIT_MS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def delay_levels(text: str) -> list[int]:
    """Milliseconds of each delay level, level 1 first.

    Raises:
        ValueError: a level is not a number followed by s, m, h or d.
    """
    levels = []
    for part in text.split():
        unit = _UNIT_MS.get(part[-1])
        if unit is None or not part[:-1].isdigit():
            raise ValueError(f"delay level {part!r} is not a number followed by s, m, h or d")
        levels.append(int(part[:-1]) * unit)
    return levels


class DispatchTags:
    """Computes tags codes for records read from the log."""

    def __init__(self, levels: str) -> None:
        self._levels = delay_levels(levels)

    def of(self, topic: str, properties: bytes, store_timestamp: int) -> int:
        """The tags code: the hash of the tags, or when a scheduled message is due, in milliseconds."""
        if topic == SCHEDULE_TOPIC and self._levels:
            level = find_property(properties, b"DELAY")
            if level is not None and level.isdigit() and int(level) > 0:
                return store_timestamp + self._levels[min(int(level), len(self._levels)) - 1]
        tags = find_property(properties, b"TAGS")
        return tags_code(tags.decode("utf-8", "replace")) if tags else 0
