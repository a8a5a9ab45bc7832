"""What a broker says of itself, what it is told, and what is kept of it: plain values.

Source: RouteInfoManager, RegisterBrokerRequestHeader, RegisterBrokerResult, BrokerLiveInfo.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from rmq.wire.bodies.mapping import TopicQueueMappingInfo
from rmq.wire.bodies.topic import TopicConfig
from rmq.wire.bodies.version import DataVersion
from rmq.wire.errors import InvalidParameterError, RemotingError

# Wider than a topic's charset on purpose: Apache's brokers register topics named after clusters and host names.
_NAME = re.compile(r"[^\x00-\x20/\\\x7f]{1,255}")


class RegistrationRefusedError(RemotingError):
    """The name server does not take this broker now."""


class Peer(Protocol):
    """The connection that a broker registered over."""

    def close(self) -> None:
        """Ends it."""
        ...


@dataclass(slots=True)
class Registration:
    """What a broker says of itself (REGISTER_BROKER).

    `timeout_millis` None means the name server's own; `enable_acting_master` None means a broker older than the
    acting-master mode.
    """

    cluster: str
    name: str
    broker_id: int
    address: str
    ha_address: str = ""
    zone_name: str | None = None
    timeout_millis: int | None = None
    enable_acting_master: bool | None = None
    version: DataVersion = field(default_factory=DataVersion)
    topics: Mapping[str, TopicConfig] = field(default_factory=dict)
    mappings: Mapping[str, TopicQueueMappingInfo] = field(default_factory=dict)
    filter_servers: list[str] = field(default_factory=list)
    peer: Peer | None = None


@dataclass(frozen=True, slots=True)
class Registered:
    """What a broker is told: the master of its group, for slaves."""

    master_address: str | None = None
    ha_address: str | None = None


@dataclass(slots=True)
class LiveBroker:
    """One registered address. `last_seen` and `timeout` are seconds."""

    cluster: str
    name: str
    broker_id: int
    address: str
    ha_address: str
    version: DataVersion
    last_seen: float
    timeout: float
    peer: Peer | None
    filter_servers: list[str]


@dataclass(frozen=True, slots=True)
class MinBrokerChange:
    """The lowest id of a group changed, and whom to tell (NOTIFY_MIN_BROKER_ID_CHANGE)."""

    broker_id: int
    address: str
    offline_address: str | None
    ha_address: str | None
    tell: tuple[str, ...]


def is_name(text: str) -> bool:
    """Whether a cluster, a broker, an address or a topic may be called so."""
    return _NAME.fullmatch(text) is not None


def check_name(what: str, text: str) -> None:
    """Refuses what `is_name` does not allow.

    Args:
        what: what would be called so, for the sentence.
        text: the name.

    Raises:
        InvalidParameterError: it is not allowed.
    """
    if not is_name(text):
        raise InvalidParameterError(f"the {what} name {text!r:.80} is not allowed")
