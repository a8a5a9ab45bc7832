"""How much is asked of servers at a time, and how long a silent one is left alone.

A screen of forty rows asks for all of them at once. When their broker is dead, every row would wait its time-out; so
after one request could not be carried, others to that address fail at once with the same error, until a moment has
passed and it is tried again. A name server that comes back is noticed within that moment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from rmq.remoting.calls import DEFAULT_TIMEOUT, SUCCESS, Answer, Invoker
from rmq.remoting.errors import TransportError
from rmq.wire.declare import Declared

AT_ONCE: Final = 8
"""Requests under way at a time."""
LEFT_ALONE: Final = 1500
"""Ms for which an address is not tried again after it could not be reached."""


class Limited:
    """An `Invoker` that holds the limits.

    Args:
        invoker: carries the requests.
        now: ms of any clock.

    Attributes:
        asked: requests handed on since the beginning.
    """

    def __init__(self, invoker: Invoker, now: Callable[[], int]) -> None:
        self._invoker = invoker
        self._now = now
        self._places = asyncio.Semaphore(AT_ONCE)
        self._silent: dict[str, tuple[int, TransportError]] = {}
        self.asked = 0

    async def call(
        self,
        address: str,
        header: Declared,
        body: bytes | Declared = b"",
        *,
        timeout: float = DEFAULT_TIMEOUT,
        accept: frozenset[int] = SUCCESS,
    ) -> Answer:
        """Sends a request and waits for its answer; see `rmq.remoting.calls.Invoker`."""
        async with self._places:
            self._check(address)
            self.asked += 1
            try:
                answer = await self._invoker.call(address, header, body, timeout=timeout, accept=accept)
            except TransportError as error:
                self._silent[address] = (self._now() + LEFT_ALONE, error)
                raise
            self._silent.pop(address, None)
            return answer

    async def send_oneway(self, address: str, header: Declared, body: bytes | Declared = b"") -> None:
        """Sends a request that is never answered."""
        await self._invoker.send_oneway(address, header, body)

    def _check(self, address: str) -> None:
        until, error = self._silent.get(address, (0, None))
        if error is not None and self._now() < until:
            raise error.with_traceback(None)
