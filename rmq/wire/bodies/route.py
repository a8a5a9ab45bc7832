"""Route data: which brokers hold which queues of a topic.

Source: TopicRouteData, QueueData, BrokerData, ClusterInfo, MessageQueue.
"""

from __future__ import annotations

from dataclasses import field

from rmq.wire.declare import Int32, Int64, body, key_body


@key_body
class MessageQueue:
    """One queue of a topic on one broker."""

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
