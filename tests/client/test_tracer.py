"""Traces of producers and consumers: what is told, when it is sent, what happens when it cannot be."""

from typing import Any

from twisted.internet.defer import Deferred

from rmq.client.config import LitePullConfig, PushConfig
from rmq.client.consume import ConsumeContext, ConsumeStatus
from rmq.client.lite_pull import LitePullConsumer
from rmq.client.message import Message, MessageExt
from rmq.client.producer import Producer
from rmq.client.push import PushConsumer
from rmq.client.tracer import MOST_HELD
from rmq.client.transaction import TransactionProducer, TransactionState
from rmq.wire.bodies.heartbeat import ConsumeFromWhere
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.errors import SystemBusyError
from rmq.wire.message import decode_message
from rmq.wire.requests.send import SendMessageV2
from tests.kit.cluster import START, Call, MemoryCluster

TRACES = "RMQ_SYS_TRACE_TOPIC"
FIRST = ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET


def cluster_with_traces() -> MemoryCluster:
    cluster = MemoryCluster()
    cluster.create("T", 1)
    cluster.create(TRACES, 1)
    return cluster


def outcome(result: Deferred[Any]) -> Any:
    outcomes: list[Any] = []
    result.addCallbacks(outcomes.append, lambda failure: outcomes.append(failure.value))
    return outcomes[0]


def traces(cluster: MemoryCluster) -> list[list[str]]:
    """The records of all trace messages."""
    stored = cluster.queues.get(MessageQueue(TRACES, "broker-a", 0))
    texts = [decode_message(record).body.decode() for record in stored.records] if stored else []
    return [record.split("\x01") for text in texts for record in text.split("\x02") if record]


def producer(cluster: MemoryCluster, **config: Any) -> Producer:
    made = Producer(cluster.clock, "PG", instance=cluster.instance(enable_trace=True, **config))
    made.start()
    return made


def test_sends_are_told_after_five_seconds() -> None:
    cluster = cluster_with_traces()
    made = producer(cluster)
    message = Message("T", "abc", tags="A", keys="k")
    result = outcome(made.send(message))
    cluster.advance(4.9)
    assert traces(cluster) == []
    cluster.advance(0.2)
    (record,) = traces(cluster)
    assert record == [
        "Pub", str(START), "DefaultRegion", "PG", "T", result.msg_id, "A", "k", "10.0.0.1:10911", "3", "0", "0",
        result.offset_msg_id, "true",
    ]  # fmt: skip
    stored = decode_message(cluster.queues[MessageQueue(TRACES, "broker-a", 0)].records[0])
    assert set(stored.properties["KEYS"].split()) == {result.msg_id, "k"}
    assert cluster.asked(SendMessageV2)[-1].producer_group.startswith("_INNER_TRACE_PRODUCER-PG-PRODUCE-")
    cluster.advance(20)
    assert len(traces(cluster)) == 1


def test_ten_are_sent_at_once_and_the_rest_at_the_end() -> None:
    cluster = cluster_with_traces()
    made = producer(cluster)
    for _ in range(13):
        outcome(made.send(Message("T", "x")))
    cluster.advance(0.1)
    assert len(traces(cluster)) == 13
    outcome(made.send(Message("T", "x")))
    outcome(made.shutdown())
    assert len(traces(cluster)) == 14
    assert cluster.clock.getDelayedCalls() == []


def test_nothing_is_told_by_default_nor_of_traces_themselves() -> None:
    cluster = cluster_with_traces()
    plain = Producer(cluster.clock, "PG", instance=cluster.instance())
    plain.start()
    outcome(plain.send(Message("T", "x")))
    outcome(plain.shutdown())
    made = producer(cluster)
    outcome(made.send(Message(TRACES, "Own\x02")))
    outcome(made.send_oneway(Message("T", "x")))
    outcome(made.shutdown())
    assert traces(cluster) == [["Own"]]


def test_another_topic_and_a_namespace() -> None:
    cluster = cluster_with_traces()
    cluster.create("shop%T", 1)
    cluster.create("Traces", 1)
    made = producer(cluster, namespace="shop", trace_topic="Traces")
    outcome(made.send(Message("T", "x")))
    outcome(made.shutdown())
    stored = decode_message(cluster.queues[MessageQueue("Traces", "broker-a", 0)].records[0])
    assert stored.body.decode().split("\x01")[3:5] == ["PG", "T"]


def test_listener_calls() -> None:
    cluster = cluster_with_traces()
    answers = iter([None, ConsumeStatus.RECONSUME_LATER, ValueError("no"), None])

    def listener(messages: list[MessageExt], context: ConsumeContext) -> ConsumeStatus | None:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    queue = MessageQueue("T", "broker-a", 0)
    for name in "abc":
        cluster.store(queue, name, properties=f"UNIQ_KEY\x01{name}\x02MSG_REGION\x01R\x02KEYS\x01k{name}\x02")
    cluster.store(queue, "d", properties="UNIQ_KEY\x01d\x02TRACE_ON\x01false\x02")
    made = PushConsumer(
        cluster.clock,
        "G",
        listener,
        instance=cluster.instance(enable_trace=True),
        config=PushConfig(consume_from_where=FIRST),
    )
    made.subscribe("T")
    made.start()
    cluster.advance(0.5)
    outcome(made.shutdown())
    records = traces(cluster)
    before = [record for record in records if record[0] == "SubBefore"]
    assert [(r[2], r[3], *r[5:]) for r in before] == [("R", "G", name, "0", f"k{name}") for name in "abc"]
    after = {record[1]: record for record in records if record[0] == "SubAfter"}
    assert [after[r[4]][2:7] for r in before] == [
        ["a", "0", "true", "ka", "0"],
        ["b", "0", "false", "kb", "4"],
        ["c", "0", "false", "kc", "2"],
    ]
    assert len(records) == 6


def test_polled_messages() -> None:
    cluster = cluster_with_traces()
    cluster.store(MessageQueue("T", "broker-a", 0), "a", properties="UNIQ_KEY\x01a\x02")
    instance, config = cluster.instance(enable_trace=True), LitePullConfig(consume_from_where=FIRST)
    made = LitePullConsumer(cluster.clock, "G", instance=instance, config=config)
    made.subscribe("T")
    made.start()
    cluster.advance(0.5)
    assert len(outcome(made.poll())) == 1
    outcome(made.shutdown())
    assert [record[0] for record in traces(cluster)] == ["SubBefore", "SubAfter"]


def test_transactions() -> None:
    cluster = cluster_with_traces()
    made = TransactionProducer(
        cluster.clock, "PG", lambda message: None, instance=cluster.instance(enable_trace=True)
    )
    made.start()
    message = Message("T", "x", keys="k")
    outcome(made.send_in_transaction(message, lambda message, arg: TransactionState.COMMIT))
    outcome(made.shutdown())
    sent, ended = traces(cluster)
    assert (sent[0], sent[11]) == ("Pub", "1")
    assert ended[3:] == [
        "PG", "T", message.unique_id, "null", "k", "10.0.0.1:10911", "2", "transaction-0", "COMMIT_MESSAGE", "false"
    ]  # fmt: skip


def test_traces_that_cannot_be_sent_are_dropped() -> None:
    cluster = cluster_with_traces()
    made = producer(cluster)
    busy = SystemBusyError("busy")
    cluster.failures[SendMessageV2] = lambda call: busy if call.header.topic == TRACES else None
    outcome(made.send(Message("T", "x")))
    cluster.advance(5.1)
    cluster.failures.clear()
    outcome(made.send(Message("T", "x")))
    cluster.advance(5.1)
    assert len(traces(cluster)) == 1


def test_traces_that_wait_are_bounded() -> None:
    cluster = cluster_with_traces()
    made = producer(cluster)
    stuck: Deferred[Any] = Deferred()
    send = cluster._SendMessageV2
    cluster._SendMessageV2 = (  # type: ignore[method-assign]
        lambda call, body: stuck if call.header.topic == TRACES else send(call, body)  # type: ignore[assignment, return-value]
    )
    for _ in range(MOST_HELD + 100):
        outcome(made.send(Message("T", "x")))
        cluster.clock.advance(0)
    assert made.tracer is not None
    assert len(made.tracer._held) == MOST_HELD
    assert isinstance(cluster.calls[-1], Call)
