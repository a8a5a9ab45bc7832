"""The controller, which chooses the master among replicas, and brokers that obey it.

Source: ElectMasterRequestHeader, ElectMasterResponseHeader, GetMetaDataResponseHeader,
CleanControllerBrokerDataRequestHeader, ControllerRequestProcessor, AdminBrokerProcessor.getBrokerEpochCache.
"""

from __future__ import annotations

from rmq.wire.bodies.controller import BrokerReplicasInfo, EpochEntryCache
from rmq.wire.bodies.route import BrokerMemberGroup
from rmq.wire.declare import Int32, Int64, header, request


@header
class ElectMasterReply:
    """The new master; epochs count masters and sets of replicas in step."""

    master_broker_id: Int64 | None = None
    master_address: str | None = None
    master_epoch: Int32 | None = None
    sync_state_set_epoch: Int32 | None = None


@request(1002, "CONTROLLER_ELECT_MASTER", reply=ElectMasterReply, reply_body=BrokerMemberGroup, changes=True)
class ElectMaster:
    """Asks for a new master; `designate_elect` when it must be this replica. The time is the caller's, in ms."""

    cluster_name: str
    broker_name: str
    broker_id: Int64
    designate_elect: bool
    invoke_time: Int64 | None = None


@header
class ControllerMetadata:
    """The group of controllers; `peers` is `id:host:port` joined by `;`."""

    group: str | None = None
    controller_leader_id: str | None = None
    controller_leader_address: str | None = None
    is_leader: bool | None = None
    peers: str | None = None


@request(1005, "CONTROLLER_GET_METADATA_INFO", reply=ControllerMetadata)
class GetControllerMetadata:
    """Asks who leads the controllers."""


@request(1006, "CONTROLLER_GET_SYNC_STATE_DATA", reply_body=BrokerReplicasInfo)
class GetSyncStateData:
    """Asks which replicas keep up; the body is a JSON list of broker names."""


@request(1007, "GET_BROKER_EPOCH_CACHE", reply_body=EpochEntryCache)
class GetBrokerEpochCache:
    """Asks a broker which masters wrote its log."""


@request(1009, "UPDATE_CONTROLLER_CONFIG", changes=True)
class UpdateControllerConfig:
    """Changes a controller's settings; the body is properties text."""


@request(1010, "GET_CONTROLLER_CONFIG")
class GetControllerConfig:
    """Asks for a controller's settings; the answer's body is properties text."""


@request(1011, "CLEAN_BROKER_DATA", changes=True)
class CleanBrokerData:
    """Lets the controller forget replicas: those of the ids given, joined by `;`, or all. The time is the caller's."""

    broker_name: str
    cluster_name: str | None = None
    broker_controller_ids_to_clean: str | None = None
    is_clean_living_broker: bool | None = None
    invoke_time: Int64 | None = None
