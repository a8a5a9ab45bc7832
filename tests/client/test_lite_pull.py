"""Lite pull consumers of a cluster in memory."""

from typing import Any

import pytest
from twisted.internet.defer import Deferred

from rmq.client.config import LitePullConfig
from rmq.client.errors import ClientError, NotRunningError
from rmq.client.lite_pull import LitePullConsumer
from rmq.client.message import MessageExt
from rmq.wire.bodies.heartbeat import ConsumeFromWhere, ConsumeType
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.command import Command
from rmq.wire.errors import RemotingError, TopicNotExistError
from rmq.wire.requests.pull import LitePullMessage
from tests.kit.cluster import START, MemoryCluster


def consumer(cluster: MemoryCluster, name: str = "c1", **config: Any) -> LitePullConsumer:
    config.setdefault("consume_from_where", ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET)
    return LitePullConsumer(cluster.clock, "G", instance=cluster.instance(name), config=LitePullConfig(**config))


def subscribed(cluster: MemoryCluster, name: str = "c1", expression: str = "*", **config: Any) -> LitePullConsumer:
    made = consumer(cluster, name, **config)
    made.subscribe("T", expression)
    made.start()
    cluster.advance(0.5)
    return made


def outcome(result: Deferred[Any]) -> Any:
    outcomes: list[Any] = []
    result.addCallbacks(outcomes.append, lambda failure: outcomes.append(failure.value))
    return outcomes[0]


def bodies(messages: list[MessageExt]) -> list[str]:
    return [message.body.decode() for message in messages]


def poll_all(cluster: MemoryCluster, made: LitePullConsumer) -> list[str]:
    polled: list[str] = []
    while messages := outcome(made.poll(0)):
        polled += bodies(messages)
        cluster.advance(0.1)
    return polled


def test_polls_batches_of_one_queue() -> None:
    cluster = MemoryCluster()
    queues = cluster.create("T", 2)
    cluster.store(queues[0], *map(str, range(15)))
    cluster.store(queues[1], "x")
    made = subscribed(cluster)
    got = [bodies(outcome(made.poll())) for _ in range(3)]
    assert sorted(got) == [[str(i) for i in range(10)], [str(i) for i in range(10, 15)], ["x"]]
    header = cluster.asked(LitePullMessage)[0]
    assert (header.sys_flag, header.subscription, header.max_msg_nums, header.suspend_timeout_millis) == (
        22,
        "*",
        10,
        20000,
    )


def test_poll_waits_for_a_message() -> None:
    cluster = MemoryCluster()
    (queue,) = cluster.create("T", 1)
    made = subscribed(cluster)
    nothing, something = made.poll(1), made.poll(5)
    cluster.advance(1.1)
    assert outcome(nothing) == []
    cluster.store(queue, "a")
    cluster.advance(0.1)
    assert bodies(outcome(something)) == ["a"]
    assert outcome(made.poll(0)) == []


def test_tags() -> None:
    cluster = MemoryCluster()
    (queue,) = cluster.create("T", 1)
    for tag in "ABC":
        cluster.store(queue, tag, properties=f"TAGS\x01{tag}\x02")
    assert poll_all(cluster, subscribed(cluster, expression="A || C")) == ["A", "C"]


def test_what_was_polled_is_committed_with_a_later_poll() -> None:
    cluster = MemoryCluster()
    (queue,) = cluster.create("T", 1)
    cluster.store(queue, *"0123")
    made = subscribed(cluster)
    outcome(made.poll())
    cluster.advance(10)
    assert cluster.committed("G", "T") == {}
    outcome(made.poll(0))
    cluster.advance(5)
    assert cluster.committed("G", "T") == {0: 4}
    cluster.store(queue, "4")
    cluster.advance(0.1)
    assert bodies(outcome(made.poll(0))) == ["4"]
    outcome(made.shutdown())
    assert cluster.committed("G", "T") == {0: 5}
    cluster.advance(60)
    assert cluster.clock.getDelayedCalls() == []


def test_commit_by_hand() -> None:
    cluster = MemoryCluster()
    queues = cluster.create("T", 2)
    for queue in queues:
        cluster.store(queue, *map(str, range(20)))
    made = subscribed(cluster, auto_commit=False)
    assert outcome(made.committed(queues[0])) is None
    first = outcome(made.poll())[0].queue_id
    outcome(made.commit())
    assert cluster.committed("G", "T") == {first: 10}
    outcome(made.commit({queues[1 - first]: 7}))
    assert cluster.committed("G", "T") == {first: 10, 1 - first: 7}
    assert outcome(made.committed(queues[first])) == 10
    outcome(made.poll())
    outcome(made.poll())
    outcome(made.shutdown())
    assert cluster.committed("G", "T") == {first: 10, 1 - first: 7}


def test_members_share_the_queues() -> None:
    cluster = MemoryCluster()
    queues = cluster.create("T", 4)
    one, two = subscribed(cluster), subscribed(cluster, "c2")
    assert [len(made.assignment()) for made in (one, two)] == [2, 2]
    for queue in queues:
        cluster.store(queue, str(queue.queue_id))
    cluster.advance(0.1)
    assert (sorted(poll_all(cluster, one)), sorted(poll_all(cluster, two))) == (["0", "1"], ["2", "3"])


def test_messages_of_a_queue_that_is_gone_are_not_polled() -> None:
    cluster = MemoryCluster()
    queues = cluster.create("T", 2)
    one = subscribed(cluster)
    for queue in queues:
        cluster.store(queue, str(queue.queue_id))
    cluster.advance(0.1)
    subscribed(cluster, "c2")
    assert poll_all(cluster, one) == ["0"]


def test_assigned_queues_are_nobody_elses_business() -> None:
    cluster = MemoryCluster()
    queues = cluster.create("T", 4)
    for queue in queues:
        cluster.store(queue, str(queue.queue_id))
    made = consumer(cluster)
    made.assign(queues[1:3])
    made.start()
    cluster.advance(0.5)
    assert made.assignment() == queues[1:3]
    assert sorted(poll_all(cluster, made)) == ["1", "2"]
    data = made.consumer_data()
    assert (data.consume_type, data.subscription_data_set) == (ConsumeType.CONSUME_ACTIVELY, [])
    outcome(made.assign([queues[3]]))
    assert made.assignment() == [queues[3]]
    cluster.advance(0.1)
    assert poll_all(cluster, made) == ["3"]


def test_either_subscribe_or_assign() -> None:
    cluster = MemoryCluster()
    queues = cluster.create("T", 1)
    by_queue, by_topic = consumer(cluster), consumer(cluster, "c2")
    outcome(by_queue.assign(queues))
    with pytest.raises(ClientError, match="mutually exclusive"):
        by_queue.subscribe("T")
    by_topic.subscribe("T")
    assert isinstance(outcome(by_topic.assign(queues)), ClientError)


def test_seek() -> None:
    cluster = MemoryCluster()
    (queue,) = cluster.create("T", 1)
    cluster._at(queue).first = 100
    cluster.store(queue, *map(str, range(100, 120)))
    made = subscribed(cluster)
    assert bodies(outcome(made.poll()))[0] == "100"
    outcome(made.seek(queue, 115))
    cluster.advance(0.1)
    assert poll_all(cluster, made) == ["115", "116", "117", "118", "119"]
    outcome(made.seek_to_begin(queue))
    cluster.advance(0.1)
    assert bodies(outcome(made.poll(0)))[0] == "100"
    outcome(made.seek_to_end(queue))
    cluster.store(queue, "120")
    cluster.advance(0.1)
    assert poll_all(cluster, made) == ["120"]
    assert (outcome(made.min_offset(queue)), outcome(made.max_offset(queue))) == (100, 121)
    assert outcome(made.offset_for_timestamp(queue, START + 104)) == 104
    error = outcome(made.seek(queue, 99))
    assert "Seek offset illegal, seek offset = 99, min offset = 100, max offset = 121" in str(error)
    error = outcome(made.seek(MessageQueue("T", "broker-a", 9), 99))
    assert "is not in assigned list, may be rebalancing" in str(error)


def test_seek_while_a_poll_runs() -> None:
    """The application that a poll wakes may seek at once: the pull loop must not run over itself."""
    cluster = MemoryCluster()
    (queue,) = cluster.create("T", 1)
    made = subscribed(cluster)

    async def work() -> list[str]:
        got = bodies(await made.poll(10))
        await made.seek(queue, 0)
        return got + bodies(await made.poll(10))

    working = Deferred.fromCoroutine(work())
    cluster.store(queue, "a")
    cluster.advance(0.2)
    assert outcome(working) == ["a", "a"]


def test_pause_and_resume() -> None:
    cluster = MemoryCluster()
    queues = cluster.create("T", 2)
    made = subscribed(cluster)
    made.pause([queues[0]])
    cluster.advance(21)
    for queue in queues:
        cluster.store(queue, str(queue.queue_id))
    cluster.advance(0.1)
    assert poll_all(cluster, made) == ["1"]
    made.resume([queues[0]])
    cluster.advance(0.1)
    assert poll_all(cluster, made) == ["0"]


def test_held_messages_are_bounded() -> None:
    cluster = MemoryCluster()
    queues = cluster.create("T", 4)
    for queue in queues:
        cluster.store(queue, *map(str, range(100)))
    made = subscribed(cluster, pull_threshold_for_all=50)
    pulls = len(cluster.asked(LitePullMessage))
    assert pulls <= 9
    cluster.advance(30)
    assert len(cluster.asked(LitePullMessage)) == pulls
    assert len(poll_all(cluster, made)) == 400


def test_held_messages_of_one_queue_are_bounded() -> None:
    cluster = MemoryCluster()
    (queue,) = cluster.create("T", 1)
    cluster.store(queue, *map(str, range(100)))
    made = subscribed(cluster, pull_threshold_for_queue=20)
    assert len(cluster.asked(LitePullMessage)) == 3
    assert len(poll_all(cluster, made)) == 100


def test_queues_of_a_topic() -> None:
    cluster = MemoryCluster()
    cluster.create("T", 2)
    made = subscribed(cluster)
    assert outcome(made.fetch_message_queues("T")) == [MessageQueue("T", "broker-a", i) for i in range(2)]
    assert isinstance(outcome(made.fetch_message_queues("None")), TopicNotExistError)


def test_reset_of_offsets_forgets_positions() -> None:
    cluster = MemoryCluster()
    (queue,) = cluster.create("T", 1)
    cluster.store(queue, *"0123")
    made = subscribed(cluster)
    outcome(made.poll())
    outcome(Deferred.fromCoroutine(made.reset_offsets("T", {queue: 2})))
    cluster.advance(6)
    assert cluster.committed("G", "T") == {0: 2}
    assert poll_all(cluster, made) == ["2", "3"]


def test_there_is_no_listener() -> None:
    cluster = MemoryCluster()
    cluster.create("T", 1)
    made = subscribed(cluster)
    error = outcome(Deferred.fromCoroutine(made.consume_directly(None, "")))  # type: ignore[arg-type]
    assert isinstance(error, RemotingError)


def test_shutdown_ends_a_poll() -> None:
    cluster = MemoryCluster()
    cluster.create("T", 1)
    made = subscribed(cluster)
    polling = made.poll(100)
    outcome(made.shutdown())
    assert outcome(polling) == []
    assert isinstance(outcome(made.poll()), NotRunningError)


def test_a_queue_that_comes_back_goes_on_where_others_were() -> None:
    cluster = MemoryCluster()
    queues = cluster.create("T", 2)
    for queue in queues:
        cluster.store(queue, "a")
    first = subscribed(cluster)
    assert poll_all(cluster, first) == ["a", "a"]
    cluster.advance(6)
    outcome(first.poll(0))
    second = subscribed(cluster, "c2")
    (moved,) = second.assignment()
    cluster.store(moved, "b", "c")
    assert poll_all(cluster, second) == ["b", "c"]
    outcome(second.shutdown())
    cluster.advance(1)
    assert first.assignment() == queues
    cluster.advance(6)
    outcome(first.poll(0))
    outcome(first.commit())
    assert cluster.committed("G", "T")[moved.queue_id] == 3


def test_a_queue_that_is_assigned_while_the_consumer_stops_does_not_begin() -> None:
    cluster = MemoryCluster()
    (queue,) = cluster.create("T", 1)
    made = consumer(cluster)
    made.start()
    cluster.advance(0.5)
    reading: list[Deferred[Any]] = []

    def read(*_: object) -> Deferred[Any]:
        reading.append(Deferred())
        return reading[-1]

    cluster._QueryConsumerOffset = read  # type: ignore[method-assign, assignment]
    assigning = made.assign([queue])
    outcome(made.shutdown())
    cluster.failures[LitePullMessage] = RemotingError("gone")
    reading[0].callback(Command(0, {"offset": "0"}))
    assigning.addErrback(lambda _: None)
    cluster.advance(10)
    assert cluster.asked(LitePullMessage) == []
    assert cluster.clock.getDelayedCalls() == []
