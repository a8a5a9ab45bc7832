"""Divides a topic's queues among the clients of a group, on the broker.

A group that pulls gets every queue once. One that pops may let each client pop from every broker's queues, which is
queue id -1; or let each share its queues with so many clients that follow it, so that a slow one holds nobody up.

Source: QueryAssignmentProcessor, AllocateMessageQueueAveragely, AllocateMessageQueueAveragelyByCircle.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from rmq.wire.bodies.route import MessageQueue

Strategy = Callable[[int, Sequence[MessageQueue], int], list[MessageQueue]]
"""The queues of the n-th of so many clients."""

_ALL_QUEUES: Final = -1


def averagely(index: int, queues: Sequence[MessageQueue], clients: int) -> list[MessageQueue]:
    """A run of neighbouring queues each; the first clients get one more when it does not come out even."""
    share, rest = divmod(len(queues), clients)
    start = index * share + min(index, rest)
    return list(queues[start : start + share + (index < rest)])


def by_circle(index: int, queues: Sequence[MessageQueue], clients: int) -> list[MessageQueue]:
    """The queues are dealt like cards."""
    return list(queues[index::clients])


STRATEGIES: Final[dict[str, Strategy]] = {"AVG": averagely, "AVG_BY_CIRCLE": by_circle}
"""Strategies by the names that clients give."""


def assign_pull(
    strategy: Strategy, client_id: str, queues: Sequence[MessageQueue], client_ids: Sequence[str]
) -> list[MessageQueue]:
    """The queues that a client pulls; none for one that is not of the group."""
    if client_id not in client_ids:
        return []
    return strategy(client_ids.index(client_id), queues, len(client_ids))


def assign_pop(
    strategy: Strategy, client_id: str, queues: Sequence[MessageQueue], client_ids: Sequence[str], share: int
) -> list[MessageQueue]:
    """The queues that a client pops from.

    Args:
        strategy: how shares are made.
        client_id: the client.
        queues: all of the topic, sorted.
        client_ids: all of the group, sorted.
        share: from how many clients after it a client pops too; none or all of them: everybody pops from everything.
    """
    clients = len(client_ids)
    if share <= 0 or share >= clients - 1:
        brokers = dict.fromkeys((queue.topic, queue.broker_name) for queue in queues)
        return [MessageQueue(topic, broker, _ALL_QUEUES) for topic, broker in brokers]
    if client_id not in client_ids:
        return []
    index = client_ids.index(client_id)
    if clients > len(queues):
        return [queues[index % len(queues)]] if queues else []
    shares = (strategy((index + each) % clients, queues, clients) for each in range(share + 1))
    return list(dict.fromkeys(queue for some in shares for queue in some))
