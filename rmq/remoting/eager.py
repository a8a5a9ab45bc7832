"""A server's transport that sends at once what the socket takes.

Twisted's transport keeps what is written until the reactor comes round and the system has said that the socket is
writable: three system calls more for every reply, where the socket was empty all the time. This one tries first and
keeps only the rest. Order holds, because it tries only when nothing is kept.
"""

from __future__ import annotations

from twisted.internet.tcp import Server


class EagerServer(Server):
    """A server's side of a TCP connection."""

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
