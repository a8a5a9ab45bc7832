"""Units for messages that stand in the log without any.

A queue whose topic is deleted forgets its messages; they stay in the log until they expire. On a slave they may be the
queue's all the same: it deleted the topic when it was a master itself, perhaps made it anew behind the place at which
its log is cut now, and the new master has never done so. The log alone cannot tell, since a deletion leaves nothing in
it. So the master is asked where its queues begin (`rmq.server.ha.inventory`), and from there on the log's messages get
their units.

Source: none, Apache's slaves do nothing like it.
"""

from __future__ import annotations

from collections.abc import Mapping

from rmq.server.store.dispatch import QueueFiller
from rmq.server.store.queues import Queues
from rmq.server.store.record import Record
from rmq.server.store.tags import DispatchTags

QueueName = tuple[str, int]
"""Topic and queue id."""


class Refill:
    """Gives messages units.

    Args:
        queues: where the units go.
        tags: computes their tags codes.
        begins: the queues that get units, with the physical offset of the first message of each.

    Attributes:
        problems: sentences on messages that should be in the log and are not.
    """

    def __init__(self, queues: Queues, tags: DispatchTags, begins: Mapping[QueueName, int]) -> None:
        self._filler = QueueFiller(queues)
        self._tags = tags
        self._begins = {(topic.encode(), queue_id): physical for (topic, queue_id), physical in begins.items()}
        self.problems = self._filler.problems

    @property
    def start(self) -> int:
        """Physical offset from which on the log has to be read."""
        return min(self._begins.values())

    def take(self, record: Record) -> None:
        """Gives a record of the log a unit, if its queue is one of those; records must come in the log's order.

        Raises:
            OSError: a file cannot be made or removed, or the disk is full.
        """
        begin = self._begins.get((record.topic, record.queue_id))
        if begin is None or record.physical_offset < begin:
            return
        if not record.is_dispatched:
            return
        queue = self._filler.queue_of(record.topic, record.queue_id)
        if queue is not None:
            queue = self._filler.make_ready(queue, record.queue_offset)
            tags = self._tags.of(queue.topic, record.properties, record.store_timestamp)
            queue.put(record.physical_offset, record.size, tags)
