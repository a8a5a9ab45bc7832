"""What the running clients of a consumer group hold.

Source: org.apache.rocketmq.tools.command.consumer.ConsumerStatusSubCommand, ConsumerRunningInfo.formatString.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from typing import Any

from rmq.admin.declare import Call, command
from rmq.admin.options import broker, flag, value
from rmq.admin.output import Column, Member, Report, Table, fixed, same
from rmq.client.admin.running import members, queue_troubles, running_info, same_subscriptions
from rmq.wire.bodies.printed import java_text, printed
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.bodies.running import ConsumerRunningInfo, PopProcessQueueInfo, ProcessQueueInfo
from rmq.wire.codes import version_name
from rmq.wire.declare import to_plain, wire_name
from rmq.wire.errors import RemotingError

_CLIENTS = Table(
    "clients",
    "Without -i: a client that has answered, and the file that its state was written to.",
    "%-10s %-40s %-20s %s",
    "%-10d %-40s %-20s %s",
    (
        Column("index", "#Index", same),
        Column("clientId", "#ClientId"),
        Column("version", "#Version"),
        Column("file", "#ConsumerRunningInfoFile"),
    ),
)


@command(
    "consumerStatus",
    "Show what one client of a consumer group holds, or write down what each one holds and look for trouble.",
    value("g", "consumerGroup", "Name of the consumer group.", required=True),
    value("i", "clientId", "Only this client; its state is printed instead of written to a file."),
    broker("Address of the broker to ask; one that the group knows if not given."),
    flag("s", "jstack", "With a dump of the clients' threads."),
    data=(
        _CLIENTS,
        Member("sameSubscription", "Without -i: whether all clients subscribe to the same, as far as can be told."),
        Member("troubles", "Without -i: sentences about queues on which a client does not get on."),
        Member("clientId", "With -i: the client."),
        Member("properties", "With -i: its settings by name."),
        Member("subscriptions", "With -i: objects with topic, subString, expressionType and others."),
        Member("queues", "With -i: its queues: topic, brokerName, queueId and the members of ProcessQueueInfo."),
        Member("popQueues", "With -i: queues that it pops: topic, brokerName, queueId and PopProcessQueueInfo."),
        Member("rates", "With -i: by topic, the members of ConsumeStatus: rates a second and mean times in ms."),
        Member("userConsumerInfo", "With -i: what the application tells of itself."),
        Member("jstack", "With -i and -s: the thread dump."),
    ),
    differs=(
        "-b also asks the clients through this broker. Apache's command takes it for the list of clients only.",
        "Characters of a client's id that would lead to another directory become _ in its file's name.",
        "The settings of a client are in the order of their names.",
    ),
    changes=True,
)
async def consumer_status(call: Call) -> Report:
    """`consumerStatus`."""
    group, client_id = call.required("g"), call.text("i")
    if client_id is None:
        return await _all(call, group)
    info = await running_info(call.admin, group, client_id, address=call.text("b"), jstack=call.given("s"))
    report = Report()
    report.say(dump(info), end="")
    report.put(
        clientId=client_id,
        properties=info.properties,
        subscriptions=[_listed(to_plain(item)) for item in info.subscription_set],
        queues=[{**to_plain(queue), **to_plain(held)} for queue, held in sorted(info.mq_table.items())],
        popQueues=[{**to_plain(queue), **to_plain(held)} for queue, held in sorted(info.mq_pop_table.items())],
        rates={topic: to_plain(rates) for topic, rates in sorted(info.status_table.items())},
        userConsumerInfo=info.user_consumer_info,
    )
    if info.jstack is not None:
        report.put(jstack=info.jstack)
    return report


def _listed(plain: Mapping[str, Any]) -> dict[str, Any]:
    return {name: sorted(item) if isinstance(item, list | set) else item for name, item in plain.items()}


async def _all(call: Call, group: str) -> Report:
    now = call.admin.now()
    report = Report()
    rows: list[tuple[int, str, str, str]] = []
    infos: dict[str, ConsumerRunningInfo] = {}
    for client, info in await members(call.admin, group, address=call.text("b"), jstack=call.given("s")):
        if isinstance(info, RemotingError):
            report.fail(info)
            continue
        client_id = client.client_id or ""
        path = f"{now}/{_file_name(client_id)}"
        call.write_file(path, dump(info))
        infos[client_id] = info
        rows.append((len(rows) + 1, client_id, version_name(client.version), path))
    report.table(_CLIENTS, rows)
    if infos:
        _judge(report, infos, now)
    return report


def _file_name(client_id: str) -> str:
    name = client_id.replace("/", "_").replace("\\", "_").replace("\0", "_")
    return name if name.strip(".") else "_" * max(len(name), 1)


def _judge(report: Report, infos: Mapping[str, ConsumerRunningInfo], now: int) -> None:
    same_everywhere = same_subscriptions(infos, now)
    report.put(sameSubscription=same_everywhere, troubles=[])
    if not same_everywhere:
        report.say("\n\nWARN: Different subscription in the same group of consumer!!!", end="")
        return
    report.say("\n\nSame subscription in the same group of consumer", end="")
    report.say("\n\nRebalance OK")
    for client_id, info in sorted(infos.items()):
        for trouble in queue_troubles(client_id, info, now):
            report.say(trouble.text)
            report.add("troubles", trouble.text)


# --- the text of one client ----------------------------------------------------------------------------------------

_MOMENTS = frozenset({"last_lock_timestamp", "last_pull_timestamp", "last_consume_timestamp"})


def dump(info: ConsumerRunningInfo) -> str:
    """A client's state as Apache prints it, its settings in the order of their names."""
    sections = [
        ("Consumer Properties", [f"{name:<40}: {text}" for name, text in sorted(info.properties.items())]),
        ("Consumer Subscription", _subscriptions(info)),
        (
            "Consumer Offset",
            _queues(info.mq_table, 64, 32, "#Consumer Offset", lambda held: f"{held.commit_offset:<20}"),
        ),
        ("Consumer MQ Detail", _queues(info.mq_table, 64, 64, "#ProcessQueueInfo", _held)),
        ("Consumer Pop Detail", _queues(info.mq_pop_table, 32, 32, "#ProcessQueueInfo", _popped)),
        ("Consumer RT&TPS", _rates(info)),
        ("User Consume Info", [f"{name:<40}: {text}" for name, text in sorted(info.user_consumer_info.items())]),
    ]
    text = "\n\n".join("\n".join([f"#{title}#", *lines]) + "\n" for title, lines in sections)
    return text if info.jstack is None else f"{text}\n\n#Consumer jstack#\n{info.jstack}"


def _subscriptions(info: ConsumerRunningInfo) -> list[str]:
    wanted = sorted(info.subscription_set, key=lambda item: (item.topic, item.sub_string or ""))
    return [
        f"{number:03d} Topic: {item.topic:<40} ClassFilter: {java_text(item.class_filter_mode):<8} "
        f"SubExpression: {java_text(item.sub_string)}"
        for number, item in enumerate(wanted, 1)
    ]


def _queues(
    table: Mapping[MessageQueue, Any], head_width: int, width: int, head: str, text: Callable[[Any], str]
) -> Iterable[str]:
    yield f"{'#Topic':<{head_width}}  {'#Broker Name':<32}  {'#QID':<4}  {head:<20}"
    for queue, held in sorted(table.items(), key=lambda entry: entry[0]):
        yield f"{queue.topic:<{width}}  {queue.broker_name:<32}  {queue.queue_id:<4}  {text(held)}"


def _rates(info: ConsumerRunningInfo) -> Iterable[str]:
    yield (
        f"{'#Topic':<64}  {'#Pull RT':>14} {'#Pull TPS':>14} {'#Consume RT':>14} {'#ConsumeOK TPS':>14} "
        f"{'#ConsumeFailed TPS':>18} {'#ConsumeFailedMsgsInHour':>25}"
    )
    for topic, at in sorted(info.status_table.items()):
        numbers = (at.pull_rt, at.pull_tps, at.consume_rt, at.consume_ok_tps)
        shown = " ".join(f"{fixed(number, 2):>14}" for number in numbers)
        yield f"{topic:<32}  {shown} {fixed(at.consume_failed_tps, 2):>18} {at.consume_failed_msgs:>25}"


def _held(held: ProcessQueueInfo) -> str:
    texts = (
        (
            wire_name(field),
            _moment(held, field.name) if field.name in _MOMENTS else java_text(getattr(held, field.name)),
        )
        for field in fields(held)
    )
    return f"ProcessQueueInfo [{', '.join(f'{name}={text}' for name, text in texts)}]"


def _moment(held: ProcessQueueInfo, name: str) -> str:
    at: int = getattr(held, name)
    return f"{time.strftime('%Y%m%d%H%M%S', time.localtime(at // 1000))}{at % 1000:03d}"


def _popped(held: PopProcessQueueInfo) -> str:
    return printed(held, " [", "]").replace("=", ":")
