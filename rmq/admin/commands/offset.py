"""Moving consumer groups to other offsets.

Source: org.apache.rocketmq.tools.command.offset.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rmq.admin.declare import Call, command
from rmq.admin.errors import CommandLineError
from rmq.admin.options import Option, route_cluster, topic, value
from rmq.admin.output import Column, Member, Report, Table, cut, same
from rmq.client.admin.offsets import END, QueueReset, Reset, reset_group
from rmq.wire.errors import RemotingError

if TYPE_CHECKING:
    from rmq.client.admin.offsets import Move, ResetResult

_MOVED = Table(
    "queues",
    "A queue that the broker, or the group's connected clients, moved.",
    "%-40s  %-40s  %-40s",
    "%-40s  %-40d  %-40d",
    (
        Column("brokerName", "#brokerName", cut(32)),
        Column("queueId", "#queueId", same),
        Column("offset", "#offset", same),
    ),
)
_MOVED_BY_TIME = replace(
    _MOVED,
    help=f"{_MOVED.help} With -q it has the broker's `address` too, and `brokerName` is null where -b was an address.",
)


def _committed(head: str) -> Table:
    return Table(
        "committed",
        "A queue of a group that was offline on a broker which does not keep offsets: the offset was committed. "
        "`timestampOffset` is the one at the time asked for.",
        "%-20s  %-20s  %-20s  %-20s  %-20s  %-20s",
        "%-20s  %-20d  %-20d  %-20d  %-20d  %-20d",
        (
            Column("brokerName", "#brokerName", cut(32)),
            Column("queueId", "#queueId", same),
            Column("brokerOffset", "#brokerOffset", same),
            Column("consumerOffset", "#consumerOffset", same),
            Column("timestampOffset", "#timestampOffset", same),
            Column("offset", head, same),
        ),
    )


_RESET = _committed("#resetOffset")
_SKIPPED = _committed("#rollbackOffset")

_FORCE_HELP = "Also move queues forward (true or false). Brokers that keep offsets themselves always do."


def _group() -> Option:
    return value("g", "group", "Name of the consumer group.", required=True)


_CLUSTER_DIFFERS = "-c leaves out the brokers of other clusters. Apache's command looks at it for LMQ topics only."
_GOES_ON = "A broker that refuses does not keep the others from moving the group."


# --- resetOffsetByTime ---------------------------------------------------------------------------------------------


@command(
    "resetOffsetByTime",
    "Move a consumer group to a time, or to an offset of one queue.",
    _group(),
    topic(),
    value("s", "timestamp", "Time: now, ms since the epoch, yyyy-MM-dd#HH:mm:ss:SSS, or -1: the end.", required=True),
    value("f", "force", _FORCE_HELP, default="true"),
    value("b", "broker", "Only this broker, by name or address."),
    value("q", "queue", "Only this queue of the broker, with -b."),
    value("o", "offset", "The offset to move to instead of the time's, with -b and -q."),
    route_cluster(),
    data=(
        _MOVED_BY_TIME,
        _RESET,
        Member("group", "The group."),
        Member("topic", "The topic."),
        Member("timestamp", "The time in ms; -1 is the end."),
        Member("force", "Without -q: whether queues were to be moved forward too."),
    ),
    differs=(
        "-b takes a broker's name as well as its address. Apache's command fails with a name.",
        "-b without -q moves the group on this broker only, and -q without -b is refused."
        " Apache's command ignores either one and moves all queues.",
        "-q moves a queue to offset 0 too. Apache's command says so, and does nothing.",
        "The line of the new offset is printed when the broker has taken it.",
        "Where a broker would move all queues (useServerSideResetOffset=false), -q commits the one offset, and"
        " is refused while the group is online. Apache's command goes on to move all queues to time 0.",
        "-c does not make the request one for C++ clients. " + _CLUSTER_DIFFERS,
        _GOES_ON,
    ),
    changes=True,
    examples=(
        ("resetOffsetByTime -g GID_orders -t Orders -s 2026-01-31#08:00:00:000", "Consume again from 8 o'clock on."),
        ("resetOffsetByTime -g GID_orders -t Orders -s 0 -b broker-a -q 3 -o 1200", "Move one queue to offset 1200."),
    ),
)
async def reset_offset_by_time(call: Call) -> Report:
    """`resetOffsetByTime`."""
    timestamp = _time(call)
    if call.given("q"):
        return await _one_queue(call, timestamp)
    if call.given("o"):
        raise CommandLineError("-o needs -b and -q")
    force = call.truth("f", True)
    wanted = Reset(
        call.required("g"), call.required("t"), timestamp, force=force, cluster=call.text("c"), broker=call.text("b")
    )
    result = await reset_group(call.admin, wanted)
    report = Report()
    report.put(group=wanted.group, topic=wanted.topic, timestamp=timestamp, force=force, queues=[], committed=[])
    told = (
        f"topic[{wanted.topic}], force[{str(force).lower()}], timestamp(string)[{call.required('s')}],"
        f" timestamp(long)[{timestamp}]"
    )
    if _by_brokers(result):
        report.say(f"start reset consumer offset by specified, group[{wanted.group}], {told}")
        report.table(_MOVED_BY_TIME, _moved(result))
    if result.committed:
        report.say(f"reset consumer offset by specified consumerGroup[{wanted.group}], {told}")
        report.table(_RESET, map(_move, result.committed))
    return _with_failures(report, result)


async def _one_queue(call: Call, timestamp: int) -> Report:
    from rmq.client.admin.offsets import broker_address, reset_queue, target_offset

    broker = call.text("b")
    queue_id = call.number("q", 0)
    if broker is None:
        raise CommandLineError("-q needs -b")
    if queue_id < 0:
        raise CommandLineError(f"queue {queue_id}: 0 or more is expected")
    wanted = QueueReset(
        call.required("g"),
        call.required("t"),
        queue_id,
        await broker_address(call.admin, broker),
        call.number("o", 0, bits=64) if call.given("o") else None,
        timestamp,
    )
    report = Report()
    report.say(
        f"start reset consumer offset by specified, group[{wanted.group}], topic[{wanted.topic}], "
        f"queueId[{queue_id}], broker[{broker}], timestamp(string)[{call.required('s')}], timestamp(long)[{timestamp}]"
    )
    report.put(group=wanted.group, topic=wanted.topic, timestamp=timestamp, queues=[])
    try:
        offset = await target_offset(call.admin, wanted)
        await reset_queue(call.admin, wanted, offset)
    except RemotingError as error:
        return report.fail(error)
    report.say(f"reset consumer offset to {offset}")
    name = None if broker == wanted.address else broker
    report.add("queues", {"brokerName": name, "queueId": queue_id, "offset": offset, "address": wanted.address})
    return report


# --- skipAccumulatedMessage ----------------------------------------------------------------------------------------


@command(
    "skipAccumulatedMessage",
    "Move a consumer group behind the newest messages of a topic; it never consumes what is waiting now.",
    _group(),
    topic(),
    value("f", "force", _FORCE_HELP, default="true"),
    route_cluster(),
    data=(_MOVED, _SKIPPED, Member("group", "The group."), Member("topic", "The topic.")),
    differs=(_CLUSTER_DIFFERS, _GOES_ON),
    changes=True,
    examples=(("skipAccumulatedMessage -g GID_orders -t Orders", "Forget what waits, on all brokers."),),
)
async def skip_accumulated_message(call: Call) -> Report:
    """`skipAccumulatedMessage`."""
    wanted = Reset(call.required("g"), call.required("t"), END, force=call.truth("f", True), cluster=call.text("c"))
    result = await reset_group(call.admin, wanted)
    report = Report()
    report.put(group=wanted.group, topic=wanted.topic, queues=[], committed=[])
    if _by_brokers(result):
        report.table(_MOVED, _moved(result))
    if result.committed:
        report.table(_SKIPPED, map(_move, result.committed))
    return _with_failures(report, result)


def _by_brokers(result: ResetResult) -> bool:
    """Whether brokers moved the group; they did also where the topic has no queue to move it on."""
    return bool(result.moved) or not (result.committed or result.failures)


def _moved(result: ResetResult) -> list[tuple[str, int, int]]:
    return [(queue.broker_name, queue.queue_id, offset) for queue, offset in result.moved.items()]


def _move(move: Move) -> tuple[str, int, int, int, int, int]:
    return move.queue.broker_name, move.queue.queue_id, *move[1:]


def _with_failures(report: Report, result: ResetResult) -> Report:
    for failure in result.failures:
        report.fail(failure)
    return report


# --- cloneGroupOffset ----------------------------------------------------------------------------------------------


@command(
    "cloneGroupOffset",
    "Give a consumer group the offsets that another one has in a topic.",
    value("s", "srcGroup", "Name of the group whose offsets are taken.", required=True),
    value("d", "destGroup", "Name of the group that gets them; nobody of it should be connected.", required=True),
    topic(),
    value("o", "offline", "Accepted, and not needed: the source group may be online or not.", default="false"),
    data=(
        Member("srcGroup", "The group whose offsets were taken."),
        Member("destGroup", "The group that got them."),
        Member("topic", "The topic."),
        Member("queues", "Queues with brokerName, queueId, offset, and before: the group's offset until now, or null."),
    ),
    differs=(
        "Only offsets in the topic of -t are copied. Apache's command copies those of all topics of the group, the"
        " retry topic's too.",
        "A queue on which the source group has no offset is left alone. Apache's command commits 0 there.",
        "A source group without offsets in the topic is a failure.",
    ),
    changes=True,
)
async def clone_group_offset(call: Call) -> Report:
    """`cloneGroupOffset`."""
    from rmq.client.admin.clone import clone_offsets

    source, target, name = call.required("s"), call.required("d"), call.required("t")
    result = await clone_offsets(call.admin, source, target, name)
    report = Report()
    report.put(srcGroup=source, destGroup=target, topic=name)
    report.put(
        queues=[
            {
                "brokerName": copy.queue.broker_name,
                "queueId": copy.queue.queue_id,
                "offset": copy.offset,
                "before": copy.before,
            }
            for copy in result.copied
        ]
    )
    for failure in result.failures:
        report.fail(failure)
    if not result.failures:
        report.say(f"clone group offset success. srcGroup[{source}], destGroup=[{target}], topic[{name}]", end="")
    return report


def _time(call: Call) -> int:
    from rmq.admin.times import parse_time

    text = call.required("s")
    if text == "now":
        return call.admin.now()
    try:
        return parse_time(text)
    except CommandLineError:
        reason = f"time {text}: now, milliseconds, -1 or yyyy-MM-dd#HH:mm:ss:SSS is expected"
        raise CommandLineError(reason) from None
