"""What brokers need not keep.

Source: CleanExpiredCQSubCommand, CleanUnusedTopicCommand, DeleteExpiredCommitLogSubCommand.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from rmq.admin.declare import Call, command
from rmq.admin.options import broker, value
from rmq.admin.output import Member, Report
from rmq.admin.targets import done_on_each
from rmq.client.admin import brokers
from rmq.client.admin.clusters import replicas
from rmq.client.admin.errors import NoBrokerError, UnknownClusterError
from rmq.client.admin.session import Admin

_BROKER: Final = broker("Address of the one broker to clean.")
_CLUSTER: Final = value("c", "cluster", "Cluster whose brokers, slaves too, are cleaned.", default="every cluster")
_DATA: Final = (Member("brokers", "Addresses of the brokers that did it."),)
_DIFFERS: Final = (
    "It goes on after a broker that fails. Without any broker to ask it prints `false` as Apache's does, and fails.",
)


@command(
    "cleanExpiredCQ",
    "Drop the files of consume queues that point only at messages which are gone.",
    _BROKER,
    _CLUSTER,
    data=_DATA,
    differs=_DIFFERS,
    changes=True,
    examples=(("cleanExpiredCQ -c DefaultCluster", "Clean every broker of a cluster."),),
)
async def clean_expired_cq(call: Call) -> Report:
    """`cleanExpiredCQ`."""
    return await _clean(call, brokers.clean_expired_queues)


@command(
    "cleanUnusedTopic",
    "Drop the consume queues of topics that do not exist any more.",
    _BROKER,
    _CLUSTER,
    data=_DATA,
    differs=_DIFFERS,
    changes=True,
    examples=(("cleanUnusedTopic -b 10.0.0.1:10911", "Clean one broker."),),
)
async def clean_unused_topic(call: Call) -> Report:
    """`cleanUnusedTopic`."""
    return await _clean(call, brokers.clean_unused_topics)


@command(
    "deleteExpiredCommitLog",
    "Delete expired files of the commit log now and not at the hour that is set for it.",
    _BROKER,
    _CLUSTER,
    data=_DATA,
    differs=_DIFFERS,
    changes=True,
    examples=(("deleteExpiredCommitLog -b 10.0.0.1:10911", "Free the disk of one broker."),),
)
async def delete_expired_commit_log(call: Call) -> Report:
    """`deleteExpiredCommitLog`."""
    return await _clean(call, brokers.delete_expired_log)


async def _clean(call: Call, job: Callable[[Admin, str], Awaitable[None]]) -> Report:
    report = Report()
    report.put(brokers=[])
    addresses = await _brokers(call, report)
    for address, _ in await done_on_each(call, report, addresses, lambda each: job(call.admin, each)):
        report.add("brokers", address)
    if not report.failures:
        report.say("success", end="")
    return report


async def _brokers(call: Call, report: Report) -> list[str]:
    address = call.text("b")
    if address is not None:
        return [address]
    try:
        found = [replica.address for replica in await replicas(call.admin, call.text("c") or None)]
        if not found:
            raise NoBrokerError
    except (UnknownClusterError, NoBrokerError) as error:
        report.say("false", end="")
        report.fail(error)
        return []
    return found
