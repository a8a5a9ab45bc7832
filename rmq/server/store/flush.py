"""Bringing the log to the disk.

SYNC_FLUSH is group commit: one fdatasync, in a thread, serves all who wait at that moment; those who come while it
runs are served by the next. A waiter gives up after `sync_flush_timeout` and is told so; its message stays stored.
Without waiters the log goes to the disk when enough has gathered, or after a while: always with ASYNC_FLUSH, and with
SYNC_FLUSH for messages that nobody waits for. That while is never longer than the pause between two notes in the
checkpoint, because some things wait for the log: how far delayed messages are done is not written before.

Source: CommitLog.GroupCommitService, CommitLog.FlushRealTimeService.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from rmq.remoting.reactor import Clock, DelayedCall
from rmq.server.store.api import DeferToThread, PutStatus, StoreOptions
from rmq.server.store.commitlog import CommitLog
from rmq.server.store.segment import Segment

_log = Logger()

_PAGE = 4096
_RETRY = 0.5


def sync_all(segments: Iterable[Segment]) -> None:
    """Brings files to the disk, one after the other; runs in a thread.

    Raises:
        OSError: the disk did not take one.
    """
    for segment in segments:
        segment.sync()


class LogFlusher:
    """Moves `CommitLog.flushed` forward.

    Args:
        on_failure: told when the disk did not take the log.

    Attributes:
        running: the Deferred of the fdatasync under way, None while there is none.
    """

    def __init__(
        self,
        options: StoreOptions,
        log: CommitLog,
        clock: Clock,
        defer_to_thread: DeferToThread,
        on_failure: Callable[[], None],
    ) -> None:
        self._log = log
        self._clock = clock
        self._defer_to_thread = defer_to_thread
        self._on_failure = on_failure
        self._timeout = options.sync_flush_timeout
        self._least_bytes = options.flush_commit_log_least_pages * _PAGE
        self._thorough = min(options.flush_commit_log_thorough_interval, options.checkpoint_interval)
        self._interval = options.flush_interval_commit_log
        self._waiters: deque[tuple[int, float, Deferred[PutStatus]]] = deque()
        self._kicked: DelayedCall | None = None
        self._expiry: DelayedCall | None = None
        self._tick: DelayedCall | None = None
        self._last = clock.seconds()
        self._stopped = False
        self.running: Deferred[bool] | None = None

    def start(self) -> None:
        """Begins the timed flushes."""
        self._tick = self._clock.callLater(self._interval, self._on_tick)

    def stop(self) -> None:
        """Ends the timed flushes and answers all who still wait with a timeout; a running fdatasync goes on."""
        self._stopped = True
        for call in (self._tick, self._kicked, self._expiry):
            if call is not None and call.active():
                call.cancel()
        while self._waiters:
            self._waiters.popleft()[2].callback(PutStatus.FLUSH_DISK_TIMEOUT)

    def when_durable(self, end: int) -> Deferred[PutStatus] | None:
        """Fires when everything before `end` is on the disk, or with FLUSH_DISK_TIMEOUT; None when it is already."""
        if end <= self._log.flushed:
            return None
        waiter: Deferred[PutStatus] = Deferred()
        self._waiters.append((end, self._clock.seconds() + self._timeout, waiter))
        if self._expiry is None:
            self._expiry = self._clock.callLater(self._timeout, self._expire)
        if self._kicked is None and self.running is None:
            # Not at once: whatever else this turn of the reactor appends shares the same fdatasync.
            self._kicked = self._clock.callLater(0, self._on_kick)
        return waiter

    def flush(self) -> Deferred[bool]:
        """Brings all that is appended so far to the disk; fires with whether that worked."""
        if self.running is not None:
            after: Deferred[bool] = Deferred()
            self.running.addCallback(self._then_flush, after)
            return after
        return self._begin()

    def _then_flush(self, worked: bool, after: Deferred[bool]) -> bool:
        self.flush().chainDeferred(after)
        return worked

    def _on_kick(self) -> None:
        self._kicked = None
        if self.running is None:
            self._begin()

    def _on_tick(self) -> None:
        self._tick = self._clock.callLater(self._interval, self._on_tick)
        dirty = self._log.end - self._log.flushed
        due = self._clock.seconds() - self._last >= self._thorough
        if self.running is None and dirty > 0 and (due or dirty >= self._least_bytes):
            self._begin()

    def _begin(self) -> Deferred[bool]:
        target = self._log.end
        segments = self._log.unsynced(target)
        if not segments:
            # A round was here before us.
            self._serve()
            return succeed(True)
        done: Deferred[bool] = Deferred()
        self.running = done
        self._defer_to_thread(lambda: sync_all(segments)).addCallbacks(
            lambda _: self._finished(target, done), lambda failure: self._failed(failure, done)
        )
        return done

    def _finished(self, target: int, done: Deferred[bool]) -> None:
        self._last = self._clock.seconds()
        self._log.flushed = max(self._log.flushed, target)
        self.running = None
        self._serve()
        done.callback(True)
        if self._waiters and self.running is None and not self._stopped:
            self._begin()

    def _serve(self) -> None:
        waiters = self._waiters
        served = []
        while waiters and waiters[0][0] <= self._log.flushed:
            served.append(waiters.popleft()[2])
        for waiter in served:
            waiter.callback(PutStatus.PUT_OK)

    def _failed(self, failure: Failure, done: Deferred[bool]) -> None:
        _log.critical("The commit log could not be brought to the disk: {error}", error=failure.value)
        self.running = None
        self._on_failure()
        try:
            self._log.dirty_again()
        except OSError as error:
            _log.critical("The commit log cannot be written again: {error}", error=error)
        done.callback(False)
        if self._waiters and self.running is None and not self._stopped and self._kicked is None:
            self._kicked = self._clock.callLater(_RETRY, self._on_kick)

    def _expire(self) -> None:
        self._expiry = None
        now = self._clock.seconds()
        while self._waiters and self._waiters[0][1] <= now:
            self._waiters.popleft()[2].callback(PutStatus.FLUSH_DISK_TIMEOUT)
        if self._waiters:
            self._expiry = self._clock.callLater(self._waiters[0][1] - now, self._expire)
