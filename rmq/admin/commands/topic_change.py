"""Topics: many at once, their permission, their order configuration, and how their queues would be divided.

Source: UpdateTopicListSubCommand, UpdateTopicPermSubCommand, UpdateOrderConfCommand, AllocateMQSubCommand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rmq.admin.declare import Call, command
from rmq.admin.errors import CommandLineError
from rmq.admin.options import broker, broker_or_cluster, cluster, topic, value
from rmq.admin.output import Member, Report
from rmq.admin.targets import OTHERS_GO_ON, done_on_each

if TYPE_CHECKING:
    from rmq.wire.bodies.route import MessageQueue, TopicRouteData


# --- updateTopicList -----------------------------------------------------------------------------------------------


@command(
    "updateTopicList",
    "Create the topics of a file, or overwrite their configurations.",
    broker_or_cluster("Address of the one broker to create them on.", "Cluster to create them on, on every master."),
    value(
        "f",
        "filename",
        'File with a JSON array of objects like {"topicName":"T","readQueueNums":8,"writeQueueNums":8,"perm":6}, also'
        " topicFilterType, topicSysFlag, order and attributes (names begin with + to set and - to drop).",
        required=True,
    ),
    data=(
        Member("topics", "Names of the topics in the file."),
        Member("brokers", "Addresses of the brokers that took all of them."),
    ),
    differs=(
        "With -c it does not print its page.",
        "Topics that are like that already do not keep Apache's brokers from taking the others.",
        OTHERS_GO_ON,
    ),
    changes=True,
    examples=(("updateTopicList -c DefaultCluster -f topics.json", "Create the topics of topics.json."),),
)
async def update_topic_list(call: Call) -> Report:
    """`updateTopicList`."""
    from rmq.admin.lists import submit_list
    from rmq.client.admin.topics import create_topics
    from rmq.wire.bodies.topic import TopicConfig

    report, configs = await submit_list(call, TopicConfig, "topic", create_topics, said="topic")
    if not report.refusal:
        report.put(topics=[config.topic_name for config in configs])
    return report


# --- updateTopicPerm -----------------------------------------------------------------------------------------------


@command(
    "updateTopicPerm",
    "Change only the permission of a topic.",
    topic(),
    value("p", "perm", "Permission: 2 write, 4 read, 6 both.", required=True),
    broker("Address of the one master to change it on."),
    cluster("Cluster to change it on, on every master that holds the topic."),
    data=(
        Member("topic", "The topic."),
        Member("perm", "The new permission, as a number."),
        Member("brokers", "By address of a broker that has the new permission now: the one before."),
    ),
    needs_one_of=("b", "c"),
    differs=(
        "Everything else stays as the broker has it: its numbers of queues, its order and its filter type. Apache's"
        " command sends the numbers of the route's first broker to all and resets the rest.",
        "The permission before is the broker's and not that of the route, which may be behind or wiped.",
        "With -c masters that do not hold the topic are left alone; Apache's command creates it there.",
        OTHERS_GO_ON,
    ),
    changes=True,
    examples=(("updateTopicPerm -c DefaultCluster -t Orders -p 4", "Let nobody write to Orders any more."),),
)
async def update_topic_perm(call: Call) -> Report:
    """`updateTopicPerm`."""
    from rmq.client.admin.topics import topic_route

    report = Report()
    name, perm = call.required("t"), call.number("p", 0)
    report.put(topic=name, perm=perm, brokers={})
    route = await topic_route(call.admin, name)
    if call.given("b"):
        await _permit_on_broker(call, report, route, perm)
    else:
        await _permit_on_cluster(call, report, route, perm)
    return report


async def _permit_on_broker(call: Call, report: Report, route: TopicRouteData, perm: int) -> None:
    from rmq.client.admin.clusters import MASTER
    from rmq.client.admin.errors import UnknownBrokerError
    from rmq.client.admin.topics import change_permission

    address = call.required("b")
    masters = [data.broker_addrs[MASTER] for data in route.broker_datas if MASTER in data.broker_addrs]
    if address not in masters:
        report.say("updateTopicPerm error broker not exit or broker is not master!.")
        report.fail(UnknownBrokerError(address, masters))
        return
    before, config = await change_permission(call.admin, address, call.required("t"), perm)
    report.put(brokers={address: before})
    if before == perm:
        report.say("new perm equals to the old one!")
    else:
        report.say(f"update topic perm from {before} to {perm} in {address} success.")
        report.say(f"{config}.")


async def _permit_on_cluster(call: Call, report: Report, route: TopicRouteData, perm: int) -> None:
    from rmq.admin.targets import replicas_in
    from rmq.client.admin.errors import NoTopicRouteError
    from rmq.client.admin.topics import change_permission

    name = call.required("t")
    holding = {data.broker_name for data in route.queue_datas}
    replicas = await replicas_in(call, report, call.required("c"))
    addresses = [replica.address for replica in replicas if replica.is_master and replica.broker_name in holding]
    if not addresses and not report.failures:
        report.fail(NoTopicRouteError(name))
    changed = {}
    done = await done_on_each(call, report, addresses, lambda each: change_permission(call.admin, each, name, perm))
    for address, outcome in done:
        report.say(f"update topic perm from {outcome.before} to {perm} in {address} success.")
        changed[address] = outcome.before
    report.put(brokers=changed)


# --- updateOrderConf -----------------------------------------------------------------------------------------------

_METHODS: Final = ("get", "put", "delete")


@command(
    "updateOrderConf",
    "Show, set or remove how many queues of an ordered topic each broker has, as the name servers tell clients.",
    topic(),
    value("m", "method", "get, put or delete.", required=True),
    value("v", "orderConf", "With put: broker names and numbers of queues, such as broker-a:4;broker-b:4."),
    data=(
        Member("topic", "The topic."),
        Member("method", "get, put or delete."),
        Member("orderConf", "Not with delete: the configuration."),
    ),
    changes=True,
    examples=(
        ("updateOrderConf -t Orders -m put -v 'broker-a:4;broker-b:4'", "Four queues on each of two brokers."),
        ("updateOrderConf -t Orders -m get", "Show it."),
    ),
)
async def update_order_conf(call: Call) -> Report:
    """`updateOrderConf`."""
    from rmq.client.admin import order

    report = Report()
    name, method, conf = call.required("t"), call.required("m"), call.text("v")
    report.put(topic=name, method=method)
    if method == "get":
        conf = await order.order_conf(call.admin, name) or ""
        report.say(f"get orderConf success. topic=[{name}], orderConf=[{conf}] ", end="")
        report.put(orderConf=conf)
    elif method == "put":
        if not conf:
            raise CommandLineError("please set orderConf with option -v")
        await order.put_order_conf(call.admin, name, conf)
        report.say(f"update orderConf success. topic=[{name}], orderConf=[{conf}]", end="")
        report.put(orderConf=conf)
    elif method == "delete":
        await order.delete_order_conf(call.admin, name)
        report.say(f"delete orderConf success. topic=[{name}]", end="")
    else:
        from rmq.admin.usage import page

        report.say(page(update_order_conf), end="")
        report.refusal = f"the method is {', '.join(_METHODS[:-1])} or {_METHODS[-1]}, not {method}"
    return report


# --- allocateMQ ----------------------------------------------------------------------------------------------------


@command(
    "allocateMQ",
    "Show how the queues of a topic would be divided evenly among consumers.",
    topic(),
    value("i", "ipList", "Addresses of the consumers, joined by commas.", required=True),
    data=(Member("result", "By address: its queues, objects with brokerName, queueId and topic."),),
    examples=(("allocateMQ -t Orders -i 10.0.0.1,10.0.0.2", "Divide the queues of Orders between two consumers."),),
)
async def allocate_mq(call: Call) -> Report:
    """`allocateMQ`."""
    from rmq.client.admin.pulling import readable_queues
    from rmq.client.admin.topics import topic_route
    from rmq.client.allocate import allocate_averagely
    from rmq.wire import fastjson
    from rmq.wire.declare import to_plain
    from rmq.wire.javahash import hash_order, java_hash

    report = Report()
    name = call.required("t")
    route = await topic_route(call.admin, name)
    # Who gets which queue follows from their order, which is that of a Java HashSet.
    queues = _logical_queues(name, route) if route.topic_queue_mapping_by_broker else readable_queues(route, name)
    consumers = call.required("i").split(",")
    shares = {
        consumer: [to_plain(queue) for queue in allocate_averagely(consumer, queues, consumers)]
        for consumer in consumers
    }
    report.say(fastjson.dumps({"result": {consumer: shares[consumer] for consumer in hash_order(shares, java_hash)}}))
    report.put(result=shares)
    return report


def _logical_queues(name: str, route: TopicRouteData) -> list[MessageQueue]:
    """A static topic's queues, which belong to a broker that does not exist."""
    from rmq.client.admin.pulling import queue_hash
    from rmq.wire.bodies.route import MessageQueue
    from rmq.wire.javahash import hash_order
    from rmq.wire.mapping import mock_broker

    totals: dict[str, int] = {}
    for mapping in (route.topic_queue_mapping_by_broker or {}).values():
        totals[mapping.scope] = max(totals.get(mapping.scope, 0), mapping.total_queues)
    queues = (
        MessageQueue(name, mock_broker(scope), number) for scope, total in totals.items() for number in range(total)
    )
    return hash_order(queues, queue_hash)
