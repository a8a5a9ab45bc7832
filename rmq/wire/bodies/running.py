"""What a running consumer says of itself.

Source: ConsumerRunningInfo, ProcessQueueInfo, PopProcessQueueInfo, ConsumeStatus, ConsumeMessageDirectlyResult.
"""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum

from rmq.wire.bodies.heartbeat import SubscriptionData
from rmq.wire.bodies.printed import printed
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.declare import Int32, Int64, body, wire


@body
class ProcessQueueInfo:
    """Messages that a consumer holds of one queue; times in ms."""

    commit_offset: Int64 = 0
    cached_msg_min_offset: Int64 = 0
    cached_msg_max_offset: Int64 = 0
    cached_msg_count: Int32 = 0
    cached_msg_size_in_mib: Int32 = wire("cachedMsgSizeInMiB", default=0)
    transaction_msg_min_offset: Int64 = 0
    transaction_msg_max_offset: Int64 = 0
    transaction_msg_count: Int32 = 0
    locked: bool = False
    try_unlock_times: Int64 = 0
    last_lock_timestamp: Int64 = 0
    droped: bool = False
    last_pull_timestamp: Int64 = 0
    last_consume_timestamp: Int64 = 0


@body
class PopProcessQueueInfo:
    """Messages that a pop consumer has not acknowledged yet."""

    wait_ack_count: Int32 = 0
    droped: bool = False
    last_pop_timestamp: Int64 = 0


@body
class ConsumeStatus:
    """Rates (per second) and mean times (ms) of one topic, and the failures of the last hour."""

    pull_rt: float = wire("pullRT", default=0.0)
    pull_tps: float = wire("pullTPS", default=0.0)
    consume_rt: float = wire("consumeRT", default=0.0)
    consume_ok_tps: float = wire("consumeOKTPS", default=0.0)
    consume_failed_tps: float = wire("consumeFailedTPS", default=0.0)
    consume_failed_msgs: Int64 = 0


@body
class ConsumerRunningInfo:
    """A consumer from the inside. `properties` has the keys PROP_CONSUME_TYPE, PROP_CLIENT_VERSION and others."""

    properties: dict[str, str] = field(default_factory=dict)
    subscription_set: list[SubscriptionData] = field(default_factory=list)
    mq_table: dict[MessageQueue, ProcessQueueInfo] = field(default_factory=dict)
    mq_pop_table: dict[MessageQueue, PopProcessQueueInfo] = field(default_factory=dict)
    status_table: dict[str, ConsumeStatus] = field(default_factory=dict)
    user_consumer_info: dict[str, str] = field(default_factory=dict)
    jstack: str | None = None


class ConsumeResult(StrEnum):
    """What a listener made of a message that was pushed to it directly (CMResult)."""

    CR_SUCCESS = "CR_SUCCESS"
    CR_LATER = "CR_LATER"
    CR_ROLLBACK = "CR_ROLLBACK"
    CR_COMMIT = "CR_COMMIT"
    CR_THROW_EXCEPTION = "CR_THROW_EXCEPTION"
    CR_RETURN_NULL = "CR_RETURN_NULL"


@body
class ConsumeMessageDirectlyResult:
    """Outcome of a direct push; the time spent is in ms."""

    order: bool = False
    auto_commit: bool = True
    consume_result: ConsumeResult | None = None
    remark: str | None = None
    spent_time_mills: Int64 = 0

    def __str__(self) -> str:
        return printed(self, " [", "]")
