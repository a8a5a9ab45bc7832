"""What is told of a message by those who sent and consumed it.

Source: QueryMsgTraceByIdSubCommand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rmq.admin.declare import Call, command
from rmq.admin.options import value
from rmq.admin.output import Column, Member, Report, Table, seconds
from rmq.client.admin.messages import FOREVER
from rmq.wire.bodies.printed import java_text
from rmq.wire.javahash import hash_order, java_hash
from rmq.wire.names import TRACE_TOPIC

if TYPE_CHECKING:
    from rmq.client.admin.traces import TraceEvent

_ROW: Final = "%-10s %-20s %-20s %-20s %-10s %-10s"


def _table(name: str, help: str, group: str, time: str) -> Table:
    columns = (
        Column("type", "#Type"),
        Column("group", group, java_text),
        Column("clientHost", "#ClientHost"),
        Column("time", time, seconds),
        Column("costTime", "#CostTimes", lambda cost: f"{cost}ms"),
        Column("success", "#Status", lambda success: "success" if success else "failed"),
    )
    return Table(name, help, _ROW, _ROW, columns)


_PUBLISHED: Final = _table(
    "published", "A send by a producer; `time` and `costTime` in ms.", "#ProducerGroup", "#SendTime"
)
_CONSUMED: Final = _table(
    "consumed", "A consumption by a consumer; `time` and `costTime` in ms.", "#ConsumerGroup", "#ConsumerTime"
)


@command(
    "queryMsgTraceById",
    "Show who sent and who consumed a message, by the traces that clients have stored.",
    value("i", "msgId", "The id that the sender gave the message.", required=True),
    value("t", "traceTopic", "Topic that traces are stored in.", default=TRACE_TOPIC),
    value("b", "beginTimestamp", "Traces stored at this time (ms) or later.", default="0"),
    value("e", "endTimestamp", "Traces stored at this time (ms) or earlier.", default="no limit"),
    value("c", "maxNum", "How many trace messages at most from each broker.", default="64"),
    data=(
        _PUBLISHED,
        _CONSUMED,
        Member(
            "events",
            "All that is told, in the order of the traces: type (Pub, SubBefore, SubAfter, EndTransaction, Recall),"
            " group, clientHost, time, costTime, success, and what else a trace of that type holds.",
        ),
    ),
    examples=(("queryMsgTraceById -i 7F0000010ED8251A69D72E2F5B4C0000", "Show the way of a message."),),
)
async def query_message_trace(call: Call) -> Report:
    """`queryMsgTraceById`."""
    from rmq.client.admin.traces import CONSUMED, PUBLISHED, message_trace

    report = Report()
    events = await message_trace(
        call.admin,
        call.required("i"),
        topic=call.text("t") or TRACE_TOPIC,
        most=call.number("c", 64),
        begin=call.number("b", 0, bits=64),
        end=call.number("e", FOREVER, bits=64),
        failed=report.fail,
    )
    report.put(published=[], consumed=[], events=[])
    consumed: dict[str | None, list[TraceEvent]] = {}
    for event in events:
        report.add("events", _members(event))
        if event.kind == PUBLISHED:
            report.table(_PUBLISHED, [_row("Pub", event)])
            report.say()
        elif event.kind == CONSUMED:
            consumed.setdefault(event.group, []).append(event)
    for group in hash_order(consumed, lambda name: 0 if name is None else java_hash(name)):
        report.table(_CONSUMED, (_row("Sub", event) for event in consumed[group]))
        report.say()
    return report


def _row(kind: str, event: TraceEvent) -> tuple[object, ...]:
    return kind, event.group, event.client_host, event.time, event.cost, event.success


def _members(event: TraceEvent) -> dict[str, object]:
    return {
        "type": event.kind,
        "group": event.group,
        "clientHost": event.client_host,
        "time": event.time,
        "costTime": event.cost,
        "success": event.success,
        **event.facts,
    }
