"""The timer: messages come at their time, once, whatever happens in between."""

import errno
import json
from pathlib import Path

import pytest

from rmq.server.broker.delay.timer import Timer
from rmq.server.broker.delay.timer_files import TimerFiles
from rmq.server.broker.delay.timer_log import TimerLog
from rmq.server.broker.delay.timer_slot import LeavingSlot
from rmq.server.store.api import PutStatus
from rmq.wire.layouts import TIMER_CHECKPOINT
from rmq.wire.message import StoredMessage, format_properties
from tests.kit.delays import BORN, NOW, Delays
from tests.kit.stores import FaultyEnv, Threads

TIMER = "rmq_sys_wheel_timer"
DAY = 86_400


def timer(delays: Delays) -> Timer:
    return delays.service._timer


def files(delays: Delays) -> TimerFiles:
    return delays.service._files


def units(delays: Delays) -> list[tuple[int, ...]]:
    log: TimerLog = files(delays).log
    return [tuple(unit) for _, unit in log.scan(0)]


def recall(delays: Delays, message: StoredMessage | str, slot: int, topic: str = "T") -> None:
    key = message if isinstance(message, str) else message.properties["UNIQ_KEY"]
    delays.put(b"0", topic, TIMER_DEL_UNIQKEY=key, UNIQ_KEY=key, TIMER_DELIVER_MS=str(slot + 1))


def test_a_message_comes_whole_when_its_slot_is_over(tmp_path: Path) -> None:
    delays = Delays(tmp_path).start()
    delays.run(0.5)
    delays.put(b"late", "T", 2, TIMER_DELAY_MS="2300", TAGS="a", UNIQ_KEY="U")
    assert delays.bodies(TIMER) == [b"late"]
    delays.run(2.375)
    assert delays.bodies("T", 2) == []
    delays.run(0.25)
    (message,) = delays.messages("T", 2)
    properties = dict(message.properties)
    assert NOW + 3000 <= int(properties.pop("TIMER_DEQUEUE_MS")) < NOW + 3125
    assert properties == {
        "TIMER_DELAY_MS": "2300", "TAGS": "a", "UNIQ_KEY": "U", "REAL_TOPIC": "T", "REAL_QID": "2",
        "TIMER_OUT_MS": str(NOW + 2000), "TIMER_ENQUEUE_MS": str(NOW),
    }  # fmt: skip
    assert (message.body, message.flag, message.reconsume_times, message.born_timestamp) == (b"late", 7, 2, NOW - 1)
    assert message.born_host == BORN
    assert NOW + 3000 <= message.store_timestamp < NOW + 3125
    assert delays.store.queue_units("T", 2, 0, 1)[0][2] == 97
    assert delays.wakes == 1


@pytest.mark.parametrize("offset", [0, 1, 500, 999])
@pytest.mark.parametrize("delay", [1, 400, 999, 1000, 1001])
def test_never_early_and_at_most_a_second_late(tmp_path: Path, offset: int, delay: int) -> None:
    delays = Delays(tmp_path).start()
    delays.run(3)
    delays.clock.advance(offset / 1000)
    sent = delays.now()
    delays.put(TIMER_DELAY_MS=str(delay))
    delays.run(delay / 1000 + 1.25)
    (message,) = delays.messages()
    assert sent + delay <= message.store_timestamp <= sent + delay + 1000 + 125


def test_a_slot_keeps_its_order(tmp_path: Path) -> None:
    delays = Delays(tmp_path).start()
    for number in range(300):
        delays.put(b"%d" % number, TIMER_DELAY_MS=str(1000 * (3 - number % 3)))
    delays.run(5)
    assert delays.bodies() == [b"%d" % number for slot in (2, 1, 0) for number in range(slot, 300, 3)]
    assert timer(delays).waiting == 0


def test_many_that_are_due_leave_in_slices(tmp_path: Path) -> None:
    delays = Delays(tmp_path).start()
    for number in range(200):
        delays.put(b"%d" % number, TIMER_DELAY_MS="1500")
    delays.run(1)
    delays.clock.advance(1)
    counts = [len(delays.bodies())]
    for _ in range(5):
        delays.clock.moment()
        counts.append(len(delays.bodies()))
    assert sorted(set(counts) - {0}) == [64, 128, 192, 200]


def test_a_backlog_is_taken_in_before_anything_leaves(tmp_path: Path) -> None:
    """A recall that was accepted counts, even if the timer comes to read it late."""
    delays = Delays(tmp_path)
    for number in range(3000):
        delays.put(b"%d" % number, UNIQ_KEY=f"U{number}", TIMER_DELAY_MS="1000")
    recall(delays, "U0", NOW)
    delays.clock.advance(60)
    delays.start()
    delays.run(10)
    assert delays.bodies() == [b"%d" % number for number in range(1, 3000)]


def test_what_is_recalled_does_not_come(tmp_path: Path) -> None:
    delays = Delays(tmp_path).start()
    for number in range(6):
        delays.put(b"%d" % number, UNIQ_KEY=f"U{number}", TIMER_DELAY_MS="3000")
    delays.run(1)
    recall(delays, "U1", NOW + 2000)
    recall(delays, "T+U4", NOW + 2000)
    recall(delays, "Other+U5", NOW + 2000)
    recall(delays, "nobody", NOW + 2000)
    delays.run(3)
    assert delays.bodies() == [b"0", b"2", b"3", b"5"]


def test_its_units_slots_and_checkpoint_are_apaches(tmp_path: Path) -> None:
    """Three messages in two slots and a recall, as Apache's broker writes them."""
    delays = Delays(tmp_path)
    delays.put(b"x", UNIQ_KEY="U0", TIMER_DELAY_MS="3000")
    delays.put(b"x", UNIQ_KEY="U1", TIMER_DELAY_MS="3000")
    delays.put(b"x", UNIQ_KEY="U2", TIMER_DELAY_SEC="86400")
    recall(delays, "U1", NOW + 2000)
    delays.start().run(1.5)
    sizes = [(message.physical_offset, message.total_size) for message in delays.messages(TIMER)]
    assert units(delays) == [
        (52, -1, 1, NOW, 2000, *sizes[0], 84, 0),
        (52, 0, 1, NOW, 2000, *sizes[1], 84, 0),
        (52, -1, 1, NOW, 86_399_000, *sizes[2], 84, 0),
        (52, 52, 5, NOW, 2000, *sizes[3], 84, 0),
    ]
    wheel = files(delays).wheel
    assert wheel.get(NOW + 2000) == (0, 156, 1)
    assert wheel.get(NOW + 86_399_000) == (104, 104, 1)
    assert wheel.get(NOW + 1000).amount == 0
    assert (timer(delays).waiting, timer(delays).waiting_in(NOW + 2000)) == (2, 1)
    delays.stop()
    assert (tmp_path / "timerwheel").stat().st_size == 38_707_200
    page = (tmp_path / "config/timercheck").read_bytes()
    assert len(page) == 4096
    read_time, position, offset, master, version, _, counter = TIMER_CHECKPOINT.unpack_from(page)
    assert (read_time, position, offset, master, version) == (NOW + 1000, 208, 4, 4, 0)
    assert counter > 0
    metrics = json.loads(delays.files.files["timermetrics"])
    assert (metrics["dataVersion"]["counter"], metrics["dataVersion"]["stateVersion"]) == (4, 0)
    assert {topic: metric["count"] for topic, metric in metrics["timingCount"].items()} == {"T": 2}


def test_nothing_is_written_while_nobody_times_anything(tmp_path: Path) -> None:
    delays = Delays(tmp_path).start()
    delays.run(30)
    delays.stop()
    assert not (tmp_path / "timerwheel").exists()
    assert not (tmp_path / "timerlog").exists()
    assert not (tmp_path / "config").exists()
    assert delays.files.files == {}


def test_a_clean_end_is_gone_on_from_exactly(tmp_path: Path) -> None:
    first = Delays(tmp_path).start()
    for number in range(4):
        first.put(b"%d" % number, TIMER_DELAY_MS=str(1500 + 2000 * number))
    first.run(4)
    first.put(b"4", TIMER_DELAY_MS="500")
    assert first.bodies() == [b"0", b"1"]
    second = first.again().start()
    second.run(3)
    assert second.bodies() == [b"0", b"1", b"4", b"2"]
    third = second.again().start()
    third.run(9)
    assert third.bodies() == [b"0", b"1", b"4", b"2", b"3"]
    assert timer(third).waiting == 0


@pytest.mark.parametrize("moments", [1, 2, 3])
def test_a_clean_end_in_the_middle_of_a_slot(tmp_path: Path, moments: int) -> None:
    """What has left does not come again, what was recalled does not come, and the rest comes in order."""
    first = Delays(tmp_path).start()
    recall(first, "U150", NOW + 1000)
    for number in range(200):
        first.put(b"%d" % number, UNIQ_KEY=f"U{number}", TIMER_DELAY_MS="1500")
    recall(first, "U151", NOW + 1000)
    first.run(1)
    first.clock.advance(1)
    while len(first.bodies()) < 64 * moments - (2 if moments == 3 else 0):
        first.clock.moment()
    second = first.again()
    assert timer(second).waiting == 200 - 64 * moments - 2
    second.start().run(2)
    assert second.bodies() == [b"%d" % number for number in range(200) if number not in {150, 151}]


def test_a_clean_end_after_the_last_message_of_a_slot(tmp_path: Path) -> None:
    first = Delays(tmp_path).start()
    for number in range(64):
        first.put(b"%d" % number, TIMER_DELAY_MS="1500")
    first.run(1)
    first.clock.advance(1)
    while not first.bodies():
        first.clock.moment()
    second = first.again().start()
    second.run(2)
    assert second.bodies() == [b"%d" % number for number in range(64)]


@pytest.mark.parametrize("after", [0.25, 1.0, 1.75, 2.5, 4.0])
def test_after_a_kill_nothing_is_missing(tmp_path: Path, after: float) -> None:
    delays = Delays(tmp_path / "a").start()
    for number in range(30):
        delays.put(b"%d" % number, UNIQ_KEY=f"U{number}", TIMER_DELAY_MS=str(800 + 100 * number))
    recall(delays, "U29", NOW + 3000)
    delays.run(after)
    killed = delays.copy("b").start()
    killed.run(6)
    got = killed.bodies()
    assert set(got) == {b"%d" % number for number in range(29)}
    again = killed.copy("c").start()
    again.run(5)
    assert len(again.bodies()) == len(got)


def test_after_a_kill_in_a_large_slot_little_comes_twice(tmp_path: Path) -> None:
    delays = Delays(tmp_path / "a", timerFlushIntervalMs=1).start()
    for number in range(2000):
        delays.put(b"%d" % number, TIMER_DELAY_MS="1500")
    delays.run(1)
    delays.clock.advance(1)
    while len(delays.bodies()) < 1000:
        delays.clock.advance(0.05)
    before = len(delays.bodies())
    killed = delays.copy("b").start()
    killed.run(6)
    got = killed.bodies()
    assert set(got) == {b"%d" % number for number in range(2000)}
    assert 2000 <= len(got) < 2000 + before // 2


def test_progress_is_kept_when_the_log_is_on_the_disk_not_before(tmp_path: Path) -> None:
    delays = Delays(tmp_path)
    delays.service.start()
    delays.put(TIMER_DELAY_MS="1500")
    delays.run(4)
    assert delays.bodies() == [b"body"]
    assert not (tmp_path / "config/timercheck").exists()
    delays.store.start()
    delays.run(2)
    assert TIMER_CHECKPOINT.unpack_from((tmp_path / "config/timercheck").read_bytes())[0] >= NOW + 2000


def test_a_thread_that_fails_is_tried_again(tmp_path: Path) -> None:
    env = FaultyEnv()
    delays = Delays(tmp_path, env=env).start()
    delays.put(TIMER_DELAY_MS="1500")
    delays.run(0.5)
    env.fail["sync_file"] = (0, errno.EIO)
    delays.run(2)
    assert not (tmp_path / "config/timercheck").exists()
    env.fail.clear()
    delays.run(3)
    assert (tmp_path / "config/timercheck").exists()


def test_only_one_thread_at_a_time(tmp_path: Path) -> None:
    threads = Threads()
    delays = Delays(tmp_path, threads=threads).start()
    for number in range(5):
        delays.put(TIMER_DELAY_MS=str(1000 + number * 1000))
    delays.run(5)
    assert len(threads.waiting) == 1
    assert threads.run() == 1
    delays.run(3)
    assert len(threads.waiting) == 1


def test_beyond_the_window_messages_and_recalls_go_round(tmp_path: Path) -> None:
    delays = Delays(tmp_path, timerRollWindowSlot=4).start()
    for number in range(3):
        delays.put(b"%d" % number, UNIQ_KEY=f"U{number}", TIMER_DELAY_MS=str(10_000 + number))
    recall(delays, "U1", NOW + 10_000)
    delays.run(10.75)
    assert delays.bodies() == [b"0"]
    delays.run(1)
    assert delays.bodies() == [b"0", b"2"]
    first, last = delays.messages()
    assert NOW + 10_000 <= first.store_timestamp < NOW + 10_250
    assert NOW + 11_000 <= last.store_timestamp < NOW + 11_250
    assert int(first.properties["TIMER_ROLL_TIMES"]) >= 1
    assert first.properties["TIMER_OUT_MS"] == str(NOW + 9000)


def test_a_message_that_is_little_beyond_the_window_waits_half_of_it_first(tmp_path: Path) -> None:
    delays = Delays(tmp_path, timerRollWindowSlot=100).start()
    delays.put(TIMER_DELAY_MS="120000")
    delays.put(TIMER_DELAY_MS="140000")
    delays.run(0.25)
    assert [(unit[2], unit[4]) for unit in units(delays)] == [(3, 50_000), (3, 100_000)]


@pytest.mark.parametrize("days", [5, 8, 13, 20])
def test_days_without_a_broker(tmp_path: Path, days: int) -> None:
    """The old messages come, in their order, and those that are sent meanwhile are not mixed up with them."""
    first = Delays(tmp_path, timerRollWindowSlot=604_740).start()
    first.put(b"soon", TIMER_DELAY_SEC="10")
    first.put(b"later", TIMER_DELAY_SEC=str(3 * DAY))
    first.run(1)
    first.stop()
    first.clock.advance(days * DAY)
    second = Delays(tmp_path, clock=first.clock, files=first.files)
    second.put(b"new", TIMER_DELAY_SEC="2")
    second.put(b"newer", TIMER_DELAY_SEC=str(3 * DAY))
    second.start().run(20)
    assert second.bodies() == [b"soon", b"later", b"new"]
    assert timer(second).waiting == 1


def test_messages_without_a_time_in_the_timers_topic_are_left(tmp_path: Path) -> None:
    """Apache's broker puts a batch there whose request asks for a delay."""
    delays = Delays(tmp_path).start()
    cases: list[dict[str, str]] = [
        {},
        {"TIMER_OUT_MS": "x", "REAL_TOPIC": "T"},
        {"TIMER_OUT_MS": "9" * 30, "REAL_TOPIC": "T"},
        {"TIMER_OUT_MS": str(NOW)},
        {"TIMER_OUT_MS": str(NOW), "REAL_TOPIC": "T", "REAL_QID": "z"},
    ]
    for properties in cases:
        text = format_properties(properties).encode()
        delays.store.append(TIMER, 0, 0, 0, NOW, BORN, 0, 0, b"x", text, 0)
    delays.put(b"good", TIMER_DELAY_MS="500")
    delays.run(3)
    assert delays.bodies() == [b"good"]
    assert timer(delays).figures()["timerOffsetBehind"] == 0


def test_a_full_store_delays_further(tmp_path: Path) -> None:
    delays = Delays(tmp_path).start()
    for number in range(3):
        delays.put(b"%d" % number, TIMER_DELAY_MS="1000")
    delays.run(0.5)
    delays.store._appender.refused = PutStatus.SERVICE_NOT_AVAILABLE
    delays.run(3)
    assert delays.bodies() == []
    delays.store._appender.refused = None
    delays.run(0.25)
    assert delays.bodies() == [b"0", b"1", b"2"]


@pytest.mark.parametrize("method", ["resize", "reserve", "map_file", "make_directory"])
def test_a_full_disk_delays_taking_in(tmp_path: Path, method: str) -> None:
    env = FaultyEnv()
    delays = Delays(tmp_path, env=env)
    delays.put(b"x", TIMER_DELAY_MS="1000")
    env.fail[method] = (0, errno.ENOSPC)
    delays.service.start()
    delays.run(3)
    assert delays.bodies() == []
    env.fail.clear()
    delays.run(2)
    assert delays.bodies() == [b"x"]


def test_it_can_be_told_to_stand_still(tmp_path: Path) -> None:
    delays = Delays(tmp_path, timerStopEnqueue="true", timerStopDequeue="true").start()
    delays.put(b"x", TIMER_DELAY_MS="1000")
    delays.run(3)
    assert units(delays) == []
    delays.settings.store.timer_stop_enqueue = False
    delays.run(3)
    assert (len(units(delays)), delays.bodies()) == (1, [])
    delays.settings.store.timer_stop_dequeue = False
    delays.run(1)
    assert delays.bodies() == [b"x"]


def test_a_message_that_the_log_has_lost(tmp_path: Path) -> None:
    delays = Delays(tmp_path).start()
    delays.put(b"x", TIMER_DELAY_MS="1000")
    delays.run(0.5)
    log = files(delays).log
    wheel = files(delays).wheel
    position = log.append(wheel.get(NOW).last, 1, NOW, 0, 77, 10, 84)
    wheel.put(NOW, wheel.get(NOW)._replace(last=position, amount=2))
    delays.put(b"y", TIMER_DELAY_MS="500")
    delays.run(3)
    assert sorted(delays.bodies()) == [b"x", b"y"]


def test_figures(tmp_path: Path) -> None:
    delays = Delays(tmp_path).start()
    for _ in range(8):
        delays.put(TIMER_DELAY_MS="5000")
    assert timer(delays).figures() == {
        "timerReadBehind": 0, "timerOffsetBehind": 8, "timerCongestNum": 0, "timerEnqueueTps": 0.0,
        "timerDequeueTps": 0.0,
    }  # fmt: skip
    delays.run(1)
    figures = timer(delays).figures()
    assert (figures["timerOffsetBehind"], figures["timerCongestNum"], figures["timerDequeueTps"]) == (0, 8, 0.0)
    assert 7 < float(str(figures["timerEnqueueTps"])) <= 8


def test_a_timer_that_keeps_up_is_never_behind(tmp_path: Path) -> None:
    delays = Delays(tmp_path).start()
    behind = set()
    for _ in range(40):
        delays.run(0.05)
        behind.add(timer(delays).figures()["timerReadBehind"])
    assert behind == {0}
    delays.clock.rightNow += 10
    assert timer(delays).figures()["timerReadBehind"] == 9


def test_a_clean_end_while_a_thread_writes_is_gone_on_from_exactly(tmp_path: Path) -> None:
    threads = Threads()
    first = Delays(tmp_path, threads=threads).start()
    first.put(TIMER_DELAY_MS="1500")
    while not first.bodies():
        first.run(0.125)
        threads.run()
    first.run(1)
    threads.run()
    first.run(1)
    assert len(threads.waiting) == 0
    first.put(b"second", TIMER_DELAY_MS="500")
    while len(first.bodies()) < 2:
        first.run(0.125)
        if len(first.bodies()) < 2:
            threads.run()
    while not threads.waiting:
        first.run(0.125)
    second = first.again()
    assert threads.run() == 1
    second.start().run(3)
    assert second.bodies() == [b"body", b"second"]


def test_progress_that_the_disk_refused_is_kept_later(tmp_path: Path) -> None:
    env = FaultyEnv()
    env.only_below = "timercheck"
    first = Delays(tmp_path, env=env).start()
    first.put(TIMER_DELAY_MS="500")
    env.fail["reserve"] = (0, errno.ENOSPC)
    first.run(4)
    assert first.bodies() == [b"body"]
    env.fail.clear()
    second = first.again().start()
    second.run(3)
    assert second.bodies() == [b"body"]


def test_a_jump_of_days_within_a_backlog_does_not_use_places_twice(tmp_path: Path) -> None:
    """Slots fourteen days apart share a place of the wheel."""
    first = Delays(tmp_path, timerRollWindowSlot=604_740, timerMaxDelaySec=6 * DAY).start()
    first.put(b"old", TIMER_DELIVER_MS=str(NOW + 3 * DAY * 1000))
    first.run(1)
    first.stop()
    first.clock.advance(12 * DAY)
    second = Delays(tmp_path, clock=first.clock, files=first.files, **first.given)
    second.put(b"new", TIMER_DELIVER_MS=str(NOW + 17 * DAY * 1000))
    second.start().run(20)
    assert second.bodies() == [b"old"]
    assert timer(second).waiting == 1


def test_recalls_with_long_keys_are_cheap_to_remember(tmp_path: Path) -> None:
    delays = Delays(tmp_path).start()
    for number in range(20):
        recall(delays, f"{number:015000d}", NOW + 1000)
    key = "7" * 15_000
    delays.put(b"recalled", UNIQ_KEY=key, TIMER_DELAY_MS="1500")
    delays.put(b"stays", UNIQ_KEY="k", TIMER_DELAY_MS="1500")
    recall(delays, key, NOW + 1000)
    delays.run(1)
    time = NOW + 1000
    slot = LeavingSlot(files(delays), delays.store, time, files(delays).wheel.get(time))
    assert slot.walk(1000)
    assert slot.recalls("T", key)
    assert not slot.recalls("T", "k")
    assert sum(map(len, slot.recalled)) < 1000
    delays.run(2)
    assert delays.bodies() == [b"stays"]


def test_a_queue_that_begins_anew(tmp_path: Path) -> None:
    """As after its topic was deleted, which settings allow."""
    delays = Delays(tmp_path).start()
    for number in range(3):
        delays.put(b"%d" % number, TIMER_DELAY_MS="500")
    delays.run(3)
    delays.store.destroy_topic(TIMER)
    delays.run(0.25)
    delays.put(b"new", TIMER_DELAY_MS="500")
    delays.run(3)
    assert delays.bodies() == [b"0", b"1", b"2", b"new"]
