"""What happened when, as bars along a line of time.

The line goes from the first beginning to the last end. A bar is as long as what it stands for took, and never shorter
than one character; so what took a moment is seen, and what took long is compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rmq.tui.formats import took
from rmq.tui.service.model.traces import TraceStep

_PARTS: Final = (0.25, 0.5, 0.75)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time in ms since the epoch; it is never empty."""

    begin: int
    end: int

    @property
    def millis(self) -> int:
        """How long it is."""
        return max(self.end - self.begin, 1)


def span_of(steps: Sequence[TraceStep]) -> Span:
    """From the first beginning to the last end."""
    if not steps:
        return Span(0, 1)
    begin = min(step.start for step in steps)
    return Span(begin, max(begin + 1, *(step.start + (step.millis or 0) for step in steps)))


def bar(step: TraceStep, span: Span, width: int) -> tuple[int, int]:
    """Where a step's bar begins in a line of so many characters, and how long it is."""
    scale = width / span.millis
    first = min(int((step.start - span.begin) * scale), width - 1)
    last = int((step.start + (step.millis or 0) - span.begin) * scale + 0.5)
    return max(first, 0), max(min(last, width) - max(first, 0), 1)


def axis(span: Span, width: int) -> str:
    """The line of time, with marks at its beginning, its end, and at parts that are whole and have room."""
    end = f"+{took(span.millis)}"
    line, before = "0", 0
    for place in _PARTS:
        millis, at = int(span.millis * place), int(width * place)
        text = f"+{took(millis)}"
        if millis > before and len(line) < at and at + len(text) + len(end) < width:
            line, before = line.ljust(at) + text, millis
    return (line.ljust(width - len(end)) + end)[:width]
