"""Orderly consumers of a cluster in memory: order, suspension, locks, what is given up, what tools see."""

from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from rmq.client.config import PushConfig
from rmq.client.message import MessageExt
from rmq.client.orderly import OrderlyContext, OrderlyStatus
from rmq.client.orderly_push import OrderlyPushConsumer
from rmq.wire.bodies.heartbeat import ConsumeFromWhere, MessageModel
from rmq.wire.bodies.running import ConsumeResult
from rmq.wire.errors import SystemBusyError
from rmq.wire.message import decode_message, parse_properties
from rmq.wire.requests.lock import LockBatchMq, UnlockBatchMq
from rmq.wire.requests.send import SendMessageV2
from tests.kit.cluster import MemoryCluster

AGAIN = OrderlyStatus.SUSPEND_CURRENT_QUEUE_A_MOMENT


class Inbox:
    """A listener that keeps what it gets, and answers what it is told to."""

    def __init__(self, answer: Callable[[MessageExt, OrderlyContext], Any] = lambda message, context: None) -> None:
        self.bodies: list[str] = []
        self.times: list[int] = []
        self.sizes: list[int] = []
        self.contexts: list[OrderlyContext] = []
        self._answer = answer

    def __call__(self, messages: list[MessageExt], context: OrderlyContext) -> Any:
        self.bodies += [message.body.decode() for message in messages]
        self.times += [message.reconsume_times for message in messages]
        self.sizes.append(len(messages))
        self.contexts.append(context)
        return self._answer(messages[0], context)


def started(
    cluster: MemoryCluster, inbox: Any, name: str = "c1", **config: Any
) -> OrderlyPushConsumer:
    config.setdefault("consume_from_where", ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET)
    made = OrderlyPushConsumer(
        cluster.clock, "G", inbox, instance=cluster.instance(name), config=PushConfig(**config)
    )
    made.subscribe("T")
    made.start()
    cluster.advance(0.5)
    return made


def outcome(result: Deferred[Any]) -> Any:
    outcomes: list[Any] = []
    result.addCallbacks(outcomes.append, lambda failure: outcomes.append(failure.value))
    return outcomes[0]


def test_one_call_a_queue_at_a_time() -> None:
    cluster = MemoryCluster()
    queues = cluster.create("T", 2)
    ends: list[Deferred[None]] = []

    async def answer() -> None:
        ends.append(Deferred())
        await ends[-1]

    inbox = Inbox(lambda message, context: answer())
    cluster.store(queues[0], "a1", "a2", "a3")
    cluster.store(queues[1], "b1", "b2")
    made = started(cluster, inbox)
    assert sorted(inbox.bodies) == ["a1", "b1"]
    assert sorted(context.worker for context in inbox.contexts) == [1, 2]
    cluster.advance(5)
    assert len(inbox.bodies) == 2
    first = inbox.bodies.index("a1")
    ends[first].callback(None)
    cluster.advance(0.1)
    assert inbox.bodies[2:] == ["a2"]
    assert (made.offsets.get(queues[0]), made.offsets.get(queues[1])) == (1, None)


def test_what_fails_comes_again_before_anything_else() -> None:
    cluster = MemoryCluster()
    (queue,) = cluster.create("T", 1)
    inbox = Inbox(lambda message, _: AGAIN if message.body == b"b" and message.reconsume_times < 2 else None)
    cluster.store(queue, *"abc")
    made = started(cluster, inbox)
    assert inbox.bodies == ["a", "b"]
    assert made.offsets.get(queue) == 1
    cluster.advance(1.0)
    assert inbox.bodies == ["a", "b", "b"]
    cluster.advance(1.0)
    assert (inbox.bodies, inbox.times) == (["a", "b", "b", "b", "c"], [0, 0, 1, 2, 0])
    assert made.offsets.get(queue) == 3


@pytest.mark.parametrize(("asked", "pause"), [(0.2, 0.2), (0.0, 0.05), (90.0, 30.0)])
def test_how_long_a_moment_is(asked: float, pause: float) -> None:
    cluster = MemoryCluster()
    (queue,) = cluster.create("T", 1)
    at: list[float] = []

    def listener(messages: list[MessageExt], context: OrderlyContext) -> OrderlyStatus | None:
        at.append(cluster.clock.seconds())
        context.suspend_time = asked
        return AGAIN if len(at) == 1 else None

    cluster.store(queue, "a")
    started(cluster, listener)
    cluster.advance(31)
    assert at[1] - at[0] == pytest.approx(pause, abs=0.06)


def fails(message: MessageExt, _: OrderlyContext) -> None:
    raise ValueError("no")


@pytest.mark.parametrize("answer", [fails, lambda message, _: AGAIN])
def test_without_a_limit_it_is_tried_for_ever(answer: Any) -> None:
    cluster = MemoryCluster()
    (queue,) = cluster.create("T", 1)
    inbox = Inbox(answer)
    cluster.store(queue, "a", "b")
    started(cluster, inbox)
    cluster.advance(20.5)
    assert inbox.times == list(range(21))
    assert cluster.asked(SendMessageV2) == []


def test_what_failed_too_often_goes_to_the_retry_topic() -> None:
    cluster = MemoryCluster()
    (queue,) = cluster.create("T", 1)
    inbox = Inbox(lambda message, _: AGAIN if message.body == b"a" and message.reconsume_times < 3 else None)
    cluster.store(queue, "a", "b")
    made = started(cluster, inbox, max_reconsume_times=1)
    cluster.failures[SendMessageV2] = SystemBusyError("busy")
    cluster.advance(1.0)
    assert inbox.bodies == ["a", "a"]
    cluster.failures.clear()
    cluster.advance(4.0)
    tries = sorted(zip(inbox.bodies, inbox.times, strict=True))
    assert tries == [("a", 0), ("a", 1), ("a", 2), ("a", 3), ("b", 0)]
    sent = cluster.asked(SendMessageV2)[-1]
    assert (sent.topic, sent.reconsume_times, sent.max_reconsume_times) == ("%RETRY%G", 3, 1)
    assert parse_properties(sent.properties)["RETRY_TOPIC"] == "T"
    assert made.offsets.get(queue) == 2


def test_several_messages_a_call() -> None:
    cluster = MemoryCluster()
    (queue,) = cluster.create("T", 1)
    inbox = Inbox()
    cluster.store(queue, *"abcde")
    started(cluster, inbox, consume_batch_size=2)
    assert (inbox.bodies, inbox.sizes) == (list("abcde"), [2, 2, 1])


def test_commit_and_rollback_by_hand() -> None:
    cluster = MemoryCluster()
    (queue,) = cluster.create("T", 1)
    answers = iter(
        [
            OrderlyStatus.SUCCESS,
            OrderlyStatus.ROLLBACK,
            OrderlyStatus.SUCCESS,
            OrderlyStatus.COMMIT,
            OrderlyStatus.SUCCESS,
        ]
    )

    def answer(message: MessageExt, context: OrderlyContext) -> OrderlyStatus:
        context.auto_commit = False
        return next(answers)

    inbox = Inbox(answer)
    cluster.store(queue, *"abc")
    made = started(cluster, inbox)
    assert (inbox.bodies, made.offsets.get(queue)) == (["a", "b"], None)
    cluster.advance(1.0)
    assert (inbox.bodies, made.offsets.get(queue)) == (["a", "b", "a", "b", "c"], 2)


# --- locks ----------------------------------------------------------------------------------------------------------


def test_locks_are_renewed_every_twenty_seconds_and_given_back() -> None:
    cluster = MemoryCluster()
    (queue,) = cluster.create("T", 1)
    made = started(cluster, Inbox())
    assert cluster.locks["G", queue] == made.instance.client_id
    before = len(cluster.asked(LockBatchMq))
    cluster.advance(61)
    assert len(cluster.asked(LockBatchMq)) == before + 4
    cluster.store(queue, "a")
    cluster.advance(0.1)
    outcome(made.shutdown())
    assert cluster.locks == {}
    assert cluster.committed("G", "T") == {0: 1}
    cluster.advance(60)
    assert cluster.clock.getDelayedCalls() == []


def test_a_queue_that_another_client_has_begins_when_it_is_free() -> None:
    cluster, inbox = MemoryCluster(), Inbox()
    (queue,) = cluster.create("T", 1)
    cluster.locks["G", queue] = "somebody"
    cluster.store(queue, "a")
    made = started(cluster, inbox)
    cluster.advance(5)
    assert (inbox.bodies, [held for held in made.assignment() if held.topic == "T"]) == ([], [])
    cluster.locks.clear()
    cluster.advance(1.5)
    assert inbox.bodies == ["a"]


def test_nothing_is_consumed_without_the_lock() -> None:
    cluster, inbox = MemoryCluster(), Inbox()
    (queue,) = cluster.create("T", 1)
    started(cluster, inbox)
    cluster.failures[LockBatchMq] = SystemBusyError("busy")
    cluster.advance(31)
    cluster.store(queue, "a")
    cluster.advance(5)
    assert inbox.bodies == []
    cluster.failures.clear()
    cluster.advance(0.5)
    assert inbox.bodies == ["a"]


def test_a_queue_goes_on_elsewhere_only_when_the_listener_rests() -> None:
    cluster, second = MemoryCluster(), Inbox()
    queues = cluster.create("T", 2)
    ends: list[Deferred[None]] = []

    async def answer() -> None:
        ends.append(Deferred())
        await ends[-1]

    first = Inbox(lambda message, context: answer())
    one = started(cluster, first)
    cluster.store(queues[1], "a", "b")
    cluster.advance(0.1)
    assert first.bodies == ["a"]
    started(cluster, second, "c2")
    cluster.advance(3)
    assert [queue.queue_id for queue in one.assignment() if queue.topic == "T"] == [0]
    assert second.bodies == []
    ends[0].callback(None)
    cluster.advance(2)
    # What the first one finished after it had to let go does not count.
    assert (first.bodies, second.bodies) == (["a"], ["a", "b"])


def test_broadcasting_needs_no_locks(tmp_path: Any) -> None:
    cluster, inbox = MemoryCluster(), Inbox()
    (queue,) = cluster.create("T", 1)
    cluster.store(queue, "a", "b")
    made = started(cluster, inbox, message_model=MessageModel.BROADCASTING, offset_store_dir=tmp_path)
    outcome(made.shutdown())
    assert inbox.bodies == ["a", "b"]
    assert cluster.asked(LockBatchMq) == cluster.asked(UnlockBatchMq) == []


# --- what brokers ask -----------------------------------------------------------------------------------------------


def test_reset_while_the_listener_works() -> None:
    """The same queue is never worked on twice at a time, not even when it begins again elsewhere."""
    cluster = MemoryCluster()
    (queue,) = cluster.create("T", 1)
    ends: list[Deferred[None]] = []

    async def answer() -> None:
        ends.append(Deferred())
        await ends[-1]

    inbox = Inbox(lambda message, context: answer())
    cluster.store(queue, *"abc")
    made = started(cluster, inbox)
    outcome(Deferred.fromCoroutine(made.reset_offsets("T", {queue: 2})))
    cluster.advance(1)
    assert inbox.bodies == ["a"]
    ends[0].callback(None)
    cluster.advance(0.1)
    assert (inbox.bodies, made.offsets.get(queue)) == (["a", "c"], 2)


def test_running_info() -> None:
    cluster = MemoryCluster()
    (queue,) = cluster.create("T", 1)
    info = started(cluster, Inbox()).running_info()
    assert info.properties["PROP_CONSUMEORDERLY"] == "true"
    assert (info.mq_table[queue].locked, info.mq_table[queue].last_lock_timestamp > 0) == (True, True)


@pytest.mark.parametrize(
    ("status", "result"),
    [
        (None, ConsumeResult.CR_SUCCESS),
        (OrderlyStatus.SUCCESS, ConsumeResult.CR_SUCCESS),
        (AGAIN, ConsumeResult.CR_LATER),
        (OrderlyStatus.COMMIT, ConsumeResult.CR_COMMIT),
        (OrderlyStatus.ROLLBACK, ConsumeResult.CR_ROLLBACK),
    ],
)
def test_direct_consumption(status: OrderlyStatus | None, result: ConsumeResult) -> None:
    cluster = MemoryCluster()
    (queue,) = cluster.create("T", 1)

    def answer(message: MessageExt, context: OrderlyContext) -> OrderlyStatus | None:
        context.auto_commit = False
        return status

    made = started(cluster, Inbox(answer))
    cluster._append(queue, b"direct")
    stored = decode_message(cluster.queues[queue].records[0])
    answered = outcome(Deferred.fromCoroutine(made.consume_directly(stored, "broker-a")))
    assert (answered.consume_result, answered.order, answered.auto_commit) == (result, True, False)


@pytest.mark.parametrize("wrong", [[], "nonsense", 7])
def test_a_listener_that_answers_with_something_else_is_asked_again_after_a_moment(wrong: Any) -> None:
    cluster, inbox = MemoryCluster(), Inbox(lambda message, context: wrong)
    (queue,) = cluster.create("T", 1)
    cluster.store(queue, "a")
    started(cluster, inbox)
    cluster.advance(3)
    assert inbox.bodies == ["a"] * 4


def test_a_wrong_pause_does_not_make_it_call_all_the_time() -> None:
    def answer(message: MessageExt, context: OrderlyContext) -> OrderlyStatus:
        context.suspend_time = "soon"  # type: ignore[assignment]
        return AGAIN

    cluster, inbox = MemoryCluster(), Inbox(answer)
    (queue,) = cluster.create("T", 1)
    cluster.store(queue, "a")
    started(cluster, inbox)
    cluster.advance(3)
    assert inbox.bodies == ["a"] * 4


def test_shutdown_while_a_queue_begins_gives_its_lock_back() -> None:
    cluster = MemoryCluster()
    cluster.create("T", 1)
    cluster._QueryConsumerOffset = lambda *_: Deferred()  # type: ignore[method-assign, assignment]
    made = started(cluster, Inbox())
    assert list(cluster.locks.values()) == [made.instance.client_id]
    outcome(made.shutdown())
    assert cluster.locks == {}


def test_shutdown_while_a_queue_is_given_away_gives_its_lock_back() -> None:
    cluster = MemoryCluster()
    queues = cluster.create("T", 2)
    for queue in queues:
        cluster.store(queue, "a")
    made = started(cluster, Inbox())
    cluster._UpdateConsumerOffset = lambda *_: Deferred()  # type: ignore[method-assign, assignment]
    cluster.members["G"]["10.1.1.1@c2"] = "10.1.1.1@c2"
    made.rebalance_soon()
    cluster.advance(0.5)
    del cluster._UpdateConsumerOffset
    made.shutdown()
    cluster.advance(1)
    assert cluster.locks == {}
    assert cluster.committed("G", "T") == {0: 1, 1: 1}
