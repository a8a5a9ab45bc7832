"""Answers that stay good for a while, each asked for once however many wait for it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_MOST: Final = 4096


class Kept(Generic[K, V]):
    """Answers by key. A failure reaches all who wait for it, and is not kept.

    Args:
        now: ms of any clock.
        millis: how long an answer is good.
        ask: asks for one.
    """

    def __init__(self, now: Callable[[], int], millis: int, ask: Callable[[K], Awaitable[V]]) -> None:
        self._now = now
        self._millis = millis
        self._ask = ask
        self._answers: OrderedDict[K, tuple[int, asyncio.Task[V]]] = OrderedDict()

    async def get(self, key: K) -> V:
        """The answer that is kept, or a new one."""
        kept = self._answers.get(key)
        if kept is None or (kept[1].done() and self._now() - kept[0] >= self._millis):
            # Two that wait for one task: who gives up must not take the answer from the other.
            task = asyncio.ensure_future(self._asked(key))
            task.add_done_callback(lambda done: self._settled(key, done))
            kept = self._answers[key] = (self._now(), task)
            self._answers.move_to_end(key)
            if len(self._answers) > _MOST:
                self._answers.popitem(last=False)
        return await asyncio.shield(kept[1])

    def forget(self) -> None:
        """Nothing that was answered is good any more."""
        self._answers.clear()

    async def _asked(self, key: K) -> V:
        return await self._ask(key)

    def _settled(self, key: K, task: asyncio.Task[V]) -> None:
        failed = task.cancelled() or task.exception() is not None
        kept = self._answers.get(key)
        if failed and kept is not None and kept[1] is task:
            del self._answers[key]
