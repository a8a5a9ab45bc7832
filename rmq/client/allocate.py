"""Divides the queues of a topic among the consumers of a group.

Every member computes the same division by itself, so the order of queues and ids must be the same for all: sorted.

Source: AllocateMessageQueueAveragely.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rmq.wire.bodies.route import MessageQueue

AllocateStrategy = Callable[[str, Sequence[MessageQueue], Sequence[str]], list[MessageQueue]]
"""Gets the own client id, all queues sorted and all client ids sorted; returns the own queues."""


def allocate_averagely(
    client_id: str, queues: Sequence[MessageQueue], client_ids: Sequence[str]
) -> list[MessageQueue]:
    """A run of neighbouring queues for each client; the first ones get one more when it does not come out even.

    A client that is not among the ids gets nothing.
    """
    if client_id not in client_ids:
        return []
    index = client_ids.index(client_id)
    share, rest = divmod(len(queues), len(client_ids))
    start = index * share + min(index, rest)
    return list(queues[start : start + share + (index < rest)])
