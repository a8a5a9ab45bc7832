"""Brokers that live in a container.

Source: org.apache.rocketmq.tools.command.container.
"""

from __future__ import annotations

from typing import Final

from rmq.admin.declare import Call, command, integer
from rmq.admin.errors import CommandLineError
from rmq.admin.options import value
from rmq.admin.output import Member, Report

_CONTAINER = value("c", "brokerContainerAddr", "Address of the container, host:port.", required=True)
_PATIENCE: Final = 20.0
"""Seconds that a container may take to start or to stop a broker."""


@command(
    "addBroker",
    "Start a broker inside a container.",
    _CONTAINER,
    value(
        "b", "brokerConfigPath", "Path of the broker's configuration file, on the container's machine.", required=True
    ),
    data=(Member("container", "Address of the container."), Member("configPath", "The path.")),
    changes=True,
    examples=(
        ("addBroker -c 10.0.0.1:10811 -b /etc/rocketmq/broker-b.conf", "Start the broker that this file describes."),
    ),
)
async def add_broker(call: Call) -> Report:
    """`addBroker`."""
    from rmq.wire.requests.container import AddBroker

    report = Report()
    address, path = call.required("c"), call.required("b")
    await call.admin.call(address, AddBroker(path), timeout=_PATIENCE)
    report.say(f"add broker to {address} success")
    report.put(container=address, configPath=path)
    return report


@command(
    "removeBroker",
    "Stop a broker of a container.",
    _CONTAINER,
    value("b", "brokerIdentity", "The broker: clusterName:brokerName:brokerId.", required=True),
    data=(
        Member("container", "Address of the container."),
        Member("cluster", "The broker's cluster."),
        Member("brokerName", "Its name."),
        Member("brokerId", "Its id."),
    ),
    changes=True,
    examples=(("removeBroker -c 10.0.0.1:10811 -b DefaultCluster:broker-b:0", "Stop the master of broker-b."),),
)
async def remove_broker(call: Call) -> Report:
    """`removeBroker`."""
    from rmq.wire.requests.container import RemoveBroker

    report = Report()
    address, words = call.required("c"), [word.strip() for word in call.required("b").split(":")]
    if len(words) != 3:
        raise CommandLineError(f"brokerIdentity {call.required('b')}: clusterName:brokerName:brokerId is expected")
    cluster, name, number = words[0], words[1], integer(words[2], bits=64)
    if number < 0:
        report.refuse("brokerId can't be negative")
        report.say()
        return report
    await call.admin.call(address, RemoveBroker(name, cluster, number), timeout=_PATIENCE)
    report.say(f"remove broker from {address} success")
    report.put(container=address, cluster=cluster, brokerName=name, brokerId=number)
    return report
