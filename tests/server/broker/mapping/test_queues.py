"""Which logical queue a request means."""

import pytest

from rmq.server.broker.mapping.queues import LogicalQueue, led_queue
from rmq.wire.bodies.mapping import LogicQueueMappingItem as Item
from rmq.wire.bodies.mapping import TopicQueueMappingDetail
from rmq.wire.errors import NotLeaderForQueueError

HERE = [Item(0, 0, "b", 0), Item(1, 3, "a", 10000)]
THERE = [Item(0, 1, "a", 0), Item(1, 0, "b", 10000)]
DETAIL = TopicQueueMappingDetail("T", total_queues=2, bname="a", hosted_queues={0: THERE, 1: HERE})


def test_a_queue_that_is_led_here() -> None:
    assert led_queue(DETAIL, 1) == LogicalQueue(1, HERE)
    assert led_queue(DETAIL, 1).leader == HERE[1]


def test_any_queue_is_one_that_is_led_here() -> None:
    assert led_queue(DETAIL, -1).number == 1


@pytest.mark.parametrize("number", [0, 2])
def test_a_queue_that_is_led_elsewhere(number: int) -> None:
    with pytest.raises(NotLeaderForQueueError, match=f"T-{number} does not exit in request process"):
        led_queue(DETAIL, number)


def test_a_topic_without_queues_here() -> None:
    with pytest.raises(NotLeaderForQueueError, match="T--1 does not exit"):
        led_queue(TopicQueueMappingDetail("T", bname="a"), -1)


def test_the_stretch_of_an_offset() -> None:
    queue = LogicalQueue(1, HERE)
    assert [queue.at(offset).gen for offset in (0, 9999, 10000)] == [0, 0, 1]
    with pytest.raises(NotLeaderForQueueError, match="no offset of queue 1 is decided yet"):
        LogicalQueue(1, [Item(0, 0, "a", -1)]).at(0)
