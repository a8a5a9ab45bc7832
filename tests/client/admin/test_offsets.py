"""Moving groups to other offsets."""

from typing import Any

import pytest

from rmq.client.admin.errors import GroupOnlineError, OffsetPendingError, OffsetRangeError, UnknownBrokerError
from rmq.client.admin.offsets import (
    END,
    Move,
    QueueReset,
    Reset,
    broker_address,
    preview_reset,
    reset_group,
    reset_queue,
    target_offset,
)
from rmq.wire.bodies.connection import Connection, ConsumerConnection
from rmq.wire.bodies.consume import ConsumeStats, OffsetWrapper
from rmq.wire.bodies.offset import ResetOffsetBody
from rmq.wire.bodies.route import BrokerData, MessageQueue, QueueData, TopicRouteData
from rmq.wire.bodies.topic import TopicOffset, TopicStatsTable
from rmq.wire.declare import spec_of
from rmq.wire.errors import ConsumerNotOnlineError, RemotingError, SubscriptionGroupNotExistError
from rmq.wire.requests.broker import GetBrokerConfig
from rmq.wire.requests.consumer import GetConsumerConnectionList, GetConsumeStats
from rmq.wire.requests.offset import (
    GetMaxOffset,
    GetMinOffset,
    OffsetReply,
    SearchOffsetByTimestamp,
    UpdateConsumerOffset,
)
from rmq.wire.requests.reset import InvokeBrokerToResetOffset
from rmq.wire.requests.topic import GetTopicStatsInfo
from tests.kit.adminfake import MASTER_A, MASTER_B, FakeServers, Reply, operate, route

A0 = MessageQueue("T", "broker-a", 0)
B0, B1 = MessageQueue("T", "broker-b", 0), MessageQueue("T", "broker-b", 1)
KEEPS = b"brokerName=x\nuseServerSideResetOffset=true\n"


def moved(address: str, header: InvokeBrokerToResetOffset) -> ResetOffsetBody:
    return ResetOffsetBody({A0: 7} if address == MASTER_A else {B1: 9, B0: 8})


def servers(**answers: Any) -> FakeServers:
    """A topic T with one queue on broker-a and two on broker-b; group G is at 4 of 10 on each, 6 is at the time."""
    made = FakeServers(
        {
            InvokeBrokerToResetOffset: moved,
            GetBrokerConfig: KEEPS,
            GetConsumeStats: progress,
            SearchOffsetByTimestamp: Reply(header=OffsetReply(6)),
            GetMaxOffset: Reply(header=OffsetReply(10)),
            GetMinOffset: Reply(header=OffsetReply(2)),
        }
    )
    made.routes = {"T": route()}
    return made


def progress(address: str, header: GetConsumeStats) -> ConsumeStats:
    queues = [A0] if address == MASTER_A else [B0, B1]
    other = MessageQueue("Other", "broker-a", 0)
    return ConsumeStats({queue: OffsetWrapper(10, 4, 4, 0) for queue in [*queues, other]})


def changed(made: FakeServers) -> list[tuple[str, Any]]:
    """Requests that change something."""
    return [(address, header) for address, header, _ in made.calls if spec_of(type(header)).changes]


def test_every_broker_moves_the_group() -> None:
    made = servers()
    result = operate(made, lambda admin: reset_group(admin, Reset("G", "T", 5000, force=False)))
    assert list(result.moved.items()) == [(A0, 7), (B0, 8), (B1, 9)]
    assert (result.committed, result.failures) == ([], [])
    assert changed(made) == [
        (address, InvokeBrokerToResetOffset("G", "T", 5000, -1, -1, False)) for address in (MASTER_A, MASTER_B)
    ]


def test_a_broker_that_refuses_does_not_keep_the_other_from_it() -> None:
    made = servers()
    made.answers[InvokeBrokerToResetOffset] = lambda address, header: (
        SubscriptionGroupNotExistError("gone") if address == MASTER_A else moved(address, header)
    )
    result = operate(made, lambda admin: reset_group(admin, Reset("G", "T", 5000)))
    assert result.moved == {B0: 8, B1: 9}
    assert [(failure.address, failure.remark) for failure in result.failures] == [(MASTER_A, "gone")]


def test_offsets_of_an_offline_group_are_committed() -> None:
    made = servers()
    made.answers[InvokeBrokerToResetOffset] = lambda address, header: (
        ConsumerNotOnlineError("nobody") if address == MASTER_B else moved(address, header)
    )
    result = operate(made, lambda admin: reset_group(admin, Reset("G", "T", 5000)))
    assert result.moved == {A0: 7}
    assert result.committed == [Move(B0, 10, 4, 6, 6), Move(B1, 10, 4, 6, 6)]
    assert made.sent(UpdateConsumerOffset) == [
        (MASTER_B, UpdateConsumerOffset("G", "T", 0, 6)), (MASTER_B, UpdateConsumerOffset("G", "T", 1, 6))
    ]  # fmt: skip


def test_an_offline_group_is_not_moved_forward_without_force() -> None:
    made = servers()
    made.answers[InvokeBrokerToResetOffset] = ConsumerNotOnlineError("nobody")
    result = operate(made, lambda admin: reset_group(admin, Reset("G", "T", 5000, force=False, broker="broker-a")))
    assert result.committed == [Move(A0, 10, 4, 6, 4)]
    assert made.sent(UpdateConsumerOffset) == []


def test_an_offline_group_that_never_consumed_begins_where_its_queues_do() -> None:
    made = servers()
    bounds = {queue: TopicOffset(3, 10, 0) for queue in (B0, B1, MessageQueue("T", "broker-b", 2))}
    made.answers |= {
        InvokeBrokerToResetOffset: ConsumerNotOnlineError("nobody"),
        GetConsumeStats: ConsumeStats(),
        GetTopicStatsInfo: TopicStatsTable(bounds),
    }
    result = operate(made, lambda admin: reset_group(admin, Reset("G", "T", END, broker=MASTER_B)))
    assert result.committed == [Move(B0, 10, 3, 10, 10), Move(B1, 10, 3, 10, 10)]
    assert [header.commit_offset for _, header in made.sent(UpdateConsumerOffset)] == [10, 10]


def test_an_offset_that_the_broker_passes_over_is_no_success() -> None:
    class Passed(FakeServers):
        async def call(self, address: str, header: Any, body: Any = b"", **rest: Any) -> Any:
            answer = await super().call(address, header, body, **rest)
            if isinstance(header, UpdateConsumerOffset):
                answer.remark = "Offset has been previously reset"
            return answer

    made = Passed(servers().answers | {InvokeBrokerToResetOffset: ConsumerNotOnlineError("nobody")})
    made.routes = {"T": route()}
    result = operate(made, lambda admin: reset_group(admin, Reset("G", "T", 5000, broker="broker-a")))
    assert (result.moved, result.committed) == ({}, [])
    [failure] = result.failures
    assert isinstance(failure, OffsetPendingError)
    assert failure.remark.endswith("was not taken: Offset has been previously reset")


def test_only_the_brokers_of_a_cluster() -> None:
    made = servers()
    made.routes["T"] = TopicRouteData(
        [BrokerData("broker-a", "C1", {0: MASTER_A}), BrokerData("broker-b", "C2", {0: MASTER_B})],
        [QueueData("broker-a", 1, 1, 6), QueueData("broker-b", 2, 2, 6)],
    )
    assert operate(made, lambda admin: reset_group(admin, Reset("G", "T", 1, cluster="C2"))).moved == {B0: 8, B1: 9}
    with pytest.raises(RemotingError, match="not matched route info"):
        operate(made, lambda admin: reset_group(admin, Reset("G", "T", 1, cluster="C3")))


def test_the_route_of_an_lmq_topic_is_that_of_another() -> None:
    made = servers()
    made.routes = {"parent": route(QueueData("broker-a", 1, 1, 6))}
    operate(made, lambda admin: reset_group(admin, Reset("G", "%LMQ%x", 1, cluster="parent")))
    assert [(address, header.topic) for address, header in changed(made)] == [(MASTER_A, "%LMQ%x")]


def test_a_broker_that_does_not_hold_the_topic() -> None:
    with pytest.raises(UnknownBrokerError) as caught:
        operate(servers(), lambda admin: reset_group(admin, Reset("G", "T", 1, broker="broker-c")))
    assert caught.value.known == ["broker-a", "broker-b"]


@pytest.mark.parametrize(("keeps", "force", "new"), [(KEEPS, False, 6), (b"", False, 4), (b"", True, 6)])
def test_a_preview_changes_nothing(keeps: bytes, force: bool, new: int) -> None:
    made = servers()
    made.answers[GetBrokerConfig] = keeps
    moves = operate(made, lambda admin: preview_reset(admin, Reset("G", "T", 5000, force=force)))
    assert moves == [Move(queue, 10, 4, 6, new) for queue in (A0, B0, B1)]
    assert changed(made) == []


def test_one_queue() -> None:
    made = servers()
    wanted = QueueReset("G", "T", 1, MASTER_B, None, 5000)
    assert operate(made, lambda admin: target_offset(admin, wanted)) == 6
    operate(made, lambda admin: reset_queue(admin, wanted, 0))
    assert changed(made) == [(MASTER_B, InvokeBrokerToResetOffset("G", "T", 5000, 1, 0, True))]


def test_the_end_of_one_queue() -> None:
    wanted = QueueReset("G", "T", 1, MASTER_B, None, END)
    assert operate(servers(), lambda admin: target_offset(admin, wanted)) == 10
    assert operate(servers(), lambda admin: target_offset(admin, wanted._replace(offset=3))) == 3


def test_one_queue_where_the_broker_would_move_all() -> None:
    made = servers()
    made.answers |= {GetBrokerConfig: b"useServerSideResetOffset=false\n", GetConsumerConnectionList: b""}
    made.answers[GetConsumerConnectionList] = ConsumerNotOnlineError("nobody")
    wanted = QueueReset("G", "T", 1, MASTER_B, 5, 0)
    operate(made, lambda admin: reset_queue(admin, wanted, 5))
    assert changed(made) == [(MASTER_B, UpdateConsumerOffset("G", "T", 1, 5))]
    with pytest.raises(OffsetRangeError, match=r"Target offset 1 not in consume queue range \[2-10\]"):
        operate(made, lambda admin: reset_queue(admin, wanted, 1))
    with pytest.raises(OffsetRangeError):
        operate(made, lambda admin: reset_queue(admin, wanted, 11))
    made.answers[GetConsumerConnectionList] = ConsumerConnection([Connection("c", "x:1", "JAVA", 493)])
    with pytest.raises(GroupOnlineError, match="stop them first"):
        operate(made, lambda admin: reset_queue(admin, wanted, 5))
    assert len(changed(made)) == 1


def test_a_broker_by_name_or_address() -> None:
    assert operate(FakeServers(), lambda admin: broker_address(admin, "broker-b")) == MASTER_B
    assert operate(FakeServers(), lambda admin: broker_address(admin, "10.9.9.9:1")) == "10.9.9.9:1"
    with pytest.raises(UnknownBrokerError):
        operate(FakeServers(), lambda admin: broker_address(admin, "nope"))
