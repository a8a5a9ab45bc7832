"""Locks on queues: who gets one, for how long, and how many there can be."""

import pytest
from twisted.internet.task import Clock

from rmq.server.broker import locks as locks_module
from rmq.server.broker.locks import QueueLocks
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.errors import InvalidParameterError, SystemBusyError


def queues(*ids: int, topic: str = "T") -> list[MessageQueue]:
    return [MessageQueue(topic, "broker-a", number) for number in ids]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def locks(clock: Clock) -> QueueLocks:
    return QueueLocks(clock)


def test_free_queues_are_the_first_clients(locks: QueueLocks) -> None:
    assert locks.lock("G", queues(0, 1), "one") == queues(0, 1)
    assert locks.lock("G", queues(0, 1, 2), "two") == queues(2)
    assert locks.lock("G", queues(2, 1, 0), "one") == queues(1, 0)


def test_groups_do_not_disturb_each_other(locks: QueueLocks) -> None:
    assert locks.lock("G", queues(0), "one") == queues(0)
    assert locks.lock("H", queues(0), "two") == queues(0)


def test_queues_of_other_topics_and_brokers_are_others(locks: QueueLocks) -> None:
    locks.lock("G", queues(0), "one")
    others = [MessageQueue("U", "broker-a", 0), MessageQueue("T", "broker-b", 0)]
    assert locks.lock("G", others, "two") == others


def test_a_lock_lasts_a_minute_and_renewing_begins_it_anew(locks: QueueLocks, clock: Clock) -> None:
    locks.lock("G", queues(0, 1), "one")
    clock.advance(50)
    assert locks.lock("G", queues(1), "one") == queues(1)
    clock.advance(10)
    assert locks.lock("G", queues(0, 1), "two") == []
    clock.advance(0.001)
    assert locks.lock("G", queues(0, 1), "two") == queues(0)
    assert locks.lock("G", queues(0), "one") == []
    clock.advance(50)
    assert locks.lock("G", queues(0, 1), "two") == queues(0, 1)


def test_the_owner_may_come_back_late(locks: QueueLocks, clock: Clock) -> None:
    locks.lock("G", queues(0), "one")
    clock.advance(61)
    assert locks.lock("G", queues(0), "one") == queues(0)
    assert locks.lock("G", queues(0), "two") == []


def test_only_the_owner_unlocks(locks: QueueLocks) -> None:
    locks.lock("G", queues(0, 1), "one")
    locks.unlock("G", queues(0, 1, 2), "two")
    locks.unlock("H", queues(0, 1), "one")
    assert locks.lock("G", queues(0, 1), "two") == []
    locks.unlock("G", queues(1, 2), "one")
    assert locks.lock("G", queues(0, 1), "two") == queues(1)


def test_a_queue_named_twice_is_one(locks: QueueLocks) -> None:
    assert locks.lock("G", queues(3, 3), "one") == queues(3)
    locks.unlock("G", queues(3, 3), "one")
    assert locks.lock("G", queues(3), "two") == queues(3)


def test_a_group_is_ordered_while_a_lock_lasts(locks: QueueLocks, clock: Clock) -> None:
    assert not locks.is_ordered("G")
    locks.lock("G", queues(0), "one")
    clock.advance(30)
    locks.lock("G", queues(1), "two")
    assert locks.is_ordered("G")
    assert not locks.is_ordered("H")
    clock.advance(60)
    assert locks.is_ordered("G")
    clock.advance(0.001)
    assert not locks.is_ordered("G")


def test_a_group_that_gave_everything_back_is_not_ordered(locks: QueueLocks) -> None:
    locks.lock("G", queues(0), "one")
    locks.unlock("G", queues(0), "one")
    assert not locks.is_ordered("G")


def test_locks_are_bounded_and_those_that_are_over_make_room(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks_module, "MAX_LOCKS", 3)
    locks = QueueLocks(clock)
    locks.start()
    assert locks.lock("G", queues(0, 1), "one") == queues(0, 1)
    assert locks.lock("H", queues(0), "one") == queues(0)
    with pytest.raises(SystemBusyError, match="3 queues are locked on this broker and no more can be"):
        locks.lock("G", queues(2), "one")
    assert locks.lock("G", queues(1), "one") == queues(1), "what is held can be renewed"
    clock.advance(30)
    locks.lock("H", queues(0), "one")
    clock.advance(30)
    clock.advance(30)
    assert locks.lock("I", queues(0, 1), "one") == queues(0, 1), "two locks of G are over"
    with pytest.raises(SystemBusyError):
        locks.lock("I", queues(2), "one")
    locks.unlock("H", queues(0), "one")
    assert locks.lock("I", queues(2), "one") == queues(2)
    locks.stop()
    assert clock.getDelayedCalls() == []


@pytest.mark.parametrize(
    ("group", "topic", "client", "text"),
    [
        ("G" * 256, "T", "c", "a name of 256 characters is longer than 255"),
        ("G", "T" * 300, "c", "a name of 300 characters is longer than 255"),
        ("G", "T", "c" * 1025, "clientId of 1025 characters is longer than 1024"),
    ],
)
def test_long_names_are_refused(locks: QueueLocks, group: str, topic: str, client: str, text: str) -> None:
    with pytest.raises(InvalidParameterError, match=text):
        locks.lock(group, queues(0, topic=topic), client)
    assert not locks.is_ordered(group)
