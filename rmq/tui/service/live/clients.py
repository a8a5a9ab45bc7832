"""Who is connected: producers as each broker lists them, consumers as their groups have them.

A broker lists its producers in one answer. Of consumers it tells a group at a time, so only some groups are asked with
each question, those first that were never asked; what they answered is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rmq.client.admin.errors import GroupOfflineError
from rmq.client.admin.groups import consumer_connection
from rmq.client.admin.metadata import is_own_group
from rmq.client.admin.running import queue_troubles, running_info
from rmq.tui.service.live.consumers import KINDS, Told, started_at
from rmq.tui.service.live.known import Known, or_problem
from rmq.tui.service.model import Problem
from rmq.tui.service.model.clients import (
    CONSUMER,
    PRODUCER,
    ClientDetail,
    Clients,
    Connected,
    HeldQueue,
    Pace,
    Running,
    Wanted,
)
from rmq.tui.service.problems import problem_of
from rmq.wire.bodies.connection import ConsumerConnection, ProducerTableInfo
from rmq.wire.bodies.running import ConsumerRunningInfo
from rmq.wire.codes import version_name
from rmq.wire.errors import ConsumerNotOnlineError, RemotingError
from rmq.wire.requests.consumer import GetAllProducerInfo

_TRACING: Final = "_INNER_TRACE_PRODUCER"
"""How the groups begin under which clients send traces."""


class LiveClients:
    """See `protocol.ClientQuestions`."""

    _known: Known

    async def group_names(self) -> tuple[str, ...] | Problem:
        """See `LiveGroups`."""
        raise NotImplementedError

    @or_problem
    async def clients(self, first: str = "") -> Clients | Problem:
        """See `AdminService.clients`."""
        names = await self.group_names()
        if isinstance(names, Problem):
            return names
        return await connected_clients(self._known, list(names), first)

    async def running(self, client: Connected) -> Running:
        """See `AdminService.running`."""
        if client.role == PRODUCER:
            return Running()
        try:
            return running_figures(client, await _ask(self._known, client), self._known.now())
        except RemotingError as error:
            return Running(problem=problem_of(error))

    async def client(self, client: Connected) -> ClientDetail | Problem:
        """See `AdminService.client`."""
        if client.role == PRODUCER:
            return ClientDetail(Running(), facts=_facts(client))
        try:
            return client_detail(client, await _ask(self._known, client), self._known.now())
        except RemotingError as error:
            return problem_of(error)

    @or_problem
    async def stack(self, client: Connected) -> str | Problem:
        """See `AdminService.stack`."""
        if client.role == PRODUCER:
            return Problem("a producer cannot be asked for its threads", remedy="only consumers answer")
        info = await running_info(
            self._known.admin, client.group, client.client_id, address=client.broker, jstack=True
        )
        return info.jstack or Problem(
            "the client answered without its threads", remedy="clients other than Java's and ours do not tell them"
        )


async def connected_clients(known: Known, groups: list[str], first: str = "") -> Clients:
    """All producers, and the consumers of groups as far as they have been asked.

    Raises:
        RemotingError: the name server cannot be asked.
    """
    masters = list((await known.masters()).values())

    async def producers(address: str) -> list[Connected]:
        answer = (await known.admin.call(address, GetAllProducerInfo())).json(ProducerTableInfo)
        return [
            Connected(
                PRODUCER, group, info.client_id or "", (info.remote_ip or "").lstrip("/"), info.language or "",
                version_name(info.version), address, heard=info.last_update_timestamp,
            )
            for group, infos in answer.data.items()
            if not is_own_group(group) and not group.startswith(_TRACING)
            for info in infos
        ]  # fmt: skip

    found: dict[str, Connected] = {}
    problems = []
    for told in await known.admin.attempt_each(masters, producers):
        if isinstance(told, RemotingError):
            problems.append(problem_of(told))
            continue
        for client in told:
            if client.key not in found or client.heard > found[client.key].heard:
                found[client.key] = client
    due = known.consumers.due(groups, first)
    for name, answer in zip(due, await known.admin.each(due, lambda name: _consumers(known, name)), strict=True):
        known.consumers.take(name, answer)
    for consumers, problem in known.consumers.found.values():
        found.update((client.key, client) for client in consumers)
        if problem is not None:
            problems.append(problem)
    clients = tuple(found[key] for key in sorted(found))
    return Clients(clients, len(known.consumers.found), len(groups), tuple(dict.fromkeys(problems)))


async def _consumers(known: Known, group: str) -> Told:
    failure: RemotingError | None = None
    try:
        addresses = await known.addresses(group)
    except RemotingError as error:
        return (), problem_of(error)
    for address in addresses:
        try:
            return tuple(_members(group, address, await consumer_connection(known.admin, group, address))), None
        except (ConsumerNotOnlineError, GroupOfflineError):
            continue
        except RemotingError as error:
            failure = error
    return (), None if failure is None else problem_of(failure)


def _members(group: str, address: str, connection: ConsumerConnection) -> Iterator[Connected]:
    kind = KINDS.get(connection.consume_type, "") if connection.consume_type is not None else ""
    for client in connection.connection_set:
        yield Connected(
            CONSUMER,
            group,
            client.client_id or "",
            client.client_addr or "",
            client.language or "",
            version_name(client.version),
            address,
            kind,
        )


# --- one client ----------------------------------------------------------------------------------------------------


async def _ask(known: Known, client: Connected) -> ConsumerRunningInfo:
    return await known.running.get((client.broker, client.group, client.client_id))


def running_figures(client: Connected, info: ConsumerRunningInfo, now: int) -> Running:
    """A consumer's figures."""
    return Running(
        len(info.mq_table) + len(info.mq_pop_table),
        sum(held.cached_msg_count for held in info.mq_table.values())
        + sum(held.wait_ack_count for held in info.mq_pop_table.values()),
        started_at(info),
        len(queue_troubles(client.client_id, info, now)),
    )


def client_detail(client: Connected, info: ConsumerRunningInfo, now: int) -> ClientDetail:
    """Everything about a consumer."""
    troubles = {
        trouble.queue: trouble.text.partition(f"{trouble.queue} ")[2]
        for trouble in queue_troubles(client.client_id, info, now)
    }
    held = [
        HeldQueue(
            queue.topic, queue.broker_name, queue.queue_id, at.cached_msg_count,
            at.commit_offset, at.last_pull_timestamp, at.last_consume_timestamp, troubles.get(queue, ""),
        )
        for queue, at in sorted(info.mq_table.items())
    ]  # fmt: skip
    popped = [
        HeldQueue(
            queue.topic, queue.broker_name, queue.queue_id, at.wait_ack_count, -1, at.last_pop_timestamp, 0,
            "given up" if at.droped else "",
        )
        for queue, at in sorted(info.mq_pop_table.items())
    ]  # fmt: skip
    wanted = sorted((item.topic, item.expression_type, item.sub_string or "") for item in info.subscription_set)
    paces = tuple(
        Pace(topic, status.pull_tps, status.consume_ok_tps, status.consume_rt, status.consume_failed_msgs)
        for topic, status in sorted(info.status_table.items())
    )
    facts = (*_facts(client), *sorted(info.properties.items()), *sorted(info.user_consumer_info.items()))
    return ClientDetail(
        running_figures(client, info, now), (*held, *popped), tuple(Wanted(*item) for item in wanted), paces, facts
    )


def _facts(client: Connected) -> tuple[tuple[str, str], ...]:
    return (
        ("role", f"{client.kind} {client.role}".strip()),
        ("group", client.group),
        ("address", client.address),
        ("language", client.language),
        ("version", client.version),
        ("told by", client.broker),
    )
