"""What the timer finds on the disk: the checkpoint, lost ends, other precisions, Apache's habits."""

import shutil
from pathlib import Path

import pytest

from rmq.server.broker.delay.timer_files import Progress, TimerFiles
from rmq.server.store.api import StoreError
from rmq.server.store.env import Env
from rmq.wire.layouts import TIMER_CHECKPOINT
from tests.kit.delays import NOW, Delays

DAYS = 86_400_000


def filled(path: Path) -> Delays:
    """Six messages, taken in and not yet due, and a clean end."""
    delays = Delays(path).start()
    for number in range(6):
        delays.put(b"%d" % number, TIMER_DELAY_MS=str(20_000 + 1000 * (number % 2)))
    delays.run(1)
    delays.stop()
    return delays


def rest(delays: Delays) -> list[bytes]:
    """What the next run delivers."""
    heir = Delays(delays.path, clock=delays.clock, files=delays.files).start()
    heir.run(25)
    return heir.bodies()


def checkpoint(path: Path, **changes: int) -> None:
    """Writes fields of the checkpoint anew."""
    page = path / "config/timercheck"
    names = ("read_time", "log_position", "queue_offset", "master", "version", "timestamp", "counter")
    fields = dict(zip(names, TIMER_CHECKPOINT.unpack_from(page.read_bytes()), strict=True)) | changes
    page.write_bytes(TIMER_CHECKPOINT.pack(*fields.values()).ljust(4096, b"\0"))


IN_ORDER = [b"0", b"2", b"4", b"1", b"3", b"5"]


def test_nothing_there(tmp_path: Path) -> None:
    delays = Delays(tmp_path)
    files = TimerFiles(Env(), str(tmp_path), 1000, 4096)
    assert files.load(delays.store, NOW + 1234) == Progress(NOW + 1000, 0, 0)
    assert files.waiting == 0


def test_a_checkpoint_is_read_and_kept(tmp_path: Path) -> None:
    filled(tmp_path)
    delays = Delays(tmp_path)
    files = TimerFiles(Env(), str(tmp_path), 1000, 4096)
    assert files.load(delays.store, NOW + 5000) == Progress(NOW + 1000, 6, 312)
    assert files.waiting == 6
    files.keep(Progress(NOW + 7000, 6, 312), NOW + 9000)
    image = TIMER_CHECKPOINT.unpack(files.image())
    assert image[:5] == (NOW + 7000, 312, 6, 6, 0)
    page = TIMER_CHECKPOINT.unpack_from((tmp_path / "config/timercheck").read_bytes())
    assert (page[:5], page[5], page[6]) == (image[:5], NOW + 9000, image[6])


@pytest.mark.parametrize(
    "changes",
    [
        {},
        # Older than the files, as after a kill.
        {"log_position": 104, "queue_offset": 2, "master": 2},
        {"log_position": 0, "queue_offset": 0, "master": 0, "read_time": NOW},
        # Apache's broker delivered what came too late without a unit.
        {"queue_offset": 6, "master": 6},
    ],
)
def test_each_message_comes_once_whatever_the_checkpoint_knows(tmp_path: Path, changes: dict[str, int]) -> None:
    delays = filled(tmp_path)
    checkpoint(tmp_path, **changes)
    assert rest(delays) == IN_ORDER


def test_what_apaches_broker_delivered_without_a_unit_does_not_come_again(tmp_path: Path) -> None:
    delays = filled(tmp_path)
    again = Delays(tmp_path, clock=delays.clock, files=delays.files)
    again.put(b"at once", TIMER_DELAY_MS="20000")
    again.stop()
    checkpoint(tmp_path, queue_offset=7, master=7)
    assert rest(delays) == IN_ORDER


def test_without_a_checkpoint_the_newest_unit_tells(tmp_path: Path) -> None:
    delays = filled(tmp_path)
    (tmp_path / "config/timercheck").unlink()
    assert rest(delays) == IN_ORDER


def test_without_a_wheel_the_log_makes_one(tmp_path: Path) -> None:
    delays = filled(tmp_path)
    (tmp_path / "timerwheel").unlink()
    checkpoint(tmp_path, log_position=0)
    assert rest(delays) == IN_ORDER


@pytest.mark.parametrize("kept", [0, 1, 3, 5])
def test_a_log_that_lost_its_end_is_filled_from_the_topic(tmp_path: Path, kept: int) -> None:
    """The wheel points behind the end; the topic has the messages."""
    delays = filled(tmp_path)
    path = tmp_path / "timerlog" / ("0" * 20)
    path.write_bytes(path.read_bytes()[: 52 * kept].ljust(4096, b"\0"))
    if not kept:
        checkpoint(tmp_path, queue_offset=0, master=0, log_position=0)
    got = rest(delays)
    assert got == IN_ORDER


def test_a_wheel_of_another_precision_is_refused(tmp_path: Path) -> None:
    filled(tmp_path)
    for precision in (100, 500):
        with pytest.raises(StoreError, match=f"was not made with timerPrecisionMs={precision}"):
            Delays(tmp_path, timerPrecisionMs=precision)
        (tmp_path / "lock").unlink()
        break


def test_a_damaged_checkpoint_is_none(tmp_path: Path) -> None:
    delays = filled(tmp_path)
    (tmp_path / "config/timercheck").write_bytes(b"short")
    assert rest(delays) == IN_ORDER


def test_units_whose_messages_the_commit_log_lost_are_dropped(tmp_path: Path) -> None:
    """After a loss of power: what is stored next stands where those messages stood."""
    whole = filled(tmp_path / "whole")
    cut = Delays(tmp_path / "cut", clock=whole.clock)
    cut.stop()
    for name in ("timerlog", "config"):
        shutil.copytree(whole.path / name, cut.path / name, dirs_exist_ok=True)
    shutil.copy(whole.path / "timerwheel", cut.path / "timerwheel")
    checkpoint(cut.path, log_position=0, queue_offset=0, master=0)
    after = Delays(cut.path, clock=whole.clock, files=whole.files)
    assert (after.service._files.log.end, after.service._files.waiting) == (0, 0)
    sent = after.now()
    after.put(b"x", TIMER_DELAY_MS="60000")
    after.start().run(65)
    (message,) = after.messages()
    assert message.body == b"x"
    assert message.store_timestamp >= sent + 60_000
