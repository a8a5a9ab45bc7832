"""Dividing queues among clients."""

import pytest

from rmq.server.broker.pop.assigning import assign_pop, assign_pull, averagely, by_circle
from rmq.wire.bodies.route import MessageQueue


def queues(count: int, broker: str = "a") -> list[MessageQueue]:
    return [MessageQueue("T", broker, number) for number in range(count)]


def ids(found: list[MessageQueue]) -> list[int]:
    return [queue.queue_id for queue in found]


@pytest.mark.parametrize(
    ("count", "clients", "average", "circle"),
    [
        (8, 3, [[0, 1, 2], [3, 4, 5], [6, 7]], [[0, 3, 6], [1, 4, 7], [2, 5]]),
        (4, 4, [[0], [1], [2], [3]], [[0], [1], [2], [3]]),
        (2, 3, [[0], [1], []], [[0], [1], []]),
    ],
)
def test_strategies(count: int, clients: int, average: list[list[int]], circle: list[list[int]]) -> None:
    assert [ids(averagely(index, queues(count), clients)) for index in range(clients)] == average
    assert [ids(by_circle(index, queues(count), clients)) for index in range(clients)] == circle


def test_pulling() -> None:
    assert ids(assign_pull(averagely, "c2", queues(4), ["c1", "c2"])) == [2, 3]
    assert assign_pull(averagely, "stranger", queues(4), ["c1", "c2"]) == []


@pytest.mark.parametrize("share", [-1, 0, 2, 9])
def test_everybody_pops_from_everything(share: int) -> None:
    both = queues(2) + queues(3, "b")
    every = [MessageQueue("T", "a", -1), MessageQueue("T", "b", -1)]
    assert assign_pop(averagely, "c1", both, ["c1", "c2", "c3"], share) == every
    assert assign_pop(averagely, "stranger", both, ["c1", "c2", "c3"], share) == every


def test_queues_shared_with_the_next() -> None:
    clients = ["c1", "c2", "c3", "c4"]
    assert [ids(assign_pop(averagely, client, queues(8), clients, 1)) for client in clients] == [
        [0, 1, 2, 3], [2, 3, 4, 5], [4, 5, 6, 7], [6, 7, 0, 1],
    ]  # fmt: skip
    assert ids(assign_pop(by_circle, "c4", queues(8), clients, 2)) == [3, 7, 0, 4, 1, 5]
    assert assign_pop(averagely, "stranger", queues(8), clients, 1) == []


def test_more_clients_than_queues() -> None:
    clients = ["c1", "c2", "c3", "c4", "c5"]
    found = [ids(assign_pop(averagely, client, queues(2), clients, 1)) for client in clients]
    assert found == [[0], [1], [0], [1], [0]]
    assert assign_pop(averagely, "c1", [], clients, 1) == []
