"""Notices that the connection to a name server has ended, and when that name server can be reached again.

A name server that was restarted knows nothing, and a broker's next round may be half a minute away. So a connection
that ended is made anew as soon as that is possible: tried at once, then after pauses that double up to a second, for
as long as it takes. A connection costs neither side much; what follows it may, so one that does not last is not
followed by another sooner than a second later.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from rmq.remoting.client import RemotingClient
from rmq.remoting.protocol import Connection
from rmq.remoting.reactor import Clock, DelayedCall

FIRST_SECONDS: Final = 0.05
LONGEST_SECONDS: Final = 1.0
STEADY_SECONDS: Final = 10.0
"""A connection that lasted so long was a good one: after it, trying begins anew with the shortest pause."""


class _Peer:
    """One name server.

    Attributes:
        pause: seconds before the next attempt.
        next: that attempt.
        connecting: whether an attempt is under way.
        connection: the one whose end is waited for.
        since: when that was found to be good.
    """

    def __init__(self) -> None:
        self.pause = FIRST_SECONDS
        self.next: DelayedCall | None = None
        self.connecting = False
        self.connection: Connection | None = None
        self.since = 0.0


class Comeback:
    """Watches the connections to name servers.

    Args:
        clock: tells time and calls later.
        client: has the connections.
        wanted: whether an address is a name server's now.
        lost: told of an address whose connection has ended.
        back: told of an address that can be reached again.
        rest: shortest pause before an attempt, in seconds.
    """

    def __init__(
        self,
        clock: Clock,
        client: RemotingClient,
        *,
        wanted: Callable[[str], bool],
        lost: Callable[[str], None],
        back: Callable[[str], None],
        rest: Callable[[], float],
    ) -> None:
        self._clock = clock
        self._client = client
        self._wanted = wanted
        self._lost = lost
        self._back = back
        self._rest = rest
        self._peers: dict[str, _Peer] = {}
        self._stopped = False

    def answered(self, address: str) -> None:
        """A name server has answered: the end of its connection will be noticed."""
        if not self._stopped:
            _cancel(self._peers.setdefault(address, _Peer()))
            self._client.connection(address).addCallbacks(self._watch, _nothing, callbackArgs=(address,))

    def seek(self, address: str) -> None:
        """A name server cannot be reached: it is tried until it can. Does nothing while it is."""
        peer = self._peers.setdefault(address, _Peer())
        if self._stopped or peer.connecting or peer.next is not None:
            return
        pause = max(peer.pause, self._rest())
        peer.pause = min(2 * peer.pause, LONGEST_SECONDS)
        peer.next = self._clock.callLater(pause, self._try, address, peer)

    def stop(self) -> None:
        """Watches and tries no more."""
        self._stopped = True
        for peer in self._peers.values():
            _cancel(peer)

    def _watch(self, connection: Connection, address: str) -> None:
        peer = self._peers[address]
        if peer.connection is not connection:
            peer.connection, peer.since = connection, self._clock.seconds()
            connection.on_close(lambda gone: self._ended(address, peer, gone))

    def _ended(self, address: str, peer: _Peer, gone: Connection) -> None:
        if peer.connection is gone:
            peer.connection = None
        if self._stopped or not self._wanted(address):
            return
        if self._clock.seconds() - peer.since >= STEADY_SECONDS:
            peer.pause = FIRST_SECONDS
        self._lost(address)
        self.seek(address)

    def _try(self, address: str, peer: _Peer) -> None:
        peer.next = None
        if self._stopped or not self._wanted(address):
            return
        peer.connecting = True
        connecting: Deferred[Connection] = self._client.connection(address)
        connecting.addCallbacks(
            self._reached, self._not_reached, callbackArgs=(address, peer), errbackArgs=(address, peer)
        )

    def _reached(self, _: Connection, address: str, peer: _Peer) -> None:
        peer.connecting = False
        if not self._stopped and self._wanted(address):
            self._back(address)

    def _not_reached(self, _: Failure, address: str, peer: _Peer) -> None:
        peer.connecting = False
        self.seek(address)


def _cancel(peer: _Peer) -> None:
    if peer.next is not None:
        peer.next.cancel()
        peer.next = None


def _nothing(_: Failure) -> None:
    """The registration that follows will fail, and say so."""
