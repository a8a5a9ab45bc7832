"""What is kept of a cluster's answers, and the session that asks.

What changes rarely is kept for a while: routes and the groups of a topic, configurations, the list of groups. What
several rows need, such as the progress of a group that consumes three topics, is asked for once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

from rmq.client.admin.brokers import broker_config
from rmq.client.admin.clusters import MASTER, chosen_address, cluster_info
from rmq.client.admin.groups import groups_on, stats_on
from rmq.client.admin.metadata import user_groups
from rmq.client.admin.running import running_info
from rmq.client.admin.session import Admin
from rmq.client.admin.topics import addresses_of, topic_config, topic_route
from rmq.tui.service.live.consumers import ConsumersSeen
from rmq.tui.service.live.dead_letter_reading import Letters
from rmq.tui.service.live.kept import Kept
from rmq.tui.service.local_servers import LocalServers, NoLocalServers
from rmq.tui.service.model import Problem
from rmq.tui.service.problems import problem_of
from rmq.wire.bodies.consume import ConsumeStats
from rmq.wire.bodies.route import ClusterInfo, TopicRouteData
from rmq.wire.bodies.running import ConsumerRunningInfo
from rmq.wire.bodies.topic import TopicConfig
from rmq.wire.errors import RemotingError, TopicNotExistError
from rmq.wire.names import retry_topic

P = ParamSpec("P")
T = TypeVar("T")

_ROUTE_MILLIS: Final = 15_000
_CONFIG_MILLIS: Final = 60_000
_GROUPS_MILLIS: Final = 30_000
_PROGRESS_MILLIS: Final = 900
_RUNNING_MILLIS: Final = 4_000


def or_problem(ask: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T | Problem]]:
    """Has a question answer with a `Problem` where it would raise a `RemotingError`."""

    @wraps(ask)
    async def answer(*args: P.args, **kwargs: P.kwargs) -> T | Problem:
        try:
            return await ask(*args, **kwargs)
        except RemotingError as error:
            return problem_of(error)

    return answer


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
        settings: a broker's settings, by its address.
        running: what a consumer says of itself: key is (broker's address, group, client's id).
        consumers: the consumers of groups that were asked.
        letters: dead letters that were read.
        local: servers of ours on this machine.
    """

    def __init__(self, admin: Admin, now: Callable[[], int], local: LocalServers | None = None) -> None:
        self.admin = admin
        self.now = now
        self.local = local or NoLocalServers()
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
        self.settings: Kept[str, dict[str, str]] = Kept(
            now, _ROUTE_MILLIS, lambda address: broker_config(admin, address)
        )
        self.running: Kept[tuple[str, str, str], ConsumerRunningInfo] = Kept(
            now, _RUNNING_MILLIS, lambda key: running_info(admin, key[1], key[2], address=key[0])
        )
        self.consumers = ConsumersSeen()
        self.letters = Letters()

    def forget(self) -> None:
        """Asks anew for what was kept."""
        for kept in (
            self.route, self.readers, self.config, self.progress, self.groups, self.info, self.settings, self.running,
        ):  # fmt: skip
            kept.forget()

    async def addresses(self, group: str) -> list[str]:
        """The brokers that may know a group: those of its retry topic, or all."""
        try:
            return addresses_of(await self.route.get(retry_topic(group)))
        except TopicNotExistError:
            table = (await self.info.get("")).broker_addr_table
            return [address for name in sorted(table) if (address := chosen_address(table[name])) is not None]

    async def masters(self) -> dict[str, str]:
        """Address of each broker's master, by the broker's name and in order of the names.

        Raises:
            RemotingError: the name server cannot be asked.
        """
        table = (await self.info.get("")).broker_addr_table
        return {name: data.broker_addrs[MASTER] for name, data in sorted(table.items()) if MASTER in data.broker_addrs}

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
