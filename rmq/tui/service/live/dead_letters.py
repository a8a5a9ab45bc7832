"""Dead letters as they are now: which groups have some, how many, and what they say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rmq.client.admin.clusters import MASTER
from rmq.client.admin.topics import topic_names, topic_stats
from rmq.tui.service.live.dead_letter_reading import groups_in, read_letter
from rmq.tui.service.live.known import Known, or_problem
from rmq.tui.service.model import Problem
from rmq.tui.service.model.dead_letters import DeadGroup, DeadLetters, LetterBody, LetterPlace
from rmq.tui.service.problems import problem_of
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.bodies.topic import TopicOffset
from rmq.wire.errors import RemotingError
from rmq.wire.names import DLQ_PREFIX, dlq_topic
from rmq.wire.requests.offset import EarliestStoreTimeReply, GetEarliestMsgStoretime

Bounds = dict[MessageQueue, TopicOffset]


class LiveDeadLetters:
    """See `protocol.DeadLetterQuestions`."""

    _known: Known

    @or_problem
    async def dead_groups(self) -> tuple[str, ...]:
        """See `AdminService.dead_groups`."""
        return tuple(groups_in(await topic_names(self._known.admin), DLQ_PREFIX))

    async def dead_figures(self, groups: Sequence[str]) -> Mapping[str, DeadGroup]:
        """See `AdminService.dead_figures`."""
        found = await self._known.admin.each(list(groups), lambda name: _figures(self._known, name))
        return {group.name: group for group in found}

    @or_problem
    async def dead_letters(self, group: str, most: int) -> DeadLetters:
        """See `AdminService.dead_letters`."""
        known, topic = self._known, dlq_topic(group)
        bounds = (await topic_stats(known.admin, topic)).offset_table
        figures = await _group(known, group, bounds)
        try:
            letters = await known.letters.newest(known.admin, await known.route.get(topic), topic, bounds, most)
        except RemotingError as error:
            return DeadLetters(figures, problems=(problem_of(error),))
        return DeadLetters(figures, tuple(letters), () if figures.problem is None else (figures.problem,))

    async def letter_bodies(self, group: str, places: Sequence[LetterPlace]) -> tuple[LetterBody, ...]:
        """See `AdminService.letter_bodies`."""
        return tuple(await self._known.admin.each(list(places), lambda place: _body(self._known, group, place)))


async def _figures(known: Known, name: str) -> DeadGroup:
    try:
        bounds = (await topic_stats(known.admin, dlq_topic(name))).offset_table
    except RemotingError as error:
        return DeadGroup(name, problem=problem_of(error))
    return await _group(known, name, bounds)


async def _group(known: Known, name: str, bounds: Bounds) -> DeadGroup:
    filled = {queue: at for queue, at in bounds.items() if at.max_offset > at.min_offset}
    count = sum(at.max_offset - at.min_offset for at in filled.values())
    newest = max((at.last_update_timestamp for at in filled.values()), default=0)
    try:
        route = await known.route.get(dlq_topic(name))
        addresses = {data.broker_name: data.broker_addrs.get(MASTER) for data in route.broker_datas}
        stored = await known.admin.each(
            sorted(filled), lambda queue: _earliest(known, addresses.get(queue.broker_name), queue)
        )
    except RemotingError as error:
        return DeadGroup(name, count, newest, problem=problem_of(error))
    return DeadGroup(name, count, newest, min((time for time in stored if time > 0), default=0))


async def _earliest(known: Known, address: str | None, queue: MessageQueue) -> int:
    if address is None:
        return 0
    answer = await known.admin.call(address, GetEarliestMsgStoretime(queue.topic, queue.queue_id))
    reply: EarliestStoreTimeReply = answer.header
    return reply.timestamp


async def _body(known: Known, group: str, place: LetterPlace) -> LetterBody:
    topic = dlq_topic(group)
    try:
        message = await read_letter(known.admin, await known.route.get(topic), topic, place)
    except RemotingError as error:
        return LetterBody(place, problem=problem_of(error))
    if message is None:
        return LetterBody(place, problem=Problem("it is not there any more", remedy="brokers delete old messages"))
    return LetterBody(place, message.body, tuple(sorted(message.properties.items())))
