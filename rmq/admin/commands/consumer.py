"""How far consumer groups are, and who is connected.

Source: org.apache.rocketmq.tools.command.consumer.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from rmq.admin.declare import Call, command
from rmq.admin.options import route_cluster, value
from rmq.admin.output import Column, Member, Report, Table, cut, fixed, same, seconds
from rmq.client.admin.groups import consume_stats, consumer_connection, retry_groups, stats_on
from rmq.client.admin.topics import addresses_of, topic_route
from rmq.wire.codes import version_name
from rmq.wire.errors import RemotingError
from rmq.wire.names import retry_topic

if TYPE_CHECKING:
    from rmq.wire.bodies.connection import ConsumerConnection


# --- consumerProgress ----------------------------------------------------------------------------------------------

_NOT_KNOWN = "N/A"
_QUEUE_COLUMNS = (
    Column("topic", "#Topic", cut(64)),
    Column("brokerName", "#Broker Name", cut(32)),
    Column("queueId", "#QID", same),
    Column("brokerOffset", "#Broker Offset", same),
    Column("consumerOffset", "#Consumer Offset", same),
)
_LAG_COLUMNS = (
    Column("diff", "#Diff", same),
    Column("inflight", "#Inflight", same),
    Column("lastTimestamp", "#LastTime", lambda time: seconds(time) if time else _NOT_KNOWN),
)
_PROGRESS = Table(
    "queues",
    "With -g: a queue; `lastTimestamp` is the store time in ms of the last consumed message, 0 when not known.",
    "%-64s  %-32s  %-4s  %-20s  %-20s  %-20s %-20s%s",
    "%-64s  %-32s  %-4d  %-20d  %-20d  %-20d %-20d %s",
    (*_QUEUE_COLUMNS, *_LAG_COLUMNS),
)
_PROGRESS_WITH_CLIENT = Table(
    "queues",
    "With -g and -s true: as above, and the address of the client that owns the queue.",
    "%-64s  %-32s  %-4s  %-20s  %-20s  %-20s %-20s %-20s%s",
    "%-64s  %-32s  %-4d  %-20d  %-20d  %-20s %-20d %-20d %s",
    (*_QUEUE_COLUMNS, Column("clientIp", "#Client IP", lambda owner: owner or _NOT_KNOWN), *_LAG_COLUMNS),
)
_GROUP_COLUMNS = (
    Column("group", "#Group", cut(64)),
    Column("clients", "#Count", same),
    Column("version", "#Version", lambda version: version or "OFFLINE"),
    Column("type", "#Type", lambda kind: kind or ""),
    Column("messageModel", "#Model", lambda model: model or ""),
)
_GROUPS = Table(
    "groups",
    "Without -g: a group, the number of its clients, and the oldest version of them; version, type (PUSH or PULL) and"
    " messageModel are null while nobody of it is connected, messageModel also for PULL.",
    "%-64s  %-6s  %-24s %-5s  %-14s  %-7s  %s",
    "%-64s  %-6d  %-24s %-5s  %-14s  %-7d  %d",
    (*_GROUP_COLUMNS, Column("consumeTps", "#TPS", int), Column("diffTotal", "#Diff Total", same)),
)


@command(
    "consumerProgress",
    "Show how far one consumer group is on each queue, or how far all groups are.",
    value("g", "groupName", "Name of the consumer group; all groups if not given."),
    value("t", "topicName", "Only this topic, with -g."),
    value("s", "showClientIP", "Also show which client owns each queue (true or false), with -g.", default="false"),
    route_cluster(),
    data=(
        _PROGRESS,
        _PROGRESS_WITH_CLIENT,
        _GROUPS,
        Member("consumeTps", "With -g: messages per second."),
        Member("diffTotal", "With -g: messages not consumed yet."),
        Member("inflightTotal", "With -g: messages that clients have pulled and not yet consumed."),
    ),
)
async def consumer_progress(call: Call) -> Report:
    """`consumerProgress`."""
    group = call.text("g")
    return await _all_groups(call) if group is None else await _one_group(call, group)


async def _one_group(call: Call, group: str) -> Report:
    stats = await consume_stats(call.admin, group, call.text("t"), call.text("c"))
    report = Report()
    with_client = call.truth("s")
    owners = {}
    if with_client:
        from rmq.client.admin.running import queue_owners

        try:
            owners = await queue_owners(call.admin, group)
        except RemotingError as error:
            # A group that is offline owns nothing.
            report.fail_unless_answered(error)
    rows, diffs, inflights = [], 0, 0
    for queue, offsets in sorted(stats.offset_table.items(), key=itemgetter(0)):
        diff = offsets.broker_offset - offsets.consumer_offset
        inflight = offsets.pull_offset - offsets.consumer_offset
        owner = (owners[queue].partition("@")[0] if queue in owners else None,) if with_client else ()
        known = (queue.topic, queue.broker_name, queue.queue_id, offsets.broker_offset, offsets.consumer_offset)
        rows.append((*known, *owner, diff, inflight, offsets.last_timestamp))
        diffs += diff
        inflights += inflight
    report.table(_PROGRESS_WITH_CLIENT if with_client else _PROGRESS, rows)
    report.say()
    report.say(f"Consume TPS: {fixed(stats.consume_tps, 2)}")
    report.say(f"Consume Diff Total: {diffs}")
    report.say(f"Consume Inflight Total: {inflights}")
    report.put(consumeTps=stats.consume_tps, diffTotal=diffs, inflightTotal=inflights)
    return report


async def _all_groups(call: Call) -> Report:
    report = Report()

    async def describe(group: str) -> tuple[object, ...]:
        tps, diff = 0.0, 0
        try:
            addresses = addresses_of(await topic_route(call.admin, retry_topic(group)))
        except RemotingError as error:
            # It was removed since the list was made.
            report.fail_unless_answered(error)
            return (group, 0, None, None, None, tps, diff)
        try:
            stats = await stats_on(call.admin, addresses, group)
            tps = stats.consume_tps
            diff = sum(offsets.broker_offset - offsets.consumer_offset for offsets in stats.offset_table.values())
        except RemotingError as error:
            report.fail_unless_answered(error)
        address = addresses[call.admin.choose(len(addresses))] if addresses else None
        return (*await _members(call, report, group, address), tps, diff)

    try:
        groups = await retry_groups(call.admin)
    except RemotingError as error:
        # Apache's tool prints the heading first.
        report.table(_GROUPS, ())
        return report.fail(error)
    report.table(_GROUPS, await call.admin.each(groups, describe))
    return report


class _Members(NamedTuple):
    group: str
    clients: int
    version: str | None
    kind: str | None
    model: str | None


async def _members(call: Call, report: Report, group: str, address: str | None = None) -> _Members:
    try:
        connection = await consumer_connection(call.admin, group, address)
    except RemotingError as error:
        report.fail_unless_answered(error)
        return _Members(group, 0, None, None, None)
    oldest = min(client.version for client in connection.connection_set)
    kind = "PULL" if connection.consume_type == "CONSUME_ACTIVELY" else "PUSH"
    return _Members(group, len(connection.connection_set), version_name(oldest), kind, _model(connection))


def _model(connection: ConsumerConnection) -> str | None:
    return connection.message_model if connection.consume_type == "CONSUME_PASSIVELY" else None


# --- consumerList --------------------------------------------------------------------------------------------------

_MEMBERS = Table(
    "groups",
    "A group: as of consumerProgress without -g.",
    "%-64s  %-6s  %-24s %-5s  %s",
    "%-64s  %-6d  %-24s %-5s  %s",
    _GROUP_COLUMNS,
)


@command(
    "consumerList",
    "List the consumer groups with the number of their connected clients.",
    data=(_MEMBERS,),
    ours=True,
)
async def consumer_list(call: Call) -> Report:
    """`consumerList`: as consumerProgress without -g, without looking at offsets."""
    report = Report()
    groups = await retry_groups(call.admin)
    report.table(_MEMBERS, await call.admin.each(groups, lambda group: _members(call, report, group)))
    return report
