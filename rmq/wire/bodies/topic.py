"""Topic configuration and statistics.

Source: TopicConfig, TopicConfigSerializeWrapper, TopicConfigAndMappingSerializeWrapper, TopicList, TopicStatsTable,
CreateTopicListRequestBody, TopicConfigAndQueueMapping, TopicRemappingDetailWrapper.
"""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from typing import Final

from rmq.wire.bodies.mapping import TopicQueueMappingDetail, TopicQueueMappingInfo
from rmq.wire.bodies.printed import java_text
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.bodies.version import DataVersion
from rmq.wire.declare import Int32, Int64, body

PERM_PRIORITY: Final = 8
PERM_READ: Final = 4
PERM_WRITE: Final = 2
PERM_INHERIT: Final = 1


def perm_text(perm: int) -> str:
    """A permission as three letters, such as `RW-` (PermName.perm2String)."""
    return "".join(
        letter if perm & bit else "-" for letter, bit in (("R", PERM_READ), ("W", PERM_WRITE), ("X", PERM_INHERIT))
    )


class TopicFilterType(StrEnum):
    """How many tags a message of the topic may have."""

    SINGLE_TAG = "SINGLE_TAG"
    MULTI_TAG = "MULTI_TAG"


@body
class TopicConfig:
    """One topic on one broker; `perm` is a bit set of 4 read, 2 write, 1 inherit."""

    topic_name: str
    read_queue_nums: Int32 = 16
    write_queue_nums: Int32 = 16
    perm: Int32 = PERM_READ | PERM_WRITE
    topic_filter_type: TopicFilterType = TopicFilterType.SINGLE_TAG
    topic_sys_flag: Int32 = 0
    order: bool = False
    attributes: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return (
            f"TopicConfig [topicName={self.topic_name}, readQueueNums={self.read_queue_nums}"
            f", writeQueueNums={self.write_queue_nums}, perm={perm_text(self.perm)}"
            f", topicFilterType={self.topic_filter_type}, topicSysFlag={self.topic_sys_flag}"
            f", order={java_text(self.order)}, attributes={java_text(self.attributes)}]"
        )


@body
class TopicConfigAndQueueMapping(TopicConfig):
    """A topic's configuration, with its mapping when it is static."""

    mapping_detail: TopicQueueMappingDetail | None = None


@body
class TopicRemappingDetailWrapper:
    """A plan for a static topic: what each broker is to hold, by its name, and which take and give queues."""

    topic: str
    type: str = "CREATE_OR_UPDATE"
    epoch: Int64 = 0
    broker_config_map: dict[str, TopicConfigAndQueueMapping] = field(default_factory=dict)
    broker_to_map_in: set[str] = field(default_factory=set)
    broker_to_map_out: set[str] = field(default_factory=set)


@body
class TopicConfigSerializeWrapper:
    """All topics of a broker, as brokers before 5.0 send and as topics.json holds them."""

    topic_config_table: dict[str, TopicConfig] = field(default_factory=dict)
    data_version: DataVersion = field(default_factory=DataVersion)


@body
class TopicConfigAndMappingSerializeWrapper(TopicConfigSerializeWrapper):
    """All topics of a broker and the mappings of the static ones."""

    topic_queue_mapping_info_map: dict[str, TopicQueueMappingInfo] = field(default_factory=dict)
    topic_queue_mapping_detail_map: dict[str, TopicQueueMappingDetail] = field(default_factory=dict)
    mapping_data_version: DataVersion = field(default_factory=DataVersion)


@body
class CreateTopicListRequestBody:
    """Topics to create or overwrite together."""

    topic_config_list: list[TopicConfig] = field(default_factory=list)


@body
class TopicList:
    """Topic names. `broker_addr` is set by the name server's list of system topics."""

    topic_list: list[str] = field(default_factory=list)
    broker_addr: str | None = None


@body
class TopicOffset:
    """Bounds of one queue; the time is that of its last message, in ms."""

    min_offset: Int64 = 0
    max_offset: Int64 = 0
    last_update_timestamp: Int64 = 0


@body
class TopicStatsTable:
    """Bounds of every queue of a topic; `topic_put_tps` is messages per second."""

    offset_table: dict[MessageQueue, TopicOffset] = field(default_factory=dict)
    topic_put_tps: float = 0.0
