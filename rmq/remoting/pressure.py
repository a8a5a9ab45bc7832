"""What all connections of a server may take together.

Three things a peer can hold without giving anything: silence, a large frame it announced but does not send, and
output it asked for but does not read. Once a second this part looks at all connections:

- silent ones are closed after the idle time;
- a frame above the free size, once its first bytes have come, gets a grant for all it announced; while the grants
  are used up, further such connections wait unread; a holder loses its connection when it makes no progress for the
  stall time, or, while others wait, when it sends less than the least rate;
- when unfinished frames together exceed their limit although each is small, or unread output exceeds its own, the
  connections that hold most of what does not move are closed until it fits.

Source: the idle time is NettyServerConfig.serverChannelMaxIdleTimeSeconds; the rest has no counterpart at Apache's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rmq.remoting.protocol import Connection
from rmq.remoting.reactor import Clock, Repeat

MIB: Final = 1024 * 1024
ONE_READ: Final = 64 * 1024
"""Bytes of an unfinished frame below which its connection is not asked to wait: about one read of a socket."""


@dataclass(slots=True)
class _Grant:
    """Room for one large frame, and how far the frame had come when last looked at."""

    size: int
    seen: int = 0
    since: float = 0.0


class Pressure:
    """The shared limits.

    Args:
        clock: tells time and calls later.
        idle_seconds: silence after which a connection is closed.
        frame_room: bytes granted to large frames at one time.
        free_frame: a frame up to this many bytes needs no grant.
        partial_room: bytes of unfinished frames that all connections keep together.
        output_room: bytes of unread output of blocked connections.
        stall_seconds: time without progress after which a granted frame is given up.
        least_rate: bytes a second that a granted frame must bring while others wait.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        idle_seconds: float = 120.0,
        frame_room: int = 32 * MIB,
        free_frame: int = 256 * 1024,
        partial_room: int = 48 * MIB,
        output_room: int = 32 * MIB,
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
        self._grants: dict[Connection, _Grant] = {}
        self._granted = 0
        self._waiting: dict[Connection, int] = {}
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
        self._waiting.pop(connection, None)
        self._give_back(connection)

    def receiving(self, connection: Connection, announced: int) -> None:
        """A peer's frame of so many bytes is under way; 0 when none is."""
        grant = self._grants.get(connection)
        if grant is not None and grant.size != announced:
            self._give_back(connection)
            grant = None
        if grant is not None or announced <= self._free_frame or connection in self._waiting:
            return
        if connection.buffered < ONE_READ:
            # It has announced, and sent next to nothing: that is free, and no reason to let others wait.
            return
        if not self._waiting and self._has_room(announced):
            self._grant(connection, announced)
        else:
            self._waiting[connection] = announced
            connection.hold_reading()

    def blocked(self, connection: Connection) -> None:
        """A peer does not read its output."""
        self._blocked[connection] = self._clock.seconds()

    def drained(self, connection: Connection) -> None:
        """It does again."""
        self._blocked.pop(connection, None)

    def _has_room(self, announced: int) -> bool:
        # One frame always fits, so a limit on frames above the room does not lock anybody out.
        return not self._granted or self._granted + announced <= self._frame_room

    def _grant(self, connection: Connection, announced: int) -> None:
        self._grants[connection] = _Grant(announced, connection.buffered, self._clock.seconds())
        self._granted += announced

    def _give_back(self, connection: Connection) -> None:
        grant = self._grants.pop(connection, None)
        if grant is None:
            return
        self._granted -= grant.size
        while self._waiting:
            waiter, announced = next(iter(self._waiting.items()))
            if not self._has_room(announced):
                break
            del self._waiting[waiter]
            self._grant(waiter, announced)
            waiter.release_reading()

    # --- the look around ------------------------------------------------------------------------------------------

    def sweep(self) -> None:
        """Closes what is silent, stalled, or holds too much that does not move."""
        now = self._clock.seconds()
        self._close_stalled(now)
        self._close_partial(now)
        self._close_unread(now)
        for connection in [c for c in self.connections if now - c.last_active >= self._idle]:
            if connection not in self._waiting:
                connection.abort(f"idle for {self._idle:g} seconds")

    def _close_stalled(self, now: float) -> None:
        for connection, grant in list(self._grants.items()):
            came = connection.buffered - grant.seen
            if came >= (self._least_rate if self._waiting else 1):
                grant.seen, grant.since = connection.buffered, now
            elif now - grant.since >= (1.0 if self._waiting else self._stall):
                connection.abort(f"announced a frame of {grant.size} bytes and stalled")

    def _close_partial(self, now: float) -> None:
        held = sum(connection.buffered for connection in self.connections)
        if held <= self._partial_room:
            return
        still = [c for c in self.connections if now - c.last_active >= 1.0 and c not in self._waiting]
        for connection in sorted(still, key=lambda c: c.buffered, reverse=True):
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
