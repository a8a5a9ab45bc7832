"""What sections derive from their keys."""

from __future__ import annotations

import pytest

from rmq.settings.broker import BrokerConfig
from rmq.settings.model import BrokerSettings, Settings, catalogue
from rmq.settings.store import StoreConfig


def test_commit_log_follows_the_root_unless_set() -> None:
    assert StoreConfig(store_path_root_dir="/r").commit_log_dir == "/r/commitlog"
    assert StoreConfig(store_path_root_dir="/r", store_path_commit_log="/c").commit_log_dir == "/c"


@pytest.mark.parametrize(("size", "rounded"), [(6_000_000, 6_000_000), (21, 40), (20, 20), (39, 40)])
def test_queue_files_hold_whole_units(size: int, rounded: int) -> None:
    assert StoreConfig(mapped_file_size_consume_queue=size).consume_queue_file_size == rounded


@pytest.mark.parametrize(
    ("ratio", "fractions"), [(0, (0.30, 0.35)), (50, (0.5, 0.5)), (100, (0.85, 0.90))]
)
def test_disk_ratios_keep_to_apaches_limits(ratio: int, fractions: tuple[float, float]) -> None:
    store = StoreConfig(disk_space_clean_forcibly_ratio=ratio, disk_space_warning_level_ratio=ratio)
    assert (store.disk_clean_forcibly_fraction, store.disk_warning_fraction) == fractions


@pytest.mark.parametrize(("period", "used"), [(1, 10_000), (30_000, 30_000), (90_000, 60_000)])
def test_registration_period_keeps_to_apaches_limits(period: int, used: int) -> None:
    assert BrokerConfig(register_name_server_period=period).register_period_ms == used


def test_settings_can_be_built_without_a_file() -> None:
    settings = BrokerSettings(store=StoreConfig(store_path_root_dir="/r"))
    assert settings.value("storePathRootDir") == "/r"
    assert settings.value("popPollingSize") == 1024
    settings.set("defaultTopicQueueNums", 4)
    assert settings.broker.default_topic_queue_nums == 4


def test_a_spelling_belongs_to_one_key() -> None:
    class Twice(Settings):
        SECTIONS = {"one": StoreConfig, "two": StoreConfig}  # noqa: RUF012

    with pytest.raises(TypeError, match="storePathRootDir is declared twice"):
        catalogue(Twice)
