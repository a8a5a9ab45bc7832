"""Brokers.

Source: org.apache.rocketmq.tools.command.broker.
"""

from __future__ import annotations

from rmq.admin.declare import Call, command
from rmq.admin.options import broker_or_cluster
from rmq.admin.output import Member, Report
from rmq.admin.targets import replicas_in
from rmq.client.admin.brokers import broker_config, runtime_info
from rmq.client.admin.clusters import Replica
from rmq.wire.errors import RemotingError

_RULE = "=" * 12
_NO_MASTER = "NO_MASTER"


@command(
    "brokerStatus",
    "Show a broker's counters, rates and sizes.",
    broker_or_cluster("Address of the broker.", "Cluster whose brokers, slaves too, are shown."),
    data=(Member("brokers", "By address: an object with every figure as text."),),
)
async def broker_status(call: Call) -> Report:
    """`brokerStatus`."""
    report = Report()
    report.put(brokers={})
    address = call.text("b")
    if address is not None:
        stats = await runtime_info(call.admin, address)
        for name in sorted(stats):
            report.say(f"{name:<32}: {stats[name]}")
        report.put(brokers={address: stats})
        return report
    addresses = [replica.address for replica in await replicas_in(call, report, call.required("c"))]
    shown = {}
    outcomes = await call.admin.attempt_each(addresses, lambda each: runtime_info(call.admin, each))
    for target, outcome in zip(addresses, outcomes, strict=True):
        if isinstance(outcome, RemotingError):
            report.fail(outcome)
            continue
        shown[target] = outcome
        for name in sorted(outcome):
            report.say(f"{target:<24} {name:<32}: {outcome[name]}")
    report.put(brokers=shown)
    return report


@command(
    "getBrokerConfig",
    "Show a broker's settings.",
    broker_or_cluster("Address of the broker.", "Cluster whose brokers, slaves too, are shown."),
    data=(Member("brokers", "By address: an object with every setting as text."),),
)
async def get_broker_config(call: Call) -> Report:
    """`getBrokerConfig`."""
    report = Report()
    shown: dict[str, dict[str, str]] = {}
    report.put(brokers=shown)
    address = call.text("b")
    if address is not None:
        shown[address] = await broker_config(call.admin, address)
        _show_config(report, address, shown[address])
        return report
    groups: dict[str, list[Replica]] = {}
    for replica in await replicas_in(call, report, call.required("c")):
        groups.setdefault(replica.broker_name, []).append(replica)
    for group in groups.values():
        # Replicas come by id, so a master comes first.
        master = group[0].address if group[0].is_master else _NO_MASTER
        if master == _NO_MASTER:
            report.say(_RULE + "Master: NO_MASTER" + _RULE)
        for replica in group:
            head = f"Master: {master}" if replica.is_master else f"My Master: {master}=====Slave: {replica.address}"
            shown[replica.address] = await broker_config(call.admin, replica.address)
            _show_config(report, head, shown[replica.address])
    return report


def _show_config(report: Report, head: str, settings: dict[str, str]) -> None:
    report.say(_RULE + head + _RULE)
    for name, setting in settings.items():
        report.say(f"{name:<50}=  {setting}")
    report.say()
