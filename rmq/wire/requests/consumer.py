"""Watching and steering consumers and producers, through the broker.

Source: GetConsumerConnectionListRequestHeader, GetProducerConnectionListRequestHeader,
GetConsumerRunningInfoRequestHeader, ConsumeMessageDirectlyResultRequestHeader, GetConsumeStatsRequestHeader,
GetConsumeStatsInBrokerHeader, QueryTopicConsumeByWhoRequestHeader, QueryTopicsByConsumerRequestHeader,
QuerySubscriptionByConsumerRequestHeader, QueryConsumeTimeSpanRequestHeader.
"""

from __future__ import annotations

from rmq.wire.bodies.connection import ConsumerConnection, ProducerConnection, ProducerTableInfo
from rmq.wire.bodies.consume import ConsumeStats, ConsumeStatsList, ConsumeTimeSpans, GroupList, GroupSubscription
from rmq.wire.bodies.running import ConsumeMessageDirectlyResult, ConsumerRunningInfo
from rmq.wire.bodies.topic import TopicList
from rmq.wire.declare import Int32, request


@request(203, "GET_CONSUMER_CONNECTION_LIST", reply_body=ConsumerConnection)
class GetConsumerConnectionList:
    """Asks for the clients of a consumer group."""

    consumer_group: str


@request(204, "GET_PRODUCER_CONNECTION_LIST", reply_body=ProducerConnection)
class GetProducerConnectionList:
    """Asks for the clients of a producer group."""

    producer_group: str


@request(208, "GET_CONSUME_STATS", reply_body=ConsumeStats)
class GetConsumeStats:
    """Asks how far a group is, on one topic, on several (`topic_list`, joined by `;`) or on all."""

    consumer_group: str
    topic: str | None = None
    topic_list: str | None = None


@request(300, "QUERY_TOPIC_CONSUME_BY_WHO", reply_body=GroupList)
class QueryTopicConsumeByWho:
    """Asks for the groups of a topic, online or with offsets."""

    topic: str


@request(303, "QUERY_CONSUME_TIME_SPAN", reply_body=ConsumeTimeSpans)
class QueryConsumeTimeSpan:
    """Asks for the times that a topic's queues cover and where a group is in them."""

    topic: str
    group: str


@request(307, "GET_CONSUMER_RUNNING_INFO", reply_body=ConsumerRunningInfo)
class GetConsumerRunningInfo:
    """Asks a client how it is; the broker relays. `jstack_enable` wants a thread dump too."""

    consumer_group: str
    client_id: str
    jstack_enable: bool = False


@request(309, "CONSUME_MESSAGE_DIRECTLY", reply_body=ConsumeMessageDirectlyResult, changes=True)
class ConsumeMessageDirectly:
    """Lets a client consume one message now; the broker relays, with the stored message as body."""

    consumer_group: str
    client_id: str | None = None
    msg_id: str | None = None
    broker_name: str | None = None
    topic: str | None = None
    topic_sys_flag: Int32 | None = None
    group_sys_flag: Int32 | None = None


@request(317, "GET_BROKER_CONSUME_STATS", reply_body=ConsumeStatsList)
class GetBrokerConsumeStats:
    """Asks how far every group of a broker is, of ordered groups or of the others."""

    is_order: bool = False


@request(328, "GET_ALL_PRODUCER_INFO", reply_body=ProducerTableInfo)
class GetAllProducerInfo:
    """Asks for every producing client."""


@request(343, "QUERY_TOPICS_BY_CONSUMER", reply_body=TopicList)
class QueryTopicsByConsumer:
    """Asks for the topics on which a group has offsets."""

    group: str


@request(345, "QUERY_SUBSCRIPTION_BY_CONSUMER", reply_body=GroupSubscription)
class QuerySubscriptionByConsumer:
    """Asks for a group's subscription to a topic."""

    group: str
    topic: str | None = None
