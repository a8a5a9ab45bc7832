"""A broker's or a cluster's topics, groups, settings and load, as the plain objects that Apache's exports hold.

In a cluster's metadata the queues of a topic are those of all masters together; a single broker's are its tables as
they are, with their versions.

Source: org.apache.rocketmq.tools.command.export.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from rmq.client.admin.brokers import broker_config, first_number, runtime_info, whole_number
from rmq.client.admin.clusters import Replica
from rmq.client.admin.groups import consumer_connection
from rmq.client.admin.metadata import user_groups, user_topics
from rmq.client.admin.session import Admin
from rmq.remoting.errors import TransportError
from rmq.wire.bodies.broker import BrokerStatsData
from rmq.wire.bodies.group import SubscriptionGroupConfig
from rmq.wire.bodies.topic import TopicConfig, TopicConfigSerializeWrapper
from rmq.wire.codes import VERSION, version_name
from rmq.wire.declare import to_plain
from rmq.wire.errors import RemotingError
from rmq.wire.names import SCHEDULE_TOPIC, TRANS_HALF_TOPIC
from rmq.wire.requests.broker import ViewBrokerStatsData

TOPICS: Final = "topicConfigTable"
GROUPS: Final = "subscriptionGroupTable"
FORBIDDEN: Final = "forbiddenTable"
EXPORT_TIME: Final = "exportTime"
BROKER_CONFIGS: Final = "brokerConfigs"

EXPORTED_SETTINGS: Final = (
    "brokerClusterName",
    "brokerId",
    "brokerName",
    "brokerRole",
    "fileReservedTime",
    "filterServerNums",
    "flushDiskType",
    "maxMessageSize",
    "messageDelayLevel",
    "msgTraceTopicName",
    "slaveReadEnable",
    "traceOn",
    "traceTopicEnable",
    "useTLS",
    "autoCreateTopicEnable",
    "autoCreateSubscriptionGroup",
)
"""The settings that an export of configurations holds."""


# --- metadata ------------------------------------------------------------------------------------------------------


async def broker_topics(admin: Admin, address: str, *, special: bool) -> dict[str, Any]:
    """A broker's topics with their version; `special` keeps retry and dead-letter topics."""
    wrapper = await user_topics(admin, address, special=special)
    return to_plain(TopicConfigSerializeWrapper(wrapper.topic_config_table, wrapper.data_version))


async def broker_groups(admin: Admin, address: str) -> dict[str, Any]:
    """A broker's groups with their version, and what they may not read."""
    return to_plain(await user_groups(admin, address))


async def cluster_topics(admin: Admin, masters: list[str], *, special: bool) -> dict[str, Any]:
    """The topics of several masters, their queues added up."""
    merged: dict[str, TopicConfig] = {}
    for wrapper in await admin.each(masters, lambda address: user_topics(admin, address, special=special)):
        for name, config in wrapper.topic_config_table.items():
            known = merged.get(name)
            if known is not None:
                config.read_queue_nums += known.read_queue_nums
                config.write_queue_nums += known.write_queue_nums
            merged[name] = config
    return {TOPICS: {name: to_plain(config) for name, config in merged.items()}}


async def cluster_groups(admin: Admin, masters: list[str]) -> dict[str, Any]:
    """The groups of several masters, the queues of their retry topics added up."""
    merged: dict[str, SubscriptionGroupConfig] = {}
    for wrapper in await admin.each(masters, lambda address: user_groups(admin, address)):
        for name, config in wrapper.subscription_group_table.items():
            known = merged.get(name)
            if known is not None:
                config.retry_queue_nums += known.retry_queue_nums
            merged[name] = config
    return {GROUPS: {name: to_plain(config) for name, config in merged.items()}}


# --- configurations ------------------------------------------------------------------------------------------------


async def cluster_configs(admin: Admin, replicas: list[Replica]) -> dict[str, Any]:
    """Chosen settings of a cluster's masters, and how many servers of each kind there are."""
    masters = [replica.address for replica in replicas if replica.is_master]
    configs = {}
    for settings in await admin.each(masters, lambda address: broker_config(admin, address)):
        configs[settings.get("brokerName", "")] = {
            key: settings[key] for key in EXPORTED_SETTINGS if key in settings
        }
    led = {replica.broker_name for replica in replicas if replica.is_master}
    slaves = sum(not replica.is_master and replica.broker_name in led for replica in replicas)
    scale = {"namesrvSize": len(admin.nameservers), "masterBrokerSize": len(masters), "slaveBrokerSize": slaves}
    return {BROKER_CONFIGS: configs, "clusterScale": scale}


# --- load ----------------------------------------------------------------------------------------------------------


class _Load(NamedTuple):
    """Messages per second now, and messages of a whole day."""

    tps: dict[str, float]
    day: dict[str, int]


_TOTAL_TPS: Final = {
    "totalNormalInTps": "normalInTps",
    "totalNormalOutTps": "normalOutTps",
    "totalTransInTps": "transInTps",
    "totalScheduleInTps": "scheduleInTps",
}
_DAY: Final = ("normalOneDayInNum", "normalOneDayOutNum", "transOneDayInNum", "scheduleOneDayInNum")


async def cluster_metrics(admin: Admin, replicas: list[Replica]) -> dict[str, Any]:
    """Load and size of each master, and the load of all together."""
    masters = [replica for replica in replicas if replica.is_master]
    found = await admin.each(masters, lambda master: _metrics(admin, master.address))
    loads = [load for _, load in found]
    return {
        "evaluateReport": {master.broker_name: report for master, (report, _) in zip(masters, found, strict=True)},
        "totalData": {
            "totalTps": {total: sum((load.tps[name] for load in loads), 0.0) for total, name in _TOTAL_TPS.items()},
            "totalOneDayNum": {name: sum(load.day[name] for load in loads) for name in _DAY},
        },
    }


async def _metrics(admin: Admin, address: str) -> tuple[dict[str, Any], _Load]:
    figures = await runtime_info(admin, address)
    settings = await broker_config(admin, address)
    groups = (await user_groups(admin, address)).subscription_group_table
    topics = (await user_topics(admin, address)).topic_config_table
    load = await _load(admin, address, figures)
    environment = {
        "cpuNum": settings.get("clientCallbackExecutorThreads"),
        "totalMemKBytes": figures.get("totalMemKBytes"),
    }
    quota = {
        "diskRatio": _present({name: figures.get(name) for name in ("commitLogDiskRatio", "consumeQueueDiskRatio")}),
        "tps": load.tps,
        "oneDayNum": load.day,
        "messageAverageSize": figures.get("putMessageAverageSize"),
        "topicSize": len(topics),
        "groupSize": len(groups),
    }
    clients = await admin.each(list(groups), lambda group: _clients(admin, group))
    version = {"rocketmqVersion": version_name(VERSION), "clientInfo": sorted(set().union(*clients))}
    report = {"runtimeEnv": _present(environment), "runtimeQuota": _present(quota), "runtimeVersion": version}
    return report, load


def _present(members: dict[str, Any]) -> dict[str, Any]:
    return {name: member for name, member in members.items() if member is not None}


async def _load(admin: Admin, address: str, figures: dict[str, str]) -> _Load:
    transactions = await _stats(admin, address, TRANS_HALF_TOPIC)
    scheduled = await _stats(admin, address, SCHEDULE_TOPIC)

    def yesterday(kind: str) -> int:
        return whole_number(figures.get(f"msg{kind}TotalTodayMorning")) - whole_number(
            figures.get(f"msg{kind}TotalYesterdayMorning")
        )

    return _Load(
        {
            "normalInTps": first_number(figures.get("putTps")),
            "normalOutTps": first_number(figures.get("getTransferredTps")),
            "transInTps": _minute(transactions),
            "scheduleInTps": _minute(scheduled),
        },
        {
            "normalOneDayInNum": yesterday("Put"),
            "normalOneDayOutNum": yesterday("Get"),
            "transOneDayInNum": _day(transactions),
            "scheduleOneDayInNum": _day(scheduled),
        },
    )


async def _stats(admin: Admin, address: str, topic: str) -> BrokerStatsData | None:
    """What was put into a topic; None where nothing ever was."""
    try:
        return (await admin.call(address, ViewBrokerStatsData("TOPIC_PUT_NUMS", topic))).json(BrokerStatsData)
    except TransportError:
        raise
    except RemotingError:
        return None


async def _clients(admin: Admin, group: str) -> set[str]:
    """Languages and versions of a group's clients; none of a group that cannot be asked for."""
    try:
        connection = await consumer_connection(admin, group)
    except RemotingError:
        return set()
    return {f"{client.language}%{version_name(client.version)}" for client in connection.connection_set}


def _minute(stats: BrokerStatsData | None) -> float:
    return stats.stats_minute.tps if stats is not None and stats.stats_minute is not None else 0.0


def _day(stats: BrokerStatsData | None) -> int:
    """The sum over the longest span that has one (StatsAllSubCommand.compute24HourSum)."""
    spans = (stats.stats_day, stats.stats_hour, stats.stats_minute) if stats is not None else ()
    return next((span.sum for span in spans if span is not None and span.sum), 0)
