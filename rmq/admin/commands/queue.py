"""Entries of queues.

Source: org.apache.rocketmq.tools.command.queue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rmq.admin.declare import Call, command, integer
from rmq.admin.options import topic, value
from rmq.admin.output import Member, Report
from rmq.wire.errors import RemotingError

if TYPE_CHECKING:
    from rmq.wire.bodies.consume import ConsumeQueueContent

_BAR: Final = "=" * 38
_USUAL_COUNT: Final = 10
_MILLIS_OF_30_DAYS: Final = 30 * 86_400_000


@command(
    "queryCq",
    "Show the entries of a consume queue.",
    topic(),
    value("q", "queue", "Id of the queue.", required=True),
    value("i", "index", "Offset in the queue of the first entry.", required=True),
    value("c", "count", "Most entries to show.", default=str(_USUAL_COUNT)),
    value("b", "broker", "Address of the broker; the master of the first broker of the topic's route if not given."),
    value("g", "consumer", "Consumer group whose subscription and filter are shown too."),
    data=(
        Member("minOffset", "Offset of the queue's first entry."),
        Member("maxOffset", "Offset behind its last entry."),
        Member("subscription", "With -g: the group's subscription, null when it is not online."),
        Member("filter", "With -g: its filter as JSON text, or why there is none."),
        Member(
            "entries",
            "Entries: offset, physicOffset and physicSize (place of the message in the commit log, bytes), tagsCode,"
            " and eval, whether the filter lets it through.",
        ),
    ),
    examples=(
        ("queryCq -t Orders -q 0 -i 1000 -c 5", "Show five entries of queue 0 from offset 1000 on."),
        ("queryCq -t Orders -q 0 -i 0 -g GID_orders", "Also show what the group subscribes."),
    ),
)
async def query_cq(call: Call) -> Report:
    """`queryCq`."""
    from rmq.client.admin.storage import queue_entries

    name, queue_id = call.required("t"), integer(call.required("q").strip())
    index, count = integer(call.required("i").strip(), bits=64), call.number("c", _USUAL_COUNT)
    address = call.text("b") or await _first_master(call, name)
    content = await queue_entries(call.admin, address, name, queue_id, index, count=count, group=call.text("g"))
    report = Report()
    if call.given("g"):
        _show_filter(report, content)
    report.say("Queue data: ")
    report.say(f"max: {content.max_queue_index}, min: {content.min_queue_index}")
    report.say(_BAR)
    entries = []
    for offset, entry in enumerate(content.queue_data, index):
        report.say(f"idx: {offset}")
        report.say(str(entry))
        report.say(_BAR)
        entries.append(
            {
                "offset": offset,
                "physicOffset": entry.physic_offset,
                "physicSize": entry.physic_size,
                "tagsCode": entry.tags_code,
                "eval": entry.eval,
            }
        )
    report.put(minOffset=content.min_queue_index, maxOffset=content.max_queue_index, entries=entries)
    return report


async def _first_master(call: Call, name: str) -> str:
    from rmq.client.admin.clusters import MASTER
    from rmq.client.admin.errors import NoTopicRouteError
    from rmq.client.admin.topics import topic_route

    for data in (await topic_route(call.admin, name)).broker_datas:
        if MASTER in data.broker_addrs:
            return data.broker_addrs[MASTER]
    raise NoTopicRouteError(name)


def _show_filter(report: Report, content: ConsumeQueueContent) -> None:
    from rmq.wire import fastjson
    from rmq.wire.declare import to_plain

    subscription = None if content.subscription_data is None else to_plain(content.subscription_data)
    if subscription is not None:
        report.say("Subscription data: ")
        report.say(fastjson.dumps(subscription, pretty=True))
        report.say(_BAR)
    if content.filter_data is not None:
        report.say("Filter data: ")
        report.say(content.filter_data)
        report.say(_BAR)
    report.put(subscription=subscription, filter=content.filter_data)


@command(
    "checkRocksdbCqWriteProgress",
    "Let brokers compare their RocksDB queues with their queue files; their logs tell the outcome.",
    value("c", "cluster", "Name of the cluster.", required=True),
    value("n", "nameserverAddr", "Name servers, host:port joined by ';'.", required=True),
    topic(required=False, help="Only this topic."),
    value("cf", "checkFrom", "Store time in ms of the first message to compare.", default="30 days ago"),
    data=(Member("brokers", "By broker name: doing, or why it cannot."),),
    differs=("Only the brokers of the cluster are asked; Apache's asks those of all clusters.",),
    examples=(
        (
            "checkRocksdbCqWriteProgress -n 10.0.0.9:9876 -c DefaultCluster -t Orders",
            "Compare the queues of one topic.",
        ),
    ),
)
async def check_rocksdb_cq_write_progress(call: Call) -> Report:
    """`checkRocksdbCqWriteProgress`."""
    from rmq.client.admin.clusters import Replica, replicas
    from rmq.client.admin.errors import UnknownClusterError
    from rmq.client.admin.storage import check_rocksdb_queues
    from rmq.client.errors import ClientError
    from rmq.wire.bodies.rocksdb import CheckRocksdbCqWriteResult, CheckStatus

    report = Report()
    since = call.number("cf", call.admin.now() - _MILLIS_OF_30_DAYS, bits=64)
    shown: dict[str, str] = {}
    report.put(brokers=shown)
    try:
        known = await replicas(call.admin, call.required("c"))
    except UnknownClusterError as error:
        report.say("clusterAddrTable is empty", end="")
        return report.fail(error)

    async def check(replica: Replica) -> CheckRocksdbCqWriteResult:
        return await check_rocksdb_queues(call.admin, replica.address, call.text("t") or "", since)

    masters = [replica for replica in known if replica.is_master]
    for replica, outcome in zip(masters, await call.admin.attempt_each(masters, check), strict=True):
        name = replica.broker_name
        if isinstance(outcome, RemotingError):
            report.fail(outcome)
        elif outcome.check_status == CheckStatus.ERROR:
            shown[name] = outcome.check_result or ""
            report.say(f"{name} check error, please check log... errInfo: {outcome.check_result}", end="")
            report.fail(ClientError(f"{name} cannot check: {outcome.check_result}"))
        else:
            shown[name] = "doing"
            report.say(f"{name} check doing, please wait and get the result from log... ")
    return report
