"""A slot on its way out."""

from pathlib import Path

from rmq.server.broker.delay.timer_files import TimerFiles
from rmq.server.broker.delay.timer_slot import LeavingSlot, Mark, digest
from tests.kit.delays import NOW, Delays


def leaving(delays: Delays) -> LeavingSlot:
    files: TimerFiles = delays.service._files
    return LeavingSlot(files, delays.store, NOW, files.wheel.get(NOW))


def filled(path: Path, count: int = 5) -> Delays:
    delays = Delays(path, timerStopDequeue="true").start()
    delays.put(b"r", UNIQ_KEY="early", TIMER_DEL_UNIQKEY="early", TIMER_DELIVER_MS=str(NOW + 1))
    for number in range(count):
        delays.put(b"%d" % number, UNIQ_KEY=f"U{number}", TIMER_DELAY_MS="500")
    delays.put(b"r", UNIQ_KEY="late", TIMER_DEL_UNIQKEY="late", TIMER_DELIVER_MS=str(NOW + 1))
    delays.run(0.5)
    return delays


def bodies(slot: LeavingSlot) -> list[bytes]:
    found = []
    while (unit := slot.next()) is not None:
        message = slot.message(unit)
        found.append(message.body if message is not None else b"gone")
        slot.left()
    return found


def test_the_walk_is_newest_first_and_the_way_out_oldest_first(tmp_path: Path) -> None:
    slot = leaving(filled(tmp_path))
    assert (slot.time, slot.amount) == (NOW, 3)
    assert not slot.walk(3)
    assert (slot.recalled, slot.mark(), slot.empty) == ({digest("late")}, None, False)
    assert not slot.walk(3)
    assert slot.walk(3)
    assert slot.recalled == {digest("early"), digest("late")}
    assert slot.mark() == Mark(52, 3)
    assert bodies(slot) == [b"0", b"1", b"2", b"3", b"4"]
    assert (slot.empty, slot.mark()) == (True, None)


def test_a_shortened_slot_has_the_rest_and_every_recall(tmp_path: Path) -> None:
    delays = filled(tmp_path)
    slot = leaving(delays)
    slot.walk(100)
    slot.left()
    slot.left()
    slot.shorten(slot.mark())
    wheel = delays.service._files.wheel
    assert wheel.get(NOW) == (0, 312, 1)
    rest = leaving(delays)
    assert rest.walk(100)
    assert rest.recalled == {digest("early"), digest("late")}
    assert bodies(rest) == [b"2", b"3", b"4"]


def test_nothing_is_shortened_during_the_walk(tmp_path: Path) -> None:
    delays = filled(tmp_path)
    slot = leaving(delays)
    slot.walk(2)
    slot.shorten(slot.mark())
    rest = leaving(delays)
    assert rest.walk(100)
    assert len(bodies(rest)) == 5


def test_a_chain_that_leads_forwards_ends(tmp_path: Path) -> None:
    delays = filled(tmp_path)
    delays.service._files.log.link(156, 312)
    slot = leaving(delays)
    assert slot.walk(100)
    assert bodies(slot) == [b"2", b"3", b"4"]


def test_messages_that_are_other_than_the_unit_says(tmp_path: Path) -> None:
    delays = filled(tmp_path)
    log = delays.service._files.log
    unit = log.read(52)
    assert unit is not None
    slot = leaving(delays)
    assert slot.message(unit) is not None
    assert slot.message(unit._replace(message_size=unit.message_size + 1)) is None
    assert slot.message(unit._replace(physical=unit.physical + 1)) is None
    assert slot.message(unit._replace(physical=10**9)) is None
    plain = delays.store.append("T", 0, 0, 0, NOW, b"\0" * 8, 0, 0, b"x", b"", 0)
    assert slot.message(unit._replace(physical=plain.physical_offset, message_size=plain.wrote_bytes)) is None
