"""What all screens share: the service, the clock, what is known of the cluster, and how often it is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import Final

from rmq.tui import formats
from rmq.tui.service.model import Cluster
from rmq.tui.service.protocol import AdminService
from rmq.tui.state.feed import Feed
from rmq.tui.state.history import History
from rmq.wire.names import DLQ_PREFIX, REPLY_TOPIC_SUFFIX, RETRY_PREFIX, is_system_topic

INTERVALS: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""Seconds between refreshes that `+` and `-` go through."""


@dataclass(slots=True)
class Session:
    """One look at one cluster.

    Attributes:
        service: answers.
        now: ms since the epoch.
        zone: in which times are shown; None for the system's.
        save: writes a text to a file.
        refresh: seconds between refreshes.
        read_only: whether nothing may be changed.
        name: what the cluster is called here.
        paused: whether nothing is asked until the user says so.
        settle: seconds that cursor and window must rest before they are asked about.
        history: what figures have been.
        cluster: brokers and name servers.
    """

    service: AdminService
    now: Callable[[], int]
    zone: tzinfo | None
    save: Callable[[Path, str], None]
    refresh: float = 2.0
    read_only: bool = False
    name: str = "local"
    paused: bool = False
    settle: float = 0.15
    history: History = field(default_factory=History)
    cluster: Feed[Cluster] = field(default_factory=Feed)

    def moment(self, millis: int) -> str:
        """A time as a table shows it."""
        return formats.moment(millis, self.now(), self.zone)

    def age(self, since: int) -> str:
        """How long ago something was."""
        return formats.span(max(self.now() - since, 0))

    def is_internal(self, topic: str) -> bool:
        """Whether a topic is RocketMQ's own: of the system, for retries and dead letters, named after a server."""
        if is_system_topic(topic) or topic.startswith((RETRY_PREFIX, DLQ_PREFIX)):
            return True
        cluster = self.cluster.value
        own = {name for broker in cluster.brokers for name in (broker.name, broker.cluster)} if cluster else set()
        return topic in own or topic.removesuffix(f"_{REPLY_TOPIC_SUFFIX}") in own
