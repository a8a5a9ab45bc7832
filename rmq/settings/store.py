"""Keys of the message store and replication (Apache's MessageStoreConfig) that change what they do."""

from __future__ import annotations

import enum
import os
from dataclasses import dataclass

from rmq.settings.checks import delay_levels, hours_of_day, one_address, one_directory
from rmq.settings.environment import home_path
from rmq.settings.option import computed, option

_CQ_UNIT = 20
"""Bytes of one consume-queue unit; a queue file holds whole units."""


class FlushDiskType(enum.Enum):
    """When an append is acknowledged."""

    SYNC_FLUSH = "SYNC_FLUSH"
    ASYNC_FLUSH = "ASYNC_FLUSH"


class BrokerRole(enum.Enum):
    """The broker's part in its group."""

    ASYNC_MASTER = "ASYNC_MASTER"
    SYNC_MASTER = "SYNC_MASTER"
    SLAVE = "SLAVE"


@dataclass(slots=True)
class StoreConfig:
    """The store's section."""

    # Places and file sizes
    store_path_root_dir: str = computed(
        home_path("store"), "$HOME/store", "Directory of everything that is kept.", important=True
    )
    store_path_commit_log: str | None = option(
        None, "Directory of the commit log.", shown="storePathRootDir/commitlog", important=True,
        check=one_directory,
    )
    mapped_file_size_commit_log: int = option(
        1_073_741_824, "Size of a commit-log file.",
        unit="bytes", minimum=1024, aliases=("mapedFileSizeCommitLog",)
    )
    mapped_file_size_consume_queue: int = option(
        6_000_000, "Size of a consume-queue file, rounded up to whole units of 20 bytes.", unit="bytes",
        minimum=_CQ_UNIT, aliases=("mapedFileSizeConsumeQueue",),
    )  # fmt: skip
    max_hash_slot_num: int = option(5_000_000, "Hash slots of an index file.", minimum=1)
    max_index_num: int = option(20_000_000, "Entries of an index file.", minimum=2)

    # Writing
    flush_disk_type: FlushDiskType = option(  # noqa: RUF009 - a declaration, made once
        FlushDiskType.ASYNC_FLUSH, "When an append is acknowledged: once it is on the disk, or before.",
        important=True
    )
    max_message_size: int = option(4_194_304, "Largest message body.", unit="bytes", minimum=1)
    sync_flush_timeout: int = option(
        5_000, "Time in which the disk must confirm an append of SYNC_FLUSH.",
        unit="ms", minimum=1
    )

    # Flushing
    flush_interval_commit_log: int = option(
        500, "Pause between two flushes of the commit log.",
        unit="ms", minimum=1, important=True
    )
    flush_commit_log_least_pages: int = option(
        4, "Dirty pages of 4 KiB below which a flush is left out.", unit="pages", minimum=0
    )
    flush_commit_log_thorough_interval: int = option(
        10_000, "Pause after which any dirty page is flushed; a second at most.", unit="ms", minimum=1
    )

    # Reading
    max_transfer_bytes_on_message_in_memory: int = option(
        262_144, "Bytes of one pull of recent messages.",
        unit="bytes", minimum=1, important=True
    )
    max_transfer_count_on_message_in_memory: int = option(
        32, "Messages of one pull of recent messages.", minimum=1, important=True
    )
    max_transfer_bytes_on_message_in_disk: int = option(
        65_536, "Bytes of one pull of old messages.", unit="bytes", minimum=1, important=True
    )
    max_transfer_count_on_message_in_disk: int = option(
        8, "Messages of one pull of old messages.", minimum=1, important=True
    )
    access_message_in_memory_max_ratio: int = option(
        40, "Share of the machine's memory within which messages count as recent.",
        unit="%", minimum=0, maximum=100, important=True,
    )  # fmt: skip
    max_filter_message_size: int = option(
        16_000, "Bytes of queue units that one filtered pull looks at.",
        unit="bytes", minimum=_CQ_UNIT
    )
    message_index_enable: bool = option(
        True, "Whether messages are indexed by key.", important=True
    )
    default_query_max_num: int = option(
        32, "Messages of a query by key that does not say how many.", minimum=1, dynamic=True
    )
    max_msgs_num_batch: int = option(64, "Most messages of a query by key.", minimum=1)

    # Cleaning
    delete_when: str = option(
        "04", "Hours of the day (00 to 23, joined by ';') at which expired files are deleted.",
        dynamic=True, important=True, check=hours_of_day,
    )  # fmt: skip
    file_reserved_time: int = option(
        72, "Age at which a file expires.", unit="h", dynamic=True, minimum=0, important=True
    )
    delete_file_batch_max: int = option(
        10, "Files deleted in one round.", minimum=1, dynamic=True, important=True
    )
    delete_commit_log_files_interval: int = option(
        100, "Pause between two deletions of commit-log files.", unit="ms", dynamic=True, minimum=0
    )
    clean_resource_interval: int = option(
        10_000, "Pause between two rounds of cleaning.", unit="ms", dynamic=True, minimum=1
    )
    clean_file_forcibly_enable: bool = option(
        True, "Whether a nearly full disk deletes files before they expire.", dynamic=True, important=True
    )
    disk_max_used_space_ratio: int = option(
        75, "Disk use at which expired files are deleted at any hour; 10 to 95 are used.", unit="%", dynamic=True,
        minimum=0, maximum=100,
    )  # fmt: skip
    disk_space_clean_forcibly_ratio: int = option(
        85, "Disk use at which the oldest files are deleted; 30 to 85 are used.", unit="%", dynamic=True,
        minimum=0, maximum=100,
    )  # fmt: skip
    disk_space_warning_level_ratio: int = option(
        90, "Disk use at which messages are refused; 35 to 90 are used.", unit="%", dynamic=True,
        minimum=0, maximum=100,
    )  # fmt: skip

    # Recovery
    check_crc_on_recover: bool = option(
        True, "Whether recovery checks the checksum of message bodies.", key="checkCRCOnRecover"
    )

    # Delay
    message_delay_level: str = option(
        "1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h",
        "Delays of the levels 1, 2, ...: numbers with s, m, h or d.",
        check=delay_levels,
    )
    flush_delay_offset_interval: int = option(
        10_000, "Pause between two writes of the levels' progress.", unit="ms", minimum=1, bits=64
    )
    timer_wheel_enable: bool = option(True, "Whether messages may be sent for any delay or point in time.")
    timer_max_delay_sec: int = option(
        259_200, "Longest delay of a timed message.", unit="s", minimum=0, dynamic=True
    )
    timer_precision_ms: int = option(
        1_000, "Timed messages leave when the next multiple of this is over; fixed once there is a timer wheel.",
        unit="ms", minimum=1, maximum=1_000,
    )  # fmt: skip
    timer_roll_window_slot: int = option(
        172_800, "Slots that are looked ahead; what is due later is stored again when they are over.",
        minimum=0,
    )  # fmt: skip
    timer_congest_num_each_slot: int = option(
        2_147_483_647, "Messages in a slot beyond which more and more are refused.", minimum=0, dynamic=True
    )
    timer_flush_interval_ms: int = option(
        1_000, "Pause between two writes of the timer's progress.", unit="ms", minimum=1, dynamic=True
    )
    timer_stop_enqueue: bool = option(
        False, "Whether timed messages stay in the timer's topic instead of being sorted in.", dynamic=True
    )
    timer_stop_dequeue: bool = option(False, "Whether timed messages that are due stay.", dynamic=True)
    append_topic_for_timer_delete_key: bool = option(
        False, "Whether a recall names topic and id of its message instead of the id; both are understood.",
        dynamic=True
    )
    mapped_file_size_timer_log: int = option(
        104_857_600, "Size of a timer log file.", unit="bytes", minimum=4096
    )

    # Replication
    broker_role: BrokerRole = option(  # noqa: RUF009 - a declaration, made once
        BrokerRole.ASYNC_MASTER,
        "Master that does not wait for slaves, master that waits for as many as inSyncReplicas says, or slave.",
        important=True
    )
    ha_listen_port: int = option(
        0, "Port on which slaves fetch the commit log; 0 with listenPort=0 lets the system choose.",
        shown="listenPort + 1", minimum=0, maximum=65535
    )
    ha_master_address: str | None = option(
        None, "host:port where a slave fetches the commit log, instead of what the name server says.",
        important=True, check=one_address,
    )
    in_sync_replicas: int = option(
        1, "Replicas, the master among them, that a SYNC_MASTER wants a message on before it acknowledges it; "
        "with 1 it waits for no slave.",
        minimum=0, dynamic=True, important=True,
    )  # fmt: skip
    slave_timeout: int = option(
        3_000, "Time after which a send that waits for slaves is answered FLUSH_SLAVE_TIMEOUT.",
        unit="ms", minimum=1, dynamic=True,
    )
    ha_send_heartbeat_interval: int = option(
        5_000, "Silence after which master and slave send each other a sign of life.",
        unit="ms", minimum=1, dynamic=True,
    )
    ha_housekeeping_interval: int = option(
        20_000, "Silence after which master and slave take the connection for dead.",
        unit="ms", minimum=1, dynamic=True,
    )
    ha_transfer_batch_size: int = option(
        32_768, "Largest piece of the commit log in one frame to a slave.",
        unit="bytes", minimum=1, maximum=4 * 1024 * 1024 - 12, dynamic=True,
    )  # fmt: skip
    ha_max_gap_not_in_sync: int = option(
        268_435_456, "Lag from which on a slave is shown as not in sync.", unit="bytes", minimum=0, dynamic=True
    )
    ha_flow_control_enable: bool = option(
        False, "Whether a slave gets no more than maxHaTransferByteInSecond.", dynamic=True, important=True
    )
    max_ha_transfer_byte_in_second: int = option(
        104_857_600, "Bytes a second for one slave when haFlowControlEnable is true.",
        unit="bytes", minimum=1, bits=64, dynamic=True,
    )  # fmt: skip
    offset_check_in_slave: bool = option(
        False, "Whether a slave sends a reader beyond its end back, like a master.", dynamic=True
    )

    @property
    def commit_log_dir(self) -> str:
        """storePathCommitLog, which follows storePathRootDir unless it is set."""
        return self.store_path_commit_log or os.path.join(self.store_path_root_dir, "commitlog")

    @property
    def consume_queue_file_size(self) -> int:
        """mappedFileSizeConsumeQueue rounded up to whole units."""
        return -(-self.mapped_file_size_consume_queue // _CQ_UNIT) * _CQ_UNIT

    @property
    def disk_clean_forcibly_fraction(self) -> float:
        """Disk use (0 to 1) at which the oldest files go, within Apache's limits."""
        return _within(self.disk_space_clean_forcibly_ratio, 30, 85)

    @property
    def disk_warning_fraction(self) -> float:
        """Disk use (0 to 1) at which messages are refused, within Apache's limits."""
        return _within(self.disk_space_warning_level_ratio, 35, 90)


def _within(percent: int, low: int, high: int) -> float:
    return max(low, min(percent, high)) / 100
