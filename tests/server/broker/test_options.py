"""Settings in Apache's units as the store wants them."""

from rmq.server.broker.options import store_options
from tests.kit.broker import HOST, settings_of


def test_units_are_converted() -> None:
    options = store_options(
        settings_of(
            storePathRootDir="/r", mapedFileSizeCommitLog=4096, flushDiskType="SYNC_FLUSH", syncFlushTimeout=2500,
            flushIntervalCommitLog=250, flushCommitLogThoroughInterval=1500, maxMessageSize=1000,
            messageDelayLevel="1s 2s",
        ),
        HOST,
    )  # fmt: skip
    assert options.store_path_root_dir == "/r"
    assert options.store_path_commit_log == "/r/commitlog"
    assert options.store_host == HOST
    assert options.mapped_file_size_commit_log == 4096
    assert options.sync_flush is True
    assert (options.sync_flush_timeout, options.flush_interval_commit_log) == (2.5, 0.25)
    assert options.flush_commit_log_thorough_interval == 1.5
    assert (options.max_message_size, options.message_delay_level) == (1000, "1s 2s")


def test_defaults() -> None:
    options = store_options(settings_of(storePathRootDir="/r"), HOST)
    assert options.sync_flush is False
    assert options.mapped_file_size_commit_log == 1 << 30
    assert options.mapped_file_size_consume_queue == 300_000 * 20
    assert options.max_transfer_count_on_message_in_memory == 32
    assert options.max_transfer_bytes_on_message_in_disk == 65536
