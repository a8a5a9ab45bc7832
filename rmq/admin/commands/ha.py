"""Replication: masters and their slaves, replicas in step, epochs.

Source: org.apache.rocketmq.tools.command.ha, GetBrokerEpochSubCommand, ResetMasterFlushOffsetSubCommand.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from rmq.admin.declare import Call, command, integer
from rmq.admin.errors import CommandLineError
from rmq.admin.options import Group, broker, cluster, value
from rmq.admin.output import Column, Member, Report, Table, fixed, millis, same
from rmq.admin.targets import OTHERS_GO_ON, done_on_each
from rmq.wire.bodies.printed import java_text

if TYPE_CHECKING:
    from rmq.client.admin.clusters import Replica
    from rmq.wire.bodies.broker import HARuntimeInfo
    from rmq.wire.bodies.controller import BrokerReplicasInfo, EpochEntryCache

_INTERVAL = value("i", "interval", "Seconds after which it is shown again, without end.")
_USUAL_INTERVAL: Final = 3


async def _again_and_again(call: Call, look: Callable[[Call], Awaitable[Report]]) -> AsyncIterator[Report]:
    """One report, or with `-i` one after another."""
    given = call.text("i")
    interval = integer(given) if given and given.strip() else _USUAL_INTERVAL
    if interval < 0:
        raise CommandLineError(f"interval {interval}: seconds are expected")
    while True:
        yield await look(call)
        if given is None:
            return
        await call.admin.sleep(interval)


# --- haStatus ------------------------------------------------------------------------------------------------------


def _kilobytes(speed: int) -> str:
    return fixed(speed / 1024, 2)


def _seconds_behind(lag: int | None) -> str:
    return "unknown" if lag is None else fixed(lag / 1000, 1)


_SLAVES = Table(
    "slaves",
    "A slave as its master sees it: the master's address, the slave's, the byte that it confirmed, the bytes it is"
    " behind, its speed, whether it counts as in step, from which byte it is sent the log, and how old (ms) the first"
    " byte is that it has not: null from a master that does not tell, as Apache's do not.",
    "%.0s%-32s  %-16s %16s %16s %16s %16s%.0s",
    "%.0s%-32s  %-16d %16d %16s %16s %16d%.0s",
    (
        Column("masterAddress"),
        Column("address", "#SlaveAddr"),
        Column("ackOffset", "#SlaveAckOffset", same),
        Column("diff", "#Diff", same),
        Column("bytesPerSecond", "#TransferSpeed(KB/s)", _kilobytes),
        Column("inSync", "#Status", lambda in_sync: "OK" if in_sync else "Fall Behind"),
        Column("transferFrom", "#TransferFromWhere", same),
        Column("lagMillis", "#Lag(s)", _seconds_behind),
    ),
)
_TIMED_SLAVES = replace(_SLAVES, head=_SLAVES.head[:-4] + " %16s", row=_SLAVES.row[:-4] + " %16s")
"""The same with a last column more, for masters that know the time."""


@command(
    "haStatus",
    "Show how far the slaves of a master are, or how far a slave is.",
    cluster("Cluster whose masters are shown."),
    broker("Address of the broker."),
    _INTERVAL,
    data=(
        _SLAVES,
        Member(
            "brokers",
            "By address. Of a master: master (true), maxOffset, slaves and inSyncSlaves (numbers). Of a slave: master"
            " (false), masterAddress, maxOffset, bytesPerSecond, lastReadTimestamp, lastWriteTimestamp (ms) and"
            " masterFlushOffset.",
        ),
    ),
    needs_one_of=("b", "c"),
    differs=(
        OTHERS_GO_ON,
        "Where a master tells how many seconds its slaves are behind, they are a last column.",
    ),
    examples=(("haStatus -b 10.0.0.2:10911 -i 5", "Show every five seconds how far a slave is."),),
)
async def ha_status(call: Call) -> AsyncIterator[Report]:
    """`haStatus`."""
    async for report in _again_and_again(call, _replication):
        yield report


async def _replication(call: Call) -> Report:
    from rmq.admin.targets import masters_in
    from rmq.client.admin.replication import ha_status as status_of

    report = Report()
    report.put(brokers={})
    address = call.text("b")
    if address is not None:
        _show_replication(report, address, await status_of(call.admin, address))
        return report
    addresses = await masters_in(call, report, call.required("c"))
    for target, outcome in await done_on_each(call, report, addresses, lambda target: status_of(call.admin, target)):
        _show_replication(report, target, outcome)
    return report


def _show_replication(report: Report, address: str, status: HARuntimeInfo) -> None:
    brokers: dict[str, Any] = report.members["brokers"]
    if not status.master:
        brokers[address] = _show_slave(report, status)
        return
    slaves = status.ha_connection_info
    report.say(f"\n#MasterAddr\t{address}")
    report.say(f"#MasterCommitLogMaxOffset\t{status.master_commit_log_max_offset}")
    report.say(f"#SlaveNum\t{len(slaves)}")
    report.say(f"#InSyncSlaveNum\t{status.in_sync_slave_nums}")
    report.table(
        _SLAVES if all(slave.lag_millis is None for slave in slaves) else _TIMED_SLAVES,
        (
            (address, slave.addr, slave.slave_ack_offset, slave.diff, slave.transferred_byte_in_second,
             slave.in_sync, slave.transfer_from_where, slave.lag_millis)
            for slave in slaves
        ),
    )  # fmt: skip
    brokers[address] = {
        "master": True,
        "maxOffset": status.master_commit_log_max_offset,
        "slaves": len(slaves),
        "inSyncSlaves": status.in_sync_slave_nums,
    }


def _show_slave(report: Report, status: HARuntimeInfo) -> dict[str, Any]:
    known = status.ha_client_runtime_info
    report.say(f"\n#MasterAddr\t{java_text(known.master_addr)}")
    report.say(f"#CommitLogMaxOffset\t{known.max_offset}")
    report.say(f"#TransferSpeed(KB/s)\t{_kilobytes(known.transferred_byte_in_second)}")
    report.say(f"#LastReadTime\t{millis(known.last_read_timestamp)}")
    report.say(f"#LastWriteTime\t{millis(known.last_write_timestamp)}")
    report.say(f"#MasterFlushOffset\t{known.master_flush_offset}")
    return {
        "master": False,
        "masterAddress": known.master_addr,
        "maxOffset": known.max_offset,
        "bytesPerSecond": known.transferred_byte_in_second,
        "lastReadTimestamp": known.last_read_timestamp,
        "lastWriteTimestamp": known.last_write_timestamp,
        "masterFlushOffset": known.master_flush_offset,
    }


# --- getSyncStateSet -----------------------------------------------------------------------------------------------


@command(
    "getSyncStateSet",
    "Show which replicas keep up with their master, by the word of the controller.",
    value(
        "a", "controllerAddress", "Addresses of controllers, host:port joined by ';'; the first is asked.",
        required=True,
    ),
    cluster("Cluster whose brokers are shown."),
    value("b", "brokerName", "Name of the one broker to show."),
    _INTERVAL,
    data=(
        Member(
            "brokers",
            "By broker name: masterBrokerId, masterAddress, masterEpoch, syncStateSetEpoch, inSyncReplicas and"
            " notInSyncReplicas, lists of brokerName, brokerId, brokerAddress and alive.",
        ),
    ),
    needs_one_of=("b", "c"),
    examples=(
        ("getSyncStateSet -a 10.0.0.9:9878 -c DefaultCluster", "Show the replicas of every broker."),
    ),
)  # fmt: skip
async def get_sync_state_set(call: Call) -> AsyncIterator[Report]:
    """`getSyncStateSet`."""
    async for report in _again_and_again(call, _sync_state):
        yield report


async def _sync_state(call: Call) -> Report:
    from rmq.client.admin.clusters import replicas
    from rmq.client.admin.controllers import sync_state
    from rmq.client.errors import ClientError

    report = Report()
    report.put(brokers={})
    name = call.text("b")
    names = [name] if name is not None else []
    if name is None:
        names = list(dict.fromkeys(found.broker_name for found in await replicas(call.admin, call.required("c"))))
    if names:
        state = await sync_state(call.admin, call.required("a").strip().split(";")[0], names)
        _show_sync_state(report, state)
        for missing in names:
            if missing not in state.replicas_info_table:
                report.fail(ClientError(f"the controller knows no broker {missing}"))
    return report


def _show_sync_state(report: Report, state: BrokerReplicasInfo) -> None:
    from rmq.wire.declare import to_plain

    for name, known in state.replicas_info_table.items():
        report.say(f"\n#brokerName\t{name}")
        report.say(f"#MasterBrokerId\t{java_text(known.master_broker_id)}")
        report.say(f"#MasterAddr\t{java_text(known.master_address)}")
        report.say(f"#MasterEpoch\t{java_text(known.master_epoch)}")
        report.say(f"#SyncStateSetEpoch\t{java_text(known.sync_state_set_epoch)}")
        report.say(f"#SyncStateSetNums\t{len(known.in_sync_replicas)}")
        for replica in known.in_sync_replicas:
            report.say(f"\nInSyncReplica:\t{replica}")
        for replica in known.not_in_sync_replicas:
            report.say(f"\nNotInSyncReplica:\t{replica}")
        report.members["brokers"][name] = to_plain(known)


# --- getBrokerEpoch ------------------------------------------------------------------------------------------------


@command(
    "getBrokerEpoch",
    "Show which masters wrote the logs of brokers that obey a controller.",
    Group((value("b", "brokerName", "Name of the broker."), cluster("Cluster whose brokers, slaves too, are shown."))),
    _INTERVAL,
    data=(
        Member(
            "brokers",
            "By address: cluster, brokerName, brokerId, and epochs, a list of epoch, startOffset, endOffset (bytes).",
        ),
    ),
    differs=(OTHERS_GO_ON,),
    examples=(("getBrokerEpoch -b broker-a", "Show who wrote the logs of broker-a's replicas."),),
)
async def get_broker_epoch(call: Call) -> AsyncIterator[Report]:
    """`getBrokerEpoch`."""
    async for report in _again_and_again(call, _epochs):
        yield report


async def _epochs(call: Call) -> Report:
    from rmq.client.admin.controllers import broker_epochs

    report = Report()
    report.put(brokers={})
    targets = await _replicas_meant(call, report)
    done = await done_on_each(call, report, targets, lambda target: broker_epochs(call.admin, target.address))
    for target, outcome in done:
        _show_epochs(report, target.address, outcome)
    return report


async def _replicas_meant(call: Call, report: Report) -> list[Replica]:
    from rmq.admin.targets import replicas_in
    from rmq.client.admin.clusters import replicas
    from rmq.client.admin.errors import UnknownBrokerError

    name = call.text("b")
    if name is None:
        return await replicas_in(call, report, call.required("c"))
    known = await replicas(call.admin)
    found = [replica for replica in known if replica.broker_name == name]
    if not found:
        raise UnknownBrokerError(name, {replica.broker_name for replica in known})
    return found


def _show_epochs(report: Report, address: str, cache: EpochEntryCache) -> None:
    from rmq.wire.declare import to_plain

    report.say(f"\n#clusterName\t{java_text(cache.cluster_name)}")
    report.say(f"#brokerName\t{java_text(cache.broker_name)}")
    report.say(f"#brokerAddr\t{address}")
    report.say(f"#brokerId\t{cache.broker_id}")
    for entry in cache.epoch_list:
        report.say(f"#Epoch: {entry}")
    report.members["brokers"][address] = {
        "cluster": cache.cluster_name,
        "brokerName": cache.broker_name,
        "brokerId": cache.broker_id,
        "epochs": [to_plain(entry) for entry in cache.epoch_list],
    }


# --- resetMasterFlushOffset ----------------------------------------------------------------------------------------


@command(
    "resetMasterFlushOffset",
    "Set what a slave believes of how far its master's log is on the disk; a master ignores it.",
    broker("Address of the slave; needed."),
    value("o", "offset", "The offset, bytes; needed."),
    data=(Member("address", "Address of the slave."), Member("offset", "The offset, bytes.")),
    changes=True,
    examples=(
        (
            "resetMasterFlushOffset -b 10.0.0.2:10911 -o 1073741824",
            "Tell a slave that 1 GiB of the log is on its master's disk.",
        ),
    ),
)
async def reset_master_flush_offset(call: Call) -> Report:
    """`resetMasterFlushOffset`."""
    from rmq.client.admin.replication import reset_master_flush_offset as reset

    report = Report()
    address, text = call.text("b"), call.text("o")
    if address is None or text is None:
        raise CommandLineError("-b and -o are needed, the slave's address and the offset")
    offset = integer(text.strip(), bits=64)
    await reset(call.admin, address, offset)
    report.say(f"reset master flush offset to {offset} success")
    report.put(address=address, offset=offset)
    return report
