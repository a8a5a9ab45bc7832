"""Numbers, spans of time and series as a table shows them: short, and of a width that does not jump."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Final

from wcwidth import wcswidth, wcwidth

UNKNOWN: Final = "·"
"""What is not known yet, or cannot be told."""
BEYOND: Final = "> 9999"
"""A time after the last year that there is."""

_BARS: Final = "▁▂▃▄▅▆▇"
_SECOND: Final = 1000
_SPANS: Final = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (_SECOND, "s"))
_UNITS: Final = ("", "k", "M", "G", "T")


def count(number: int | None) -> str:
    """A number with commas."""
    return UNKNOWN if number is None else f"{number:,}"


def plural(number: int, what: str) -> str:
    """A number of things, such as `1 group` or `3,000 groups`."""
    return f"{number:,} {what}{'s' * (number != 1)}"


def rate(value: float | None) -> str:
    """Messages a second."""
    if value is None:
        return UNKNOWN
    if 0 < value < 10:
        return f"{value:.1f}"
    return short(value)


def short(value: float) -> str:
    """A number in at most five characters, such as `999`, `12.4k` or `3.1M`."""
    unit = 0
    while abs(value) >= 999.5 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    text = f"{value:.0f}" if unit == 0 or value >= 99.95 else f"{value:.1f}"
    return text + _UNITS[unit]


def span(millis: int | None) -> str:
    """A length of time in its two largest units, such as `3m 20s`; `<1s` below a second."""
    if millis is None:
        return UNKNOWN
    if millis < _SECOND:
        return "<1s"
    parts = []
    for size, unit in _SPANS:
        number, millis = divmod(millis, size)
        if number:
            parts.append(f"{number}{unit}")
        elif parts:
            break
    return " ".join(parts[:2])


def calendar(millis: int, zone: tzinfo | None) -> datetime | None:
    """A time in ms as a date; None for what a broken clock tells: more than the calendar has."""
    try:
        return datetime.fromtimestamp(millis / 1000, zone)
    except (ValueError, OverflowError, OSError):
        return None


def took(millis: int | None) -> str:
    """A length of time with milliseconds where they matter, such as `12ms`, `3.41s` or `2m 5s`."""
    if millis is None:
        return UNKNOWN
    if millis < 1000:
        return f"{millis}ms"
    if millis < 60_000:
        return f"{millis / 1000:.2f}".rstrip("0").rstrip(".") + "s"
    minutes, seconds = divmod(round(millis / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h {minutes}m" if minutes else f"{hours}h"
    return f"{minutes}m {seconds}s" if seconds else f"{minutes}m"


def moment(millis: int, now: int, zone: tzinfo | None) -> str:
    """A time of day when it is within a day of `now`, else month and day, or year and month; `·` when unknown."""
    if millis <= 0:
        return UNKNOWN
    day, away = _SPANS[0][0], abs(now - millis)
    text = "%H:%M:%S" if away < day else "%b %d" if away < 300 * day else "%Y-%m"
    at = calendar(millis, zone)
    return BEYOND if at is None else at.strftime(text)


def percent(part: float) -> str:
    """A part of 1."""
    return f"{part * 100:.0f}%"


def sparkline(values: Sequence[float], width: int) -> str:
    """The last values as bars, the highest one full; blanks where there are none yet."""
    shown = values[-width:]
    top = max(shown, default=0.0)
    bars = "".join(_BARS[min(int(value / top * 6.999), 6)] if top > 0 else _BARS[0] for value in shown)
    return bars.rjust(width)


def trend(values: Sequence[float]) -> str:
    """Where a series goes: `▲`, `▼` or `=`; a blank when there are fewer than two values."""
    if len(values) < 2:
        return " "
    first, last = values[-min(len(values), 4)], values[-1]
    return "▲" if last > first else "▼" if last < first else "="


def cells(text: str) -> int:
    """Columns of the terminal that a text takes; Chinese characters take two."""
    return len(text) if text.isascii() else max(wcswidth(text), 0)


def cut(text: str, width: int) -> str:
    """The text in at most so many columns of the terminal, with an ellipsis where it was cut."""
    if cells(text) <= width:
        return text
    return _beginning(text, width - 1) + "…"


def cut_front(text: str, width: int) -> str:
    """The end of a text in at most so many columns, with an ellipsis before it."""
    if cells(text) <= width:
        return text
    return "…" + _beginning(text[::-1], width - 1)[::-1]


def cut_middle(text: str, width: int) -> str:
    """Beginning and end of a text in at most so many columns, with an ellipsis between them."""
    if cells(text) <= width:
        return text
    before = _beginning(text, width // 2)
    return before + cut_front(text, width - cells(before))


def pad(text: str, width: int, *, right: bool = False) -> str:
    """The text with blanks behind it, or before it, so that it takes so many columns."""
    blanks = " " * (width - cells(text))
    return blanks + text if right else text + blanks


def _beginning(text: str, width: int) -> str:
    if text.isascii():
        return text[: max(width, 0)]
    taken = 0
    for index, letter in enumerate(text):
        taken += max(wcwidth(letter), 0)
        if taken > width:
            return text[:index]
    return text


def one_line(text: str) -> str:
    """The text without line breaks, tabs and other characters that move a terminal's cursor."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
