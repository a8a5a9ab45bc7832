"""What all connections of a server may take together.

Three things a peer can hold without giving anything: silence, a large frame it announced but does not send, and
output it asked for but does not read.

Frames above the free size may all come in at once as long as what has come of them fits into the frame room. When it
does not, only the frame that lacks least is read on, and the others wait unread until there is room; so one of them
always gets done, and memory ends at the room and one frame. Once a second this part looks at all connections:

- silent ones are closed after the idle time;
- a large frame that makes no progress for the stall time loses its connection; while others wait, one that is being
  read and brings less than the least rate does at once;
- when unfinished frames of any size exceed their limit, or unread output exceeds its own, the connections that hold
  most of what does not move are closed until it fits.

Source: the idle time is NettyServerConfig.serverChannelMaxIdleTimeSeconds; the rest has no counterpart at Apache's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rmq.remoting.protocol import Connection
from rmq.remoting.reactor import Clock, Repeat

MIB: Final = 1024 * 1024


@dataclass(slots=True)
class _Frame:
    """A large frame that is coming in: its size, how much has come, and how much had come at the last look."""

    size: int
    came: int
    looked: int
    since: float
    held: bool = False


class Pressure:
    """The shared limits.

    Args:
        clock: tells time and calls later.
        idle_seconds: silence after which a connection is closed.
        frame_room: bytes of large frames that may have come in without being complete.
        free_frame: a frame up to this many bytes is not large.
        partial_room: bytes of unfinished frames of any size that all connections keep together.
        output_room: bytes of unread output of blocked connections.
        stall_seconds: time without progress after which a large frame is given up.
        least_rate: bytes a second that a large frame must bring while others wait.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        idle_seconds: float = 120.0,
        frame_room: int = 16 * MIB,
        free_frame: int = 256 * 1024,
        partial_room: int = 32 * MIB,
        output_room: int = 16 * MIB,
        stall_seconds: float = 10.0,
        least_rate: int = 64 * 1024,
    ) -> None:
        self._clock = clock
        self._idle = idle_seconds
        self._frame_room = frame_room
        self._free_frame = free_frame
        self._partial_room = partial_room
        self._output_room = output_room
        self._stall = stall_seconds
        self._least_rate = least_rate
        self._frames: dict[Connection, _Frame] = {}
        self._came = 0
        self._held = 0
        self._blocked: dict[Connection, float] = {}
        self.connections: set[Connection] = set()
        self._sweeper = Repeat(clock, self.sweep)

    def start(self) -> None:
        """Begins to look after the connections."""
        self._sweeper.start(1.0)

    def stop(self) -> None:
        """Ends that."""
        self._sweeper.stop()

    # --- inputs from connections ----------------------------------------------------------------------------------

    def opened(self, connection: Connection) -> None:
        """A peer has come."""
        self.connections.add(connection)

    def closed(self, connection: Connection) -> None:
        """A peer has gone; what it held is free."""
        self.connections.discard(connection)
        self._blocked.pop(connection, None)
        self._forget(connection)

    def receiving(self, connection: Connection, announced: int) -> None:
        """A peer's frame of so many bytes is under way; 0 when none is."""
        frame = self._frames.get(connection)
        if frame is not None and frame.size != announced:
            self._forget(connection)
            frame = None
        if announced <= self._free_frame:
            return
        came, now = connection.buffered, self._clock.seconds()
        if frame is None:
            frame = self._frames[connection] = _Frame(announced, 0, came, now)
        self._came += came - frame.came
        frame.came = came
        if self._came > self._frame_room and not frame.held and connection is not self._nearest():
            frame.held = True
            self._held += 1
            connection.hold_reading()
            self._read_on()

    def _nearest(self) -> Connection:
        return min(self._frames, key=lambda connection: self._frames[connection].size - self._frames[connection].came)

    def _forget(self, connection: Connection) -> None:
        frame = self._frames.pop(connection, None)
        if frame is not None:
            self._came -= frame.came
            self._held -= frame.held
            if self._held:
                self._read_on()

    def _read_on(self) -> None:
        """Lets waiting frames come on: all when there is room again, else the one that lacks least."""
        crowded = self._came > self._frame_room
        for connection in [self._nearest()] if crowded else list(self._frames):
            frame = self._frames[connection]
            if frame.held:
                frame.held = False
                frame.looked, frame.since = frame.came, self._clock.seconds()
                self._held -= 1
                connection.release_reading()

    def blocked(self, connection: Connection) -> None:
        """A peer does not read its output."""
        self._blocked[connection] = self._clock.seconds()

    def drained(self, connection: Connection) -> None:
        """It does again."""
        self._blocked.pop(connection, None)

    # --- the look around ------------------------------------------------------------------------------------------

    def sweep(self) -> None:
        """Closes what is silent, stalled, or holds too much that does not move."""
        now = self._clock.seconds()
        self._close_stalled(now)
        self._close_partial(now)
        self._close_unread(now)
        for connection in self._still(now, self._idle):
            connection.abort(f"idle for {self._idle:g} seconds")

    def _still(self, now: float, seconds: float) -> list[Connection]:
        """Connections that brought and took nothing for so long, though they were being read."""
        frames = self._frames
        return [
            connection for connection in self.connections
            if now - connection.last_active >= seconds and not (connection in frames and frames[connection].held)
        ]  # fmt: skip

    def _close_stalled(self, now: float) -> None:
        for connection, frame in list(self._frames.items()):
            if frame.came - frame.looked >= (self._least_rate if self._held else 1) or frame.held:
                frame.looked, frame.since = frame.came, now
            elif now - frame.since >= (1.0 if self._held else self._stall):
                connection.abort(f"stalled after {frame.came} bytes of a frame of {frame.size}")

    def _close_partial(self, now: float) -> None:
        held = sum(connection.buffered for connection in self.connections)
        if held <= self._partial_room:
            return
        for connection in sorted(self._still(now, 1.0), key=lambda c: c.buffered, reverse=True):
            if held <= self._partial_room:
                break
            held -= connection.buffered
            connection.abort(f"holds {connection.buffered} bytes of an unfinished frame and is still")

    def _close_unread(self, now: float) -> None:
        unread = sum(connection.unread for connection in self._blocked)
        for connection, since in list(self._blocked.items()):
            if unread <= self._output_room:
                break
            if now - since >= 1.0:
                unread -= connection.unread
                connection.abort(f"does not read its output, {connection.unread} bytes wait")
