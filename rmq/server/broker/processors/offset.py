"""Where groups are, and where queues begin and end.

Source: ConsumerManageProcessor, AdminBrokerProcessor.
"""

from __future__ import annotations

from typing import Final

from twisted.internet.defer import Deferred

from rmq.remoting.dispatch import Call, Reply, handles
from rmq.server.broker.mapping.offsets import LogicalOffsets
from rmq.server.broker.meta.groups import GroupTable
from rmq.server.broker.meta.offsets import OffsetTable
from rmq.server.broker.meta.topics import TopicTable
from rmq.server.store.api import Boundary
from rmq.server.store.store import MessageStore
from rmq.wire.bodies.consume import CorrectionOffsets
from rmq.wire.errors import (
    InvalidParameterError,
    QueryNotFoundError,
    SubscriptionGroupNotExistError,
    TopicNotExistError,
)
from rmq.wire.requests.offset import (
    EarliestStoreTimeReply,
    GetAllConsumerOffset,
    GetEarliestMsgStoretime,
    GetMaxOffset,
    GetMinOffset,
    OffsetReply,
    QueryConsumerOffset,
    QueryCorrectionOffset,
    SearchOffsetByTimestamp,
    UpdateConsumerOffset,
)

_NO_CORRECTION: Final = (1 << 63) - 1


class OffsetProcessor:
    """Handles offsets of groups and of queues.

    Args:
        logical: answers for the logical queues of static topics.
    """

    def __init__(
        self,
        topics: TopicTable,
        groups: GroupTable,
        offsets: OffsetTable,
        store: MessageStore,
        logical: LogicalOffsets,
    ) -> None:
        self._logical = logical
        self._topics = topics
        self._groups = groups
        self._offsets = offsets
        self._store = store

    @handles(QueryConsumerOffset)
    def query(self, header: QueryConsumerOffset, call: Call) -> OffsetReply | Deferred[OffsetReply]:
        """A group's offset; 0 for a new group whose whole queue is still in memory, so that it misses nothing."""
        if self._logical.means_logical(header.topic, header.lo):
            return self._logical.query(header, lambda physical: self.query(physical, call))
        topic, queue_id = header.topic, header.queue_id
        offset = self._offsets.query(header.consumer_group, topic, queue_id)
        if offset >= 0:
            return OffsetReply(offset=offset)
        if header.set_zero_if_not_found is False:
            raise QueryNotFoundError("Not found, do not set to zero, maybe this group boot first")
        if self._store.min_offset(topic, queue_id) <= 0 and self._store.in_memory_at(topic, queue_id, 0):
            return OffsetReply(offset=0)
        raise QueryNotFoundError("Not found, V3_0_6_SNAPSHOT maybe this group consumer boot first")

    @handles(UpdateConsumerOffset)
    def update(self, header: UpdateConsumerOffset, call: Call) -> Reply | Deferred[Reply | None] | None:
        """Commits a group's offset; passed over while an operator's reset waits for the group's next pull."""
        if self._logical.means_logical(header.topic, header.lo):
            return self._logical.update(header, lambda physical: self.update(physical, call))
        group, topic, queue_id = header.consumer_group, header.topic, header.queue_id
        if group not in self._groups.configs:
            raise SubscriptionGroupNotExistError(f"Group {group} not exist!")
        if topic not in self._topics.configs:
            raise TopicNotExistError(f"Topic {topic} not exist!")
        if not 0 <= queue_id < self._queues(topic, queue_id) or header.commit_offset < 0:
            raise InvalidParameterError(
                f"topic[{topic}] has no queue {queue_id}, or offset {header.commit_offset} is negative"
            )
        if self._offsets.has_reset(group, topic, queue_id):
            return Reply(remark="Offset has been previously reset")
        self._offsets.commit(group, topic, queue_id, header.commit_offset)
        return None

    def _queues(self, name: str, queue_id: int) -> int:
        """How many queues count; one that was taken away from the topic counts while it holds messages."""
        topic = self._topics.configs[name]
        queues = max(topic.read_queue_nums, topic.write_queue_nums)
        return queue_id + 1 if queue_id >= queues and self._store.max_offset(name, queue_id) else queues

    @handles(GetAllConsumerOffset)
    def all_offsets(self, header: GetAllConsumerOffset, call: Call) -> Reply:
        """All offsets of all groups, for tools and slaves."""
        return Reply(body=self._offsets.to_json())

    @handles(QueryCorrectionOffset)
    def correction(self, header: QueryCorrectionOffset, call: Call) -> CorrectionOffsets:
        """Per queue the least offset that any group has come to; the largest number where the group is ahead of it.

        Offsets before the queue's oldest message do not count. Groups to be left out are left out, and nothing more:
        Apache's broker drops their offsets.
        """
        topic, without = header.topic, set((header.filter_groups or "").split(","))
        lowest: dict[int, int] = {}
        for group, offsets in self._offsets.of_topic(topic).items():
            for queue_id, offset in offsets.items():
                if group not in without and offset >= self._store.min_offset(topic, queue_id):
                    lowest[queue_id] = min(offset, lowest.get(queue_id, offset))
        for queue_id, offset in self._offsets.queues(header.compare_group, topic).items():
            if lowest.get(queue_id, offset) > offset:
                lowest[queue_id] = _NO_CORRECTION
        return CorrectionOffsets(lowest)

    @handles(SearchOffsetByTimestamp)
    def search(self, header: SearchOffsetByTimestamp, call: Call) -> OffsetReply | Deferred[OffsetReply]:
        """The queue offset at a store time."""
        if self._logical.means_logical(header.topic, header.lo):
            return self._logical.search(
                header, lambda physical: self.search(physical, call), lambda end: self.max_offset(end, call)
            )
        upper = (header.boundary_type or "").lower() == Boundary.UPPER.value
        boundary = Boundary.UPPER if upper else Boundary.LOWER
        return OffsetReply(offset=self._store.offset_by_time(header.topic, header.queue_id, header.timestamp, boundary))

    @handles(GetMaxOffset)
    def max_offset(self, header: GetMaxOffset, call: Call) -> OffsetReply | Deferred[OffsetReply]:
        """The offset that the queue's next message will get."""
        if self._logical.means_logical(header.topic, header.lo):
            return self._logical.max_offset(header, lambda physical: self.max_offset(physical, call))
        return OffsetReply(offset=self._store.max_offset(header.topic, header.queue_id))

    @handles(GetMinOffset)
    def min_offset(self, header: GetMinOffset, call: Call) -> OffsetReply | Deferred[OffsetReply]:
        """The offset of the queue's oldest message."""
        if self._logical.means_logical(header.topic, header.lo):
            return self._logical.min_offset(header, lambda physical: self.min_offset(physical, call))
        return OffsetReply(offset=self._store.min_offset(header.topic, header.queue_id))

    @handles(GetEarliestMsgStoretime)
    def earliest(
        self, header: GetEarliestMsgStoretime, call: Call
    ) -> EarliestStoreTimeReply | Deferred[EarliestStoreTimeReply]:
        """When the queue's oldest message was stored, -1 for an empty queue."""
        if self._logical.means_logical(header.topic, header.lo):
            return self._logical.earliest(header, lambda physical: self.earliest(physical, call))
        return EarliestStoreTimeReply(timestamp=self._store.earliest_store_time(header.topic, header.queue_id))
