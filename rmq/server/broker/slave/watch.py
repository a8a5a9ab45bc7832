"""Whether a slave's master can be reached.

Everything that a slave asks its master goes through here, so that each answer and each failure tells; a connection
that breaks tells at once. The stream of the log does not count: where only that is cut, clients still reach the
master, and belong there. A master that no name server knows is away for clients, even if this broker reaches it.

Source: BrokerController.minBrokerIdInGroup, PullMessageProcessor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from twisted.internet.defer import Deferred

from rmq.remoting.calls import DEFAULT_TIMEOUT, Answer
from rmq.remoting.errors import CallTimeoutError, ConnectFailedError, TransportError
from rmq.remoting.protocol import Connection
from rmq.wire.declare import Declared
from rmq.wire.errors import RemotingError


class Master(Protocol):
    """Somebody who answers for the master."""

    async def ask(self, header: Declared, *, timeout: float = DEFAULT_TIMEOUT) -> Answer:
        """The master's answer.

        Args:
            header: a declared request.
            timeout: seconds, connecting included.

        Raises:
            TransportError: it cannot be reached, or does not answer.
            RemotingError: it refuses.
        """
        ...


class Caller(Protocol):
    """What is asked of `rmq.remoting.client.RemotingClient`."""

    def connection(self, address: str) -> Deferred[Connection]:
        """The connection to an address, made if there is none."""
        ...

    def call(self, address: str, header: Declared, *, timeout: float = DEFAULT_TIMEOUT) -> Deferred[Answer]:
        """The answer to a request."""
        ...


class MasterWatch:
    """Asks the master, and knows whether it is there.

    Args:
        client: makes connections.

    Attributes:
        address: where the master is, or was when a name server last knew it; None when none ever did.
        reachable: whether it answered the last time, and the connection stands.
        away: whether clients cannot reach it: this broker cannot, or no name server knows it.
        on_away: called when the master has gone.
        on_return: called when it is back.
    """

    def __init__(self, client: Caller) -> None:
        self._client = client
        self._listed = False
        self._minded: Connection | None = None
        self._answers = 0
        self.address: str | None = None
        self.reachable = False
        self.away = True
        self.on_away: list[Callable[[], None]] = []
        self.on_return: list[Callable[[], None]] = []

    def master_is(self, address: str | None) -> None:
        """Name servers say where the master is; None when they know of none."""
        self._listed = address is not None
        if address is not None and address != self.address:
            self.address = address
            self.reachable = False
            self._minded = None
        self._judge()

    async def ask(self, header: Declared, *, timeout: float = DEFAULT_TIMEOUT) -> Answer:
        """See `Master.ask`."""
        address = self.address
        if address is None:
            raise ConnectFailedError("the master", "no name server knows it")
        answers = self._answers
        try:
            self._mind(await self._client.connection(address), address)
            answer = await self._client.call(address, header, timeout=timeout)
        except TransportError as error:
            # A large table may take its time while other answers come.
            if not isinstance(error, CallTimeoutError) or self._answers == answers:
                self._heard(address, False)
            raise
        except RemotingError:
            self._heard(address, True)
            raise
        self._heard(address, True)
        return answer

    def _mind(self, connection: Connection, address: str) -> None:
        if address == self.address and connection is not self._minded:
            self._minded = connection
            connection.on_close(self._closed)

    def _closed(self, connection: Connection) -> None:
        if connection is self._minded:
            self._minded = None
            self.reachable = False
            self._judge()

    def _heard(self, address: str, answered: bool) -> None:
        if address == self.address:
            self._answers += answered
            self.reachable = answered and self._minded is not None
            self._judge()

    def _judge(self) -> None:
        away = not (self.reachable and self._listed)
        if away != self.away:
            self.away = away
            for callback in self.on_away if away else self.on_return:
                callback()
