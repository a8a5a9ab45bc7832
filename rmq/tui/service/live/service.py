"""The service over a real cluster: operations of `rmq.client.admin` on asyncio.

Each subject has a class of its own in the file of its name, and `LiveService` is all of them.

One name server is asked first, the next when it cannot be reached (`rmq.client.nameservers`); how their views differ is
found out by asking each.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from rmq.client.admin.aio import together
from rmq.client.admin.session import Admin
from rmq.remoting.aio import AsyncioClient
from rmq.tui.service.live.addresses import Addressed, LiveAddresses
from rmq.tui.service.live.changes.registry import LiveChanges
from rmq.tui.service.live.clients import LiveClients
from rmq.tui.service.live.cluster import LiveCluster
from rmq.tui.service.live.dead_letters import LiveDeadLetters
from rmq.tui.service.live.groups import LiveGroups
from rmq.tui.service.live.known import Known
from rmq.tui.service.live.limits import Limited
from rmq.tui.service.live.messages import LiveMessages
from rmq.tui.service.live.mqadmin import LiveCommands
from rmq.tui.service.live.rights import LiveRights
from rmq.tui.service.live.topics import LiveTopics
from rmq.tui.service.live.traces import LiveTraces
from rmq.tui.service.local_servers import LocalServers
from rmq.wire.signing import Credentials

TIMEOUT: Final = 3.0
"""Seconds that a server may take for one answer."""


class LiveService(
    LiveCluster,
    LiveTopics,
    LiveGroups,
    LiveMessages,
    LiveChanges,
    LiveAddresses,
    LiveClients,
    LiveDeadLetters,
    LiveTraces,
    LiveRights,
    LiveCommands,
):
    """A cluster that is reached through its name servers; see `rmq.tui.service.AdminService`.

    Args:
        nameservers: `host:port` of each.
        now: ms since the epoch.
        local: servers of ours on this machine.
        address_map: where servers are reached, by the addresses that they advertise.
        credentials: with what requests are signed; they are not without any.
    """

    def __init__(
        self,
        nameservers: Sequence[str],
        now: Callable[[], int],
        local: LocalServers | None = None,
        address_map: Mapping[str, str] | None = None,
        credentials: Credentials | None = None,
    ) -> None:
        self._client = AsyncioClient(connect_timeout=TIMEOUT, credentials=credentials)
        self._credentials = credentials
        self.limited = Limited(self._client, now)
        self._nameservers = tuple(nameservers)
        self._addressed = Addressed(self.limited, self._nameservers, dict(address_map or {}))
        self._known = Known(
            Admin(
                self._addressed,
                self._nameservers,
                together=together,
                now=now,
                sleep=asyncio.sleep,
                choose=random.randrange,
                timeout=TIMEOUT,
            ),
            now,
            local,
        )

    @property
    def address(self) -> str:
        """The name servers."""
        return ";".join(self._nameservers)

    def forget(self) -> None:
        """See `AdminService.forget`."""
        self._known.forget()

    async def close(self) -> None:
        """See `AdminService.close`."""
        await self._client.close()
