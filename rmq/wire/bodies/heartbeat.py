"""What clients tell brokers about themselves.

Source: HeartbeatData, ProducerData, ConsumerData, SubscriptionData, CheckClientRequestBody,
GetConsumerListByGroupResponseBody.
"""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum

from rmq.wire.declare import Int32, Int64, body, wire


class ConsumeType(StrEnum):
    """Who drives consumption: the application (actively), the client library (passively), or the broker (pop)."""

    CONSUME_ACTIVELY = "CONSUME_ACTIVELY"
    CONSUME_PASSIVELY = "CONSUME_PASSIVELY"
    CONSUME_POP = "CONSUME_POP"


class MessageModel(StrEnum):
    """Whether each message goes to every member of the group or to one."""

    BROADCASTING = "BROADCASTING"
    CLUSTERING = "CLUSTERING"


class ConsumeFromWhere(StrEnum):
    """Where a group without a stored offset begins; the three in the middle are deprecated."""

    CONSUME_FROM_LAST_OFFSET = "CONSUME_FROM_LAST_OFFSET"
    CONSUME_FROM_LAST_OFFSET_AND_FROM_MIN_WHEN_BOOT_FIRST = "CONSUME_FROM_LAST_OFFSET_AND_FROM_MIN_WHEN_BOOT_FIRST"
    CONSUME_FROM_MIN_OFFSET = "CONSUME_FROM_MIN_OFFSET"
    CONSUME_FROM_MAX_OFFSET = "CONSUME_FROM_MAX_OFFSET"
    CONSUME_FROM_FIRST_OFFSET = "CONSUME_FROM_FIRST_OFFSET"
    CONSUME_FROM_TIMESTAMP = "CONSUME_FROM_TIMESTAMP"


@body
class SubscriptionData:
    """What a group wants of a topic.

    Attributes:
        sub_string: `*`, tags joined by `||`, or an SQL92 expression.
        tags_set: the tags; empty means all.
        code_set: Java hash codes of the tags.
        sub_version: time of the subscription in ms; the newer one wins.
        expression_type: `TAG` or `SQL92`.
    """

    topic: str
    sub_string: str | None = None
    tags_set: set[str] = field(default_factory=set)
    code_set: set[Int32] = field(default_factory=set)
    sub_version: Int64 = 0
    expression_type: str = "TAG"
    class_filter_mode: bool = False


@body
class ProducerData:
    """A producer group of the client."""

    group_name: str


@body
class ConsumerData:
    """A consumer group of the client and its subscriptions."""

    group_name: str
    consume_type: ConsumeType | None = None
    message_model: MessageModel | None = None
    consume_from_where: ConsumeFromWhere | None = None
    subscription_data_set: list[SubscriptionData] = field(default_factory=list)
    unit_mode: bool = False


@body
class HeartbeatData:
    """A client's groups. With `without_sub` the subscriptions were left out because the fingerprint tells them."""

    client_id: str = wire("clientID")
    producer_data_set: list[ProducerData] = field(default_factory=list)
    consumer_data_set: list[ConsumerData] = field(default_factory=list)
    heartbeat_fingerprint: Int32 = 0
    without_sub: bool = False


@body
class CheckClientRequestBody:
    """A subscription whose expression is to be checked."""

    client_id: str | None = None
    group: str | None = None
    subscription_data: SubscriptionData | None = None
    namespace: str | None = None


@body
class ConsumerIdList:
    """Client ids of a consumer group."""

    consumer_id_list: list[str] = field(default_factory=list)
