"""Connection commands."""

import pytest

from rmq.wire.bodies.connection import Connection, ConsumerConnection, ProducerConnection
from rmq.wire.bodies.heartbeat import ConsumeFromWhere, ConsumeType, MessageModel, SubscriptionData
from rmq.wire.errors import RemotingError
from rmq.wire.requests.consumer import GetConsumerConnectionList, GetProducerConnectionList
from tests.kit.adminfake import MASTER_B, FakeServers, report, route, text

CLIENT = Connection("10.1.1.1@x", "10.1.1.1:55000", "JAVA", 493)


def test_producers() -> None:
    servers = FakeServers({GetProducerConnectionList: ProducerConnection([CLIENT, CLIENT])})
    servers.routes = {"T": route()}
    line = f"{'10.1.1.1@x':<32} {'10.1.1.1:55000':<22} {'JAVA':<8} V5_4_0\n"
    assert text(servers, "producerConnection", "-g", "P", "-t", "T") == f"0001  {line}0002  {line}"


def test_no_producers() -> None:
    servers = FakeServers({GetProducerConnectionList: ProducerConnection()})
    servers.routes = {"T": route()}
    with pytest.raises(RemotingError, match="Not found the producer group connection"):
        text(servers, "producerConnection", "-g", "P", "-t", "T")


def test_consumers() -> None:
    connection = ConsumerConnection(
        [CLIENT],
        {"T": SubscriptionData("T", "TagA || TagB")},
        ConsumeType.CONSUME_PASSIVELY,
        MessageModel.CLUSTERING,
        ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET,
    )
    servers = FakeServers({GetConsumerConnectionList: connection})
    made = report(servers, "consumerConnection", "-g", "G", "-b", MASTER_B)
    assert made.render("text") == (
        f"{'#ClientId':<36} {'#ClientAddr':<22} {'#Language':<10} #Version\n"
        f"{'10.1.1.1@x':<36} {'10.1.1.1:55000':<22} {'JAVA':<10} V5_4_0\n"
        "\nBelow is subscription:\n"
        f"{'#Topic':<20} #SubExpression\n{'T':<20} TagA || TagB\n"
        "\nConsumeType: CONSUME_PASSIVELY\nMessageModel: CLUSTERING\n"
        "ConsumeFromWhere: CONSUME_FROM_FIRST_OFFSET\n"
    )
    assert made.members["subscriptions"] == [{"topic": "T", "subExpression": "TagA || TagB"}]
    assert [address for address, _ in servers.sent(GetConsumerConnectionList)] == [MASTER_B]


def test_no_consumers() -> None:
    servers = FakeServers({GetConsumerConnectionList: ConsumerConnection()})
    servers.routes = {"%RETRY%G": route()}
    with pytest.raises(RemotingError, match="Not found the consumer group connection"):
        text(servers, "consumerConnection", "-g", "G")
