"""The division of queues."""

import pytest

from rmq.client.allocate import allocate_averagely
from rmq.wire.bodies.route import MessageQueue


def queues(count: int) -> list[MessageQueue]:
    return [MessageQueue("T", "b", i) for i in range(count)]


@pytest.mark.parametrize(
    ("count", "clients", "shares"),
    [
        (8, 1, [8]),
        (8, 2, [4, 4]),
        (8, 3, [3, 3, 2]),
        (4, 4, [1, 1, 1, 1]),
        (2, 4, [1, 1, 0, 0]),
        (10, 4, [3, 3, 2, 2]),
        (0, 2, [0, 0]),
    ],
)
def test_shares_are_even_and_neighbouring(count: int, clients: int, shares: list[int]) -> None:
    """As AllocateMessageQueueAveragely: the first clients get one more; all together have every queue once."""
    ids = [f"c{i}" for i in range(clients)]
    parts = [allocate_averagely(client, queues(count), ids) for client in ids]
    assert [len(part) for part in parts] == shares
    assert [queue for part in parts for queue in part] == queues(count)


def test_a_client_that_is_not_a_member_gets_nothing() -> None:
    assert allocate_averagely("stranger", queues(4), ["a", "b"]) == []
    assert allocate_averagely("stranger", queues(4), []) == []
