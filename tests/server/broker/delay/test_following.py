"""A slave's timer: it lets nothing out, and when it is started as a master, nothing is lost."""

from pathlib import Path

from rmq.server.broker.delay.following import FollowingTimer
from rmq.wire.bodies.broker import TimerMetric, TimerMetrics
from rmq.wire.bodies.offset import DelayOffsets
from rmq.wire.bodies.version import DataVersion
from rmq.wire.layouts import TIMER_CHECKPOINT
from tests.kit.delays import NOW, Delays

TIMER = "rmq_sys_wheel_timer"
NOTHING = DelayOffsets()


def slave(path: Path) -> Delays:
    return Delays(path, brokerRole="SLAVE", brokerId="1")


def timer(delays: Delays) -> FollowingTimer:
    found = delays.service._timer
    assert isinstance(found, FollowingTimer)
    return found


def follow(delays: Delays, read_time: int, queue_offset: int) -> None:
    delays.service.follow(NOTHING, TIMER_CHECKPOINT.pack(read_time, 0, 0, queue_offset, 0, 0, 0))


def promoted(delays: Delays) -> Delays:
    return delays.again(brokerRole="ASYNC_MASTER", brokerId="0").start()


def test_nothing_leaves_and_a_master_has_what_waits(tmp_path: Path) -> None:
    delays = slave(tmp_path).start()
    delays.put(b"level", DELAY="1")
    for seconds in (2, 4, 6):
        delays.put(b"%d" % seconds, TIMER_DELAY_MS=str(seconds * 1000))
    follow(delays, NOW, 3)
    delays.run(10)
    assert delays.bodies() == []
    # The master has let out the first of them, and delivered the level.
    delays.service.follow(
        DelayOffsets(DataVersion(0, 1, 1), {1: 1}), TIMER_CHECKPOINT.pack(NOW + 3000, 0, 0, 3, 0, 0, 0)
    )
    assert timer(delays).waiting == 2
    heir = promoted(delays)
    heir.run(3)
    assert heir.bodies() == [b"4", b"6"]


def test_it_takes_in_no_more_than_its_master(tmp_path: Path) -> None:
    delays = slave(tmp_path).start()
    for number in range(4):
        delays.put(b"%d" % number, TIMER_DELAY_MS="9000")
    delays.run(1)
    assert delays.service.figures()["timerOffsetBehind"] == 4
    follow(delays, NOW, 3)
    delays.run(1)
    assert delays.service.figures()["timerOffsetBehind"] == 1
    assert timer(delays).waiting == 3
    heir = promoted(delays)
    heir.run(12)
    assert heir.bodies() == [b"0", b"1", b"2", b"3"]


def test_a_restart_goes_on_and_repeats_nothing(tmp_path: Path) -> None:
    delays = slave(tmp_path).start()
    for number in range(3):
        delays.put(b"%d" % number, TIMER_DELAY_MS=str(5000 + 1000 * number))
    follow(delays, NOW, 3)
    delays.run(1)
    again = delays.again().start()
    again.run(1)
    assert timer(again).waiting == 3
    follow(again, NOW + 5000, 3)
    again.run(2)
    heir = promoted(again)
    heir.run(10)
    assert heir.bodies() == [b"1", b"2"]


def test_after_a_kill_what_was_told_holds(tmp_path: Path) -> None:
    delays = slave(tmp_path / "a").start()
    for number in range(3):
        delays.put(b"%d" % number, TIMER_DELAY_MS=str(5000 + 1000 * number))
    follow(delays, NOW, 3)
    delays.run(3)
    follow(delays, NOW + 5000, 3)
    delays.run(3)
    heir = promoted(delays.copy("b"))
    heir.run(10)
    assert heir.bodies() == [b"1", b"2"]


def test_what_comes_too_late_for_its_slot_counts_as_gone_when_it_surely_is(tmp_path: Path) -> None:
    delays = slave(tmp_path).start()
    delays.put(b"late", TIMER_DELAY_MS="1000")
    delays.run(5)
    follow(delays, NOW + 4000, 1)
    delays.run(1)
    follow(delays, NOW + 5000, 1)
    assert timer(delays).waiting == 1
    follow(delays, NOW + 6000, 1)
    assert timer(delays).waiting == 0


def test_back_again(tmp_path: Path) -> None:
    """What this broker let out as a master, and was cut away since, waits again."""
    delays = slave(tmp_path).start()
    for number in range(3):
        delays.put(b"%d" % number, TIMER_DELAY_MS=str(5000 + 1000 * number))
    follow(delays, NOW, 3)
    delays.run(1)
    follow(delays, NOW + 6000, 3)
    assert timer(delays).waiting == 1
    follow(delays, NOW + 4000, 3)
    assert timer(delays).waiting == 3
    delays.run(9)
    heir = promoted(delays)
    heir.run(3)
    assert heir.bodies() == [b"0", b"1", b"2"]


def test_a_timer_that_never_ran_tells_nothing(tmp_path: Path) -> None:
    delays = slave(tmp_path).start()
    delays.put(TIMER_DELAY_MS="1000")
    follow(delays, 0, 0)
    delays.service.follow(NOTHING, b"")
    delays.run(3)
    assert timer(delays).waiting == 0
    heir = promoted(delays)
    heir.run(3)
    assert heir.bodies() == [b"body"]


def test_a_log_that_was_cut_takes_its_units_along(tmp_path: Path) -> None:
    delays = slave(tmp_path).start()
    for number in range(200):
        delays.put(b"%d" % number, TIMER_DELAY_MS=str(20_000 + 1000 * (number % 3)))
        if number == 99:
            end = delays.store.log_max_offset
    follow(delays, NOW, 200)
    delays.run(3)
    timer(delays).cut()
    assert timer(delays).waiting == 200
    done: list[object] = []
    delays.store.truncate(end).addBoth(done.append)
    delays.run(1)
    assert len(done) == 1
    timer(delays).cut()
    assert timer(delays).waiting == 100
    last = delays.service._files.log.last()
    assert last is not None
    assert last.physical < end
    for _ in range(50):
        delays.store.append(TIMER, 0, 0, 0, NOW, bytes(8), 0, 0, b"", b"", 0)
    delays.run(1)
    assert delays.service.figures()["timerOffsetBehind"] == 0
    heir = promoted(delays)
    heir.run(30)
    assert heir.bodies() == [b"%d" % number for rest in range(3) for number in range(rest, 100, 3)]


def test_counts_are_the_masters(tmp_path: Path) -> None:
    delays = slave(tmp_path).start()
    delays.put(TIMER_DELAY_MS="9000")
    follow(delays, NOW, 1)
    metrics = TimerMetrics({"T": TimerMetric(5, 7)}, DataVersion(0, 4, 2))
    delays.service.assign_timer_metrics(metrics)
    delays.run(1)
    assert timer(delays).waiting == 1
    heir = promoted(delays)
    assert heir.service.timer_metrics() == (
        b'{"dataVersion":{"counter":4,"stateVersion":0,"timestamp":2},"timingCount":{"T":{"count":5,"timeStamp":7}}}'
    )
