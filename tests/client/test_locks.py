"""Locks on queues: asked for, renewed, trusted for a while, given back."""

from typing import Any

from twisted.internet.defer import Deferred, succeed

from rmq.client.locks import QueueLocks
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.errors import SystemBusyError
from rmq.wire.requests.lock import LockBatchMq, UnlockBatchMq
from tests.kit.cluster import MemoryCluster


class Client:
    """A client with the routes it needs, and a listener that works until it is told to rest."""

    def __init__(self, cluster: MemoryCluster, name: str) -> None:
        instance = cluster.instance(name)
        instance.routes.refresh("T")
        self.resting: Deferred[None] = succeed(None)
        self.locks = QueueLocks(instance, "G", lambda _: self.resting)


def outcome(coroutine: Any) -> Any:
    outcomes: list[Any] = []
    Deferred.fromCoroutine(coroutine).addBoth(outcomes.append)
    return outcomes[0]


def test_one_client_has_the_lock() -> None:
    cluster = MemoryCluster(brokers=2)
    queues = cluster.create("T", 2)
    one, two = Client(cluster, "c1").locks, Client(cluster, "c2").locks
    assert outcome(one.acquire(queues[0])) is True
    assert outcome(two.acquire(queues[0])) is False
    assert (one.holds(queues[0]), two.holds(queues[0]), one.holds(queues[1])) == (True, False, False)
    assert one.last_locked(queues[0]) == cluster.now()


def test_renewal_asks_each_broker_once() -> None:
    cluster = MemoryCluster(brokers=2)
    queues = cluster.create("T", 2)
    locks = Client(cluster, "c1").locks
    outcome(locks.renew(queues))
    bodies = [call for call in cluster.calls if isinstance(call.header, LockBatchMq)]
    assert [call.address for call in bodies] == ["10.0.0.1:10911", "10.0.0.2:10911"]
    assert b'"consumerGroup":"G"' in bodies[0].body
    assert all(locks.holds(queue) for queue in queues)


def test_a_lock_is_trusted_for_half_a_minute() -> None:
    cluster = MemoryCluster()
    (queue,) = cluster.create("T", 1)
    locks = Client(cluster, "c1").locks
    outcome(locks.acquire(queue))
    cluster.failures[LockBatchMq] = SystemBusyError("busy")
    cluster.clock.advance(30)
    outcome(locks.renew([queue]))
    assert locks.holds(queue)
    cluster.clock.advance(0.001)
    assert not locks.holds(queue)


def test_a_lock_that_somebody_else_got_is_lost() -> None:
    cluster = MemoryCluster()
    (queue,) = cluster.create("T", 1)
    locks = Client(cluster, "c1").locks
    outcome(locks.acquire(queue))
    cluster.locks["G", queue] = "somebody"
    outcome(locks.renew([queue]))
    assert (locks.holds(queue), locks.last_locked(queue)) == (False, 0)


def test_a_queue_is_unlocked_when_its_listener_rests() -> None:
    cluster = MemoryCluster()
    (queue,) = cluster.create("T", 1)
    client = Client(cluster, "c1")
    outcome(client.locks.acquire(queue))
    client.resting = Deferred()
    client.locks.let_go(queue)
    assert cluster.asked(UnlockBatchMq) == []
    # Until then it may not begin again here either.
    assert outcome(client.locks.acquire(queue)) is False
    client.resting.callback(None)
    assert (len(cluster.asked(UnlockBatchMq)), cluster.locks) == (1, {})
    assert outcome(client.locks.acquire(queue)) is True


def test_a_listener_that_never_rests_does_not_keep_the_queue() -> None:
    cluster = MemoryCluster()
    (queue,) = cluster.create("T", 1)
    client = Client(cluster, "c1")
    outcome(client.locks.acquire(queue))
    client.resting = Deferred()
    client.locks.let_go(queue)
    cluster.clock.advance(20)
    assert cluster.locks == {}


def test_only_what_is_held_is_given_back() -> None:
    cluster = MemoryCluster()
    queues = cluster.create("T", 2)
    locks = Client(cluster, "c1").locks
    outcome(locks.acquire(queues[0]))
    outcome(locks.unlock([*queues, MessageQueue("U", "gone", 0)]))
    (call,) = [call for call in cluster.calls if isinstance(call.header, UnlockBatchMq)]
    assert (call.body.count(b'"queueId"'), cluster.locks) == (1, {})


def test_a_broker_that_is_away() -> None:
    cluster = MemoryCluster()
    (queue,) = cluster.create("T", 1)
    locks = Client(cluster, "c1").locks
    cluster.down.add("10.0.0.1:10911")
    assert outcome(locks.acquire(queue)) is False
    cluster.down.clear()
    outcome(locks.acquire(queue))
    cluster.down.add("10.0.0.1:10911")
    outcome(locks.unlock([queue]))
    assert not locks.holds(queue)
