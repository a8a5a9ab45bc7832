"""Administration under Twisted."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import Any

from twisted.internet.defer import Deferred, FirstError, gatherResults


async def together(jobs: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Runs coroutines side by side as Deferreds; see `session.Together`."""
    running = [Deferred.fromCoroutine(job) for job in jobs]
    try:
        await gatherResults(running, consumeErrors=True)
    except FirstError as error:
        for other in running:
            other.cancel()
        error.subFailure.raiseException()
