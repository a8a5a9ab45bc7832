"""What all connections of a server may take together.

Three things a peer can hold without giving anything: silence, a large frame it announced but does not send, and
output it asked for but does not read. Once a second this part looks at all connections:

- silent ones are closed after the idle time;
- a frame above the free size gets a grant for all it announced before more than a read of it is taken; while the
  grants are used up, further such connections wait unread; a holder that makes no progress loses its connection,
  after a second if others wait and after the stall time otherwise;
- when unread output exceeds its limit, the connections that have been blocked longest are closed until it fits.

Source: the idle time is NettyServerConfig.serverChannelMaxIdleTimeSeconds; the rest has no counterpart at Apache's.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from rmq.remoting.protocol import Connection
from rmq.remoting.reactor import Clock, Repeat

MIB: Final = 1024 * 1024


class Pressure:
    """The shared limits.

    Args:
        clock: tells time and calls later.
        idle_seconds: silence after which a connection is closed.
        frame_room: bytes granted to large frames at one time.
        free_frame: a frame up to this many bytes needs no grant.
        output_room: bytes of unread output of blocked connections.
        stall_seconds: time without progress after which a granted frame is given up.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        idle_seconds: float = 120.0,
        frame_room: int = 32 * MIB,
        free_frame: int = 256 * 1024,
        output_room: int = 32 * MIB,
        stall_seconds: float = 10.0,
    ) -> None:
        self._clock = clock
        self._idle = idle_seconds
        self._frame_room = frame_room
        self._free_frame = free_frame
        self._output_room = output_room
        self._stall = stall_seconds
        self._grants: dict[Connection, int] = {}
        self._granted = 0
        self._waiting: deque[tuple[Connection, int]] = deque()
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
        if any(waiter is connection for waiter, _ in self._waiting):
            self._waiting = deque(entry for entry in self._waiting if entry[0] is not connection)
        self.received(connection)

    def receiving(self, connection: Connection, announced: int) -> None:
        """A frame of so many bytes has begun to arrive."""
        if announced <= self._free_frame or connection in self._grants:
            return
        if not self._waiting and self._granted + announced <= self._frame_room:
            self._grant(connection, announced)
        else:
            self._waiting.append((connection, announced))
            connection.hold_reading()

    def received(self, connection: Connection) -> None:
        """No frame is under way any more."""
        granted = self._grants.pop(connection, 0)
        if not granted:
            return
        self._granted -= granted
        while self._waiting and self._granted + self._waiting[0][1] <= self._frame_room:
            waiter, announced = self._waiting.popleft()
            self._grant(waiter, announced)
            waiter.release_reading()

    def blocked(self, connection: Connection) -> None:
        """A peer does not read its output."""
        self._blocked[connection] = self._clock.seconds()

    def drained(self, connection: Connection) -> None:
        """It does again."""
        self._blocked.pop(connection, None)

    def _grant(self, connection: Connection, announced: int) -> None:
        self._grants[connection] = announced
        self._granted += announced

    # --- the look around ------------------------------------------------------------------------------------------

    def sweep(self) -> None:
        """Closes what is silent, stalled, or holds too much unread output."""
        now = self._clock.seconds()
        stall = 1.0 if self._waiting else self._stall
        for connection in list(self._grants):
            if now - connection.last_active >= stall:
                connection.abort(f"announced a frame of {self._grants[connection]} bytes and stalled")
        unread = sum(connection.unread for connection in self._blocked)
        for connection, since in list(self._blocked.items()):
            if unread <= self._output_room:
                break
            if now - since >= 1.0:
                unread -= connection.unread
                connection.abort(f"does not read its output, {connection.unread} bytes wait")
        held = {waiter for waiter, _ in self._waiting}
        for connection in [c for c in self.connections if now - c.last_active >= self._idle and c not in held]:
            connection.abort(f"idle for {self._idle:g} seconds")
