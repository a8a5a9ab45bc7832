"""Brokers and name servers as they are now."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rmq.client.admin.brokers import broker_config, first_number, log_end, runtime_info, whole_number
from rmq.client.admin.clusters import Replica, replicas_of
from rmq.client.admin.replication import Follower, followers
from rmq.client.admin.session import Admin
from rmq.tui.service.live.known import Known, or_problem
from rmq.tui.service.model import Broker, Cluster, NameServer, Setting
from rmq.tui.service.problems import problem_of
from rmq.wire.bodies.route import ClusterInfo
from rmq.wire.errors import RemotingError
from rmq.wire.requests.route import GetBrokerClusterInfo


class LiveCluster:
    """See `protocol.ClusterQuestions`."""

    _known: Known

    @or_problem
    async def cluster(self) -> Cluster:
        """See `AdminService.cluster`."""
        return await cluster_view(self._known.admin)

    @or_problem
    async def broker_config(self, address: str) -> tuple[Setting, ...]:
        """See `AdminService.broker_config`."""
        found = await broker_config(self._known.admin, address)
        return tuple(Setting(address, key, value) for key, value in found.items())


async def cluster_view(admin: Admin) -> Cluster:
    """Brokers that any name server knows, and what each name server knows.

    Raises:
        RemotingError: no name server answered.
    """

    async def ask(address: str) -> ClusterInfo:
        return (await admin.call(address, GetBrokerClusterInfo())).json(ClusterInfo)

    views = await admin.attempt_each(admin.nameservers, ask)
    infos = [view for view in views if not isinstance(view, RemotingError)]
    if not infos:
        raise next(view for view in views if isinstance(view, RemotingError))
    replicas = sorted({replica for info in infos for replica in replicas_of(info)})
    outcomes = await admin.attempt_each(replicas, lambda replica: runtime_info(admin, replica.address))
    told = dict(zip(replicas, outcomes, strict=True))
    ends = {replica.address: log_end(found) for replica, found in told.items() if isinstance(found, dict)}
    known = await followers(admin, replicas, ends)
    return Cluster(
        tuple(replace(_broker(*found), **_standing(found[0], replicas, known)) for found in told.items()),
        tuple(_nameserver(*view, replicas) for view in zip(admin.nameservers, views, strict=True)),
    )


def _broker(replica: Replica, told: dict[str, str] | RemotingError) -> Broker:
    if isinstance(told, RemotingError):
        return Broker(*replica, problem=problem_of(told))
    return Broker(
        *replica,
        version=told.get("brokerVersionDesc", ""),
        put_total=whole_number(told.get("msgPutTotalTodayNow")),
        get_total=whole_number(told.get("msgGetTotalTodayNow")),
        page_cache_wait=whole_number(told.get("pageCacheLockTimeMills")),
        disk=max(first_number(told.get("commitLogDiskRatio")), 0.0),
        earliest=max(whole_number(told.get("earliestMessageTimeStamp")), 0),
        timer_backlog=whole_number(told.get("timerOffsetBehind")),
        started=whole_number(told.get("bootTimestamp")),
        figures=tuple(sorted(told.items())),
    )


def _standing(replica: Replica, replicas: list[Replica], known: dict[str, Follower]) -> dict[str, Any]:
    """What is known of a slave's lag, or of a master's slaves."""
    if not replica.is_master:
        return known[replica.address]._asdict() if replica.address in known else {}
    slaves = [other.address for other in replicas if other[:2] == replica[:2] and not other.is_master]
    told = [known[address].in_sync for address in slaves if address in known]
    return {"slaves": len(slaves), "slaves_in_sync": sum(told) if told else None}


def _nameserver(address: str, view: ClusterInfo | RemotingError, replicas: list[Replica]) -> NameServer:
    if isinstance(view, RemotingError):
        return NameServer(address, problem=problem_of(view))
    known = {replica.address for replica in replicas_of(view)}
    missing = tuple(replica.address for replica in replicas if replica.address not in known)
    return NameServer(address, len(known), missing)
