"""Deleting a topic: who would miss it, and that being done.

Source: DeleteTopicSubCommand, AdminBrokerProcessor.deleteTopic.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rmq.client.admin.clusters import Replica
from rmq.client.admin.metadata import system_topics
from rmq.client.admin.topics import delete_topic_on_broker, delete_topic_on_namesrv, topic_names, topic_route
from rmq.client.admin.traffic import PUT
from rmq.remoting.errors import TransportError
from rmq.tui.formats import plural
from rmq.tui.service.changes.change import Item, Outcome, Preview
from rmq.tui.service.changes.places import Place
from rmq.tui.service.changes.topics import DeleteTopic
from rmq.tui.service.live.changes.doer import Doer, Done
from rmq.tui.service.live.changes.targets import each_named, on_each, silent, targets
from rmq.tui.service.live.changes.topics import on_brokers
from rmq.tui.service.live.groups import group_figures
from rmq.tui.service.live.known import Known
from rmq.tui.service.live.topics import topic_detail
from rmq.tui.service.model import Group, Reader, Topic, TopicDetail
from rmq.tui.service.problems import problem_of
from rmq.wire.bodies.broker import BrokerStatsData
from rmq.wire.errors import RemotingError, TopicNotExistError
from rmq.wire.names import RETRY_PREFIX, is_system_topic
from rmq.wire.requests.broker import ViewBrokerStatsData

_COLUMNS: Final = ("GROUP", "STATE", "CLIENTS", "LAG")
_SEPARATORS: Final = ("_", "+")
"""Between group and topic in the name of a retry topic of POP consumption, of either version."""


async def preview_delete(known: Known, change: DeleteTopic) -> Preview:
    """Groups that read it, what is stored, what came in the last minute, and the retry topics that go with it."""
    where = await targets(known, Place(cluster=change.cluster))
    refusal = await _refusal(known, where, change.name)
    if refusal:
        return Preview(refusal=refusal)
    present = await on_brokers(known, where, change.name)
    holding = [replica for replica, found in zip(where, present, strict=True) if found is not None]
    if not holding:
        return Preview(refusal=f"no broker of {change.cluster} has {change.name}")
    warnings = silent(where, present)
    detail = await _detail(known, change.name)
    minute = await _last_minute(known, holding, change.name)
    if minute:
        warnings.append(f"{plural(minute, 'message')} came in the last minute")
    groups = await known.admin.each(detail.readers, lambda reader: group_figures(known, reader.group))
    rows = tuple(_row(*pair) for pair in zip(detail.readers, groups, strict=True))
    warnings += _group_warnings(detail.readers, groups)
    warnings += [str(problem) for problem in detail.problems]
    elsewhere = [entry.broker for entry in detail.route if entry.cluster != change.cluster]
    notes = [
        f"{plural(detail.topic.stored, 'message')} stored on {plural(len(holding), 'broker')} can be read no longer",
        f"{plural(len(rows), 'group')} read{'s' * (len(rows) == 1)} it" if rows else "no group reads it",
    ]
    if minute == 0:
        notes.append("nothing came in the last minute")
    if elsewhere:
        notes.append(f"it stays on {', '.join(elsewhere)}, of another cluster")
    retries = await _retry_topics(known, change.name, detail.readers)
    if retries:
        notes.append(f"retry topics that may go with it: {', '.join(retries)}")
    return Preview(_COLUMNS if rows else (), rows, tuple(notes), tuple(warnings))


async def _refusal(known: Known, where: Sequence[Replica], name: str) -> str:
    owned = is_system_topic(name)
    if not owned:
        answers = await known.admin.attempt_each(where, lambda replica: system_topics(known.admin, replica.address))
        owned = any(name in answer for answer in answers if not isinstance(answer, RemotingError))
    return f"{name} is RocketMQ's own and cannot be deleted" if owned else ""


async def _detail(known: Known, name: str) -> TopicDetail:
    try:
        return await topic_detail(known, name, whole=False)
    except TopicNotExistError:
        # On brokers it is, but nobody is led there.
        return TopicDetail(Topic(name))


async def _last_minute(known: Known, where: Sequence[Replica], name: str) -> int | None:
    """Messages that came in the last minute; None when no broker answers. One that never counted any refuses."""

    async def ask(replica: Replica) -> BrokerStatsData:
        return (await known.admin.call(replica.address, ViewBrokerStatsData(PUT, name))).json(BrokerStatsData)

    answers = await known.admin.attempt_each(where, ask)
    if all(isinstance(answer, TransportError) for answer in answers):
        return None
    minutes = [answer.stats_minute for answer in answers if not isinstance(answer, RemotingError)]
    return sum(minute.sum for minute in minutes if minute is not None)


def _row(reader: Reader, group: Group) -> tuple[str, ...]:
    return (
        reader.group,
        group.state or "unknown",
        str(group.clients),
        "unknown" if reader.lag is None else f"{reader.lag:,}",
    )


def _group_warnings(readers: Sequence[Reader], groups: Sequence[Group]) -> list[str]:
    online = [group.name for group in groups if group.state == "online"]
    behind = [reader for reader in readers if reader.lag]
    found = []
    if online:
        found.append(f"{', '.join(online)} {'are' if len(online) > 1 else 'is'} online and would ask for it in vain")
    if behind:
        lost = sum(reader.lag or 0 for reader in behind)
        number = f"{plural(lost, 'message')} {'have' if lost != 1 else 'has'} not been consumed"
        found.append(f"{number} by {', '.join(reader.group for reader in behind)}")
    return found


async def _retry_topics(known: Known, name: str, readers: Sequence[Reader]) -> list[str]:
    wanted = {f"{RETRY_PREFIX}{reader.group}{mark}{name}" for reader in readers for mark in _SEPARATORS}
    return [topic for topic in await topic_names(known.admin) if topic in wanted]


async def delete(known: Known, change: DeleteTopic, done: Done) -> Outcome:
    """Deletes on every master, then in the name servers; the route stays when a master fails."""
    where = await targets(known, Place(cluster=change.cluster))

    async def on_broker(replica: Replica) -> str:
        await delete_topic_on_broker(known.admin, replica.address, change.name)
        return "deleted"

    async def in_namesrv(address: str) -> str:
        await delete_topic_on_namesrv(known.admin, address, change.name, change.cluster)
        return "route deleted"

    items = await on_each(known, where, on_broker, done)
    failed = [item for item in items if not item.ok]
    if failed:
        return Outcome(False, f"{plural(len(failed), 'broker')} failed: the route stays", tuple(items))
    servers = [(f"name server {address}", address) for address in known.admin.nameservers]
    items += await each_named(known, servers, in_namesrv, done)
    known.forget()
    gone, lines = await _read_back(known, where, change.name)
    return Outcome(gone and _all_ok(items), "deleted" if gone else "not all of it is gone", tuple(items), tuple(lines))


def _all_ok(items: Sequence[Item]) -> bool:
    return all(item.ok for item in items)


async def _read_back(known: Known, where: Sequence[Replica], name: str) -> tuple[bool, list[str]]:
    answers = await on_brokers(known, where, name)
    gone, lines = True, []
    for replica, found in zip(where, answers, strict=True):
        told = "it is gone" if found is None else "it is still there"
        if isinstance(found, RemotingError):
            told = f"cannot be read back: {problem_of(found)}"
        gone = gone and found is None
        lines.append(f"{replica.broker_name}: {told}")
    try:
        brokers = [data.broker_name for data in (await topic_route(known.admin, name)).queue_datas]
        lines.append(f"route: it leads to {', '.join(brokers)}")
        gone = gone and not {replica.broker_name for replica in where} & set(brokers)
    except TopicNotExistError:
        lines.append("route: there is none")
    except RemotingError as error:
        lines.append(f"route: cannot be read back: {problem_of(error)}")
    return gone, lines


DOERS = (Doer(DeleteTopic, preview_delete, delete),)
