"""The broker's runtime information: what `brokerStatus`, `clusterList` and dashboards show.

The keys are Apache's, also those for parts that work differently here: a broker on a reactor has no thread pools, so
their queues are empty.

Source: AdminBrokerProcessor.prepareRuntimeInfo, StoreStatsService.getRuntimeInfo.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from rmq.server.broker.stats import BrokerStats
from rmq.server.store.store import MessageStore
from rmq.settings.model import BrokerSettings
from rmq.wire.codes import VERSION, version_name

_POOLS: Final = {"send": 10000, "pull": 100000, "litePull": 100000, "query": 20000, "ack": 100000}
_MAX_INT: Final = 2147483647


class RuntimeInfo:
    """Collects the figures when asked.

    Args:
        now: milliseconds since the epoch.
        disk_space: total and free bytes of the store's disk.
        delays: the figures of delayed messages.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        store: MessageStore,
        stats: BrokerStats,
        now: Callable[[], int],
        disk_space: Callable[[str], tuple[int, int]],
        delays: Callable[[], Mapping[str, object]],
    ) -> None:
        self._settings = settings
        self._store = store
        self._stats = stats
        self._now = now
        self._disk_space = disk_space
        self._delays = delays

    def table(self) -> dict[str, str]:
        """All keys and their values as text."""
        values = {**self._store_figures(), **self._traffic_figures(), **_pool_figures(), **self._delays()}
        return {key: _text(value) for key, value in values.items()}

    def _store_figures(self) -> dict[str, object]:
        store = self._store
        log_ratio = store.commit_log_disk_ratio()
        total, free = self._disk_space(self._settings.store.store_path_root_dir)
        behind = store.log_max_offset - store.flushed_offset
        return {
            "brokerActive": True,
            "brokerVersionDesc": version_name(VERSION),
            "bootTimestamp": self._stats.boot_time,
            "runtime": _duration(self._now() - self._stats.boot_time),
            "commitLogDiskRatio": log_ratio,
            f"commitLogDiskRatio_{self._settings.store.commit_log_dir}": log_ratio,
            "consumeQueueDiskRatio": store.consume_queue_disk_ratio(),
            "commitLogMinOffset": store.log_min_offset,
            "commitLogMaxOffset": store.log_max_offset,
            "commitLogDirCapacity": f"Total : {_size(total)}, Free : {_size(free)}.",
            "dispatchBehindBytes": 0,
            "dispatchMaxBuffer": 0,
            "pageCacheLockTimeMills": 0,
            "earliestMessageTimeStamp": store.earliest_message_time(),
            "startAcceptSendRequestTimeStamp": 0,
            "remainTransientStoreBufferNumbs": _MAX_INT,
            "remainHowManyDataToFlush": _size(behind),
        }

    def _traffic_figures(self) -> dict[str, object]:
        stats = self._stats
        average = stats.put_bytes / stats.put_total if stats.put_total else 0.0
        return {
            "msgPutTotalYesterdayMorning": stats.put_yesterday_morning,
            "msgPutTotalTodayMorning": stats.put_this_morning,
            "msgPutTotalTodayNow": stats.put_total,
            "msgGetTotalYesterdayMorning": stats.get_yesterday_morning,
            "msgGetTotalTodayMorning": stats.get_this_morning,
            "msgGetTotalTodayNow": stats.get_total,
            "putTps": stats.rates("put"),
            "getFoundTps": stats.rates("found"),
            "getMissTps": stats.rates("miss"),
            "getTotalTps": stats.rates("pulls"),
            "getTransferredTps": stats.rates("got"),
            "putMessageTimesTotal": stats.put_total,
            "putMessageFailedTimes": stats.put_failures,
            "putMessageSizeTotal": stats.put_bytes,
            "putMessageAverageSize": average,
            "putMessageEntireTimeMax": 0,
            "getMessageEntireTimeMax": 0,
            "putMessageDistributeTime": "null",
            "putLatency99": "0.00",
            "putLatency999": "0.00",
        }


def _pool_figures() -> dict[str, object]:
    figures: dict[str, object] = {"EndTransactionQueueSize": 0, "EndTransactionThreadPoolQueueCapacity": 100000}
    for pool, capacity in _POOLS.items():
        figures[f"{pool}ThreadPoolQueueSize"] = 0
        figures[f"{pool}ThreadPoolQueueCapacity"] = capacity
        figures[f"{pool}ThreadPoolQueueHeadWaitTimeMills"] = 0
    return figures


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _duration(millis: int) -> str:
    minutes, seconds = divmod(millis // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"[ {days} days, {hours} hours, {minutes} minutes, {seconds} seconds ]"


def _size(count: float) -> str:
    """Bytes in binary units with one decimal (MixAll.humanReadableByteCount)."""
    if count < 1024:
        return f"{int(count)} B"
    for unit in ("Ki", "Mi", "Gi", "Ti", "Pi"):
        count /= 1024
        if count < 1024 or unit == "Pi":
            break
    return f"{count:.1f} {unit}B"
