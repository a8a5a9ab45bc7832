"""The brokers that a command is for."""

from __future__ import annotations

from typing import Final

from rmq.admin.declare import Call
from rmq.admin.errors import CLUSTER_HINT
from rmq.admin.output import Report
from rmq.client.admin.clusters import Replica, replicas
from rmq.client.admin.errors import UnknownClusterError

OTHERS_GO_ON: Final = "A broker that fails does not keep the others of a cluster from being asked."
"""What commands say in their manual where Apache's end with the first broker that fails."""


async def replicas_in(call: Call, report: Report, cluster: str) -> list[Replica]:
    """The brokers of a cluster. An unknown cluster is noted in the report and has none."""
    try:
        return await replicas(call.admin, cluster)
    except UnknownClusterError as error:
        report.say(f"[error] {CLUSTER_HINT}", end="")
        report.fail(error)
        return []


async def masters_in(call: Call, report: Report, cluster: str) -> list[str]:
    """Addresses of a cluster's masters; see `replicas_in`."""
    return [replica.address for replica in await replicas_in(call, report, cluster) if replica.is_master]
