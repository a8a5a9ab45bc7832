"""Controllers, the replicas that they lead, and containers of brokers.

Any controller tells who leads; what concerns replicas is asked of the leader.

Source: MQClientAPIImpl.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rmq.client.admin.errors import NoControllerError
from rmq.client.admin.properties import parse_properties, properties_text
from rmq.client.admin.session import Admin
from rmq.client.errors import ClientError
from rmq.remoting.calls import Answer
from rmq.wire.bodies.controller import BrokerReplicasInfo, EpochEntryCache
from rmq.wire.bodies.route import BrokerMemberGroup
from rmq.wire.declare import Declared
from rmq.wire.errors import NotSupportedError
from rmq.wire.requests.controller import (
    CleanBrokerData,
    ControllerMetadata,
    ElectMaster,
    ElectMasterReply,
    GetBrokerEpochCache,
    GetControllerConfig,
    GetControllerMetadata,
    GetSyncStateData,
    UpdateControllerConfig,
)


class NoLeaderError(ClientError):
    """The controller that was asked knows no leader."""

    def __init__(self, address: str) -> None:
        super().__init__(f"the controllers of {address} have no leader now")


class Election(NamedTuple):
    """How a master was chosen, and the replicas it leads."""

    outcome: ElectMasterReply
    members: BrokerMemberGroup


async def _ask(admin: Admin, address: str, header: Declared, body: bytes = b"") -> Answer:
    """Asks a controller.

    Raises:
        NoControllerError: it is none.
    """
    try:
        return await admin.call(address, header, body)
    except NotSupportedError as error:
        raise NoControllerError(error.remark, error.code, error.address) from error


async def controller_metadata(admin: Admin, address: str) -> ControllerMetadata:
    """The group of controllers, by the word of one."""
    reply: ControllerMetadata = (await _ask(admin, address, GetControllerMetadata())).header
    return reply


async def controller_leader(admin: Admin, address: str) -> str:
    """Address of the controller that leads.

    Raises:
        NoLeaderError: none does.
    """
    leader = (await controller_metadata(admin, address)).controller_leader_address
    if not leader:
        raise NoLeaderError(address)
    return leader


async def sync_state(admin: Admin, address: str, broker_names: Sequence[str]) -> BrokerReplicasInfo:
    """Which replicas of some broker names keep up with their master."""
    from rmq.wire import fastjson

    leader = await controller_leader(admin, address)
    return (await _ask(admin, leader, GetSyncStateData(), fastjson.dumps(list(broker_names)).encode())).json()


async def elect_master(admin: Admin, address: str, cluster: str, broker_name: str, broker_id: int) -> Election:
    """Makes one replica the master."""
    leader = await controller_leader(admin, address)
    header = ElectMaster(cluster, broker_name, broker_id, designate_elect=True, invoke_time=admin.now())
    answer = await _ask(admin, leader, header)
    return Election(answer.header, answer.json(BrokerMemberGroup) if answer.body else BrokerMemberGroup())


async def clean_broker_data(
    admin: Admin, address: str, broker_name: str, *, cluster: str | None, ids: str | None, living: bool
) -> None:
    """Lets the controllers forget replicas of a broker name.

    Args:
        admin: the session.
        address: one of the controllers.
        broker_name: the broker name.
        cluster: its cluster.
        ids: ids of the replicas joined by `;`, or None for all.
        living: also those that are alive.
    """
    leader = await controller_leader(admin, address)
    await _ask(admin, leader, CleanBrokerData(broker_name, cluster, ids, living, admin.now()))


async def controller_config(admin: Admin, address: str) -> dict[str, str]:
    """A controller's settings by name, in the order in which it lists them."""
    return parse_properties((await _ask(admin, address, GetControllerConfig())).body.decode("utf-8", "replace"))


async def update_controller_config(admin: Admin, address: str, values: Mapping[str, str]) -> None:
    """Changes settings of one controller."""
    await _ask(admin, address, UpdateControllerConfig(), properties_text(values))


async def broker_epochs(admin: Admin, address: str) -> EpochEntryCache:
    """Which masters wrote a broker's log; the last one's part ends with the log."""
    cache = (await admin.call(address, GetBrokerEpochCache())).json(EpochEntryCache)
    if cache.epoch_list:
        cache.epoch_list[-1].end_offset = cache.max_offset
    return cache
