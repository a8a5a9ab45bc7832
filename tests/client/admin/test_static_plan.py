"""Plans for static topics."""

from dataclasses import replace

import pytest

from rmq.client.admin.static_plan import Shares, StaticTopicError, checked, empty_share, plan_move, plan_queues
from rmq.wire.bodies.mapping import LogicQueueMappingItem as Item
from rmq.wire.bodies.topic import TopicConfigAndQueueMapping

NOW = 1_000_000


def first(count: int) -> int:
    return 0


def plan(total: int, *brokers: str, shares: Shares | None = None) -> Shares:
    return plan_queues("T", total, brokers, {} if shares is None else shares, now=NOW, choose=first).broker_config_map


def leaders(shares: Shares) -> dict[int, str]:
    return {number: queue.leader for number, queue in checked("T", shares).items()}


def hosted(share: TopicConfigAndQueueMapping) -> dict[int, list[Item]]:
    assert share.mapping_detail is not None
    return share.mapping_detail.hosted_queues


def test_a_new_topic_is_spread_evenly() -> None:
    shares = plan(5, "b", "a")
    assert leaders(shares) == {0: "a", 1: "b", 2: "a", 3: "b", 4: "a"}
    assert {name: (share.read_queue_nums, share.write_queue_nums) for name, share in shares.items()} == {
        "a": (3, 3),
        "b": (2, 2),
    }
    assert hosted(shares["b"]) == {1: [Item(0, 0, "b")], 3: [Item(0, 1, "b")]}
    detail = shares["a"].mapping_detail
    assert detail is not None
    assert (detail.topic, detail.bname, detail.total_queues, detail.epoch) == ("T", "a", 5, NOW + 1000)


def test_chance_chooses_between_equals() -> None:
    made = plan_queues("T", 1, ("a", "b"), {}, now=NOW, choose=lambda count: count - 1)
    assert leaders(made.broker_config_map) == {0: "b"}


def test_more_queues_go_where_there_are_few() -> None:
    shares = plan(3, "a")
    grown = plan(5, "b", shares=shares)
    assert leaders(grown) == {0: "a", 1: "a", 2: "a", 3: "b", 4: "b"}
    detail = grown["a"].mapping_detail
    assert detail is not None
    assert (detail.total_queues, detail.epoch) == (5, NOW + 2000)


def test_a_broker_that_only_knew_of_the_topic_gets_its_first_queue() -> None:
    shares = plan(1, "a")
    shares["b"] = empty_share("T", "b", 1, NOW + 1000)
    assert leaders(plan(2, "b", shares=shares)) == {0: "a", 1: "b"}
    assert shares["b"].write_queue_nums == 1


@pytest.mark.parametrize(
    ("total", "reason"), [(1, "Cannot decrease the queue num for static topic 1 < 2"), (2, "do nothing")]
)
def test_queues_only_become_more(total: int, reason: str) -> None:
    shares = plan(2, "a")
    with pytest.raises(StaticTopicError, match=reason):
        plan(total, "a", shares=shares)


def test_queues_move_evenly_and_as_few_as_need_be() -> None:
    shares = plan(5, "a", "b")
    moved = plan_move("T", ("b", "c"), shares, now=NOW + 10)
    assert (moved.type, moved.epoch) == ("REMAPPING", NOW + 2000)
    assert (moved.broker_to_map_in, moved.broker_to_map_out) == ({"b", "c"}, {"a"})
    assert sorted(leaders(moved.broker_config_map).values()) == ["b", "b", "b", "c", "c"]
    assert {number for number, leader in leaders(shares).items() if leader == "b"} >= {1, 3}
    assert hosted(shares["a"])[0] == [Item(0, 0, "a"), Item(1, 2, "b", -1)]
    assert hosted(shares["a"])[0] == hosted(shares["b"])[0]


def test_nothing_moves_where_all_is_even() -> None:
    shares = plan(4, "a", "b")
    moved = plan_move("T", ("a", "b"), shares, now=NOW)
    assert (moved.broker_to_map_in, moved.broker_to_map_out) == (set(), set())


def test_a_queue_that_comes_back_gets_a_new_place() -> None:
    shares = plan(1, "a")
    plan_move("T", ("b",), shares, now=NOW)
    hosted(shares["b"])[0][-1].logic_offset = 10000
    plan_move("T", ("a",), shares, now=NOW)
    assert [(item.gen, item.bname, item.queue_id) for item in hosted(shares["a"])[0]] == [
        (0, "a", 0),
        (1, "b", 0),
        (2, "a", 1),
    ]


def broken(change: str) -> Shares:
    shares = plan(2, "a", "b")
    share = shares["b"]
    detail = share.mapping_detail
    assert detail is not None
    match change:
        case "no mapping":
            share.mapping_detail = None
        case "other broker":
            detail.bname = "c"
        case "dirty":
            detail.dirty = True
        case "other topic":
            detail.topic = "U"
        case "other scope":
            detail.scope = "U"
        case "other epoch":
            detail.epoch += 1
        case "other total":
            detail.total_queues += 1
        case "queue twice":
            detail.hosted_queues[0] = [Item(0, 0, "b")]
        case "queue gone":
            detail.hosted_queues.clear()
        case "shared":
            detail.hosted_queues[1] = [Item(0, 0, "a"), Item(1, 0, "b", 10)]
        case "few to read":
            share.read_queue_nums = 0
        case "start":
            detail.hosted_queues[1][0].start_offset = 1
        case "unknown broker":
            detail.hosted_queues[1].insert(0, Item(0, 0, "x"))
            detail.hosted_queues[1][1] = replace(detail.hosted_queues[1][1], gen=1, logic_offset=10)
        case "no such queue":
            detail.hosted_queues[1][0].queue_id = 1
        case "negative":
            detail.hosted_queues[1][0].queue_id = -1
    return shares


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("no mapping", "Mapping info should not be null in broker b"),
        ("other broker", "The broker name is not equal b != c"),
        ("dirty", "The mapping info is dirty in broker b"),
        ("other topic", "The topic name is inconsistent in broker b"),
        ("other scope", "scope does not match U != __global__ in b"),
        ("other epoch", f"epoch does not match {NOW + 1000} != {NOW + 1001} in b"),
        ("other total", "total queue number does not match 2 != 3 in b"),
        ("queue twice", "The queue id is duplicated in broker a b"),
        ("queue gone", "does not match the real hosted queues 2 != 1"),
        ("shared", "shared the same physical queue a-0"),
        ("few to read", "Read queues is smaller than write queues"),
        ("start", "The start offset does not begin from 0"),
        ("unknown broker", "The broker of item does not exist"),
        ("no such queue", "The physical queue id is overflow the write queues"),
        ("negative", "queue 1 in broker b: The field is illegal, should not be negative"),
    ],
)
def test_contradictions_are_found(change: str, reason: str) -> None:
    with pytest.raises(StaticTopicError, match=reason):
        checked("T", broken(change))


def test_another_topics_shares() -> None:
    with pytest.raises(StaticTopicError, match="The topic name is not match for broker a"):
        checked("U", plan(1, "a"))
