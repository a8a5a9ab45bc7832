"""How a client behaves; every value has Apache's default. Times are seconds unless the name says otherwise.

Source: ClientConfig, DefaultMQProducer, DefaultMQPushConsumer, DefaultLitePullConsumer.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rmq.client.compression import Compression
from rmq.wire.bodies.heartbeat import ConsumeFromWhere, MessageModel
from rmq.wire.codes import ResponseCode
from rmq.wire.names import TRACE_TOPIC
from rmq.wire.signing import Credentials

RETRY_CODES: Final = frozenset(
    {
        int(ResponseCode.SYSTEM_ERROR),
        int(ResponseCode.SYSTEM_BUSY),
        int(ResponseCode.SERVICE_NOT_AVAILABLE),
        int(ResponseCode.NO_PERMISSION),
        int(ResponseCode.TOPIC_NOT_EXIST),
        int(ResponseCode.NO_BUYER_ID),
        int(ResponseCode.NOT_IN_CURRENT_UNIT),
        int(ResponseCode.GO_AWAY),
    }
)
"""Response codes after which another queue is worth trying."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientConfig:
    """What producers and consumers share.

    Attributes:
        namesrv_addr: `host:port` list joined by `;`; None means NAMESRV_ADDR, then 127.0.0.1:9876.
        client_ip: the address that goes into client and message ids; found out when None.
        instance_name: the second half of the client id; unique when None.
        poll_name_server_interval: between refreshes of routes.
        heartbeat_broker_interval: between heartbeats.
        persist_consumer_offset_interval: between commits of offsets.
        rebalance_interval: between looks at who consumes what.
        call_timeout: for questions to servers.
        namespace: put before the names of topics and groups on the way out and taken off on the way in; none when
            empty.
        enable_trace: whether sends and consumed messages are reported to the trace topic.
        trace_topic: that topic.
        credentials: with what requests are signed, for servers that check who asks; they are not without any.
    """

    namesrv_addr: str | None = None
    client_ip: str | None = None
    instance_name: str | None = None
    poll_name_server_interval: float = 30.0
    heartbeat_broker_interval: float = 30.0
    persist_consumer_offset_interval: float = 5.0
    rebalance_interval: float = 20.0
    call_timeout: float = 3.0
    namespace: str = ""
    enable_trace: bool = False
    trace_topic: str = TRACE_TOPIC
    credentials: Credentials | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProducerConfig:
    """How a producer sends.

    Attributes:
        send_timeout: for one send, all its attempts together.
        retry_times: attempts after the first one failed.
        retry_codes: response codes after which another attempt is made.
        retry_another_broker_when_not_store_ok: whether flush or slave time-outs count as failures.
        compress_over: bodies of at least so many bytes are compressed.
        compression: how.
        compression_level: 1 fast to 9 small.
        max_message_size: most bytes of a body.
        max_in_flight: sends that wait for an answer at once; more wait before they are sent.
        create_topic_key: the topic whose settings a new topic takes.
        default_topic_queue_nums: most queues of a topic made that way.
    """

    send_timeout: float = 3.0
    retry_times: int = 2
    retry_codes: frozenset[int] = RETRY_CODES
    retry_another_broker_when_not_store_ok: bool = False
    compress_over: int = 4096
    compression: Compression = Compression.ZLIB
    compression_level: int = 5
    max_message_size: int = 4 * 1024 * 1024
    max_in_flight: int = 10000
    create_topic_key: str = "TBW102"
    default_topic_queue_nums: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionConfig(ProducerConfig):
    """How a producer of transactions works.

    Attributes:
        threads: threads for plain functions that run or check transactions; 0 calls them on the reactor's own thread.
        check_concurrency: transactions that are checked at once.
        check_request_hold_max: most questions of brokers that wait to be checked; a broker asks again.
    """

    threads: int = 0
    check_concurrency: int = 5
    check_request_hold_max: int = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchConfig:
    """How a consumer fetches, and where it begins.

    Attributes:
        message_model: whether a group shares the messages or each member gets all.
        consume_from_where: where a group without offsets begins.
        consume_timestamp: ms since the epoch for CONSUME_FROM_TIMESTAMP; half an hour ago when None.
        pull_batch_size: most messages of one pull.
        pull_threshold_for_queue: messages of a queue kept before pulling pauses.
        pull_threshold_size_for_queue: MiB of a queue kept before pulling pauses.
        consume_max_span: offsets between the oldest and the newest kept message before pulling pauses.
        suspend_time: how long a broker may hold a pull that finds nothing.
        suspend_timeout: when such a pull counts as lost.
        retry_delay: after a pull failed.
        offset_store_dir: where broadcasting consumers keep offsets; ~/.rocketmq_offsets when None.
    """

    message_model: MessageModel = MessageModel.CLUSTERING
    consume_from_where: ConsumeFromWhere = ConsumeFromWhere.CONSUME_FROM_LAST_OFFSET
    consume_timestamp: int | None = None
    pull_batch_size: int = 32
    pull_threshold_for_queue: int = 1000
    pull_threshold_size_for_queue: int = 100
    consume_max_span: int = 2000
    suspend_time: float = 15.0
    suspend_timeout: float = 30.0
    retry_delay: float = 3.0
    offset_store_dir: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PushConfig(FetchConfig):
    """How a push consumer works.

    Attributes:
        threads: threads for plain functions as listeners; 0 calls them on the reactor's own thread.
        concurrency: listener calls at once, for listeners that are asynchronous or run in threads.
        consume_batch_size: most messages of one listener call.
        max_reconsume_times: deliveries after failures before the dead-letter topic; None means 16, for an orderly
            consumer without end.
        consume_timeout: after which a message counts as failed although its listener still works.
        shutdown_timeout: how long shutting down waits for listeners that work.
        pull_interval: pause after each pull.
        suspend_current_queue_time: until an orderly listener gets again what it could not do, 0.01 to 30.
    """

    threads: int = 0
    concurrency: int = 20
    consume_batch_size: int = 1
    max_reconsume_times: int | None = None
    consume_timeout: float = 15 * 60.0
    shutdown_timeout: float = 10.0
    pull_interval: float = 0.0
    suspend_current_queue_time: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LitePullConfig(FetchConfig):
    """How a lite pull consumer works.

    Attributes:
        auto_commit: whether polled messages are committed without being asked to.
        auto_commit_interval: between such commits.
        pull_threshold_for_all: messages of all queues kept before pulling pauses.
    """

    pull_batch_size: int = 10
    suspend_time: float = 20.0
    auto_commit: bool = True
    auto_commit_interval: float = 5.0
    pull_threshold_for_all: int = 10000
