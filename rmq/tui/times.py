"""Times and spans as users type them.

A time is `-30m`, `14:05`, `2026-11-21`, `2026-11-21 14:05`, `now`, or ms since the epoch; a span `500ms` or `2h`.
"""

from __future__ import annotations

import re
from datetime import datetime, tzinfo
from typing import Final

EXAMPLES: Final = "-30m, 14:05, 2026-11-21, 2026-11-21T14:05, now and ms"
"""What is understood, for those who have typed something else."""
UNITS: Final = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
"""Ms of each unit."""

_SPAN: Final = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)(ms|s|m|h|d)", re.ASCII)
_MILLIS: Final = re.compile(r"\d{10,17}", re.ASCII)
_DAYTIME: Final = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?", re.ASCII)


class TimeError(ValueError):
    """A text is no time."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text} is no time; {EXAMPLES} are known")


def millis_of(text: str, now: int, zone: tzinfo | None) -> int:
    """A time in ms since the epoch.

    Args:
        text: what was typed.
        now: ms since the epoch.
        zone: of days and of times of day; None for the system's.

    Raises:
        TimeError: it is none.
    """
    if text == "now":
        return now
    ago = span_millis(text.removeprefix("-")) if text.startswith("-") else None
    if ago is not None:
        return max(now - int(ago), 0)
    if _MILLIS.fullmatch(text):
        return int(text)
    daytime = _DAYTIME.fullmatch(text)
    try:
        if daytime is not None:
            hour, minute, second = (int(part or 0) for part in daytime.groups())
            today = datetime.fromtimestamp(now / 1000, zone)
            at = today.replace(hour=hour, minute=minute, second=second, microsecond=0)
        else:
            at = datetime.fromisoformat(text)
            at = at if at.tzinfo is not None else at.replace(tzinfo=zone)
        millis = int(at.timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        raise TimeError(text) from None
    if millis < 0:
        raise TimeError(text)
    return millis


def span_millis(text: str) -> float | None:
    """The ms of a span, None when it is none."""
    match = _SPAN.fullmatch(text)
    return None if match is None else float(match[1]) * UNITS[match[2]]
