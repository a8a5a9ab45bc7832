"""The terminal interface's service over real servers."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from rmq.testing.server import RocketMQ
from rmq.tui.service.live.service import LiveService

T = TypeVar("T")
_PATIENCE = 30.0
_PAUSE = 0.05


def now() -> int:
    """Ms since the epoch."""
    return time.time_ns() // 1_000_000


@asynccontextmanager
async def service_of(rocketmq: RocketMQ, ahead: int = 0) -> AsyncIterator[LiveService]:
    """The service; its clock may go so many ms ahead."""
    service = LiveService([rocketmq.namesrv_addr], lambda: now() + ahead)
    try:
        yield service
    finally:
        await service.close()


async def until(ask: Callable[[], Awaitable[T]], fulfilled: Callable[[T], bool]) -> T:
    """The first answer that is as wanted; servers tell of nothing, so they are asked again and again."""
    async with asyncio.timeout(_PATIENCE):
        while not fulfilled(answer := await ask()):
            await asyncio.sleep(_PAUSE)
    return answer
