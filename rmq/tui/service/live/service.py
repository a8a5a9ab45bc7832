"""The service over a real cluster: operations of `rmq.client.admin` on asyncio.

Each subject has a class of its own in the file of its name, and `LiveService` is all of them.

One name server is asked first, the next when it cannot be reached (`rmq.client.nameservers`); how their views differ is
found out by asking each.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Final

from rmq.client.admin.aio import together
from rmq.client.admin.session import Admin
from rmq.remoting.aio import AsyncioClient
from rmq.tui.service.live.cluster import LiveCluster
from rmq.tui.service.live.groups import LiveGroups
from rmq.tui.service.live.known import Known
from rmq.tui.service.live.limits import Limited
from rmq.tui.service.live.topics import LiveTopics

TIMEOUT: Final = 3.0
"""Seconds that a server may take for one answer."""


class LiveService(LiveCluster, LiveTopics, LiveGroups):
    """A cluster that is reached through its name servers; see `rmq.tui.service.AdminService`.

    Args:
        nameservers: `host:port` of each.
        now: ms since the epoch.
    """

    def __init__(self, nameservers: Sequence[str], now: Callable[[], int]) -> None:
        self._client = AsyncioClient(connect_timeout=TIMEOUT)
        self.limited = Limited(self._client, now)
        self._nameservers = tuple(nameservers)
        self._known = Known(
            Admin(
                self.limited,
                self._nameservers,
                together=together,
                now=now,
                sleep=asyncio.sleep,
                choose=random.randrange,
                timeout=TIMEOUT,
            ),
            now,
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
