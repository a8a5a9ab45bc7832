"""Topics.

Source: org.apache.rocketmq.tools.command.topic.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING

from rmq.admin.declare import Call, command
from rmq.admin.options import broker_or_cluster, cluster, flag, topic, value
from rmq.admin.output import Column, Member, Report, Table, cut, millis, same
from rmq.client.admin.clusters import cluster_info
from rmq.client.admin.topics import topic_names, topic_route
from rmq.wire.bodies.printed import java_text
from rmq.wire.errors import RemotingError
from rmq.wire.names import DLQ_PREFIX, RETRY_PREFIX

if TYPE_CHECKING:
    from rmq.wire.bodies.route import ClusterInfo, TopicRouteData
    from rmq.wire.bodies.topic import TopicConfig

_TopicGroup = tuple[str | None, str, str | None]
"""A cluster, a topic in it, and a group that consumes it."""

_UNIT_BIT = 1
_UNIT_SUBSCRIPTION_BIT = 2


# --- topicList -----------------------------------------------------------------------------------------------------

_TOPIC_GROUPS = Table(
    "topicGroups",
    "With -c: a topic and a group that consumes it; one row, with a null, for a topic without groups. Retry and"
    " dead-letter topics are left out.",
    "%-20s  %-48s  %-48s",
    "%-20s  %-64s  %-64s",
    (
        Column("cluster", "#Cluster Name", lambda cluster: (cluster or "")[:20]),
        Column("topic", "#Topic", cut(64)),
        Column("group", "#Consumer Group", lambda group: (group or "")[:64]),
    ),
)
_TOPICS = Table("topics", "Without -c: a topic.", "", "%s", (Column("topic"),))


@command(
    "topicList",
    "List the topics that the name server knows.",
    flag("c", "clusterModel", "Also show each topic's cluster and consumer groups."),
    data=(_TOPICS, _TOPIC_GROUPS),
    examples=(("topicList -c", "Show who consumes what."),),
)
async def topic_list(call: Call) -> Report:
    """`topicList`."""
    report = Report()
    if call.given("c"):
        report.table(_TOPIC_GROUPS, await _topics_with_groups(call, report))
    else:
        report.table(_TOPICS, ((name,) for name in await topic_names(call.admin)))
    return report


async def _topics_with_groups(call: Call, report: Report) -> list[_TopicGroup]:
    from rmq.client.admin.groups import groups_on
    from rmq.client.admin.topics import addresses_of

    info = await cluster_info(call.admin)
    names = [name for name in await topic_names(call.admin) if not name.startswith((RETRY_PREFIX, DLQ_PREFIX))]

    async def describe(name: str) -> list[_TopicGroup]:
        place: str | None = None
        groups: Sequence[str | None] = [None]
        try:
            route = await topic_route(call.admin, name)
            place, addresses = _cluster_of(route, info), addresses_of(route)
            groups = (await groups_on(call.admin, addresses[0], name) if addresses else []) or [None]
        except RemotingError as error:
            # A topic without a route is shown with what is known of it.
            report.fail_unless_answered(error)
        return [(place, name, group) for group in groups]

    return [row for rows in await call.admin.each(names, describe) for row in rows]


def _cluster_of(route: TopicRouteData, info: ClusterInfo) -> str | None:
    broker_name = route.broker_datas[0].broker_name if route.broker_datas else None
    return next((name for name, brokers in info.cluster_addr_table.items() if broker_name in brokers), None)


# --- topicRoute ----------------------------------------------------------------------------------------------------

_ROUTE = Table(
    "brokers",
    "With -l: a broker that holds queues of the topic.",
    "%-45s %-32s %-50s %-10s %-11s %-5s",
    "%-45s %-32s %-50s %-10s %-11s %-5s",
    (
        Column("cluster", "#ClusterName"),
        Column("brokerName", "#BrokerName"),
        Column("brokerAddrs", "#BrokerAddrs", java_text),
        Column("readQueueNums", "#ReadQueue"),
        Column("writeQueueNums", "#WriteQueue"),
        Column("perm", "#Perm"),
    ),
)
_RULE = "-" * 158


@command(
    "topicRoute",
    "Show which brokers hold a topic's queues.",
    topic(),
    flag("l", "list", "As a table instead of JSON."),
    data=(Member("route", "Without -l: the route as the name server sent it."), _ROUTE),
    examples=(("topicRoute -t Orders -l", "Show the brokers of Orders as a table."),),
)
async def show_topic_route(call: Call) -> Report:
    """`topicRoute`."""
    from rmq.wire import fastjson
    from rmq.wire.declare import to_plain

    report = Report()
    route = await topic_route(call.admin, call.required("t"))
    if not call.given("l"):
        plain = to_plain(route)
        report.put(route=_string_keys(plain))
        report.say(fastjson.dumps(plain, pretty=True))
        return report
    queues = {data.broker_name: data for data in route.queue_datas}
    rows = []
    for data in sorted(route.broker_datas, key=lambda data: data.broker_name):
        queue = queues.get(data.broker_name)
        if queue is None:
            continue
        addresses = {str(number): address for number, address in data.broker_addrs.items()}
        row = (data.cluster, data.broker_name, addresses, queue.read_queue_nums, queue.write_queue_nums, queue.perm)
        rows.append(row)
    report.table(_ROUTE, rows)
    report.say(_RULE)
    report.say(_ROUTE.row % ("Total:", len(queues), "", sum(row[3] for row in rows), sum(row[4] for row in rows), ""))
    return report


def _string_keys(plain: object) -> object:
    if isinstance(plain, dict):
        return {str(key): _string_keys(member) for key, member in plain.items()}
    return [_string_keys(item) for item in plain] if isinstance(plain, list) else plain


# --- topicStatus, topicClusterList ---------------------------------------------------------------------------------

_QUEUES = Table(
    "queues",
    "A queue and its bounds; `lastUpdateTimestamp` in ms, 0 when nothing was ever written.",
    "%-32s  %-4s  %-20s  %-20s    %s",
    "%-32s  %-4d  %-20d  %-20d    %s",
    (
        Column("brokerName", "#Broker Name", cut(32)),
        Column("queueId", "#QID", same),
        Column("minOffset", "#Min Offset", same),
        Column("maxOffset", "#Max Offset", same),
        Column("lastUpdateTimestamp", "#Last Updated", lambda time: millis(time) if time > 0 else ""),
    ),
)


@command(
    "topicStatus",
    "Show the bounds and the last write of each queue of a topic.",
    topic(),
    value("c", "cluster", "Topic whose route is taken, for an LMQ topic."),
    data=(_QUEUES, Member("topicPutTps", "Messages per second; brokers do not tell, so it is 0.")),
)
async def topic_status(call: Call) -> Report:
    """`topicStatus`."""
    from rmq.client.admin.topics import topic_stats

    stats = await topic_stats(call.admin, call.required("t"), route_of=call.text("c"))
    report = Report()
    report.table(
        _QUEUES,
        (
            (queue.broker_name, queue.queue_id, bounds.min_offset, bounds.max_offset, bounds.last_update_timestamp)
            for queue, bounds in sorted(stats.offset_table.items(), key=itemgetter(0))
        ),
    )
    report.say()
    report.say(f"Topic Put TPS: {stats.topic_put_tps}")
    report.put(topicPutTps=stats.topic_put_tps)
    return report


@command(
    "topicClusterList",
    "Name the clusters that hold a topic.",
    topic(),
    data=(Member("clusters", "Cluster names."),),
    differs=("A topic in several clusters has all of them shown; Apache's shows those of its first broker.",),
)
async def topic_cluster_list(call: Call) -> Report:
    """`topicClusterList`."""
    report = Report()
    info = await cluster_info(call.admin)
    route = await topic_route(call.admin, call.required("t"))
    holding = {data.broker_name for data in route.broker_datas}
    clusters = sorted(name for name, brokers in info.cluster_addr_table.items() if holding.intersection(brokers))
    for name in clusters:
        report.say(name)
    report.put(clusters=clusters)
    return report


# --- updateTopic, deleteTopic --------------------------------------------------------------------------------------


@command(
    "updateTopic",
    "Create a topic, or overwrite its configuration.",
    broker_or_cluster("Address of the one broker to create it on.", "Cluster to create it on, on every master."),
    topic(),
    value("r", "readQueueNums", "Number of queues to read.", default="8"),
    value("w", "writeQueueNums", "Number of queues to write.", default="8"),
    value("p", "perm", "Permission: 2 write, 4 read, 6 both.", default="6"),
    value("o", "order", "Whether messages are kept in order (true or false).", default="false"),
    value("u", "unit", "Whether it is a unit's topic (true or false).", default="false"),
    value("s", "hasUnitSub", "Whether units subscribe to it (true or false).", default="false"),
    value("a", "attributes", "Attributes to set and to drop: +key=value,-key."),
    changes=True,
    data=(
        Member("topic", "The topic."),
        Member("config", "The configuration that was sent."),
        Member("brokers", "Addresses of the brokers that took it."),
        Member("orderConf", "With -o true: what was stored in the name servers."),
    ),
    differs=(
        "With -c it goes on after a master that fails; the configuration and its order are left out then.",
        "Where the order cannot be stored it still says on which brokers the topic was created.",
    ),
    examples=(
        ("updateTopic -c DefaultCluster -t Orders", "Create Orders on every master, with eight queues each."),
        ("updateTopic -c DefaultCluster -t Audit -r 1 -w 1 -a +message.type=FIFO", "One queue, for messages in order."),
    ),
)
async def update_topic(call: Call) -> Report:
    """`updateTopic`."""
    from rmq.wire.declare import to_plain

    report = Report()
    config = _config(call)
    report.put(topic=config.topic_name, config=to_plain(config), brokers=[])
    address = call.text("b")
    if address is not None:
        await _create_on_broker(call, report, config, address)
    else:
        await _create_on_cluster(call, report, config, call.required("c"))
    return report


def _config(call: Call) -> TopicConfig:
    from rmq.admin.attributes import parse_attributes
    from rmq.wire.bodies.topic import TopicConfig

    return TopicConfig(
        call.required("t"),
        read_queue_nums=call.number("r", 8),
        write_queue_nums=call.number("w", 8),
        perm=call.number("p", 6),
        topic_sys_flag=_UNIT_BIT * call.truth("u") | _UNIT_SUBSCRIPTION_BIT * call.truth("s"),
        order=call.truth("o"),
        attributes=parse_attributes(call.text("a") or ""),
    )


async def _create_on_broker(call: Call, report: Report, config: TopicConfig, address: str) -> None:
    from rmq.client.admin.clusters import broker_name_at
    from rmq.client.admin.order import put_broker_order
    from rmq.client.admin.topics import create_topic

    await create_topic(call.admin, address, config)
    report.add("brokers", address)
    if config.order:
        try:
            name = await broker_name_at(call.admin, address)
            await put_broker_order(call.admin, config.topic_name, name, config.write_queue_nums)
        except RemotingError as error:
            report.say(f"create topic to {address} success.")
            report.fail(error)
            return
        conf = f"{name}:{config.write_queue_nums}"
        report.say(f"set broker orderConf. isOrder=true, orderConf=[{conf}]")
        report.put(orderConf=conf)
    report.say(f"create topic to {address} success.")
    report.say(str(config))


async def _create_on_cluster(call: Call, report: Report, config: TopicConfig, name: str) -> None:
    from rmq.admin.targets import done_on_each, replicas_in
    from rmq.client.admin.order import put_order_conf
    from rmq.client.admin.topics import create_topic

    replicas = await replicas_in(call, report, name)
    masters = [replica.address for replica in replicas if replica.is_master]
    done = await done_on_each(call, report, masters, lambda address: create_topic(call.admin, address, config))
    for address, _ in done:
        report.say(f"create topic to {address} success.")
        report.add("brokers", address)
    if masters and report.failures:
        return
    if config.order:
        if not replicas:
            return
        broker_names = dict.fromkeys(replica.broker_name for replica in replicas)
        conf = ";".join(f"{broker_name}:{config.write_queue_nums}" for broker_name in broker_names)
        try:
            await put_order_conf(call.admin, config.topic_name, conf)
        except RemotingError as error:
            report.fail(error)
            return
        report.say(f"set cluster orderConf. isOrder=true, orderConf=[{conf}]")
        report.put(orderConf=conf)
    report.say(str(config))


@command(
    "deleteTopic",
    "Delete a topic and its messages from a cluster, and its route from the name servers.",
    topic(),
    cluster(required=True),
    changes=True,
    data=(
        Member("topic", "The topic."),
        Member("brokers", "Addresses of the masters that deleted it."),
        Member("nameServers", "Addresses of the name servers that deleted its route."),
    ),
    differs=(
        "With an unknown cluster it reports no success: nothing is deleted.",
        "It goes on after a master that fails; the route stays then.",
    ),
    examples=(("deleteTopic -c DefaultCluster -t Orders --dry-run", "Show what would be done."),),
)
async def delete_topic(call: Call) -> Report:
    """`deleteTopic`."""
    from rmq.admin.targets import masters_in
    from rmq.client.admin.topics import delete_topic_on_broker, delete_topic_on_namesrv

    report = Report()
    name, place = call.required("t"), call.required("c")
    report.put(topic=name, brokers=[], nameServers=[])
    addresses = await masters_in(call, report, place)
    if report.failures:
        return report
    await _delete(call, report, "brokers", addresses, lambda each: delete_topic_on_broker(call.admin, each, name))
    if report.failures:
        return report
    report.say(f"delete topic [{name}] from cluster [{place}] success.")
    await _delete(
        call, report, "nameServers", call.admin.nameservers,
        lambda each: delete_topic_on_namesrv(call.admin, each, name, place),
    )  # fmt: skip
    if not report.failures:
        report.say(f"delete topic [{name}] from NameServer success.")
    return report


async def _delete(
    call: Call, report: Report, member: str, addresses: Sequence[str], job: Callable[[str], Awaitable[None]]
) -> None:
    from rmq.admin.targets import done_on_each

    for address, _ in await done_on_each(call, report, addresses, job):
        report.add(member, address)
