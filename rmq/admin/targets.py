"""The brokers that a command is for, and what becomes of asking several servers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from rmq.admin.declare import Call
from rmq.admin.errors import CLUSTER_HINT
from rmq.admin.output import Report
from rmq.client.admin.clusters import Replica, replicas
from rmq.client.admin.errors import UnknownClusterError
from rmq.wire.errors import RemotingError

Item = TypeVar("Item")
T = TypeVar("T")

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


async def done_on_each(
    call: Call, report: Report, items: Sequence[Item], job: Callable[[Item], Awaitable[T]]
) -> list[tuple[Item, T]]:
    """`job` of every item, side by side; those that succeeded with their results, in order.

    A refusal or a silence is noted in the report, and the others go on.
    """
    done = []
    for item, outcome in zip(items, await call.admin.attempt_each(items, job), strict=True):
        if isinstance(outcome, RemotingError):
            report.fail(outcome)
        else:
            done.append((item, outcome))
    return done
