"""Consumer groups: what making, changing and deleting one means on each broker, and that being done.

Source: UpdateSubGroupSubCommand, DeleteSubscriptionGroupCommand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from rmq.client.admin.clusters import Replica
from rmq.client.admin.groups import create_group, delete_group, delete_group_topics
from rmq.client.admin.metadata import all_groups, is_own_group
from rmq.client.admin.topics import topic_names
from rmq.tui.formats import plural
from rmq.tui.service.changes.change import Item, Outcome, Preview
from rmq.tui.service.changes.groups import (
    CreateGroup,
    DeleteGroup,
    EditGroup,
    GroupDefinition,
    RetryPolicyError,
    group_definition_of,
    group_differences,
    policy_of,
)
from rmq.tui.service.live.changes.doer import Doer, Done
from rmq.tui.service.live.changes.targets import compared, each_named, on_each, silent, targets
from rmq.tui.service.live.groups import group_figures
from rmq.tui.service.live.known import Known
from rmq.tui.service.problems import problem_of
from rmq.wire.bodies.consume import ConsumeStats
from rmq.wire.bodies.group import SubscriptionGroupConfig
from rmq.wire.errors import RemotingError
from rmq.wire.names import dlq_topic, is_legal_group, retry_topic

_COLUMNS: Final = ("BROKER", "SETTING", "NOW", "THEN")
_OFFSETS: Final = ("TOPIC", "QUEUES", "LAG")


# --- what brokers have ----------------------------------------------------------------------------------------------


async def on_broker(known: Known, address: str, name: str) -> SubscriptionGroupConfig | None:
    """A group as one broker has it. All groups are read: asking for one would create it where groups make themselves.

    Raises:
        RemotingError: it cannot be asked.
    """
    return (await all_groups(known.admin, address)).subscription_group_table.get(name)


async def on_brokers(
    known: Known, where: Sequence[Replica], name: str
) -> list[SubscriptionGroupConfig | RemotingError | None]:
    """A group as each broker has it."""
    return list(await known.admin.attempt_each(where, lambda replica: on_broker(known, replica.address, name)))


def said(group: GroupDefinition) -> str:
    """A group in one line."""
    state = "may consume" if group.enabled else "may not consume"
    return f"{state}, {group.retry_max} tries, {plural(group.retry_queues, 'retry queue')}"


def config_of(wanted: GroupDefinition, before: SubscriptionGroupConfig | None = None) -> SubscriptionGroupConfig:
    """What a broker is to take: what a definition does not tell stays as it was. Attributes travel as changes: none."""
    return replace(
        before or SubscriptionGroupConfig(wanted.name),
        consume_enable=wanted.enabled,
        consume_from_min_enable=wanted.from_min,
        consume_broadcast_enable=wanted.broadcast,
        consume_message_orderly=wanted.orderly,
        retry_queue_nums=wanted.retry_queues,
        retry_max_times=wanted.retry_max,
        group_retry_policy=policy_of(wanted.retry_policy),
        broker_id=wanted.broker_id,
        which_broker_when_consume_slowly=wanted.slow_broker_id,
        notify_consumer_ids_changed_enable=wanted.notify,
        attributes={},
    )


def _refusal(wanted: GroupDefinition) -> str:
    if is_own_group(wanted.name):
        return f"{wanted.name} is RocketMQ's own"
    if not is_legal_group(wanted.name):
        return f"{wanted.name[:60]!r} cannot be a group's name"
    try:
        policy_of(wanted.retry_policy)
    except RetryPolicyError as error:
        return f"retry policy: {error}"
    return ""


def _cautions(wanted: GroupDefinition) -> list[str]:
    found = []
    if not wanted.enabled:
        found.append("its clients get no messages while consumeEnable is off")
    if wanted.retry_max == 0:
        found.append("a message that fails once is a dead letter")
    return found


# --- creating -------------------------------------------------------------------------------------------------------


async def preview_create(known: Known, change: CreateGroup) -> Preview:
    """What there is under that name, on each broker."""
    refusal = _refusal(change.wanted)
    if refusal:
        return Preview(refusal=refusal)
    where = await targets(known, change.place)
    answers = await on_brokers(known, where, change.wanted.name)
    rows, there = [], []
    for replica, found in zip(where, answers, strict=True):
        if isinstance(found, RemotingError):
            continue
        if found is not None:
            there.append(replica.broker_name)
        now = "-" if found is None else said(group_definition_of(found))
        rows.append((replica.broker_name, "group", now, said(change.wanted)))
    if not rows:
        refusal = "no broker can be asked"
    elif there:
        refusal = f"{change.wanted.name} is on {', '.join(there)} already: edit it there"
    return Preview(_COLUMNS, tuple(rows), (), (*silent(where, answers), *_cautions(change.wanted)), refusal)


async def create(known: Known, change: CreateGroup, done: Done) -> Outcome:
    """Makes a group, and reads it back from each broker."""
    where = await targets(known, change.place)

    async def make(replica: Replica) -> str:
        await create_group(known.admin, replica.address, config_of(change.wanted))
        return "created"

    items = await on_each(known, where, make, done)
    return await _outcome(known, change.wanted, where, items)


async def _outcome(known: Known, wanted: GroupDefinition, where: Sequence[Replica], items: Sequence[Item]) -> Outcome:
    right, lines = compared(
        where,
        await on_brokers(known, where, wanted.name),
        lambda found: group_differences(group_definition_of(found), wanted),
        lambda found: said(group_definition_of(found)),
    )
    ok = all(item.ok for item in items) and right == len(where)
    return Outcome(ok, f"{right} of {plural(len(where), 'broker')} as wanted", tuple(items), tuple(lines))


# --- changing -------------------------------------------------------------------------------------------------------


async def preview_edit(known: Known, change: EditGroup) -> Preview:
    """What differs on each broker, and what stays that mqadmin would reset."""
    refusal = _refusal(change.wanted)
    if refusal:
        return Preview(refusal=refusal)
    where = await targets(known, change.place)
    answers = await on_brokers(known, where, change.wanted.name)
    rows: list[tuple[str, ...]] = []
    notes: list[str] = []
    warnings = silent(where, answers)
    for replica, found in zip(where, answers, strict=True):
        if found is None:
            warnings.append(f"{replica.broker_name} does not have it: it is made there")
            rows.append((replica.broker_name, "group", "-", said(change.wanted)))
        elif isinstance(found, SubscriptionGroupConfig):
            changed = group_differences(group_definition_of(found), change.wanted)
            rows += [(replica.broker_name, name, old or "-", new or "-") for name, old, new in changed]
            if found.consume_timeout_minute != SubscriptionGroupConfig("").consume_timeout_minute:
                stays = f"consumeTimeoutMinute={found.consume_timeout_minute}"
                notes.append(f"{replica.broker_name}: {stays} stays; mqadmin's command would reset it")
    if not rows:
        silence = len(warnings) == len(where)
        refusal = "no broker can be asked" if silence else "nothing would change"
        return Preview(warnings=tuple(warnings), refusal=refusal)
    return Preview(_COLUMNS, tuple(rows), tuple(notes), (*warnings, *_cautions(change.wanted)))


async def edit(known: Known, change: EditGroup, done: Done) -> Outcome:
    """Changes a group, and reads it back from each broker."""
    where = await targets(known, change.place)

    async def put(replica: Replica) -> str:
        found = await on_broker(known, replica.address, change.wanted.name)
        if found is not None and group_definition_of(found) == change.wanted:
            return "was like that already"
        await create_group(known.admin, replica.address, config_of(change.wanted, found))
        return "created" if found is None else "changed"

    items = await on_each(known, where, put, done)
    return await _outcome(known, change.wanted, where, items)


# --- deleting -------------------------------------------------------------------------------------------------------


async def preview_delete(known: Known, change: DeleteGroup) -> Preview:
    """Who is connected, how far it is in each topic, and which topics go with it."""
    if is_own_group(change.name):
        return Preview(refusal=f"{change.name} is RocketMQ's own and cannot be deleted")
    where = await targets(known, change.place)
    answers = await on_brokers(known, where, change.name)
    holding = [replica for replica, found in zip(where, answers, strict=True) if found is not None]
    group = await group_figures(known, change.name)
    retrying = await topic_names(known.admin)
    topics = [topic for topic in (retry_topic(change.name), dlq_topic(change.name)) if topic in retrying]
    if not holding and not topics:
        return Preview(refusal=f"no broker of {change.place} has {change.name}")
    warnings = silent(where, answers)
    if group.problem is not None:
        warnings.append(str(group.problem))
    if group.state == "online":
        warnings.append(f"{plural(group.clients, 'client')} connected: brokers may make the group again for them")
    rows = () if group.lag is None else _offset_rows(await known.progress.get(change.name))
    if group.lag:
        warnings.append(f"{plural(group.lag, 'message')} not consumed yet")
    return Preview(_OFFSETS if rows else (), rows, tuple(_notes(change, topics, rows)), tuple(warnings))


def _notes(change: DeleteGroup, topics: Sequence[str], rows: Sequence[tuple[str, ...]]) -> list[str]:
    found = []
    if change.place.broker:
        found.append("its retry and dead-letter topics stay: only deleting it from the cluster takes them along")
    elif topics:
        found.append(f"topics that go with it, and the messages in them: {', '.join(topics)}")
    queues = sum(int(row[1].replace(",", "")) for row in rows)
    fate = "go" if change.offsets else "stay, and hold again when a group of this name comes back"
    if rows:
        found.append(f"its offsets in {plural(queues, 'queue')} {fate}")
    return found


def _offset_rows(stats: ConsumeStats) -> tuple[tuple[str, ...], ...]:
    topics: dict[str, list[int]] = {}
    for queue, at in stats.offset_table.items():
        topics.setdefault(queue.topic, []).append(max(at.broker_offset - at.consumer_offset, 0))
    return tuple((topic, f"{len(lags):,}", f"{sum(lags):,}") for topic, lags in sorted(topics.items()))


async def delete(known: Known, change: DeleteGroup, done: Done) -> Outcome:
    """Deletes on every broker, then, in a cluster, its topics; those stay when a broker fails."""
    where = await targets(known, change.place)

    async def on_each_broker(replica: Replica) -> str:
        await delete_group(known.admin, replica.address, change.name, remove_offset=change.offsets)
        return "deleted, with its offsets" if change.offsets else "deleted"

    async def topics(_: str) -> str:
        await delete_group_topics(known.admin, change.place.cluster, change.name)
        return "deleted"

    items = await on_each(known, where, on_each_broker, done)
    failed = [item for item in items if not item.ok]
    if failed:
        rest = ": its topics stay" if change.place.cluster else ""
        return Outcome(False, f"{plural(len(failed), 'broker')} failed{rest}", tuple(items))
    if change.place.cluster:
        items += await each_named(known, [("retry and dead-letter topics", "")], topics, done)
    answers = await on_brokers(known, where, change.name)
    lines = [f"{replica.broker_name}: {_fate(found)}" for replica, found in zip(where, answers, strict=True)]
    gone = all(found is None for found in answers)
    ok = gone and all(item.ok for item in items)
    return Outcome(ok, "deleted" if ok else "not all of it is gone", tuple(items), tuple(lines))


def _fate(found: SubscriptionGroupConfig | RemotingError | None) -> str:
    if isinstance(found, RemotingError):
        return f"cannot be read back: {problem_of(found)}"
    return "it is gone" if found is None else "it is there: a client that is connected may have made it again"


DOERS = (
    Doer(CreateGroup, preview_create, create),
    Doer(EditGroup, preview_edit, edit),
    Doer(DeleteGroup, preview_delete, delete),
)
