"""What is behind messages with a time.

Source: org.apache.rocketmq.tools.command.broker.SwitchTimerEngineSubCommand.
"""

from __future__ import annotations

from rmq.admin.declare import Call, command
from rmq.admin.options import broker, cluster, value
from rmq.admin.output import Member, Report

_ENGINES = {"R": "ROCKSDB_TIMELINE", "F": "FILE_TIME_WHEEL"}


@command(
    "switchTimerEngine",
    "Choose what keeps messages with a time: RocksDB or files.",
    broker("Address of the one broker to switch."),
    cluster("Cluster whose masters are switched."),
    value("e", "engineType", "R: RocksDB, where the broker was started with timerUseRocksDB; F: files.", required=True),
    data=(
        Member("engine", "ROCKSDB_TIMELINE or FILE_TIME_WHEEL."),
        Member("brokers", "Addresses of the brokers that switched."),
    ),
    needs_one_of=("b", "c"),
    changes=True,
    examples=(("switchTimerEngine -c DefaultCluster -e F", "Keep messages with a time in files, on all masters."),),
)
async def switch_timer_engine(call: Call) -> Report:
    """`switchTimerEngine`."""
    from rmq.admin.targets import done_on_each, masters_in
    from rmq.client.admin.storage import switch_timer_engine as switch

    report = Report()
    engine = call.required("e")
    if engine not in _ENGINES:
        report.refuse("switchTimerEngine engineType must be R or F")
        report.say()
        return report
    report.put(engine=_ENGINES[engine], brokers=[])
    address = call.text("b")
    addresses = [address] if address is not None else await masters_in(call, report, call.required("c"))
    shown = engine if address is not None else _ENGINES[engine]
    for target, _ in await done_on_each(call, report, addresses, lambda target: switch(call.admin, target, engine)):
        report.say(f"switchTimerEngine to {shown} success, {target}")
        report.add("brokers", target)
    return report
