"""The logical queue that a request means.

Source: TopicQueueMappingManager.buildTopicQueueMappingContext, TopicQueueMappingContext.
"""

from __future__ import annotations

from dataclasses import dataclass

from rmq.wire.bodies.mapping import LogicQueueMappingItem, TopicQueueMappingDetail
from rmq.wire.errors import NotLeaderForQueueError
from rmq.wire.mapping import item_at


@dataclass(frozen=True, slots=True)
class LogicalQueue:
    """A logical queue that this broker leads.

    Attributes:
        number: its number in the topic.
        items: its stretches, the oldest first; the last one lies here.
    """

    number: int
    items: list[LogicQueueMappingItem]

    @property
    def leader(self) -> LogicQueueMappingItem:
        """The stretch that messages go to now."""
        return self.items[-1]

    def at(self, offset: int) -> LogicQueueMappingItem:
        """The stretch of a logical offset.

        Raises:
            NotLeaderForQueueError: there is none that can be read yet.
        """
        item = item_at(self.items, offset)
        if item is None:
            raise NotLeaderForQueueError(f"no offset of queue {self.number} is decided yet")
        return item


def led_queue(detail: TopicQueueMappingDetail, number: int) -> LogicalQueue:
    """The logical queue of a number; any that this broker leads when it is negative.

    Raises:
        NotLeaderForQueueError: another broker leads it, or there is none.
    """
    if number < 0:
        leading = (known for known, items in detail.hosted_queues.items() if items and items[-1].bname == detail.bname)
        number = next(leading, number)
    items = detail.hosted_queues.get(number)
    if not items or items[-1].bname != detail.bname:
        raise NotLeaderForQueueError(
            f"{detail.topic}-{number} does not exit in request process of current broker {detail.bname}"
        )
    return LogicalQueue(number, items)
