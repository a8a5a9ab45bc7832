"""Waiting until slaves have all that their masters have."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from typing import Final

from rmq.remoting.aio import AsyncioClient
from rmq.wire.bodies.broker import HARuntimeInfo
from rmq.wire.errors import RemotingError
from rmq.wire.requests.replication import GetBrokerHaStatus

_PAUSE: Final = 0.02
_CALL_SECONDS: Final = 3.0


def wait_in_step(slaves: Mapping[str, int], seconds: float) -> list[str]:
    """Waits until each master has so many slaves connected, and none of them lacks anything.

    Runs a loop in a thread of its own, because the caller's may have one that runs.

    Args:
        slaves: master's address -> number of its slaves.
        seconds: how long to wait at most.

    Returns:
        The addresses of the masters that are not so far.
    """
    behind = list(slaves)

    async def wait() -> None:
        client = AsyncioClient()
        try:
            async with asyncio.timeout(seconds):
                while behind:
                    if await _is_in_step(client, behind[0], slaves[behind[0]]):
                        del behind[0]
                    else:
                        await asyncio.sleep(_PAUSE)
        except TimeoutError:
            pass
        finally:
            await client.close()

    thread = threading.Thread(target=lambda: asyncio.run(wait()), name="wait-in-step", daemon=True)
    thread.start()
    thread.join()
    return behind


async def _is_in_step(client: AsyncioClient, master: str, slaves: int) -> bool:
    try:
        answer = await client.call(master, GetBrokerHaStatus(), timeout=_CALL_SECONDS)
    except RemotingError:
        return False
    connections = answer.json(HARuntimeInfo).ha_connection_info
    return len(connections) >= slaves and all(connection.diff == 0 for connection in connections)
