"""What the members of one client share."""

from typing import Any

import pytest
from twisted.internet.defer import Deferred

from rmq.client.config import ClientConfig
from rmq.client.errors import ClientError
from rmq.client.identity import client_id, local_address, message_ids, unique_instance_name
from rmq.client.instance import ClientInstance
from rmq.client.message import Message
from rmq.client.producer import Producer
from rmq.client.push import PushConsumer
from rmq.settings.environment import NamesrvAddressError
from rmq.wire.bodies.heartbeat import HeartbeatData
from rmq.wire.declare import decode_body
from rmq.wire.requests.client import Heartbeat, UnregisterClient
from rmq.wire.requests.route import GetRouteInfoByTopic
from tests.kit.cluster import NAMESRV, MemoryCluster


def outcome(result: Deferred[Any]) -> Any:
    outcomes: list[Any] = []
    result.addCallbacks(outcomes.append, lambda failure: outcomes.append(failure.value))
    return outcomes[0]


def members() -> tuple[MemoryCluster, Producer, PushConsumer]:
    cluster = MemoryCluster(brokers=2)
    cluster.create("T", 1)
    instance = cluster.instance()
    producer = Producer(cluster.clock, "PG", instance=instance)
    consumer = PushConsumer(cluster.clock, "CG", lambda messages, context: None, instance=instance)
    consumer.subscribe("T")
    outcome(producer.start())
    outcome(consumer.start())
    cluster.advance(0.5)
    return cluster, producer, consumer


def test_one_heartbeat_for_all_members() -> None:
    cluster, _, _ = members()
    cluster.calls.clear()
    cluster.advance(31)
    beats = [call for call in cluster.calls if isinstance(call.header, Heartbeat)]
    assert [call.address for call in beats] == ["10.0.0.1:10911", "10.0.0.2:10911"]
    data = decode_body(HeartbeatData, beats[0].body)
    assert data.client_id == "10.1.1.1@c1"
    assert [item.group_name for item in data.producer_data_set] == ["PG"]
    assert [item.group_name for item in data.consumer_data_set] == ["CG"]


def test_routes_are_refreshed_every_thirty_seconds() -> None:
    cluster, producer, _ = members()
    outcome(producer.send(Message("Other", b"x")))
    cluster.calls.clear()
    cluster.advance(31)
    assert {header.topic for header in cluster.asked(GetRouteInfoByTopic)} == {"T", "Other", "%RETRY%CG"}
    cluster.down.add("10.0.0.2:10911")
    cluster.advance(31)
    cluster.calls.clear()
    cluster.advance(31)
    assert "10.0.0.2:10911" not in {call.address for call in cluster.calls}


def test_it_stops_with_its_last_member() -> None:
    cluster, producer, consumer = members()
    outcome(producer.shutdown())
    cluster.calls.clear()
    cluster.advance(31)
    assert cluster.asked(Heartbeat)
    outcome(consumer.shutdown())
    assert cluster.asked(UnregisterClient) == [UnregisterClient("10.1.1.1@c1", consumer_group="CG")] * 2
    cluster.advance(40)
    assert cluster.clock.getDelayedCalls() == []


def test_a_group_lives_once_in_it() -> None:
    cluster, _, consumer = members()
    twin = PushConsumer(cluster.clock, "CG", lambda messages, context: None, instance=consumer.instance)
    error = outcome(twin.start())
    assert isinstance(error, ClientError)
    assert "The consumer group[CG] has been created before" in str(error)
    assert consumer.running


def test_servers_that_are_down_are_no_failure() -> None:
    cluster, producer, consumer = members()
    cluster.down |= {NAMESRV, "10.0.0.1:10911", "10.0.0.2:10911"}
    cluster.advance(65)
    for member in (producer, consumer):
        assert outcome(member.shutdown()) is None


def test_client_ids() -> None:
    cluster = MemoryCluster()
    config = ClientConfig(namesrv_addr=NAMESRV, client_ip="10.1.1.1")
    one, two = (ClientInstance(cluster.clock, config, invoker=cluster) for _ in range(2))
    assert one.client_id.startswith("10.1.1.1@")
    assert one.client_id != two.client_id
    assert client_id("1.2.3.4", "x") == "1.2.3.4@x"
    assert unique_instance_name() != unique_instance_name()
    assert message_ids("10.1.1.1").next(0) != message_ids("10.1.1.1").next(0)
    assert len(message_ids("fd00::1").next(0)) == 56
    assert local_address() == local_address()


def test_name_servers_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = MemoryCluster()
    monkeypatch.setenv("NAMESRV_ADDR", "10.0.0.7:1;10.0.0.8:2")
    assert ClientInstance(cluster.clock, invoker=cluster).name_server_list == ("10.0.0.7:1", "10.0.0.8:2")
    monkeypatch.delenv("NAMESRV_ADDR")
    assert ClientInstance(cluster.clock, invoker=cluster).name_server_list == ("127.0.0.1:9876",)
    with pytest.raises(NamesrvAddressError):
        ClientInstance(cluster.clock, ClientConfig(namesrv_addr="nonsense"), invoker=cluster)
