"""Delayed messages as the broker knows them: levels and timer together, and the hook that feeds both.

A slave delivers nothing: its levels stand where its master's do, and its timer follows.

Source: ScheduleMessageService, TimerMessageStore.
"""

from __future__ import annotations

from collections.abc import Callable

from rmq.remoting.reactor import Clock
from rmq.server.broker.delay.delivering import Deliverer
from rmq.server.broker.delay.following import FollowingTimer
from rmq.server.broker.delay.hook import DelayHook
from rmq.server.broker.delay.levels import LevelService
from rmq.server.broker.delay.offsets import DelayOffsetTable
from rmq.server.broker.delay.timer import Timer
from rmq.server.broker.delay.timer_files import TimerFiles
from rmq.server.broker.delay.timer_metrics import TimerCounts
from rmq.server.broker.meta.config_file import ConfigFile
from rmq.server.broker.stats import BrokerStats
from rmq.server.store.api import DeferToThread
from rmq.server.store.env import Env
from rmq.server.store.store import MessageStore
from rmq.server.store.tags import delay_levels
from rmq.settings.model import BrokerSettings
from rmq.settings.store import BrokerRole
from rmq.wire import fastjson
from rmq.wire.bodies.broker import TimerMetrics
from rmq.wire.bodies.offset import DelayOffsets
from rmq.wire.declare import to_plain
from rmq.wire.layouts import TIMER_CHECKPOINT


class DelayService:
    """Both ways to be late.

    Args:
        clock: time and calls later.
        settings: the broker's.
        store: opened before this is started.
        stats: counts deliveries as arrivals.
        config_file: a file under `config/` by its name.
        env: the store's file system.
        defer_to_thread: runs a blocking call in a thread.
        delivered: told after each slice of work in which messages were stored.

    Attributes:
        hook: sets messages aside that are to wait.
        offsets: how far the levels have come.
    """

    def __init__(
        self,
        clock: Clock,
        settings: BrokerSettings,
        store: MessageStore,
        stats: BrokerStats,
        config_file: Callable[[str], ConfigFile],
        env: Env,
        defer_to_thread: DeferToThread,
        delivered: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._with_timer = settings.store.timer_wheel_enable
        levels = delay_levels(settings.store.message_delay_level)
        deliverer = Deliverer(store, stats)
        self.offsets = DelayOffsetTable(settings, config_file("delayOffset.json"), store)
        self._levels = LevelService(settings, levels, store, deliverer, self.offsets, clock, delivered)
        self._files = TimerFiles(
            env,
            settings.store.store_path_root_dir,
            settings.store.timer_precision_ms,
            settings.store.mapped_file_size_timer_log,
        )
        self._counts = TimerCounts(config_file("timermetrics"))
        self._follows = settings.store.broker_role is BrokerRole.SLAVE
        self._timer = (FollowingTimer if self._follows else Timer)(
            settings, self._files, self._counts, store, deliverer, clock, defer_to_thread, delivered
        )
        self.hook = DelayHook(settings, levels, self._now, self._timer.waiting_in)

    def load(self) -> None:
        """Reads what an earlier run left.

        Raises:
            StoreError: the timer's files cannot be used; the text says why.
            ConfigFileError: a file under `config/` is damaged.
            OSError: a file cannot be read.
        """
        self.offsets.load(self._now())
        if self._with_timer:
            self._timer.load()

    def start(self) -> None:
        """Begins to deliver, or to follow."""
        if not self._follows:
            self._levels.start()
        if self._with_timer:
            self._timer.start()

    def stop(self) -> None:
        """Ends it; both have kept exactly where they stand."""
        self._levels.stop()
        if self._with_timer:
            self._timer.stop()

    def follow(self, levels: DelayOffsets, checkpoint: bytes) -> None:
        """On a slave: its master has come so far, and the store holds everything that was delivered until then.

        Args:
            levels: the progress of the master's delay levels.
            checkpoint: the image of its timer's checkpoint; empty when it has no timer.

        Raises:
            OSError: the timer's files cannot be read.
        """
        self.offsets.assign(levels)
        if isinstance(self._timer, FollowingTimer) and self._with_timer and len(checkpoint) >= TIMER_CHECKPOINT.size:
            read_time, _, _, queue_offset, *_ = TIMER_CHECKPOINT.unpack_from(checkpoint)
            self._timer.follow(read_time, queue_offset)

    def cut(self) -> None:
        """On a slave: the commit log may have been made shorter; before anything new is stored.

        Raises:
            OSError: the timer's files cannot be changed.
        """
        if isinstance(self._timer, FollowingTimer) and self._with_timer:
            self._timer.cut()

    def assign_timer_metrics(self, metrics: TimerMetrics) -> None:
        """On a slave: takes the master's counts of what waits."""
        self._counts.assign(metrics)

    def figures(self) -> dict[str, object]:
        """For the broker's runtime information."""
        return {**self._levels.figures(), **self._timer.figures()}

    @property
    def delivered_until(self) -> int:
        """What the timer was to deliver at this time or before has been delivered, milliseconds since the epoch."""
        return self._timer.delivered_until

    def timer_checkpoint(self) -> bytes:
        """The timer's checkpoint as it travels."""
        return self._files.image()

    def timer_metrics(self) -> bytes:
        """The timer's counts as they travel."""
        return fastjson.dumps(to_plain(self._counts.metrics)).encode()

    def _now(self) -> int:
        return int(self._clock.seconds() * 1000)
