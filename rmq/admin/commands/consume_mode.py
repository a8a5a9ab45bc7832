"""Whether groups pull or pop.

Source: org.apache.rocketmq.tools.command.consumer.SetConsumeModeSubCommand.
"""

from __future__ import annotations

from rmq.admin.declare import Call, command
from rmq.admin.errors import CommandLineError
from rmq.admin.options import broker, cluster, value
from rmq.admin.output import Member, Report
from rmq.wire.errors import RemotingError


@command(
    "setConsumeMode",
    "Let a consumer group pull or pop a topic; its clients follow when they next ask for their queues.",
    broker("Address of the one broker to set it on."),
    cluster("Cluster to set it on, on every master."),
    value("t", "topicName", "Name of the topic.", required=True),
    value("g", "groupName", "Name of the consumer group.", required=True),
    value("m", "mode", "PULL or POP.", required=True),
    value(
        "q", "popShareQueueNum", "From how many of the next clients' queues a client pops too; 0: all pop from all.",
        default="0",
    ),
    changes=True,
    data=(
        Member("topic", "The topic."),
        Member("group", "The group."),
        Member("mode", "PULL or POP."),
        Member("popShareQueueNum", "The number that was sent."),
        Member("brokers", "Addresses of the brokers that took it."),
    ),
    needs_one_of=("b", "c"),
)
async def set_consume_mode(call: Call) -> Report:
    """`setConsumeMode`."""
    from rmq.admin.targets import masters_in
    from rmq.wire.bodies.assignment import MessageRequestMode, MessageRequestModeBody
    from rmq.wire.requests.assignment import SetMessageRequestMode

    report = Report()
    topic, group, text = call.required("t"), call.required("g"), call.required("m")
    if text not in {mode.value for mode in MessageRequestMode}:
        raise CommandLineError(f"the mode is PULL or POP, not {text}")
    wanted = MessageRequestModeBody(topic, group, MessageRequestMode(text), call.number("q", 0))
    report.put(topic=topic, group=group, mode=text, popShareQueueNum=wanted.pop_share_queue_num, brokers=[])
    address = call.text("b")
    addresses = [address] if address is not None else await masters_in(call, report, call.required("c"))
    outcomes = await call.admin.attempt_each(
        addresses, lambda target: call.admin.call(target, SetMessageRequestMode(), wanted)
    )
    if address is not None and isinstance(outcomes[0], RemotingError):
        raise outcomes[0]
    for target, outcome in zip(addresses, outcomes, strict=True):
        if isinstance(outcome, RemotingError):
            report.fail(outcome)
        else:
            report.say(f"set consume mode to {target} success.")
            report.add("brokers", target)
    report.say(
        f"topic[{topic}] group[{group}] consume mode[{text}] popShareQueueNum[{wanted.pop_share_queue_num}]", end=""
    )
    return report
