"""Administration under asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any


async def together(jobs: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Runs coroutines side by side on the running loop; see `session.Together`."""
    tasks = [asyncio.ensure_future(job) for job in jobs]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
