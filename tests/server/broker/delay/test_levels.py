"""Delay levels: when, in which order, and what is delivered."""

import errno
from pathlib import Path

import pytest

from rmq.server.store.api import PutStatus
from rmq.wire.message import format_properties
from tests.kit.delays import BORN, NOW, Delays

SCHEDULE = "SCHEDULE_TOPIC_XXXX"


def offsets(delays: Delays) -> dict[int, int]:
    return delays.service.offsets.offsets


def test_a_message_comes_whole_when_its_delay_is_over(tmp_path: Path) -> None:
    delays = Delays(tmp_path).start()
    delays.run(1)
    delays.put(b"late", "T", 2, DELAY="2", TAGS="a", KEYS="k", city="Zürich")
    assert delays.store.queue_units(SCHEDULE, 1, 0, 9)[0][2] == NOW + 6000
    delays.run(4.875)
    assert delays.bodies("T", 2) == []
    delays.run(0.125)
    (message,) = delays.messages("T", 2)
    assert message.properties == {
        "DELAY": "2", "TAGS": "a", "KEYS": "k", "city": "Zürich", "REAL_TOPIC": "T", "REAL_QID": "2",
    }  # fmt: skip
    assert (message.body, message.flag, message.reconsume_times, message.born_timestamp) == (b"late", 7, 2, NOW - 1)
    assert message.born_host == BORN
    assert NOW + 6000 <= message.store_timestamp < NOW + 6125
    assert delays.store.queue_units("T", 2, 0, 1)[0][2] == 97
    assert offsets(delays) == {2: 1}
    assert delays.wakes == 1
    assert delays.stats.put_total == 1


def test_nothing_is_delivered_in_the_first_second(tmp_path: Path) -> None:
    delays = Delays(tmp_path)
    delays.put(DELAY="1")
    delays.run(10)
    delays.start()
    delays.run(0.875)
    assert delays.bodies() == []
    delays.run(0.25)
    assert delays.bodies() == [b"body"]


def test_a_level_keeps_its_order_and_levels_do_not_wait_for_each_other(tmp_path: Path) -> None:
    delays = Delays(tmp_path, messageDelayLevel="1s 2s 3s").start()
    delays.run(1)
    for number in range(200):
        delays.put(b"%d" % number, DELAY=str(3 - number % 3))
    delays.run(3.5)
    wanted = [b"%d" % number for level in (2, 1, 0) for number in range(level, 200, 3)]
    assert delays.bodies() == wanted
    assert offsets(delays) == {1: 66, 2: 67, 3: 67}


def test_many_that_are_due_are_delivered_in_slices(tmp_path: Path) -> None:
    delays = Delays(tmp_path).start()
    delays.run(1)
    for number in range(100):
        delays.put(b"%d" % number, DELAY="1")
    delays.clock.advance(1)
    assert len(delays.bodies()) == 16
    for count in (32, 48):
        delays.clock.moment()
        assert len(delays.bodies()) == count
    delays.run(0.125)
    assert delays.bodies() == [b"%d" % number for number in range(100)]


def test_large_messages_make_small_slices(tmp_path: Path) -> None:
    delays = Delays(tmp_path).start()
    delays.run(1)
    for _ in range(4):
        delays.put(bytes(600_000), DELAY="1")
    delays.clock.advance(1)
    assert len(delays.bodies()) == 2


def test_a_clean_end_is_gone_on_from_exactly(tmp_path: Path) -> None:
    first = Delays(tmp_path, messageDelayLevel="1s 4s").start()
    first.run(1)
    for number in range(6):
        first.put(b"%d" % number, DELAY=str(1 + number % 2))
    first.run(1.25)
    assert first.bodies() == [b"0", b"2", b"4"]
    second = first.again()
    assert second.files.files["delayOffset.json"].split() == (
        f'{{ "dataVersion":{{ "counter":0, "stateVersion":0, "timestamp":{NOW} }}, '
        '"offsetTable":{ 1:3, 2:0 } }'
    ).encode().split()
    second.start().run(9)
    assert second.bodies() == [b"0", b"2", b"4", b"1", b"3", b"5"]


def test_after_a_kill_nothing_is_missing(tmp_path: Path) -> None:
    delays = Delays(tmp_path / "a", flushDelayOffsetInterval=500).start()
    delays.run(1)
    for number in range(3):
        delays.put(b"%d" % number, DELAY="1")
        delays.run(0.375)
    delays.run(0.5)
    assert delays.bodies() == [b"0", b"1"]
    killed = delays.copy("b").start()
    killed.run(3)
    got = killed.bodies()
    assert set(got) == {b"0", b"1", b"2"}
    assert got[:2] == [b"0", b"1"]
    assert got[2:] == sorted(got[2:])


def test_progress_is_kept_when_the_log_is_on_the_disk_not_before(tmp_path: Path) -> None:
    delays = Delays(tmp_path, flushDelayOffsetInterval=100)
    delays.service.start()
    delays.run(1)
    delays.put(DELAY="1")
    delays.run(2)
    assert delays.bodies() == [b"body"]
    assert b"1:1" not in delays.files.files.get("delayOffset.json", b"")
    delays.store.start()
    delays.run(2)
    assert b"1:1" in delays.files.files["delayOffset.json"]


@pytest.mark.parametrize("kept", [b"9", b"-4"])
def test_an_offset_outside_the_queue_is_brought_inside(tmp_path: Path, kept: bytes) -> None:
    delays = Delays(tmp_path)
    delays.put(b"0", DELAY="1")
    delays.run(2)
    delays.files.files["delayOffset.json"] = b'{"offsetTable":{1:' + kept + b"}}"
    delays = delays.again().start()
    delays.run(2)
    assert delays.bodies() == ([b"0"] if kept == b"-4" else [])
    assert offsets(delays) == {1: 1}


def test_a_time_further_off_than_the_level_is_a_wrong_clock(tmp_path: Path) -> None:
    delays = Delays(tmp_path).start()
    text = format_properties({"DELAY": "1", "REAL_TOPIC": "T", "REAL_QID": "0"}).encode()
    delays.store.append(SCHEDULE, 0, 0, 0, NOW, BORN, 0, 0, b"x", text, NOW + 3_600_000)
    delays.run(1.25)
    assert delays.bodies() == [b"x"]


def test_what_cannot_go_anywhere_is_left_and_does_not_stop_the_others(tmp_path: Path) -> None:
    delays = Delays(tmp_path).start()
    for properties in (
        {"DELAY": "1"},
        {"DELAY": "1", "REAL_TOPIC": "T", "REAL_QID": "x"},
        {"DELAY": "1", "REAL_TOPIC": "RMQ_SYS_TRANS_HALF_TOPIC", "REAL_QID": "0"},
        {"DELAY": "1", "REAL_TOPIC": "T" * 300, "REAL_QID": "0"},
        {"DELAY": "1", "REAL_TOPIC": "T", "REAL_QID": "0"},
    ):
        text = format_properties(properties).encode()
        delays.store.append(SCHEDULE, 0, 0, 0, NOW, BORN, 0, 0, b"x", text, NOW)
    delays.run(1.25)
    assert delays.bodies() == [b"x"]
    assert delays.bodies("RMQ_SYS_TRANS_HALF_TOPIC") == []
    assert offsets(delays) == {1: 5}


def test_a_full_store_delays_further(tmp_path: Path) -> None:
    delays = Delays(tmp_path).start()
    delays.run(1)
    delays.put(DELAY="1")
    delays.store._appender.refused = PutStatus.SERVICE_NOT_AVAILABLE
    delays.run(3)
    assert (delays.bodies(), offsets(delays), delays.stats.put_failures > 10) == ([], {1: 0}, True)
    delays.store._appender.refused = None
    delays.run(0.125)
    assert delays.bodies() == [b"body"]


def test_figures(tmp_path: Path) -> None:
    delays = Delays(tmp_path).start()
    delays.run(1)
    delays.put(DELAY="1")
    delays.put(DELAY="18")
    delays.run(1)
    figures = {key: value for key, value in delays.service.figures().items() if key.startswith("schedule")}
    assert figures == {"scheduleMessageOffset_1": "1,1", "scheduleMessageOffset_18": "0,1"}


def test_what_cannot_be_read_now_neither_doubles_others_nor_holds_other_levels_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    delays = Delays(tmp_path, messageDelayLevel="1s 2s").start()
    delays.run(1)
    for number in range(5):
        delays.put(b"%d" % number, DELAY="1")
    delays.put(b"other level", DELAY="2")
    read = delays.store.queue_message

    def failing(topic: str, queue_id: int, offset: int) -> bytes | None:
        if (topic, queue_id, offset) == (SCHEDULE, 0, 3):
            raise OSError(errno.EIO, "EIO")
        return read(topic, queue_id, offset)

    with monkeypatch.context() as patch:
        patch.setattr(delays.store, "queue_message", failing)
        delays.run(3)
    assert delays.bodies() == [b"0", b"1", b"2", b"other level"]
    delays.run(0.25)
    assert delays.bodies() == [b"0", b"1", b"2", b"other level", b"3", b"4"]
    assert offsets(delays) == {1: 5, 2: 1}


def test_a_queue_that_begins_anew(tmp_path: Path) -> None:
    """As after its topic was deleted, which settings allow."""
    delays = Delays(tmp_path).start()
    for number in range(3):
        delays.put(b"%d" % number, DELAY="1")
    delays.run(3)
    delays.store.destroy_topic(SCHEDULE)
    delays.run(0.25)
    delays.put(b"new", DELAY="1")
    delays.run(2)
    assert delays.bodies() == [b"0", b"1", b"2", b"new"]
    assert offsets(delays) == {1: 1}
