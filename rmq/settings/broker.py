"""Keys of the broker (Apache's BrokerConfig) that change what it does."""

from __future__ import annotations

from dataclasses import dataclass

from rmq.settings.checks import address_list, entity_name
from rmq.settings.environment import host_name, namesrv_addr_variable
from rmq.settings.option import computed, option

OPEN_BROKER = "access rights are not checked, so that the broker would run open to everybody"
"""Why switching on access control stops the start."""

_REGISTER_PERIOD = (10_000, 60_000)


@dataclass(slots=True)
class BrokerConfig:
    """The broker's own section."""

    # Identity
    broker_name: str = computed(
        host_name, "the host's name", "Name of the master and its slaves together.", important=True,
        check=entity_name,
    )  # fmt: skip
    broker_cluster_name: str = option(
        "DefaultCluster", "Cluster that the broker belongs to.", important=True, check=entity_name
    )
    broker_id: int = option(
        0, "0 is the master, more than 0 a slave. Forced to 0 unless brokerRole is SLAVE.",
        important=True, minimum=-1, bits=64
    )
    broker_ip1: str | None = option(
        None, "Address that clients are told.",
        key="brokerIP1", shown="the first address that is not loopback",
        important=True,
    )  # fmt: skip
    broker_ip2: str | None = option(
        None, "Address for slaves that name servers are told.",
        key="brokerIP2", shown="the first address that is not loopback"
    )
    namesrv_addr: str | None = computed(
        namesrv_addr_variable, "$NAMESRV_ADDR", "Name servers to register with, host:port joined by ';'.",
        important=True, dynamic=True, check=address_list,
    )  # fmt: skip
    region_id: str = option("DefaultRegion", "Region that send replies name, used by message tracing.")
    trace_on: bool = option(True, "Whether send replies switch on message tracing in clients.", dynamic=True)

    # Registration
    register_name_server_period: int = option(
        30_000, "Pause between two registrations; 10 s to 60 s are used.", unit="ms", minimum=1
    )
    register_broker_timeout_mills: int = option(
        24_000, "Time in which a name server must answer a registration.", unit="ms", minimum=1
    )
    compressed_register: bool = option(False, "Whether registrations are compressed.", dynamic=True)

    # Topics and groups
    broker_permission: int = option(
        6, "What the whole broker allows: 2 write, 4 read, 6 both.", dynamic=True, choices=(0, 2, 4, 6)
    )
    auto_create_topic_enable: bool = option(
        True, "Whether a send to an unknown topic creates it.", dynamic=True, important=True
    )
    default_topic_queue_nums: int = option(
        8, "Queues of an automatically created topic.", minimum=1, maximum=65536
    )
    cluster_topic_enable: bool = option(True, "Whether the topic named like the cluster may be written to.")
    broker_topic_enable: bool = option(True, "Whether the topic named like the broker may be written to.")
    auto_create_subscription_group: bool = option(
        True, "Whether an unknown consumer group is created when it connects.", dynamic=True, important=True
    )
    validate_system_topic_when_update_topic: bool = option(
        True, "Whether changing a system topic by command is refused.", dynamic=True
    )
    enable_mixed_message_type: bool = option(
        False, "Whether topics may have the message type MIXED.", dynamic=True
    )
    clear_retry_topic_when_delete_topic: bool = option(
        True, "Whether deleting a topic deletes the POP retry topics that belong to it.", dynamic=True
    )
    trace_topic_enable: bool = option(False, "Whether the trace topic is created at start.", important=True)
    msg_trace_topic_name: str = option("RMQ_SYS_TRACE_TOPIC", "Name of the trace topic.", important=True)

    # Clients
    channel_expired_timeout: int = option(
        120_000, "Silence after which a client is taken out of its groups.", unit="ms", minimum=1, bits=64
    )
    notify_consumer_ids_changed_enable: bool = option(
        True, "Whether consumers are told when their group's members change.", dynamic=True
    )
    use_server_side_reset_offset: bool = option(
        True, "Whether a reset of offsets is kept by the broker instead of being pushed to clients.",
        dynamic=True
    )

    # Sending
    start_accept_send_request_time_stamp: int = option(
        0, "Time (milliseconds since 1970) before which sends are refused.",
        unit="ms", minimum=0, dynamic=True, bits=64
    )

    # Pulling
    long_polling_enable: bool = option(True, "Whether a pull waits for messages.", dynamic=True)
    short_polling_time_mills: int = option(
        1_000, "Longest wait of a pull when longPollingEnable is false.",
        unit="ms", minimum=1, dynamic=True, bits=64
    )
    lite_pull_message_enable: bool = option(True, "Whether lite pull consumers are served.", dynamic=True)
    slave_read_enable: bool = option(
        False, "Whether consumers that lag far behind are sent to a slave.", dynamic=True
    )

    # Offsets
    flush_consumer_offset_interval: int = option(
        5_000, "Pause between two writes of the committed offsets.", unit="ms", minimum=1
    )

    # Administration
    config_black_list: str = option(
        "configBlackList;brokerConfigPath", "Keys that cannot be updated at run time, joined by ';'."
    )
    acl_enable: bool = option(
        False, "Access control of RocketMQ 4.", important=True, refused=OPEN_BROKER
    )

    @property
    def register_period_ms(self) -> int:
        """registerNameServerPeriod within the limits that Apache's broker applies."""
        low, high = _REGISTER_PERIOD
        return max(low, min(self.register_name_server_period, high))
