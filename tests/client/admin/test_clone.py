"""Giving a group the offsets of another one."""

from typing import Any

import pytest

from rmq.client.admin.clone import Copy, clone_offsets, preview_clone
from rmq.client.admin.errors import NoOffsetsError
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.errors import QueryNotFoundError, SubscriptionGroupNotExistError, TopicNotExistError
from rmq.wire.requests.offset import OffsetReply, QueryConsumerOffset, UpdateConsumerOffset
from tests.kit.adminfake import MASTER_A, MASTER_B, FakeServers, Reply, operate, route

OFFSETS = {("Source", MASTER_A, 0): 5, ("Source", MASTER_B, 1): 7, ("Target", MASTER_B, 1): 2}
COPIES = [
    Copy(MessageQueue("T", "broker-a", 0), MASTER_A, 5, None),
    Copy(MessageQueue("T", "broker-b", 1), MASTER_B, 7, 2),
]


def committed(address: str, header: QueryConsumerOffset) -> Any:
    assert header.set_zero_if_not_found is False
    offset = OFFSETS.get((header.consumer_group, address, header.queue_id))
    return QueryNotFoundError("none") if offset is None else Reply(header=OffsetReply(offset))


def servers() -> FakeServers:
    made = FakeServers({QueryConsumerOffset: committed})
    made.routes = {"T": route()}
    return made


def test_offsets_are_copied_where_there_are_any() -> None:
    made = servers()
    result = operate(made, lambda admin: clone_offsets(admin, "Source", "Target", "T"))
    assert (result.copied, result.failures) == (COPIES, [])
    assert made.sent(UpdateConsumerOffset) == [
        (MASTER_A, UpdateConsumerOffset("Target", "T", 0, 5)),
        (MASTER_B, UpdateConsumerOffset("Target", "T", 1, 7)),
    ]


def test_a_preview_changes_nothing() -> None:
    made = servers()
    assert operate(made, lambda admin: preview_clone(admin, "Source", "Target", "T")) == COPIES
    assert made.sent(UpdateConsumerOffset) == []


def test_a_failure_is_told_beside_what_was_copied() -> None:
    made = servers()
    made.answers[UpdateConsumerOffset] = lambda address, header: (
        SubscriptionGroupNotExistError("no Target") if address == MASTER_A else b""
    )
    result = operate(made, lambda admin: clone_offsets(admin, "Source", "Target", "T"))
    assert result.copied == COPIES[1:]
    assert [failure.remark for failure in result.failures] == ["no Target"]


def test_a_group_without_offsets() -> None:
    with pytest.raises(NoOffsetsError, match="the group nope has no offsets in the topic T"):
        operate(servers(), lambda admin: clone_offsets(admin, "nope", "Target", "T"))


def test_an_unknown_topic() -> None:
    with pytest.raises(TopicNotExistError):
        operate(servers(), lambda admin: clone_offsets(admin, "Source", "Target", "nope"))
