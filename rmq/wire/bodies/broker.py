"""A broker's own state.

Source: KVTable, BrokerStatsData, BrokerStatsItem, HARuntimeInfo, TimerMetrics.TimerMetricsSerializeWrapper.
"""

from __future__ import annotations

from dataclasses import field

from rmq.wire.bodies.version import DataVersion
from rmq.wire.declare import Int32, Int64, body


@body
class KVTable:
    """Names and values."""

    table: dict[str, str] = field(default_factory=dict)


@body
class BrokerStatsItem:
    """A statistic over one span: its sum, its rate per second, and its mean per event."""

    sum: Int64 = 0
    tps: float = 0.0
    avgpt: float = 0.0


@body
class BrokerStatsData:
    """A statistic over the last minute, hour and day."""

    stats_minute: BrokerStatsItem | None = None
    stats_hour: BrokerStatsItem | None = None
    stats_day: BrokerStatsItem | None = None


@body
class HAConnectionRuntimeInfo:
    """A master's view of one slave; offsets and differences in bytes.

    `lag_millis` is how long ago the master's log was where the slave's is now. Apache's brokers do not tell, and its
    tools leave it unread.
    """

    addr: str | None = None
    slave_ack_offset: Int64 = 0
    diff: Int64 = 0
    in_sync: bool = False
    transferred_byte_in_second: Int64 = 0
    transfer_from_where: Int64 = 0
    lag_millis: Int64 | None = None


@body
class HAClientRuntimeInfo:
    """A slave's view of its master; offsets in bytes, times in ms."""

    master_addr: str | None = None
    transferred_byte_in_second: Int64 = 0
    max_offset: Int64 = 0
    last_read_timestamp: Int64 = 0
    last_write_timestamp: Int64 = 0
    master_flush_offset: Int64 = 0


@body
class HARuntimeInfo:
    """State of replication."""

    master: bool = False
    master_commit_log_max_offset: Int64 = 0
    in_sync_slave_nums: Int32 = 0
    ha_connection_info: list[HAConnectionRuntimeInfo] = field(default_factory=list)
    ha_client_runtime_info: HAClientRuntimeInfo = field(default_factory=HAClientRuntimeInfo)


@body
class TimerMetric:
    """Messages of one topic that wait for their time; the timestamp (ms) is that of the last change."""

    count: Int64 = 0
    time_stamp: Int64 = 0


@body
class TimerMetrics:
    """Waiting messages by topic."""

    timing_count: dict[str, TimerMetric] = field(default_factory=dict)
    data_version: DataVersion = field(default_factory=DataVersion)
