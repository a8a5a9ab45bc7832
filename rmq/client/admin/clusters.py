"""Clusters and brokers.

Source: CommandUtil, MQClientAPIImpl, DefaultMQAdminExtImpl.
"""

from __future__ import annotations

from typing import NamedTuple

from rmq.client.admin.errors import UnknownBrokerError, UnknownClusterError
from rmq.client.admin.session import Admin
from rmq.wire.bodies.route import BrokerData, ClusterInfo
from rmq.wire.requests.route import GetBrokerClusterInfo

MASTER = 0
"""Broker id of a master."""


class Replica(NamedTuple):
    """One broker process."""

    cluster: str
    broker_name: str
    broker_id: int
    address: str

    @property
    def is_master(self) -> bool:
        """Whether it takes writes."""
        return self.broker_id == MASTER

    @property
    def role(self) -> str:
        """`master` or `slave`."""
        return "master" if self.is_master else "slave"


async def cluster_info(admin: Admin) -> ClusterInfo:
    """All clusters and brokers that the name server knows."""
    return (await admin.ask(GetBrokerClusterInfo())).json(ClusterInfo)


def replicas_of(info: ClusterInfo, cluster: str | None = None) -> list[Replica]:
    """The brokers of a cluster, or of all, ordered by cluster, name and id.

    Raises:
        UnknownClusterError: there is no such cluster.
    """
    if cluster is not None and cluster not in info.cluster_addr_table:
        raise UnknownClusterError(cluster, info.cluster_addr_table)
    found = []
    for name in [cluster] if cluster is not None else sorted(info.cluster_addr_table):
        for broker_name in sorted(info.cluster_addr_table[name]):
            data = info.broker_addr_table.get(broker_name)
            if data is not None:
                found += [Replica(name, broker_name, *entry) for entry in sorted(data.broker_addrs.items())]
    return found


async def replicas(admin: Admin, cluster: str | None = None) -> list[Replica]:
    """The brokers of a cluster, or of all; see `replicas_of`."""
    return replicas_of(await cluster_info(admin), cluster)


async def masters(admin: Admin, cluster: str) -> list[str]:
    """Addresses of a cluster's masters.

    Raises:
        UnknownClusterError: there is no such cluster.
    """
    return [replica.address for replica in await replicas(admin, cluster) if replica.is_master]


async def broker_name_at(admin: Admin, address: str) -> str:
    """Name of the broker that has this address.

    Raises:
        UnknownBrokerError: none has.
    """
    found = await replicas(admin)
    for replica in found:
        if replica.address == address:
            return replica.broker_name
    raise UnknownBrokerError(address, [replica.address for replica in found])


def chosen_address(data: BrokerData) -> str | None:
    """The master's address, else that of the replica with the lowest id (BrokerData.selectBrokerAddr)."""
    return data.broker_addrs[min(data.broker_addrs)] if data.broker_addrs else None
