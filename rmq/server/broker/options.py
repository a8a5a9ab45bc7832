"""The store's options as the settings give them.

Settings speak Apache's units (milliseconds, percent); the store wants seconds and fractions. These are taken when the
store is opened; what can change while it is open is in `retention.py`.
"""

from __future__ import annotations

from rmq.server.store.api import StoreOptions
from rmq.settings.model import BrokerSettings
from rmq.settings.store import BrokerRole, FlushDiskType


def store_options(settings: BrokerSettings, store_host: bytes) -> StoreOptions:
    """The options of a broker's store.

    Args:
        settings: all settings.
        store_host: packed address and port that every record carries.
    """
    store = settings.store
    return StoreOptions(
        store_path_root_dir=store.store_path_root_dir,
        store_path_commit_log=store.commit_log_dir,
        store_host=store_host,
        mapped_file_size_commit_log=store.mapped_file_size_commit_log,
        mapped_file_size_consume_queue=store.consume_queue_file_size,
        max_hash_slot_num=store.max_hash_slot_num,
        max_index_num=store.max_index_num,
        message_index_enable=store.message_index_enable,
        max_message_size=store.max_message_size,
        check_crc_on_recover=store.check_crc_on_recover,
        sync_flush=store.flush_disk_type is FlushDiskType.SYNC_FLUSH,
        sync_flush_timeout=store.sync_flush_timeout / 1000,
        flush_interval_commit_log=store.flush_interval_commit_log / 1000,
        flush_commit_log_least_pages=store.flush_commit_log_least_pages,
        flush_commit_log_thorough_interval=store.flush_commit_log_thorough_interval / 1000,
        access_message_in_memory_max_ratio=store.access_message_in_memory_max_ratio,
        max_transfer_count_on_message_in_memory=store.max_transfer_count_on_message_in_memory,
        max_transfer_bytes_on_message_in_memory=store.max_transfer_bytes_on_message_in_memory,
        max_transfer_count_on_message_in_disk=store.max_transfer_count_on_message_in_disk,
        max_transfer_bytes_on_message_in_disk=store.max_transfer_bytes_on_message_in_disk,
        max_filter_message_size=store.max_filter_message_size,
        max_msgs_num_batch=store.max_msgs_num_batch,
        message_delay_level=store.message_delay_level,
        read_only=store.broker_role is BrokerRole.SLAVE,
    )
