"""What a stream brings first is compared with what the master has; nothing is taken before."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from rmq.remoting.errors import CallTimeoutError
from rmq.server.ha.common import MasterRecords
from rmq.server.ha.proof import StreamProof, WrongStreamError
from rmq.server.ha.receiver import NoRoomError
from rmq.server.store.api import NoRecordError, NotContiguousError
from tests.kit.masters import MASTER, AnsweringMaster
from tests.kit.stores import SmallStore

HA = "10.0.0.9:10912"
FILE = 64 * 1024


class Slow(AnsweringMaster):
    """Answers when told to."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.waiting: list[Deferred[None]] = []

    async def call(self, *args: Any, **options: Any) -> Any:
        turn: Deferred[None] = Deferred()
        self.waiting.append(turn)
        await turn
        return await super().call(*args, **options)

    def answer(self) -> None:
        self.waiting.pop(0).callback(None)


class Scene:
    def __init__(self, root: Path) -> None:
        self.master = SmallStore(root / "master")
        self.stranger = SmallStore(root / "stranger")
        self.slave = SmallStore(root / "slave", read_only=True)
        self.answers = Slow(self.master.store)
        self.said: list[str] = []
        self.proof = StreamProof(
            self.slave.store.replica,
            MasterRecords(self.answers, MASTER),
            HA,
            pause=lambda: self.said.append("pause"),
            resume=lambda: self.said.append("resume"),
            refuse=lambda _: self.said.append("refuse"),
        )

    def close(self) -> None:
        for store in (self.master, self.stranger, self.slave):
            store.close()

    @property
    def end(self) -> int:
        return self.slave.store.log_max_offset


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(tmp_path)
    yield scene
    scene.close()


def test_nothing_is_taken_before_the_master_has_answered(scene: Scene) -> None:
    scene.master.fill(10)
    data = scene.master.store.transfer(0, FILE)
    scene.proof.feed(0, b"")
    scene.proof.feed(0, data[:50])
    assert (scene.said, scene.answers.waiting) == ([], [])
    scene.proof.feed(50, data[50:600])
    assert scene.said == ["pause"]
    # More that was under way already.
    scene.proof.feed(600, data[600:700])
    assert (scene.proof.received, scene.end) == (0, 0)
    scene.answers.answer()
    assert scene.said == ["pause", "resume"]
    assert 0 < scene.end <= scene.proof.received == 700
    scene.slave.store.replica.feed(700, data[700:])
    assert scene.answers.asked == [0]
    assert scene.slave.numbers() == scene.master.numbers()


def test_another_log_is_refused(scene: Scene) -> None:
    scene.master.fill(10)
    scene.stranger.fill(10, first=500)
    scene.proof.feed(0, scene.stranger.store.transfer(0, FILE))
    scene.answers.answer()
    assert scene.said == ["pause", "refuse"]
    assert isinstance(scene.proof.refused, WrongStreamError)
    assert str(scene.proof.refused) == (
        f"the stream from {HA} is not that of the master {MASTER}: what it brings for offset 0 is not what that one has"
        " there. haMasterAddress must be where this master listens for its slaves"
    )
    assert (scene.end, scene.slave.store.queues()) == (0, [])


def test_more_than_the_master_has_is_refused(scene: Scene) -> None:
    scene.stranger.fill(10)
    scene.proof.feed(0, scene.stranger.store.transfer(0, FILE))
    scene.answers.answer()
    assert isinstance(scene.proof.refused, WrongStreamError)
    assert scene.end == 0


def test_a_record_longer_than_a_read_is_compared_in_part(scene: Scene) -> None:
    scene.master.fill(1, size=30_000)
    data = scene.master.store.transfer(0, FILE)
    scene.proof.feed(0, data[:4095])
    assert scene.answers.waiting == []
    scene.proof.feed(4095, data[4095:4096])
    scene.answers.answer()
    assert scene.said == ["pause", "resume"]
    scene.slave.store.replica.feed(4096, data[4096:])
    assert scene.slave.numbers() == scene.master.numbers()


def test_a_master_that_does_not_answer_ends_the_stream(scene: Scene) -> None:
    scene.master.fill(10)
    scene.proof.feed(0, scene.master.store.transfer(0, FILE))
    scene.answers.waiting.pop().errback(CallTimeoutError(MASTER, 3.0))
    assert scene.said == ["pause", "refuse"]
    assert isinstance(scene.proof.refused, CallTimeoutError)
    assert scene.end == 0


def test_filler_is_passed_on_and_proves_nothing(scene: Scene) -> None:
    for store in (scene.master, scene.stranger):
        store.fill(3, size=20_000)
    place = scene.master.store.log_max_offset
    scene.slave.store.replica.feed(0, scene.master.store.transfer(0, place))
    scene.master.fill(1, size=30_000, first=3)
    scene.stranger.fill(1, size=30_000, first=7)
    filler = scene.master.store.transfer(place, FILE - place)
    scene.proof.feed(place, filler[:5])
    scene.proof.feed(place + 5, filler[5:100])
    scene.proof.feed(place + 100, filler[100:] + scene.stranger.store.transfer(FILE, 9000))
    assert scene.end == FILE
    scene.answers.answer()
    assert scene.answers.asked == [FILE]
    assert isinstance(scene.proof.refused, WrongStreamError)
    assert scene.end == FILE


@pytest.mark.parametrize("damage", ["here", "there"])
def test_a_record_that_is_damaged_on_the_master_is_no_reason_to_stop(scene: Scene, damage: str) -> None:
    scene.master.fill(10)
    data = bytearray(scene.master.store.transfer(0, FILE))
    scene.answers.lies[0] = b""
    if damage == "here":
        data[120] ^= 1
    scene.proof.feed(0, bytes(data))
    scene.answers.answer()
    assert scene.said == ["pause", "resume" if damage == "here" else "refuse"]


def test_what_is_no_log_and_what_does_not_follow(scene: Scene) -> None:
    with pytest.raises(NotContiguousError):
        scene.proof.feed(5, b"x")
    scene.proof.feed(0, b"\0" * 100)
    scene.answers.answer()
    assert isinstance(scene.proof.refused, NoRecordError)


def test_a_full_disk_ends_the_stream(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.master.fill(10)
    scene.proof.feed(0, scene.master.store.transfer(0, FILE))
    monkeypatch.setattr(scene.slave.store._log, "make_room_as_it_is", lambda _: False)
    scene.answers.answer()
    assert scene.said == ["pause", "refuse"]
    assert isinstance(scene.proof.refused, NoRoomError)


def test_a_stream_that_ends_meanwhile_is_forgotten(scene: Scene) -> None:
    scene.master.fill(10)
    scene.proof.stop()
    scene.proof.feed(0, scene.master.store.transfer(0, FILE))
    scene.proof.stop()
    assert (scene.said, scene.proof.refused, scene.end) == (["pause"], None, 0)
