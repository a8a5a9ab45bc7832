"""The way back of an export: topics and groups of a file are made on brokers.

A file holds a table of topics, one of groups, or both, whoever wrote it: an export of a broker or of a cluster, a
broker's own `topics.json` and `subscriptionGroup.json`, or what a RocksDB directory was turned into. An export of a
cluster (it has an `exportTime`) tells the queues of all masters together; on a cluster they are shared out again, the
first masters taking one more where they do not come out even. What the brokers themselves own is passed over.

What is there already stays as it is unless it may be overwritten. Attributes travel as changes, so that those of the
file are set and those that it lacks are taken away.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final, NamedTuple

from rmq.client.admin.clusters import Replica
from rmq.client.admin.export import EXPORT_TIME, FORBIDDEN, GROUPS, TOPICS
from rmq.client.admin.groups import create_group
from rmq.client.admin.metadata import all_groups, all_topics, is_own_group, system_topics
from rmq.client.admin.order import put_broker_order
from rmq.client.admin.session import Admin
from rmq.client.admin.topics import create_topic
from rmq.wire.bodies.group import SubscriptionGroupConfig, SubscriptionGroupWrapper
from rmq.wire.bodies.topic import TopicConfig, TopicConfigSerializeWrapper
from rmq.wire.declare import from_plain
from rmq.wire.errors import InvalidFieldError, RemotingError
from rmq.wire.names import is_system_topic
from rmq.wire.requests.group import UpdateAndGetGroupForbidden

_READ_BIT: Final = 1 << 2


class Outcome(StrEnum):
    """What became of one topic or group on one broker."""

    CREATED = "created"
    CHANGED = "changed"
    SAME = "same"
    """It was like that already."""
    SKIPPED = "skipped"
    """It is there and differs, and nothing may be overwritten."""
    FAILED = "failed"


@dataclass
class Metadata:
    """Topics and groups to make, by name.

    Attributes:
        forbidden: topics that a group may not read, by group.
        added_up: queue numbers are those of all masters of a cluster together.
    """

    topics: dict[str, TopicConfig] = field(default_factory=dict)
    groups: dict[str, SubscriptionGroupConfig] = field(default_factory=dict)
    forbidden: dict[str, list[str]] = field(default_factory=dict)
    added_up: bool = False


@dataclass(frozen=True)
class Imported:
    """What became of one topic or group; `error` tells why it failed."""

    kind: str
    name: str
    broker: str
    outcome: Outcome
    error: RemotingError | None = None


def read_metadata(contents: Iterable[Mapping[str, Any]]) -> Metadata:
    """Puts together what files hold.

    Raises:
        InvalidFieldError: one of them holds no such table, or an entry of it is none.
    """
    found = Metadata()
    for content in contents:
        # What export.sh joins keeps the metadata one level deeper.
        tables = content["metadata"] if isinstance(content.get("metadata"), Mapping) else content
        if TOPICS not in tables and GROUPS not in tables:
            raise InvalidFieldError(f"neither {TOPICS} nor {GROUPS} is in it")
        plain = {TOPICS: tables.get(TOPICS) or {}}
        found.topics.update(from_plain(TopicConfigSerializeWrapper, plain).topic_config_table)
        plain = {GROUPS: tables.get(GROUPS) or {}, FORBIDDEN: tables.get(FORBIDDEN) or {}}
        groups = from_plain(SubscriptionGroupWrapper, plain)
        found.groups.update(groups.subscription_group_table)
        for name, bits in groups.forbidden_table.items():
            closed = [topic for topic, value in bits.items() if value & _READ_BIT]
            if closed:
                found.forbidden[name] = closed
        found.added_up = found.added_up or EXPORT_TIME in tables
    return found


def shares(metadata: Metadata, count: int) -> list[Metadata]:
    """What each of so many masters gets; all the same unless the queues are to be shared out.

    A topic that has fewer queues than there are masters is made on as many masters as it has queues.
    """
    if not metadata.added_up or count <= 1:
        return [metadata] * count
    made = []
    for index in range(count):
        topics = {}
        for name, config in metadata.topics.items():
            reads, writes = (_share(total, count, index) for total in (config.read_queue_nums, config.write_queue_nums))
            if reads or writes or not (config.read_queue_nums or config.write_queue_nums):
                topics[name] = replace(config, read_queue_nums=reads, write_queue_nums=writes)
        groups = {
            # Every broker must know the group, so each has at least one queue for what it repeats.
            name: replace(config, retry_queue_nums=max(_share(config.retry_queue_nums, count, index), 1))
            for name, config in metadata.groups.items()
        }
        made.append(Metadata(topics, groups, metadata.forbidden))
    return made


def _share(total: int, count: int, index: int) -> int:
    least, rest = divmod(total, count)
    return least + (index < rest)


async def import_metadata(
    admin: Admin, targets: Sequence[Replica], metadata: Metadata, *, overwrite: bool
) -> list[Imported]:
    """Makes topics and groups on masters.

    Args:
        admin: the session.
        targets: the masters, each with its name and address.
        metadata: what to make.
        overwrite: whether what is there already and differs is made like the file's.

    Raises:
        RemotingError: a master cannot tell what it has; nothing was made then.
    """
    known = await admin.each(targets, lambda target: _look(admin, target.address))
    parts = zip(targets, known, shares(metadata, len(targets)), strict=True)
    # One broker after the other: the order configuration of a topic grows with each of its brokers.
    return [item for target, had, part in parts for item in await _import(admin, target, had, part, overwrite)]


class _Known(NamedTuple):
    """What a broker has already, and the names of the topics that it made for itself."""

    topics: dict[str, TopicConfig]
    groups: SubscriptionGroupWrapper
    own: Collection[str]


async def _look(admin: Admin, address: str) -> _Known:
    topics = (await all_topics(admin, address)).topic_config_table
    return _Known(topics, await all_groups(admin, address), await system_topics(admin, address))


async def _import(admin: Admin, target: Replica, had: _Known, metadata: Metadata, overwrite: bool) -> list[Imported]:
    address = target.address
    topics, groups, own = had

    async def topic(config: TopicConfig) -> Imported:
        known = topics.get(config.topic_name)
        outcome = _outcome(known, config, overwrite)
        try:
            if outcome in {Outcome.CREATED, Outcome.CHANGED}:
                await _put_topic(admin, target, config, known)
        except RemotingError as error:
            return Imported("topic", config.topic_name, target.broker_name, Outcome.FAILED, error)
        return Imported("topic", config.topic_name, target.broker_name, outcome)

    async def group(config: SubscriptionGroupConfig) -> Imported:
        name = config.group_name
        known = groups.subscription_group_table.get(name)
        outcome = _outcome(known, config, overwrite)
        closed = {topic for topic, bits in groups.forbidden_table.get(name, {}).items() if bits & _READ_BIT}
        missing = [topic for topic in metadata.forbidden.get(name, ()) if topic not in closed]
        if missing and outcome is Outcome.SAME:
            outcome = Outcome.CHANGED if overwrite else Outcome.SKIPPED
        try:
            if outcome in {Outcome.CREATED, Outcome.CHANGED}:
                await _put_group(admin, address, config, known)
                for closed_topic in missing:
                    await admin.call(address, UpdateAndGetGroupForbidden(name, closed_topic, readable=False))
        except RemotingError as error:
            return Imported("group", name, target.broker_name, Outcome.FAILED, error)
        return Imported("group", name, target.broker_name, outcome)

    configs = [
        config for name, config in sorted(metadata.topics.items()) if name not in own and not is_system_topic(name)
    ]
    made = await admin.each(configs, topic)
    kept = [config for name, config in sorted(metadata.groups.items()) if not is_own_group(name)]
    return made + await admin.each(kept, group)


def _outcome(known: object, wanted: object, overwrite: bool) -> Outcome:
    if known is None:
        return Outcome.CREATED
    if known == wanted:
        return Outcome.SAME
    return Outcome.CHANGED if overwrite else Outcome.SKIPPED


async def _put_topic(admin: Admin, target: Replica, config: TopicConfig, known: TopicConfig | None) -> None:
    before = known.attributes if known is not None else {}
    await create_topic(
        admin, target.address, replace(config, attributes=attribute_changes(before, config.attributes))
    )
    if config.order:
        await put_broker_order(admin, config.topic_name, target.broker_name, config.write_queue_nums)


async def _put_group(
    admin: Admin, address: str, config: SubscriptionGroupConfig, known: SubscriptionGroupConfig | None
) -> None:
    before = known.attributes if known is not None else {}
    await create_group(admin, address, replace(config, attributes=attribute_changes(before, config.attributes)))


def attribute_changes(before: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    """The signed changes that make attributes what they should be."""
    changes = {f"+{name}": value for name, value in wanted.items() if before.get(name) != value}
    return changes | {f"-{name}": "" for name in before if name not in wanted}
