"""Exports of metadata, settings and load into JSON files.

Source: org.apache.rocketmq.tools.command.export.
"""

from __future__ import annotations

from typing import Any, Final

from rmq.admin.declare import Call, command
from rmq.admin.errors import CommandLineError
from rmq.admin.options import Option, broker, cluster, flag, value
from rmq.admin.output import Member, Report
from rmq.admin.targets import masters_in, replicas_in

DIRECTORY: Final = "/tmp/rocketmq/export"
"""Where exports go when no other place is given."""

_POP_SECONDS: Final = 30.0
_PATH = Member("path", "The file that was written.")
_NOTHING_WRITTEN = "With an unknown cluster it writes no file and reports no success."


def _directory(help: str) -> Option:
    return value("f", "filePath", help, default=DIRECTORY)


def _write(call: Call, report: Report, name: str, content: dict[str, Any], *, end: str = "") -> None:
    from rmq.wire import fastjson

    directory = DIRECTORY if call.text("f") is None else call.text("f")
    path = f"{directory}/{name}"
    call.write_file(path, fastjson.dumps(content, pretty=True))
    report.say(f"export {path} success", end=end)
    report.put(path=path)


@command(
    "exportMetadata",
    "Save topics and consumer groups as JSON.",
    cluster("Cluster whose topics and groups are saved; queues of all masters are added up."),
    broker("Address of the one broker whose tables are saved."),
    _directory("Directory for topic.json, subscriptionGroup.json or metadata.json."),
    flag("t", "topic", "Only topics, into topic.json."),
    flag("g", "subscriptionGroup", "Only groups, into subscriptionGroup.json."),
    flag("s", "specialTopic", "Retry and dead-letter topics too."),
    data=(
        _PATH,
        Member("topics", "Number of topics in it."),
        Member("groups", "Number of groups in it."),
    ),
    needs_one_of=("b", "c"),
    differs=(
        "With -b and neither -t nor -g it writes metadata.json; Apache's writes nothing and says nothing.",
        _NOTHING_WRITTEN,
    ),
    changes=True,
)
async def export_metadata(call: Call) -> Report:
    """`exportMetadata`."""
    from rmq.client.admin import export

    report = Report()
    topics, groups = call.given("t"), call.given("g") and not call.given("t")
    special = call.given("s")
    content: dict[str, Any] = {}
    address = call.text("b")
    if address is not None:
        if not groups:
            content |= await export.broker_topics(call.admin, address, special=special)
        if not topics:
            # Together in one file the two tables' versions would be mixed up.
            content.pop("dataVersion", None)
            content |= await export.broker_groups(call.admin, address)
            if not groups:
                del content["dataVersion"]
    else:
        masters = await masters_in(call, report, call.required("c"))
        if report.failures:
            return report
        if not groups:
            content |= await export.cluster_topics(call.admin, masters, special=special)
        if not topics:
            content |= await export.cluster_groups(call.admin, masters)
        content[export.EXPORT_TIME] = call.admin.now()
    name = "topic.json" if topics else "subscriptionGroup.json" if groups else "metadata.json"
    _write(call, report, name, content, end="" if address is not None else "\n")
    for member, table in (("topics", export.TOPICS), ("groups", export.GROUPS)):
        if table in content:
            report.put(**{member: len(content[table])})
    return report


@command(
    "exportConfigs",
    "Save chosen settings of a cluster's masters as JSON.",
    cluster(required=True),
    _directory("Directory for configs.json."),
    data=(_PATH, Member("brokers", "Names of the brokers in it.")),
    differs=(_NOTHING_WRITTEN,),
    changes=True,
)
async def export_configs(call: Call) -> Report:
    """`exportConfigs`."""
    from rmq.client.admin.export import BROKER_CONFIGS, cluster_configs

    report = Report()
    replicas = await replicas_in(call, report, call.required("c"))
    if report.failures:
        return report
    content = await cluster_configs(call.admin, replicas)
    _write(call, report, "configs.json", content)
    report.put(brokers=sorted(content[BROKER_CONFIGS]))
    return report


@command(
    "exportMetrics",
    "Save load and sizes of a cluster's masters as JSON.",
    cluster(required=True),
    _directory("Directory for metrics.json."),
    data=(_PATH, Member("brokers", "Names of the brokers in it.")),
    changes=True,
)
async def export_metrics(call: Call) -> Report:
    """`exportMetrics`."""
    from rmq.client.admin.clusters import replicas
    from rmq.client.admin.export import cluster_metrics

    report = Report()
    content = await cluster_metrics(call.admin, await replicas(call.admin, call.required("c")))
    _write(call, report, "metrics.json", content)
    report.put(brokers=sorted(content["evaluateReport"]))
    return report


@command(
    "exportPopRecord",
    "Make brokers roll their records of POP consumption back to the classic form.",
    cluster("Cluster whose brokers do it, slaves too."),
    broker("Address of the one broker to do it."),
    value("d", "dryRun", "Only say what would be done (true or false).", default="false"),
    data=(
        Member("brokers", "Objects of `brokerName`, `address` and `done`."),
        Member("dryRun", "Whether nothing was to be done."),
    ),
    needs_one_of=("b", "c"),
    differs=(
        "-d true is a dry run and -d false is none; Apache's has it the other way round.",
        "An unknown cluster, and neither -b nor -c, are failures; Apache's says nothing.",
    ),
    changes=True,
)
async def export_pop_record(call: Call) -> Report:
    """`exportPopRecord`."""
    from rmq.client.admin.brokers import broker_config
    from rmq.client.admin.clusters import replicas
    from rmq.wire.errors import RemotingError
    from rmq.wire.requests.pop import PopRollback

    wanted = (call.text("d") or "false").lower()
    if wanted not in {"true", "false"}:
        raise CommandLineError(f"-d {wanted}: true or false is expected")
    dry = wanted == "true"
    report = Report()
    report.put(brokers=[], dryRun=dry)
    address = call.text("b")
    if address is not None:
        targets = [((await broker_config(call.admin, address)).get("brokerName", "null"), address)]
    else:
        found = await replicas(call.admin, call.required("c"))
        targets = [(replica.broker_name, replica.address) for replica in found]
    for name, target in targets:
        facts = f"brokerName={name}, brokerAddr={target}, dryRun={'true' if dry else 'false'}"
        done = False
        try:
            if not dry:
                await call.admin.call(target, PopRollback(), timeout=max(_POP_SECONDS, call.admin.timeout))
                done = True
        except RemotingError as error:
            report.say(f"Export broker records error, {facts}")
            report.fail(error)
        else:
            report.say(f"Export broker records, {facts}")
        report.add("brokers", {"brokerName": name, "address": target, "done": done})
    return report
