"""Route data: which brokers hold which queues of a topic.

Source: TopicRouteData, QueueData, BrokerData, ClusterInfo, MessageQueue, BrokerMemberGroup.
"""

from __future__ import annotations

from dataclasses import field

from rmq.wire.bodies.mapping import TopicQueueMappingInfo
from rmq.wire.declare import Int32, Int64, body, key_body


@key_body
class MessageQueue:
    """One queue of a topic on one broker; ordered as MessageQueue.compareTo does."""

    topic: str
    broker_name: str
    queue_id: Int32

    def __str__(self) -> str:
        return f"MessageQueue [topic={self.topic}, brokerName={self.broker_name}, queueId={self.queue_id}]"


@body
class QueueData:
    """A topic's queues on one broker; `perm` is a bit set of 4 read, 2 write, 1 inherit."""

    broker_name: str
    read_queue_nums: Int32 = 0
    write_queue_nums: Int32 = 0
    perm: Int32 = 0
    topic_sys_flag: Int32 = 0


@body
class BrokerData:
    """A broker name and its replicas: broker id to `host:port`; id 0 is the master."""

    broker_name: str
    cluster: str = ""
    broker_addrs: dict[Int64, str] = field(default_factory=dict)
    zone_name: str | None = None
    enable_acting_master: bool = False


@body
class TopicRouteData:
    """Everything a client needs to find a topic's queues."""

    broker_datas: list[BrokerData] = field(default_factory=list)
    queue_datas: list[QueueData] = field(default_factory=list)
    filter_server_table: dict[str, list[str]] = field(default_factory=dict)
    order_topic_conf: str | None = None
    topic_queue_mapping_by_broker: dict[str, TopicQueueMappingInfo] | None = None


@body
class ClusterInfo:
    """All brokers by name, and the broker names of each cluster."""

    broker_addr_table: dict[str, BrokerData] = field(default_factory=dict)
    cluster_addr_table: dict[str, list[str]] = field(default_factory=dict)


@body
class BrokerMemberGroup:
    """The replicas of one broker name that are alive."""

    cluster: str | None = None
    broker_name: str | None = None
    broker_addrs: dict[Int64, str] = field(default_factory=dict)


@body
class BrokerMemberGroupReply:
    """The answer to a look-up of a member group."""

    broker_member_group: BrokerMemberGroup | None = None
