"""Transports of a server that send at once what the socket takes.

Twisted's transport keeps what is written until the reactor comes round and the system has said that the socket is
writable: three system calls more for every reply, where the socket was empty all the time. These try first and
keep only the rest. Order holds, because they try only when nothing is kept.
"""

from __future__ import annotations

from twisted.internet.tcp import Client, Connection, Connector, Server


class _Eager(Connection):
    def write(self, data: bytes) -> None:
        """Sends now as much as the socket takes, and the rest later."""
        if self.connected and not self.dataBuffer and not self._tempDataBuffer and not self.disconnecting:
            try:
                sent = self.socket.send(data)
            except OSError:
                # It takes nothing now or never again; the usual way finds out which.
                sent = 0
            if sent == len(data):
                return
            data = data[sent:]
        super().write(data)  # type: ignore[no-untyped-call]


class EagerServer(_Eager, Server):
    """The side of a TCP connection that was connected to."""


class EagerClient(_Eager, Client):
    """The side that connects."""


class EagerConnector(Connector):
    """Connects with such a transport."""

    def _makeTransport(self) -> EagerClient:
        return EagerClient(self.host, self.port, self.bindAddress, self, self.reactor)  # type: ignore[no-untyped-call]
