"""Giving disk space back: expired log files, and the queue and index files that point to nothing any more.

Whole files go, oldest first, never the newest. A log file goes when it has not been written to for `file_reserved_time`
hours and the hour is one of `delete_when`, or the disk is fuller than `disk_max_used_space_ratio`, or somebody asked;
above `disk_space_clean_forcibly_ratio` age does not matter. Above `disk_space_warning_level_ratio` the store takes no
messages until it is below again. Removing a large file takes the system a while, so that happens in a thread.

All this is asked for anew at every check: an operator whose disk fills up can change it and need not restart.

Source: DefaultMessageStore.CleanCommitLogService, CleanConsumeQueueService.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from twisted.logger import Logger

from rmq.remoting.reactor import Clock, DelayedCall
from rmq.server.store.api import DeferToThread, Retention
from rmq.server.store.commitlog import CommitLog
from rmq.server.store.consumequeue import ConsumeQueue
from rmq.server.store.env import Env
from rmq.server.store.index import Index
from rmq.server.store.segment import Segment

_log = Logger()

_FIRST_CHECK = 60.0
_MANUAL_ROUNDS = 20


def _hours(text: str) -> set[int]:
    return {int(hour) for hour in text.split(";") if hour.strip().isdigit()}


def _clamped(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


class Cleaner:
    """Checks every `clean_resource_interval`.

    Args:
        retention: what is to be kept, as it is set now.
        root: the store's directory.

    Attributes:
        disk_full: whether the last check found the disk above the warning level.
    """

    def __init__(
        self,
        retention: Callable[[], Retention],
        root: str,
        env: Env,
        log: CommitLog,
        index: Index,
        queues: Callable[[], Iterable[ConsumeQueue]],
        clock: Clock,
        defer_to_thread: DeferToThread,
        on_disk_full: Callable[[bool], None],
        on_removed: Callable[[], None],
    ) -> None:
        self._retention = retention
        self._root = root
        self._env = env
        self._log = log
        self._index = index
        self._queues = queues
        self._clock = clock
        self._defer_to_thread = defer_to_thread
        self._on_disk_full = on_disk_full
        self._on_removed = on_removed
        self._manual_rounds = 0
        self._tick: DelayedCall | None = None
        self._pause: DelayedCall | None = None
        self._stopped = False
        self._minimum_seen = -1
        self.disk_full = False

    def start(self) -> None:
        """Begins the checks; the first is a minute away."""
        self._tick = self._clock.callLater(_FIRST_CHECK, self._on_tick)

    def stop(self) -> None:
        """Ends them."""
        self._stopped = True
        for call in (self._tick, self._pause):
            if call is not None and call.active():
                call.cancel()

    def delete_now(self) -> None:
        """Lets the next checks delete what is expired, whatever the hour (executeDeleteFilesManually)."""
        self._manual_rounds = _MANUAL_ROUNDS

    def commit_log_ratio(self) -> float:
        """Used share of the log's disk, 0 to 1; -1 when unknown."""
        return self._ratio(self._log.segments.directory)

    def consume_queue_ratio(self) -> float:
        """Used share of the queues' disk, 0 to 1; -1 when unknown."""
        return self._ratio(f"{self._root}/consumequeue")

    def _ratio(self, path: str) -> float:
        try:
            return self._env.disk_used_ratio(path)
        except OSError as error:
            _log.error("The use of the disk at {path} is unknown: {error}", path=path, error=error)
            return -1.0

    def _on_tick(self) -> None:
        self._tick = self._clock.callLater(self._retention().clean_resource_interval, self._on_tick)
        self.check()

    def check(self) -> None:
        """One check, and the deletions that follow from it."""
        retention = self._retention()
        ratio = max(self.commit_log_ratio(), self.consume_queue_ratio())
        full = ratio > _clamped(retention.disk_space_warning_level_ratio, 0.35, 0.90)
        if full != self.disk_full:
            self.disk_full = full
            _log.error(
                "The disk is {percent}% full, {what}",
                percent=round(ratio * 100),
                what="messages are refused" if full else "messages are welcome again",
            )
        self._on_disk_full(full)
        manual = self._manual_rounds > 0
        if manual:
            self._manual_rounds -= 1
        hour = datetime.fromtimestamp(self._clock.seconds()).hour
        emergency = _clamped(retention.disk_space_clean_forcibly_ratio, 0.30, 0.85)
        forcibly = retention.clean_file_forcibly_enable and ratio > emergency
        used = _clamped(retention.disk_max_used_space_ratio / 100.0, 0.10, 0.95)
        if hour in _hours(retention.delete_when) or ratio > used or manual:
            if self._pause is None:
                self._delete(retention.delete_file_batch_max, forcibly)
        else:
            self.clean_derived()

    def _delete(self, left: int, forcibly: bool) -> None:
        self._pause = None
        files = self._log.segments.files
        if left <= 0 or len(files) < 2 or self._stopped or not (forcibly or self._expired(files[0])):
            self.clean_derived()
            return
        segment = files.pop(0)
        segment.unmap()
        segment.gone = True
        _log.info("{path} is deleted", path=segment.path)
        self._defer_to_thread(lambda: self._env.remove(segment.path)).addErrback(
            lambda failure: _log.error("{path} is not deleted: {e}", path=segment.path, e=failure.value)
        )
        self._pause = self._clock.callLater(
            self._retention().delete_commit_log_files_interval, self._delete, left - 1, forcibly
        )

    def _expired(self, segment: Segment) -> bool:
        try:
            written = self._env.modified(segment.path)
        except OSError as error:
            _log.error("The age of {path} is unknown: {error}", path=segment.path, error=error)
            return False
        return self._clock.seconds() >= written + self._retention().file_reserved_time * 3600

    def clean_derived(self) -> int:
        """Removes queue and index files that only point before the log's beginning; how many."""
        minimum = self._log.min_offset
        if minimum == self._minimum_seen:
            return 0
        removed = 0
        try:
            for queue in self._queues():
                removed += queue.remove_expired(minimum)
            removed += self._index.remove_expired(minimum)
            self._minimum_seen = minimum
        except OSError as error:
            _log.error("Expired queue or index files are not deleted: {error}", error=error)
        if removed:
            self._on_removed()
        return removed
