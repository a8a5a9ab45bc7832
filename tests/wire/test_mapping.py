"""Logical offsets, and which mappings are allowed."""

import pytest

from rmq.wire import mapping
from rmq.wire.bodies.mapping import LogicQueueMappingItem as Item
from rmq.wire.bodies.mapping import TopicQueueMappingDetail, TopicQueueMappingInfo
from rmq.wire.mapping import MappingError

OLD = Item(0, 3, "a", 0, end_offset=120)
NEW = Item(1, 0, "b", 10000)
COMING = Item(2, 5, "c", -1)
QUEUE = [OLD, NEW, COMING]


def test_the_brokers_name_of_logical_queues() -> None:
    assert mapping.mock_broker("__global__") == "__syslo__global__"
    assert mapping.mock_broker("mine") == "__syslo__mine"


def test_offsets() -> None:
    assert mapping.static_offset(NEW, 7) == 10007
    assert mapping.static_offset(Item(logic_offset=50, start_offset=10), 4) == 50
    assert mapping.physical_offset(NEW, 10007) == 7
    assert [mapping.loose_static_offset(OLD, offset) for offset in (0, 120, 121)] == [0, 120, 120]
    assert mapping.loose_static_offset(NEW, 500) == 10500
    assert mapping.loose_static_offset(COMING, 3) == -1
    assert (mapping.has_end(OLD), mapping.has_end(NEW)) == (True, False)
    assert (mapping.last_static_offset(OLD), mapping.last_static_offset(NEW)) == (120, 10000)


def test_the_stretch_of_an_offset() -> None:
    found = {offset: mapping.item_at(QUEUE, offset) for offset in (0, 500, 9999, 10000, 1 << 62)}
    assert found == {0: OLD, 500: OLD, 9999: OLD, 10000: NEW, 1 << 62: NEW}
    assert mapping.item_at([Item(logic_offset=5), NEW], 0) == Item(logic_offset=5)
    assert mapping.item_at([COMING], 0) is None
    assert (mapping.newest(QUEUE), mapping.newest([])) == (NEW, None)
    assert [mapping.item_after(QUEUE, item) for item in QUEUE] == [NEW, None, None]


@pytest.mark.parametrize(
    ("offset", "begins"),
    [(0, 10000), (4999, 10000), (5000, 20000), (9999, 20000), (10000, 20000), (14999, 20000), (15000, 30000)],
)
def test_a_new_stretch_begins_at_a_block(offset: int, begins: int) -> None:
    assert mapping.next_block(offset) == begins


def test_proper_stretches() -> None:
    mapping.check_items([])
    mapping.check_items(QUEUE)


@pytest.mark.parametrize(
    ("items", "reason"),
    [
        ([Item(queue_id=-1)], "should not be negative"),
        ([Item(0, logic_offset=-1), Item(1, logic_offset=5)], "non-latest item has negative"),
        ([Item(1), Item(1, logic_offset=5)], "gen does not increase"),
        ([Item(start_offset=5, end_offset=3)], "endOffset is smaller"),
        ([Item(0, logic_offset=5), Item(1, logic_offset=5)], "base logic offset does not increase"),
        ([Item(0, end_offset=9), Item(1, logic_offset=5)], "max logic offset does not increase"),
    ],
)
def test_improper_stretches(items: list[Item], reason: str) -> None:
    with pytest.raises(MappingError, match=reason):
        mapping.check_items(items)


def test_the_past_may_grow_and_be_forgotten() -> None:
    mapping.check_unchanged([], QUEUE, same_epoch=True)
    mapping.check_unchanged(QUEUE, [NEW, Item(2, 5, "c", 20000)], same_epoch=True)
    mapping.check_unchanged([OLD, NEW], QUEUE, same_epoch=False)


@pytest.mark.parametrize(
    ("items", "reason"),
    [
        ([], "null or empty"),
        ([Item(0, 4, "a", 0)], "lies on another queue"),
        ([OLD, Item(1, 0, "b", 20000)], "was 10000 and cannot change"),
        ([OLD, NEW], "new leader is different"),
    ],
)
def test_the_past_cannot_be_rewritten(items: list[Item], reason: str) -> None:
    with pytest.raises(MappingError, match=reason):
        mapping.check_unchanged(QUEUE, items, same_epoch=True)


def test_what_is_registered_of_a_mapping() -> None:
    detail = TopicQueueMappingDetail("T", total_queues=3, bname="b", epoch=9)
    detail.hosted_queues = {1: [OLD, NEW], 0: [Item(0, 7, "b")], 2: QUEUE, 3: []}
    told = TopicQueueMappingInfo("T", "__global__", 3, "b", 9, False, {0: 7, 1: 0})
    assert mapping.registered(detail) == told
