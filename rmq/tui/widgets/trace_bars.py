"""The bars of a trace, one line for each step, under a line of time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from rich.text import Text
from textual.widget import Widget

from rmq.tui.formats import cut, one_line, pad, took
from rmq.tui.service.model import StepKind, TraceStep
from rmq.tui.state.trace_bars import axis, bar, span_of

_LABEL: Final = 24
_SHORT_LABEL: Final = 17
_TOOK: Final = 8
_STYLES: Final = {
    StepKind.SEND: "cyan",
    StepKind.STORE: "blue",
    StepKind.DECIDE: "magenta",
    StepKind.CONSUME: "green",
    StepKind.RECALL: "magenta",
}


class TraceBars(Widget):
    """Bars of steps; it is painted when they become others.

    Attributes:
        steps: what is drawn.
        current: index of the step that stands out.
    """

    def __init__(self, **named: Any) -> None:
        super().__init__(**named)
        self.steps: tuple[TraceStep, ...] = ()
        self.current = 0

    def show(self, steps: Sequence[TraceStep], current: int) -> None:
        """Draws steps; nothing happens when they are the same."""
        if (tuple(steps), current) != (self.steps, self.current):
            self.steps, self.current = tuple(steps), current
            self.refresh(layout=True)

    def get_content_height(self, container: Any, viewport: Any, width: int) -> int:
        """A line for each step and one for the time."""
        return len(self.steps) + 1

    def render(self) -> Text:
        """The lines that there is room for, around the current one."""
        width, height = self.size
        label = _LABEL if width >= 76 else _SHORT_LABEL
        room = max(width - label - _TOOK - 2, 8)
        span = span_of(self.steps)
        lines = [Text(" " * (label + 1) + axis(span, room), "dim")]
        visible = max(height - 1, 1)
        first = min(max(self.current - visible // 2, 0), max(len(self.steps) - visible, 0))
        for index, step in enumerate(self.steps[first : first + visible], first):
            at, length = bar(step, span, room)
            name = f"{step.kind} {one_line(step.group)}"
            if step.attempt > 1:
                name = f"{cut(name, label - 2 - len(str(step.attempt)))} ×{step.attempt}"
            style = "bold" if index == self.current else ""
            line = Text(pad(cut(name, label), label) + " ", style)
            line.append(" " * at).append(_filling(step) * length, tone(step))
            line.append(" " * max(room - at - length, 0) + " ")
            line.append(took(step.millis).rjust(_TOOK) if step.kind is not StepKind.STORE else " " * _TOOK, style)
            lines.append(line)
        text = Text("\n").join(lines)
        text.no_wrap = True
        return text


def tone(step: TraceStep) -> str:
    """The colour of a step."""
    if step.ok is False:
        return "bold red"
    return "yellow" if step.kind is StepKind.CONSUME and step.ok is None else _STYLES[step.kind]


def _filling(step: TraceStep) -> str:
    if step.kind is StepKind.STORE:
        return "◆"
    return "░" if step.kind is StepKind.CONSUME and step.ok is None else "█"
