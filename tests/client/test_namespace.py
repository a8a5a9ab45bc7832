"""Names inside a namespace, and clients that live in one."""

from typing import Any

from twisted.internet.defer import Deferred

from rmq.client.config import LitePullConfig, PushConfig
from rmq.client.consume import ConsumeContext, ConsumeStatus
from rmq.client.lite_pull import LitePullConsumer
from rmq.client.message import Message, MessageExt
from rmq.client.namespace import Namespace
from rmq.client.producer import Producer
from rmq.client.push import PushConsumer
from rmq.wire.bodies.heartbeat import ConsumeFromWhere
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.message import parse_properties
from rmq.wire.requests.retry import ConsumerSendMsgBack
from rmq.wire.requests.send import SendBatchMessage, SendMessageV2
from tests.kit.cluster import MemoryCluster

FIRST = ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET


def outcome(result: Deferred[Any]) -> Any:
    outcomes: list[Any] = []
    result.addCallbacks(outcomes.append, lambda failure: outcomes.append(failure.value))
    return outcomes[0]


def test_names() -> None:
    space, nothing = Namespace("shop"), Namespace()
    pairs = [("T", "shop%T"), ("%RETRY%G", "%RETRY%shop%G"), ("%DLQ%G", "%DLQ%shop%G"), ("TBW102", "TBW102")]
    for name, inside in pairs:
        assert (space.wrap(name), space.wrap(inside), space.unwrap(inside)) == (inside, inside, name)
        assert (nothing.wrap(name), nothing.unwrap(inside)) == (name, inside)
    queue = MessageQueue("T", "broker-a", 1)
    assert space.wrap_queue(queue) == MessageQueue("shop%T", "broker-a", 1)
    assert space.unwrap_queue(space.wrap_queue(queue)) == queue
    assert nothing.wrap_queue(queue) is queue


def test_a_producer_inside() -> None:
    cluster = MemoryCluster()
    cluster.create("shop%T", 2)
    producer = Producer(cluster.clock, "PG", instance=cluster.instance(namespace="shop"))
    producer.start()
    message = Message("T", "a")
    result = outcome(producer.send(message))
    assert (message.topic, result.message_queue) == ("T", MessageQueue("T", "broker-a", 0))
    outcome(producer.send(Message("T", "b"), queue=MessageQueue("T", "broker-a", 1)))
    chosen: list[Any] = []
    outcome(producer.send(Message("T", "c"), selector=lambda queues, message, arg: chosen.append(queues) or queues[1]))
    outcome(producer.send_oneway(Message("T", "d"), queue=MessageQueue("T", "broker-a", 1)))
    outcome(producer.send_batch([Message("T", "e")]))
    queues = [MessageQueue("T", "broker-a", i) for i in range(2)]
    assert (outcome(producer.fetch_publish_queues("T")), chosen) == (queues, [queues])
    sent = cluster.asked(SendMessageV2) + cluster.asked(SendBatchMessage)
    assert [(header.producer_group, header.topic) for header in sent] == [("shop%PG", "shop%T")] * 5
    assert {parse_properties(header.properties)["INSTANCE_ID"] for header in sent} == {"shop"}


def test_a_push_consumer_inside() -> None:
    cluster = MemoryCluster()
    (queue,) = cluster.create("shop%T", 1)
    got: list[str] = []

    def listener(messages: list[MessageExt], context: ConsumeContext) -> ConsumeStatus | None:
        got.extend(message.topic for message in messages)
        return None if messages[0].reconsume_times else ConsumeStatus.RECONSUME_LATER

    instance, config = cluster.instance(namespace="shop"), PushConfig(consume_from_where=FIRST)
    consumer = PushConsumer(cluster.clock, "G", listener, instance=instance, config=config)
    consumer.subscribe("T")
    consumer.start()
    cluster.advance(0.5)
    cluster.store(queue, "a")
    retry = MessageQueue("%RETRY%shop%G", "broker-a", 0)
    cluster.store(retry, "b", properties="RETRY_TOPIC\x01shop%T\x02", reconsume_times=1)
    cluster.advance(0.2)
    assert got == ["T", "T"]
    (back,) = cluster.asked(ConsumerSendMsgBack)
    assert (back.group, back.origin_topic) == ("shop%G", "shop%T")
    assert {queue.topic for queue in consumer.assignment()} == {"T", "%RETRY%G"}
    assert set(consumer.subscriptions) == {"shop%T", "%RETRY%shop%G"}
    consumer.unsubscribe("T")
    assert set(consumer.subscriptions) == {"%RETRY%shop%G"}


def test_a_lite_pull_consumer_inside() -> None:
    cluster = MemoryCluster()
    (inside,) = cluster.create("shop%T", 1)
    cluster.store(inside, *"abc")
    consumer = LitePullConsumer(
        cluster.clock,
        "G",
        instance=cluster.instance(namespace="shop"),
        config=LitePullConfig(consume_from_where=FIRST, auto_commit=False),
    )
    consumer.start()
    (queue,) = outcome(consumer.fetch_message_queues("T"))
    assert queue == MessageQueue("T", "broker-a", 0)
    outcome(consumer.assign([queue]))
    cluster.advance(0.2)
    assert [(message.topic, message.body) for message in outcome(consumer.poll())] == [
        ("T", b"a"), ("T", b"b"), ("T", b"c")
    ]  # fmt: skip
    assert (outcome(consumer.min_offset(queue)), outcome(consumer.max_offset(queue))) == (0, 3)
    outcome(consumer.commit({queue: 2}))
    assert (outcome(consumer.committed(queue)), cluster.offsets) == (2, {("shop%G", inside): 2})
    consumer.pause([queue])
    assert consumer.fetcher.paused == {inside}
    consumer.resume([queue])
    outcome(consumer.seek(queue, 1))
    cluster.advance(0.2)
    assert [message.body for message in outcome(consumer.poll())] == [b"b", b"c"]
    assert consumer.assignment() == [queue]
