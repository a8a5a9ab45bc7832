"""What goes through topics, and how far groups are behind, all of them at once.

Source: org.apache.rocketmq.tools.command.stats, BrokerConsumeStatsSubCommad.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from rmq.admin.declare import Call, command
from rmq.admin.options import broker, flag, topic, value
from rmq.admin.output import Column, Member, Report, Table, cut, fixed, same, seconds

if TYPE_CHECKING:
    from rmq.client.admin.traffic import TopicTraffic
    from rmq.wire.bodies.consume import ConsumeStats

# --- statsAll ------------------------------------------------------------------------------------------------------

_NO_CONSUMER: Final = "NO_CONSUMER"


def _rate(tps: float | None) -> str:
    return "" if tps is None else fixed(tps, 2) if tps else "0.00"


_TRAFFIC = Table(
    "topics",
    "A topic and a group that consumes it, with messages behind, messages a second in the last minute, and messages"
    " of the last day; a topic without groups is one row, with null for what concerns a group.",
    "%-64s  %-64s %12s %11s %11s %14s %14s",
    "%-64s  %-64s %12d %11s %11s %14d %14s",
    (
        Column("topic", "#Topic", cut(64)),
        Column("group", "#Consumer Group", lambda group: (group or "")[:64]),
        Column("accumulation", "#Accumulation", lambda behind: behind or 0),
        Column("inTps", "#InTPS", _rate),
        Column("outTps", "#OutTPS", _rate),
        Column("inMsg24Hour", "#InMsg24Hour", same),
        Column("outMsg24Hour", "#OutMsg24Hour", lambda count: _NO_CONSUMER if count is None else count),
    ),
)


@command(
    "statsAll",
    "Show for every topic and group how much comes in and goes out, and how far the group is behind.",
    flag("a", "activeTopic", "Only topics with messages of the last day."),
    topic(required=False, help="Only this topic."),
    data=(_TRAFFIC,),
    differs=("A topic of -t that does not exist is a failure; Apache's prints the heading only.",),
    examples=(
        ("statsAll -a", "Show those with messages of the last day."),
        ("statsAll -t Orders -f json", "Show one topic as JSON."),
    ),
)
async def stats_all(call: Call) -> Report:
    """`statsAll`."""
    from rmq.client.admin.errors import NoTopicRouteError
    from rmq.client.admin.topics import topic_names
    from rmq.client.admin.traffic import traffic
    from rmq.wire.names import DLQ_PREFIX, RETRY_PREFIX

    report = Report()
    wanted = call.text("t")
    known = await topic_names(call.admin)
    if wanted and wanted not in known:
        report.fail(NoTopicRouteError(wanted))
    names = [
        name
        for name in known
        if not name.startswith((RETRY_PREFIX, DLQ_PREFIX)) and (not wanted or name == wanted)
    ]
    rows: list[tuple[Any, ...]] = []
    for found in await traffic(call.admin, names, report.fail_unless_answered):
        rows += _rows(found, active=call.given("a"))
    report.table(_TRAFFIC, rows)
    return report


def _rows(found: TopicTraffic, *, active: bool) -> list[tuple[Any, ...]]:
    put = found.put
    if not found.groups:
        return [] if active and not put.day else [(found.topic, None, None, put.tps, None, put.day, None)]
    return [
        (found.topic, pair.group, pair.backlog, put.tps, pair.out.tps, put.day, pair.out.day)
        for pair in found.groups
        if not active or put.day or pair.out.day
    ]


# --- brokerConsumeStats --------------------------------------------------------------------------------------------

_PATIENCE: Final = 50_000

_QUEUES = Table(
    "queues",
    "A queue that a group consumes; `lastTimestamp` is the store time in ms of the last consumed message. Queues of"
    " which none was consumed, or whose message is gone, are left out.",
    "%-64s  %-64s  %-32s  %-4s  %-20s  %-20s  %-20s  %s",
    "%-64s  %-64s  %-32s  %-4d  %-20d  %-20d  %-20d  %s",
    (
        Column("topic", "#Topic", cut(64)),
        Column("group", "#Group"),
        Column("brokerName", "#Broker Name", cut(32)),
        Column("queueId", "#QID", same),
        Column("brokerOffset", "#Broker Offset", same),
        Column("consumerOffset", "#Consumer Offset", same),
        Column("diff", "#Diff", same),
        Column("lastTimestamp", "#LastTime", seconds),
    ),
)


@command(
    "brokerConsumeStats",
    "Show how far every group of a broker is in each of its queues.",
    broker("Address of the broker.", required=True),
    value("t", "timeoutMillis", "Milliseconds that the broker may take.", default=str(_PATIENCE)),
    value("l", "level", "Only queues that are at least so many messages behind.", default="0"),
    value("o", "order", "true: only topics whose messages are kept in order.", default="false"),
    data=(_QUEUES, Member("diffTotal", "Messages that groups are behind, all together, whatever -l says.")),
    examples=(
        ("brokerConsumeStats -b 10.0.0.1:10911 -l 1000", "Show queues that are at least 1,000 messages behind."),
    ),
)
async def show_broker_consume_stats(call: Call) -> Report:
    """`brokerConsumeStats`."""
    from rmq.client.admin.traffic import broker_consume_stats

    level, patience = call.number("l", 0, bits=64), call.number("t", _PATIENCE, bits=64) / 1000
    stats = await broker_consume_stats(
        call.admin, call.required("b").strip(), ordered=call.truth("o"), timeout=patience
    )
    rows: list[tuple[Any, ...]] = []
    for groups in stats.consume_stats_list:
        for group, parts in groups.items():
            for part in parts:
                rows += _behind(group, part, level)
    report = Report()
    report.table(_QUEUES, rows)
    report.say(f"\nDiff Total: {stats.total_diff}")
    report.put(diffTotal=stats.total_diff)
    return report


def _behind(group: str, stats: ConsumeStats, level: int) -> list[tuple[Any, ...]]:
    rows = []
    for queue, offsets in sorted(stats.offset_table.items(), key=itemgetter(0)):
        diff = offsets.broker_offset - offsets.consumer_offset
        if diff >= level and offsets.last_timestamp > 0:
            known = (queue.topic, group, queue.broker_name, queue.queue_id)
            rows.append((*known, offsets.broker_offset, offsets.consumer_offset, diff, offsets.last_timestamp))
    return rows
