"""Plans for static topics: which broker holds which logical queue.

A plan is made from what all brokers hold now. It is checked before and after: every broker's share tells the same
topic, scope, epoch and number of queues; every logical queue has one leader; no physical queue serves two logical
ones, and each exists. A plan's epoch is newer than what it replaces, so that an old one cannot come after it.

Source: TopicQueueMappingUtils (createTopicConfigMapping, remappingStaticTopic, MappingAllocator and the checks).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from typing import Final, NamedTuple

from rmq.client.errors import ClientError
from rmq.wire.bodies.mapping import LogicQueueMappingItem, TopicQueueMappingDetail
from rmq.wire.bodies.topic import TopicConfigAndQueueMapping, TopicRemappingDetailWrapper
from rmq.wire.mapping import UNDECIDED, MappingError, check_items

CREATE_OR_UPDATE: Final = "CREATE_OR_UPDATE"
REMAPPING: Final = "REMAPPING"

_EPOCH_STEP: Final = 1000

Shares = dict[str, TopicConfigAndQueueMapping]
"""What brokers hold of a topic, by broker name."""


class StaticTopicError(ClientError):
    """A static topic cannot be made or moved like that; the text tells why."""


class Queue(NamedTuple):
    """A logical queue: the broker that leads it, and its stretches."""

    leader: str
    items: list[LogicQueueMappingItem]


# --- checks --------------------------------------------------------------------------------------------------------


def checked(topic: str, shares: Shares) -> dict[int, Queue]:
    """The logical queues of a topic, by number.

    Raises:
        StaticTopicError: the brokers' shares contradict each other.
    """
    check_shares(topic, shares)
    queues = _queues(shares.values())
    _check_physical(shares, queues)
    return queues


def check_shares(topic: str, shares: Shares) -> tuple[int, int]:
    """Epoch and number of queues that all shares tell (checkNameEpochNumConsistence).

    Raises:
        StaticTopicError: the topic is not static on a broker, or they tell different things.
    """
    told: TopicQueueMappingDetail | None = None
    for broker, share in shares.items():
        detail = share.mapping_detail
        if detail is None:
            raise StaticTopicError(f"Mapping info should not be null in broker {broker}")
        if detail.bname != broker:
            raise StaticTopicError(f"The broker name is not equal {broker} != {detail.bname}")
        if detail.dirty:
            raise StaticTopicError(f"The mapping info is dirty in broker {broker}")
        if share.topic_name != detail.topic:
            raise StaticTopicError(f"The topic name is inconsistent in broker {broker}")
        if topic != detail.topic:
            raise StaticTopicError(f"The topic name is not match for broker {broker}")
        told = told or detail
        if told.scope != detail.scope:
            raise StaticTopicError(f"scope does not match {detail.scope} != {told.scope} in {broker}")
        if told.epoch != detail.epoch:
            raise StaticTopicError(f"epoch does not match {told.epoch} != {detail.epoch} in {broker}")
        if told.total_queues != detail.total_queues:
            raise StaticTopicError(
                f"total queue number does not match {told.total_queues} != {detail.total_queues} in {broker}"
            )
    return (0, 0) if told is None else (told.epoch, told.total_queues)


def details(shares: Iterable[TopicConfigAndQueueMapping]) -> list[TopicQueueMappingDetail]:
    """The mappings of shares that have one."""
    return [share.mapping_detail for share in shares if share.mapping_detail is not None]


def _queues(shares: Iterable[TopicConfigAndQueueMapping]) -> dict[int, Queue]:
    """The logical queues by number, each from the broker that leads it (checkAndBuildMappingItems)."""
    found: dict[int, Queue] = {}
    total = 0
    for detail in details(shares):
        total = max(total, detail.total_queues)
        for number, items in detail.hosted_queues.items():
            try:
                check_items(items)
            except MappingError as error:
                raise StaticTopicError(f"queue {number} in broker {detail.bname}: {error.remark}") from None
            if not items or items[-1].bname != detail.bname:
                continue
            if number in found:
                raise StaticTopicError(f"The queue id is duplicated in broker {found[number].leader} {detail.bname}")
            found[number] = Queue(str(detail.bname), items)
    if sorted(found) != list(range(total)):
        raise StaticTopicError(
            f"The total queue number in config does not match the real hosted queues {total} != {len(found)}"
        )
    return found


def _check_physical(shares: Shares, queues: Mapping[int, Queue]) -> None:
    """Every physical queue serves one logical queue and exists."""
    users: dict[tuple[str | None, int], int] = {}
    for number, queue in queues.items():
        for item in queue.items:
            other = users.setdefault((item.bname, item.queue_id), number)
            if other != number:
                raise StaticTopicError(
                    f"global queue id {number} and {other} shared the same physical queue {item.bname}-{item.queue_id}"
                )
    for share in shares.values():
        if share.read_queue_nums < share.write_queue_nums:
            raise StaticTopicError("Read queues is smaller than write queues")
    hosted = (items for detail in details(shares.values()) for items in detail.hosted_queues.values())
    for item in chain.from_iterable(hosted):
        if item.start_offset != 0:
            raise StaticTopicError("The start offset does not begin from 0")
        holder = shares.get(item.bname or "")
        if holder is None:
            raise StaticTopicError("The broker of item does not exist")
        if item.queue_id >= holder.write_queue_nums:
            raise StaticTopicError("The physical queue id is overflow the write queues")


# --- plans ---------------------------------------------------------------------------------------------------------


def plan_queues(
    topic: str, total: int, targets: Iterable[str], shares: Shares, *, now: int, choose: Callable[[int], int]
) -> TopicRemappingDetailWrapper:
    """A plan that makes a static topic, or gives it more queues on brokers that have few.

    Args:
        topic: its name.
        total: how many logical queues it is to have.
        targets: names of brokers that may get queues; those that hold some already are always among them.
        shares: what brokers hold now; changed to what they are to hold.
        now: milliseconds since the epoch.
        choose: gives a number below its argument, to choose between brokers that have equally few.

    Raises:
        StaticTopicError: it has as many queues or more, or what is there contradicts itself.
    """
    brokers = {*targets, *shares}
    epoch, queues = now, {}
    if shares:
        queues = checked(topic, shares)
        epoch, _ = check_shares(topic, shares)
    epoch = max(epoch + _EPOCH_STEP, now)
    if total < len(queues):
        raise StaticTopicError(f"Cannot decrease the queue num for static topic {total} < {len(queues)}")
    if total == len(queues):
        raise StaticTopicError("The topic queue num is equal the existed queue num, do nothing")
    load = Counter(dict.fromkeys(sorted(brokers), 0))
    load.update(queue.leader for queue in queues.values())
    for number in range(len(queues), total):
        fewest = min(load.values())
        equal = [name for name, count in load.items() if count == fewest]
        broker = equal[choose(len(equal))]
        load[broker] += 1
        item = LogicQueueMappingItem(0, _grow(topic, shares, broker), broker)
        _detail(shares[broker]).hosted_queues[number] = [item]
    _stamp(shares, epoch, total)
    checked(topic, shares)
    return TopicRemappingDetailWrapper(topic, CREATE_OR_UPDATE, epoch, shares)


def plan_move(topic: str, targets: Iterable[str], shares: Shares, *, now: int) -> TopicRemappingDetailWrapper:
    """A plan that spreads all logical queues evenly over some brokers and moves as few as that needs.

    Args:
        topic: its name.
        targets: names of the brokers.
        shares: what brokers hold now; changed to what they are to hold. New leaders' logical offsets are undecided.
        now: milliseconds since the epoch.

    Raises:
        StaticTopicError: what is there contradicts itself.
    """
    queues = checked(topic, shares)
    epoch, total = check_shares(topic, shares)
    epoch = max(epoch + _EPOCH_STEP, now)
    held = Counter(queue.leader for queue in queues.values())
    # Those that lead the most queues now keep one more where it does not come out even.
    order = sorted(set(targets), key=lambda name: (-held[name], name))
    least, rest = divmod(total, len(order))
    room = {name: least + (index < rest) for index, name in enumerate(order)}
    homeless = []
    for number, queue in sorted(queues.items()):
        if room.get(queue.leader, 0) > 0:
            room[queue.leader] -= 1
        else:
            homeless.append(number)
    takers = [name for name, free in room.items() for _ in range(free)]
    plan = TopicRemappingDetailWrapper(topic, REMAPPING, epoch, shares)
    for number, taker in zip(homeless, takers, strict=True):
        giver = queues[number].leader
        last = queues[number].items[-1]
        new = LogicQueueMappingItem(last.gen + 1, _grow(topic, shares, taker), taker, UNDECIDED)
        for broker in (taker, giver):
            _detail(shares[broker]).hosted_queues[number] = [*queues[number].items, new]
        plan.broker_to_map_in.add(taker)
        plan.broker_to_map_out.add(giver)
    _stamp(shares, epoch, total)
    checked(topic, shares)
    return plan


def empty_share(topic: str, broker: str, total: int = 0, epoch: int = 0) -> TopicConfigAndQueueMapping:
    """The share of a broker that holds no queue of a topic but must know of it."""
    detail = TopicQueueMappingDetail(topic, total_queues=total, bname=broker, epoch=epoch)
    return TopicConfigAndQueueMapping(topic, 0, 0, mapping_detail=detail)


def _grow(topic: str, shares: Shares, broker: str) -> int:
    """Gives a broker one more physical queue; its number."""
    share = shares.setdefault(broker, empty_share(topic, broker))
    share.write_queue_nums += 1
    share.read_queue_nums += 1
    return share.write_queue_nums - 1


def _detail(share: TopicConfigAndQueueMapping) -> TopicQueueMappingDetail:
    if share.mapping_detail is None:
        raise StaticTopicError(f"Mapping info should not be null for {share.topic_name}")
    return share.mapping_detail


def _stamp(shares: Shares, epoch: int, total: int) -> None:
    for detail in details(shares.values()):
        detail.epoch, detail.total_queues = epoch, total
