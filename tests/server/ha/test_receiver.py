"""A slave's end of the stream, in memory: what it takes, what it reports and when it ends."""

import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import CancelledError

from rmq.server.ha.receiver import LARGE_READ, READ, MasterReceiver, joined
from rmq.server.store.api import NoRecordError
from rmq.settings.store import StoreConfig
from rmq.wire.hastream import encode_report, encode_transfer
from tests.kit.peer import MemoryTransport
from tests.kit.stores import FaultyEnv, SmallStore


class World:
    """A receiver that is connected to nobody, and a master's log."""

    def __init__(self, root: Path) -> None:
        self.master = SmallStore(root / "master")
        self.env = FaultyEnv()
        self.slave = SmallStore(root / "slave", env=self.env, read_only=True)
        self.clock = self.slave.clock
        self.settings = StoreConfig()
        self.reads: list[int] = []
        self.ended: list[Any] = []
        self.connect()

    def connect(self) -> None:
        self.receiver = MasterReceiver(
            self.clock,
            self.slave.store.replica,
            self.settings,
            lambda: self.reads.append(self.slave.store.log_max_offset),
        )
        self.receiver.over.addCallbacks(self.ended.append, lambda failure: self.ended.append(failure.value))
        self.transport = MemoryTransport()
        self.transport.connection = self.receiver
        self.receiver.makeConnection(self.transport)

    def log(self) -> bytes:
        """The master's log, so far within one file."""
        return self.master.store.transfer(0, 1 << 20)

    def reports(self) -> list[int]:
        data = self.transport.value()
        self.transport.clear()
        return [int.from_bytes(data[at : at + 8], "big") for at in range(0, len(data), 8)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.master.close()
    world.slave.close()


def framed(offset: int, data: bytes) -> bytes:
    return encode_transfer(offset, len(data)) + data


def test_the_first_report_asks_and_each_read_that_advances_is_reported_once(world: World) -> None:
    assert world.transport.no_delay
    assert world.transport.value() == encode_report(0)
    world.reports()
    world.master.fill(30)
    log = world.log()
    world.receiver.dataReceived(framed(0, log[:1000]) + framed(1000, log[1000:2000]))
    assert world.reports() == [2000]
    world.receiver.dataReceived(encode_transfer(2000, len(log) - 2000))
    assert world.reports() == []
    world.receiver.dataReceived(log[2000:])
    assert world.reports() == [len(log)]
    assert world.slave.store.transfer(0, 1 << 20) == log
    assert len(world.reads) == 3
    assert world.reads[-1] == len(log)
    assert world.slave.numbers() == world.master.numbers()


def test_what_came_is_reported_before_anybody_here_is_told(world: World) -> None:
    told: list[str] = []
    write = world.transport.write
    world.slave.store.on_arrival = lambda *facts: told.append(f"arrived {facts[2]}")

    def note(data: bytes) -> None:
        told.append(f"reported {world.slave.store.max_offset('T', 0)}")
        write(data)

    world.transport.write = note  # type: ignore[method-assign]
    place = 0
    for count in (1, 1, 5):
        for _ in range(count):
            world.master.send("T", 0, b"body")
        world.receiver.dataReceived(framed(place, world.log()[place:]))
        place = world.master.store.log_max_offset
    assert told == ["reported 1", "arrived 1", "reported 2", "arrived 2", "reported 7", "arrived 7"]
    assert world.reports()[1:] == world.reads


def test_what_came_before_damage_is_told_of(world: World) -> None:
    told: list[int] = []
    world.slave.store.on_arrival = lambda *facts: told.append(facts[2])
    end = world.master.send("T", 0, b"body").wrote_bytes
    world.receiver.dataReceived(framed(0, world.log() + b"\0" * 8))
    assert (told, world.slave.store.log_max_offset) == ([1], end)
    assert [type(why) for why in world.ended] == [NoRecordError]


def test_a_master_that_does_not_read_is_told_once_when_it_does(world: World) -> None:
    assert world.transport.producer is world.receiver
    assert world.transport.streaming
    world.reports()
    world.master.fill(30)
    log = world.log()
    world.receiver.pauseProducing()
    for at in range(0, len(log), 100):
        world.receiver.dataReceived(framed(at, log[at : at + 100]))
    world.clock.advance(6)
    assert world.reports() == []
    world.receiver.resumeProducing()
    assert world.reports() == [len(log)]


@pytest.mark.parametrize("step", [1, 7, 13, 4096])
def test_any_split_gives_the_same_log(world: World, step: int) -> None:
    world.master.fill(20)
    log = world.log()
    stream = b"".join(framed(at, log[at : at + 700]) for at in range(0, len(log), 700))
    for at in range(0, len(stream), step):
        world.receiver.dataReceived(stream[at : at + step])
    assert world.slave.store.transfer(0, 1 << 20) == log
    assert world.reports()[-1] == len(log)
    assert world.ended == []


@pytest.mark.parametrize(
    ("pieces", "whole"),
    [
        ([], []),
        ([(5, b"ab")], [(5, b"ab")]),
        ([(5, b"ab"), (7, b"c"), (8, b""), (8, b"d")], [(5, b"abcd")]),
        ([(5, b"ab"), (8, b"c"), (9, b"d")], [(5, b"ab"), (8, b"cd")]),
        ([(5, b"")], [(5, b"")]),
    ],
)
def test_pieces_that_follow_each_other_are_taken_as_one(
    pieces: list[tuple[int, bytes]], whole: list[tuple[int, bytes]]
) -> None:
    assert list(joined(pieces)) == whole


def test_reads_are_large_while_much_is_waiting(world: World) -> None:
    transport: Any = world.transport
    world.master.fill(300)
    log = world.log()
    first, rest = framed(0, log)[:READ], framed(0, log)[READ:]
    world.receiver.dataReceived(first)
    assert transport.bufferSize == LARGE_READ
    world.receiver.dataReceived(rest)
    assert len(rest) < READ
    assert transport.bufferSize == READ


def test_a_connection_continues_where_the_log_ends(world: World) -> None:
    world.master.fill(10)
    log = world.log()
    world.receiver.dataReceived(framed(0, log))
    world.connect()
    assert world.reports() == [len(log)]


def test_a_heartbeat_at_the_right_place_is_nothing_new(world: World) -> None:
    world.reports()
    assert not world.receiver.advanced
    world.receiver.dataReceived(encode_transfer(0, 0))
    assert world.reports() == []
    assert world.ended == []
    assert world.receiver.advanced


@pytest.mark.parametrize("wrong", [100, 5_000_000])
@pytest.mark.parametrize("heartbeat", [True, False])
def test_what_does_not_continue_the_log_ends_the_stream(world: World, wrong: int, heartbeat: bool) -> None:
    world.master.fill(10)
    log = world.log()
    world.receiver.dataReceived(framed(0, log[:500]))
    world.receiver.dataReceived(encode_transfer(wrong, 0) if heartbeat else framed(wrong, log[500:600]))
    assert world.transport.aborting
    assert [type(why).__name__ for why in world.ended] == ["NotContiguousError"]


def test_bytes_that_are_no_message_end_the_stream(world: World) -> None:
    world.receiver.dataReceived(framed(0, b"\x00\x00\x00\x70" + b"nothing like a message" * 10))
    assert world.transport.aborting
    assert [type(why).__name__ for why in world.ended] == ["NoRecordError"]
    assert world.slave.store.log_max_offset == 0


def test_a_size_that_cannot_be_ends_the_stream(world: World) -> None:
    world.receiver.dataReceived(encode_transfer(0, -1))
    assert world.transport.aborting
    assert [str(why) for why in world.ended] == ["a transfer of -1 bytes from offset 0 cannot be"]


def test_a_full_disk_ends_the_stream_and_nothing_is_acknowledged(world: World) -> None:
    world.reports()
    world.master.fill(10)
    world.env.fail["reserve"] = 0, errno.ENOSPC
    log = world.log()
    world.receiver.dataReceived(framed(0, log[:800]) + framed(800, log[800:]))
    assert not world.receiver.advanced
    assert [str(why) for why in world.ended] == ["there is no room for more of the master's log: the disk is full"]
    assert world.reports() == []
    assert world.slave.store.log_max_offset == 0


def test_a_sign_of_life_after_each_silence_of_its_own(world: World) -> None:
    world.reports()
    world.clock.advance(4.9)
    assert world.reports() == []
    world.clock.advance(0.2)
    assert world.reports() == [0]
    world.master.fill(1)
    world.receiver.dataReceived(framed(0, world.log()))
    assert world.reports() == [len(world.log())]
    world.clock.advance(4.9)
    assert world.reports() == []
    world.clock.advance(0.2)
    assert world.reports() == [len(world.log())]


def test_a_silent_master_is_given_up(world: World) -> None:
    for _ in range(4):
        world.clock.advance(4.9)
        world.receiver.dataReceived(encode_transfer(0, 0))
    world.settings.ha_housekeeping_interval = 1_000
    world.clock.advance(20)
    assert world.transport.aborting
    assert [str(why) for why in world.ended] == ["the master 10.0.0.1:40000 sent nothing for 1000 ms"]
    assert world.slave.clock.getDelayedCalls() == []


def test_the_end_of_the_connection_is_told_once(world: World) -> None:
    world.transport.lose()
    assert [str(why) for why in world.ended] == [
        "the stream from the master 10.0.0.1:40000 ended: Connection was closed cleanly."
    ]
    world.receiver.dataReceived(framed(0, b"late"))
    world.clock.advance(60)
    assert len(world.ended) == 1


def test_who_waits_for_the_end_can_bring_it(world: World) -> None:
    world.receiver.over.cancel()
    assert world.transport.aborting
    assert [type(why) for why in world.ended] == [CancelledError]
    world.master.fill(1)
    world.receiver.dataReceived(framed(0, world.log()))
    assert world.slave.store.log_max_offset == 0


def test_bytes_are_counted_by_the_second(world: World) -> None:
    world.master.fill(3)
    world.receiver.dataReceived(framed(0, world.log()))
    world.clock.advance(1)
    assert world.receiver.rate.per_second == 12 + len(world.log())
    assert world.receiver.last_read == world.clock.seconds() - 1
