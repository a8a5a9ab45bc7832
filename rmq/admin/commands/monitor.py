"""Watching consumer groups.

Source: StartMonitoringSubCommand, MonitorService, DefaultMonitorListener.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from rmq.admin.declare import Call, command
from rmq.admin.errors import CommandLineError
from rmq.admin.options import value
from rmq.admin.output import Column, Member, Report, Table, millis
from rmq.client.admin.monitoring import Monitor, Round
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.declare import to_plain
from rmq.wire.errors import RemotingError

_MINUTE = 60
_RULE = "=" * 41
_TIME = Column("time", text=millis)

_UNDONE = Table(
    "undone",
    "What a group that is online has not consumed of a topic: messages in all, those of the queue with most, and the"
    " ms between the last message consumed and the last one stored.",
    "",
    "%s [MONITOR] reportUndoneMsgs: UndoneMsgs [consumerGroup=%s, topic=%s, undoneMsgsTotal=%s, undoneMsgsSingleMQ=%s,"
    " undoneMsgsDelayTimeMills=%s]",
    (_TIME, Column("group"), Column("topic"), Column("total"), Column("singleQueue"), Column("delayMillis")),
)
_NOTICES = Table(
    "notices",
    "Something wrong with a group, or with one client of it (else null): different subscriptions, or a queue that the"
    " client cannot lock or has not consumed for a minute.",
    "",
    "%s [MONITOR]  [NOTIFY] reportConsumerRunningInfo: ConsumerGroup: %s%s, %s",
    (
        _TIME,
        Column("group"),
        Column("clientId", text=lambda client: "" if client is None else f", ClientId: {client}"),
        Column("text"),
    ),
)


def _queue(queue: dict[str, Any] | None) -> str:
    return "null" if queue is None else str(MessageQueue(queue["topic"], queue["brokerName"], queue["queueId"]))


_DELETED = Table(
    "deleted",
    "A consumer asked for messages that were deleted, at an offset, and was sent on to another one; `queue` has topic,"
    " brokerName and queueId.",
    "",
    "%s [MONITOR] reportDeleteMsgsEvent: DeleteMsgsEvent [offsetMovedEvent=OffsetMovedEvent [consumerGroup=%s, "
    "messageQueue=%s, offsetRequest=%s, offsetNew=%s], eventTimestamp=%s]",
    (
        _TIME,
        Column("group"),
        Column("queue", text=_queue),
        Column("offsetRequest"),
        Column("offsetNew"),
        Column("eventTimestamp"),
    ),
)


@command(
    "startMonitoring",
    "Look at all consumer groups again and again, and tell who is behind and what is wrong, until Ctrl-C.",
    value("", "interval", "Not in Apache's: seconds from round to round.", default="60"),
    value("", "rounds", "Not in Apache's: end after so many rounds.", default="never"),
    value("", "undone", "Not in Apache's: tell of unconsumed messages only from so many on.", default="0"),
    data=(_UNDONE, _NOTICES, _DELETED, Member("time", "When the round began, ms since the epoch.")),
    differs=(
        "It writes to standard output what Apache's command writes to its log file, and begins at once.",
        "The delay of a group is taken from the queues' bounds; nothing is pulled. Events of deleted messages are read"
        " without a consumer group.",
    ),
    endless=True,
    examples=(
        ("startMonitoring --undone 1000", "Tell every minute which groups are 1000 messages behind or more."),
        ("startMonitoring --rounds 1 -f json", "Look once, for a script."),
    ),
)
async def start_monitoring(call: Call) -> AsyncIterator[Report]:
    """`startMonitoring`."""
    interval, rounds = _positive(call, "interval", _MINUTE), _positive(call, "rounds", 0)
    least = call.number("undone", 0, bits=64)
    monitor = Monitor(call.admin)
    done = 0
    while True:
        began = call.admin.now()
        try:
            found = await monitor.look()
        except RemotingError as error:
            if not done:
                raise
            found = Round(failures=[error])
        yield _report(found, began, call.admin.now(), least)
        done += 1
        if done == rounds:
            return
        await call.admin.sleep(max(0.0, interval - (call.admin.now() - began) / 1000))


def _positive(call: Call, key: str, default: int) -> int:
    number = call.number(key, default)
    if call.given(key) and number < 1:
        raise CommandLineError(f"{key} {number}: 1 or more is expected")
    return number


def _report(found: Round, began: int, now: int, least: int) -> Report:
    report = Report()
    report.put(time=began)
    report.say(f"{millis(began)} [MONITOR] {_RULE}beginRound")
    report.table(_UNDONE, ((now, *undone) for undone in found.undone if undone.total >= least))
    report.table(_NOTICES, ((now, *notice) for notice in found.notices))
    report.table(
        _DELETED,
        (
            (now, event.consumer_group, queue and to_plain(queue), event.offset_request, event.offset_new, timestamp)
            for event, timestamp in found.deleted
            for queue in (event.message_queue,)
        ),
    )
    report.say(f"{millis(now)} [MONITOR] {_RULE}endRound")
    for failure in found.failures:
        report.fail(failure)
    return report
