"""Giving a consumer group the offsets of another one.

They are read and committed queue by queue. It does not matter what the source group subscribes to now, and a queue on
which it never was is left alone. A preview tells what would be copied.

Source: CloneGroupOffsetCommand.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from rmq.client.admin.clusters import chosen_address
from rmq.client.admin.errors import NoOffsetsError
from rmq.client.admin.offsets import commit_offset
from rmq.client.admin.session import Admin
from rmq.client.admin.topics import topic_route
from rmq.wire.bodies.route import MessageQueue, TopicRouteData
from rmq.wire.errors import QueryNotFoundError, RemotingError
from rmq.wire.requests.offset import OffsetReply, QueryConsumerOffset


class Copy(NamedTuple):
    """An offset that one group has and another is to have.

    Attributes:
        queue: the queue.
        address: its broker.
        offset: where the source group is.
        before: where the other group is; None when it has no offset there.
    """

    queue: MessageQueue
    address: str
    offset: int
    before: int | None


@dataclass
class CloneResult:
    """What became of a copy: the offsets that the group has now, and what went wrong."""

    copied: list[Copy] = field(default_factory=list)
    failures: list[RemotingError] = field(default_factory=list)


async def preview_clone(admin: Admin, source: str, target: str, topic: str) -> list[Copy]:
    """The offsets that `clone_offsets` would copy.

    Raises:
        TopicNotExistError: the topic has no route.
        NoOffsetsError: the source group has no offset in it.
        RemotingError: a broker cannot be asked.
    """
    queues = _readable(await topic_route(admin, topic), topic)

    async def look(item: tuple[MessageQueue, str]) -> Copy | None:
        queue, address = item
        offset = await _committed(admin, address, source, queue)
        return None if offset is None else Copy(queue, address, offset, await _committed(admin, address, target, queue))

    found = [copy for copy in await admin.each(queues, look) if copy is not None]
    if not found:
        raise NoOffsetsError(source, topic)
    return found


async def clone_offsets(admin: Admin, source: str, target: str, topic: str) -> CloneResult:
    """Gives a group the offsets that another one has in a topic; queues without one are left alone.

    Raises:
        RemotingError: as `preview_clone`.
    """
    copies = await preview_clone(admin, source, target, topic)
    outcomes = await admin.attempt_each(
        copies, lambda copy: commit_offset(admin, copy.address, target, copy.queue, copy.offset)
    )
    result = CloneResult()
    for copy, outcome in zip(copies, outcomes, strict=True):
        if outcome is None:
            result.copied.append(copy)
        else:
            result.failures.append(outcome)
    return result


def _readable(route: TopicRouteData, topic: str) -> list[tuple[MessageQueue, str]]:
    addresses = {data.broker_name: chosen_address(data) for data in route.broker_datas}
    return sorted(
        (MessageQueue(topic, data.broker_name, queue_id), address)
        for data in route.queue_datas
        if (address := addresses.get(data.broker_name)) is not None
        for queue_id in range(data.read_queue_nums)
    )


async def _committed(admin: Admin, address: str, group: str, queue: MessageQueue) -> int | None:
    header = QueryConsumerOffset(group, queue.topic, queue.queue_id, set_zero_if_not_found=False)
    try:
        reply: OffsetReply = (await admin.call(address, header)).header
    except QueryNotFoundError:
        return None
    return reply.offset
