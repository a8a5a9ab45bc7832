"""How far consumers are.

Source: ConsumeStats, OffsetWrapper, ConsumeStatsList, QueryConsumeTimeSpanBody, QueueTimeSpan, GroupList,
QuerySubscriptionResponseBody, QueryCorrectionOffsetBody, ConsumeQueueData, QueryConsumeQueueResponseBody,
OffsetMovedEvent.
"""

from __future__ import annotations

from dataclasses import field

from rmq.wire.bodies.heartbeat import SubscriptionData
from rmq.wire.bodies.printed import java_text, printed
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.declare import Int32, Int64, body


@body
class OffsetWrapper:
    """One queue: the broker's end, the group's committed and pulled offset, and the time (ms) of the committed one."""

    broker_offset: Int64 = 0
    consumer_offset: Int64 = 0
    pull_offset: Int64 = 0
    last_timestamp: Int64 = 0


@body
class ConsumeStats:
    """A group's progress on every queue; `consume_tps` is messages per second."""

    offset_table: dict[MessageQueue, OffsetWrapper] = field(default_factory=dict)
    consume_tps: float = 0.0


@body
class ConsumeStatsList:
    """Progress of every group of a broker; the totals are messages behind and messages in flight."""

    consume_stats_list: list[dict[str, list[ConsumeStats]]] = field(default_factory=list)
    broker_addr: str | None = None
    total_diff: Int64 = 0
    total_inflight_diff: Int64 = 0


@body
class QueueTimeSpan:
    """Times (ms) of a queue's first, last and last consumed message, and how far behind the group is."""

    message_queue: MessageQueue | None = None
    min_time_stamp: Int64 = 0
    max_time_stamp: Int64 = 0
    consume_time_stamp: Int64 = 0
    delay_time: Int64 = 0


@body
class ConsumeTimeSpans:
    """Time spans of all queues of a topic."""

    consume_time_span_set: list[QueueTimeSpan] = field(default_factory=list)


@body
class GroupList:
    """Consumer groups of a topic."""

    group_list: list[str] = field(default_factory=list)


@body
class GroupSubscription:
    """A group's subscription to one topic."""

    subscription_data: SubscriptionData | None = None
    group: str | None = None
    topic: str | None = None


@body
class CorrectionOffsets:
    """Offsets by queue id from which a group should go on."""

    correction_offsets: dict[Int32, Int64] = field(default_factory=dict)


@body
class ConsumeQueueData:
    """One entry of a consume queue."""

    physic_offset: Int64 = 0
    physic_size: Int32 = 0
    tags_code: Int64 = 0
    extend_data_json: str | None = None
    bit_map: str | None = None
    eval: bool = False
    msg: str | None = None

    def __str__(self) -> str:
        extend, bit_map, message = map(java_text, (self.extend_data_json, self.bit_map, self.msg))
        return (
            f"ConsumeQueueData{{physicOffset={self.physic_offset}, physicSize={self.physic_size}"
            f", tagsCode={self.tags_code}, extendDataJson='{extend}', bitMap='{bit_map}'"
            f", eval={java_text(self.eval)}, msg='{message}'}}"
        )


@body
class ConsumeQueueContent:
    """Entries of a consume queue, with the subscription they were tested against."""

    subscription_data: SubscriptionData | None = None
    filter_data: str | None = None
    queue_data: list[ConsumeQueueData] = field(default_factory=list)
    max_queue_index: Int64 = 0
    min_queue_index: Int64 = 0


@body
class OffsetMovedEvent:
    """A consumer asked for an offset whose message is gone, and was sent on to another."""

    consumer_group: str | None = None
    message_queue: MessageQueue | None = None
    offset_request: Int64 = 0
    offset_new: Int64 = 0

    def __str__(self) -> str:
        return printed(self, " [", "]")
