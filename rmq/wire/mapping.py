"""Logical queues: how their offsets follow from the physical queues behind them.

A static topic has a fixed number of logical queues. Each is a list of stretches (`LogicQueueMappingItem`), the oldest
first: a stretch lies on one physical queue of one broker and says which logical offset its first message has. The last
stretch is where messages go now; its broker leads the queue. While a queue moves, the new leader's logical offset is
undecided (-1): messages are taken, but nobody can read them before the old leader's end is known. The new stretch then
begins at the next multiple of a block after that end, so that what came in between still finds room.

Source: TopicQueueMappingUtils, LogicQueueMappingItem, TopicQueueMappingDetail.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from rmq.wire.bodies.mapping import LogicQueueMappingItem, TopicQueueMappingDetail, TopicQueueMappingInfo
from rmq.wire.errors import RemotingError

BLOCK: Final = 10000
"""Logical offsets of a new stretch begin at a multiple of this."""
UNDECIDED: Final = -1
GLOBAL_SCOPE: Final = "__global__"
MOCK_PREFIX: Final = "__syslo__"


class MappingError(RemotingError):
    """A mapping contradicts itself or the one before it; the text tells how."""


def mock_broker(scope: str) -> str:
    """The broker name under which a scope's logical queues appear (getMockBrokerName)."""
    return MOCK_PREFIX + (scope.removeprefix("__") if scope == GLOBAL_SCOPE else scope)


# --- one stretch ---------------------------------------------------------------------------------------------------


def static_offset(item: LogicQueueMappingItem, physical: int) -> int:
    """The logical offset of a physical one (computeStaticQueueOffsetStrictly)."""
    return item.logic_offset + max(physical - item.start_offset, 0)


def loose_static_offset(item: LogicQueueMappingItem, physical: int) -> int:
    """The same within the stretch's ends, and -1 while it is undecided (computeStaticQueueOffsetLoosely)."""
    if item.logic_offset < 0:
        return UNDECIDED
    if item.end_offset >= item.start_offset and item.end_offset < physical:
        physical = item.end_offset
    return static_offset(item, physical)


def physical_offset(item: LogicQueueMappingItem, logical: int) -> int:
    """The physical offset of a logical one."""
    return logical - item.logic_offset + item.start_offset


def has_end(item: LogicQueueMappingItem) -> bool:
    """Whether it is known where the stretch ends."""
    return item.end_offset > item.start_offset


def last_static_offset(item: LogicQueueMappingItem) -> int:
    """Where the stretch ends at the least (computeMaxStaticQueueOffset)."""
    return item.logic_offset + max(item.end_offset - item.start_offset, 0)


# --- the stretches of a queue --------------------------------------------------------------------------------------


def item_at(items: Sequence[LogicQueueMappingItem], logical: int) -> LogicQueueMappingItem | None:
    """The decided stretch that holds a logical offset, the oldest for one before all (findLogicQueueMappingItem)."""
    decided = [item for item in items if item.logic_offset >= 0]
    found = next((item for item in reversed(decided) if logical >= item.logic_offset), None)
    return found or (decided[0] if decided else None)


def newest(items: Sequence[LogicQueueMappingItem]) -> LogicQueueMappingItem | None:
    """The newest decided stretch."""
    return next((item for item in reversed(items) if item.logic_offset >= 0), None)


def item_after(items: Sequence[LogicQueueMappingItem], current: LogicQueueMappingItem) -> LogicQueueMappingItem | None:
    """The decided stretch after another one."""
    for item, following in pairwise(items):
        if item.gen == current.gen:
            return following if following.logic_offset >= 0 else None
    return None


def check_items(items: Sequence[LogicQueueMappingItem]) -> None:
    """Refuses stretches that do not follow each other (checkLogicQueueMappingItemOffset).

    Raises:
        MappingError: they do not.
    """
    last_gen = last_offset = UNDECIDED
    for item in reversed(items):
        if item.start_offset < 0 or item.gen < 0 or item.queue_id < 0:
            raise MappingError("The field is illegal, should not be negative")
        if item is not items[-1] and item.logic_offset < 0:
            raise MappingError("The non-latest item has negative logic offset")
        if last_gen >= 0 and item.gen >= last_gen:
            raise MappingError("The gen does not increase monotonically")
        if item.end_offset != UNDECIDED and item.end_offset < item.start_offset:
            raise MappingError("The endOffset is smaller than the start offset")
        if last_offset >= 0 and item.logic_offset >= 0:
            if item.logic_offset >= last_offset:
                raise MappingError("The base logic offset does not increase monotonically")
            if last_static_offset(item) >= last_offset:
                raise MappingError("The max logic offset does not increase monotonically")
        last_gen, last_offset = item.gen, item.logic_offset


def check_unchanged(
    old: Sequence[LogicQueueMappingItem], new: Sequence[LogicQueueMappingItem], *, same_epoch: bool
) -> None:
    """Refuses to rewrite a queue's past (makeSureLogicQueueMappingItemImmutable).

    Stretches may be missing from either side: old ones are dropped when their messages are gone. Those that both have
    lie where they lay; a logical offset may only become decided. In the same epoch the leader stays.

    Raises:
        MappingError: something else has changed.
    """
    if not old:
        return
    if not new:
        raise MappingError("The new item list is null or empty")
    known = {item.gen: item for item in new}
    for item in old:
        now = known.get(item.gen)
        if now is None:
            continue
        if (now.bname, now.queue_id, now.start_offset) != (item.bname, item.queue_id, item.start_offset):
            raise MappingError(f"The item of gen {item.gen} lies on another queue than before")
        if item.logic_offset >= 0 and now.logic_offset != item.logic_offset:
            raise MappingError(f"The logic offset of gen {item.gen} was {item.logic_offset} and cannot change")
    before, after = old[-1], new[-1]
    if same_epoch and (after.gen, after.bname, after.queue_id, after.start_offset) != (
        before.gen,
        before.bname,
        before.queue_id,
        before.start_offset,
    ):
        raise MappingError("The new leader is different but epoch equal")


def next_block(offset: int, block: int = BLOCK) -> int:
    """Where the stretch after an end may begin: a multiple of the block, at least half a block on (blockSeqRoundUp)."""
    whole, rest = divmod(offset, block)
    return (whole + (1 if rest < block // 2 else 2)) * block


# --- a broker's share of a topic -----------------------------------------------------------------------------------


def led_queues(detail: TopicQueueMappingDetail) -> dict[int, int]:
    """The logical queues that a broker leads, with their physical ones (buildIdMap)."""
    return {
        logical: items[-1].queue_id
        for logical, items in sorted(detail.hosted_queues.items())
        if items and items[-1].bname == detail.bname
    }


def registered(detail: TopicQueueMappingDetail) -> TopicQueueMappingInfo:
    """What name servers are told of it (cloneAsMappingInfo)."""
    return TopicQueueMappingInfo(
        detail.topic, GLOBAL_SCOPE, detail.total_queues, detail.bname, detail.epoch, curr_id_map=led_queues(detail)
    )
