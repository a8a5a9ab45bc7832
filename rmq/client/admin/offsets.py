"""Moving consumer groups to other offsets.

Who moves a group depends on its broker:

- With useServerSideResetOffset (the default of a broker since 5.0) the broker keeps the new offsets and hands them to
  the group's clients with their next pull, one queue or all. It does not matter whether anybody is connected.
- Without it the broker asks the connected clients to move, all queues at once. When nobody is connected it answers
  CONSUMER_NOT_ONLINE, and the offsets are committed from here, as a client would.

A preview tells where every queue would go, and sends nothing that changes anything.

Source: DefaultMQAdminExtImpl.resetOffsetByTimestamp, resetOffsetByTimestampOld, resetOffsetByQueueId.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import attrgetter
from typing import Final, NamedTuple

from rmq.client.admin.brokers import broker_config
from rmq.client.admin.clusters import MASTER, chosen_address, cluster_info
from rmq.client.admin.errors import (
    GroupOnlineError,
    NoTopicRouteError,
    OffsetPendingError,
    OffsetRangeError,
    UnknownBrokerError,
)
from rmq.client.admin.session import Admin
from rmq.client.admin.topics import topic_route
from rmq.wire.bodies.consume import ConsumeStats, OffsetWrapper
from rmq.wire.bodies.offset import ResetOffsetBody
from rmq.wire.bodies.route import BrokerData, MessageQueue, TopicRouteData
from rmq.wire.bodies.topic import TopicStatsTable
from rmq.wire.errors import ConsumerNotOnlineError, RemotingError
from rmq.wire.names import LMQ_PREFIX, TIMER_TOPIC
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

END: Final = -1
"""As a time: behind the last message."""

_KEEPS_OFFSETS: Final = "useServerSideResetOffset"
_NOT_GIVEN: Final = -1


@dataclass(frozen=True, slots=True)
class Reset:
    """A group is to move to a time, on every queue of a topic.

    Attributes:
        group: the group.
        topic: the topic.
        timestamp: ms since the epoch; `END` skips everything.
        force: also move queues forward. Brokers that keep offsets always do.
        cluster: only brokers of this cluster; for an LMQ topic, the topic whose route is taken.
        broker: only this broker, by name or address.
    """

    group: str
    topic: str
    timestamp: int
    force: bool = True
    cluster: str | None = None
    broker: str | None = None


class Move(NamedTuple):
    """Where one queue of a group goes.

    Attributes:
        queue: the queue.
        broker_offset: the offset of its next message.
        consumer_offset: where the group is; where the queue begins if it never was anywhere.
        found_offset: the offset at the time asked for.
        new_offset: where the group goes on.
    """

    queue: MessageQueue
    broker_offset: int
    consumer_offset: int
    found_offset: int
    new_offset: int


@dataclass
class ResetResult:
    """What became of a reset.

    Attributes:
        moved: new offsets of queues that brokers or connected clients moved.
        committed: queues of an offline group whose offsets were committed from here.
        failures: brokers that could not do it.
    """

    moved: dict[MessageQueue, int] = field(default_factory=dict)
    committed: list[Move] = field(default_factory=list)
    failures: list[RemotingError] = field(default_factory=list)


# --- a group on all its queues -------------------------------------------------------------------------------------


class _Broker(NamedTuple):
    name: str
    address: str
    read_queues: int


async def reset_group(admin: Admin, wanted: Reset) -> ResetResult:
    """Moves a group to a time. One broker's failure does not keep the others from doing it.

    Raises:
        TopicNotExistError, NoTopicRouteError, UnknownBrokerError: there is no broker to ask.
    """
    brokers = await _brokers(admin, wanted)
    result = ResetResult()
    for outcome in await admin.attempt_each(brokers, lambda broker: _reset_on(admin, wanted, broker)):
        if isinstance(outcome, RemotingError):
            result.failures.append(outcome)
        elif isinstance(outcome, dict):
            result.moved.update(outcome)
        else:
            result.committed += outcome
    result.moved = dict(sorted(result.moved.items()))
    result.committed.sort(key=attrgetter("queue"))
    return result


async def preview_reset(admin: Admin, wanted: Reset) -> list[Move]:
    """Where `reset_group` would move each queue.

    Raises:
        RemotingError: as `reset_group`; or a broker cannot be asked.
    """

    async def look(broker: _Broker) -> list[Move]:
        forward = wanted.force or await _keeps_offsets(admin, broker.address)
        return await _moves(admin, wanted, broker, forward=forward)

    parts = await admin.each(await _brokers(admin, wanted), look)
    return sorted((move for part in parts for move in part), key=attrgetter("queue"))


async def _brokers(admin: Admin, wanted: Reset) -> list[_Broker]:
    lmq = wanted.topic.startswith(LMQ_PREFIX) or wanted.topic == TIMER_TOPIC
    by_other = lmq and bool(wanted.cluster)
    route = await topic_route(admin, wanted.cluster if by_other and wanted.cluster else wanted.topic)
    among = route.broker_datas
    if wanted.cluster and not by_other:
        among = [data for data in among if data.cluster == wanted.cluster]
        if not among:
            raise NoTopicRouteError(wanted.topic)
    if wanted.broker is not None:
        named = [data for data in among if _is(data, wanted.broker)]
        if not named:
            raise UnknownBrokerError(wanted.broker, [data.broker_name for data in among])
        among = named
    return _with_addresses(route, among)


def _is(data: BrokerData, broker: str) -> bool:
    return data.broker_name == broker or broker in data.broker_addrs.values()


def _with_addresses(route: TopicRouteData, among: list[BrokerData]) -> list[_Broker]:
    queues = {data.broker_name: data.read_queue_nums for data in route.queue_datas}
    found = ((data.broker_name, chosen_address(data)) for data in among)
    return [_Broker(name, address, queues.get(name, 0)) for name, address in found if address is not None]


async def _reset_on(admin: Admin, wanted: Reset, broker: _Broker) -> dict[MessageQueue, int] | list[Move]:
    header = InvokeBrokerToResetOffset(
        wanted.group, wanted.topic, wanted.timestamp, offset=_NOT_GIVEN, is_force=wanted.force
    )
    try:
        answer = await admin.call(broker.address, header)
    except ConsumerNotOnlineError:
        return await _commit_on(admin, wanted, broker)
    return answer.json(ResetOffsetBody).offset_table if answer.body else {}


async def _commit_on(admin: Admin, wanted: Reset, broker: _Broker) -> list[Move]:
    moves = await _moves(admin, wanted, broker, forward=wanted.force)

    async def commit(move: Move) -> None:
        if move.new_offset == move.found_offset:
            await commit_offset(admin, broker.address, wanted.group, move.queue, move.new_offset)

    await admin.each(moves, commit)
    return moves


async def _moves(admin: Admin, wanted: Reset, broker: _Broker, *, forward: bool) -> list[Move]:
    progress = await _progress(admin, wanted.group, wanted.topic, broker)

    async def look(queue: MessageQueue) -> Move:
        now = progress[queue]
        found = await _offset_at(admin, broker.address, queue, wanted.timestamp)
        new = found if forward or found <= now.consumer_offset else now.consumer_offset
        return Move(queue, now.broker_offset, now.consumer_offset, found, new)

    return await admin.each(sorted(progress), look)


async def _progress(admin: Admin, group: str, topic: str, broker: _Broker) -> dict[MessageQueue, OffsetWrapper]:
    """Where a group is on a topic's queues; at their beginnings if it has never been there."""
    stats = (await admin.call(broker.address, GetConsumeStats(group))).json(ConsumeStats)
    consumed = {queue: offsets for queue, offsets in stats.offset_table.items() if queue.topic == topic}
    if consumed:
        return consumed
    bounds = (await admin.call(broker.address, GetTopicStatsInfo(topic))).json(TopicStatsTable).offset_table
    return {
        queue: OffsetWrapper(broker_offset=at.max_offset, consumer_offset=at.min_offset)
        for queue, at in bounds.items()
        if queue.queue_id < broker.read_queues
    }


async def _offset_at(admin: Admin, address: str, queue: MessageQueue, timestamp: int) -> int:
    if timestamp < 0:
        answer = await admin.call(address, GetMaxOffset(queue.topic, queue.queue_id))
    else:
        answer = await admin.call(address, SearchOffsetByTimestamp(queue.topic, queue.queue_id, timestamp))
    reply: OffsetReply = answer.header
    return reply.offset


# --- one queue -----------------------------------------------------------------------------------------------------


class QueueReset(NamedTuple):
    """A group is to move on one queue.

    Attributes:
        group: the group.
        topic: the topic.
        queue_id: the queue.
        address: the broker.
        offset: where to; None for the offset at the time.
        timestamp: ms since the epoch; `END` is the queue's end.
    """

    group: str
    topic: str
    queue_id: int
    address: str
    offset: int | None
    timestamp: int


async def broker_address(admin: Admin, broker: str) -> str:
    """The address of a broker given by name or address; of a name, its master's.

    Raises:
        UnknownBrokerError: no broker has this name, or it has no master now.
    """
    if ":" in broker:
        return broker
    known = (await cluster_info(admin)).broker_addr_table
    address = known[broker].broker_addrs.get(MASTER) if broker in known else None
    if address is None:
        raise UnknownBrokerError(broker, known)
    return address


async def target_offset(admin: Admin, wanted: QueueReset) -> int:
    """Where `reset_queue` would move the group."""
    if wanted.offset is not None:
        return wanted.offset
    queue = MessageQueue(wanted.topic, "", wanted.queue_id)
    return await _offset_at(admin, wanted.address, queue, wanted.timestamp)


async def reset_queue(admin: Admin, wanted: QueueReset, offset: int) -> None:
    """Moves a group on one queue to an offset.

    A broker that lets clients move would move all their queues. There the offset is committed instead, which needs
    the group to be offline: a connected client would overwrite it.

    Raises:
        RemotingError: the queue holds no such offset, or the broker refuses otherwise.
        GroupOnlineError: the broker cannot move one queue of a group that is connected.
    """
    if await _keeps_offsets(admin, wanted.address):
        header = InvokeBrokerToResetOffset(
            wanted.group, wanted.topic, max(wanted.timestamp, 0), wanted.queue_id, offset, is_force=True
        )
        await admin.call(wanted.address, header)
        return
    await _check_offset(admin, wanted, offset)
    if await _is_online(admin, wanted.address, wanted.group):
        raise GroupOnlineError(wanted.group, wanted.address)
    await commit_offset(admin, wanted.address, wanted.group, MessageQueue(wanted.topic, "", wanted.queue_id), offset)


async def _keeps_offsets(admin: Admin, address: str) -> bool:
    return (await broker_config(admin, address)).get(_KEEPS_OFFSETS) == "true"


async def _check_offset(admin: Admin, wanted: QueueReset, offset: int) -> None:
    topic, queue_id = wanted.topic, wanted.queue_id
    oldest: OffsetReply = (await admin.call(wanted.address, GetMinOffset(topic, queue_id))).header
    newest: OffsetReply = (await admin.call(wanted.address, GetMaxOffset(topic, queue_id))).header
    if not oldest.offset <= offset <= newest.offset:
        raise OffsetRangeError(offset, oldest.offset, newest.offset)


async def _is_online(admin: Admin, address: str, group: str) -> bool:
    try:
        await admin.call(address, GetConsumerConnectionList(group))
    except ConsumerNotOnlineError:
        return False
    return True


async def commit_offset(admin: Admin, address: str, group: str, queue: MessageQueue, offset: int) -> None:
    """Commits a group's offset, as its clients do.

    Raises:
        OffsetPendingError: the broker passes it over.
        RemotingError: the broker refuses.
    """
    answer = await admin.call(address, UpdateConsumerOffset(group, queue.topic, queue.queue_id, offset))
    if answer.remark:
        # A success that is none: an earlier reset waits for the group's next pull and is what counts.
        raise OffsetPendingError(group, queue, answer.remark)
