"""Topics as they are now: where their queues are, what came into them, and how far their groups are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from rmq.client.admin.clusters import chosen_address, masters
from rmq.client.admin.export import TOPICS, cluster_topics
from rmq.client.admin.topics import addresses_of, topic_names
from rmq.tui.service.changes.definitions import Definitions, definition_of
from rmq.tui.service.changes.topics import MESSAGE_TYPE
from rmq.tui.service.live.known import Known, or_problem
from rmq.tui.service.model import Problem, Queue, Reader, RouteEntry, Setting, Topic, TopicDetail
from rmq.tui.service.problems import problem_of
from rmq.wire.bodies.route import TopicRouteData
from rmq.wire.bodies.topic import TopicConfig, TopicConfigSerializeWrapper, TopicStatsTable, perm_text
from rmq.wire.declare import from_plain
from rmq.wire.errors import RemotingError
from rmq.wire.requests.topic import GetTopicStatsInfo

_DEFAULT_TYPE: Final = "NORMAL"


class LiveTopics:
    """See `protocol.TopicQuestions`."""

    _known: Known

    @or_problem
    async def topic_names(self) -> tuple[str, ...]:
        """See `AdminService.topic_names`."""
        return tuple(await topic_names(self._known.admin))

    async def topics(self, names: Sequence[str]) -> Mapping[str, Topic]:
        """See `AdminService.topics`."""
        found = await self._known.admin.each(list(names), lambda name: topic_figures(self._known, name))
        return {topic.name: topic for topic in found}

    @or_problem
    async def topic(self, name: str) -> TopicDetail:
        """See `AdminService.topic`."""
        return await topic_detail(self._known, name)

    @or_problem
    async def topic_definitions(self, cluster: str) -> Definitions:
        """See `AdminService.topic_definitions`."""
        addresses = await masters(self._known.admin, cluster)
        table = (await cluster_topics(self._known.admin, addresses, special=False))[TOPICS]
        found = from_plain(TopicConfigSerializeWrapper, {TOPICS: table}).topic_config_table
        return Definitions(tuple(definition_of(found[name]) for name in sorted(found)), len(addresses) > 1)


async def topic_figures(known: Known, name: str) -> Topic:
    """A row of the list; with a problem, and as far as it could be told, when something fails."""
    try:
        return (await topic_detail(known, name, whole=False)).topic
    except RemotingError as error:
        return Topic(name, problem=problem_of(error))


async def topic_detail(known: Known, name: str, *, whole: bool = True) -> TopicDetail:
    """Everything about a topic; what one broker fails to tell is missing, and named among the problems.

    Args:
        known: the session.
        name: the topic.
        whole: with the configuration on every broker; without, one broker's is enough.

    Raises:
        RemotingError: the name server knows no route.
    """
    route = await known.route.get(name)
    addresses = addresses_of(route)
    stats = await known.admin.attempt_each(addresses, lambda address: _stats(known, address, name))
    asked = addresses if whole else addresses[:1]
    configs = await known.admin.attempt_each(asked, lambda address: known.config.get((address, name)))
    readers = await _readers(known, addresses, name)
    problems = [problem_of(part) for part in (*stats, *configs) if isinstance(part, RemotingError)]
    if isinstance(readers, Problem):
        problems.append(readers)
        readers = ()
    problems += [reader.problem for reader in readers if reader.problem is not None]
    problems = list(dict.fromkeys(problems))
    queues = tuple(
        Queue(queue.broker_name, queue.queue_id, at.min_offset, at.max_offset, at.last_update_timestamp)
        for part in stats
        if not isinstance(part, RemotingError)
        for queue, at in sorted(part.offset_table.items())
    )
    found = [config for config in configs if not isinstance(config, RemotingError)]
    topic = _summary(name, route, queues, found, readers, problems)
    settings = tuple(
        setting
        for address, config in zip(asked, configs, strict=True)
        if not isinstance(config, RemotingError)
        for setting in _settings(_broker_at(route, address), config)
    )
    return TopicDetail(topic, _route(route), queues, readers, settings, tuple(problems))


async def _stats(known: Known, address: str, name: str) -> TopicStatsTable:
    return (await known.admin.call(address, GetTopicStatsInfo(name))).json(TopicStatsTable)


async def _readers(known: Known, addresses: Sequence[str], name: str) -> tuple[Reader, ...] | Problem:
    failure: RemotingError | None = None
    for address in addresses:
        try:
            groups = await known.readers.get((address, name))
        except RemotingError as error:
            failure = error
            continue
        return tuple(await known.admin.each(sorted(groups), lambda group: _reader(known, group, name)))
    return problem_of(failure) if failure is not None else ()


async def _reader(known: Known, group: str, topic: str) -> Reader:
    try:
        stats = await known.progress.get(group)
    except RemotingError as error:
        return Reader(group, None, 0, 0, problem_of(error))
    parts = [offsets for queue, offsets in stats.offset_table.items() if queue.topic == topic]
    produced, consumed = sum(at.broker_offset for at in parts), sum(at.consumer_offset for at in parts)
    return Reader(group, sum(max(at.broker_offset - at.consumer_offset, 0) for at in parts), consumed, produced)


def _summary(
    name: str,
    route: TopicRouteData,
    queues: Sequence[Queue],
    configs: Sequence[TopicConfig],
    readers: Sequence[Reader],
    problems: Sequence[Problem],
) -> Topic:
    perms = {data.perm for data in route.queue_datas}
    lags = [reader.lag for reader in readers]
    kind = configs[0].attributes.get(MESSAGE_TYPE, _DEFAULT_TYPE) if configs else ""
    return Topic(
        name,
        kind,
        "/".join(perm_text(perm) for perm in sorted(perms, reverse=True)),
        sum(data.read_queue_nums for data in route.queue_datas),
        sum(data.write_queue_nums for data in route.queue_datas),
        len(route.broker_datas),
        sum(queue.max_offset for queue in queues),
        sum(queue.max_offset - queue.min_offset for queue in queues),
        max((queue.last for queue in queues), default=0),
        len(readers),
        None if None in lags else sum(lag for lag in lags if lag is not None),
        problems[0] if problems else None,
    )


def _route(route: TopicRouteData) -> tuple[RouteEntry, ...]:
    brokers = {data.broker_name: data for data in route.broker_datas}
    return tuple(
        RouteEntry(
            data.broker_name,
            brokers[data.broker_name].cluster,
            chosen_address(brokers[data.broker_name]) or "",
            data.read_queue_nums,
            data.write_queue_nums,
            perm_text(data.perm),
        )
        for data in sorted(route.queue_datas, key=lambda data: data.broker_name)
        if data.broker_name in brokers
    )


def _broker_at(route: TopicRouteData, address: str) -> str:
    return next((data.broker_name for data in route.broker_datas if address in data.broker_addrs.values()), address)


def _settings(broker: str, config: TopicConfig) -> list[Setting]:
    plain = {
        "readQueueNums": str(config.read_queue_nums),
        "writeQueueNums": str(config.write_queue_nums),
        "perm": perm_text(config.perm),
        "topicFilterType": config.topic_filter_type.value,
        "topicSysFlag": str(config.topic_sys_flag),
        "order": str(config.order).lower(),
    }
    return [Setting(broker, key, value) for key, value in (*plain.items(), *sorted(config.attributes.items()))]
