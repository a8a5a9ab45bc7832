"""Bringing the log to the disk, and the rounds that bring everything there.

SYNC_FLUSH is group commit: one fdatasync, in a thread, serves all who wait at that moment; those who come while it
runs are served by the next. A waiter gives up after `sync_flush_timeout` and is told so; its message stays stored.
ASYNC_FLUSH brings the log to the disk when enough has gathered, or after a while.

A *round* takes log, queues and index to the disk as they stand when it begins and then writes into the checkpoint how
far that was. A start after a crash reads the log from there. Rounds follow each other with a pause, so a slow disk
makes them rarer, not more.

Source: CommitLog.GroupCommitService, CommitLog.FlushRealTimeService, FlushConsumeQueueService.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from rmq.remoting.reactor import Clock, DelayedCall
from rmq.server.store.api import DeferToThread, PutStatus, StoreOptions
from rmq.server.store.checkpoint import Checkpoint, Extension
from rmq.server.store.commitlog import CommitLog
from rmq.server.store.consumequeue import ConsumeQueue
from rmq.server.store.env import Env
from rmq.server.store.index import Index
from rmq.server.store.indexfile import IndexFile
from rmq.server.store.segment import Segment

_log = Logger()

_PAGE = 4096
_RETRY = 0.5
_DIGEST_BITS = (1 << 64) - 1


def sync_all(segments: Iterable[Segment]) -> None:
    """Brings files to the disk, one after the other; runs in a thread.

    Raises:
        OSError: the disk did not take one.
    """
    for segment in segments:
        segment.sync()


class LogFlusher:
    """Moves `CommitLog.flushed` forward.

    Attributes:
        running: the Deferred of the fdatasync under way, None while there is none.
    """

    def __init__(
        self, options: StoreOptions, log: CommitLog, clock: Clock, defer_to_thread: DeferToThread
    ) -> None:
        self._log = log
        self._clock = clock
        self._defer_to_thread = defer_to_thread
        self._timeout = options.sync_flush_timeout
        self._least_bytes = options.flush_commit_log_least_pages * _PAGE
        self._thorough = options.flush_commit_log_thorough_interval
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


class Rounds:
    """Brings log, queues and index to the disk and keeps the checkpoint.

    Attributes:
        checkpoint: what the file says, or will say after the round under way.
        running: the Deferred of the round under way, None while there is none.
        halted: whether there are none, since log and queues do not agree.
    """

    def __init__(
        self,
        options: StoreOptions,
        env: Env,
        path: str,
        log: CommitLog,
        index: Index,
        queues: Callable[[], Iterable[ConsumeQueue]],
        clock: Clock,
        defer_to_thread: DeferToThread,
    ) -> None:
        self._env = env
        self._path = path
        self._log = log
        self._index = index
        self._queues = queues
        self._clock = clock
        self._defer_to_thread = defer_to_thread
        self._interval = options.checkpoint_interval
        self._tick: DelayedCall | None = None
        self._stopped = False
        self._touched = False
        self.halted = False
        self.running: Deferred[None] | None = None
        self._safe = -1
        self.checkpoint = Checkpoint()

    def start(self) -> None:
        """Begins the rounds."""
        self._tick = self._clock.callLater(self._interval, self._on_tick)

    def stop(self) -> Deferred[None]:
        """Ends them; fires when a round under way is over."""
        self._stopped = True
        if self._tick is not None and self._tick.active():
            self._tick.cancel()
        over: Deferred[None] = Deferred()
        if self.running is None:
            over.callback(None)
        else:
            self.running.addCallback(lambda _: over.callback(None))
        return over

    def touch(self) -> None:
        """Files of queues or index came or went: the next round must say so even if nothing was appended."""
        self._touched = True
        if not self._stopped and self.running is None and self._tick is not None and self._tick.active():
            self._tick.cancel()
            self._tick = self._clock.callLater(0, self._on_tick)

    def halt(self) -> None:
        """Lets the checkpoint vouch for nothing, and ends the rounds until `resume`; none may be under way.

        Raises:
            OSError: the checkpoint cannot be written.
        """
        self.halted = True
        self.checkpoint = Checkpoint(master_flushed_offset=self.checkpoint.master_flushed_offset)
        self._env.write_file(self._path, self.checkpoint.encode())

    def resume(self) -> None:
        """Goes on after `halt`, with a round at once, blocking.

        Raises:
            OSError: the disk did not take something; later rounds will try again.
        """
        self.halted = False
        self._touched = True
        self.run_now()

    def _on_tick(self) -> None:
        self.run().addCallback(self._again)

    def _again(self, _: object) -> None:
        if not self._stopped:
            self._tick = self._clock.callLater(0 if self._touched else self._interval, self._on_tick)

    def run(self) -> Deferred[None]:
        """One round; failures are logged and leave the checkpoint as it was."""
        round_ = self._begin()
        if round_ is None:
            return succeed(None)
        safe, segments, marks, index_state = round_
        over: Deferred[None] = Deferred()
        self.running = over

        def wrote(_: object) -> None:
            self.running = None
            over.callback(None)

        def failed(failure: Failure) -> None:
            self._failed(failure.value)
            wrote(None)

        def synced(_: object) -> Deferred[Any]:
            self._note(safe, marks, index_state)
            page = self.checkpoint.encode()
            return self._defer_to_thread(lambda: self._env.write_file(self._path, page))

        self._defer_to_thread(lambda: sync_all(segments)).addCallback(synced).addCallbacks(wrote, failed)
        return over

    def _failed(self, error: BaseException | None) -> None:
        _log.critical("The checkpoint could not be moved on: {error}", error=error)
        try:
            self._log.dirty_again()
            for queue in self._queues():
                queue.dirty_again()
            for file in self._index.unsynced():
                file.segment.rewrite(0, file.segment.reserved)
        except OSError as again:
            _log.critical("What is not on the disk cannot be written again: {error}", error=again)

    def run_now(self) -> None:
        """One round at once, blocking; for opening and closing.

        Raises:
            OSError: the disk did not take something, or files are in the middle of being changed.
        """
        if self.halted:
            raise OSError("log and queues do not agree, since the log could not be cut")
        round_ = self._begin()
        if round_ is None:
            return
        safe, segments, marks, index_state = round_
        sync_all(segments)
        self._note(safe, marks, index_state)
        self._env.write_file(self._path, self.checkpoint.encode())

    def _begin(self) -> tuple[int, list[Segment], list[tuple[IndexFile, int]], tuple[int, int]] | None:
        safe = self._log.end
        own = self.checkpoint.extension
        position = self._index.position
        behind = position if self._index.enabled and position < safe else -1
        index_moved = self._index.is_dirty or (own is not None and own.index_behind != behind)
        if self.halted or (safe == self._safe and not self._touched and not index_moved):
            return None
        segments = self._log.unsynced(safe)
        for queue in self._queues():
            if queue.synced < queue.next:
                segments += queue.unsynced()
            queue.marked = queue.next
        marks = []
        try:
            for file in self._index.unsynced():
                segments.append(file.segment)
                marks.append((file, file.count))
        except OSError as error:
            _log.error("The index cannot be brought to the disk: {error}", error=error)
            return None
        return safe, segments, marks, (self._index.digest(), behind)

    def _note(self, safe: int, marks: Sequence[tuple[IndexFile, int]], index_state: tuple[int, int]) -> None:
        log = self._log
        log.flushed = max(log.flushed, safe)
        digest = 0
        for queue in self._queues():
            queue.safe = queue.synced = queue.marked
            if queue.safe:
                digest += queue.digest(queue.safe)
        for file, count in marks:
            file.synced_count = count
        self._safe = safe
        self._touched = False
        time = log.last_timestamp
        self.checkpoint = Checkpoint(
            time,
            time,
            time,
            self.checkpoint.master_flushed_offset,
            safe,
            Extension(safe, digest & _DIGEST_BITS, *index_state),
        )
