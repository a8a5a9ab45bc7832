"""Waiting until name servers know all brokers, and until slaves have all that their masters have."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Final

from rmq.remoting.aio import AsyncioClient
from rmq.wire.bodies.broker import HARuntimeInfo
from rmq.wire.bodies.route import ClusterInfo
from rmq.wire.errors import RemotingError
from rmq.wire.requests.replication import GetBrokerHaStatus
from rmq.wire.requests.route import GetBrokerClusterInfo

_PAUSE: Final = 0.02
_CALL_SECONDS: Final = 3.0


def wait_known(name_servers: Collection[str], brokers: Collection[str], seconds: float) -> dict[str, set[str]]:
    """Waits until each name server knows all these brokers.

    Args:
        name_servers: their addresses.
        brokers: the brokers' addresses.
        seconds: how long to wait at most.

    Returns:
        The name servers that do not, each with the brokers that it does not know.
    """
    unknown = {name_server: set(brokers) for name_server in name_servers}

    async def know(client: AsyncioClient, name_server: str) -> bool:
        unknown[name_server] = set(brokers) - await _known(client, name_server)
        return not unknown[name_server]

    return {name_server: unknown[name_server] for name_server in _wait(list(unknown), know, seconds)}


def wait_in_step(slaves: Mapping[str, int], seconds: float) -> list[str]:
    """Waits until each master has so many slaves connected, and none of them lacks anything.

    Args:
        slaves: master's address -> number of its slaves.
        seconds: how long to wait at most.

    Returns:
        The addresses of the masters that are not so far.
    """
    return _wait(list(slaves), lambda client, master: _is_in_step(client, master, slaves[master]), seconds)


def _wait(left: list[str], is_done: Callable[[AsyncioClient, str], Awaitable[bool]], seconds: float) -> list[str]:
    """Asks one address after the other, each until it is done; gives those that are not.

    Runs a loop in a thread of its own, because the caller's may have one that runs.
    """

    async def wait() -> None:
        client = AsyncioClient()
        try:
            async with asyncio.timeout(seconds):
                while left:
                    if await is_done(client, left[0]):
                        del left[0]
                    else:
                        await asyncio.sleep(_PAUSE)
        except TimeoutError:
            pass
        finally:
            await client.close()

    thread = threading.Thread(target=lambda: asyncio.run(wait()), name="wait-in-step", daemon=True)
    thread.start()
    thread.join()
    return left


async def _known(client: AsyncioClient, name_server: str) -> set[str]:
    try:
        answer = await client.call(name_server, GetBrokerClusterInfo(), timeout=_CALL_SECONDS)
    except RemotingError:
        return set()
    table = answer.json(ClusterInfo).broker_addr_table
    return {address for broker in table.values() for address in broker.broker_addrs.values()}


async def _is_in_step(client: AsyncioClient, master: str, slaves: int) -> bool:
    try:
        answer = await client.call(master, GetBrokerHaStatus(), timeout=_CALL_SECONDS)
    except RemotingError:
        return False
    connections = answer.json(HARuntimeInfo).ha_connection_info
    return len(connections) >= slaves and all(connection.diff == 0 for connection in connections)
