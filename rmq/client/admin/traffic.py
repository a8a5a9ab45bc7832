"""How much goes through every topic, and how far its groups are behind.

A session asks in three rounds, side by side within each: every topic for its groups and what came in, every group for
its backlog (once, whatever the number of its topics), every pair of both for what went out.

Source: StatsAllSubCommand, ConsumeStats.computeTotalDiff.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from rmq.client.admin.clusters import MASTER
from rmq.client.admin.groups import consume_stats, groups_on, stats_on
from rmq.client.admin.session import Admin
from rmq.client.admin.topics import addresses_of, topic_route
from rmq.wire.bodies.broker import BrokerStatsData
from rmq.wire.bodies.consume import ConsumeStats, ConsumeStatsList
from rmq.wire.errors import RemotingError
from rmq.wire.names import retry_topic
from rmq.wire.requests.broker import ViewBrokerStatsData
from rmq.wire.requests.consumer import GetBrokerConsumeStats

PUT: Final = "TOPIC_PUT_NUMS"
"""Counter of messages that came into a topic."""
GET: Final = "GROUP_GET_NUMS"
"""Counter of messages that went to a group; its key is `topic@group`."""

Failed = Callable[[RemotingError], None]
"""Is told what could not be asked; the figures concerned are 0, and a topic that has no route is left out."""


class Rate(NamedTuple):
    """Messages a second in the last minute, and messages of the last day."""

    tps: float
    day: int


class Pair(NamedTuple):
    """A group of a topic, and what it has to do with it."""

    group: str
    backlog: int
    out: Rate


@dataclass(frozen=True, slots=True)
class TopicTraffic:
    """Figures of a topic and of each of its groups."""

    topic: str
    put: Rate
    groups: list[Pair]


@dataclass(frozen=True, slots=True)
class _Topic:
    """A topic after the first round."""

    name: str
    masters: list[str]
    groups: list[str]
    put: Rate


async def traffic(admin: Admin, topics: Sequence[str], failed: Failed) -> list[TopicTraffic]:
    """Figures of topics, in their order."""

    async def look(name: str) -> _Topic | None:
        try:
            route = await topic_route(admin, name)
            addresses = addresses_of(route)
            masters = [data.broker_addrs[MASTER] for data in route.broker_datas if MASTER in data.broker_addrs]
            groups = await groups_on(admin, addresses[0], name) if addresses else []
        except RemotingError as error:
            failed(error)
            return None
        return _Topic(name, masters, groups, await _rate(admin, masters, PUT, name, failed))

    found = [topic for topic in await admin.each(topics, look) if topic is not None]
    backlogs = await _backlogs(admin, found, failed)
    pairs = [(topic, group) for topic in found for group in topic.groups]

    async def out(pair: tuple[_Topic, str]) -> Rate:
        topic, group = pair
        return await _rate(admin, topic.masters, GET, f"{topic.name}@{group}", failed)

    rates = iter(await admin.each(pairs, out))
    return [
        TopicTraffic(
            topic.name,
            topic.put,
            [Pair(group, backlogs.get((group, topic.name), 0), next(rates)) for group in topic.groups],
        )
        for topic in found
    ]


async def _rate(admin: Admin, masters: Sequence[str], counter: str, key: str, failed: Failed) -> Rate:
    tps, day = 0.0, 0
    for address in masters:
        try:
            stats = (await admin.call(address, ViewBrokerStatsData(counter, key))).json(BrokerStatsData)
        except RemotingError as error:
            # A broker that has counted nothing refuses.
            failed(error)
            continue
        spans = [span for span in (stats.stats_day, stats.stats_hour, stats.stats_minute) if span is not None]
        tps += stats.stats_minute.tps if stats.stats_minute is not None else 0.0
        day += next((span.sum for span in spans if span.sum), 0)
    return Rate(tps, day)


# --- backlogs ------------------------------------------------------------------------------------------------------

_Backlogs = dict[tuple[str, str], int]
"""Messages behind, by group and topic."""


async def _backlogs(admin: Admin, topics: Sequence[_Topic], failed: Failed) -> _Backlogs:
    wanted: dict[str, list[str]] = {}
    for topic in topics:
        for group in topic.groups:
            wanted.setdefault(group, []).append(topic.name)
    found: _Backlogs = {}

    async def ask(entry: tuple[str, list[str]]) -> None:
        group, names = entry
        stats = await _of_all_topics(admin, group) if len(names) > 1 else {}
        for name in names:
            try:
                one = stats[name] if name in stats else await consume_stats(admin, group, name)
            except RemotingError as error:
                failed(error)
            else:
                found[group, name] = max(0, _behind(one))

    await admin.each(list(wanted.items()), ask)
    return found


async def _of_all_topics(admin: Admin, group: str) -> dict[str, ConsumeStats]:
    """A group's progress by topic; topics are missing that must be asked for one by one."""
    try:
        stats = await stats_on(admin, addresses_of(await topic_route(admin, retry_topic(group))), group)
    except RemotingError:
        return {}
    parts: dict[str, ConsumeStats] = {}
    for queue, offsets in stats.offset_table.items():
        parts.setdefault(queue.topic, ConsumeStats()).offset_table[queue] = offsets
    return parts


def _behind(stats: ConsumeStats) -> int:
    return sum(offsets.broker_offset - offsets.consumer_offset for offsets in stats.offset_table.values())


async def broker_consume_stats(admin: Admin, address: str, *, ordered: bool, timeout: float) -> ConsumeStatsList:
    """Progress of every group of one broker.

    Args:
        admin: the session.
        address: the broker.
        ordered: only topics whose messages are kept in order.
        timeout: seconds that the broker may take.
    """
    return (await admin.call(address, GetBrokerConsumeStats(ordered), timeout=timeout)).json(ConsumeStatsList)
