"""Brokers.

Source: org.apache.rocketmq.tools.command.broker.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rmq.admin.declare import Call, command
from rmq.admin.options import DRY_RUN, broker, broker_or_cluster, cluster, value
from rmq.admin.output import Member, Report, fixed
from rmq.admin.targets import done_on_each, replicas_in
from rmq.client.admin.brokers import broker_config, runtime_info, update_broker_config
from rmq.client.admin.clusters import Replica
from rmq.wire.bodies.printed import java_text
from rmq.wire.errors import RemotingError

if TYPE_CHECKING:
    from rmq.wire.bodies.broker import HARuntimeInfo

_RULE = "=" * 12
_NO_MASTER = "NO_MASTER"


@command(
    "brokerStatus",
    "Show a broker's counters, rates and sizes.",
    broker_or_cluster("Address of the broker.", "Cluster whose brokers, slaves too, are shown."),
    data=(
        Member("brokers", "By address: an object with every figure as text."),
        Member(
            "replication",
            "By address: role (master or slave); of a master slaves, a list of address, lag (bytes), lagMillis (null"
            " from Apache's) and inSync; of a slave masterAddress and maxOffset. Brokers that do not tell are missing.",
        ),
    ),
    differs=(
        "Masters that have slaves, and slaves, have a line brokerRole, and a line haSlave for each slave, or haMaster.",
    ),
)
async def broker_status(call: Call) -> Report:
    """`brokerStatus`."""
    report = Report()
    report.put(brokers={}, replication={})
    address = call.text("b")
    if address is not None:
        stats = await runtime_info(call.admin, address)
        (status,) = await _replication(call, [address])
        _show_status(report, address, stats, status, "")
        return report
    addresses = [replica.address for replica in await replicas_in(call, report, call.required("c"))]
    done = await done_on_each(call, report, addresses, lambda each: runtime_info(call.admin, each))
    statuses = await _replication(call, [target for target, _ in done])
    for (target, stats), status in zip(done, statuses, strict=True):
        _show_status(report, target, stats, status, f"{target:<24} ")
    return report


async def _replication(call: Call, addresses: list[str]) -> list[HARuntimeInfo | RemotingError]:
    from rmq.client.admin.replication import ha_status

    return await call.admin.attempt_each(addresses, lambda address: ha_status(call.admin, address))


def _show_status(
    report: Report, address: str, stats: dict[str, str], status: HARuntimeInfo | RemotingError, prefix: str
) -> None:
    lines = dict(stats)
    if not isinstance(status, RemotingError):
        lines |= _replication_lines(status)
        report.members["replication"][address] = _replication_members(status)
    for name in sorted(lines):
        report.say(f"{prefix}{name:<32}: {lines[name]}")
    report.members["brokers"][address] = stats


def _replication_lines(status: HARuntimeInfo) -> dict[str, str]:
    """Of a master without slaves none: then the lines are Apache's."""
    if not status.master:
        return {"brokerRole": "slave", "haMaster": java_text(status.ha_client_runtime_info.master_addr)}
    lines = {"brokerRole": "master"} if status.ha_connection_info else {}
    for slave in status.ha_connection_info:
        age = "" if slave.lag_millis is None else f", {fixed(slave.lag_millis / 1000, 1)} s"
        step = "in sync" if slave.in_sync else "not in sync"
        lines[f"haSlave.{slave.addr}"] = f"{slave.diff} bytes{age} behind, {step}"
    return lines


def _replication_members(status: HARuntimeInfo) -> dict[str, Any]:
    if not status.master:
        known = status.ha_client_runtime_info
        return {"role": "slave", "masterAddress": known.master_addr, "maxOffset": known.max_offset}
    slaves = [
        {"address": slave.addr, "lag": slave.diff, "lagMillis": slave.lag_millis, "inSync": slave.in_sync}
        for slave in status.ha_connection_info
    ]
    return {"role": "master", "slaves": slaves}


@command(
    "getBrokerConfig",
    "Show a broker's settings.",
    broker_or_cluster("Address of the broker.", "Cluster whose brokers, slaves too, are shown."),
    data=(Member("brokers", "By address: an object with every setting as text."),),
    differs=("A broker that cannot tell has its heading only, and does not keep the others from being shown.",),
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
    replicas = await replicas_in(call, report, call.required("c"))
    outcomes = await call.admin.attempt_each(replicas, lambda replica: broker_config(call.admin, replica.address))
    groups: dict[str, list[tuple[Replica, RemotingError | dict[str, str]]]] = {}
    for replica, outcome in zip(replicas, outcomes, strict=True):
        groups.setdefault(replica.broker_name, []).append((replica, outcome))
    for group in groups.values():
        # Replicas come by id, so a master comes first.
        first = group[0][0]
        master = first.address if first.is_master else _NO_MASTER
        if master == _NO_MASTER:
            report.say(_RULE + "Master: NO_MASTER" + _RULE)
        for replica, outcome in group:
            head = f"Master: {master}" if replica.is_master else f"My Master: {master}=====Slave: {replica.address}"
            if isinstance(outcome, RemotingError):
                report.say(_RULE + head + _RULE)
                report.fail(outcome)
            else:
                shown[replica.address] = outcome
                _show_config(report, head, outcome)
    return report


def _show_config(report: Report, head: str, settings: dict[str, str]) -> None:
    report.say(_RULE + head + _RULE)
    for name, setting in settings.items():
        report.say(f"{name:<50}=  {setting}")
    report.say()


@command(
    "updateBrokerConfig",
    "Change one setting of brokers; they keep it in their files.",
    broker("Address of the one broker to change."),
    cluster("Cluster whose masters are changed."),
    value("a", "updateAllBroker", "Whatever its value: with -c change slaves too."),
    value("k", "key", "Name of the setting.", required=True),
    value("v", "value", "Its value.", required=True),
    data=(
        Member("key", "Name of the setting."),
        Member("value", "Its value."),
        Member("brokers", "Addresses of the brokers that took it."),
    ),
    needs_one_of=("b", "c"),
    differs=(
        "A setting that the broker does not know, or a value that it cannot read, is a failure and no success.",
        "Backslashes and characters beyond ASCII in a value reach the broker as they are.",
    ),
    changes=True,
    examples=(
        ("updateBrokerConfig -c DefaultCluster -k fileReservedTime -v 48", "Keep messages for two days."),
        ("updateBrokerConfig -b 10.0.0.1:10911 -k brokerPermission -v 4", "Let one broker take no more messages."),
    ),
)
async def change_broker_config(call: Call) -> Report:
    """`updateBrokerConfig`."""
    from rmq.client.admin.changing import change_broker_setting

    report = Report()
    key, text = call.required("k"), call.required("v")
    report.put(key=key, value=text, brokers=[])
    address = call.text("b")
    if address is not None:
        addresses = [address]
    else:
        replicas = await replicas_in(call, report, call.required("c"))
        addresses = [replica.address for replica in replicas if replica.is_master or call.given("a")]

    async def change(target: str) -> None:
        if call.given(DRY_RUN.key):
            await update_broker_config(call.admin, target, {key: text})
        else:
            await change_broker_setting(call.admin, target, key, text)

    for target, _ in await done_on_each(call, report, addresses, change):
        report.say(f"update broker config success, {target}")
        report.add("brokers", target)
    return report
