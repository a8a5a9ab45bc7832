"""What clients and tools are told, made from the route tables.

Source: RouteInfoManager (pickupTopicRouteData and the topic lists), ZoneRouteRPCHook.
"""

from __future__ import annotations

from typing import Final

from rmq.server.namesrv.routes import MASTER_ID, RouteTables
from rmq.wire.bodies.route import BrokerData, BrokerMemberGroup, ClusterInfo, TopicRouteData
from rmq.wire.bodies.topic import PERM_WRITE, TopicList

_UNIT: Final = 1
_UNIT_SUB: Final = 2
_SYNC_GROUP_PREFIX: Final = "rmq_sys_SYNC_BROKER_MEMBER_"


def route_of(tables: RouteTables, topic: str, *, acting_master: bool = False) -> TopicRouteData | None:
    """Where a topic's queues are, or None when no known broker holds it.

    Args:
        tables: what is registered.
        topic: its name.
        acting_master: whether the lowest id of a group without a master is shown as its master.
    """
    queues = tables.topics.get(topic)
    if queues is None:
        return None
    groups = [_copy(tables.brokers[name]) for name in queues if name in tables.brokers]
    if not groups:
        return None
    route = TopicRouteData(groups, list(queues.values()), _filter_servers(tables, groups))
    if topic in tables.mappings:
        route.topic_queue_mapping_by_broker = dict(tables.mappings[topic])
    if acting_master and not topic.startswith(_SYNC_GROUP_PREFIX):
        for group in groups:
            if group.enable_acting_master and not queues[group.broker_name].perm & PERM_WRITE:
                _promote_lowest(group)
    return route


def _copy(group: BrokerData) -> BrokerData:
    addresses = dict(sorted(group.broker_addrs.items()))
    return BrokerData(group.broker_name, group.cluster, addresses, group.zone_name, group.enable_acting_master)


def _promote_lowest(group: BrokerData) -> None:
    if group.broker_addrs and MASTER_ID not in group.broker_addrs:
        lowest = min(group.broker_addrs)
        promoted = {MASTER_ID: group.broker_addrs.pop(lowest)}
        group.broker_addrs = promoted | group.broker_addrs


def _filter_servers(tables: RouteTables, groups: list[BrokerData]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for group in groups:
        for address in group.broker_addrs.values():
            alive = tables.live.get((group.cluster, address))
            if alive is not None and alive.filter_servers:
                found[address] = alive.filter_servers
    return dict(sorted(found.items()))


def within_zone(route: TopicRouteData, zone: str) -> TopicRouteData:
    """The route without the groups of other zones; a group that lost its master stays, whatever its zone."""
    kept = [
        group for group in route.broker_datas
        if MASTER_ID not in group.broker_addrs or (group.zone_name or "").lower() == zone.lower()
    ]  # fmt: skip
    dropped = [group for group in route.broker_datas if group not in kept]
    names = {group.broker_name for group in dropped}
    addresses = {address for group in dropped for address in group.broker_addrs.values()}
    route.broker_datas = kept
    route.queue_datas = [queue for queue in route.queue_datas if queue.broker_name not in names]
    route.filter_server_table = {a: table for a, table in route.filter_server_table.items() if a not in addresses}
    return route


def cluster_info(tables: RouteTables) -> ClusterInfo:
    """All broker groups and the clusters they belong to."""
    return ClusterInfo(dict(tables.brokers), {cluster: sorted(names) for cluster, names in tables.clusters.items()})


def member_group(tables: RouteTables, cluster: str, name: str) -> BrokerMemberGroup:
    """The addresses of one broker group; none when it is unknown."""
    group = tables.brokers.get(name)
    return BrokerMemberGroup(cluster, name, dict(group.broker_addrs) if group is not None else {})


def all_topics(tables: RouteTables) -> TopicList:
    """Every topic."""
    return TopicList(sorted(tables.topics))


def topics_of_cluster(tables: RouteTables, cluster: str) -> TopicList:
    """The topics that brokers of a cluster hold."""
    names = tables.clusters.get(cluster, set())
    return TopicList(sorted(topic for topic, queues in tables.topics.items() if not names.isdisjoint(queues)))


def system_topics(tables: RouteTables) -> TopicList:
    """The names of clusters and brokers, which are topics too, and the address of any broker."""
    names = set(tables.clusters).union(*tables.clusters.values())
    address = next((address for group in tables.brokers.values() for address in group.broker_addrs.values()), None)
    return TopicList(sorted(names), address)


def unit_topics(tables: RouteTables) -> TopicList:
    """Topics of a unit."""
    return _flagged(tables, _UNIT, _UNIT)


def unit_sub_topics(tables: RouteTables) -> TopicList:
    """Topics with subscriptions from units."""
    return _flagged(tables, _UNIT_SUB, _UNIT_SUB)


def unit_sub_ununit_topics(tables: RouteTables) -> TopicList:
    """Topics with subscriptions from units that belong to no unit."""
    return _flagged(tables, _UNIT | _UNIT_SUB, _UNIT_SUB)


def _flagged(tables: RouteTables, mask: int, wanted: int) -> TopicList:
    flags = ((topic, next(iter(queues.values())).topic_sys_flag) for topic, queues in tables.topics.items())
    return TopicList(sorted(topic for topic, flag in flags if flag & mask == wanted))
