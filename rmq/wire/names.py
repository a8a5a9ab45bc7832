"""Names of topics and groups: which are the system's own, and which are allowed.

A name may hold letters, digits and `%|_-`. A topic has at most 127 characters, a retry or dead-letter topic 255, a
group 120. Names become directory names of the store, so nothing else may ever get through.

Source: TopicValidator, Validators, MixAll, NamespaceUtil.
"""

from __future__ import annotations

import re
from typing import Final

from rmq.wire.errors import InvalidParameterError

RETRY_PREFIX: Final = "%RETRY%"
DLQ_PREFIX: Final = "%DLQ%"
LMQ_PREFIX: Final = "%LMQ%"
SYSTEM_TOPIC_PREFIX: Final = "rmq_sys_"
SYSTEM_GROUP_PREFIX: Final = "CID_RMQ_SYS_"
REPLY_TOPIC_SUFFIX: Final = "REPLY_TOPIC"
NAMESPACE_SEPARATOR: Final = "%"

DEFAULT_TOPIC: Final = "TBW102"
"""The template of topics that a send creates."""
SELF_TEST_TOPIC: Final = "SELF_TEST_TOPIC"
BENCHMARK_TOPIC: Final = "BenchmarkTest"
OFFSET_MOVED_EVENT: Final = "OFFSET_MOVED_EVENT"
SCHEDULE_TOPIC: Final = "SCHEDULE_TOPIC_XXXX"
TRACE_TOPIC: Final = "RMQ_SYS_TRACE_TOPIC"
TRANS_HALF_TOPIC: Final = "RMQ_SYS_TRANS_HALF_TOPIC"
TRANS_OP_HALF_TOPIC: Final = "RMQ_SYS_TRANS_OP_HALF_TOPIC"
ROCKSDB_TRANS_HALF_TOPIC: Final = "RMQ_SYS_ROCKSDB_TRANS_HALF_TOPIC"
ROCKSDB_TRANS_OP_HALF_TOPIC: Final = "RMQ_SYS_ROCKSDB_TRANS_OP_HALF_TOPIC"
TRANS_CHECK_MAX_TIME_TOPIC: Final = "TRANS_CHECK_MAX_TIME_TOPIC"
TIMER_TOPIC: Final = "rmq_sys_wheel_timer"
CHECKPOINT_TOPIC: Final = "CHECKPOINT_TOPIC"
REVIVE_TOPIC_PREFIX: Final = "rmq_sys_REVIVE_LOG_"
SYNC_BROKER_MEMBER_PREFIX: Final = "rmq_sys_SYNC_BROKER_MEMBER_"

SYSTEM_TOPICS: Final = frozenset(
    {
        DEFAULT_TOPIC,
        SCHEDULE_TOPIC,
        BENCHMARK_TOPIC,
        TRANS_HALF_TOPIC,
        TRACE_TOPIC,
        TRANS_OP_HALF_TOPIC,
        ROCKSDB_TRANS_HALF_TOPIC,
        ROCKSDB_TRANS_OP_HALF_TOPIC,
        TRANS_CHECK_MAX_TIME_TOPIC,
        SELF_TEST_TOPIC,
        OFFSET_MOVED_EVENT,
        CHECKPOINT_TOPIC,
    }
)
"""Topics of the system, apart from those that begin with `rmq_sys_` and those named after broker and cluster."""

_NOT_FOR_CLIENTS = frozenset(
    {
        SCHEDULE_TOPIC,
        TRANS_HALF_TOPIC,
        TRANS_OP_HALF_TOPIC,
        ROCKSDB_TRANS_HALF_TOPIC,
        ROCKSDB_TRANS_OP_HALF_TOPIC,
        TRANS_CHECK_MAX_TIME_TOPIC,
        SELF_TEST_TOPIC,
        OFFSET_MOVED_EVENT,
        # Apache leaves this one open; what comes there without the broker's properties stops its timer.
        TIMER_TOPIC,
    }
)

DEFAULT_PRODUCER_GROUP: Final = "DEFAULT_PRODUCER"
DEFAULT_CONSUMER_GROUP: Final = "DEFAULT_CONSUMER"
TOOLS_CONSUMER_GROUP: Final = "TOOLS_CONSUMER"
SCHEDULE_CONSUMER_GROUP: Final = "SCHEDULE_CONSUMER"
FILTERSRV_CONSUMER_GROUP: Final = "FILTERSRV_CONSUMER"
MONITOR_CONSUMER_GROUP: Final = "__MONITOR_CONSUMER"
INNER_PRODUCER_GROUP: Final = "CLIENT_INNER_PRODUCER"
SELF_TEST_PRODUCER_GROUP: Final = "SELF_TEST_P_GROUP"
SELF_TEST_CONSUMER_GROUP: Final = "SELF_TEST_C_GROUP"
ONS_HTTP_PROXY_GROUP: Final = "CID_ONS-HTTP-PROXY"
ONSAPI_PERMISSION_GROUP: Final = "CID_ONSAPI_PERMISSION"
ONSAPI_OWNER_GROUP: Final = "CID_ONSAPI_OWNER"
ONSAPI_PULL_GROUP: Final = "CID_ONSAPI_PULL"
TRANSACTION_GROUP: Final = "CID_RMQ_SYS_TRANS"

PREDEFINED_GROUPS: Final = frozenset(
    {
        DEFAULT_CONSUMER_GROUP,
        DEFAULT_PRODUCER_GROUP,
        TOOLS_CONSUMER_GROUP,
        SCHEDULE_CONSUMER_GROUP,
        FILTERSRV_CONSUMER_GROUP,
        MONITOR_CONSUMER_GROUP,
        INNER_PRODUCER_GROUP,
        SELF_TEST_PRODUCER_GROUP,
        SELF_TEST_CONSUMER_GROUP,
        ONS_HTTP_PROXY_GROUP,
        ONSAPI_PERMISSION_GROUP,
        ONSAPI_OWNER_GROUP,
        ONSAPI_PULL_GROUP,
        TRANSACTION_GROUP,
    }
)
"""Groups that the system or its tools use (MixAll.isPredefinedGroup)."""

PLAIN_SYSTEM_GROUPS: Final = (
    TOOLS_CONSUMER_GROUP,
    FILTERSRV_CONSUMER_GROUP,
    SELF_TEST_CONSUMER_GROUP,
)
"""Groups that a broker creates when it starts, as any other group (SubscriptionGroupManager.init)."""

BROADCAST_SYSTEM_GROUPS: Final = (
    ONS_HTTP_PROXY_GROUP,
    ONSAPI_PULL_GROUP,
    ONSAPI_PERMISSION_GROUP,
    ONSAPI_OWNER_GROUP,
    TRANSACTION_GROUP,
)
"""Likewise, and these must be able to broadcast."""

MAX_TOPIC: Final = 127
MAX_RETRY_TOPIC: Final = 255
MAX_GROUP: Final = 120
ALLOWED: Final = "^[%|a-zA-Z0-9_-]+$"

_LEGAL = re.compile(r"[%|a-zA-Z0-9_-]+", re.ASCII).fullmatch
_DERIVED = (RETRY_PREFIX, DLQ_PREFIX)


def is_legal_topic(topic: str) -> bool:
    """Whether a topic may have this name."""
    size = len(topic)
    if size > MAX_TOPIC and (size > MAX_RETRY_TOPIC or not topic.startswith(_DERIVED)):
        return False
    return _LEGAL(topic) is not None


def is_legal_group(group: str) -> bool:
    """Whether a group may have this name."""
    return len(group) <= MAX_GROUP and _LEGAL(group) is not None


def check_topic(topic: str) -> str:
    """The topic, if it may have this name.

    Raises:
        InvalidParameterError: it may not; the text says why and what is allowed.
    """
    if is_legal_topic(topic):
        return topic
    if not topic.strip():
        raise InvalidParameterError("The specified topic is blank.")
    if _LEGAL(topic) is None:
        raise InvalidParameterError(
            f"The specified topic: {_shown(topic)}, contains illegal characters, allowing only {ALLOWED}"
        )
    if topic.startswith(_DERIVED):
        raise InvalidParameterError(
            f"The specified topic is DLQ or Retry topic: {_shown(topic)}"
            f", and it's longer than topic max length: {MAX_RETRY_TOPIC}"
        )
    raise InvalidParameterError(f"The specified topic: {_shown(topic)}, is longer than topic max length: {MAX_TOPIC}")


def check_group(group: str) -> str:
    """The group, if it may have this name.

    Raises:
        InvalidParameterError: it may not; the text says why and what is allowed.
    """
    if is_legal_group(group):
        return group
    if not group.strip():
        raise InvalidParameterError("The specified group is blank.")
    if _LEGAL(group) is None:
        raise InvalidParameterError(
            f"The specified group: {_shown(group)}, contains illegal characters, allowing only {ALLOWED}"
        )
    raise InvalidParameterError(f"The specified group: {_shown(group)}, is longer than group max length: {MAX_GROUP}")


def _shown(name: str) -> str:
    # A name that is quoted back and logged must not carry line breaks, nor be as long as the peer likes.
    text = name if len(name) <= MAX_RETRY_TOPIC else name[:MAX_RETRY_TOPIC] + "..."
    return text if text.isprintable() else ascii(text)[1:-1]


def is_system_topic(topic: str) -> bool:
    """Whether the topic belongs to the system."""
    return topic in SYSTEM_TOPICS or topic.startswith(SYSTEM_TOPIC_PREFIX)


def is_not_allowed_send_topic(topic: str) -> bool:
    """Whether clients may not send to the topic."""
    return topic in _NOT_FOR_CLIENTS


def is_system_group(group: str) -> bool:
    """Whether the group belongs to the system."""
    return group.startswith(SYSTEM_GROUP_PREFIX)


def is_predefined_group(group: str) -> bool:
    """Whether the system or its tools use the group."""
    return group in PREDEFINED_GROUPS


def retry_topic(group: str) -> str:
    """The topic of messages that a group must try again."""
    return RETRY_PREFIX + group


def dlq_topic(group: str) -> str:
    """The topic of messages that a group has given up."""
    return DLQ_PREFIX + group


def revive_topic(cluster: str) -> str:
    """The topic in which pop consumption of a cluster keeps its handles."""
    return REVIVE_TOPIC_PREFIX + cluster


def reply_topic(cluster: str) -> str:
    """The topic of answers in a cluster."""
    return f"{cluster}_{REPLY_TOPIC_SUFFIX}"


def with_namespace(namespace: str, name: str) -> str:
    """A topic or group inside a namespace; system names and names already inside stay as they are."""
    prefix = next((prefix for prefix in _DERIVED if name.startswith(prefix)), "")
    bare = name[len(prefix) :]
    if not namespace or not name or is_system_topic(name) or is_system_group(name):
        return name
    if bare.startswith(namespace + NAMESPACE_SEPARATOR):
        return name
    return f"{prefix}{namespace}{NAMESPACE_SEPARATOR}{bare}"


def without_namespace(namespace: str, name: str) -> str:
    """A topic or group as its owner names it."""
    prefix = next((prefix for prefix in _DERIVED if name.startswith(prefix)), "")
    return prefix + name[len(prefix) :].removeprefix(namespace + NAMESPACE_SEPARATOR) if namespace else name
