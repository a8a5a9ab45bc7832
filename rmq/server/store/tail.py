"""The log's end, where a slave's may differ from its master's: its last records, taking it back, starting over.

Taking the log back must survive a crash after each of its steps, so that a start finds either what was there or what
is left, never something third. The order:

1. What is cut goes into a file of its own, `<root>/cut/<offset>-<milliseconds>`: it may hold messages that somebody
   counts on.
2. The checkpoint forgets how far the store is on the disk: a start would begin to read behind the new end.
3. Queues and index lose what points behind the new end. Until the log is cut a start makes it again.
4. The log is cut, from its last file backwards.
5. Queues that have nothing left get units for what the log has of them, see `rmq.server.store.refill`. A start without
   a checkpoint reads the whole log, and so does the same.
6. A round notes the new state.

Gigabytes may have to go. So files are copied, removed and erased in a thread, and what walks over the log gives the
reactor its turn: clients and heartbeats do not wait. In memory the log ends at the new end before the first byte is
changed, and rounds and flushes are waited for: one that began before would speak of the old end.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from rmq.remoting.reactor import Clock
from rmq.server.store.api import Cut, DeferToThread, LogGoneError, NoRecordError, StoreOptions
from rmq.server.store.commitlog import CommitLog
from rmq.server.store.env import Env
from rmq.server.store.flush import LogFlusher
from rmq.server.store.index import Index
from rmq.server.store.queues import Queues
from rmq.server.store.record import MIN_RECORD, OWN_OFFSET_AT, RECORD_MAGICS, SYS_FLAG_AT, Record
from rmq.server.store.refill import QueueName, Refill
from rmq.server.store.replica import Replica
from rmq.server.store.rounds import Rounds
from rmq.server.store.scan import LogScan
from rmq.server.store.tags import DispatchTags
from rmq.wire.layouts import BLANK_RECORD
from rmq.wire.sysflag import BLANK_MAGIC

_log = Logger()

_TURN = 0.005
"""Seconds that a walk over the log goes on before others have their turn."""


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
        clock: Clock,
        defer_to_thread: DeferToThread,
    ) -> None:
        self._env = env
        self._directory = f"{options.store_path_root_dir}/cut"
        self._log = log
        self._queues = queues
        self._index = index
        self._flusher = flusher
        self._rounds = rounds
        self._replica = replica
        self._clock = clock
        self._defer_to_thread = defer_to_thread
        self._tags = DispatchTags(options.message_delay_level)
        self._kept: Cut | None = None
        self._walked = array("q")
        self._begins: dict[QueueName, int] = {}

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
        newest = unit[0] if unit is not None else -1
        for segment in reversed(self._log.segments.files):
            in_file = segment.start <= newest < min(self._log.end, segment.start + segment.size)
            yield newest if in_file else segment.start

    def _records(self, start: int) -> Iterator[tuple[int, int]]:
        """Physical offset and size of the records from `start` on."""
        end = self._log.end
        for record in LogScan(self._log.segments, start, end, check_crc=False).walk():
            if record.physical_offset >= end:
                return
            yield record.physical_offset, record.size

    def boundary_before(self, physical: int) -> int | None:
        """See `MessageStore.boundary_before`."""
        before = min(physical, self._log.end)
        segment = self._log.segments.find(before - 1)
        if segment is None:
            return None
        known = max(self._queues.last_before(before) or 0, segment.start)
        if known not in self._walked[:1]:
            self._walked = array("q", [known])
        walked = self._walked
        # Records without a unit, as of a topic that was deleted.
        while walked[-1] < before and (following := self._after(walked[-1])) is not None:
            walked.append(following)
        return walked[bisect_left(walked, before) - 1]

    def _after(self, physical: int) -> int | None:
        """Where the record after the one at a physical offset begins, None when that is the file's last."""
        head = self._log.read(physical, BLANK_RECORD.size)
        size, magic = BLANK_RECORD.unpack(head) if head is not None else (0, 0)
        following: int = physical + size
        head = self._log.read(following, BLANK_RECORD.size) if magic in RECORD_MAGICS and size >= MIN_RECORD else None
        return following if head is not None and BLANK_RECORD.unpack(head)[1] in RECORD_MAGICS else None

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

    def emptied_by(self, end: int) -> list[QueueName]:
        """See `MessageStore.emptied_by`."""
        return [
            (queue.topic, queue.queue_id)
            for queue in self._queues.each()
            if queue.max_physical > end and queue.last_before(end) is None
        ]

    # --- taking back

    def truncate(self, end: int, begins: Mapping[QueueName, int]) -> Deferred[Cut]:
        """Takes the log, the queues and the index back to `end`; what stands behind it is kept aside.

        Queues in `begins`, which have nothing before `end`, get units for what the log has of them from a physical
        offset on. The replica must not be fed until the Deferred fires. It fails with

        - LogGoneError: the log begins behind `end`;
        - NoRecordError: `end` is in the middle of a record;
        - OSError: a file cannot be written or changed. The log may be partly cut then: the replica takes nothing
          until a later call, of this or of `start_over`, has worked. A start finds the log as it was, or cut.
        """
        return Deferred.fromCoroutine(self._truncate(end, begins))

    async def _truncate(self, end: int, begins: Mapping[QueueName, int]) -> Cut:
        log = self._log
        if end < log.min_offset:
            raise LogGoneError(end, log.min_offset)
        if end < log.end and not self._rounds.halted and not self._is_boundary(end):
            raise NoRecordError(end, "it is no place to cut the log at")
        self._replica.drop_partial()
        cut = Cut(end, 0, 0, "")
        if end < log.end:
            cut = await self._keep(end)
        elif not self._rounds.halted and not begins:
            return cut
        elif self._kept is not None:
            # In memory an earlier attempt has ended the log there already.
            cut = self._kept
        self._begins |= begins
        await self._idle()
        self._halt()
        log.end_at(min(end, log.end))
        log.trusted_from, log.flushed = min(log.trusted_from, log.end), min(log.flushed, log.end)
        self._index.rewind(end)
        self._index.position = min(self._index.position, end)
        for queue in self._queues.each():
            if queue.truncate(end):
                queue.minimum = 0
                queue.correct_minimum(log.min_offset)
                if queue.max_physical < 0:
                    self._queues.drop(queue)
        await self._cut_log()
        if self._begins:
            await self._refill()
        log.resume(log.end, log.flushed)
        self._resume()
        return cut

    async def _keep(self, end: int) -> Cut:
        """Copies what stands from `end` on, all of it or nothing; once, however often the cut itself fails."""
        if self._kept is not None and self._kept.offset == end:
            return self._kept
        log = self._log
        path = f"{self._directory}/{end:020d}-{int(self._clock.seconds() * 1000)}"
        stretches = [
            (segment.path, max(0, end - segment.start), min(segment.size, log.end - segment.start))
            for segment in log.segments.between(end, log.end)
        ]
        messages = 0

        def count(_: Record) -> None:
            nonlocal messages
            messages += 1

        await self._walk(end, count)
        self._env.make_directory(self._directory)
        try:
            await self._defer_to_thread(lambda: self._env.copy(path, stretches))
        except OSError:
            with suppress(OSError):
                self._env.remove(path)
            raise
        self._kept = Cut(end, log.end - end, messages, path)
        return self._kept

    async def _cut_log(self) -> None:
        log, files = self._log, self._log.segments.files
        while len(files) > 1 and files[-1].start >= log.end:
            await self._remove_last()
        if files:
            last, position = files[-1], max(0, log.end - files[-1].start)
            await self._defer_to_thread(lambda: self._env.erase(last.path, position))
            last.reserved = min(last.reserved, position)

    async def _remove_last(self) -> None:
        files = self._log.segments.files
        segment = files.pop()
        segment.unmap()
        segment.gone = True
        try:
            await self._defer_to_thread(lambda: self._env.remove(segment.path))
        except OSError:
            segment.gone = False
            files.append(segment)
            raise

    async def _refill(self) -> None:
        refill = Refill(self._queues, self._tags, self._begins)
        await self._walk(max(refill.start, self._log.min_offset), refill.take)
        for problem in refill.problems:
            _log.error("After the log was cut: {problem}", problem=problem)

    async def _walk(self, start: int, take: Callable[[Record], None]) -> None:
        """Gives all records from `start` on to `take`."""
        log, clock = self._log, self._clock
        while start < log.end:
            until = clock.seconds() + _TURN
            # A new scan after each turn: files may have been unmapped.
            for record in LogScan(log.segments, start, log.end, check_crc=False).walk():
                if record.physical_offset >= log.end:
                    return
                take(record)
                start = record.physical_offset + record.size
                if clock.seconds() >= until:
                    break
            else:
                return
            turn: Deferred[None] = Deferred()
            clock.callLater(0, turn.callback, None)
            await turn

    # --- starting over

    def start_over(self, offset: int) -> Deferred[None]:
        """Empties log, queues and index, and lets the log begin at `offset`, the start of a file.

        What there was is lost. The replica must not be fed until the Deferred fires. It fails with

        - StoreError: no file of this log can begin at `offset`; the log is empty then;
        - OSError: a file cannot be removed or written; see `truncate`.
        """
        return Deferred.fromCoroutine(self._start_over(offset))

    async def _start_over(self, offset: int) -> None:
        log = self._log
        await self._idle()
        self._replica.drop_partial()
        self._halt()
        while log.segments.files:
            await self._remove_last()
        await self._idle()
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
        self._walked = array("q")
        self._begins = {}
        self._replica.closed = False
        self._rounds.resume()

    async def _idle(self) -> None:
        """Waits until no round and no flush is under way."""
        while (running := self._rounds.running or self._flusher.running) is not None:
            over: Deferred[None] = Deferred()
            running.addBoth(_pass_on, over)
            await over


def _pass_on(result: object, over: Deferred[None]) -> object:
    over.callback(None)
    return result
