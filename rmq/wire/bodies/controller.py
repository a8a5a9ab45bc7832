"""What controllers, and brokers that obey one, say of replicas.

Source: BrokerReplicasInfo, EpochEntryCache, EpochEntry.
"""

from __future__ import annotations

from dataclasses import field

from rmq.wire.bodies.printed import java_text, printed
from rmq.wire.declare import Int32, Int64, body

_NO_END = 2**63 - 1


@body
class ReplicaIdentity:
    """One replica of a broker name."""

    broker_name: str | None = None
    broker_id: Int64 | None = None
    broker_address: str | None = None
    alive: bool | None = None

    def __str__(self) -> str:
        return (
            f"ReplicaIdentity{{brokerName='{java_text(self.broker_name)}', brokerId={java_text(self.broker_id)}"
            f", brokerAddress='{java_text(self.broker_address)}', alive={java_text(self.alive)}}}"
        )


@body
class ReplicasInfo:
    """The master of a broker name, and who keeps up with it."""

    master_broker_id: Int64 | None = None
    master_address: str | None = None
    master_epoch: Int32 | None = None
    sync_state_set_epoch: Int32 | None = None
    in_sync_replicas: list[ReplicaIdentity] = field(default_factory=list)
    not_in_sync_replicas: list[ReplicaIdentity] = field(default_factory=list)


@body
class BrokerReplicasInfo:
    """Replicas by broker name."""

    replicas_info_table: dict[str, ReplicasInfo] = field(default_factory=dict)


@body
class EpochEntry:
    """The part of a log that one master wrote; offsets in bytes, the end is not part of it."""

    epoch: Int32 = 0
    start_offset: Int64 = 0
    end_offset: Int64 = _NO_END

    def __str__(self) -> str:
        return printed(self, "{", "}")


@body
class EpochEntryCache:
    """The masters whose words a broker's log holds, oldest first, and its end in bytes."""

    cluster_name: str | None = None
    broker_name: str | None = None
    broker_id: Int64 = 0
    epoch_list: list[EpochEntry] = field(default_factory=list)
    max_offset: Int64 = 0
