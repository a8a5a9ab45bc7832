"""The tab that draws a thing's figures over time, and lists them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

from rmq.tui import formats
from rmq.tui.screens.details import Tab
from rmq.tui.state.session import Session
from rmq.tui.state.timeline import Sample
from rmq.tui.table.columns import Column
from rmq.tui.widgets.chart import Plotted

D = TypeVar("D")

IN, OUT, LAG = 0, 1, 2
"""Where figures stand in a sample."""
RATES: Final = (Plotted("in/s", IN, "primary"), Plotted("out/s", OUT, "success"))
LAGS: Final = (Plotted("lag", LAG, "warning"),)
RATES_TITLE: Final = "[$text-primary]in/s[/]  [$text-success]out/s[/]"
LAG_TITLE: Final = "[$text-warning]lag[/]"


def chart_tab(
    session: Session,
    key_of: Callable[[D], tuple[str, ...]],
    command: Callable[[str, str], tuple[str, ...]],
    *,
    lag: bool = True,
) -> Tab[D]:
    """Rates, and lag where there is such a thing, of the last quarter of an hour.

    Args:
        session: knows the samples.
        key_of: what they are kept under.
        command: the words of the mqadmin command that shows the newest of them.
        lag: whether there is a lag.
    """

    def rows(detail: D) -> Mapping[str, Sample]:
        return {str(sample[0]): sample for sample in reversed(session.timelines.of(key_of(detail)))}

    def samples(detail: D) -> tuple[Sequence[Sample], int]:
        return session.timelines.of(key_of(detail)), session.now()

    return Tab(
        "Chart",
        _columns(session, lag=lag),
        rows,
        command,
        "nothing was sampled yet",
        charts=((RATES_TITLE, RATES), *(((LAG_TITLE, LAGS),) if lag else ())),
        samples=samples,
    )


def _columns(session: Session, *, lag: bool) -> list[Column[Sample]]:
    def value(index: int) -> Callable[[Sample], float | None]:
        return lambda sample: sample[1][index]

    def rate(index: int) -> Callable[[Sample], str]:
        return lambda sample: formats.rate(sample[1][index])

    def number(sample: Sample) -> str:
        known = sample[1][LAG]
        return formats.count(None if known is None else int(known))

    columns: list[Column[Sample]] = [
        Column("TIME", 8, lambda sample: session.moment(sample[0]), lambda sample: sample[0]),
        Column("IN/s", 8, rate(IN), value(IN), right=True),
        Column("OUT/s", 8, rate(OUT), value(OUT), right=True),
    ]
    return [*columns, Column("LAG", 12, number, value(LAG), right=True)] if lag else columns
