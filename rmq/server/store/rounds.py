"""Keeping the checkpoint: what a start after a crash can rely on.

Two ways of ending need two promises, at very different prices (see `rmq.server.store.checkpoint`).

- After a killed process everything that it wrote into its maps is still there. So about once a second it is *noted*
  how far log, queues and index stand. That is one small write, which waits for no disk, and a start goes on from it.
- After a power cut only that is there which was brought to the disk. So every ten seconds or so a *round* takes log,
  queues and index there, as they stand when it begins, and then writes into the page how far that was. With a thousand
  queues that is a thousand fdatasyncs; once a second they cost a machine of two cores 6 to 15 % of the sends. What came
  after the last round is read from the log, which goes to the disk much more often (`rmq.server.store.flush`).

When files came or went both happen at once, since a start would not find those that the page speaks of. Rounds keep a
pause between them all the same, so that many changes, or a slow disk, do not make one endless round.

After an fdatasync has failed, the system may have dropped what was written: nothing is noted until a round has worked.

Source: FlushConsumeQueueService, StoreCheckpoint.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from rmq.remoting.reactor import Clock, DelayedCall
from rmq.server.store.api import DeferToThread, StoreOptions
from rmq.server.store.checkpoint import HEAD_SIZE, NO_NOTE, NOTE_AT, Checkpoint, Extension, Note
from rmq.server.store.commitlog import CommitLog
from rmq.server.store.consumequeue import ConsumeQueue, digest_of
from rmq.server.store.env import Env
from rmq.server.store.flush import sync_all
from rmq.server.store.index import Index
from rmq.server.store.indexfile import IndexFile
from rmq.server.store.segment import Segment

_log = Logger()


class Rounds:
    """Brings log, queues and index to the disk and keeps the checkpoint.

    Attributes:
        checkpoint: what the page says, or will say after the round under way, but for the note.
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
        self._sync_interval = options.sync_interval
        self._boot_id = env.boot_id()
        self._tick: DelayedCall | None = None
        self._stopped = False
        self._touched = False
        self._due = self._ended = -math.inf
        self._head = b""
        self._vouched = False
        """Whether the page begins with `_head` and all that was written since the last round still holds."""
        self._doubted = False
        """Whether the disk refused something since the round under way began."""
        self._noted: Extension | None = None
        self._moved = True
        self._failing = False
        self.halted = False
        self.running: Deferred[None] | None = None
        self._safe = -1
        self.checkpoint = Checkpoint()

    # --- life

    def start(self) -> None:
        """Begins notes and rounds."""
        self._tick = self._clock.callLater(0 if self._touched else self._interval, self._on_tick)

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
        """Files of queues or index came or went: the page must say so soon, even if nothing was appended."""
        self._touched = self._moved = True
        self._due = min(self._due, self._ended + self._interval)
        if self._tick is not None and self._tick.active():
            self._tick.cancel()
            self._tick = self._clock.callLater(0, self._on_tick)

    def take_over(self, checkpoint: Checkpoint, *, holds: bool) -> None:
        """Goes on from the page that an earlier process left, in a store that is recovered now.

        Args:
            checkpoint: what the page says.
            holds: whether all of that is true still, and what it does not say can wait for the first round. Otherwise
                there is one at once, blocking; failures are logged, since a full disk must not prevent a start.
        """
        self.checkpoint = replace(checkpoint, note=None)
        if holds:
            self._head = self.checkpoint.encode()[:HEAD_SIZE]
            self._vouched = True
            self.note()
            self.touch()
            return
        try:
            self.run_now()
        except OSError as error:
            _log.error("The checkpoint could not be written at the start: {error}", error=error)

    def halt(self) -> None:
        """Lets the checkpoint vouch for nothing, and ends notes and rounds until `resume`; none may be under way.

        Raises:
            OSError: the checkpoint cannot be written.
        """
        self.halted = True
        self._vouched = False
        self.checkpoint = Checkpoint(master_flushed_offset=self.checkpoint.master_flushed_offset)
        self._env.write_file(self._path, self.checkpoint.encode())

    def resume(self) -> None:
        """Goes on after `halt`, with a round at once, blocking.

        Raises:
            OSError: the disk did not take something; later rounds will try again.
        """
        self.halted = False
        self.touch()
        self.run_now()

    def distrust(self) -> None:
        """The disk did not take something: what was written may be gone, so that nothing is noted until it does."""
        self._doubted = True
        self._vouched = False
        self._patch(NO_NOTE)
        self.touch()

    def _on_tick(self) -> None:
        self._tick = self._clock.callLater(self._interval, self._on_tick)
        self.note()
        if self.running is None and self._clock.seconds() >= self._due:
            self.run()

    # --- notes

    def note(self) -> None:
        """Notes how far the files are written; failures are logged."""
        end, noted = self._log.end, self._noted
        if not self._moved and noted is not None:
            self._moved = (noted.safe_offset, noted.index_behind) != (end, self._behind(end))
        if self._vouched and self._moved:
            self._noted = self._state()
            if self._noted is not None:
                self._patch(Note(self._boot_id, self._noted).encode(self._head))

    def _state(self) -> Extension | None:
        """How far everything stands now; None where that cannot be told, or on a machine whose boots have no id."""
        if not self._boot_id:
            return None
        self._moved = False
        index, end = self._index, self._log.end
        try:
            # A start finds the newest entries by the headers.
            index.unsynced()
        except OSError as error:
            _log.error("The index cannot be noted: {error}", error=error)
            self._moved = True
            return None
        digest = digest_of((queue, queue.next) for queue in self._queues())
        return Extension(end, digest, index.digest(), self._behind(end))

    def _behind(self, end: int) -> int:
        position = self._index.position
        return position if self._index.enabled and position < end else -1

    def _patch(self, note: bytes) -> None:
        try:
            self._env.patch_file(self._path, NOTE_AT, note)
            self._failing = False
        except OSError as error:
            if not self._failing:
                _log.error("How far the store is written could not be noted: {error}", error=error)
            self._failing = True

    # --- rounds

    def run(self) -> Deferred[None]:
        """One round; failures are logged and leave the checkpoint as it was."""
        round_ = self._begin()
        if round_ is None:
            return succeed(None)
        safe, segments, marks, index_state = round_
        over: Deferred[None] = Deferred()
        self.running = over

        def end(_: object) -> None:
            self.running = None
            self._ended = self._clock.seconds()
            self._due = self._ended + (self._interval if self._touched else self._sync_interval)
            over.callback(None)

        def failed(failure: Failure) -> None:
            self._failed(failure.value)

        def synced(_: object) -> Deferred[Any]:
            if self._doubted:
                raise OSError("what was to be on the disk was refused in the meantime")
            page = self._vouch(safe, marks, index_state)
            return self._defer_to_thread(lambda: self._env.write_file(self._path, page)).addCallback(wrote)

        def wrote(_: object) -> None:
            self._vouched = True
            if self._doubted:
                self.distrust()

        self._defer_to_thread(lambda: sync_all(segments)).addCallback(synced).addErrback(failed).addCallback(end)
        return over

    def _failed(self, error: BaseException | None) -> None:
        _log.critical("The checkpoint could not be moved on: {error}", error=error)
        self.distrust()
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
        self._env.write_file(self._path, self._vouch(safe, marks, index_state))
        self._vouched = True
        self._due = self._clock.seconds() + self._sync_interval

    def _begin(self) -> tuple[int, list[Segment], list[tuple[IndexFile, int]], tuple[int, int]] | None:
        safe = self._log.end
        own = self.checkpoint.extension
        behind = self._behind(safe)
        index_moved = self._index.is_dirty or (own is not None and own.index_behind != behind)
        if self.halted or (self._vouched and safe == self._safe and not self._touched and not index_moved):
            return None
        self._doubted = False
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

    def _vouch(self, safe: int, marks: Sequence[tuple[IndexFile, int]], index_state: tuple[int, int]) -> bytes:
        """Everything that the round took is on the disk; the page that says so."""
        log = self._log
        log.flushed = max(log.flushed, safe)
        for queue in self._queues():
            queue.synced = queue.marked
        digest = digest_of((queue, queue.synced) for queue in self._queues())
        for file, count in marks:
            file.synced_count = count
        self._safe = safe
        self._touched = False
        time = log.last_timestamp
        # Until this page is written nothing is noted: it would be written over, or go by a head that is not there.
        self._vouched = False
        self._noted = self._state()
        self.checkpoint = Checkpoint(
            time,
            time,
            time,
            self.checkpoint.master_flushed_offset,
            safe,
            Extension(safe, digest, *index_state),
        )
        note = Note(self._boot_id, self._noted) if self._noted is not None else None
        page = replace(self.checkpoint, note=note).encode()
        self._head = page[:HEAD_SIZE]
        return page
