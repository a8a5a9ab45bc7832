"""What connections hold together: silence, unfinished frames, unread output."""

import struct
from typing import Any

import pytest
from twisted.internet.task import Clock

from rmq.remoting.pressure import Pressure
from rmq.remoting.protocol import Connection
from rmq.wire.command import Command, encode
from tests.kit.peer import MemoryPeer

KIB = 1024


class Sink:
    def __init__(self) -> None:
        self.bodies = 0

    def dispatch(self, connection: Connection, command: Command) -> bytes | None:
        self.bodies += len(command.body)
        return None


class World:
    def __init__(self, **limits: Any) -> None:
        self.clock = Clock()
        defaults = {
            "frame_room": 1000 * KIB,
            "free_frame": 100 * KIB,
            "partial_room": 40_000 * KIB,
            "output_room": 300 * KIB,
        }
        self.pressure = Pressure(self.clock, **{**defaults, **limits})
        self.pressure.start()
        self.sink = Sink()

    def peer(self) -> MemoryPeer:
        return MemoryPeer(self.sink, self.clock, pressure=self.pressure)

    def uploading(self, body: int, first: int = 70 * KIB) -> tuple[MemoryPeer, bytes]:
        """A peer that has begun to send a frame, and the rest of it."""
        peer = self.peer()
        frame = encode(Command(1, {}, bytes(body)))
        peer.connection.dataReceived(frame[:first])
        return peer, frame[first:]


@pytest.fixture
def world() -> World:
    return World()


def test_silence_is_ended(world: World) -> None:
    silent, busy = world.peer(), world.peer()
    world.clock.pump([1.0] * 60)
    busy.send(Command(1))
    world.clock.pump([1.0] * 59)
    assert silent.connection.alive
    world.clock.pump([1.0] * 1)
    assert (silent.connection.alive, busy.connection.alive) == (False, True)
    assert world.pressure.connections == {busy.connection}


def test_large_frames_come_in_together_while_there_is_room(world: World) -> None:
    uploads = [world.uploading(900 * KIB, first=100 * KIB) for _ in range(9)]
    assert all(peer.transport.reading for peer, _ in uploads)


def test_without_room_the_one_that_lacks_least_comes_first(world: World) -> None:
    far, far_rest = world.uploading(900 * KIB, first=600 * KIB)
    near, near_rest = world.uploading(900 * KIB, first=700 * KIB)
    assert [peer.transport.reading for peer in (far, near)] == [True, True]
    far.connection.dataReceived(far_rest[:KIB])
    assert [peer.transport.reading for peer in (far, near)] == [False, True]
    near.connection.dataReceived(near_rest)
    assert [peer.transport.reading for peer in (far, near)] == [True, True]
    far.connection.dataReceived(far_rest[KIB:])
    assert world.sink.bodies == 1800 * KIB
    assert (world.pressure._came, world.pressure._held, world.pressure._frames) == (0, 0, {})


def test_a_newcomer_that_lacks_less_overtakes(world: World) -> None:
    far, _ = world.uploading(3000 * KIB, first=1100 * KIB)
    near, rest = world.uploading(200 * KIB, first=50 * KIB)
    assert near.transport.reading
    near.connection.dataReceived(rest)
    assert world.sink.bodies == 200 * KIB
    assert far.connection.alive


def test_small_frames_never_wait(world: World) -> None:
    world.uploading(3000 * KIB, first=1100 * KIB)
    small, rest = world.uploading(90 * KIB)
    small.connection.dataReceived(rest)
    assert world.sink.bodies == 90 * KIB


def test_announcing_alone_takes_no_room(world: World) -> None:
    stalled = [world.uploading(3000 * KIB, first=8)[0] for _ in range(80)]
    peer, rest = world.uploading(600 * KIB)
    peer.connection.dataReceived(rest)
    assert world.sink.bodies == 600 * KIB
    assert all(peer.transport.reading for peer in stalled)


def test_a_frame_that_follows_another_counts_anew(world: World) -> None:
    peer, rest = world.uploading(300 * KIB)
    following = encode(Command(1, {}, bytes(900 * KIB)))
    peer.connection.dataReceived(rest + following[: 70 * KIB])
    assert world.pressure._came == 70 * KIB
    peer.connection.dataReceived(following[70 * KIB :])
    assert (world.pressure._came, world.pressure._frames) == (0, {})


def test_a_stalled_frame_is_given_up(world: World) -> None:
    stalled, _ = world.uploading(900 * KIB)
    world.clock.pump([1.0] * 9)
    assert stalled.connection.alive
    world.clock.pump([1.0])
    assert not stalled.connection.alive
    assert world.pressure._came == 0


def test_those_that_stall_make_room_in_one_look_when_others_wait(world: World) -> None:
    stalled = [world.uploading(3000 * KIB, first=300 * KIB)[0] for _ in range(3)]
    waiting, rest = world.uploading(4000 * KIB, first=900 * KIB)
    assert not waiting.transport.reading
    world.clock.advance(1.0)
    assert [peer.connection.alive for peer in stalled] == [False, False, False]
    assert waiting.transport.reading
    waiting.connection.dataReceived(rest)
    assert world.sink.bodies == 4000 * KIB


def test_a_slow_frame_is_given_up_only_while_others_wait(world: World) -> None:
    slow, rest = world.uploading(1500 * KIB, first=900 * KIB)
    for second in range(30):
        slow.connection.dataReceived(rest[second : second + 1])
        world.clock.advance(1.0)
    assert slow.connection.alive
    waiting, _ = world.uploading(3000 * KIB, first=200 * KIB)
    assert not waiting.transport.reading
    for second in range(30, 33):
        if slow.connection.alive:
            slow.connection.dataReceived(rest[second : second + 1])
        world.clock.advance(1.0)
    assert not slow.connection.alive
    assert waiting.transport.reading


def test_a_steady_frame_may_take_its_time_while_others_wait(world: World) -> None:
    steady, rest = world.uploading(1500 * KIB, first=900 * KIB)
    waiting, _ = world.uploading(3000 * KIB, first=200 * KIB)
    for start in range(0, len(rest), 70 * KIB):
        steady.connection.dataReceived(rest[start : start + 70 * KIB])
        world.clock.advance(1.0)
    assert world.sink.bodies == 1500 * KIB
    assert waiting.transport.reading


def test_who_waits_is_not_called_idle(world: World) -> None:
    steady, rest = world.uploading(14_000 * KIB, first=900 * KIB)
    waiting, _ = world.uploading(15_000 * KIB, first=200 * KIB)
    for start in range(0, 130 * 70 * KIB, 70 * KIB):
        steady.connection.dataReceived(rest[start : start + 70 * KIB])
        world.clock.advance(1.0)
    assert waiting.connection.alive
    assert steady.connection.alive


def test_who_leaves_while_waiting_is_forgotten(world: World) -> None:
    first, rest = world.uploading(1500 * KIB, first=900 * KIB)
    second, _ = world.uploading(3000 * KIB, first=200 * KIB)
    second.leave()
    first.connection.dataReceived(rest)
    assert (world.pressure._came, world.pressure._held, world.pressure._frames) == (0, 0, {})


def test_draining_while_waiting_for_room_changes_nothing(world: World) -> None:
    first, rest = world.uploading(1500 * KIB, first=900 * KIB)
    second, second_rest = world.uploading(3000 * KIB, first=200 * KIB)
    second.connection.pauseProducing()
    second.connection.resumeProducing()
    assert not second.transport.reading
    assert world.pressure._held == 1
    first.connection.dataReceived(rest)
    assert second.transport.reading
    second.connection.dataReceived(second_rest)
    assert (world.pressure._came, world.pressure._held) == (0, 0)


def test_a_frame_above_all_room_gets_done() -> None:
    world = World(frame_room=200 * KIB)
    peer, rest = world.uploading(900 * KIB)
    for start in range(0, len(rest), 64 * KIB):
        assert peer.transport.reading
        peer.connection.dataReceived(rest[start : start + 64 * KIB])
    assert world.sink.bodies == 900 * KIB


def test_many_small_unfinished_frames_are_bounded_together() -> None:
    world = World(partial_room=500 * KIB)
    peers = [world.uploading(90 * KIB, first=80 * KIB)[0] for _ in range(10)]
    proper = world.peer()
    world.clock.advance(0.5)
    proper.connection.dataReceived(struct.pack(">I", 50 * KIB))
    world.clock.advance(0.5)
    alive = sum(peer.connection.alive for peer in peers)
    assert alive == 6
    assert proper.connection.alive


def test_unread_output_is_bounded_together(world: World) -> None:
    peers = [world.peer() for _ in range(4)]
    for peer in peers:
        peer.transport.stuck = True
        peer.connection.write(bytes(70 * KIB))
    world.clock.advance(1.0)
    assert sum(peer.connection.alive for peer in peers) == 2


def test_who_reads_again_is_not_counted(world: World) -> None:
    peers = [world.peer() for _ in range(4)]
    for peer in peers:
        peer.transport.stuck = True
        peer.connection.write(bytes(70 * KIB))
    for peer in peers[:2]:
        peer.connection.resumeProducing()
    world.clock.advance(1.0)
    assert all(peer.connection.alive for peer in peers)
