"""Topics of a broker.

Source: CreateTopicRequestHeader, CreateTopicListRequestHeader, GetAllTopicConfigRequestHeader,
GetTopicConfigRequestHeader, DeleteTopicRequestHeader, GetTopicStatsInfoRequestHeader.
"""

from __future__ import annotations

from rmq.wire.bodies.mapping import TopicQueueMappingDetail
from rmq.wire.bodies.topic import (
    CreateTopicListRequestBody,
    TopicConfigAndMappingSerializeWrapper,
    TopicConfigAndQueueMapping,
    TopicStatsTable,
)
from rmq.wire.declare import Int32, header, request


@request(17, "UPDATE_AND_CREATE_TOPIC", changes=True)
class UpdateAndCreateTopic:
    """Creates a topic or overwrites it. `attributes` is text like `+key=value,-key`."""

    topic: str
    default_topic: str
    read_queue_nums: Int32
    write_queue_nums: Int32
    perm: Int32
    topic_filter_type: str
    topic_sys_flag: Int32 | None = None
    order: bool = False
    attributes: str | None = None
    force: bool = False


@request(18, "UPDATE_AND_CREATE_TOPIC_LIST", body=CreateTopicListRequestBody, changes=True)
class UpdateAndCreateTopicList:
    """Creates or overwrites several topics."""


@header
class GetAllTopicConfigReply:
    """How many topics there are, so that a caller knows when it has all pages; absent before 5.3."""

    total_topic_num: Int32 | None = None


@request(21, "GET_ALL_TOPIC_CONFIG", reply=GetAllTopicConfigReply, reply_body=TopicConfigAndMappingSerializeWrapper)
class GetAllTopicConfig:
    """Asks for all topics, or for one page of them that begins at `topic_seq`."""

    topic_seq: Int32 | None = None
    data_version: str | None = None
    max_topic_num: Int32 | None = None


@request(202, "GET_TOPIC_STATS_INFO", reply_body=TopicStatsTable)
class GetTopicStatsInfo:
    """Asks for the bounds of a topic's queues."""

    topic: str


@request(215, "DELETE_TOPIC_IN_BROKER", changes=True)
class DeleteTopicInBroker:
    """Removes a topic and its messages."""

    topic: str


@request(351, "GET_TOPIC_CONFIG", reply_body=TopicConfigAndQueueMapping)
class GetTopicConfig:
    """Asks for one topic's configuration; with `lo` true, for the mapping of a static topic too."""

    topic: str
    lo: bool | None = None


@request(513, "UPDATE_AND_CREATE_STATIC_TOPIC", body=TopicQueueMappingDetail, changes=True)
class UpdateAndCreateStaticTopic(UpdateAndCreateTopic):
    """Creates a static topic."""
