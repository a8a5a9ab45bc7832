"""The lines around every screen: what cluster this is and how it does, and the way that led here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from rich.text import Text

from rmq.tui import formats
from rmq.tui.service.model import Broker
from rmq.tui.state.session import Session

Step = tuple[str, str | None]
"""A screen's title, and the name that was looked at there."""

_GAP: Final = "  "
_STATES: Final = {"ok": "green", "failed": "bold red"}
_FRESH: Final = 10
_FRESH_REFRESHES: Final = 3
"""Seconds, or refreshes, after which the lag is said with its age: only the groups' screen asks for it."""
_LEAST_DRY_RUN: Final = 20
"""Characters of a dry run that say anything."""


class _Part(NamedTuple):
    """A piece of the header; of those that do not fit, the one with the highest rank goes first."""

    rank: int
    text: Text


def header(session: Session, width: int) -> Text:
    """One line: context, address, cluster, brokers, rates and lag; at the right, what may be done, refresh and clock.

    The rates are those of the last two answers, the lag that of groups that were on the screen: it asks for nothing.
    """
    parts = [*_identity(session), *_figures(session)]
    clock = formats.moment(session.now(), session.now(), session.zone)[:5]
    right = Text(_GAP.join([*_marks(session), f"{session.refresh:g}s", f"{clock} "]), "dim")
    while sum(part.text.cell_len + len(_GAP) for part in parts) + right.cell_len >= width and len(parts) > 1:
        parts.remove(max(parts, key=lambda part: part.rank))
    text = Text(" ").append_text(Text(_GAP).join(part.text for part in parts))
    text.truncate(max(width - right.cell_len - 1, 0), overflow="ellipsis")
    return text.append(" " * max(width - text.cell_len - right.cell_len, 1)).append_text(right)


def _marks(session: Session) -> list[str]:
    return ["paused"] * session.paused + [f"mode:{session.context.mode}"]


def _brokers(session: Session) -> tuple[Broker, ...]:
    cluster = session.cluster.value
    return () if cluster is None else cluster.brokers


def _identity(session: Session) -> list[_Part]:
    first, *others = session.service.address.split(";")
    up, known = sum(broker.problem is None for broker in _brokers(session)), session.cluster.value is not None
    failed = session.cluster.problem is not None
    tone = "red" if failed else "yellow" if up < len(_brokers(session)) else "green" if known else "dim"
    return [
        _Part(4, Text("rmq", "bold")),
        _Part(0, Text.assemble(("● ", tone), (formats.one_line(session.name), session.context.style))),
        _Part(5, Text(f"{first} +{len(others)}" if others else first)),
    ]


def _figures(session: Session) -> list[_Part]:
    cluster, history = session.cluster.value, session.history
    if cluster is None:
        return [_Part(1, Text("no answer" if session.cluster.problem is not None else "connecting…", "dim"))]
    up, all_of = sum(broker.problem is None for broker in cluster.brokers), len(cluster.brokers)
    rates = [
        formats.rate(sum(history.last(("broker", broker.address, way)) or 0.0 for broker in cluster.brokers))
        for way in ("in", "out")
    ]
    parts = [
        _Part(6, Text(",".join(cluster.names))),
        _Part(1, Text.assemble("brokers ", (f"{up}/{all_of}", "" if up == all_of else "bold red"))),
        _Part(3, Text(f"in {rates[0]}/s out {rates[1]}/s")),
    ]
    lag = session.lags.total()
    if lag is not None:
        total, whole = lag
        number = formats.short(total) if total >= 100_000 else formats.count(total)
        shown = Text.assemble("lag " if whole else "lag ≥ ", (number, "yellow" if total else ""))
        if session.now() - session.lags.at > max(_FRESH_REFRESHES * session.refresh, _FRESH) * 1000:
            shown = Text(f"{shown} {session.age(session.lags.at)} ago", "dim")
        parts.append(_Part(2, shown))
    return parts


def crumbs(steps: Sequence[Step], width: int) -> Text:
    """The way to what is shown, the last step bold; of a long one the end."""
    shown = [(title if name is None else f"{title} {formats.one_line(name)}") for title, name in steps]
    while len(shown) > 1 and sum(len(step) + 3 for step in shown) - 2 > width:
        shown = ["…", *shown[2:]] if shown[0] == "…" else ["…", *shown[1:]]
    text = Text(" ")
    for index, step in enumerate(shown):
        last = index == len(shown) - 1
        text.append(step, "bold" if last else "dim").append("" if last else " › ", "dim")
    return text


def operation(session: Session, width: int) -> Text:
    """What was changed last, and what became of it; of the dry run what there is room for."""
    log = session.ops
    if not log.operations:
        return Text("")
    last = log.operations[-1]
    at = formats.moment(last.started, session.now(), session.zone)
    end = Text(f"   {last.state}", _STATES.get(last.state, "yellow"))
    if log.trouble:
        end.append(f"   {formats.one_line(log.trouble)}", "yellow")
    room = width - end.cell_len - 1
    title = formats.cut(f" │ ops: {at} {formats.one_line(last.title)}", max(room, 0))
    dry_run = f" (dry run: {formats.one_line(last.dry_run)})" if last.dry_run else ""
    if len(title) + len(dry_run) > room:
        cut = room - len(title) - 1
        dry_run = f"{dry_run[:cut]}…" if cut >= _LEAST_DRY_RUN else ""
    return Text(title + dry_run, "dim").append_text(end)
