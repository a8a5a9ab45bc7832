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
from rmq.client.admin.brokers import first_number, runtime_info, whole_number
from rmq.client.admin.clusters import Replica, cluster_info, replicas_of
from rmq.client.admin.errors import UnknownClusterError
from rmq.wire.bodies.printed import java_text
from rmq.wire.errors import RemotingError

_MILLIS_OF_HOUR = 3_600_000
_WAN = 10_000


def _load(tps: float | None, pools: list[tuple[str, str]]) -> str:
    waiting = "|".join(f"{size},{wait}ms" for size, wait in pools)
    return f"{fixed(tps or 0.0, 2):>9}({waiting})"


def _timer(timer: dict[str, Any]) -> str:
    congested = fixed(timer["congestNum"] / _WAN, 1)
    rates = f"{fixed(timer['enqueueTps'], 1)}, {fixed(timer['dequeueTps'], 1)}"
    return f"{timer['readBehind']}-{timer['offsetBehind']}({congested}w, {rates})"


_BROKERS = Table(
    "brokers",
    "Without -m: a broker. Rates are messages per second, waits ms; `in`, `out` and `timer` hold the figures that one"
    " column shows together; what a broker does not tell is an empty text.",
    "%-22s  %-22s  %-4s  %-22s %-16s  %16s  %30s  %-22s  %-11s  %-12s  %-8s  %-10s",
    "%-22s  %-22s  %-4s  %-22s %-16s  %16s  %30s  %-22s  %11s  %-12s  %-8s  %10s",
    (
        Column("cluster", "#Cluster Name"),
        Column("brokerName", "#Broker Name"),
        Column("brokerId", "#BID"),
        Column("address", "#Addr"),
        Column("version", "#Version"),
        Column("in", "#InTPS(LOAD)", lambda load: _load(load["tps"], [(load["sendQueue"], load["sendWait"])])),
        Column(
            "out",
            "#OutTPS(LOAD)",
            lambda load: _load(
                load["tps"], [(load["pullQueue"], load["pullWait"]), (load["ackQueue"], load["ackWait"])]
            ),
        ),
        Column("timer", "#Timer(Progress)", _timer),
        Column("pageCacheWait", "#PCWait(ms)"),
        Column("hours", "#Hour", lambda hours: fixed(hours, 2)),
        Column("space", "#SPACE", lambda space: fixed(space, 4)),
        Column("activated", "#ACTIVATED", java_text),
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
    rows = zip(replicas, stats, strict=True)
    if call.given("m"):
        report.table(_TOTALS, (_totals(replica, known) for replica, known in rows))
    else:
        report.table(_BROKERS, (_figures(call, replica, known) for replica, known in rows))
    return report


def _figures(call: Call, replica: Replica, stats: dict[str, str]) -> tuple[object, ...]:
    # A pool that a broker does not tell of prints as Java's null; all are empty when it told nothing.
    missing = "null" if stats else ""
    newer = "N" if stats else ""
    earliest = stats.get("earliestMessageTimeStamp", "")
    return (
        *replica,
        stats.get("brokerVersionDesc", missing),
        {
            "tps": first_number(stats.get("putTps")),
            "sendQueue": stats.get("sendThreadPoolQueueSize", missing),
            "sendWait": stats.get("sendThreadPoolQueueHeadWaitTimeMills", missing),
        },
        {
            "tps": first_number(stats.get("getTransferredTps")),
            "pullQueue": stats.get("pullThreadPoolQueueSize", missing),
            "pullWait": stats.get("pullThreadPoolQueueHeadWaitTimeMills", missing),
            "ackQueue": stats.get("ackThreadPoolQueueSize", newer),
            "ackWait": stats.get("ackThreadPoolQueueHeadWaitTimeMills", newer),
        },
        {
            "readBehind": whole_number(stats.get("timerReadBehind")),
            "offsetBehind": whole_number(stats.get("timerOffsetBehind")),
            "congestNum": whole_number(stats.get("timerCongestNum")),
            "enqueueTps": first_number(stats.get("timerEnqueueTps")),
            "dequeueTps": first_number(stats.get("timerDequeueTps")),
        },
        stats.get("pageCacheLockTimeMills", missing),
        (call.admin.now() - whole_number(earliest)) / _MILLIS_OF_HOUR if earliest else 0.0,
        first_number(stats.get("commitLogDiskRatio")),
        stats.get("brokerActive", "").lower() == "true",
    )


def _totals(replica: Replica, stats: dict[str, str]) -> tuple[object, ...]:
    def since(kind: str, end: str, begin: str) -> int:
        return whole_number(stats.get(f"msg{kind}Total{end}")) - whole_number(stats.get(f"msg{kind}Total{begin}"))

    yesterday, today = ("TodayMorning", "YesterdayMorning"), ("TodayNow", "TodayMorning")
    spans = (since(kind, *span) for span in (yesterday, today) for kind in ("Put", "Get"))
    return (replica.cluster, replica.broker_name, *spans)
