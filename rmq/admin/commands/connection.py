"""Who is connected.

Source: org.apache.rocketmq.tools.command.connection.
"""

from __future__ import annotations

from rmq.admin.declare import Call, command
from rmq.admin.options import broker, topic, value
from rmq.admin.output import Column, Member, Report, Table
from rmq.client.admin.groups import consumer_connection, producer_connection
from rmq.wire.bodies.printed import java_text
from rmq.wire.codes import version_name

_CLIENTS = Table(
    "clients",
    "A connected client.",
    "%-36s %-22s %-10s %s",
    "%-36s %-22s %-10s %s",
    (
        Column("clientId", "#ClientId"),
        Column("clientAddr", "#ClientAddr"),
        Column("language", "#Language"),
        Column("version", "#Version"),
    ),
)
_SUBSCRIPTIONS = Table(
    "subscriptions",
    "What the group wants of a topic.",
    "%-20s %s",
    "%-20s %s",
    (Column("topic", "#Topic"), Column("subExpression", "#SubExpression")),
)
_PRODUCERS = Table(
    "clients",
    "A connected client.",
    "",
    "%s  %-32s %-22s %-8s %s",
    (
        Column("index", text=lambda index: f"{index:04d}"),
        Column("clientId"),
        Column("clientAddr"),
        Column("language"),
        Column("version"),
    ),
)


@command(
    "producerConnection",
    "Show the clients of a producer group.",
    value("g", "producerGroup", "Name of the producer group.", required=True),
    topic(help="A topic that the group sends to."),
    data=(_PRODUCERS,),
)
async def show_producer_connection(call: Call) -> Report:
    """`producerConnection`."""
    connection = await producer_connection(call.admin, call.required("g"), call.required("t"))
    report = Report()
    report.table(
        _PRODUCERS,
        (
            (index, client.client_id, client.client_addr, client.language, version_name(client.version))
            for index, client in enumerate(connection.connection_set, 1)
        ),
    )
    return report


@command(
    "consumerConnection",
    "Show the clients of a consumer group and what it subscribes to.",
    value("g", "consumerGroup", "Name of the consumer group.", required=True),
    broker("Address of the broker to ask; one that the group knows if not given."),
    data=(
        _CLIENTS,
        _SUBSCRIPTIONS,
        Member("consumeType", "CONSUME_PASSIVELY (push), CONSUME_ACTIVELY (pull) or CONSUME_POP."),
        Member("messageModel", "CLUSTERING or BROADCASTING."),
        Member("consumeFromWhere", "Where the group begins without an offset."),
    ),
)
async def show_consumer_connection(call: Call) -> Report:
    """`consumerConnection`."""
    connection = await consumer_connection(call.admin, call.required("g"), call.text("b"))
    report = Report()
    report.table(
        _CLIENTS,
        (
            (client.client_id, client.client_addr, client.language, version_name(client.version))
            for client in connection.connection_set
        ),
    )
    report.say("\nBelow is subscription:")
    wanted = connection.subscription_table.values()
    report.table(_SUBSCRIPTIONS, ((subscription.topic, subscription.sub_string) for subscription in wanted))
    report.say()
    report.say(f"ConsumeType: {java_text(connection.consume_type)}")
    report.say(f"MessageModel: {java_text(connection.message_model)}")
    report.say(f"ConsumeFromWhere: {java_text(connection.consume_from_where)}")
    report.put(
        consumeType=connection.consume_type,
        messageModel=connection.message_model,
        consumeFromWhere=connection.consume_from_where,
    )
    return report
