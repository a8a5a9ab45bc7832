"""Who is connected to a broker.

Source: Connection, ConsumerConnection, ProducerConnection, ProducerTableInfo, ProducerInfo.
"""

from __future__ import annotations

from dataclasses import field

from rmq.wire.bodies.heartbeat import ConsumeFromWhere, ConsumeType, MessageModel, SubscriptionData
from rmq.wire.declare import Int32, Int64, body, wire


@body
class Connection:
    """One client; the address is `ip:port` as the broker sees it."""

    client_id: str | None = None
    client_addr: str | None = None
    language: str | None = None
    version: Int32 = 0


@body
class ConsumerConnection:
    """The clients of a consumer group and what the group subscribes to."""

    connection_set: list[Connection] = field(default_factory=list)
    subscription_table: dict[str, SubscriptionData] = field(default_factory=dict)
    consume_type: ConsumeType | None = None
    message_model: MessageModel | None = None
    consume_from_where: ConsumeFromWhere | None = None


@body
class ProducerConnection:
    """The clients of a producer group."""

    connection_set: list[Connection] = field(default_factory=list)


@body
class ProducerInfo:
    """One producing client; the time is that of its last heartbeat, in ms."""

    client_id: str | None = None
    remote_ip: str | None = wire("remoteIP", default=None)
    language: str | None = None
    version: Int32 = 0
    last_update_timestamp: Int64 = 0

    def __str__(self) -> str:
        return (
            f"clientId={self.client_id},remoteIP={self.remote_ip}, language={self.language}"
            f", version={self.version}, lastUpdateTimestamp={self.last_update_timestamp}"
        )


@body
class ProducerTableInfo:
    """Every producing client by group."""

    data: dict[str, list[ProducerInfo]] = field(default_factory=dict)
