"""What all screens share: the service, the clock, what is known of the cluster, and how often it is asked."""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from pathlib import Path
from typing import Final

from rmq.tui import formats
from rmq.tui.config.contexts import Context, Mode
from rmq.tui.decoders.registry import Decoders, installed
from rmq.tui.service.command_line import command_line
from rmq.tui.service.model import Cluster
from rmq.tui.service.ops import OpsLog
from rmq.tui.service.protocol import AdminService
from rmq.tui.state.feed import Feed
from rmq.tui.state.history import History
from rmq.tui.state.lags import Lags
from rmq.tui.state.queries import Queries
from rmq.tui.state.timeline import Timelines
from rmq.wire.names import DLQ_PREFIX, REPLY_TOPIC_SUFFIX, RETRY_PREFIX, is_system_topic

INTERVALS: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""Seconds between refreshes that `+` and `-` go through."""


def _no_files(path: Path) -> str:
    raise OSError(errno.ENOENT, "no files are there to be read")


@dataclass(slots=True)
class Session:
    """One look at one cluster.

    Attributes:
        service: answers.
        now: ms since the epoch.
        zone: in which times are shown; None for the system's.
        save: writes a text to a file.
        refresh: seconds between refreshes.
        context: what the cluster is called here, and what may be done in it.
        ops: what was changed since the start, in whatever context.
        queries: questions for messages that were asked lately, and saved ones.
        decoders: what can show a message's body.
        paused: whether nothing is asked until the user says so.
        load: reads a text from a file.
        settle: seconds that cursor and window must rest before they are asked about.
        history: what figures have been.
        cluster: brokers and name servers.
        lags: of groups.
        timelines: what charts show.
    """

    service: AdminService
    now: Callable[[], int]
    zone: tzinfo | None
    save: Callable[[Path, str], None]
    refresh: float = 2.0
    context: Context = field(default_factory=Context)
    ops: OpsLog = field(default_factory=OpsLog)
    queries: Queries = field(default_factory=Queries)
    decoders: Decoders = field(default_factory=lambda: Decoders(installed()))
    paused: bool = False
    load: Callable[[Path], str] = field(default=_no_files)
    settle: float = 0.15
    history: History = field(default_factory=History)
    cluster: Feed[Cluster] = field(default_factory=Feed)
    lags: Lags = field(default_factory=Lags)
    timelines: Timelines = field(default_factory=Timelines)
    _own: tuple[Cluster | None, frozenset[str]] = field(default=(None, frozenset()), repr=False)

    @property
    def read_only(self) -> bool:
        """Whether nothing may be changed."""
        return self.context.mode is Mode.READ_ONLY

    @property
    def name(self) -> str:
        """What the cluster is called here."""
        return self.context.name

    def elsewhere(self, service: AdminService, context: Context) -> Session:
        """A look at another cluster, of which nothing is known yet."""
        return replace(
            self,
            service=service,
            context=context,
            refresh=context.refresh or self.refresh,
            paused=False,
            history=History(),
            cluster=self.cluster.anew(),
            lags=Lags(),
            timelines=Timelines(),
        )

    def moment(self, millis: int) -> str:
        """A time as a table shows it."""
        return formats.moment(millis, self.now(), self.zone)

    def command_line(self, words: Sequence[str], secrets: Sequence[str] = ()) -> str:
        """The command line of mqadmin that does this in this cluster; empty when there are no words."""
        return command_line(words, self.service.address, secrets)

    def age(self, since: int) -> str:
        """How long ago something was."""
        return formats.span(max(self.now() - since, 0))

    def is_internal(self, topic: str) -> bool:
        """Whether a topic is RocketMQ's own: of the system, for retries and dead letters, named after a server."""
        if is_system_topic(topic) or topic.startswith((RETRY_PREFIX, DLQ_PREFIX)):
            return True
        own = self._own_names()
        return topic in own or topic.removesuffix(f"_{REPLY_TOPIC_SUFFIX}") in own

    def _own_names(self) -> frozenset[str]:
        """Names of brokers and clusters, made once for each answer: every topic is compared with them."""
        cluster, names = self._own
        if cluster is not self.cluster.value:
            cluster = self.cluster.value
            brokers = cluster.brokers if cluster is not None else ()
            names = frozenset(name for broker in brokers for name in (broker.name, broker.cluster))
            self._own = (cluster, names)
        return names
