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
    report.put(brokers={})
    address = call.text("b")
    if address is not None:
        _show_config(report, f"============{address}============", address, await broker_config(call.admin, address))
        return report
    masters: dict[str, str] = {}
    ordered = sorted(await replicas_in(call, report, call.required("c")), key=lambda replica: replica.broker_id)
    groups: dict[str, list[Replica]] = {}
    for replica in ordered:
        groups.setdefault(replica.broker_name, []).append(replica)
        if replica.is_master:
            masters[replica.broker_name] = replica.address
    for name in sorted(groups):
        master = masters.get(name, "NO_MASTER")
        if master == "NO_MASTER":
            report.say("============Master: NO_MASTER============")
        for replica in groups[name]:
            head = f"Master: {master}" if replica.is_master else f"My Master: {master}=====Slave: {replica.address}"
            settings = await broker_config(call.admin, replica.address)
            _show_config(report, f"============{head}============", replica.address, settings)
    return report


def _show_config(report: Report, head: str, address: str, settings: dict[str, str]) -> None:
    report.say(head)
    for name, setting in settings.items():
        report.say(f"{name:<50}=  {setting}")
    report.say()
    report.members["brokers"][address] = settings
