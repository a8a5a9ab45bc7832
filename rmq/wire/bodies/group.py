"""Consumer group configuration.

Source: SubscriptionGroupConfig, GroupRetryPolicy, SubscriptionGroupWrapper, SubscriptionGroupList, GroupForbidden.
"""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum

from rmq.wire.bodies.printed import printed
from rmq.wire.bodies.version import DataVersion
from rmq.wire.declare import Int32, Int64, body

_SECOND = 1000
_MINUTE = 60 * _SECOND
_HOUR = 60 * _MINUTE
_DELAYS = (
    *(seconds * _SECOND for seconds in (1, 5, 10, 30)),
    *(minutes * _MINUTE for minutes in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 30)),
    *(hours * _HOUR for hours in (1, 2)),
)
_FIRST_RETRY = 2
_MAX_EXPONENT = 32


class GroupRetryPolicyType(StrEnum):
    """Which of the two policies applies."""

    EXPONENTIAL = "EXPONENTIAL"
    CUSTOMIZED = "CUSTOMIZED"


@body
class ExponentialRetryPolicy:
    """Delays that grow by a factor; all times in ms."""

    initial: Int64 = 5 * _SECOND
    max: Int64 = 2 * _HOUR
    multiplier: Int64 = 2

    def delay(self, reconsume_times: int) -> int:
        """Ms to wait before the next attempt."""
        exponent = min(max(reconsume_times, 0), _MAX_EXPONENT)
        factor: int = self.multiplier**exponent
        return min(self.max, self.initial * factor)

    def __str__(self) -> str:
        return printed(self, "{", "}")


@body
class CustomizedRetryPolicy:
    """Listed delays in ms. The first two are skipped, as delay levels 1 and 2 are for retries."""

    next: list[Int64] = field(default_factory=lambda: list(_DELAYS))

    def delay(self, reconsume_times: int) -> int:
        """Ms to wait before the next attempt."""
        return self.next[min(max(reconsume_times, 0) + _FIRST_RETRY, len(self.next) - 1)] if self.next else 0

    def __str__(self) -> str:
        return printed(self, "{", "}")


@body
class GroupRetryPolicy:
    """How long a group waits before an attempt is repeated."""

    type: GroupRetryPolicyType = GroupRetryPolicyType.CUSTOMIZED
    exponential_retry_policy: ExponentialRetryPolicy | None = None
    customized_retry_policy: CustomizedRetryPolicy | None = None

    @property
    def policy(self) -> ExponentialRetryPolicy | CustomizedRetryPolicy:
        """The policy that applies; the customized one's default delays when it is not given."""
        chosen: ExponentialRetryPolicy | CustomizedRetryPolicy | None = self.customized_retry_policy
        if self.type is GroupRetryPolicyType.EXPONENTIAL:
            chosen = self.exponential_retry_policy
        return chosen or CustomizedRetryPolicy()

    def __str__(self) -> str:
        return printed(self, "{", "}")


@body
class SimpleSubscriptionData:
    """A subscription that is fixed in the group's configuration; `version` is its time in ms."""

    topic: str
    expression_type: str = "TAG"
    expression: str | None = None
    version: Int64 = 0

    def __str__(self) -> str:
        return printed(self, "{", "}")


@body
class SubscriptionGroupConfig:
    """One consumer group on one broker."""

    group_name: str
    consume_enable: bool = True
    consume_from_min_enable: bool = True
    consume_broadcast_enable: bool = True
    consume_message_orderly: bool = False
    retry_queue_nums: Int32 = 1
    retry_max_times: Int32 = 16
    group_retry_policy: GroupRetryPolicy = field(default_factory=GroupRetryPolicy)
    broker_id: Int64 = 0
    which_broker_when_consume_slowly: Int64 = 1
    notify_consumer_ids_changed_enable: bool = True
    group_sys_flag: Int32 = 0
    consume_timeout_minute: Int32 = 15
    subscription_data_set: list[SimpleSubscriptionData] | None = None
    attributes: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return printed(self, "{", "}")


@body
class SubscriptionGroupWrapper:
    """All groups of a broker, as subscriptionGroup.json holds them."""

    subscription_group_table: dict[str, SubscriptionGroupConfig] = field(default_factory=dict)
    forbidden_table: dict[str, dict[str, Int32]] = field(default_factory=dict)
    data_version: DataVersion = field(default_factory=DataVersion)


@body
class SubscriptionGroupList:
    """Groups to create or overwrite together."""

    group_config_list: list[SubscriptionGroupConfig] = field(default_factory=list)


@body
class GroupForbidden:
    """Whether a group may read a topic."""

    topic: str
    group: str
    readable: bool | None = None
