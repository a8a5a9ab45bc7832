"""Sending messages to see whether it works, and how long it takes.

Source: CheckMsgSendRTCommand, SendMsgStatusCommand, CLusterSendMsgRTCommand.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import chain, repeat
from typing import TYPE_CHECKING, Final

from rmq.admin.declare import Call, command
from rmq.admin.errors import CommandLineError
from rmq.admin.options import Option, topic, value
from rmq.admin.output import Column, Member, Report, Table, fixed
from rmq.client.admin.errors import UnknownClusterError
from rmq.wire.bodies.printed import java_text
from rmq.wire.errors import RemotingError

if TYPE_CHECKING:
    from rmq.client.admin.probing import Probe

_FIRST_LEFT_OUT: Final = "The first send, which opens the connection, does not count unless it is the only one"
_ONLY_ONE: Final = "With -a 1 the time is that of the one message; Apache shows NaN."
_SENSIBLE: Final = "Numbers below 1, and sizes above 4 MiB, are refused."
_LOG_ZONE_SECONDS: Final = 8 * 3600
_STATUS_WORD: Final = b"hello jodie"
_STATUS_GROUP: Final = "PID_SMSC"


def _size_option(short: str, long: str) -> Option:
    return value(short, long, "Bytes of a message.", default="128")


def _amount_option() -> Option:
    return value("a", "amount", "How many messages.", default="100")


def _whole(call: Call, key: str, what: str, default: int, most: int | None = None) -> int:
    """The value of an option that must be at least 1."""
    number = call.number(key, default, bits=64)
    if number < 1 or (most is not None and number > most):
        upper = "" if most is None else f" and at most {most}"
        raise CommandLineError(f"{what} {number}: at least 1{upper} is expected")
    return number


def _size(call: Call) -> int:
    from rmq.client.config import ProducerConfig

    return _whole(call, "s", "size", 128, ProducerConfig().max_message_size)


# --- checkMsgSendRT ------------------------------------------------------------------------------------------------

_SENDS = Table(
    "sends",
    "A send: where to, whether the message was stored, and the time in ms.",
    "%-32s  %-4s  %-20s    %s",
    "%-32s  %-4s  %-20s    %s",
    (
        Column("brokerName", "#Broker Name"),
        Column("queueId", "#QID"),
        Column("success", "#Send Result", java_text),
        Column("rt", "#RT"),
    ),
)


@command(
    "checkMsgSendRT",
    "Send messages to the queues of a topic in turn and show how long each took.",
    topic(),
    _amount_option(),
    _size_option("s", "size"),
    data=(_SENDS, Member("avgRt", f"Average time in ms. {_FIRST_LEFT_OUT}.")),
    differs=(
        "A topic without a route, and without a default one, is a failure; Apache counts sends to a broker `null`.",
        _ONLY_ONE,
        _SENSIBLE,
    ),
    changes=True,
    examples=(("checkMsgSendRT -t T -a 20 -s 1024", "Time twenty messages of a kibibyte."),),
)
async def check_message_send_rt(call: Call) -> Report:
    """`checkMsgSendRT`."""
    from rmq.client.admin.probing import average, probe

    report = Report()
    amount, size = _whole(call, "a", "amount", 100), _size(call)
    group = str(call.admin.now())
    probes = [each async for each in probe(call.admin, group, call.required("t"), repeat(b"a" * size, amount))]
    rows = []
    for each in probes:
        failed = isinstance(each.outcome, RemotingError)
        rows.append((each.queue.broker_name, each.queue.queue_id, not failed, each.millis))
        if isinstance(each.outcome, RemotingError):
            report.fail(each.outcome)
    report.table(_SENDS, rows)
    mean = average(probes)
    report.say(f"Avg RT: {fixed(mean, 2)}")
    report.put(avgRt=mean)
    return report


# --- sendMsgStatus -------------------------------------------------------------------------------------------------


@command(
    "sendMsgStatus",
    "Send messages to a broker, to the topic that has its name, and show what comes of each.",
    value("b", "brokerName", "Name of the broker.", required=True),
    _size_option("s", "messageSize"),
    value("c", "count", "How many messages; one of 16 bytes goes before them and is not shown.", default="50"),
    data=(
        Member(
            "sends",
            "The sends: rt, the time in ms; sendStatus, msgId, offsetMsgId, brokerName, queueId and queueOffset.",
        ),
    ),
    differs=(_SENSIBLE,),
    changes=True,
    examples=(("sendMsgStatus -b broker-a -c 5", "Send five messages to a broker."),),
)
async def send_message_status(call: Call) -> Report:
    """`sendMsgStatus`."""
    from rmq.client.admin.probing import probe

    report = Report()
    count, size = _whole(call, "c", "count", 50), _size(call)
    report.put(sends=[])
    bodies = chain([_status_body(16)], repeat(_status_body(size), count))
    number = 0
    async for each in probe(call.admin, _STATUS_GROUP, call.required("b"), bodies):
        if isinstance(each.outcome, RemotingError):
            return report.fail(each.outcome)
        if number:
            report.say(f"rt={each.millis}ms, SendResult={each.outcome}")
            report.add(
                "sends",
                {
                    "rt": each.millis,
                    "sendStatus": each.outcome.send_status,
                    "msgId": each.outcome.msg_id,
                    "offsetMsgId": each.outcome.offset_msg_id,
                    "brokerName": each.outcome.message_queue.broker_name,
                    "queueId": each.outcome.message_queue.queue_id,
                    "queueOffset": each.outcome.queue_offset,
                },
            )
        number += 1
    return report


def _status_body(size: int) -> bytes:
    return _STATUS_WORD * -(-size // len(_STATUS_WORD))


# --- clusterRT -----------------------------------------------------------------------------------------------------

_BROKERS = Table(
    "brokers",
    f"Without -p: a broker, the average time of a send in ms, and how many were stored and failed. {_FIRST_LEFT_OUT}.",
    "%-24s  %-24s  %-4s  %-8s  %-8s",
    "%-24s  %-24s  %-8s  %-16s  %-16s",
    (
        Column("cluster", "#Cluster Name"),
        Column("brokerName", "#Broker Name"),
        Column("rt", "#RT", lambda mean: fixed(mean, 2)),
        Column("successCount", "#successCount"),
        Column("failCount", "#failCount"),
    ),
)
_LOG = Table(
    "brokers",
    "With -p true: a broker and the average time of a send in ms; `time` is that of UTC+8.",
    "",
    "%s|%s|%s|%s|%s",
    (
        Column("time"),
        Column("machineRoom"),
        Column("cluster"),
        Column("brokerName"),
        Column("rt", text=lambda mean: fixed(mean, 0)),
    ),
)


@command(
    "clusterRT",
    "Send messages to every broker, to the topic that has its name, again and again, and show how long it takes.",
    _amount_option(),
    _size_option("s", "size"),
    value("c", "cluster", "Only this cluster."),
    value("p", "print log", "Whether lines are printed as for a log (true or false).", default="false"),
    value("m", "machine room", "Name of the machine room, in those lines.", default="noname"),
    value("i", "interval", "Seconds between the rounds.", default="10"),
    data=(_BROKERS, _LOG),
    differs=("It ends when the cluster is unknown; Apache's says so again and again.", _ONLY_ONE, _SENSIBLE),
    changes=True,
    examples=(
        ("clusterRT -a 10 -i 60", "Probe every broker once a minute."),
        ("clusterRT -c DefaultCluster -p true -m room1", "Probe one cluster and print lines for a log."),
    ),
)
async def cluster_rt(call: Call) -> AsyncIterator[Report]:
    """`clusterRT`."""
    amount, size = _whole(call, "a", "amount", 100), _size(call)
    interval = call.number("i", 10, bits=64)
    if interval < 0:
        raise CommandLineError(f"interval {interval}: seconds are expected")
    as_log = call.truth("p")
    table = _LOG if as_log else _BROKERS
    while True:
        report = Report()
        try:
            rows = [await _look(call, report, *place, amount, size) for place in await _brokers(call)]
        except UnknownClusterError as error:
            report.table(table, [])
            report.say(f"cluster [{error.cluster}] not exist", end="")
            report.fail(error)
            yield report
            return
        if as_log:
            moment = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(call.admin.now() / 1000 + _LOG_ZONE_SECONDS))
            room = call.text("m") or "noname"
            rows = [(moment, room, *row[:3]) for row in rows]
        report.table(table, rows)
        yield report
        if call.given("dry-run"):
            return
        table = replace(table, head="")
        await call.admin.sleep(interval)


async def _brokers(call: Call) -> list[tuple[str, str]]:
    """The brokers that are wanted, by cluster and name."""
    from rmq.client.admin.clusters import cluster_info

    clusters = (await cluster_info(call.admin)).cluster_addr_table
    wanted = call.text("c")
    if wanted is not None and wanted not in clusters:
        raise UnknownClusterError(wanted, clusters)
    names = sorted(clusters) if wanted is None else [wanted]
    return [(cluster, broker) for cluster in names for broker in sorted(clusters[cluster])]


async def _look(call: Call, report: Report, cluster: str, broker: str, amount: int, size: int) -> tuple[object, ...]:
    from rmq.client.admin.probing import average, probe

    sends = probe(call.admin, str(call.admin.now()), broker, repeat(b"a" * size, amount))
    probes: list[Probe] = []
    try:
        probes = [each async for each in sends]
    except RemotingError as error:
        report.fail(error)
    failures = [each.outcome for each in probes if isinstance(each.outcome, RemotingError)]
    for failure in failures:
        report.fail(failure)
    stored = len(probes) - len(failures)
    return cluster, broker, average(probes), stored, amount - stored
