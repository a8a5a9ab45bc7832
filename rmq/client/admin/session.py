"""What every administrative operation works with."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Final, TypeVar

from rmq.client.nameservers import NameServers
from rmq.remoting.calls import SUCCESS, Answer, Invoker
from rmq.wire.declare import Declared
from rmq.wire.errors import RemotingError

Item = TypeVar("Item")
T = TypeVar("T")

DEFAULT_TIMEOUT: Final = 5.0
"""Seconds for one request (DefaultMQAdminExt)."""


SIDE_BY_SIDE: Final = 32
"""Jobs of one session that are under way at a time, jobs within jobs counted too."""

Progress = Callable[[int, int], None]
"""Is told how many jobs of how many are done."""

Together = Callable[[Sequence[Coroutine[Any, Any, None]]], Awaitable[None]]
"""Runs coroutines side by side until all are done; the first failure cancels the others and is raised."""


class Admin:
    """A session of an administrator.

    Args:
        invoker: calls servers.
        nameservers: `host:port` of each name server.
        together: runs coroutines side by side; `rmq.client.admin.aio` and `.tx` provide it.
        now: milliseconds since the epoch.
        sleep: waits so many seconds.
        choose: gives a number below its argument, where any of several brokers or queues will do.
        timeout: seconds that no request may exceed; None for the default, which some requests exceed.
        progress: is told of jobs that are done, of the outermost `each`.

    Attributes:
        nameservers: addresses of all name servers.
        timeout: seconds for one request.
    """

    def __init__(
        self,
        invoker: Invoker,
        nameservers: Sequence[str],
        *,
        together: Together,
        now: Callable[[], int],
        sleep: Callable[[float], Awaitable[None]],
        choose: Callable[[int], int],
        timeout: float | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._invoker = invoker
        self._limit = math.inf if timeout is None else timeout
        self.timeout = DEFAULT_TIMEOUT if timeout is None else timeout
        # The first one is asked first, so that a command repeated is answered by the same server.
        self._namesrv = NameServers(invoker, nameservers, lambda _: 0, timeout=self.timeout)
        self.nameservers = tuple(nameservers)
        self._together = together
        self.now = now
        self.sleep = sleep
        self.choose = choose
        self._progress = progress
        # Whoever calls `each` runs one job in its own place; these are the places beyond.
        self._spare = SIDE_BY_SIDE - 1

    async def ask(self, header: Declared) -> Answer:
        """Asks the name servers, the next when one cannot be reached.

        Raises:
            RemotingError: the one that was reached refused.
            TransportError: none was reached.
        """
        return await self._namesrv.call(header)

    async def call(
        self,
        address: str,
        header: Declared,
        body: bytes | Declared = b"",
        *,
        timeout: float | None = None,
        accept: frozenset[int] = SUCCESS,
    ) -> Answer:
        """Asks one server; see `rmq.remoting.calls.Invoker.call`."""
        seconds = min(timeout or self.timeout, self._limit)
        return await self._invoker.call(address, header, body, timeout=seconds, accept=accept)

    async def send_oneway(self, address: str, header: Declared, body: bytes | Declared = b"") -> None:
        """Tells one server something that it does not answer."""
        await self._invoker.send_oneway(address, header, body)

    async def each(self, items: Sequence[Item], job: Callable[[Item], Awaitable[T]]) -> list[T]:
        """`job` of every item, some of them side by side; the results in the items' order.

        Raises:
            Exception: the first failure of a job; the others are cancelled.
        """
        results: dict[int, T] = {}
        waiting = iter(enumerate(items))
        progress, self._progress = self._progress, None

        async def work() -> None:
            for index, item in waiting:
                results[index] = await job(item)
                if progress is not None:
                    progress(len(results), len(items))

        beyond = max(0, min(len(items) - 1, self._spare))
        self._spare -= beyond

        async def work_beyond() -> None:
            nonlocal beyond
            await work()
            # Jobs within the jobs that still run may use the place.
            beyond -= 1
            self._spare += 1

        try:
            if beyond:
                await self._together([work(), *(work_beyond() for _ in range(beyond))])
            else:
                await work()
        finally:
            self._spare += beyond
            if progress is not None:
                self._progress = progress
        return [results[index] for index in range(len(items))]

    async def attempt_each(self, items: Sequence[Item], job: Callable[[Item], Awaitable[T]]) -> list[T | RemotingError]:
        """As `each`, with a server's refusal or silence as that item's result."""

        async def attempt(item: Item) -> T | RemotingError:
            try:
                return await job(item)
            except RemotingError as error:
                return error

        return await self.each(items, attempt)

    async def every(self, items: Sequence[Item], job: Callable[[Item], Awaitable[None]]) -> None:
        """`job` of every item, whatever becomes of the others.

        Raises:
            RemotingError: the first server's refusal or silence, after all were asked.
        """
        for outcome in await self.attempt_each(items, job):
            if isinstance(outcome, RemotingError):
                raise outcome
