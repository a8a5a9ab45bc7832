"""Counting popped messages."""

from rmq.server.broker.pop.inflight import InflightCounter


def test_counts_per_queue() -> None:
    counter = InflightCounter(lambda: 1000)
    counter.popped("T", "G", 0, 5)
    counter.popped("T", "G", 1, 2)
    counter.done("T", "G", 0, 1000, 2)
    assert [counter.number("T", "G", queue) for queue in range(3)] == [3, 2, 0]
    counter.done("T", "G", 0, 1500, 9)
    counter.clear("T", "G", 1)
    counter.done("T", "G", 1, 1500)
    assert [counter.number("T", "G", queue) for queue in range(2)] == [0, 0]


def test_what_an_earlier_run_popped_was_not_counted() -> None:
    counter = InflightCounter(lambda: 1000)
    counter.popped("T", "G", 0, 1)
    counter.done("T", "G", 0, 999)
    assert counter.number("T", "G", 0) == 1


def test_what_was_deleted_is_not_counted() -> None:
    counter = InflightCounter(lambda: 1000)
    for topic, group in (("T", "G"), ("T", "H"), ("U", "G")):
        counter.popped(topic, group, 0, 1)
    counter.forget_all(lambda topic, group: topic == "T")
    assert [counter.number(topic, group, 0) for topic, group in (("T", "G"), ("T", "H"), ("U", "G"))] == [0, 0, 1]
