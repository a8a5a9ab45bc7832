"""Puts POP consumption together.

Source: BrokerController, PopMessageProcessor.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

from twisted.logger import Logger

from rmq.remoting.calls import Invoker
from rmq.remoting.reactor import Clock, Repeat
from rmq.server.broker.clients import ConsumerTable
from rmq.server.broker.filters import FilterTable
from rmq.server.broker.meta.config_file import ConfigFile
from rmq.server.broker.meta.groups import GroupTable
from rmq.server.broker.meta.offsets import OffsetTable
from rmq.server.broker.meta.topics import TopicTable
from rmq.server.broker.pop.buffer import SCAN_SECONDS, CheckPointBuffer
from rmq.server.broker.pop.hold import PopHold
from rmq.server.broker.pop.inflight import InflightCounter
from rmq.server.broker.pop.modes import ModeTable
from rmq.server.broker.pop.orders import OrderTable
from rmq.server.broker.pop.popping import Popper
from rmq.server.broker.pop.revive import Reviver
from rmq.server.broker.pop.revivelog import ReviveLog
from rmq.server.broker.pop.routes import RouteCache
from rmq.server.broker.processors.ack import AckProcessor
from rmq.server.broker.processors.assignment import AssignmentProcessor
from rmq.server.broker.processors.pop import PopProcessor
from rmq.server.broker.putting import MessagePutter
from rmq.server.broker.stats import BrokerStats
from rmq.server.store.store import MessageStore
from rmq.settings.model import BrokerSettings
from rmq.wire.names import revive_topic

SAVE_SECONDS: Final = 10.0
"""Pause between two writes of the ordered pops."""

log = Logger()


class PopService:
    """All parts of POP consumption.

    Args:
        clock: tells time and calls later.
        config_file: a file of the directory `config/`, by its name.
        putter: stores what goes into the revive log, at its time.
        invoker: calls the name servers, whose addresses `name_servers` tells.
        host: the broker's packed address.
        now: milliseconds since the epoch.
        random: what a pop looks into first.
        delivered_until: up to which time delayed messages have been delivered, milliseconds since the epoch.

    Attributes:
        processors: handlers of pops and their acknowledgements.
        assignments: handler of who gets which queues, and whether by pulls or pops.
        modes: what groups are to use.
        buffer: check points in memory.
    """

    def __init__(
        self,
        clock: Clock,
        settings: BrokerSettings,
        config_file: Callable[[str], ConfigFile],
        topics: TopicTable,
        groups: GroupTable,
        consumers: ConsumerTable,
        filters: FilterTable,
        offsets: OffsetTable,
        store: MessageStore,
        putter: MessagePutter,
        stats: BrokerStats,
        invoker: Invoker,
        name_servers: Callable[[], list[str]],
        host: bytes,
        now: Callable[[], int],
        random: Random,
        delivered_until: Callable[[], int],
    ) -> None:
        topic = revive_topic(settings.broker.broker_cluster_name)
        revive_log = ReviveLog(putter, topic, host, now)

        def queues_of(topic: str, group: str) -> int:
            config = topics.configs.get(topic)
            return config.read_queue_nums if config is not None and group in groups.configs else 0

        inflight = self._inflight = InflightCounter(now)
        self._store = store
        self.modes = ModeTable(settings, config_file("messageRequestMode.json"))
        self._orders = OrderTable(settings, config_file("consumerOrderInfo.json"), queues_of, clock, now)
        self.buffer = CheckPointBuffer(
            settings, revive_log, offsets, lambda topic, group: queues_of(topic, group) > 0, now
        )
        limit = settings.broker.max_pop_polling_size
        self._hold = PopHold(clock, lambda: self._listen(self._hold), limit=limit)
        self._notices = PopHold(clock, lambda: self._listen(self._notices), limit=limit)
        self._orders.on_free = self._freed
        offsets.on_forget = self._forget
        # What was popped has its delay behind it, whatever its properties say.
        undelayed = MessagePutter(store)
        self._reviver = Reviver(
            settings, topic, host, topics, groups, offsets, store, undelayed, revive_log, inflight, clock,
            delivered_until,
        )  # fmt: skip
        popper = Popper(settings, topics, offsets, store, stats, self.buffer, self._orders, inflight, random, now)
        routes = RouteCache(settings, invoker, name_servers, topics, clock.seconds)
        self.processors = (
            PopProcessor(settings, topics, groups, filters, popper, self._hold, self._notices, clock.seconds),
            AckProcessor(
                settings, topics, offsets, store, revive_log, self.buffer, self._orders, inflight, self._hold, now
            ),
        )
        self.assignments = AssignmentProcessor(settings, topics, groups, consumers, self.modes, routes)
        self._scanner = Repeat(clock, self.buffer.scan)
        self._saver = Repeat(clock, self._save)

    def load(self) -> None:
        """Reads what an earlier run kept.

        Raises:
            ConfigFileError: a file is damaged.
        """
        self.modes.load()
        self._orders.load()

    def start(self) -> None:
        """Begins to look after what was popped; offsets are loaded."""
        self._reviver.start()
        self._hold.start()
        self._notices.start()
        self._scanner.start(SCAN_SECONDS)
        self._saver.start(SAVE_SECONDS)

    def stop(self) -> None:
        """Ends that, and stores what is in memory only."""
        for part in (self._saver, self._scanner, self._notices, self._hold, self._reviver, self._orders):
            part.stop()
        try:
            self.buffer.flush()
        except Exception:
            # Their offsets are not committed: the next run hands these messages out again.
            log.failure("check points in memory cannot be stored")
        self._save()

    def _save(self) -> None:
        try:
            self._orders.save()
        except OSError as error:
            log.warn("ordered pops cannot be saved now: {error}", error=error)

    def _forget(self, gone: Callable[[str, str], bool]) -> None:
        for part in (self.buffer, self._orders, self._inflight):
            part.forget_all(gone)

    def _listen(self, hold: PopHold) -> None:
        """Messages are reported to waiting pops only since there was one: each costs a little."""
        before = self._store.on_arrival

        def both(topic: str, queue_id: int, next_offset: int, tags_code: int) -> None:
            if before is not None:
                before(topic, queue_id, next_offset, tags_code)
            hold.arrived(topic, queue_id, next_offset, tags_code)

        self._store.on_arrival = both

    def _freed(self, topic: str, group: str, queue_id: int) -> None:
        for hold in (self._hold, self._notices):
            hold.wake(topic, group, queue_id)
            hold.wake(topic, group, -1)
