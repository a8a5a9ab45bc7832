"""How long the store keeps messages, as the settings say now.

Source: MessageStoreConfig, CleanCommitLogService.
"""

from __future__ import annotations

from rmq.server.store.api import Retention
from rmq.settings.model import BrokerSettings


def retention_of(settings: BrokerSettings) -> Retention:
    """What a broker's store is to keep; settings speak Apache's units, the store wants seconds and fractions."""
    store = settings.store
    return Retention(
        delete_when=store.delete_when,
        file_reserved_time=store.file_reserved_time,
        clean_resource_interval=store.clean_resource_interval / 1000,
        delete_commit_log_files_interval=store.delete_commit_log_files_interval / 1000,
        delete_file_batch_max=store.delete_file_batch_max,
        disk_max_used_space_ratio=store.disk_max_used_space_ratio,
        disk_space_warning_level_ratio=store.disk_warning_fraction,
        disk_space_clean_forcibly_ratio=store.disk_clean_forcibly_fraction,
        clean_file_forcibly_enable=store.clean_file_forcibly_enable,
    )
