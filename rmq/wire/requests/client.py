"""A client's life at a broker.

Source: HeartbeatRequestHeader, UnregisterClientRequestHeader, GetConsumerListByGroupRequestHeader,
NotifyConsumerIdsChangedRequestHeader.
"""

from __future__ import annotations

from rmq.wire.bodies.heartbeat import CheckClientRequestBody, ConsumerIdList, HeartbeatData
from rmq.wire.declare import header, request, wire


@header
class HeartbeatReply:
    """What the broker can do. Left out by brokers that know nothing of fingerprints."""

    is_support_heart_beat_v2: bool | None = wire("IS_SUPPORT_HEART_BEAT_V2", default=None)
    is_sub_change: bool | None = wire("IS_SUB_CHANGE", default=None)


@request(34, "HEART_BEAT", reply=HeartbeatReply, body=HeartbeatData)
class Heartbeat:
    """Tells the groups of this client and keeps it registered."""


@request(35, "UNREGISTER_CLIENT")
class UnregisterClient:
    """Takes a client out of a producer group, a consumer group, or both."""

    client_id: str = wire("clientID")
    producer_group: str | None = None
    consumer_group: str | None = None


@request(38, "GET_CONSUMER_LIST_BY_GROUP", reply_body=ConsumerIdList)
class GetConsumerListByGroup:
    """Asks for the client ids of a consumer group."""

    consumer_group: str


@request(40, "NOTIFY_CONSUMER_IDS_CHANGED")
class NotifyConsumerIdsChanged:
    """Broker to client, one-way: the group's members have changed, rebalance."""

    consumer_group: str


@request(46, "CHECK_CLIENT_CONFIG", body=CheckClientRequestBody)
class CheckClientConfig:
    """Asks whether a subscription's expression is acceptable."""
