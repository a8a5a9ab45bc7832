"""Counters and rates."""

import pytest
from twisted.internet.task import Clock

from rmq.server.broker import stats as stats_module
from rmq.server.broker.stats import BrokerStats
from rmq.wire.bodies.broker import BrokerStatsItem

DAY = 86_400


def scene(start: float = 0.0) -> tuple[Clock, BrokerStats]:
    clock = Clock()
    clock.advance(start)
    stats = BrokerStats(clock, "C", lambda: int(clock.seconds() * 1000))
    stats.start()
    return clock, stats


def test_totals() -> None:
    _, stats = scene()
    stats.put("T", 3, 300)
    stats.put("U", 1, 50)
    stats.put_failed()
    stats.got("T", "G", 2, 200)
    stats.get_miss += 1
    assert (stats.put_total, stats.put_bytes, stats.put_failures) == (4, 350, 1)
    assert (stats.get_total, stats.get_found, stats.get_miss) == (2, 1, 1)


def test_figures_by_name_and_key() -> None:
    clock, stats = scene()
    stats.put("T", 30, 3000)
    stats.got("T", "G", 20, 2000)
    assert stats.view("TOPIC_PUT_NUMS", "T") is None
    clock.advance(10)
    expected = {
        ("TOPIC_PUT_NUMS", "T"): 30,
        ("TOPIC_PUT_SIZE", "T"): 3000,
        ("GROUP_GET_NUMS", "T@G"): 20,
        ("GROUP_GET_SIZE", "T@G"): 2000,
    }
    for (name, key), total in expected.items():
        view = stats.view(name, key)
        assert view is not None
        assert view.stats_minute == BrokerStatsItem(sum=total, tps=total / 10)
    cluster = stats.view("BROKER_PUT_NUMS", "C")
    assert cluster is not None
    assert cluster.stats_minute == BrokerStatsItem(sum=30, tps=3.0)
    assert stats.group_rate("T", "G") == 2.0
    assert stats.group_rate("T", "H") == 0.0
    assert stats.view("none", "T") is None


def test_what_is_older_than_a_minute_leaves_the_minute_but_not_the_hour() -> None:
    clock, stats = scene()
    stats.put("T", 60, 1)
    clock.pump([10] * 13)
    view = stats.view("TOPIC_PUT_NUMS", "T")
    assert view is not None
    assert (view.stats_minute, view.stats_hour) == (BrokerStatsItem(), BrokerStatsItem(sum=60, tps=60 / 120))
    clock.pump([10] * 360)
    view = stats.view("TOPIC_PUT_NUMS", "T")
    assert view is not None
    assert view.stats_hour == BrokerStatsItem()
    assert view.stats_day is not None
    assert view.stats_day.sum == 60


def test_three_rates_of_a_total() -> None:
    clock, stats = scene()
    stats.put("T", 600, 1)
    clock.pump([10] * 6)
    stats.put("T", 100, 1)
    clock.advance(10)
    assert stats.rates("put") == f"10.0 {100 / 60} 10.0"
    assert stats.rates("miss") == "0.0 0.0 0.0"
    assert stats.rates("unknown") == "0.0 0.0 0.0"


def test_days_begin_at_midnight() -> None:
    clock, stats = scene(start=DAY - 15)
    stats.put("T", 5, 1)
    stats.got("T", "G", 2, 1)
    clock.pump([10, 10])
    assert (stats.put_yesterday_morning, stats.put_this_morning, stats.get_this_morning) == (0, 5, 2)
    stats.put("T", 3, 1)
    clock.pump([10] * (DAY // 10))
    assert (stats.put_yesterday_morning, stats.put_this_morning, stats.get_yesterday_morning) == (5, 8, 2)


def test_forgetting_a_topic_or_group_drops_its_counters() -> None:
    clock, stats = scene()
    for topic, group in (("T", "G"), ("T", "H"), ("TT", "G")):
        stats.put(topic, 1, 1)
        stats.got(topic, group, 1, 1)
    clock.advance(10)
    stats.forget("T")
    assert stats.view("TOPIC_PUT_NUMS", "T") is None
    assert stats.view("GROUP_GET_NUMS", "T@H") is None
    assert stats.view("TOPIC_PUT_NUMS", "TT") is not None
    stats.forget("G")
    assert stats.view("GROUP_GET_SIZE", "TT@G") is None
    clock.advance(10)
    assert stats.view("TOPIC_PUT_NUMS", "T") is None


def test_the_number_of_counters_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stats_module, "MOST_KEYS", 2)
    clock, stats = scene()
    for name in ("A", "B", "C", "A"):
        stats.put(name, 1, 1)
        stats.got(name, "G", 1, 1)
    clock.advance(10)
    views = [stats.view("TOPIC_PUT_NUMS", name) for name in "ABC"]
    assert [view and view.stats_minute and view.stats_minute.sum for view in views] == [2, 1, None]
    assert stats.view("GROUP_GET_NUMS", "C@G") is None
    assert (stats.put_total, stats.get_total) == (4, 4)


def test_stop_ends_the_sampling() -> None:
    clock, stats = scene()
    stats.stop()
    stats.stop()
    assert clock.getDelayedCalls() == []
