"""A remoting connection in memory: the real protocol over a transport that keeps what was written."""

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from rmq.remoting.calls import request_command
from rmq.remoting.protocol import Connection
from rmq.wire.codes import VERSION
from rmq.wire.command import Command, encode
from rmq.wire.connection import CommandStream
from rmq.wire.declare import Declared


class MemoryTransport(StringTransport):
    """Keeps what was written. `stuck` makes it behave like a socket whose peer does not read."""

    def __init__(self, port: int = 40000) -> None:
        super().__init__(peerAddress=IPv4Address("TCP", "10.0.0.1", port))
        self.no_delay = False
        self.aborting = False
        self.stuck = False
        self.high_water = 64 * 1024
        self.connection: Connection | None = None

    def setTcpNoDelay(self, enabled: bool) -> None:
        self.no_delay = enabled

    def write(self, data: bytes) -> None:
        super().write(data)
        if self.stuck and len(self.value()) > self.high_water and self.connection is not None:
            self.connection.pauseProducing()

    def loseConnection(self) -> None:
        if not self.disconnecting:
            self.disconnecting = True
            self.lose()

    def abortConnection(self) -> None:
        self.aborting = True
        self.loseConnection()

    def lose(self) -> None:
        """The connection is gone."""
        connection, self.connection = self.connection, None
        if connection is not None:
            connection.connectionLost(Failure(ConnectionDone()))

    @property
    def reading(self) -> bool:
        return self.producerState == "producing"


class MemoryPeer:
    """What stands at the other end of a server's connection: sends requests, reads answers."""

    def __init__(self, handler: Any, clock: Clock | None = None, **options: Any) -> None:
        self.clock = clock or Clock()
        self.transport = MemoryTransport()
        self.connection = Connection(self.clock, handler, **options)
        self.transport.connection = self.connection
        self.connection.makeConnection(self.transport)
        self._stream = CommandStream()
        self._opaque = 0

    def send(self, *commands: Command) -> None:
        """Commands in one piece."""
        self.connection.dataReceived(b"".join(encode(command) for command in commands))

    def answers(self) -> list[Command]:
        """What was written since the last look."""
        self._stream.feed(self.transport.value())
        self.transport.clear()
        found = []
        while (command := self._stream.next_command()) is not None:
            found.append(command)
        return found

    def ask(
        self,
        header: Declared,
        body: bytes | Declared = b"",
        *,
        version: int = VERSION,
        ext: dict[str, str] | None = None,
    ) -> Command:
        """The answer to one request."""
        command = request_command(header, body)
        self._opaque += 1
        command.opaque, command.version = self._opaque, version
        command.ext.update(ext or {})
        self.send(command)
        (answer,) = self.answers()
        assert answer.opaque == self._opaque
        return answer

    def leave(self) -> None:
        """Closes the connection."""
        self.transport.lose()
