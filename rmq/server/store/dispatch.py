"""From the log into the queues, for messages that somebody else placed there: recovery's and a slave's.

A message's queue offset is part of its record, and the log's order decides:

- What ends before a queue's newest message has its unit already, or belongs to a queue that was removed since.
- A greater queue offset than the next one: what is between is not in the log; blank units stand for it.
- A smaller one, further on in the log: the queue was begun again there, because its topic was deleted and made anew
  or because all its messages had expired. What was in it before can no longer be addressed, so the queue goes.

Source: CommitLogDispatcherBuildConsumeQueue, ConsumeQueue.putMessagePositionInfoWrapper.
"""

from __future__ import annotations

from rmq.server.store import fast
from rmq.server.store.consumequeue import UNIT_SIZE, ConsumeQueue
from rmq.server.store.queues import Queues
from rmq.server.store.runs import Parts

Put = tuple[ConsumeQueue, int, int, set[int]]
"""Units that were added: to which queue, its `next` and `max_physical` before that, and the tags codes that occur."""

Single = tuple[ConsumeQueue, int, int]
"""A message that is in the log: the queue that lacks its unit, its tags code and its store time."""


class QueueFiller:
    """Finds the queues of messages, and makes each fit for the units that come next.

    Attributes:
        names: topics as records have them, and their names; empty where that cannot be one of a directory.
        topics: the queues that are open.
        problems: sentences on what could not be put into a queue.
        restarts: how many queues were begun again.
    """

    def __init__(self, queues: Queues) -> None:
        self._queues = queues
        self.names: dict[bytes, str] = {}
        self.topics = queues.topics
        self.problems: list[str] = []
        self.restarts = 0

    def queue_of(self, topic: bytes, queue_id: int) -> ConsumeQueue | None:
        """The queue of a message, opened if need be; None when its topic's name cannot be that of a directory."""
        name = self.names.get(topic) or self._name(topic)
        if not name:
            return None
        entry = self.topics.get(name)
        return (entry and entry.queues.get(queue_id)) or self._queues.open(name, queue_id)

    def _name(self, topic: bytes) -> str:
        try:
            name = topic.decode()
        except UnicodeDecodeError:
            name = ""
        if "/" in name or "\0" in name or name in {".", ".."}:
            name = ""
        if not name:
            self.problems.append(f"messages of a topic called {topic!r} are left out of the queues")
        self.names[topic] = name
        return name

    def unready(self, parts: Parts) -> list[tuple[bytes, int]]:
        """The topics and queue ids whose queue is not known yet, has no room for what comes in a mapped file, or ends
        elsewhere."""
        names, topics = self.names, self.topics
        if fast.unready_parts is not None:
            return fast.unready_parts(parts, names, topics)
        found = []
        for key, (first, units, _) in parts.items():
            name = names.get(key[0])
            entry = topics.get(name) if name else None
            queue = entry.queues.get(key[1]) if entry is not None else None
            if queue is None:
                if name != "":
                    found.append(key)
            elif first != queue.next or first + len(units) // UNIT_SIZE > queue.limit or not _mapped(queue):
                found.append(key)
        return found

    def put(self, parts: Parts, done: list[Put]) -> None:
        """Adds the units of parts that are ready.

        Args:
            parts: those whose topic cannot be that of a directory are passed over.
            done: gets what was put, and before that what is about to be.

        Raises:
            OSError: a file cannot be mapped; what is done is to be taken back.
        """
        names, topics = self.names, self.topics
        if fast.put_parts is not None:
            fast.put_parts(parts, names, topics, done)
            return
        for (topic, queue_id), (_, units, codes) in parts.items():
            if name := names[topic]:
                queue = topics[name].queues[queue_id]
                done.append((queue, queue.next, queue.max_physical, codes))
                queue.put_all(units)

    def take_back(self, done: list[Put]) -> None:
        """Lets the queues end where they did."""
        for queue, following, max_physical, _ in done:
            queue.next, queue.max_physical = following, max_physical
            queue.aim()

    def make_ready(self, queue: ConsumeQueue, offset: int, count: int) -> ConsumeQueue:
        """The queue with room for `count` units from `offset` on, begun again if `offset` was given out before.

        The file that the first of them goes to is mapped, until others are.

        Raises:
            OSError: a file cannot be made, mapped or removed, or the disk is full.
        """
        if offset < queue.next:
            self._queues.drop(queue)
            queue = self._queues.open(queue.topic, queue.queue_id)
            self.restarts += 1
        if offset > queue.next:
            if queue.next > 0:
                self.problems.append(
                    f"messages {queue.next} to {offset - 1} of {queue.segments.directory} are not in the log"
                )
            unread = queue.minimum >= queue.next
            queue.fill_blank(offset)
            if unread:
                queue.minimum = offset
        if offset + count > queue.limit:
            queue.make_room(count)
        if queue.active is not None:
            queue.active.mapped()
        return queue


def _mapped(queue: ConsumeQueue) -> bool:
    return queue.active is not None and queue.active.map is not None
