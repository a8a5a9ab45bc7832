"""Keys of the name server (Apache's NamesrvConfig) that change what it does."""

from __future__ import annotations

from dataclasses import dataclass

from rmq.settings.environment import home_path
from rmq.settings.option import computed, option

OPEN_NAMESRV = "a name server does not check access rights and runs open to everybody; set it to false to accept that"
"""Why switching on access control stops the start."""


@dataclass(slots=True)
class NamesrvConfig:
    """The name server's own section."""

    kv_config_path: str = computed(
        home_path("namesrv", "kvConfig.json"),
        "$HOME/namesrv/kvConfig.json",
        "File that keeps the key-value configuration.",
    )
    config_store_path: str = computed(
        home_path("namesrv", "namesrv.properties"),
        "$HOME/namesrv/namesrv.properties, or the file given with -c",
        "File that an update at run time rewrites.",
    )
    order_message_enable: bool = option(
        False, "Whether a route carries the topic's ORDER_TOPIC_CONFIG entry.", dynamic=True
    )
    return_order_topic_config_to_broker: bool = option(
        True, "Whether a registering broker is told the ORDER_TOPIC_CONFIG table.", dynamic=True
    )
    scan_not_active_broker_interval: int = option(
        5_000, "Pause between two searches for brokers that fell silent.", unit="ms", minimum=1, bits=64
    )
    broker_expired_time: int = option(
        120_000, "Silence after which a broker's routes go, unless its registration names another time.",
        unit="ms", minimum=1, quiet=True, dynamic=True, bits=64,
    )  # fmt: skip
    support_acting_master: bool = option(
        False, "Whether the lowest-numbered slave stands in for a missing master in routes.", dynamic=True
    )
    enable_all_topic_list: bool = option(True, "Whether the list of all topics is given out.", dynamic=True)
    enable_topic_list: bool = option(True, "Whether the topic list of a cluster is given out.", dynamic=True)
    notify_min_broker_id_changed: bool = option(
        False, "Whether brokers are told when the lowest broker id of their group changes.", dynamic=True
    )
    need_wait_for_service: bool = option(
        False, "Whether routes are refused until the name server has run for waitSecondsForService.",
        dynamic=True
    )
    wait_seconds_for_service: int = option(
        45, "Time after the start during which routes are refused.", unit="s", minimum=0, dynamic=True
    )
    delete_topic_with_broker_registration: bool = option(
        False, "Whether topics that a registration does not mention lose this broker's route.", dynamic=True
    )
    config_black_list: str = option(
        "configBlackList;configStorePath;kvConfigPath",
        "Keys that cannot be updated at run time, joined by ';'."
    )
