"""Static topics: which physical queue on which broker stands for a logical queue.

`rmq.wire.mapping` calculates with them.

Source: TopicQueueMappingInfo, TopicQueueMappingDetail, LogicQueueMappingItem, TopicQueueMappingSerializeWrapper.
"""

from __future__ import annotations

from dataclasses import field

from rmq.wire.bodies.version import DataVersion
from rmq.wire.declare import Int32, Int64, body


@body
class LogicQueueMappingItem:
    """One stretch of a logical queue on a physical one; an end of -1 is open."""

    gen: Int32 = 0
    queue_id: Int32 = 0
    bname: str | None = None
    logic_offset: Int64 = 0
    start_offset: Int64 = 0
    end_offset: Int64 = -1
    time_of_start: Int64 = -1
    time_of_end: Int64 = -1


@body
class TopicQueueMappingInfo:
    """What a name server knows of one broker's share of a static topic: logical to physical queue ids."""

    topic: str
    scope: str = "__global__"
    total_queues: Int32 = 0
    bname: str | None = None
    epoch: Int64 = 0
    dirty: bool = False
    curr_id_map: dict[Int32, Int32] = field(default_factory=dict)


@body
class TopicQueueMappingDetail(TopicQueueMappingInfo):
    """What the broker itself knows: also the history of each queue it hosts."""

    hosted_queues: dict[Int32, list[LogicQueueMappingItem]] = field(default_factory=dict)


@body
class TopicQueueMappingSerializeWrapper:
    """All mappings of a broker, as topicQueueMapping.json holds them."""

    topic_queue_mapping_info_map: dict[str, TopicQueueMappingDetail] = field(default_factory=dict)
    data_version: DataVersion = field(default_factory=DataVersion)
