"""Numbers that both sides of the wire must know: response codes, languages, versions, flag bits.

Source: ResponseCode, RemotingSysResponseCode, LanguageCode, MQVersion, RemotingCommand. Request codes are not
here: each stands at its header class in `rmq.wire.requests`.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from itertools import islice
from typing import Final


class ResponseCode(IntEnum):
    """Result of a request, as carried in the `code` of a response."""

    SUCCESS = 0
    SYSTEM_ERROR = 1
    SYSTEM_BUSY = 2
    REQUEST_CODE_NOT_SUPPORTED = 3
    TRANSACTION_FAILED = 4
    FLUSH_DISK_TIMEOUT = 10
    SLAVE_NOT_AVAILABLE = 11
    FLUSH_SLAVE_TIMEOUT = 12
    MESSAGE_ILLEGAL = 13
    SERVICE_NOT_AVAILABLE = 14
    VERSION_NOT_SUPPORTED = 15
    NO_PERMISSION = 16
    TOPIC_NOT_EXIST = 17
    TOPIC_EXIST_ALREADY = 18
    PULL_NOT_FOUND = 19
    PULL_RETRY_IMMEDIATELY = 20
    PULL_OFFSET_MOVED = 21
    QUERY_NOT_FOUND = 22
    SUBSCRIPTION_PARSE_FAILED = 23
    SUBSCRIPTION_NOT_EXIST = 24
    SUBSCRIPTION_NOT_LATEST = 25
    SUBSCRIPTION_GROUP_NOT_EXIST = 26
    FILTER_DATA_NOT_EXIST = 27
    FILTER_DATA_NOT_LATEST = 28
    INVALID_PARAMETER = 29
    TRANSACTION_SHOULD_COMMIT = 200
    TRANSACTION_SHOULD_ROLLBACK = 201
    TRANSACTION_STATE_UNKNOW = 202
    TRANSACTION_STATE_GROUP_WRONG = 203
    NO_BUYER_ID = 204
    NOT_IN_CURRENT_UNIT = 205
    CONSUMER_NOT_ONLINE = 206
    CONSUME_MSG_TIMEOUT = 207
    NO_MESSAGE = 208
    POLLING_FULL = 209
    POLLING_TIMEOUT = 210
    BROKER_NOT_EXIST = 211
    BROKER_DISPATCH_NOT_COMPLETE = 212
    BROADCAST_CONSUMPTION = 213
    FLOW_CONTROL = 215
    NOT_LEADER_FOR_QUEUE = 501
    ILLEGAL_OPERATION = 604
    RPC_UNKNOWN = -1000
    RPC_ADDR_IS_NULL = -1002
    RPC_SEND_TO_CHANNEL_FAILED = -1004
    RPC_TIME_OUT = -1006
    GO_AWAY = 1500
    USER_NOT_EXIST = 3001
    POLICY_NOT_EXIST = 3002


FLAG_RESPONSE: Final = 1
FLAG_ONEWAY: Final = 2

SERIALIZE_JSON: Final = 0
SERIALIZE_BINARY: Final = 1

LANGUAGES: Final = (
    "JAVA",
    "CPP",
    "DOTNET",
    "PYTHON",
    "DELPHI",
    "ERLANG",
    "RUBY",
    "OTHER",
    "HTTP",
    "GO",
    "PHP",
    "OMS",
    "RUST",
    "NODE_JS",
)
"""Language names; the index is the binary header's language code."""

LANGUAGE: Final = "PYTHON"
OTHER_LANGUAGE: Final = "OTHER"

VERSION: Final = 493
"""Our protocol version: the ordinal of V5_4_0."""

VERSION_STRICT_JSON: Final = 401
"""V4_9_4: from here on a client wants route data as strict JSON."""

VERSION_RESET_OFFSET: Final = 28
"""V3_0_7_SNAPSHOT: from here on a consumer can be moved to other offsets, and tells which it holds."""

VERSION_RUNNING_INFO: Final = 62
"""V3_1_8_SNAPSHOT: from here on a consumer tells about itself when asked."""

VERSION_MAX_RECONSUME_TIMES: Final = 121
"""V3_4_9: from here on a consumer tells how often a message may be tried again."""

VERSION_REGISTER_BODY: Final = 37
"""V3_0_11: from here on a broker registers with a RegisterBrokerBody."""

VERSION_TOPIC_MAPPING: Final = 413
"""V5_0_0: from here on a compressed registration ends with the topic-queue mappings."""

MAX_FRAME: Final = 16 * 1024 * 1024
"""Largest frame a peer accepts, in bytes, its length field included."""

MAX_HEADER: Final = 0xFFFFFF
"""Largest header that its 24-bit length can tell, in bytes."""


_HIGHER_VERSION: Final = 612
_FIRST_PATCHED: Final = 16
_EARLY_VERSIONS: Final = (
    *("V3_0_0_SNAPSHOT", "V3_0_0_ALPHA1"),
    *(f"V3_0_0_BETA{n}" for n in range(1, 6)),
    *(f"V3_0_0_BETA{n}{suffix}" for n in range(6, 10) for suffix in ("_SNAPSHOT", "")),
    "V3_0_0_FINAL",
)


def _patched_versions() -> Iterator[tuple[int, int, int]]:
    yield from ((3, 0, patch) for patch in range(1, 16))
    yield from ((3, minor, patch) for minor in (1, 2) for patch in range(10))
    yield from ((3, minor, patch) for minor in range(3, 10) for patch in range(1, 10))
    yield from ((major, minor, patch) for major in (4, 5) for minor in range(10) for patch in range(10))


def version_name(version: int) -> str:
    """The MQVersion name of an ordinal, such as `V5_4_0`; past the table it is `HIGHER_VERSION`."""
    if version >= _HIGHER_VERSION:
        return "HIGHER_VERSION"
    if version < _FIRST_PATCHED:
        return _EARLY_VERSIONS[max(version, 0)]
    # Every release takes two ordinals: its snapshot, then itself.
    index, released = divmod(version - _FIRST_PATCHED, 2)
    major, minor, patch = next(islice(_patched_versions(), index, None))
    return f"V{major}_{minor}_{patch}" + ("" if released else "_SNAPSHOT")
