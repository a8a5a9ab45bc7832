"""Topics of a file: what is new, what differs, what is the same; and that being made so.

Source: `rmq.client.admin.importing`, which `mqadmin importMetadata` uses as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

from rmq.client.admin.clusters import Replica
from rmq.client.admin.importing import Imported, Metadata, import_metadata, shares
from rmq.client.admin.importing import Outcome as What
from rmq.client.admin.metadata import all_topics, system_topics
from rmq.tui.formats import plural
from rmq.tui.service.changes.change import Item, Outcome, Preview
from rmq.tui.service.changes.definitions import config_of, definition_of
from rmq.tui.service.changes.topics import ImportTopics, TopicDefinition, differences
from rmq.tui.service.live.changes.doer import Doer, Done
from rmq.tui.service.live.changes.targets import targets
from rmq.tui.service.live.changes.topics import said
from rmq.tui.service.live.known import Known
from rmq.tui.service.problems import problem_of
from rmq.wire.errors import RemotingError
from rmq.wire.names import is_system_topic

_COLUMNS: Final = ("TOPIC", "BROKER", "IS", "WHAT")
_MOST_ROWS: Final = 500
_AT_ONCE: Final = 100
"""Topics between two reports."""


class _Had(NamedTuple):
    topics: Mapping[str, TopicDefinition]
    own: Collection[str]


async def _had(known: Known, replica: Replica) -> _Had:
    table = (await all_topics(known.admin, replica.address)).topic_config_table
    own = await system_topics(known.admin, replica.address)
    return _Had({name: definition_of(config) for name, config in table.items()}, own)


def _shared(change: ImportTopics, count: int) -> list[dict[str, TopicDefinition]]:
    """What each of so many masters is to have."""
    whole = Metadata({item.name: config_of(item) for item in change.definitions}, added_up=change.added_up)
    return [{name: definition_of(config) for name, config in part.topics.items()} for part in shares(whole, count)]


async def preview_import(known: Known, change: ImportTopics) -> Preview:
    """Each topic on each broker; what differs comes first."""
    where = await targets(known, change.place)
    had = await known.admin.each(where, lambda replica: _had(known, replica))
    rows: dict[str, list[tuple[str, ...]]] = {"new": [], "differs": [], "same": []}
    own = set()
    for replica, before, part in zip(where, had, _shared(change, len(where)), strict=True):
        for name, wanted in part.items():
            if name in before.own or is_system_topic(name):
                own.add(name)
                continue
            kind, told = _compared(before.topics.get(name), wanted)
            rows[kind].append((name, replica.broker_name, kind, told))
    listed = [*rows["differs"], *rows["new"], *rows["same"]]
    notes = [f"{len(rows['new']):,} new, {len(rows['differs']):,} differ, {len(rows['same']):,} the same"]
    if own:
        notes.append(f"{plural(len(own), 'topic')} of RocketMQ's own passed over")
    if len(listed) > _MOST_ROWS:
        notes.append(f"{len(listed) - _MOST_ROWS:,} more rows are not shown")
    doing = len(rows["new"]) + (len(rows["differs"]) if change.overwrite else 0)
    warnings = []
    if rows["differs"] and not change.overwrite:
        warnings.append("what differs stays as it is: choose to overwrite it if it is to become like the file")
    refusal = "" if doing else "nothing would change"
    return Preview(_COLUMNS, tuple(listed[:_MOST_ROWS]), tuple(notes), tuple(warnings), refusal)


def _compared(before: TopicDefinition | None, wanted: TopicDefinition) -> tuple[str, str]:
    if before is None:
        return "new", said(wanted)
    found = differences(before, wanted)
    told = ", ".join(f"{name} {old or '-'} -> {new or '-'}" for name, old, new in found)
    return ("differs", told) if found else ("same", said(before))


async def carry_out(known: Known, change: ImportTopics, done: Done) -> Outcome:
    """Makes them, some at a time, and reads all of them back."""
    where = await targets(known, change.place)
    items: list[Item] = []
    passed_over: set[tuple[str, str]] = set()
    for start in range(0, len(change.definitions), _AT_ONCE):
        batch = change.definitions[start : start + _AT_ONCE]
        part = Metadata({item.name: config_of(item) for item in batch}, added_up=change.added_up)
        try:
            made = await import_metadata(known.admin, where, part, overwrite=change.overwrite)
        except RemotingError as error:
            found = [Item(item.name, False, str(problem_of(error))) for item in batch]
        else:
            found = [_item(one) for one in made]
            passed_over |= {(one.name, one.broker) for one in made if one.outcome is What.SKIPPED}
        items += found
        for item in found:
            done(item)
    counts = Counter(item.text if item.ok else "failed" for item in items)
    told = ", ".join(f"{number:,} {what}" for what, number in counts.items())
    right, lines = await _read_back(known, where, change, passed_over)
    return Outcome(right and all(item.ok for item in items), told or "nothing was done", tuple(items), tuple(lines))


def _item(one: Imported) -> Item:
    text = one.outcome.value if one.error is None else str(problem_of(one.error))
    return Item(f"{one.name} on {one.broker}", one.error is None, text)


async def _read_back(
    known: Known, where: Sequence[Replica], change: ImportTopics, passed_over: Collection[tuple[str, str]]
) -> tuple[bool, list[str]]:
    answers = await known.admin.attempt_each(where, lambda replica: _had(known, replica))
    right, lines = True, []
    for replica, had, part in zip(where, answers, _shared(change, len(where)), strict=True):
        if isinstance(had, RemotingError):
            right = False
            lines.append(f"{replica.broker_name}: cannot be read back: {problem_of(had)}")
            continue
        checked = [
            wanted
            for name, wanted in part.items()
            if (name, replica.broker_name) not in passed_over and name not in had.own and not is_system_topic(name)
        ]
        like = sum(had.topics.get(wanted.name) == wanted for wanted in checked)
        right = right and like == len(checked)
        lines.append(f"{replica.broker_name}: {like:,} of {plural(len(checked), 'topic')} as in the file")
    return right, lines


DOERS = (Doer(ImportTopics, preview_import, carry_out),)
