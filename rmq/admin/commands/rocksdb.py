"""Tables that brokers keep in RocksDB, as JSON.

Source: org.apache.rocketmq.tools.command.export.ExportMetadataInRocksDBCommand, metadata.RocksDBConfigToJsonCommand.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from rmq.admin.declare import Call, command
from rmq.admin.options import broker, value
from rmq.admin.output import Member, Report

if TYPE_CHECKING:
    from rmq.admin.rocksdb import StoredTable

_OFFSETS: Final = "consumerOffsets"
_TABLES: Final = {
    "topics": "topicConfigTable",
    "subscriptionGroups": "subscriptionGroupTable",
    _OFFSETS: "offsetTable",
}
"""Each kind of table, and the member that it is in JSON."""
_SECONDS: Final = 30.0

_CONVERT: Final = (
    "Convert RocksDB kv config (topics/subscriptionGroups/consumerOffsets) to json. [rpc mode] Use [-n, -c, -b, -t] to"
    " send Request to broker ( version >= 5.3.2 ) or [local mode] use [-p, -t, -j, -e] to load RocksDB. If -e is"
    " provided, tools will export json file instead of std print"
)
"""What Apache's command prints when no mode is chosen."""


@command(
    "exportMetadataInRocksDB",
    "Show the topics or groups of a broker's RocksDB directory.",
    value("p", "path", "The broker's directory config, which holds the RocksDB directories.", required=True),
    value("t", "configType", "topics or subscriptionGroups.", required=True),
    value("j", "jsonEnable", "As one JSON object (true or false).", default="false"),
    data=(Member("table", "The table by name, as stored."),),
    differs=("Failures make the exit code 1.",),
)
async def export_metadata_in_rocksdb(call: Call) -> Report:
    """`exportMetadataInRocksDB`."""
    from rmq.admin.rocksdb import RocksDBError, read_table

    report = Report()
    path, kind = call.required("p"), call.required("t")
    if not os.path.exists(path):
        report.say("RocksDB path is invalid.")
        return report.fail(RocksDBError(f"{path} does not exist"))
    directory = f"{path.removesuffix('/')}/{kind}"
    try:
        table = read_table(directory)
    except RocksDBError as error:
        report.say(f"RocksDB load error, path={directory}")
        return report.fail(error)
    member = {name.lower(): member for name, member in _TABLES.items() if name != _OFFSETS}.get(kind.lower())
    if member is None:
        report.say(f"Invalid config type={kind}, Options: topics,subscriptionGroups")
        return report.fail(RocksDBError(f"{kind} is neither topics nor subscriptionGroups"))
    rows = _rows(table)
    report.put(table=rows)
    if call.truth("j"):
        _say_json(report, {member: rows})
    else:
        for number, (name, text) in enumerate(table.rows, start=1):
            report.say(f"{number}, Key: {name}, Value: {text}")
    return report


@command(
    "rocksDBConfigToJson",
    "Turn tables in RocksDB into JSON, on brokers or here.",
    value(
        "t",
        "configType",
        "topics, subscriptionGroups and consumerOffsets, joined by ';'; exactly one with -p.",
        default="all three",
    ),
    value("p", "configPath", "The broker's directory config on this machine."),
    value("e", "exportFile", "With -p: file to write the JSON to; what it held stays beside it as .bak."),
    value("j", "jsonEnable", "With -p and without -e: as JSON (true or false).", default="true"),
    value(
        "n",
        "nameserverAddr",
        "Name servers, host:port joined by ';'; without -b and -p the cluster is asked then.",
        default="NAMESRV_ADDR, else 127.0.0.1:9876",
    ),
    value("c", "cluster", "Cluster whose masters write JSON files in their own directories."),
    broker("Address of the one broker that writes JSON files in its own directory."),
    data=(
        Member("brokers", "With -c and -b: addresses of the brokers that did it."),
        Member("tables", "With -p: the object that is printed."),
        Member("path", "With -e: the file that was written."),
    ),
    differs=(
        "With -c only the brokers of that cluster do it; Apache's asks every broker that the name server knows.",
        "-c does without -n, as the name server has a default.",
        "With -p more than one kind of table is refused; Apache's takes the first one.",
        "`broker export done.` is printed when all brokers did it.",
    ),
    changes=True,
)
async def rocksdb_config_to_json(call: Call) -> Report:
    """`rocksDBConfigToJson`."""
    report = Report()
    kinds = _kinds(call, report)
    if kinds is None:
        return report
    if call.given("c") or (call.given("n") and not call.given("b") and not call.given("p")):
        report.say("Use [rpc mode] call all brokers in cluster to export to json file ")
        if not call.given("c"):
            return _incomplete(report, "rpc mode", "cluster", "-c")
        return await _in_cluster(call, report, kinds)
    if call.given("b"):
        report.say("Use [rpc mode] call broker to export to json file ")
        return await _on_brokers(call, report, [call.required("b")], kinds)
    if call.given("p"):
        report.say("Use [local mode] load rocksdb to print or export file ")
        if not call.given("t"):
            return _incomplete(report, "local mode", "configType", "-t")
        return _here(call, report, kinds)
    report.say(_CONVERT)
    report.refusal = "-c, -b or -p is missing"
    return report


def _incomplete(report: Report, mode: str, name: str, option: str) -> Report:
    report.say(f"{mode} Invalid args, please input {name}")
    report.refusal = f"{option} is missing"
    return report


def _kinds(call: Call, report: Report) -> list[str] | None:
    """The kinds of tables asked for; None after a refusal."""
    given = call.text("t")
    if given is None:
        return list(_TABLES)
    known = {name.lower(): name for name in _TABLES}
    words = [word for part in given.split(";") if (word := part.strip())]
    found = [known.get(word.lower()) for word in words]
    if not found or None in found:
        report.say(f"Invalid configType: {given} please input topics/subscriptionGroups/consumerOffsets ")
        report.refusal = f"-t {given}: {', '.join(_TABLES)} are expected"
        return None
    return [name for name in found if name is not None]


# --- on brokers ----------------------------------------------------------------------------------------------------


async def _in_cluster(call: Call, report: Report, kinds: list[str]) -> Report:
    from rmq.client.admin.clusters import replicas
    from rmq.client.admin.errors import UnknownClusterError

    report.put(brokers=[])
    try:
        found = await replicas(call.admin, call.required("c"))
    except UnknownClusterError as error:
        report.say("clusterAddrTable is empty", end="")
        return report.fail(error)
    return await _on_brokers(call, report, [replica.address for replica in found if replica.is_master], kinds)


async def _on_brokers(call: Call, report: Report, addresses: list[str], kinds: list[str]) -> Report:
    from rmq.wire.errors import RemotingError
    from rmq.wire.requests.broker import ExportRocksdbConfigToJson

    report.put(brokers=[])
    header = ExportRocksdbConfigToJson("".join(f"{kind};" for kind in kinds))

    async def ask(address: str) -> None:
        await call.admin.call(address, header, timeout=max(_SECONDS, call.admin.timeout))

    for address, outcome in zip(addresses, await call.admin.attempt_each(addresses, ask), strict=True):
        if isinstance(outcome, RemotingError):
            report.say(f"{address} export error")
            report.fail(outcome)
        else:
            report.add("brokers", address)
    if not report.failures:
        report.say("broker export done.", end="")
    return report


# --- here ----------------------------------------------------------------------------------------------------------


def _here(call: Call, report: Report, kinds: list[str]) -> Report:
    from rmq.admin.rocksdb import RocksDBError, read_table
    from rmq.wire import fastjson

    path = call.required("p")
    if len(kinds) > 1:
        report.refusal = "-t: one kind of table is expected with -p"
        return report
    if not os.path.exists(path):
        report.say("Rocksdb path is invalid.")
        return report.fail(RocksDBError(f"{path} does not exist"))
    (kind,) = kinds
    try:
        tables = _tables(kind, read_table(os.path.join(path, kind)))
    except RocksDBError as error:
        report.say("Failed to initialize ConfigRocksDBStorage.")
        return report.fail(error)
    file = call.text("e")
    if file is not None:
        _export(call, file, fastjson.dumps(tables, pretty=True))
        report.put(path=file)
    elif (call.text("j") or "true").lower() == "false":
        _say_rows(report, tables)
    else:
        _say_json(report, tables)
    report.put(tables=fastjson.loads(fastjson.dumps(tables, strict=True)))
    return report


def _tables(kind: str, table: StoredTable) -> dict[str, Any]:
    rows = _rows(table)
    if kind == _OFFSETS:
        return {_TABLES[kind]: {name: _by_queue(row) for name, row in rows.items()}}
    version = {} if table.version is None else {"dataVersion": _object("the version", table.version)}
    return {**version, _TABLES[kind]: rows}


def _by_queue(row: dict[str, Any]) -> dict[int, int]:
    """The offsets of a group in a topic, by queue."""
    return {int(queue): offset for queue, offset in row.get("offsetTable", {}).items()}


def _rows(table: StoredTable) -> dict[str, Any]:
    return {name: _object(name, text) for name, text in table.rows}


def _object(name: str, text: str) -> dict[str, Any]:
    from rmq.admin.rocksdb import RocksDBError
    from rmq.wire import fastjson

    try:
        found = fastjson.loads(text)
    except fastjson.JSONError as error:
        raise RocksDBError(f"{name} holds no JSON: {error}") from None
    if not isinstance(found, dict):
        raise RocksDBError(f"{name} holds no JSON object")
    return found


def _export(call: Call, path: str, text: str) -> None:
    if os.path.exists(path):
        with open(path, encoding="utf-8", errors="replace") as file:
            call.write_file(f"{path}.bak", file.read())
    call.write_file(path, text)


def _say_json(report: Report, content: dict[str, Any]) -> None:
    from rmq.wire import fastjson

    report.say(fastjson.dumps(content, pretty=True))


def _say_rows(report: Report, tables: dict[str, Any]) -> None:
    from rmq.wire import fastjson
    from rmq.wire.bodies.printed import java_text

    number = 0
    for name, rows in tables.items():
        report.say(f"type: {name}", end="")
        for key, row in rows.items():
            number += 1
            # Rows are JSON; the offsets of a group and the members of a version are not.
            is_json = isinstance(row, dict) and name != _TABLES[_OFFSETS]
            report.say(f"{number}, Key: {key}, Value: {fastjson.dumps(row) if is_json else java_text(row)}")
