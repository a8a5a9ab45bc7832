"""Consumer groups as they are now: how far, who is connected, and what they hold."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence

from rmq.client.admin.errors import GroupOfflineError
from rmq.client.admin.groups import GroupOnBroker, consumer_connection, group_configs, retry_groups
from rmq.client.admin.metadata import is_own_group
from rmq.client.admin.running import Member, members
from rmq.tui.service.live.consumers import KINDS, started_at
from rmq.tui.service.live.known import Known, or_problem
from rmq.tui.service.model import Client, Group, GroupDetail, GroupQueue, Problem, Setting, Subscription
from rmq.tui.service.problems import problem_of
from rmq.wire.bodies.connection import ConsumerConnection
from rmq.wire.bodies.consume import ConsumeStats
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.codes import version_name
from rmq.wire.declare import to_plain
from rmq.wire.errors import ConsumerNotOnlineError, RemotingError


class LiveGroups:
    """See `protocol.GroupQuestions`."""

    _known: Known

    @or_problem
    async def group_names(self) -> tuple[str, ...]:
        """See `AdminService.group_names`."""
        retrying = await retry_groups(self._known.admin)
        configured = await self._known.groups.get("")
        return tuple(sorted({name for name in (*retrying, *configured) if not is_own_group(name)}))

    async def groups(self, names: Sequence[str]) -> Mapping[str, Group]:
        """See `AdminService.groups`."""
        found = await self._known.admin.each(list(names), lambda name: group_figures(self._known, name))
        return {group.name: group for group in found}

    @or_problem
    async def group(self, name: str) -> GroupDetail:
        """See `AdminService.group`."""
        return await group_detail(self._known, name)


async def group_figures(known: Known, name: str) -> Group:
    """A row of the list; with a problem, and as far as it could be told, when something fails."""
    problem: Problem | None = None
    stats: ConsumeStats | None = None
    connection: ConsumerConnection | None = None
    try:
        stats = await known.progress.get(name)
    except RemotingError as error:
        problem = problem_of(error)
    try:
        connection = await _connection(known, name)
    except RemotingError as error:
        return _summary(name, stats, None, problem or problem_of(error))
    return _summary(name, stats, connection, problem)


async def group_detail(known: Known, name: str) -> GroupDetail:
    """Everything about a group; what cannot be told is missing, and named among the problems.

    Raises:
        RemotingError: neither a retry topic nor brokers could be found.
    """
    addresses = await known.addresses(name)
    group = await group_figures(known, name)
    problems = [] if group.problem is None else [group.problem]
    present: list[Member] = []
    if group.clients and addresses:
        try:
            present = await members(known.admin, name, address=addresses[0])
        except RemotingError as error:
            problems.append(problem_of(error))
    problems += [problem_of(member.info) for member in present if isinstance(member.info, RemotingError)]
    configs = await group_configs(known.admin, name)
    problems += [problem_of(config) for config in configs if isinstance(config, RemotingError)]
    stats = ConsumeStats() if group.lag is None else await known.progress.get(name)
    return GroupDetail(
        group,
        _queues(stats, present),
        tuple(_client(member) for member in present),
        _subscriptions(present),
        tuple(setting for config in configs if not isinstance(config, RemotingError) for setting in _settings(config)),
        tuple(dict.fromkeys(problems)),
    )


async def _connection(known: Known, name: str) -> ConsumerConnection:
    """Who is connected; nobody when the first broker that answers says so."""
    failure: RemotingError | None = None
    for address in await known.addresses(name):
        try:
            return await consumer_connection(known.admin, name, address)
        except (ConsumerNotOnlineError, GroupOfflineError):
            return ConsumerConnection()
        except RemotingError as error:
            failure = error
    if failure is not None:
        raise failure
    return ConsumerConnection()


def _summary(
    name: str, stats: ConsumeStats | None, connection: ConsumerConnection | None, problem: Problem | None
) -> Group:
    offsets = [] if stats is None else list(stats.offset_table.values())
    behind = [at.last_timestamp for at in offsets if at.broker_offset > at.consumer_offset and at.last_timestamp > 0]
    clients = 0 if connection is None else len(connection.connection_set)
    model = connection.message_model if connection is not None and clients else None
    kind = connection.consume_type if connection is not None and clients else None
    return Group(
        name,
        "" if connection is None else "online" if clients else "offline",
        model.value.lower() if model is not None else "",
        KINDS[kind] if kind is not None else "",
        clients,
        0 if stats is None else len({queue.topic for queue in stats.offset_table}),
        None if stats is None else sum(max(at.broker_offset - at.consumer_offset, 0) for at in offsets),
        sum(at.broker_offset for at in offsets),
        sum(at.consumer_offset for at in offsets),
        min(behind, default=0),
        problem,
    )


def _queues(stats: ConsumeStats, present: Sequence[Member]) -> tuple[GroupQueue, ...]:
    owners: dict[MessageQueue, str] = {}
    for client, info in present:
        if not isinstance(info, RemotingError):
            owners.update(dict.fromkeys((*info.mq_table, *info.mq_pop_table), client.client_id or ""))
    return tuple(
        GroupQueue(
            queue.topic,
            queue.broker_name,
            queue.queue_id,
            at.broker_offset,
            at.consumer_offset,
            at.last_timestamp,
            owners.get(queue, ""),
        )
        for queue, at in sorted(stats.offset_table.items())
    )


def _client(member: Member) -> Client:
    client, info = member
    known = (
        client.client_id or "",
        client.client_addr or "",
        client.language or "",
        version_name(client.version),
    )
    if isinstance(info, RemotingError):
        return Client(*known, problem=problem_of(info))
    cached = sum(held.cached_msg_count for held in info.mq_table.values())
    queues = len(info.mq_table) + len(info.mq_pop_table)
    return Client(*known, queues, cached, started_at(info))


def _subscriptions(present: Sequence[Member]) -> tuple[Subscription, ...]:
    infos = [info for _, info in present if not isinstance(info, RemotingError)]
    wanted = Counter(
        (item.topic, item.expression_type, item.sub_string or "") for info in infos for item in info.subscription_set
    )
    return tuple(Subscription(*what, number, len(infos)) for what, number in sorted(wanted.items()))


def _settings(found: GroupOnBroker) -> list[Setting]:
    plain = to_plain(found.config)
    return [Setting(found.broker_name, key, _text(value)) for key, value in plain.items() if key != "groupName"]


def _text(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    return json.dumps(value) if isinstance(value, (dict, list)) else str(value)
