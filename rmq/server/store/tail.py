"""The log's end, where a slave's may differ from its master's: its last records, taking it back, starting over.

Taking the log back must survive a crash after each of its steps, so that a start finds either what was there or what
is left, never something third. The order:

1. What is cut goes into a file of its own, `<root>/cut/<offset>-<milliseconds>`: it may hold messages that somebody
   counts on.
2. The checkpoint forgets how far the store is on the disk: a start would begin to read behind the new end.
3. Queues and index lose what points behind the new end. Until the log is cut a start makes it again.
4. The log is cut, from its last file backwards.
5. A round notes the new state.

Rounds and flushes are waited for first; one that began before would speak of the old end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from rmq.server.store.api import Cut, LogGoneError, NoRecordError, StoreOptions
from rmq.server.store.commitlog import CommitLog
from rmq.server.store.env import Env
from rmq.server.store.flush import LogFlusher, Rounds
from rmq.server.store.index import Index
from rmq.server.store.queues import Queues
from rmq.server.store.record import OWN_OFFSET_AT, SYS_FLAG_AT
from rmq.server.store.replica import Replica
from rmq.server.store.scan import LogScan
from rmq.wire.layouts import BLANK_RECORD
from rmq.wire.sysflag import BLANK_MAGIC

_log = Logger()

_COPY = 1 << 20


class Tail:
    """Finds and changes the log's end."""

    def __init__(
        self,
        options: StoreOptions,
        env: Env,
        log: CommitLog,
        queues: Queues,
        index: Index,
        flusher: LogFlusher,
        rounds: Rounds,
        replica: Replica,
        seconds: Callable[[], float],
    ) -> None:
        self._env = env
        self._directory = f"{options.store_path_root_dir}/cut"
        self._log = log
        self._queues = queues
        self._index = index
        self._flusher = flusher
        self._rounds = rounds
        self._replica = replica
        self._seconds = seconds
        self._kept: Cut | None = None

    # --- records

    def newest_record(self, at_least: int) -> tuple[int, bytes] | None:
        """See `MessageStore.newest_record`."""
        for start in self._places_near_the_end():
            newest = deque(self._records(start), maxlen=1)
            if newest:
                physical, size = newest[0]
                data = self._log.read(physical, size) if physical >= at_least else None
                return (physical, data) if data is not None else None
        return None

    def _places_near_the_end(self) -> Iterator[int]:
        """Where records begin, the most promising place first."""
        unit = self._queues.newest_unit()
        if unit is not None and self._log.min_offset <= unit[0] < self._log.end:
            yield unit[0]
        yield from (segment.start for segment in reversed(self._log.segments.files))

    def _records(self, start: int) -> Iterator[tuple[int, int]]:
        """Physical offset and size of the records from `start` on."""
        end = self._log.end
        for record in LogScan(self._log.segments, start, end, check_crc=False).walk():
            if record.physical_offset >= end:
                return
            yield record.physical_offset, record.size

    def boundary_before(self, physical: int) -> int | None:
        """See `MessageStore.boundary_before`."""
        start = self._queues.last_before(min(physical, self._log.end))
        return start if start is not None and start >= self._log.min_offset else None

    def _is_boundary(self, physical: int) -> bool:
        """Whether a record or a blank begins at a physical offset, sound or not, or a file, or the log ends there."""
        if physical == self._log.end or physical % self._log.size == 0:
            return True
        left = self._log.size - physical % self._log.size
        # A blank may have less room than a record's head.
        head = self._log.read(physical, min(left, SYS_FLAG_AT)) or b""
        if head[: BLANK_RECORD.size] == BLANK_RECORD.pack(left, BLANK_MAGIC):
            return True
        return len(head) == SYS_FLAG_AT and int.from_bytes(head[OWN_OFFSET_AT:], "big", signed=True) == physical

    # --- taking back

    def truncate(self, end: int) -> Deferred[Cut]:
        """Takes the log, the queues and the index back to `end`; what stands behind it is kept aside.

        The replica must not be fed until the Deferred fires. It fails with

        - LogGoneError: the log begins behind `end`;
        - NoRecordError: `end` is in the middle of a record;
        - OSError: a file cannot be written or changed. The log may be partly cut then: the replica takes nothing
          until a later call, of this or of `start_over`, has worked. A start finds the log as it was, or cut.
        """
        return Deferred.fromCoroutine(self._truncate(end))

    async def _truncate(self, end: int) -> Cut:
        log = self._log
        if end < log.min_offset:
            raise LogGoneError(end, log.min_offset)
        if end < log.end and not self._rounds.halted and not self._is_boundary(end):
            raise NoRecordError(end, "it is no place to cut the log at")
        await self._idle()
        self._replica.drop_partial()
        cut = Cut(end, 0, 0, "")
        if end < log.end:
            cut = self._keep(end)
        elif not self._rounds.halted:
            return cut
        self._halt()
        for queue in self._queues.each():
            if queue.truncate(end):
                queue.minimum = 0
                queue.correct_minimum(log.min_offset)
                if queue.max_physical < 0:
                    self._queues.drop(queue)
        self._index.rewind(end)
        self._index.position = min(self._index.position, end)
        # First in memory: whoever reads the log meets nothing that is being erased.
        log.end_at(min(end, log.end))
        log.segments.cut_at(log.end)
        log.resume(log.end, log.flushed)
        self._resume()
        return cut

    def _keep(self, end: int) -> Cut:
        """Copies what stands from `end` on, all of it or nothing; once, however often the cut itself fails."""
        if self._kept is not None and self._kept.offset == end:
            return self._kept
        cut = Cut(end, self._log.end - end, sum(1 for _ in self._records(end)), self._aside(end))
        self._env.make_directory(self._directory)
        try:
            self._env.write_chunks(cut.path, self._bytes_from(end))
        except (OSError, LogGoneError):
            with suppress(OSError):
                self._env.remove(cut.path)
            raise
        self._kept = cut
        return cut

    def start_over(self, offset: int, *, keep: bool) -> Deferred[None]:
        """Empties log, queues and index, and lets the log begin at `offset`, the start of a file.

        What there was is lost, unless `keep` says that the log's files go to `<root>/cut/<offset>-<milliseconds>`. The
        replica must not be fed until the Deferred fires. It fails with

        - StoreError: no file of this log can begin at `offset`; the log is empty then;
        - OSError: a file cannot be moved, removed or written; see `truncate`.
        """
        return Deferred.fromCoroutine(self._start_over(offset, keep))

    async def _start_over(self, offset: int, keep: bool) -> None:
        log = self._log
        await self._idle()
        self._replica.drop_partial()
        self._halt()
        if keep and log.end > log.min_offset:
            path = self._aside(log.min_offset)
            self._env.make_directory(path)
            log.segments.move_all(path)
            _log.error("The log that this store had is now in {path}", path=path)
        log.segments.remove_all()
        for queue in self._queues.each():
            self._queues.drop(queue)
        self._index.wipe()
        log.begin(offset)
        self._index.position = offset
        self._resume()

    def _halt(self) -> None:
        self._replica.closed = True
        self._rounds.halt()

    def _resume(self) -> None:
        self._kept = None
        self._replica.closed = False
        self._rounds.resume()

    async def _idle(self) -> None:
        """Waits until no round and no flush is under way."""
        while (running := self._rounds.running or self._flusher.running) is not None:
            over: Deferred[None] = Deferred()
            running.addBoth(_pass_on, over)
            await over

    def _aside(self, offset: int) -> str:
        return f"{self._directory}/{offset:020d}-{int(self._seconds() * 1000)}"

    def _bytes_from(self, offset: int) -> Iterator[bytes]:
        while data := self._log.transfer(offset, _COPY):
            yield data
            offset += len(data)


def _pass_on(result: object, over: Deferred[None]) -> object:
    over.callback(None)
    return result
