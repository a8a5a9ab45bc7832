"""Consumer groups are made, changed, shown and removed.

Source: org.apache.rocketmq.tools.command.consumer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rmq.admin.declare import Call, command
from rmq.admin.errors import CommandLineError
from rmq.admin.options import broker, broker_or_cluster, cluster, value
from rmq.admin.output import Member, Report
from rmq.admin.targets import OTHERS_GO_ON, done_on_each, masters_in
from rmq.client.admin.groups import create_group
from rmq.wire.errors import RemotingError

if TYPE_CHECKING:
    from rmq.wire.bodies.group import GroupRetryPolicy, SubscriptionGroupConfig

_RULE = "=" * 29


# --- updateSubGroup ------------------------------------------------------------------------------------------------


@command(
    "updateSubGroup",
    "Create a consumer group, or overwrite its configuration.",
    broker("Address of the one broker to create it on."),
    cluster("Cluster to create it on, on every master."),
    value("g", "groupName", "Name of the consumer group.", required=True),
    value("s", "consumeEnable", "Whether it may consume (true or false).", default="true"),
    value("m", "consumeFromMinEnable", "Whether it may begin at the oldest message (true or false).", default="false"),
    value("d", "consumeBroadcastEnable", "Whether it may broadcast (true or false).", default="false"),
    value("o", "consumeMessageOrderly", "Whether it consumes in order (true or false).", default="false"),
    value("q", "retryQueueNums", "Queues of its retry topic.", default="1"),
    value("r", "retryMaxTimes", "How often a message is tried again.", default="16"),
    value(
        "p",
        "groupRetryPolicy",
        "How long to wait between attempts, as JSON: a type (EXPONENTIAL or CUSTOMIZED), and exponentialRetryPolicy"
        " with initial, max and multiplier, or customizedRetryPolicy with next, a list; times in ms.",
    ),
    value("i", "brokerId", "Broker id to consume from.", default="0"),
    value("w", "whichBrokerWhenConsumeSlowly", "Broker id to consume from when it is slow.", default="1"),
    value("a", "notifyConsumerIdsChanged", "Whether its clients hear of each other (true or false).", default="true"),
    value("", "attributes", "Attributes to set and to drop: +key=value,-key."),
    data=(
        Member("group", "The group."),
        Member("config", "The configuration that was sent."),
        Member("brokers", "Addresses of the brokers that took it."),
    ),
    needs_one_of=("b", "c"),
    changes=True,
)
async def update_sub_group(call: Call) -> Report:
    """`updateSubGroup`."""
    from rmq.wire.declare import to_plain

    report = Report()
    config = _config(call)
    report.put(group=config.group_name, config=to_plain(config), brokers=[])
    address = call.text("b")
    addresses = [address] if address is not None else await masters_in(call, report, call.required("c"))
    outcomes = await call.admin.attempt_each(addresses, lambda broker: create_group(call.admin, broker, config))
    if address is not None and isinstance(outcomes[0], RemotingError):
        raise outcomes[0]
    for target, outcome in zip(addresses, outcomes, strict=True):
        if isinstance(outcome, RemotingError):
            report.fail(outcome)
        else:
            report.say(f"create subscription group to {target} success.")
            report.add("brokers", target)
    report.say(str(config), end="")
    return report


def _config(call: Call) -> SubscriptionGroupConfig:
    from rmq.admin.attributes import parse_attributes
    from rmq.wire.bodies.group import SubscriptionGroupConfig

    config = SubscriptionGroupConfig(
        call.required("g"),
        consume_enable=call.truth("s", True),
        consume_from_min_enable=call.truth("m"),
        consume_broadcast_enable=call.truth("d"),
        consume_message_orderly=call.truth("o"),
        retry_queue_nums=call.number("q", 1),
        retry_max_times=call.number("r", 16),
        broker_id=call.number("i", 0, bits=64),
        which_broker_when_consume_slowly=call.number("w", 1, bits=64),
        notify_consumer_ids_changed_enable=call.truth("a", True),
        attributes=parse_attributes(call.text("attributes") or ""),
    )
    policy = call.text("p")
    if policy is not None:
        config.group_retry_policy = _retry_policy(policy)
    return config


def _retry_policy(text: str) -> GroupRetryPolicy:
    from rmq.wire.bodies.group import GroupRetryPolicy
    from rmq.wire.declare import decode_body

    try:
        return decode_body(GroupRetryPolicy, text.encode())
    except RemotingError as error:
        raise CommandLineError(f"groupRetryPolicy: {error.remark}") from None


# --- updateSubGroupList --------------------------------------------------------------------------------------------


@command(
    "updateSubGroupList",
    "Create the consumer groups of a file, or overwrite their configurations.",
    broker_or_cluster("Address of the one broker to create them on.", "Cluster to create them on, on every master."),
    value(
        "f",
        "filename",
        'File with a JSON array of objects like {"groupName":"G","retryMaxTimes":16}. The other members are those that'
        " getConsumerConfig shows; names of attributes begin with + to set and - to drop.",
        required=True,
    ),
    data=(
        Member("groups", "Names of the groups in the file."),
        Member("brokers", "Addresses of the brokers that took all of them."),
    ),
    differs=("With -c it does not print its page.", OTHERS_GO_ON),
    changes=True,
    examples=(("updateSubGroupList -c DefaultCluster -f groups.json", "Create the groups of groups.json."),),
)
async def update_sub_group_list(call: Call) -> Report:
    """`updateSubGroupList`."""
    from rmq.admin.lists import submit_list
    from rmq.client.admin.groups import create_groups
    from rmq.wire.bodies.group import SubscriptionGroupConfig

    said = "group" if call.given("b") else "subscription group"
    report, configs = await submit_list(call, SubscriptionGroupConfig, "group", create_groups, said=said)
    if not report.refusal:
        report.put(groups=[config.group_name for config in configs])
    return report


# --- deleteSubGroup ------------------------------------------------------------------------------------------------


@command(
    "deleteSubGroup",
    "Remove a consumer group; from a cluster with its retry and dead-letter topics and what is in them.",
    broker("Address of the one broker to remove it from; its topics stay."),
    cluster("Cluster to remove it from, with its topics."),
    value("g", "groupName", "Name of the consumer group.", required=True),
    value("r", "removeOffset", "Also remove its offsets (true or false).", default="false"),
    data=(
        Member("group", "The group."),
        Member("brokers", "Addresses of the brokers that have it no longer."),
        Member("topics", "With -c: the topics removed with it."),
    ),
    needs_one_of=("b", "c"),
    differs=(
        "An unknown cluster is said once, and is a failure.",
        "With -c one broker's failure does not keep the others from removing the group; the topics stay then.",
        "The topics are taken out of the routes of this cluster only.",
    ),
    changes=True,
    examples=(("deleteSubGroup -c DefaultCluster -g GID_orders -r true", "Remove the group and all that is its."),),
)
async def delete_sub_group(call: Call) -> Report:
    """`deleteSubGroup`."""
    from rmq.client.admin.groups import delete_group

    group, remove_offset = call.required("g"), call.truth("r")
    report = Report()
    report.put(group=group, brokers=[])
    address = call.text("b")
    if address is None:
        await _delete_in_cluster(call, report, group, remove_offset)
        return report
    await delete_group(call.admin, address, group, remove_offset=remove_offset)
    report.say(f"delete subscription group [{group}] from broker [{address}] success.")
    report.add("brokers", address)
    return report


async def _delete_in_cluster(call: Call, report: Report, group: str, remove_offset: bool) -> None:
    from rmq.client.admin.groups import delete_group, delete_group_topics
    from rmq.wire.names import dlq_topic, retry_topic

    name = call.required("c")
    addresses = await masters_in(call, report, name)
    done = await done_on_each(
        call, report, addresses, lambda target: delete_group(call.admin, target, group, remove_offset=remove_offset)
    )
    for target, _ in done:
        report.say(f"delete subscription group [{group}] from broker [{target}] in cluster [{name}] success.")
        report.add("brokers", target)
    if report.failures:
        return
    try:
        await delete_group_topics(call.admin, name, group)
    except RemotingError as error:
        report.fail(error)
    else:
        report.put(topics=[retry_topic(group), dlq_topic(group)])


# --- getConsumerConfig ---------------------------------------------------------------------------------------------


@command(
    "getConsumerConfig",
    "Show a consumer group's configuration on every broker that has it.",
    value("g", "groupName", "Name of the consumer group.", required=True),
    data=(Member("configs", "Objects with cluster, brokerName and config: the configuration with the names shown."),),
    differs=("A group that no broker has is a failure.",),
)
async def get_consumer_config(call: Call) -> Report:
    """`getConsumerConfig`."""
    from dataclasses import fields

    from rmq.client.admin.groups import group_configs
    from rmq.wire.bodies.printed import java_text
    from rmq.wire.declare import to_plain, wire_name
    from rmq.wire.errors import SubscriptionGroupNotExistError

    report = Report()
    report.put(configs=[])
    found = False
    for item in await group_configs(call.admin, call.required("g")):
        if isinstance(item, RemotingError):
            report.fail(item)
            continue
        found = True
        report.say(f"{_RULE}{item.cluster}:{item.broker_name}{_RULE}")
        for field in fields(item.config):
            member = getattr(item.config, field.name)
            report.say(f"{wire_name(field):<40}=  {'' if member is None else java_text(member)}")
        report.add(
            "configs", {"cluster": item.cluster, "brokerName": item.broker_name, "config": to_plain(item.config)}
        )
    if not found and not report.failures:
        report.fail(SubscriptionGroupNotExistError(f"no broker has the group {call.required('g')}"))
    return report
