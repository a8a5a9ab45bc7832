"""Brokers at the name server.

Source: RegisterBrokerRequestHeader, UnRegisterBrokerRequestHeader, QueryDataVersionRequestHeader,
GetBrokerMemberGroupRequestHeader, BrokerHeartbeatRequestHeader, NotifyMinBrokerIdChangeRequestHeader.
"""

from __future__ import annotations

from rmq.wire.bodies.broker import KVTable
from rmq.wire.bodies.route import BrokerMemberGroupReply
from rmq.wire.bodies.version import DataVersion
from rmq.wire.declare import Int32, Int64, header, request, wire


@header
class RegisterBrokerReply:
    """For a slave, where its master is and where to replicate from."""

    ha_server_addr: str | None = None
    master_addr: str | None = None


@request(103, "REGISTER_BROKER", reply=RegisterBrokerReply, reply_body=KVTable)
class RegisterBroker:
    """Announces a broker and its topics; times in ms.

    The body is read by `rmq.wire.bodies.registration`. The reply's body, which may be empty, is the configuration of
    ordered topics.
    """

    broker_name: str
    broker_addr: str
    cluster_name: str
    ha_server_addr: str
    broker_id: Int64
    heartbeat_timeout_millis: Int64 | None = None
    enable_acting_master: bool | None = None
    compressed: bool = False
    body_crc32: Int32 = 0
    zone_name: str | None = wire("__ZONE_NAME", default=None)


@request(104, "UNREGISTER_BROKER")
class UnregisterBroker:
    """Takes a broker out of the routes."""

    broker_name: str
    broker_addr: str
    cluster_name: str
    broker_id: Int64


@header
class QueryDataVersionReply:
    """Whether the name server's copy of the topics is stale."""

    changed: bool


@request(322, "QUERY_DATA_VERSION", reply=QueryDataVersionReply, body=DataVersion, reply_body=DataVersion)
class QueryDataVersion:
    """Asks whether the topics must be registered again; also counts as a sign of life."""

    broker_name: str
    broker_addr: str
    cluster_name: str
    broker_id: Int64


@request(901, "GET_BROKER_MEMBER_GROUP", reply_body=BrokerMemberGroupReply)
class GetBrokerMemberGroup:
    """Asks for the replicas of a broker name that are alive."""

    cluster_name: str
    broker_name: str


@request(904, "BROKER_HEARTBEAT")
class BrokerHeartbeat:
    """A sign of life between registrations; the timeout is in ms."""

    cluster_name: str
    broker_addr: str
    broker_name: str
    broker_id: Int64 | None = None
    epoch: Int32 | None = None
    max_offset: Int64 | None = None
    confirm_offset: Int64 | None = None
    heartbeat_timeout_mills: Int64 | None = None
    election_priority: Int32 | None = None


@request(905, "NOTIFY_MIN_BROKER_ID_CHANGE")
class NotifyMinBrokerIdChange:
    """Name server to broker, one-way: another replica is now the lowest that is alive."""

    min_broker_id: Int64 | None = None
    broker_name: str | None = None
    min_broker_addr: str | None = None
    offline_broker_addr: str | None = None
    ha_broker_addr: str | None = None
