"""Sending: attempts, failures, time-outs, one-way, back-pressure."""

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from rmq.client.config import ProducerConfig
from rmq.client.errors import (
    ACCESS_BROKER_TIMEOUT,
    CONNECT_BROKER,
    BrokerNotExistError,
    ClientError,
    IllegalMessageError,
    NoRouteError,
    NotRunningError,
    SendFailedError,
)
from rmq.client.message import Message
from rmq.client.producer import Producer
from rmq.client.results import SendResult, SendStatus
from rmq.client.selectors import select_by_hash, select_by_random
from rmq.remoting.errors import CallTimeoutError, ConnectFailedError
from rmq.wire.bodies.route import BrokerData, ClusterInfo, MessageQueue, QueueData, TopicRouteData
from rmq.wire.codes import ResponseCode
from rmq.wire.command import Command
from rmq.wire.declare import decode_body, encode_body, encode_header
from rmq.wire.errors import NoPermissionError, RemotingError, SystemBusyError, TopicNotExistError
from rmq.wire.requests.client import Heartbeat, UnregisterClient
from rmq.wire.requests.route import GetRouteInfoByTopic
from rmq.wire.requests.send import SendMessageReply, SendMessageV2
from tests.kit.cluster import NAMESRV, Call, MemoryCluster


def started(brokers: int = 1, **config: Any) -> tuple[MemoryCluster, Producer]:
    cluster = MemoryCluster(brokers)
    cluster.create("T", 2)
    producer = Producer(cluster.clock, "PG", instance=cluster.instance(), config=ProducerConfig(**config))
    producer.start()
    return cluster, producer


def outcome(result: Deferred[Any]) -> Any:
    """What it fired with; an error as a value."""
    outcomes: list[Any] = []
    result.addCallbacks(outcomes.append, lambda failure: outcomes.append(failure.value))
    return outcomes[0]


def tried(cluster: MemoryCluster) -> list[str]:
    return [call.address for call in cluster.calls if isinstance(call.header, SendMessageV2)]


def test_result() -> None:
    cluster, producer = started()
    message = Message("T", b"x", tags="A")
    result = outcome(producer.send(message))
    assert isinstance(result, SendResult)
    assert str(result) == (
        f"SendResult [sendStatus=SEND_OK, msgId={message.unique_id}, offsetMsgId={0:032X}, "
        "messageQueue=MessageQueue [topic=T, brokerName=broker-a, queueId=0], queueOffset=0, recallHandle=null]"
    )
    assert (result.region_id, result.trace_on) == ("DefaultRegion", True)
    assert cluster.queues[MessageQueue("T", "broker-a", 0)].end == 1


def test_queues_in_turn() -> None:
    _, producer = started(brokers=2)
    sent = [outcome(producer.send(Message("T", b"x"))).message_queue for _ in range(8)]
    assert len(set(sent)) == 4
    assert sent[:4] == sent[4:]


def test_another_broker_after_a_failure() -> None:
    cluster, producer = started(brokers=2)
    outcome(producer.send(Message("T", b"x")))
    cluster.calls.clear()
    cluster.down.add("10.0.0.1:10911")
    results = [outcome(producer.send(Message("T", b"x"))) for _ in range(4)]
    assert {result.message_queue.broker_name for result in results} == {"broker-b"}
    assert tried(cluster).count("10.0.0.1:10911") == 2


@pytest.mark.parametrize("code", [1, 2, 14, 16, 17, 204, 205, 1500])
def test_codes_that_are_worth_another_attempt(code: int) -> None:
    cluster, producer = started(brokers=2)
    refusals = iter([RemotingError("first", code), None])
    cluster.failures[SendMessageV2] = lambda _: next(refusals)
    assert outcome(producer.send(Message("T", b"x"))).send_status is SendStatus.SEND_OK
    assert tried(cluster) == ["10.0.0.1:10911", "10.0.0.2:10911"]


@pytest.mark.parametrize("code", [13, 26, 29, 604])
def test_codes_that_are_final(code: int) -> None:
    cluster, producer = started(brokers=2)
    cluster.failures[SendMessageV2] = RemotingError("no", code)
    error = outcome(producer.send(Message("T", b"x")))
    assert (type(error) is SendFailedError, error.code, error.address) == (False, code, "10.0.0.1:10911")
    assert len(tried(cluster)) == 1


def test_all_attempts_fail() -> None:
    cluster, producer = started(brokers=2)
    cluster.failures[SendMessageV2] = SystemBusyError("too busy")
    error = outcome(producer.send(Message("T", b"x")))
    assert isinstance(error, SendFailedError)
    assert error.brokers == ["broker-a", "broker-b", "broker-a"]
    assert (error.code, error.cause.remark) == (ResponseCode.SYSTEM_BUSY, "too busy")
    assert "Send [3] times, still failed, cost [0]ms, Topic: T, BrokersSent: [broker-a, broker-b, broker-a]" in str(
        error
    )


def test_no_broker_can_be_reached() -> None:
    cluster, producer = started()
    outcome(producer.send(Message("T", b"x")))
    cluster.down.add("10.0.0.1:10911")
    error = outcome(producer.send(Message("T", b"x")))
    assert (type(error), error.code, type(error.cause)) == (SendFailedError, CONNECT_BROKER, ConnectFailedError)


def test_attempts_share_the_time() -> None:
    """A broker that does not answer uses up the time: 3 seconds in all."""
    cluster, producer = started()
    outcome(producer.send(Message("T", b"x")))
    cluster.silent.add("10.0.0.1:10911")
    sending = producer.send(Message("T", b"x"))
    cluster.advance(2.9)
    assert not sending.called
    cluster.advance(0.2)
    error = outcome(sending)
    assert (type(error), error.code, type(error.cause)) == (SendFailedError, ACCESS_BROKER_TIMEOUT, CallTimeoutError)
    assert error.brokers == ["broker-a"]
    short = producer.send(Message("T", b"x"), timeout=0.5)
    cluster.advance(0.6)
    assert isinstance(outcome(short), SendFailedError)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (ResponseCode.FLUSH_DISK_TIMEOUT, SendStatus.FLUSH_DISK_TIMEOUT),
        (ResponseCode.FLUSH_SLAVE_TIMEOUT, SendStatus.FLUSH_SLAVE_TIMEOUT),
        (ResponseCode.SLAVE_NOT_AVAILABLE, SendStatus.SLAVE_NOT_AVAILABLE),
    ],
)
@pytest.mark.parametrize(("again", "attempts"), [(False, 1), (True, 3)])
def test_stored_less_safely(code: int, status: SendStatus, again: bool, attempts: int) -> None:
    cluster, producer = started(retry_another_broker_when_not_store_ok=again)
    answer = Command(int(code), encode_header(SendMessageReply("0" * 32, 1, 5)))
    cluster._SendMessageV2 = lambda call, body: answer  # type: ignore[method-assign]
    assert outcome(producer.send(Message("T", b"x"))).send_status is status
    assert len(tried(cluster)) == attempts


def test_a_topic_that_is_created_by_sending() -> None:
    cluster, producer = started()
    result = outcome(producer.send(Message("New", b"x")))
    assert result.message_queue == MessageQueue("New", "broker-a", 0)
    assert [header.topic for header in cluster.asked(GetRouteInfoByTopic)] == ["New", "TBW102"]
    assert cluster.topics["New"] == 4


def test_a_topic_that_cannot_be_created() -> None:
    cluster, producer = started()
    del cluster.topics["TBW102"]
    error = outcome(producer.send(Message("New", b"x")))
    assert (type(error), error.code) == (NoRouteError, 10005)
    assert "No route info of this topic: New" in str(error)


class Restarting(MemoryCluster):
    """A cluster whose name server can forget brokers, or masters only.

    Attributes:
        forgotten: whether it knows nobody.
        headless: whether it knows slaves only.
    """

    def __init__(self) -> None:
        super().__init__(2)
        self.forgotten = self.headless = False
        self.create("T", 2)

    def _GetRouteInfoByTopic(self, call: Call, body: object) -> Command:
        if self.forgotten:
            raise TopicNotExistError("No topic route info in name server")
        answer = super()._GetRouteInfoByTopic(call, body)
        if not self.headless:
            return answer
        route = decode_body(TopicRouteData, answer.body)
        slaves = [BrokerData(data.broker_name, data.cluster, {1: "10.0.0.7:10911"}) for data in route.broker_datas]
        return Command(0, body=encode_body(replace(route, broker_datas=slaves)))

    def _GetBrokerClusterInfo(self, call: Call, body: object) -> Command:
        return (
            Command(0, body=encode_body(ClusterInfo())) if self.forgotten else super()._GetBrokerClusterInfo(call, body)
        )

    def producer(self) -> Producer:
        made = Producer(self.clock, "PG", instance=self.instance())
        made.start()
        return made


@pytest.mark.parametrize("missing", ["forgotten", "headless"])
def test_a_route_that_will_come_is_waited_for(missing: str) -> None:
    cluster = Restarting()
    setattr(cluster, missing, True)
    producer = cluster.producer()
    # The first has a queue chosen for it, the last is one-way.
    selected = producer.send(Message("T", b"0"), selector=lambda queues, message, arg: queues[-1])
    sends = [producer.send(Message("T", b"x")) for _ in range(20)]
    oneway = producer.send_oneway(Message("T", b"y"))
    cluster.advance(2)
    assert not any(result.called for result in (selected, *sends, oneway))
    # Each has looked once, and then all together every 0.2 seconds.
    assert len([header for header in cluster.asked(GetRouteInfoByTopic) if header.topic == "T"]) - 22 in {9, 10}
    setattr(cluster, missing, False)
    cluster.advance(0.25)
    assert outcome(selected).message_queue == MessageQueue("T", "broker-b", 1)
    assert {outcome(result).send_status for result in sends} == {SendStatus.SEND_OK}
    assert outcome(oneway) is None
    assert len(tried(cluster)) == 22


@pytest.mark.parametrize("missing", ["forgotten", "headless"])
def test_a_route_is_waited_for_within_the_time_of_the_send(missing: str) -> None:
    cluster = Restarting()
    setattr(cluster, missing, True)
    producer = cluster.producer()
    usual, short = producer.send(Message("T", b"x")), producer.send(Message("T", b"x"), timeout=0.5)
    cluster.advance(0.4)
    assert not short.called
    cluster.advance(0.3)
    assert isinstance(outcome(short), NoRouteError)
    assert not usual.called
    cluster.advance(2.1)
    assert not usual.called
    cluster.advance(0.4)
    assert isinstance(outcome(usual), NoRouteError)
    assert tried(cluster) == []


def test_a_master_that_went_and_came_is_found_by_the_next_send() -> None:
    cluster = Restarting()
    producer = cluster.producer()
    assert outcome(producer.send(Message("T", b"x"))).send_status is SendStatus.SEND_OK
    cluster.headless = True
    cluster.advance(31)
    waiting = producer.send(Message("T", b"x"))
    cluster.advance(1)
    cluster.headless = False
    cluster.advance(0.25)
    assert outcome(waiting).send_status is SendStatus.SEND_OK


def test_what_no_master_would_take_is_refused_at_once() -> None:
    cluster = Restarting()
    producer = cluster.producer()
    cluster.forgotten = True
    with pytest.raises(NoRouteError):
        raise outcome(producer.fetch_publish_queues("T"))
    cluster.forgotten, cluster.headless = False, True
    read_only = TopicRouteData([BrokerData("broker-a", "C", {1: "10.0.0.7:10911"})], [QueueData("broker-a", 4, 4, 4)])
    cluster._GetRouteInfoByTopic = lambda call, body: Command(0, body=encode_body(read_only))  # type: ignore[method-assign]
    assert isinstance(outcome(producer.send(Message("T", b"x"))), NoRouteError)


def test_no_name_server() -> None:
    cluster, producer = started()
    cluster.down.add(NAMESRV)
    assert isinstance(outcome(producer.send(Message("T", b"x"))), ConnectFailedError)


def test_given_queue_is_tried_once() -> None:
    cluster, producer = started(brokers=2)
    queue = MessageQueue("T", "broker-b", 1)
    assert outcome(producer.send(Message("T", b"x"), queue=queue)).message_queue == queue
    cluster.failures[SendMessageV2] = SystemBusyError("busy")
    assert isinstance(outcome(producer.send(Message("T", b"x"), queue=queue)), SystemBusyError)
    assert isinstance(outcome(producer.send(Message("T", b"x"), queue=MessageQueue("T", "x", 0))), BrokerNotExistError)
    assert len(tried(cluster)) == 2


def test_selectors() -> None:
    _, producer = started(brokers=2)
    chosen = [
        outcome(producer.send(Message("T", b"x"), selector=select_by_hash, arg=arg)).message_queue
        for arg in (5, -5, "order-7", "order-7")
    ]
    assert [(queue.broker_name, queue.queue_id) for queue in chosen[:2]] == [("broker-a", 1), ("broker-a", 1)]
    assert chosen[2] == chosen[3]
    assert outcome(producer.send(Message("T", b"x"), selector=select_by_random)).send_status is SendStatus.SEND_OK


def test_oneway_asks_nothing() -> None:
    cluster, producer = started()
    assert outcome(producer.send_oneway(Message("T", b"a"))) is None
    outcome(producer.send_oneway(Message("T", b"b"), queue=MessageQueue("T", "broker-a", 1)))
    outcome(producer.send_oneway(Message("T", b"c"), selector=select_by_hash, arg=1))
    sent = [call for call in cluster.calls if isinstance(call.header, SendMessageV2)]
    assert [(call.timeout, call.header.queue_id) for call in sent] == [(None, 0), (None, 1), (None, 1)]
    cluster.failures[SendMessageV2] = SystemBusyError("busy")
    assert outcome(producer.send_oneway(Message("T", b"d"))) is None


def test_oneway_does_not_pile_up() -> None:
    """After a megabyte a question must be answered before more is sent."""
    cluster, producer = started()
    answers: list[Deferred[Command]] = []
    cluster._Heartbeat = lambda call, data: answers.append(Deferred()) or answers[-1]  # type: ignore
    sends = [producer.send_oneway(Message("T", os.urandom(100_000))) for _ in range(12)]
    assert [send.called for send in sends] == [True] * 11 + [False]
    assert (len(cluster.asked(SendMessageV2)), len(answers)) == (11, 1)
    answers[0].callback(Command(0))
    assert sends[11].called
    assert len(cluster.asked(SendMessageV2)) == 12


def test_batch_is_one_request() -> None:
    cluster, producer = started()
    messages = [Message("T", f"b{i}") for i in range(5)]
    result = outcome(producer.send_batch(messages))
    assert (result.queue_offset, result.msg_id) == (0, ",".join(str(m.unique_id) for m in messages))
    assert cluster.queues[result.message_queue].end == 5
    assert isinstance(outcome(producer.send_batch([])), IllegalMessageError)


def test_sends_in_flight_are_bounded() -> None:
    cluster, producer = started(max_in_flight=2)
    outcome(producer.send(Message("T", b"x")))
    waiting: list[Deferred[Command]] = []
    cluster._SendMessageV2 = lambda call, body: waiting.append(Deferred()) or waiting[-1]  # type: ignore
    sends = [producer.send(Message("T", b"x")) for _ in range(4)]
    assert len(waiting) == 2
    waiting[0].callback(Command(0, encode_header(SendMessageReply("0" * 32, 0, 0))))
    assert (len(waiting), sends[0].called) == (3, True)
    outcome(producer.shutdown())
    assert isinstance(outcome(sends[3]), NotRunningError)


def test_life() -> None:
    cluster, producer = started()
    outcome(producer.send(Message("T", b"x")))
    cluster.advance(31)
    assert len(cluster.asked(Heartbeat)) == 1
    assert isinstance(outcome(producer.start()), NotRunningError)
    twin = Producer(cluster.clock, "PG", instance=producer.instance)
    assert isinstance(outcome(twin.start()), ClientError)
    outcome(producer.shutdown())
    assert cluster.asked(UnregisterClient) == [UnregisterClient("10.1.1.1@c1", "PG")]
    assert isinstance(outcome(producer.send(Message("T", b"x"))), NotRunningError)
    outcome(producer.shutdown())
    assert len(cluster.asked(UnregisterClient)) == 1
    assert cluster.clock.getDelayedCalls() == []


def test_async_with() -> None:
    cluster = MemoryCluster()
    cluster.create("T", 2)

    async def main() -> str:
        async with Producer(cluster.clock, "PG", instance=cluster.instance()) as producer:
            await producer.send(Message("T", b"x"))
            assert await producer.fetch_publish_queues("T") == [MessageQueue("T", "broker-a", i) for i in range(2)]
        return "done"

    assert outcome(Deferred.fromCoroutine(main())) == "done"
    assert len(cluster.asked(UnregisterClient)) == 1


def test_refusing_by_call() -> None:
    """A broker without write permission is left for the other one."""
    cluster, producer = started(brokers=2)
    refuse: Callable[[Call], RemotingError | None] = lambda call: (
        NoPermissionError("the broker is read only") if call.address == "10.0.0.1:10911" else None
    )
    cluster.failures[SendMessageV2] = refuse
    assert {outcome(producer.send(Message("T", b"x"))).message_queue.broker_name for _ in range(4)} == {"broker-b"}
