"""How brokers read old data: limits for groups, and reading ahead.

Source: org.apache.rocketmq.tools.command.broker.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, TypeVar

from rmq.admin.declare import Call, command, integer
from rmq.admin.options import broker, cluster, value
from rmq.admin.output import Member, Report, seconds
from rmq.admin.targets import OTHERS_GO_ON, done_on_each, masters_in, replicas_in
from rmq.client.admin.session import Admin
from rmq.wire.errors import RemotingError

T = TypeVar("T")

_RULE = "=" * 12
_MODES = {"0": "normal", "1": "random"}


class _Target(NamedTuple):
    """A broker and the line above what is told of it."""

    head: str
    address: str


async def _targets(call: Call, report: Report) -> list[_Target]:
    """The broker of `-b`, or every broker of `-c`, masters before their slaves."""
    address = call.text("b")
    if address is not None:
        return [_Target(f"{_RULE}{address}{_RULE}", address)]
    targets, masters = [], {}
    for replica in await replicas_in(call, report, call.required("c")):
        head = f"Master: {replica.address}"
        if replica.is_master:
            masters[replica.broker_name] = replica.address
        else:
            head = f"My Master: {masters.get(replica.broker_name, 'NO_MASTER')}=====Slave: {replica.address}"
        targets.append(_Target(f"{_RULE}{head}{_RULE}", replica.address))
    return targets


async def _on_each(
    call: Call, report: Report, job: Callable[[Admin, str], Awaitable[T]], show: Callable[[_Target, T], None]
) -> None:
    """Asks every target and shows each answer below its heading; a broker that fails does not stop the others."""
    targets = await _targets(call, report)
    outcomes = await call.admin.attempt_each(targets, lambda target: job(call.admin, target.address))
    for target, outcome in zip(targets, outcomes, strict=True):
        report.say(" " + target.head)
        if isinstance(outcome, RemotingError):
            report.fail(outcome)
        else:
            show(target, outcome)


# --- limits --------------------------------------------------------------------------------------------------------


@command(
    "getColdDataFlowCtrInfo",
    "Show how much old data each group may read, and what groups have read lately.",
    broker("Address of the broker."),
    cluster("Cluster whose brokers, slaves too, are shown."),
    data=(Member("brokers", "By address: the broker's table, times in ms; null when it keeps none."),),
    needs_one_of=("b", "c"),
    differs=("Without -b and -c it shows its page; Apache's prints nothing.", OTHERS_GO_ON),
)
async def get_cold_data_flow_ctr_info(call: Call) -> Report:
    """`getColdDataFlowCtrInfo`."""
    from rmq.client.admin.cold_data import cold_data_info
    from rmq.wire import fastjson

    report = Report()
    shown: dict[str, Any] = {}
    report.put(brokers=shown)

    def show(target: _Target, info: dict[str, Any] | None) -> None:
        shown[target.address] = info
        if info is None:
            report.say(f"Broker[{target.address}] has no cold ctr table !")
        else:
            report.say(fastjson.dumps({**info, "runtimeTable": _readable(info.get("runtimeTable"))}, pretty=True))

    await _on_each(call, report, cold_data_info, show)
    return report


def _readable(table: Any) -> dict[str, Any]:
    """The table of groups with dates in place of milliseconds."""
    readable = {}
    for group, known in (table or {}).items():
        facts = dict(known)
        for name in ("lastColdReadTime", "createTime"):
            time = facts.pop(f"{name}Mills", None)
            if time is not None:
                facts[f"{name}Format"] = seconds(int(time))
        readable[group] = facts
    return readable


async def _change(call: Call, report: Report, job: Callable[[str], Awaitable[None]], success: str) -> Report:
    """Does something on the broker of `-b`, or on the masters of `-c`, and says so of each."""
    report.put(brokers=[])
    address = call.text("b")
    addresses = [address] if address is not None else await masters_in(call, report, call.required("c"))
    for target, _ in await done_on_each(call, report, addresses, job):
        report.say(f"{success}, {target}")
        report.add("brokers", target)
    return report


_CHANGED = Member("brokers", "Addresses of the brokers that took it.")
_GROUP = value("g", "consumerGroup", "Name of the consumer group.", required=True)


@command(
    "updateColdDataFlowCtrGroupConfig",
    "Limit how much old data a group may read.",
    broker("Address of the one broker to set it on."),
    cluster("Cluster to set it on, on every master."),
    _GROUP,
    value("v", "threshold", "Bytes that it may read from the disk in each round of some seconds.", required=True),
    data=(Member("group", "The group."), Member("threshold", "The limit, bytes."), _CHANGED),
    needs_one_of=("b", "c"),
    differs=("A threshold that is no number is refused; brokers drop such a limit and Apache's reports success.",),
    changes=True,
    examples=(
        (
            "updateColdDataFlowCtrGroupConfig -c DefaultCluster -g GID_orders -v 1048576",
            "Let the group read 1 MiB of old data in a round.",
        ),
    ),
)
async def update_cold_data_flow_ctr_group_config(call: Call) -> Report:
    """`updateColdDataFlowCtrGroupConfig`."""
    from rmq.client.admin.cold_data import limit_cold_data

    report = Report()
    group, threshold = call.required("g"), integer(call.required("v"), bits=64)
    report.put(group=group, threshold=threshold)
    return await _change(
        call,
        report,
        lambda address: limit_cold_data(call.admin, address, group, threshold),
        "updateColdDataFlowCtrGroupConfig success",
    )


@command(
    "removeColdDataFlowCtrGroupConfig",
    "Lift the limit on how much old data a group may read.",
    broker("Address of the one broker to lift it on."),
    cluster("Cluster to lift it on, on every master."),
    _GROUP,
    data=(Member("group", "The group."), _CHANGED),
    needs_one_of=("b", "c"),
    changes=True,
    examples=(
        ("removeColdDataFlowCtrGroupConfig -c DefaultCluster -g GID_orders", "Lift the group's limit on all masters."),
    ),
)
async def remove_cold_data_flow_ctr_group_config(call: Call) -> Report:
    """`removeColdDataFlowCtrGroupConfig`."""
    from rmq.client.admin.cold_data import unlimit_cold_data

    report = Report()
    group = call.required("g")
    report.put(group=group)
    return await _change(
        call,
        report,
        lambda address: unlimit_cold_data(call.admin, address, group),
        "remove broker cold read threshold success",
    )


# --- reading ahead -------------------------------------------------------------------------------------------------


@command(
    "setCommitLogReadAheadMode",
    "Tell brokers whether to read the commit log ahead.",
    broker("Address of the one broker to set it on."),
    cluster("Cluster to set it on, on every broker, slaves too."),
    value("m", "commitLogReadAheadMode", "0: read ahead as the system does; 1: reads come at random.", required=True),
    data=(
        Member("mode", "normal or random."),
        Member("brokers", "By address: the broker's words."),
    ),
    needs_one_of=("b", "c"),
    differs=("Without -b and -c it shows its page; Apache's prints nothing.", OTHERS_GO_ON),
    changes=True,
    examples=(("setCommitLogReadAheadMode -b 10.0.0.1:10911 -m 1", "Read no more of the log than is asked for."),),
)
async def set_commit_log_read_ahead_mode(call: Call) -> Report:
    """`setCommitLogReadAheadMode`."""
    from rmq.client.admin.storage import set_read_ahead

    report = Report()
    mode = call.required("m")
    if mode not in _MODES:
        report.refuse("set the read mode error; 0 is default, 1 random read")
        report.say()
        return report
    answers: dict[str, str] = {}
    report.put(mode=_MODES[mode], brokers=answers)

    def show(target: _Target, remark: str) -> None:
        answers[target.address] = remark
        report.say(f"commitLog set readAhead mode rstStr{remark or 'null'}")

    await _on_each(call, report, lambda admin, address: set_read_ahead(admin, address, int(mode)), show)
    return report
