"""Clusters.

Source: org.apache.rocketmq.tools.command.cluster.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from rmq.admin.declare import Call, command
from rmq.admin.errors import CommandLineError
from rmq.admin.options import cluster, flag, value
from rmq.admin.output import Column, Report, Table, fixed, same
from rmq.client.admin.brokers import first_number, log_end, runtime_info, whole_number
from rmq.client.admin.clusters import Replica, cluster_info, replicas_of
from rmq.client.admin.errors import UnknownClusterError
from rmq.client.admin.replication import followers
from rmq.wire.bodies.printed import java_text
from rmq.wire.errors import RemotingError

_MILLIS_OF_HOUR = 3_600_000
_WAN = 10_000


def _load(load: dict[str, Any] | None, pools: dict[str, str]) -> str:
    """The column of a load: Apache shows nothing for a broker that cannot be asked, else a word for what is not told.

    Args:
        load: the figures; None of a broker that cannot be asked.
        pools: each pool, and the word for its figures when it is not told of.
    """

    def shown(name: str, missing: str) -> str:
        return "" if load is None else missing if load[name] is None else str(load[name])

    waiting = "|".join(f"{shown(f'{pool}Queue', word)},{shown(f'{pool}Wait', word)}ms" for pool, word in pools.items())
    return f"{fixed(load['tps'] if load else 0.0, 2):>9}({waiting})"


def _timer(timer: dict[str, Any] | None) -> str:
    if timer is None:
        return "0-0(0.0w, 0.0, 0.0)"
    congested = fixed(timer["congestNum"] / _WAN, 1)
    rates = f"{fixed(timer['enqueueTps'], 1)}, {fixed(timer['dequeueTps'], 1)}"
    return f"{timer['readBehind']}-{timer['offsetBehind']}({congested}w, {rates})"


def _or_nothing(told: object) -> str:
    return "" if told is None else str(told)


_BROKERS = Table(
    "brokers",
    "Without -m: a broker; what is not known of it is null. `in` has tps (messages a second), sendQueue (requests that"
    " wait) and sendWait (ms that the first of them has waited); `out` likewise tps, pullQueue, pullWait, ackQueue and"
    " ackWait; `timer` readBehind (s), offsetBehind and congestNum (messages), enqueueTps and dequeueTps."
    " `pageCacheWait` is in ms, `hours` the age of the oldest message, `space` the part of the disk that is in use."
    " `role` is master or slave; of a slave `lag` is the bytes that it is behind its master, `lagMillis` how old the"
    " first of them is (null from Apache's masters, which do not tell), `inSync` whether its master counts it as such.",
    "%-22s  %-22s  %-4s  %-22s %-16s  %16s  %30s  %-22s  %-11s  %-12s  %-8s  %-10s%.0s%.0s%.0s%.0s",
    "%-22s  %-22s  %-4s  %-22s %-16s  %16s  %30s  %-22s  %11s  %-12s  %-8s  %10s%.0s%.0s%.0s%.0s",
    (
        Column("cluster", "#Cluster Name"),
        Column("brokerName", "#Broker Name"),
        Column("brokerId", "#BID"),
        Column("address", "#Addr"),
        Column("version", "#Version", _or_nothing),
        Column("in", "#InTPS(LOAD)", lambda load: _load(load, {"send": "null"})),
        Column("out", "#OutTPS(LOAD)", lambda load: _load(load, {"pull": "null", "ack": "N"})),
        Column("timer", "#Timer(Progress)", _timer),
        Column("pageCacheWait", "#PCWait(ms)", _or_nothing),
        Column("hours", "#Hour", lambda hours: fixed(hours or 0.0, 2)),
        Column("space", "#SPACE", lambda space: fixed(space or 0.0, 4)),
        Column("activated", "#ACTIVATED", lambda active: java_text(bool(active))),
        Column("role"),
        Column("lag"),
        Column("lagMillis"),
        Column("inSync"),
    ),
)
_TOTALS = Table(
    "brokers",
    "With -m: a broker and its messages in and out, yesterday and today.",
    "%-16s  %-32s %14s %14s %14s %14s",
    "%-16s  %-32s %14d %14d %14d %14d",
    (
        Column("cluster", "#Cluster Name"),
        Column("brokerName", "#Broker Name"),
        Column("inTotalYest", "#InTotalYest", same),
        Column("outTotalYest", "#OutTotalYest", same),
        Column("inTotalToday", "#InTotalToday", same),
        Column("outTotalToday", "#OutTotalToday", same),
    ),
)


@command(
    "clusterList",
    "Show every broker with its load, or with its totals.",
    flag("m", "moreStats", "Show totals of yesterday and today instead."),
    value("i", "interval", "Seconds after which it is shown again, without end."),
    cluster("Only this cluster."),
    data=(_BROKERS, _TOTALS),
)
async def cluster_list(call: Call) -> AsyncIterator[Report]:
    """`clusterList`."""
    interval = call.number("i", 0, bits=64)
    if call.given("i") and interval < 0:
        raise CommandLineError(f"interval {interval}: seconds are expected")
    while True:
        yield await _look(call)
        if not call.given("i"):
            return
        await call.admin.sleep(interval)


async def _look(call: Call) -> Report:
    report = Report()
    info = await cluster_info(call.admin)
    try:
        replicas = replicas_of(info, call.text("c") or None)
    except UnknownClusterError as error:
        replicas = []
        report.fail(error)
    outcomes = await call.admin.attempt_each(replicas, lambda replica: runtime_info(call.admin, replica.address))
    stats: list[dict[str, str]] = []
    for outcome in outcomes:
        if isinstance(outcome, RemotingError):
            report.fail(outcome)
            stats.append({})
        else:
            stats.append(outcome)
    rows = list(zip(replicas, stats, strict=True))
    if call.given("m"):
        report.table(_TOTALS, (_totals(replica, known) for replica, known in rows))
        return report
    ends = {replica.address: log_end(known) for replica, known in rows if known}
    behind = await followers(call.admin, replicas, ends)
    report.table(
        _BROKERS,
        (
            (*_figures(call, replica, known), replica.role, *behind.get(replica.address, (None, None, None)))
            for replica, known in rows
        ),
    )
    return report


def _figures(call: Call, replica: Replica, stats: dict[str, str]) -> tuple[object, ...]:
    if not stats:
        return (*replica, *[None] * 8)

    def whole(name: str) -> int | None:
        return whole_number(stats[name]) if stats.get(name) else None

    def pool(name: str) -> dict[str, int | None]:
        return {
            f"{name}Queue": whole(f"{name}ThreadPoolQueueSize"),
            f"{name}Wait": whole(f"{name}ThreadPoolQueueHeadWaitTimeMills"),
        }

    earliest = whole("earliestMessageTimeStamp")
    return (
        *replica,
        stats.get("brokerVersionDesc"),
        {"tps": first_number(stats.get("putTps")), **pool("send")},
        {"tps": first_number(stats.get("getTransferredTps")), **pool("pull"), **pool("ack")},
        {
            "readBehind": whole_number(stats.get("timerReadBehind")),
            "offsetBehind": whole_number(stats.get("timerOffsetBehind")),
            "congestNum": whole_number(stats.get("timerCongestNum")),
            "enqueueTps": first_number(stats.get("timerEnqueueTps")),
            "dequeueTps": first_number(stats.get("timerDequeueTps")),
        },
        whole("pageCacheLockTimeMills"),
        None if earliest is None else (call.admin.now() - earliest) / _MILLIS_OF_HOUR,
        first_number(stats.get("commitLogDiskRatio")),
        stats.get("brokerActive", "").lower() == "true",
    )


def _totals(replica: Replica, stats: dict[str, str]) -> tuple[object, ...]:
    def since(kind: str, end: str, begin: str) -> int:
        return whole_number(stats.get(f"msg{kind}Total{end}")) - whole_number(stats.get(f"msg{kind}Total{begin}"))

    yesterday, today = ("TodayMorning", "YesterdayMorning"), ("TodayNow", "TodayMorning")
    spans = (since(kind, *span) for span in (yesterday, today) for kind in ("Put", "Get"))
    return (replica.cluster, replica.broker_name, *spans)
