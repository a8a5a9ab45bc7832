"""Asks name servers: one chosen by chance, and when it cannot be reached the next, until one answers.

Source: NettyRemotingClient.getAndCreateNameserverChannel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rmq.client.errors import ClientError
from rmq.remoting.calls import Answer, Invoker
from rmq.remoting.errors import TransportError
from rmq.wire.declare import Declared


class NameServers:
    """The name servers of a client.

    Args:
        invoker: calls them.
        addresses: `host:port` of each; at least one.
        choose: gives a number below its argument, for the first choice.
        timeout: seconds for each one.
    """

    def __init__(
        self, invoker: Invoker, addresses: Sequence[str], choose: Callable[[int], int], *, timeout: float = 3.0
    ) -> None:
        if not addresses:
            raise ClientError("no name server is given")
        self._invoker = invoker
        self._timeout = timeout
        self._current = choose(len(addresses))
        self.addresses = tuple(addresses)

    @property
    def current(self) -> str:
        """The one that is asked first."""
        return self.addresses[self._current]

    async def call(self, header: Declared) -> Answer:
        """The answer of the first name server that can be reached; that one is asked first from then on.

        Raises:
            RemotingError: it refused.
            TransportError: none of them can be reached; the error is the last one's.
        """
        start = self._current
        for attempt in range(len(self.addresses)):
            self._current = (start + attempt) % len(self.addresses)
            try:
                return await self._invoker.call(self.current, header, timeout=self._timeout)
            except TransportError as error:
                failure = error
        raise failure
