"""Watching all consumer groups: who is behind, whose clients are at odds, and where messages were deleted unread.

A round asks every group that has a retry topic and that is online:

- how many messages it has not consumed, by topic, the worst queue, and how far behind in time that is: from the last
  message it has consumed to the last one stored;
- whether all its clients subscribe to the same;
- whether a client holds a queue that it cannot lock, or has not consumed for a minute.

Besides, brokers write into OFFSET_MOVED_EVENT that a consumer asked for messages which are gone. What came there since
the last round is told too; it is read without being a consumer, so that nothing is taken from anybody.

Source: MonitorService, DefaultMonitorListener.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from rmq.client.admin.groups import consume_stats, retry_groups
from rmq.client.admin.pulling import Reader, readable_queues
from rmq.client.admin.running import Member, members, queue_troubles, same_subscriptions
from rmq.client.admin.session import Admin
from rmq.client.admin.topics import topic_route, topic_stats
from rmq.client.message import MessageExt
from rmq.remoting.errors import TransportError
from rmq.wire.bodies.consume import OffsetMovedEvent, OffsetWrapper
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.bodies.running import ConsumerRunningInfo
from rmq.wire.bodies.topic import TopicOffset
from rmq.wire.declare import decode_body
from rmq.wire.errors import InvalidFieldError, RemotingError
from rmq.wire.names import MONITOR_CONSUMER_GROUP, OFFSET_MOVED_EVENT

_EVENTS_AT_A_TIME = 32


class Undone(NamedTuple):
    """What a group has not consumed of a topic.

    Attributes:
        group: the group.
        topic: the topic.
        total: messages.
        worst: messages of the queue that has most.
        delay: ms from the last message consumed to the last one stored, on the queue where that is most.
    """

    group: str
    topic: str
    total: int
    worst: int
    delay: int


class Notice(NamedTuple):
    """Something that is wrong with a group.

    Attributes:
        group: the group.
        client_id: the client, or None for the whole group.
        text: what, in Apache's words.
    """

    group: str
    client_id: str | None
    text: str


class Deleted(NamedTuple):
    """A consumer asked for messages that were deleted.

    Attributes:
        event: where, and where it goes on.
        timestamp: when, ms.
    """

    event: OffsetMovedEvent
    timestamp: int


@dataclass
class Round:
    """What one look at all groups has found.

    Attributes:
        undone: of every group that is online, and each of its topics.
        notices: what is wrong.
        deleted: since the round before.
        failures: servers that could not be reached.
    """

    undone: list[Undone] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    deleted: list[Deleted] = field(default_factory=list)
    failures: list[RemotingError] = field(default_factory=list)


class Monitor:
    """Looks at all groups, round after round."""

    def __init__(self, admin: Admin) -> None:
        self._admin = admin
        self._events = _Events(admin)

    async def look(self) -> Round:
        """One round.

        Raises:
            RemotingError: no name server can be asked.
        """
        found = Round()
        last_stored: dict[str, dict[MessageQueue, TopicOffset]] = {}

        async def watch(group: str) -> None:
            by_topic = await self._progress(found, group)
            try:
                clients = await members(self._admin, group)
            except RemotingError as error:
                _note(found, error)
                return
            for topic, queues in by_topic.items():
                if topic not in last_stored:
                    last_stored[topic] = await self._bounds(found, topic)
                found.undone.append(_undone(group, topic, queues, last_stored[topic]))
            found.notices += self._notices(found, group, clients)

        await self._admin.each(await retry_groups(self._admin), watch)
        found.undone.sort()
        found.notices.sort(key=lambda notice: (notice.group, notice.client_id or ""))
        try:
            found.deleted += await self._events.news()
        except RemotingError as error:
            _note(found, error)
        return found

    async def _progress(self, found: Round, group: str) -> dict[str, dict[MessageQueue, OffsetWrapper]]:
        try:
            stats = await consume_stats(self._admin, group)
        except RemotingError as error:
            _note(found, error)
            return {}
        by_topic: dict[str, dict[MessageQueue, OffsetWrapper]] = {}
        for queue, offsets in stats.offset_table.items():
            by_topic.setdefault(queue.topic, {})[queue] = offsets
        return by_topic

    async def _bounds(self, found: Round, topic: str) -> dict[MessageQueue, TopicOffset]:
        try:
            return (await topic_stats(self._admin, topic)).offset_table
        except RemotingError as error:
            _note(found, error)
            return {}

    def _notices(self, found: Round, group: str, clients: list[Member]) -> list[Notice]:
        infos: dict[str, ConsumerRunningInfo] = {}
        for client, info in clients:
            if isinstance(info, RemotingError):
                _note(found, info)
            else:
                infos[client.client_id or ""] = info
        now = self._admin.now()
        notices = [] if same_subscriptions(infos, now) else [Notice(group, None, "Subscription different")]
        for client_id, info in infos.items():
            notices += [Notice(group, client_id, trouble.text) for trouble in queue_troubles(client_id, info, now)]
        return notices


def _note(found: Round, error: RemotingError) -> None:
    """Keeps failures of the network. Who refuses has answered: the group, or its client, has just gone."""
    if isinstance(error, TransportError):
        found.failures.append(error)


def _undone(
    group: str, topic: str, queues: dict[MessageQueue, OffsetWrapper], stored: dict[MessageQueue, TopicOffset]
) -> Undone:
    behind = [max(offsets.broker_offset - offsets.consumer_offset, 0) for offsets in queues.values()]
    delays = [
        stored[queue].last_update_timestamp - offsets.last_timestamp
        for queue, offsets in queues.items()
        if offsets.last_timestamp > 0 and queue in stored
    ]
    return Undone(group, topic, sum(behind), max(behind, default=0), max([0, *delays]))


class _Events:
    """Reads OFFSET_MOVED_EVENT from where it ended at first."""

    def __init__(self, admin: Admin) -> None:
        self._admin = admin
        self._next: dict[MessageQueue, int] = {}

    async def news(self) -> list[Deleted]:
        """What has come since the last call; nothing at the first one."""
        route = await topic_route(self._admin, OFFSET_MOVED_EVENT)
        reader = Reader(self._admin, route, OFFSET_MOVED_EVENT, MONITOR_CONSUMER_GROUP)
        found: list[Deleted] = []
        for queue in readable_queues(route, OFFSET_MOVED_EVENT):
            _, end = await reader.bounds(queue)
            at = self._next.setdefault(queue, end)
            while at < end:
                pulled = await reader.pull(queue, at, _EVENTS_AT_A_TIME)
                found += [event for event in map(_deleted, pulled.messages) if event is not None]
                if pulled.next_offset <= at:
                    break
                at = self._next[queue] = pulled.next_offset
        return found


def _deleted(message: MessageExt) -> Deleted | None:
    try:
        return Deleted(decode_body(OffsetMovedEvent, message.body), message.store_timestamp)
    except InvalidFieldError:
        return None
