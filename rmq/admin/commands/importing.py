"""The way back of exports. Apache has no such commands."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from rmq.admin.declare import Call, command
from rmq.admin.errors import CommandLineError
from rmq.admin.options import broker_or_cluster, flag, value
from rmq.admin.output import Column, Report, Table
from rmq.admin.targets import done_on_each, replicas_in

if TYPE_CHECKING:
    from rmq.client.admin.clusters import Replica
    from rmq.client.admin.importing import Metadata
    from rmq.client.admin.settings import ImportedSetting

_TOGETHER: Final = "metadata.json"
_APART: Final = ("topic.json", "subscriptionGroup.json")
_HEAD: Final = "%-24s  %-8s  %-48s  %-8s"

_ITEMS = Table(
    "items",
    "A topic or group on one broker, and its outcome: created, changed (it was there and was overwritten), same (it was"
    " like that already), skipped (it is there and differs) or failed.",
    _HEAD,
    _HEAD,
    (
        Column("brokerName", "#Broker Name"),
        Column("kind", "#Kind"),
        Column("name", "#Name"),
        Column("outcome", "#Outcome", str),
    ),
)


@command(
    "importMetadata",
    "Create the topics and groups that an export holds.",
    broker_or_cluster("Address of the one broker to make them on.", "Cluster to make them on, on every master."),
    value(
        "f",
        "filePath",
        "What exportMetadata wrote: metadata.json, topic.json or subscriptionGroup.json, or the directory that they"
        " are in; also a broker's own topics.json and subscriptionGroup.json.",
        required=True,
    ),
    flag("t", "topic", "Only topics."),
    flag("g", "subscriptionGroup", "Only groups."),
    flag("o", "overwrite", "Make topics and groups that are there already like those of the file."),
    data=(_ITEMS,),
    ours=True,
    changes=True,
)
async def import_metadata(call: Call) -> Report:
    """`importMetadata`."""
    from rmq.client.admin import importing

    report = Report()
    metadata = _read(call)
    items = await importing.import_metadata(
        call.admin, await _masters(call, report), metadata, overwrite=call.given("o")
    )
    report.table(_ITEMS, ((item.broker, item.kind, item.name, item.outcome.value) for item in items))
    report.say()
    for kind in ("topic", "group"):
        counts = [sum(item.kind == kind and item.outcome is outcome for item in items) for outcome in importing.Outcome]
        told = ", ".join(f"{count} {outcome}" for count, outcome in zip(counts, importing.Outcome, strict=True))
        report.say(f"{kind}s: {told}")
    for item in items:
        if item.error is not None:
            report.fail(item.error)
    return report


async def _masters(call: Call, report: Report) -> list[Replica]:
    """The brokers to import into."""
    from rmq.client.admin.brokers import broker_config
    from rmq.client.admin.clusters import MASTER, Replica

    address = call.text("b")
    if address is None:
        return [replica for replica in await replicas_in(call, report, call.required("c")) if replica.is_master]
    name = (await broker_config(call.admin, address)).get("brokerName", address)
    return [Replica("", name, MASTER, address)]


def _read(call: Call) -> Metadata:
    from rmq.admin.files import read_object
    from rmq.client.admin.importing import read_metadata
    from rmq.wire.errors import InvalidFieldError

    path = call.required("f")
    paths = _files_of(path) if os.path.isdir(path) else [path]
    try:
        found = read_metadata(map(read_object, paths))
    except InvalidFieldError as error:
        raise CommandLineError(f"{', '.join(paths)} is no export of metadata: {error.remark}") from None
    if call.given("t") and not call.given("g"):
        found.groups = {}
    if call.given("g") and not call.given("t"):
        found.topics = {}
    return found


def _files_of(directory: str) -> list[str]:
    """The exports in a directory; one of both tables comes before those of one table each."""
    together = os.path.join(directory, _TOGETHER)
    if os.path.isfile(together):
        return [together]
    apart = [path for name in _APART if os.path.isfile(path := os.path.join(directory, name))]
    if not apart:
        raise CommandLineError(f"{directory} holds neither {_TOGETHER} nor {' nor '.join(_APART)}")
    return apart


# --- settings ------------------------------------------------------------------------------------------------------

_SETTINGS = Table(
    "settings",
    "A setting that differs on a broker: its value there, the file's, and the outcome: changed, or skipped (a broker"
    " cannot change it while it runs, or must not at all).",
    "%-24s  %-32s  %-24s  %-24s  %-8s",
    "%-24s  %-32s  %-24s  %-24s  %-8s",
    (
        Column("brokerName", "#Broker Name"),
        Column("key", "#Key"),
        Column("before", "#Before"),
        Column("wanted", "#Wanted"),
        Column("outcome", "#Outcome"),
    ),
)


@command(
    "importConfigs",
    "Make brokers' settings those of an export, as far as they can change while brokers run.",
    broker_or_cluster("Address of the one broker to change.", "Cluster whose masters are changed."),
    value("f", "filePath", "What exportConfigs wrote: configs.json, or the directory that it is in.", required=True),
    value("s", "source", "Name of the broker in the file whose settings are taken.", default="the broker's own name"),
    data=(_SETTINGS,),
    ours=True,
    changes=True,
)
async def import_configs(call: Call) -> Report:
    """`importConfigs`."""
    from rmq.client.admin.settings import import_settings

    report = Report()
    configs, path = _read_configs(call)
    source = call.text("s")
    if source is not None and source not in configs:
        raise CommandLineError(f"{path} holds no broker {source}: {', '.join(sorted(configs)) or 'it holds none'}")
    masters = await _masters(call, report)
    for master in masters:
        if (source or master.broker_name) not in configs:
            raise CommandLineError(
                f"{path} holds no broker {master.broker_name}; -s names one of {', '.join(sorted(configs))}"
            )

    async def change(master: Replica) -> list[ImportedSetting]:
        return await import_settings(call.admin, master.address, configs[source or master.broker_name])

    rows: list[tuple[str, ...]] = []
    for master, outcome in await done_on_each(call, report, masters, change):
        rows += [(master.broker_name, *item) for item in outcome]
    report.table(_SETTINGS, rows)
    return report


def _read_configs(call: Call) -> tuple[dict[str, dict[str, str]], str]:
    from rmq.admin.files import read_object

    path = call.required("f")
    if os.path.isdir(path):
        path = os.path.join(path, "configs.json")
    content = read_object(path)
    inner: Any = content.get("configs", content)
    configs = inner.get("brokerConfigs") if isinstance(inner, dict) else None
    if not isinstance(configs, dict) or not all(isinstance(settings, dict) for settings in configs.values()):
        raise CommandLineError(f"{path} is no export of configurations: brokerConfigs is missing")
    return {name: {key: str(setting) for key, setting in settings.items()} for name, settings in configs.items()}, path
