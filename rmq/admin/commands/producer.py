"""Producers.

Source: org.apache.rocketmq.tools.command.producer.
"""

from __future__ import annotations

from rmq.admin.declare import Call, command
from rmq.admin.options import value
from rmq.admin.output import Member, Report


@command(
    "producer",
    "List every producer that is connected to a broker.",
    value("b", "broker", "Address of the broker, host:port.", required=True),
    data=(
        Member(
            "groups",
            "By group: its clients, each with clientId, remoteIP, language, version (a number) and"
            " lastUpdateTimestamp, the time of its last heartbeat in ms.",
        ),
    ),
)
async def producer(call: Call) -> Report:
    """`producer`."""
    from rmq.wire.bodies.connection import ProducerTableInfo
    from rmq.wire.declare import to_plain
    from rmq.wire.requests.consumer import GetAllProducerInfo

    report = Report()
    table = (await call.admin.call(call.required("b"), GetAllProducerInfo())).json(ProducerTableInfo).data
    for group, clients in table.items():
        for client in clients:
            report.say(f"producer group ({group}) instance : {client}")
        if not clients:
            report.say(f"producer group ({group}) instances are empty")
    report.put(groups={group: [to_plain(client) for client in clients] for group, clients in table.items()})
    return report
