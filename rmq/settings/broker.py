"""Keys of the broker (Apache's BrokerConfig) that change what it does."""

from __future__ import annotations

from dataclasses import dataclass

from rmq.settings.checks import address_list, entity_name, first_user, inner_credentials
from rmq.settings.environment import host_name, namesrv_addr_variable
from rmq.settings.option import computed, option

OPEN_BROKER = (
    "access rights are not checked, so that the broker would run open to everybody; set it to false to accept that"
)
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
    store_reply_message_enable: bool = option(
        True, "Whether answers of request-reply are stored in the topic they name, beside being handed over.",
        dynamic=True
    )

    # Delay
    recall_message_enable: bool = option(False, "Whether timed messages may be taken back.", dynamic=True)
    allow_recall_when_broker_not_writeable: bool = option(
        True, "Whether they may while brokerPermission forbids sending.", dynamic=True
    )
    delay_offset_update_version_step: int = option(
        200, "Deliveries after which delayOffset.json gets a new version.", minimum=1, dynamic=True, bits=64
    )

    # Transactions
    reject_transaction_message: bool = option(
        False, "Whether transactional messages are refused.", dynamic=True, important=True
    )
    transaction_time_out: int = option(
        6_000, "Age at which a half message is checked for the first time.",
        unit="ms", minimum=0, dynamic=True, important=True, bits=64
    )
    transaction_check_interval: int = option(
        30_000, "Pause between two rounds of checks; a change counts after the present one.",
        unit="ms", minimum=1, dynamic=True, important=True, bits=64
    )
    transaction_check_max: int = option(
        15, "Checks after which a half message is given up: it goes to TRANS_CHECK_MAX_TIME_TOPIC.",
        minimum=0, dynamic=True, important=True
    )
    transaction_op_msg_max_size: int = option(
        4_096, "Size at which ends of transactions that were gathered are written.",
        unit="bytes", minimum=1, dynamic=True
    )
    transaction_op_batch_interval: int = option(
        3_000, "Longest time for which ends of transactions are gathered.", unit="ms", minimum=1, dynamic=True
    )
    transaction_metric_flush_interval: int = option(
        10_000, "Pause between two writes of the numbers of pending half messages.", unit="ms", minimum=1, bits=64
    )

    # Pulling
    long_polling_enable: bool = option(True, "Whether a pull waits for messages.", dynamic=True)
    short_polling_time_mills: int = option(
        1_000, "Longest wait of a pull when longPollingEnable is false.",
        unit="ms", minimum=1, dynamic=True, bits=64
    )
    lite_pull_message_enable: bool = option(True, "Whether lite pull consumers are served.", dynamic=True)
    slave_read_enable: bool = option(
        False, "On a master: whether consumers that lag far behind are sent to a slave. On a slave: whether it lets "
        "anybody read.", dynamic=True
    )

    # Filters
    enable_property_filter: bool = option(
        False, "Whether consumers may filter by SQL92 expressions on properties.", dynamic=True, important=True
    )
    filter_support_retry: bool = option(
        False, "Whether SQL92 expressions on retry topics mean the expression for the original topic.", dynamic=True
    )
    filter_data_clean_time_span: int = option(
        86_400_000, "How long the SQL92 filters of groups that have gone are kept.",
        unit="ms", minimum=0, dynamic=True, bits=64
    )
    expect_consumer_num_use_filter: int = option(
        32, "Number of filters for which bit positions are laid out in consumerFilter.json.", minimum=1
    )
    max_error_rate_of_bloom_filter: int = option(
        20, "Error rate for which bit positions are laid out in consumerFilter.json.", unit="%",
        minimum=1, maximum=99
    )

    # POP consumption
    default_message_request_mode: str = option(
        "PULL", "How groups consume for which no mode was set.", dynamic=True, choices=("PULL", "POP")
    )
    default_pop_share_queue_num: int = option(
        -1, "With how many of the next clients a client shares its queues when it pops; -1: all pop from all.",
        minimum=-1, dynamic=True
    )
    server_load_balancer_enable: bool = option(
        True, "Whether the broker divides a topic's queues for clients that ask it to.", dynamic=True
    )
    load_balance_poll_name_server_interval: int = option(
        30_000, "How long a route is kept by which queues are divided.", unit="ms", minimum=1, dynamic=True, bits=64
    )
    pop_polling_size: int = option(
        1024, "Most pops of a group that may wait for messages of one queue, or of a topic.", minimum=0, dynamic=True
    )
    max_pop_polling_size: int = option(
        100_000, "Most pops that may wait for messages in the whole broker.", minimum=1, bits=64
    )
    pop_from_retry_probability: int = option(
        20, "Share of pops that look into the retry topic first.", unit="%", minimum=0, maximum=100, dynamic=True
    )
    init_pop_offset_by_check_msg_in_mem: bool = option(
        True, "Whether a new group that begins at the end pops all of a queue that is still in memory.", dynamic=True
    )
    enable_retry_topic_v2: bool = option(
        False, "Whether POP retry topics are named with '+' between group and topic instead of '_'.", dynamic=True
    )
    retrieve_message_from_pop_retry_topic_v1: bool = option(
        True, "Whether retry topics named with '_' are still read when enableRetryTopicV2 is on.",
        key="retrieveMessageFromPopRetryTopicV1", dynamic=True
    )
    use_separate_retry_queue: bool = option(
        False, "Whether a POP retry topic has as many queues as its topic, and messages keep theirs.", dynamic=True
    )
    pop_response_return_actual_retry_topic: bool = option(
        False, "Whether popped messages of a retry topic name that topic instead of the one subscribed.", dynamic=True
    )
    enable_pop_message_threshold: bool = option(
        False, "Whether popInflightMessageThreshold counts.", dynamic=True
    )
    pop_inflight_message_threshold: int = option(
        10_000, "Most popped messages of a queue that may wait for their acknowledgement.",
        minimum=0, dynamic=True, bits=64
    )
    enable_notify_after_pop_order_lock_release: bool = option(
        True, "Whether waiting ordered pops go on as soon as a queue's invisible time is over.", dynamic=True
    )
    enable_pop_buffer_merge: bool = option(
        False, "Whether check points wait in memory for their acknowledgements before they are stored.", dynamic=True
    )
    enable_pop_batch_ack: bool = option(
        False, "Whether buffered acknowledgements of a check point are stored as one.", dynamic=True
    )
    pop_ck_stay_buffer_time: int = option(
        10_000, "Longest time of a check point in memory.", unit="ms", minimum=0, dynamic=True
    )
    pop_ck_stay_buffer_time_out: int = option(
        3_000, "How long before its invisible time ends a check point is stored.", unit="ms", minimum=0, dynamic=True
    )
    pop_ck_max_buffer_size: int = option(
        200_000, "Most check points in memory; more are stored at once.", minimum=0, dynamic=True
    )
    pop_ck_offset_max_queue_size: int = option(
        20_000, "Most check points of one queue in memory; more are stored at once.", minimum=0, dynamic=True
    )
    revive_queue_num: int = option(
        8, "Queues of the revive log, in which popped messages are remembered.", minimum=1, maximum=64
    )
    revive_interval: int = option(
        1_000, "Pause between two looks for popped messages whose invisible time is over.",
        unit="ms", minimum=1, bits=64
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
    init_authentication_user: str | None = option(
        None, 'A super user, made at the start unless it exists, as JSON: `{"username":"...","password":"..."}`.',
        check=first_user, quiet=True, secret=True
    )
    inner_client_authentication_credentials: str | None = option(
        None, 'A second such user, as JSON: `{"accessKey":"...","secretKey":"..."}`.',
        check=inner_credentials, quiet=True, secret=True
    )

    @property
    def register_period_ms(self) -> int:
        """registerNameServerPeriod within the limits that Apache's broker applies."""
        low, high = _REGISTER_PERIOD
        return max(low, min(self.register_name_server_period, high))
