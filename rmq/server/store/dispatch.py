"""From the log into the queues, for messages that somebody else placed there: recovery's and a slave's.

A message's queue offset is part of its record, and the log's order decides:

- What ends before a queue's newest message has its unit already, or belongs to a queue that was removed since.
- A greater queue offset than the next one: what is between is not in the log; blank units stand for it.
- A smaller one, further on in the log: the queue was begun again there, because its topic was deleted and made anew
  or because all its messages had expired. What was in it before can no longer be addressed, so the queue goes.

Source: CommitLogDispatcherBuildConsumeQueue, ConsumeQueue.putMessagePositionInfoWrapper.
"""

from __future__ import annotations

from rmq.server.store.consumequeue import ConsumeQueue
from rmq.server.store.queues import Queues


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
        """The queue of a message, opened if need be; None when its topic's name cannot be that of a directory, which
        is a problem once."""
        name = self.names.get(topic)
        if name is None:
            name = self._name(topic)
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

    def make_ready(self, queue: ConsumeQueue, offset: int) -> ConsumeQueue:
        """The queue with room for the unit of `offset`, begun again if that was given out before.

        The file that it goes to is mapped, until others are.

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
        if offset >= queue.limit:
            queue.make_room(1)
        if queue.active is not None:
            queue.active.mapped()
        return queue
