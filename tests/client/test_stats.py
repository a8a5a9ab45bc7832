"""Rates of a consumer."""

from twisted.internet.task import Clock

from rmq.client.stats import TopicStats


def test_rates_of_the_last_minute() -> None:
    clock = Clock()
    stats = TopicStats(clock.seconds)
    for _ in range(120):
        clock.advance(1)
        stats.pulled(10, 0.002)
        stats.consumed(8, 2, 0.004)
    status = stats.status()
    assert 9.5 < status.pull_tps < 10.5
    assert 7.5 < status.consume_ok_tps < 8.5
    assert 1.9 < status.consume_failed_tps < 2.1
    assert (round(status.pull_rt, 3), round(status.consume_rt, 3)) == (2.0, 4.0)
    assert status.consume_failed_msgs == 240
    clock.advance(60)
    stats.status()
    clock.advance(60)
    assert (stats.status().pull_tps, stats.status().pull_rt) == (0.0, 0.0)


def test_failures_of_the_last_hour() -> None:
    clock = Clock()
    stats = TopicStats(clock.seconds)
    stats.consumed(0, 5, 0.0)
    clock.advance(1800)
    stats.consumed(0, 3, 0.0)
    assert stats.status().consume_failed_msgs == 8
    clock.advance(1900)
    assert stats.status().consume_failed_msgs == 3
    assert len(stats._samples) < 10


def test_memory_is_bounded() -> None:
    clock = Clock()
    stats = TopicStats(clock.seconds)
    for _ in range(2000):
        clock.advance(10)
        stats.pulled(1, 0.0)
    assert len(stats._samples) <= 362
