"""Offset resets: every queue's way looked up before, gone, and read back afterwards.

A whole group on a topic is moved as mqadmin moves it: by its brokers, or by a commit where a broker cannot and nobody
is connected (`rmq.client.admin.offsets`). Single queues, and targets counted from where the group is, are moved queue
by queue. Afterwards the brokers are asked where the group is; one that is online may have gone on from its target.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

from rmq.client.admin.groups import stats_on
from rmq.client.admin.offsets import END, QueueReset, Reset, broker_address, preview_reset, reset_group, reset_queue
from rmq.tui.formats import plural
from rmq.tui.service.changes.change import Item, Outcome, Preview
from rmq.tui.service.changes.offsets import Kind, ResetOffsets, by_time, to_offset
from rmq.tui.service.live.changes.doer import Doer, Done
from rmq.tui.service.live.groups import group_figures
from rmq.tui.service.live.known import Known
from rmq.tui.service.problems import problem_of
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.errors import RemotingError
from rmq.wire.names import RETRY_PREFIX

_LOOKS: Final = 6
"""How often it is looked whether the offsets have arrived, where clients move themselves."""
_PAUSE: Final = 0.5


class Step(NamedTuple):
    """One queue's way.

    Attributes:
        now: where the group is.
        then: where it goes on.
        least: the queue's oldest offset.
        most: the queue's end.
    """

    group: str
    queue: MessageQueue
    now: int
    then: int
    least: int
    most: int

    @property
    def name(self) -> str:
        """Group, topic and queue."""
        return f"{self.group} {self.queue.topic} {self.queue.broker_name}/{self.queue.queue_id}"


# --- before ---------------------------------------------------------------------------------------------------------


async def preview(known: Known, change: ResetOffsets) -> Preview:
    """Where every queue goes, and who is there to notice."""
    if change.to.kind is Kind.OFFSET and change.queue is None:
        return Preview(refusal="an offset is one queue's: choose the queue, too")
    steps = await _steps(known, change)
    if not steps:
        return Preview(refusal=_nothing(change))
    again = sum(max(step.now - step.then, 0) for step in steps)
    skipped = sum(max(step.then - step.now, 0) for step in steps)
    states = [await group_figures(known, group) for group in change.groups]
    warnings = [
        f"{state.name} is online with {plural(state.clients, 'client')}: they go on from there at once, "
        "and what they hold may be consumed twice"
        for state in states
        if state.clients
    ]
    offline = [state.name for state in states if state.state == "offline"]
    notes = [f"{plural(len(steps), 'queue')}, {_effect(again, skipped)}"]
    if offline:
        notes.append(f"{_some(offline)} {'is' if len(offline) == 1 else 'are'} offline: it counts once clients connect")
    several_groups, several_topics = len(change.groups) > 1, len({step.queue.topic for step in steps}) > 1
    return Preview(
        (*["GROUP"] * several_groups, *["TOPIC"] * several_topics, "QUEUE", "NOW", "TARGET", "AGAIN", "SKIPPED"),
        tuple(_row(step, group=several_groups, topic=several_topics) for step in steps),
        tuple(notes),
        (*warnings, *_cut(change, steps)),
        "" if again or skipped else "nothing moves: the group is there already",
        _commands(change, steps),
    )


def _row(step: Step, *, group: bool, topic: bool) -> tuple[str, ...]:
    queue = f"{step.queue.broker_name}/{step.queue.queue_id}"
    again, skipped = max(step.now - step.then, 0), max(step.then - step.now, 0)
    figures = (f"{step.now:,}", f"{step.then:,}", f"{again:,}" if again else "", f"{skipped:,}" if skipped else "")
    return (*[step.group] * group, *[step.queue.topic] * topic, queue, *figures)


def _effect(again: int, skipped: int) -> str:
    parts = [f"{again:,} messages come again"] * bool(again) + [f"{skipped:,} are skipped"] * bool(skipped)
    return ", ".join(parts) or "no message comes again, none is skipped"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _nothing(change: ResetOffsets) -> str:
    if change.queue is not None:
        return f"there is no queue {change.queue[0]}/{change.queue[1]} of {change.topic}"
    if change.topic:
        return "the topic has no queues"
    return "there is nothing to move: the group has read no topic yet"


def _cut(change: ResetOffsets, steps: Sequence[Step]) -> list[str]:
    """A warning when a queue does not reach as far as wanted."""
    if change.to.kind is Kind.BY:
        short = [step for step in steps if step.then != step.now + change.to.number]
    elif change.to.kind is Kind.OFFSET:
        short = [step for step in steps if step.then != change.to.number]
    else:
        short = []
    if not short:
        return []
    one, many = "does not reach that far, and goes to its end", "do not reach that far, and go to their ends"
    return [f"{plural(len(short), 'queue')} {one if len(short) == 1 else many}"]


def _commands(change: ResetOffsets, steps: Sequence[Step]) -> tuple[tuple[str, ...], ...]:
    if _by_queue(change):
        return tuple(
            to_offset(step.group, step.queue.topic, step.queue.broker_name, step.queue.queue_id, step.then)
            for step in steps
            if step.then != step.now
        )
    pairs = dict.fromkeys((step.group, step.queue.topic) for step in steps)
    return tuple(by_time(group, topic, str(_timestamp(change))) for group, topic in pairs)


def _by_queue(change: ResetOffsets) -> bool:
    return change.queue is not None or change.to.kind in {Kind.OFFSET, Kind.BY}


def _timestamp(change: ResetOffsets) -> int:
    return {Kind.LATEST: END, Kind.TIME: change.to.number}.get(change.to.kind, 0)


async def _steps(known: Known, change: ResetOffsets) -> list[Step]:
    """The way of every queue, by group, topic and queue.

    Raises:
        RemotingError: a topic is unknown, or a broker cannot be asked.
    """
    pairs = [(group, topic) for group in change.groups for topic in await _topics(known, change, group)]
    parts = await known.admin.each(pairs, lambda pair: _steps_of(known, change, *pair))
    return [step for part in parts for step in part]


async def _topics(known: Known, change: ResetOffsets, group: str) -> list[str]:
    if change.topic:
        return [change.topic]
    stats = await stats_on(known.admin, await known.addresses(group), group)
    return sorted({queue.topic for queue in stats.offset_table if not queue.topic.startswith(RETRY_PREFIX)})


async def _steps_of(known: Known, change: ResetOffsets, group: str, topic: str) -> list[Step]:
    oldest = await preview_reset(known.admin, Reset(group, topic, 0))
    found = {move.queue: move.new_offset for move in oldest}
    if change.to.kind in {Kind.TIME, Kind.LATEST}:
        wanted = await preview_reset(known.admin, Reset(group, topic, _timestamp(change)))
        found = {move.queue: move.new_offset for move in wanted}
    steps = []
    for move in oldest:
        queue, now = move.queue, move.consumer_offset
        if change.queue is not None and change.queue != (queue.broker_name, queue.queue_id):
            continue
        least, most = move.found_offset, move.broker_offset
        then = {Kind.OFFSET: change.to.number, Kind.BY: now + change.to.number}.get(change.to.kind)
        then = found[queue] if then is None else min(max(then, least), most)
        steps.append(Step(group, queue, now, then, least, most))
    return steps


# --- doing it -------------------------------------------------------------------------------------------------------


async def carry_out(known: Known, change: ResetOffsets, done: Done) -> Outcome:
    """Moves the groups, and reads back where they are."""
    steps = await _steps(known, change)
    if _by_queue(change):
        failures = await _move_queues(known, steps)
    else:
        steps, failures = await _move_groups(known, change, steps)
    found = await _read_back(known, steps, failures)
    online = {name for name in change.groups if (await group_figures(known, name)).clients}
    items = [
        _item(step, found.get((step.group, step.queue)), failures.get(step.name), online=step.group in online)
        for step in steps
    ]
    items += [Item(name, False, text) for name, text in failures.items() if all(step.name != name for step in steps)]
    for item in items:
        done(item)
    bad = sum(not item.ok for item in items)
    moved = sum(item.ok and step.then != step.now for item, step in zip(items, steps, strict=False))
    text = f"{plural(moved, 'queue')} moved and read back" + (f", {bad:,} not as wanted" if bad else "")
    return Outcome(not bad, text, tuple(items), await _states(known, change, steps))


async def _move_queues(known: Known, steps: Sequence[Step]) -> dict[str, str]:
    """Moves queue by queue; returns what failed, by the step's name."""

    async def move(step: Step) -> None:
        queue = step.queue
        address = await broker_address(known.admin, queue.broker_name)
        wanted = QueueReset(step.group, queue.topic, queue.queue_id, address, step.then, 0)
        await reset_queue(known.admin, wanted, step.then)

    moving = [step for step in steps if step.then != step.now]
    outcomes = await known.admin.attempt_each(moving, move)
    return {
        step.name: str(problem_of(outcome))
        for step, outcome in zip(moving, outcomes, strict=True)
        if isinstance(outcome, RemotingError)
    }


async def _move_groups(
    known: Known, change: ResetOffsets, steps: Sequence[Step]
) -> tuple[list[Step], dict[str, str]]:
    """Moves each group on each topic; returns the steps with the offsets that brokers told, and what failed."""
    told: dict[tuple[str, MessageQueue], int] = {}
    failures: dict[str, str] = {}
    for group, topic in dict.fromkeys((step.group, step.queue.topic) for step in steps):
        try:
            result = await reset_group(known.admin, Reset(group, topic, _timestamp(change)))
        except RemotingError as error:
            refused = [step.name for step in steps if (step.group, step.queue.topic) == (group, topic)]
            failures |= dict.fromkeys(refused, str(problem_of(error)))
            continue
        told |= {(group, queue): offset for queue, offset in result.moved.items()}
        told |= {(group, move.queue): move.new_offset for move in result.committed}
        failures |= {f"{group} {topic} {error.address}": str(problem_of(error)) for error in result.failures}
    return [step._replace(then=told.get((step.group, step.queue), step.then)) for step in steps], failures


async def _read_back(
    known: Known, steps: Sequence[Step], failures: dict[str, str]
) -> dict[tuple[str, MessageQueue], int]:
    """Where the groups are now. Clients that move themselves are given a moment."""
    found: dict[tuple[str, MessageQueue], int] = {}
    for look in range(_LOOKS):
        for group in dict.fromkeys(step.group for step in steps):
            try:
                stats = await stats_on(known.admin, await known.addresses(group), group)
            except RemotingError:
                continue
            found |= {(group, queue): at.consumer_offset for queue, at in stats.offset_table.items()}
        there = [found.get((step.group, step.queue)) for step in steps if step.name not in failures]
        wanted = [step.then for step in steps if step.name not in failures]
        if there == wanted or look == _LOOKS - 1:
            break
        await known.admin.sleep(_PAUSE)
    return found


def _fits(step: Step, at: int, *, online: bool) -> bool:
    """Whether a group that was moved can be there: at its target, or beyond it when somebody consumes."""
    return at == step.then or (online and at > step.then)


def _item(step: Step, at: int | None, failure: str | None, *, online: bool) -> Item:
    if failure is not None:
        return Item(step.name, False, failure)
    if at is None:
        return Item(step.name, False, f"{step.then:,} was told, but it could not be read back")
    if not _fits(step, at, online=online):
        return Item(step.name, False, f"is at {at:,}, not at {step.then:,}")
    way = f"{step.now:,} → {step.then:,}" if step.then != step.now else f"stays at {step.then:,}"
    return Item(step.name, True, way + (f", gone on to {at:,} since" if at != step.then else ""))


async def _states(known: Known, change: ResetOffsets, steps: Sequence[Step]) -> tuple[str, ...]:
    """How far each group is behind, as its brokers tell."""
    known.forget()
    queues = Counter(step.group for step in steps)
    lines = []
    for name in change.groups:
        group = await group_figures(known, name)
        lag = "its lag is unknown" if group.lag is None else f"lag {group.lag:,}"
        lines.append(f"{name}: {group.state or 'state unknown'}, {lag}, {plural(queues[name], 'queue')} looked at")
    return tuple(lines)


DOERS: Final = (Doer(ResetOffsets, preview, carry_out),)
