"""Topics: what making and changing one means on each broker, and that being done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rmq.client.admin.clusters import Replica
from rmq.client.admin.order import put_broker_order, put_order_conf
from rmq.client.admin.topics import create_topic, topic_config
from rmq.tui.formats import plural
from rmq.tui.service.changes.change import Item, Outcome, Preview
from rmq.tui.service.changes.definitions import config_of, definition_of
from rmq.tui.service.changes.places import Place
from rmq.tui.service.changes.topics import (
    MESSAGE_TYPE,
    Attributes,
    CreateTopic,
    EditTopic,
    TopicDefinition,
    differences,
    signed,
)
from rmq.tui.service.live.changes.doer import Doer, Done
from rmq.tui.service.live.changes.targets import compared, each_named, on_each, silent, targets
from rmq.tui.service.live.known import Known
from rmq.wire.bodies.topic import PERM_READ, PERM_WRITE, perm_text
from rmq.wire.errors import RemotingError, TopicNotExistError
from rmq.wire.names import is_legal_topic, is_system_topic

_COLUMNS = ("BROKER", "SETTING", "NOW", "THEN")
Found = TopicDefinition | RemotingError | None
"""A topic on a broker, why that cannot be told, or that it is not there."""


# --- what brokers have ----------------------------------------------------------------------------------------------


async def on_broker(known: Known, address: str, name: str) -> TopicDefinition | None:
    """A topic as one broker has it; None when it does not.

    Raises:
        RemotingError: it cannot be asked.
    """
    try:
        return definition_of(await topic_config(known.admin, address, name))
    except TopicNotExistError:
        return None


async def on_brokers(known: Known, where: Sequence[Replica], name: str) -> list[Found]:
    """A topic as each broker has it."""
    return list(
        await known.admin.attempt_each(where, lambda replica: on_broker(known, replica.address, name)),
    )


def said(topic: TopicDefinition) -> str:
    """A topic in one line."""
    kind = dict(topic.attributes).get(MESSAGE_TYPE, "NORMAL")
    order = " in order" if topic.order else ""
    return f"{topic.read_queues}r/{topic.write_queues}w {perm_text(topic.perm)} {kind}{order}"


def refusal_of_name(name: str) -> str:
    """Why a topic cannot have this name; nothing when it can."""
    if is_system_topic(name):
        return f"{name} is RocketMQ's own"
    return "" if is_legal_topic(name) else f"{name[:60]!r} cannot be a topic's name"


def _cautions(wanted: TopicDefinition) -> list[str]:
    found = []
    if wanted.write_queues > wanted.read_queues:
        found.append("messages in queues beyond those that are read reach no consumer")
    if not wanted.perm & PERM_READ:
        found.append(f"with the permission {perm_text(wanted.perm)} no group can consume it")
    if not wanted.perm & PERM_WRITE:
        found.append(f"with the permission {perm_text(wanted.perm)} no producer can send to it")
    if dict(wanted.attributes).get(MESSAGE_TYPE) == "MIXED":
        found.append("brokers refuse MIXED unless enableMixedMessageType is on")
    return found


# --- creating -------------------------------------------------------------------------------------------------------


async def preview_create(known: Known, change: CreateTopic) -> Preview:
    """What there is under that name, on each broker."""
    wanted = change.wanted
    refusal = refusal_of_name(wanted.name)
    if refusal:
        return Preview(refusal=refusal)
    where = await targets(known, change.place)
    answers = await on_brokers(known, where, wanted.name)
    there = [replica.broker_name for replica, found in zip(where, answers, strict=True) if _is_there(found)]
    rows = tuple(
        (replica.broker_name, "topic", said(found) if isinstance(found, TopicDefinition) else "-", said(wanted))
        for replica, found in zip(where, answers, strict=True)
        if not isinstance(found, RemotingError)
    )
    if not rows:
        refusal = "no broker can be asked"
    elif there:
        refusal = f"{wanted.name} is on {', '.join(there)} already: edit it there"
    queues = wanted.write_queues * len(rows)
    notes = (f"{plural(queues, 'queue')} to write to, on {plural(len(rows), 'broker')}",)
    warnings = (*silent(where, answers), *_cautions(wanted))
    return Preview(_COLUMNS, rows, notes, warnings, refusal)


def _is_there(found: Found) -> bool:
    return isinstance(found, TopicDefinition)


async def create(known: Known, change: CreateTopic, done: Done) -> Outcome:
    """Makes a topic, and reads it back from each broker."""
    where = await targets(known, change.place)
    changes = signed({}, dict(change.wanted.attributes))

    async def make(replica: Replica) -> str:
        await send(known, replica.address, change.wanted, changes)
        return "created"

    items = await on_each(known, where, make, done)
    return await _outcome(known, change.wanted, change.place, where, items, done)


async def send(known: Known, address: str, wanted: TopicDefinition, changes: Attributes) -> None:
    """Has one broker take a topic; attributes are the signed changes and not those of the definition."""
    await create_topic(known.admin, address, config_of(replace(wanted, attributes=changes)))


async def _outcome(
    known: Known, wanted: TopicDefinition, place: Place, where: Sequence[Replica], items: list[Item], done: Done
) -> Outcome:
    if wanted.order and all(item.ok for item in items):
        items += await _store_order(known, wanted, place, where, done)
    answers = await on_brokers(known, where, wanted.name)
    right, lines = compared(where, answers, lambda found: differences(found, wanted), said)
    ok = all(item.ok for item in items) and right == len(where)
    return Outcome(ok, f"{right} of {plural(len(where), 'broker')} as wanted", tuple(items), tuple(lines))


async def _store_order(
    known: Known, wanted: TopicDefinition, place: Place, where: Sequence[Replica], done: Done
) -> list[Item]:
    async def put(_: str) -> str:
        if place.broker:
            await put_broker_order(known.admin, wanted.name, where[0].broker_name, wanted.write_queues)
        else:
            conf = ";".join(f"{replica.broker_name}:{wanted.write_queues}" for replica in where)
            await put_order_conf(known.admin, wanted.name, conf)
        return "stored in the name servers"

    return await each_named(known, [("order configuration", "")], put, done)


# --- changing -------------------------------------------------------------------------------------------------------


async def preview_edit(known: Known, change: EditTopic) -> Preview:
    """What differs on each broker."""
    refusal = refusal_of_name(change.wanted.name)
    if refusal:
        return Preview(refusal=refusal)
    where = await targets(known, change.place)
    answers = await on_brokers(known, where, change.wanted.name)
    rows: list[tuple[str, ...]] = []
    warnings = silent(where, answers)
    for replica, found in zip(where, answers, strict=True):
        if found is None:
            warnings.append(f"{replica.broker_name} does not have it: it is made there")
            rows.append((replica.broker_name, "topic", "-", said(change.wanted)))
        elif isinstance(found, TopicDefinition):
            changed = differences(found, _after(found, change))
            rows += [(replica.broker_name, name, old or "-", new or "-") for name, old, new in changed]
            warnings += _losses(replica.broker_name, found, change.wanted)
    if not rows:
        told = "no broker can be asked" if warnings and not any(map(_is_there, answers)) else "nothing would change"
        return Preview(warnings=tuple(warnings), refusal=told)
    return Preview(_COLUMNS, tuple(rows), (), (*warnings, *_cautions(change.wanted)))


def _losses(broker: str, found: TopicDefinition, wanted: TopicDefinition) -> list[str]:
    if wanted.read_queues >= found.read_queues:
        return []
    gone = found.read_queues - wanted.read_queues
    return [f"{broker}: {plural(gone, 'queue')} fewer to read: what is still in them reaches no consumer"]


def _after(found: TopicDefinition, change: EditTopic) -> TopicDefinition:
    """What a broker has when it has taken the change: attributes that are not named stay."""
    attributes = dict(found.attributes)
    for name, value in change.changes:
        if name.startswith("+"):
            attributes[name[1:]] = value
        else:
            attributes.pop(name[1:], None)
    return replace(change.wanted, attributes=tuple(sorted(attributes.items())))


async def edit(known: Known, change: EditTopic, done: Done) -> Outcome:
    """Changes a topic, and reads it back from each broker."""
    where = await targets(known, change.place)

    async def put(replica: Replica) -> str:
        found = await on_broker(known, replica.address, change.wanted.name)
        if found is None:
            await send(known, replica.address, change.wanted, signed({}, dict(change.wanted.attributes)))
            return "created"
        if not differences(found, _after(found, change)):
            return "was like that already"
        # A broker refuses to drop an attribute that is not there, and to set some that are there already.
        had = dict(found.attributes)
        changes = tuple((k, v) for k, v in change.changes if (had.get(k[1:]) != v if k[0] == "+" else k[1:] in had))
        await send(known, replica.address, change.wanted, changes)
        return "changed"

    items = await on_each(known, where, put, done)
    return await _outcome(known, change.wanted, change.place, where, items, done)


DOERS = (Doer(CreateTopic, preview_create, create), Doer(EditTopic, preview_edit, edit))
