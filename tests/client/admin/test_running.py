"""Consumers from the inside."""

from typing import Any

import pytest

from rmq.client.admin.errors import GroupOfflineError
from rmq.client.admin.running import (
    Member,
    members,
    queue_owners,
    queue_troubles,
    running_info,
    same_subscriptions,
)
from rmq.wire.bodies.connection import Connection, ConsumerConnection
from rmq.wire.bodies.heartbeat import SubscriptionData
from rmq.wire.bodies.route import MessageQueue, TopicRouteData
from rmq.wire.bodies.running import ConsumerRunningInfo, ProcessQueueInfo
from rmq.wire.errors import RemotingError, SystemBusyError
from rmq.wire.requests.consumer import GetConsumerConnectionList, GetConsumerRunningInfo
from tests.kit.adminfake import MASTER_A, MASTER_B, NOW, FakeServers, operate, route

QUEUE = MessageQueue("T", "broker-a", 0)
ONE, TWO = Connection("one", "10.1.1.1:5", "JAVA", 493), Connection("two", "10.1.1.2:5", "JAVA", 493)
MINUTES = 60_000


def info(*wanted: str, started: int = 5 * MINUTES, **properties: str) -> ConsumerRunningInfo:
    """A push consumer that started so many ms ago."""
    known = {"PROP_CONSUME_TYPE": "CONSUME_PASSIVELY", "PROP_CONSUMER_START_TIMESTAMP": str(NOW - started)}
    return ConsumerRunningInfo(known | properties, [SubscriptionData("T", tags) for tags in wanted])


def servers() -> FakeServers:
    def running(address: str, header: GetConsumerRunningInfo) -> Any:
        if header.client_id == "two":
            return SystemBusyError("busy")
        return ConsumerRunningInfo({"jstack": str(header.jstack_enable)}, mq_table={QUEUE: ProcessQueueInfo()})

    made = FakeServers({GetConsumerConnectionList: ConsumerConnection([ONE, TWO]), GetConsumerRunningInfo: running})
    made.routes = {"%RETRY%G": route()}
    return made


def test_a_client_is_asked_through_a_broker_of_its_group() -> None:
    made = servers()
    operate(made, lambda admin: running_info(admin, "G", "one"))
    operate(made, lambda admin: running_info(admin, "G", "one", address=MASTER_B, jstack=True))
    assert made.sent(GetConsumerRunningInfo) == [
        (MASTER_A, GetConsumerRunningInfo("G", "one", False)), (MASTER_B, GetConsumerRunningInfo("G", "one", True))
    ]  # fmt: skip


def test_a_group_whose_brokers_are_gone() -> None:
    made = servers()
    made.routes = {"%RETRY%G": TopicRouteData()}
    with pytest.raises(GroupOfflineError):
        operate(made, lambda admin: running_info(admin, "G", "one"))


def test_members() -> None:
    first, second = operate(servers(), lambda admin: members(admin, "G", jstack=True))
    expected = ConsumerRunningInfo({"jstack": "True"}, mq_table={QUEUE: ProcessQueueInfo()})
    assert first == Member(ONE, expected)
    assert second.client == TWO
    assert isinstance(second.info, SystemBusyError)


def test_owners_of_queues() -> None:
    made = servers()
    with pytest.raises(RemotingError, match="busy"):
        operate(made, lambda admin: queue_owners(admin, "G"))
    made.answers[GetConsumerConnectionList] = ConsumerConnection([ONE])
    assert operate(made, lambda admin: queue_owners(admin, "G")) == {QUEUE: "one"}


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (info("A", "B"), info("B", "A"), True),
        (info("A"), info("B"), False),
        (info("A"), info(), False),
        (info("A", started=2 * MINUTES), info("B"), True),
        (info("A", PROP_CONSUME_TYPE="CONSUME_ACTIVELY"), info("B"), True),
        (info("A"), info("A", started=0), True),
    ],
)
def test_subscriptions_of_a_group(first: ConsumerRunningInfo, second: ConsumerRunningInfo, same: bool) -> None:
    assert same_subscriptions({"y": second, "x": first}, NOW) is same


def test_no_clients_are_at_odds() -> None:
    assert same_subscriptions({}, NOW)


def held(**more: Any) -> ProcessQueueInfo:
    return ProcessQueueInfo(last_consume_timestamp=NOW - 2 * MINUTES, last_lock_timestamp=NOW - 3, **more)


@pytest.mark.parametrize(
    ("orderly", "queue", "text"),
    [
        (False, held(cached_msg_count=1), "can't consume for a while, maybe blocked, 120000ms"),
        (False, held(), None),
        (False, ProcessQueueInfo(cached_msg_count=1, last_consume_timestamp=NOW - MINUTES), None),
        (True, held(cached_msg_count=1, locked=True), None),
        (True, held(), "can't lock for a while, 3ms"),
        (True, held(locked=True, droped=True, try_unlock_times=4), "unlock 4 times, still failed"),
        (True, held(locked=True, droped=True), None),
    ],
)
def test_troubles_with_queues(orderly: bool, queue: ProcessQueueInfo, text: str | None) -> None:
    running = info("A", PROP_CONSUMEORDERLY=str(orderly).lower())
    running.mq_table[QUEUE] = queue
    found = queue_troubles("me", running, NOW)
    assert found == ([] if text is None else [(QUEUE, f"me {QUEUE} {text}")])


def test_pull_consumers_have_no_troubles() -> None:
    running = info("A", PROP_CONSUME_TYPE="CONSUME_ACTIVELY")
    running.mq_table[QUEUE] = held(cached_msg_count=1)
    assert queue_troubles("me", running, NOW) == []
