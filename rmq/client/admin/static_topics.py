"""Static topics on brokers: what they hold of one, and plans carried out.

Queues move in steps, so that no message is lost or read twice on the way: the new leader takes messages, the old one
refuses them, its end is read, and only then the new leader learns which logical offset its first message has.

Source: MQAdminUtils.
"""

from __future__ import annotations

from collections.abc import Iterable

from rmq.client.admin.clusters import MASTER, cluster_info
from rmq.client.admin.errors import UnknownBrokerError, UnknownClusterError
from rmq.client.admin.session import Admin
from rmq.client.admin.static_plan import Shares, StaticTopicError, checked, details, empty_share
from rmq.wire.bodies.mapping import LogicQueueMappingItem
from rmq.wire.bodies.route import ClusterInfo, MessageQueue, TopicRouteData
from rmq.wire.bodies.topic import (
    TopicConfigAndQueueMapping,
    TopicOffset,
    TopicRemappingDetailWrapper,
    TopicStatsTable,
)
from rmq.wire.errors import TopicNotExistError
from rmq.wire.mapping import item_at, loose_static_offset, mock_broker, newest, next_block, static_offset
from rmq.wire.names import DEFAULT_TOPIC
from rmq.wire.requests.topic import GetTopicConfig, GetTopicStatsInfo, UpdateAndCreateStaticTopic


async def shares_of(admin: Admin, topic: str) -> Shares:
    """What every broker's master holds of a topic; brokers without it are left out."""
    info = await cluster_info(admin)
    groups = info.broker_addr_table.items()
    masters = {name: data.broker_addrs[MASTER] for name, data in groups if MASTER in data.broker_addrs}
    return await _ask(admin, topic, masters)


async def _ask(admin: Admin, topic: str, addresses: dict[str, str]) -> Shares:
    async def ask(address: str) -> TopicConfigAndQueueMapping | None:
        try:
            return (await admin.call(address, GetTopicConfig(topic, lo=True))).json(TopicConfigAndQueueMapping)
        except TopicNotExistError:
            return None

    found = await admin.each(list(addresses.values()), ask)
    return {name: share for name, share in zip(addresses, found, strict=True) if share is not None}


async def brokers_of(admin: Admin, clusters: Iterable[str]) -> set[str]:
    """Names of all brokers of some clusters.

    Raises:
        UnknownClusterError: there is no such cluster.
    """
    info = await cluster_info(admin)
    found: set[str] = set()
    for name in clusters:
        if name not in info.cluster_addr_table:
            raise UnknownClusterError(name, info.cluster_addr_table)
        found.update(info.cluster_addr_table[name])
    return found


async def check_masters(admin: Admin, names: Iterable[str]) -> None:
    """Refuses names of brokers that have no master now.

    Raises:
        UnknownBrokerError: one has none.
    """
    _masters(await cluster_info(admin), names)


def _masters(info: ClusterInfo, names: Iterable[str]) -> dict[str, str]:
    found = {}
    for name in names:
        data = info.broker_addr_table.get(name)
        if data is None or MASTER not in data.broker_addrs:
            raise UnknownBrokerError(name, info.broker_addr_table)
        found[name] = data.broker_addrs[MASTER]
    return found


# --- carrying out --------------------------------------------------------------------------------------------------


def check_plan(plan: TopicRemappingDetailWrapper, topic: str) -> None:
    """Refuses a plan, such as one from a file, that is not the topic's or contradicts itself.

    Raises:
        StaticTopicError: it does.
    """
    if plan.topic != topic:
        raise StaticTopicError(f"The mapping data is of topic {plan.topic}, not of {topic}")
    if not plan.broker_config_map:
        raise StaticTopicError("The mapping data names no broker")
    checked(topic, plan.broker_config_map)


async def put_plan(admin: Admin, plan: TopicRemappingDetailWrapper, *, force: bool = False) -> None:
    """Carries out a plan that makes or grows a topic; every broker of the clusters learns of it.

    Args:
        admin: the session.
        plan: the plan.
        force: let brokers take it whatever they hold.

    Raises:
        UnknownBrokerError: a broker of the plan has no master now; nothing has changed then.
    """
    masters = await _complete(admin, plan)
    for name, share in plan.broker_config_map.items():
        await _put(admin, masters[name], share, force)


async def move_queues(admin: Admin, plan: TopicRemappingDetailWrapper, *, force: bool = False) -> None:
    """Carries out a plan that moves queues; see `put_plan` for the arguments and errors."""
    masters = await _complete(admin, plan)
    shares = plan.broker_config_map
    takers, givers = sorted(plan.broker_to_map_in), sorted(plan.broker_to_map_out)
    for name in (*takers, *givers):
        await _put(admin, masters[name], shares[name], force)
    for name in givers:
        stats = (await admin.call(masters[name], GetTopicStatsInfo(plan.topic))).json(TopicStatsTable)
        _decide(plan, name, stats)
    for name in takers:
        await _put(admin, masters[name], shares[name], force)
    for name in shares.keys() - plan.broker_to_map_in - plan.broker_to_map_out:
        await _put(admin, masters[name], shares[name], force)


def _decide(plan: TopicRemappingDetailWrapper, giver: str, stats: TopicStatsTable) -> None:
    """Sets the logical offsets at which new leaders begin, now that an old one's ends are known."""
    detail = plan.broker_config_map[giver].mapping_detail
    for number, items in (detail.hosted_queues if detail is not None else {}).items():
        if len(items) < 2 or items[-1].logic_offset > 0:
            continue
        old, new = items[-2:]
        bounds = stats.offset_table.get(MessageQueue(plan.topic, old.bname or "", old.queue_id))
        if bounds is None:
            raise StaticTopicError(f"Cannot get the max offset for old leader {_place(old)}")
        if bounds.max_offset < old.start_offset:
            raise StaticTopicError(f"The max offset is smaller then the start offset {_place(old)} {bounds.max_offset}")
        new.logic_offset = next_block(static_offset(old, bounds.max_offset))
        taker = plan.broker_config_map[new.bname or ""].mapping_detail
        if taker is not None:
            taker.hosted_queues[number] = items


def _place(item: LogicQueueMappingItem) -> str:
    return f"{item.bname}-{item.queue_id}"


async def _complete(admin: Admin, plan: TopicRemappingDetailWrapper) -> dict[str, str]:
    """Adds the brokers of the same clusters that hold nothing; addresses of all masters."""
    info = await cluster_info(admin)
    shares = plan.broker_config_map
    (detail, *_) = details(shares.values())
    for names in info.cluster_addr_table.values():
        if shares.keys().isdisjoint(names):
            continue
        for name in sorted(set(names) - shares.keys()):
            shares[name] = empty_share(plan.topic, name, detail.total_queues, detail.epoch)
    return _masters(info, shares)


async def _put(admin: Admin, address: str, share: TopicConfigAndQueueMapping, force: bool) -> None:
    header = UpdateAndCreateStaticTopic(
        topic=share.topic_name,
        default_topic=DEFAULT_TOPIC,
        read_queue_nums=share.read_queue_nums,
        write_queue_nums=share.write_queue_nums,
        perm=share.perm,
        topic_filter_type=share.topic_filter_type,
        topic_sys_flag=share.topic_sys_flag,
        order=share.order,
        force=force,
    )
    if share.mapping_detail is None:
        raise StaticTopicError(f"Mapping info should not be null at {address}")
    await admin.call(address, header, share.mapping_detail)


# --- reading -------------------------------------------------------------------------------------------------------


async def add_logical_bounds(admin: Admin, topic: str, route: TopicRouteData, stats: TopicStatsTable) -> None:
    """Adds a static topic's logical queues to the bounds of its physical ones (convertPhysicalTopicStats)."""
    addresses = {
        data.broker_name: data.broker_addrs[min(data.broker_addrs)] for data in route.broker_datas if data.broker_addrs
    }
    shares = await _ask(admin, topic, addresses)
    for detail in details(shares.values()):
        for number, items in sorted(detail.hosted_queues.items()):
            if not items or items[-1].bname != detail.bname:
                continue
            bounds = _bounds(topic, items, stats)
            if bounds is not None:
                stats.offset_table[MessageQueue(topic, mock_broker(detail.scope), number)] = bounds


def _bounds(topic: str, items: list[LogicQueueMappingItem], stats: TopicStatsTable) -> TopicOffset | None:
    first, last = item_at(items, 0), newest(items)
    if first is None or last is None:
        return None
    low = stats.offset_table.get(MessageQueue(topic, first.bname or "", first.queue_id))
    high = stats.offset_table.get(MessageQueue(topic, last.bname or "", last.queue_id))
    if low is None or high is None:
        return None
    return TopicOffset(
        max(loose_static_offset(first, low.min_offset), 0),
        max(static_offset(last, high.max_offset), 0),
        high.last_update_timestamp,
    )
