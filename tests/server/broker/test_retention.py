"""What the store is to keep, in Apache's units and in the store's."""

from rmq.server.broker.retention import retention_of
from rmq.server.store.api import Retention
from rmq.settings.update import Effect, update
from tests.kit.broker import settings_of


def test_defaults() -> None:
    assert retention_of(settings_of()) == Retention()


def test_everything_changes_while_the_broker_runs() -> None:
    settings = settings_of()
    wanted = {
        "deleteWhen": "02;14", "fileReservedTime": "1", "deleteFileBatchMax": "7", "deleteCommitLogFilesInterval": "50",
        "cleanResourceInterval": "5000", "cleanFileForciblyEnable": "false", "diskMaxUsedSpaceRatio": "60",
        "diskSpaceCleanForciblyRatio": "70", "diskSpaceWarningLevelRatio": "80",
    }  # fmt: skip
    changes = update(settings, "".join(f"{key}={value}\n" for key, value in wanted.items()))
    assert {change.key: change.effect for change in changes} == dict.fromkeys(wanted, Effect.NOW)
    assert retention_of(settings) == Retention(
        delete_when="02;14", file_reserved_time=1, delete_file_batch_max=7, delete_commit_log_files_interval=0.05,
        clean_resource_interval=5.0, clean_file_forcibly_enable=False, disk_max_used_space_ratio=60,
        disk_space_clean_forcibly_ratio=0.7, disk_space_warning_level_ratio=0.8,
    )  # fmt: skip
