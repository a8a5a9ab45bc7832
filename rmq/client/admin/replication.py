"""A master and its slaves.

A master tells of the connections on which it sends its log, not of brokers: a connection has the address of the slave's
host and a port of the moment. Which one belongs to which slave follows from the host, and among slaves of one host from
how far they are.

Source: MQClientAPIImpl.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from rmq.client.admin.clusters import Replica
from rmq.client.admin.session import Admin
from rmq.wire.bodies.broker import HAConnectionRuntimeInfo, HARuntimeInfo
from rmq.wire.errors import RemotingError
from rmq.wire.requests.replication import GetBrokerHaStatus, ResetMasterFlushOffset


class Follower(NamedTuple):
    """A slave by the word of its master.

    Attributes:
        lag: bytes of the master's log that it has not; None when its end is unknown.
        lag_millis: how old the first of them is; None when the master does not tell, as Apache's do not.
        in_sync: whether the master counts it as in step; a slave that is not connected is not.
    """

    lag: int | None
    lag_millis: int | None
    in_sync: bool


async def ha_status(admin: Admin, address: str) -> HARuntimeInfo:
    """State of replication as one broker sees it."""
    return (await admin.call(address, GetBrokerHaStatus())).json(HARuntimeInfo)


async def followers(admin: Admin, replicas: Iterable[Replica], ends: Mapping[str, int]) -> dict[str, Follower]:
    """How far slaves are, by their addresses: one question to each master that has any.

    Slaves of a master that is away, or that does not tell, are left out.

    Args:
        admin: the session.
        replicas: masters and slaves.
        ends: where the logs of the slaves end, by address, as far as that is known.
    """
    groups: defaultdict[tuple[str, str], list[Replica]] = defaultdict(list)
    for replica in replicas:
        groups[replica.cluster, replica.broker_name].append(replica)
    wanted = [
        (master, slaves)
        for group in groups.values()
        if (slaves := [replica.address for replica in group if not replica.is_master])
        for master in group
        if master.is_master
    ]
    found: dict[str, Follower] = {}
    answers = await admin.attempt_each(wanted, lambda pair: ha_status(admin, pair[0].address))
    for (_, slaves), status in zip(wanted, answers, strict=True):
        if not isinstance(status, RemotingError) and status.master:
            found |= _followers(status, slaves, ends)
    return found


def _followers(status: HARuntimeInfo, slaves: Sequence[str], ends: Mapping[str, int]) -> dict[str, Follower]:
    end = status.master_commit_log_max_offset
    found = {}
    for address, connection in _paired(slaves, ends, status.ha_connection_info).items():
        if connection is not None:
            found[address] = Follower(max(connection.diff, 0), connection.lag_millis, connection.in_sync)
        else:
            lag = max(end - ends[address], 0) if address in ends else None
            found[address] = Follower(lag, None, False)
    return found


def _paired(
    slaves: Sequence[str], ends: Mapping[str, int], connections: Sequence[HAConnectionRuntimeInfo]
) -> dict[str, HAConnectionRuntimeInfo | None]:
    """The connection of each slave; None for one that has none.

    A slave behind an address translation is seen under another host: what is left over is paired, too.
    """
    free = sorted(connections, key=lambda connection: connection.slave_ack_offset, reverse=True)
    paired: dict[str, HAConnectionRuntimeInfo | None] = {}
    for address in sorted(slaves, key=lambda slave: ends.get(slave, 0), reverse=True):
        paired[address] = next((seen for seen in free if _host(seen.addr or "") == _host(address)), None)
        free = [seen for seen in free if seen is not paired[address]]
    left = [address for address, seen in paired.items() if seen is None]
    return paired | dict(zip(left, free, strict=False))


def _host(address: str) -> str:
    return address.rpartition(":")[0]


async def reset_master_flush_offset(admin: Admin, address: str, offset: int) -> None:
    """Sets what a slave believes of its master: how many bytes of the log are on the disk. A master ignores it."""
    await admin.call(address, ResetMasterFlushOffset(offset))
