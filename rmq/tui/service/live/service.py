"""The service over a real cluster: operations of `rmq.client.admin` on asyncio.

What changes rarely is kept for a while: routes and the groups of a topic, configurations, the list of groups. What
several rows need, such as the progress of a group that consumes three topics, is asked for once.

One name server is asked first, the next when it cannot be reached (`rmq.client.nameservers`); how their views differ is
found out by asking each.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from rmq.client.admin.aio import together
from rmq.client.admin.brokers import broker_config
from rmq.client.admin.clusters import chosen_address, cluster_info
from rmq.client.admin.groups import groups_on, retry_groups, stats_on
from rmq.client.admin.metadata import is_own_group, user_groups
from rmq.client.admin.session import Admin
from rmq.client.admin.topics import addresses_of, topic_config, topic_names, topic_route
from rmq.remoting.aio import AsyncioClient
from rmq.tui.service.live.cluster import cluster_view
from rmq.tui.service.live.groups import group_detail, group_figures
from rmq.tui.service.live.kept import Kept
from rmq.tui.service.live.limits import Limited
from rmq.tui.service.live.topics import topic_detail, topic_figures
from rmq.tui.service.model import Cluster, Group, GroupDetail, Problem, Setting, Topic, TopicDetail
from rmq.tui.service.problems import problem_of
from rmq.wire.bodies.consume import ConsumeStats
from rmq.wire.bodies.route import ClusterInfo, TopicRouteData
from rmq.wire.bodies.topic import TopicConfig
from rmq.wire.errors import RemotingError, TopicNotExistError
from rmq.wire.names import retry_topic

TIMEOUT: Final = 3.0
"""Seconds that a server may take for one answer."""
_ROUTE_MILLIS: Final = 15_000
_CONFIG_MILLIS: Final = 60_000
_GROUPS_MILLIS: Final = 30_000
_PROGRESS_MILLIS: Final = 900


class Known:
    """A session, and what is kept of its answers.

    Attributes:
        admin: asks.
        route: a topic's route.
        readers: the groups of a topic, asked of one broker: key is (broker's address, topic).
        config: a topic's configuration: key is (broker's address, topic).
        progress: how far a group is on all its topics.
        groups: names of all groups; the key is a constant.
        info: brokers as the name server knows them; the key is a constant.
    """

    def __init__(self, admin: Admin, now: Callable[[], int]) -> None:
        self.admin = admin
        self.now = now
        self.route: Kept[str, TopicRouteData] = Kept(now, _ROUTE_MILLIS, lambda name: topic_route(admin, name))
        self.readers: Kept[tuple[str, str], list[str]] = Kept(
            now, _ROUTE_MILLIS, lambda key: groups_on(admin, key[0], key[1])
        )
        self.config: Kept[tuple[str, str], TopicConfig] = Kept(
            now, _CONFIG_MILLIS, lambda key: topic_config(admin, key[0], key[1])
        )
        self.progress: Kept[str, ConsumeStats] = Kept(now, _PROGRESS_MILLIS, self._progress)
        self.groups: Kept[str, tuple[str, ...]] = Kept(now, _GROUPS_MILLIS, self._configured)
        self.info: Kept[str, ClusterInfo] = Kept(now, _PROGRESS_MILLIS, lambda _: cluster_info(admin))

    def forget(self) -> None:
        """Asks anew for what was kept."""
        for kept in (self.route, self.readers, self.config, self.progress, self.groups, self.info):
            kept.forget()

    async def addresses(self, group: str) -> list[str]:
        """The brokers that may know a group: those of its retry topic, or all."""
        try:
            return addresses_of(await self.route.get(retry_topic(group)))
        except TopicNotExistError:
            table = (await self.info.get("")).broker_addr_table
            return [address for name in sorted(table) if (address := chosen_address(table[name])) is not None]

    async def _progress(self, group: str) -> ConsumeStats:
        return await stats_on(self.admin, await self.addresses(group), group)

    async def _configured(self, _: str) -> tuple[str, ...]:
        table = (await self.info.get("")).broker_addr_table
        addresses = [address for data in table.values() if (address := chosen_address(data)) is not None]
        # A broker that is away takes its groups with it; those with a retry topic are known all the same.
        found = await self.admin.attempt_each(addresses, lambda address: user_groups(self.admin, address))
        return tuple(
            dict.fromkeys(
                name for one in found if not isinstance(one, RemotingError) for name in one.subscription_group_table
            )
        )


class LiveService:
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

    async def cluster(self) -> Cluster | Problem:
        """See `AdminService.cluster`."""
        try:
            return await cluster_view(self._known.admin)
        except RemotingError as error:
            return problem_of(error)

    async def broker_config(self, address: str) -> tuple[Setting, ...] | Problem:
        """See `AdminService.broker_config`."""
        try:
            found = await broker_config(self._known.admin, address)
        except RemotingError as error:
            return problem_of(error)
        return tuple(Setting(address, key, value) for key, value in found.items())

    async def topic_names(self) -> tuple[str, ...] | Problem:
        """See `AdminService.topic_names`."""
        try:
            return tuple(await topic_names(self._known.admin))
        except RemotingError as error:
            return problem_of(error)

    async def topics(self, names: Sequence[str]) -> Mapping[str, Topic]:
        """See `AdminService.topics`."""
        found = await self._known.admin.each(list(names), lambda name: topic_figures(self._known, name))
        return {topic.name: topic for topic in found}

    async def topic(self, name: str) -> TopicDetail | Problem:
        """See `AdminService.topic`."""
        try:
            return await topic_detail(self._known, name)
        except RemotingError as error:
            return problem_of(error)

    async def group_names(self) -> tuple[str, ...] | Problem:
        """See `AdminService.group_names`."""
        try:
            retrying = await retry_groups(self._known.admin)
            configured = await self._known.groups.get("")
        except RemotingError as error:
            return problem_of(error)
        return tuple(sorted({name for name in (*retrying, *configured) if not is_own_group(name)}))

    async def groups(self, names: Sequence[str]) -> Mapping[str, Group]:
        """See `AdminService.groups`."""
        found = await self._known.admin.each(list(names), lambda name: group_figures(self._known, name))
        return {group.name: group for group in found}

    async def group(self, name: str) -> GroupDetail | Problem:
        """See `AdminService.group`."""
        try:
            return await group_detail(self._known, name)
        except RemotingError as error:
            return problem_of(error)

    async def close(self) -> None:
        """See `AdminService.close`."""
        await self._client.close()
