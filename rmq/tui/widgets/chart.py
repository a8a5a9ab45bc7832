"""Figures over time as lines, in the colours of the theme.

Drawing costs some ten milliseconds, so a chart is drawn when its samples, its size or the theme have become others, and
what was drawn is kept; and no more points are drawn than there are columns. It is painted when it looks different: a
line that stays level for long costs the terminal nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.text import Text
from textual.color import Color
from textual_plotext import PlotextPlot

from rmq.tui import formats
from rmq.tui.state.buckets import span_of, stretches
from rmq.tui.state.timeline import Sample

_EDGE: Final = 8
"""Columns beside the canvas."""
_STEPS: Final = (1, 2, 5, 10)


@dataclass(frozen=True, slots=True)
class Plotted:
    """One line of a chart.

    Attributes:
        name: in the legend.
        index: which figure of a sample.
        colour: a variable of the theme.
    """

    name: str
    index: int
    colour: str


class Chart(PlotextPlot):
    """Lines over the last minutes.

    Args:
        title: what is drawn.
        lines: the lines; the title names them.
        identity: the widget's id.

    Attributes:
        drawn: how often it was drawn.
    """

    def __init__(self, title: str, lines: Sequence[Plotted], *, identity: str | None = None) -> None:
        super().__init__(id=identity)
        self.border_title = title
        self.lines = tuple(lines)
        self.drawn = 0
        self._samples: Sequence[Sample] = ()
        self._now = 0
        self._kept: tuple[object, Text] | None = None

    def show(self, samples: Sequence[Sample], now: int) -> None:
        """Draws samples, if they are others than those that stand there."""
        if samples == self._samples:
            return
        before = self._kept
        self._samples, self._now = samples, now
        if before is None or not self.is_on_screen or self.render() != before[1]:
            self.refresh()

    def render(self) -> Text:
        """What was drawn, or a sentence while there is nothing to draw."""
        of = (self._samples, self.size, self.app.theme)
        if self._kept is None or self._kept[0] != of:
            self._kept = (of, self._draw())
        return self._kept[1]

    def _draw(self) -> Text:
        if not any(sample[1][line.index] is not None for sample in self._samples[1:] for line in self.lines):
            return Text("  nothing to draw yet: a rate needs two answers", "dim")
        self.drawn += 1
        width, height = self.size
        plot = self.plt
        plot.clear_figure()
        plot.plotsize(width, height)
        background = self.background_colors[1].rgb
        plot.canvas_color(background)
        plot.axes_color(background)
        plot.ticks_color(self._colour("foreground-darken-3"))
        highest = 0.0
        for line in self.lines:
            for stretch in stretches(self._samples, line.index, self._now, max(width - _EDGE, 1)):
                highest = max(highest, *stretch.values)
                plot.plot(stretch.minutes, stretch.values, marker="hd", color=self._colour(line.colour))
        ticks = steps(highest, max(height // 3, 2))
        plot.xaxes(True, False)
        plot.yaxes(True, False)
        plot.ylim(0, ticks[-1])
        plot.yticks(ticks, [f"{_number(tick):>5}" for tick in ticks])
        minutes = span_of(self._samples, self._now) // 60_000
        step = next(step for step in (1, 2, 3, 5) if minutes <= 5 * step)
        at: list[float] = [-minute for minute in range(0, minutes + 1, step)]
        plot.xlim(-minutes, 0)
        plot.xticks(at, ["now" if minute == 0 else f"{minute:.0f}m" for minute in at])
        return Text.from_ansi(plot.build())

    def _colour(self, variable: str) -> tuple[int, int, int]:
        return Color.parse(self.app.theme_variables[variable]).rgb


def _number(tick: float) -> str:
    return formats.short(tick) if tick == int(tick) else f"{tick:g}"


def steps(highest: float, number: int) -> list[float]:
    """About so many round numbers from 0 to at least the highest."""
    if highest <= 0:
        return [0, 1]
    rough = highest / number
    power = 1.0
    while power * 10 <= rough:
        power *= 10
    while power > rough:
        power /= 10
    step = next(factor * power for factor in _STEPS if factor * power >= rough)
    found = [0.0]
    while found[-1] < highest:
        found.append(round(found[-1] + step, 9))
    return found
