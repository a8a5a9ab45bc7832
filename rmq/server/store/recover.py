"""Opening a store: what to trust, where to begin to read the log, and how to mend the rest.

The log is the truth; queues, index and checkpoint can be made from it. The order of trust:

1. The checkpoint's note, if it is of this boot of the machine and the files that it speaks of are there: log, queues
   and index are complete up to `safe_offset`. Queues and index are taken back to it and the log is read from there.
2. The checkpoint's extension, in the same way: after a power cut only that counts which was on the disk. After a clean
   stop either is the log's end, so nothing is read.
3. A clean stop without them (Apache ran here): what the queues point to was dispatched; the log is read from there.
4. A crash without them: Apache's rule, the newest file whose first message is older than the checkpoint's times.

Where the log is read from is not what is on the disk: that is never taken to be more than the extension says. The next
round brings there what is behind it, read anew or not.

A queue whose files are missing, too short or point to other messages is removed and built again from the whole log.
The index is not built here: where it can be trusted is where the indexer goes on after the start.

Source: DefaultMessageStore.recover, CommitLog.recoverNormally, CommitLog.recoverAbnormally, ConsumeQueueStore.
"""

from __future__ import annotations

from twisted.logger import Logger

from rmq.server.store.api import RecoveryReport, StoreError, StoreOptions
from rmq.server.store.checkpoint import Checkpoint, Extension
from rmq.server.store.commitlog import CommitLog
from rmq.server.store.consumequeue import BLANK_SIZE, ConsumeQueue, digest_of
from rmq.server.store.dispatch import QueueFiller
from rmq.server.store.index import Index
from rmq.server.store.queues import Queues
from rmq.server.store.record import STORE_TIME_PREFIX, Record, parse_record, store_time_of
from rmq.server.store.scan import LogScan
from rmq.server.store.tags import DispatchTags

_log = Logger()

_ALL_SAMPLES_UP_TO = 500
"""With more queues than this only each queue's newest unit is compared with the log."""
_FAR = 1 << 62


class Recovery:
    """Brings log, queues and index into agreement; used once, by `MessageStore.open`.

    Args:
        noted: what the checkpoint's note says, None where it does not count.
        clean: whether the previous run ended properly.

    Attributes:
        by_note: whether the note told where to go on after a crash.
        problems: sentences on what was wrong.
    """

    def __init__(
        self,
        options: StoreOptions,
        log: CommitLog,
        index: Index,
        queues: Queues,
        checkpoint: Checkpoint,
        noted: Extension | None,
        clean: bool,
    ) -> None:
        self._options = options
        self._log = log
        self._index = index
        self._queues = queues
        self._filler = QueueFiller(queues)
        self._checkpoint = checkpoint
        self._noted = noted
        self._own: Extension | None = None
        self._durable: Extension | None = None
        self._clean = clean
        self._tags = DispatchTags(options.message_delay_level)
        self._broken: set[ConsumeQueue] = set()
        self._audit = False
        self.problems = self._filler.problems
        self.by_note = False

    def run(self, damaged_queues: list[str], index_problems: list[str]) -> RecoveryReport:
        """Recovers; `damaged_queues` and `index_problems` are sentences on what loading had to remove already.

        Raises:
            StoreError: recovered queues cannot be written.
            OSError: a file cannot be read or changed.
        """
        self.problems += damaged_queues + index_problems
        log = self._log
        files = log.segments.files
        files_end = files[-1].start + log.size if files else 0
        if log.segments.cut is not None:
            self.problems.append(f"{log.segments.cut.path} was cut off; it has its full length again")
        if not files:
            self._without_log()
        start = self._choose_start(files_end, rebuild=bool(damaged_queues))
        known_good = max([start, *(queue.max_physical for queue in self._queues.each())])
        for own in (self._own, self._checkpoint.extension):
            known_good = max(known_good, own.safe_offset if own is not None else 0)
        self._broken.update(self._sampled_damage())
        self._prepare_index(start, index_problems)
        while True:
            if self._broken:
                self._remove_broken()
                start = log.min_offset
            scan = LogScan(log.segments, start, min(known_good, files_end), self._options.check_crc_on_recover)
            newest = self._read(scan)
            if not self._broken:
                break
        self.problems += scan.problems
        end = scan.position if files else 0
        truncated = log.segments.cut_at(end) if self._must_erase(end) else False
        if end < known_good and files:
            self.problems.append(f"the log ends at offset {end}, its queues or checkpoint knew it up to {known_good}")
        for queue in self._queues.each():
            queue.truncate(end)
            queue.minimum = 0
            queue.correct_minimum(log.min_offset)
        if self._index.end >= end:
            self._index.rewind(end)
        self._index.position = min(self._index.position, end)
        log.resume(end, min(start, self._on_disk))
        log.last_timestamp = max(newest, self._checkpoint.physic_msg_timestamp, self._checkpoint.logics_msg_timestamp)
        return RecoveryReport(
            self._clean, start, end - start, scan.records, end if truncated else None, self.problems
        )

    # --- what to trust

    def _without_log(self) -> None:
        queues = self._queues.each()
        if queues:
            self.problems.append(f"the commit log is gone; its {len(queues)} queues and the index are removed")
        for queue in queues:
            self._queues.drop(queue)
        self._index.wipe()

    def _choose_start(self, files_end: int, rebuild: bool) -> int:
        """From where to read the log."""
        log = self._log
        durable = self._checkpoint.extension
        foreign = durable if not self._within_log(durable, files_end) else None
        if foreign is not None:
            durable = None
        self._trust(durable if not rebuild else None)
        own = self._own = self._what_fits(durable, files_end, rebuild)
        self.by_note = own is not None and own is self._noted and durable is not None and not self._clean
        if own is None and foreign is not None:
            self.problems.append(
                f"the checkpoint knows the log up to offset {foreign.safe_offset}, but there are files for"
                f" {log.min_offset} to {files_end}"
            )
            rebuild = True
        elif own is None and durable is not None:
            self.problems.append("the queues are not those that the checkpoint knows; the whole log is compared")
            self._trust(None)
            rebuild = True
        if not (self._clean or self.by_note):
            for queue in self._queues.each():
                queue.erase_rest()
        if rebuild:
            self._audit = True
            start = log.min_offset
        elif own is not None:
            start = own.safe_offset
        elif self._clean:
            start = max([log.min_offset, *(queue.max_physical for queue in self._queues.each())])
            if start > files_end:
                start = log.min_offset
        else:
            start = self._start_by_time()
        if log.segments.cut is not None:
            start = min(start, log.segments.cut.start)
        return start

    def _trust(self, durable: Extension | None) -> None:
        """Counts on the disk having what this says, and nothing when there is none."""
        self._durable = durable
        self._log.segments.trust(self._on_disk)
        for queue in self._queues.each():
            queue.trust(self._on_disk)

    @property
    def _on_disk(self) -> int:
        return self._durable.safe_offset if self._durable is not None else self._log.min_offset

    def _what_fits(self, durable: Extension | None, files_end: int, rebuild: bool) -> Extension | None:
        """The newest of what the checkpoint says that fits the queues, which are taken back to it.

        Queues that are built again anyway need not fit.
        """
        for own in (self._noted, durable):
            if own is None or not self._within_log(own, files_end):
                continue
            for queue in self._queues.each():
                queue.truncate(own.safe_offset)
            digest = digest_of((queue, queue.next) for queue in self._queues.each())
            if rebuild or (digest == own.queue_digest and (own is durable or self._newest_is_sound())):
                return own
        return None

    def _within_log(self, own: Extension | None, files_end: int) -> bool:
        return own is not None and self._log.min_offset <= own.safe_offset <= files_end

    def _newest_is_sound(self) -> bool:
        """Whether the log has the newest message of the queues: a disk can be lost and return without a new boot."""
        unit = self._queues.newest_unit()
        if unit is None:
            return True
        segment = self._log.segments.find(unit[0])
        if segment is None:
            return False
        at = unit[0] - segment.start
        return not parse_record(segment.mapped()[at : at + unit[1]], unit[0])[1]

    def _start_by_time(self) -> int:
        log = self._log
        until = self._checkpoint.min_timestamp
        for segment in reversed(log.segments.files):
            time = store_time_of(segment.mapped()[:STORE_TIME_PREFIX])
            if 0 < time <= until:
                return segment.start
        return log.min_offset

    def _sampled_damage(self) -> set[ConsumeQueue]:
        """Queues with a unit that does not point to its message."""
        queues = self._queues.each()
        damaged = set()
        for queue in queues:
            samples = list(queue.samples())
            before = -1
            for offset, physical, size in samples if len(queues) <= _ALL_SAMPLES_UP_TO else samples[-1:]:
                segment = self._log.segments.find(physical)
                if segment is None and before < physical < self._log.min_offset:
                    before = physical
                    continue
                if segment is None or physical <= before:
                    damaged.add(queue)
                    break
                before = physical
                at = physical - segment.start
                record, _ = parse_record(segment.mapped()[at : at + max(0, size)], physical, check_crc=False)
                if record is not None and (record.queue_offset, record.queue_id) == (offset, queue.queue_id):
                    continue
                if record is None and self._unreadable(physical):
                    continue
                damaged.add(queue)
                break
        return damaged

    def _unreadable(self, physical: int) -> bool:
        """Whether not the unit is wrong but the log itself has no record there."""
        segment = self._log.segments.find(physical)
        if segment is None:
            return True
        at = physical - segment.start
        head = segment.mapped()[at : at + STORE_TIME_PREFIX]
        return len(head) < STORE_TIME_PREFIX or int.from_bytes(head[28:36], "big") != physical

    def _prepare_index(self, start: int, problems: list[str]) -> None:
        """Takes the index back to what can be trusted."""
        index, log = self._index, self._log
        if not index.enabled:
            return
        own = None if problems else self._own or self._checkpoint.extension
        if own is not None:
            index.rewind(own.indexed)
            if own.index_digest != index.digest():
                self.problems.append("the index is not the one that the checkpoint knows; it is built again")
                index.wipe()
                own = None
        if own is not None:
            index.position = own.indexed
        else:
            index.rewind(_FAR if self._clean else start)
            index.position = index.end
        torn = index.drop_torn() if not self._clean and not self.by_note else None
        if torn is not None:
            self.problems.append("the newest file of the index is not whole; it is built again")
            index.position = min(index.position, torn)
        index.position = max(index.position, log.min_offset)
        index.trust(self._durable.indexed if self._durable is not None else log.min_offset)

    # --- reading the log

    def _remove_broken(self) -> None:
        for queue in self._broken:
            self.problems.append(f"{queue.segments.directory} does not fit the log; it is built again from it")
            self._queues.drop(queue)
        self._broken.clear()
        self._audit = False

    def _read(self, scan: LogScan) -> int:
        """Dispatches what the walk finds; the newest store time seen."""
        newest = 0
        try:
            for record in scan.walk():
                self._dispatch(record)
                newest = max(newest, record.store_timestamp)
        except OSError as error:
            raise StoreError(f"the store cannot be recovered: {error}") from error
        return newest

    def _dispatch(self, record: Record) -> None:
        if not record.is_dispatched:
            return
        queue = self._filler.queue_of(record.topic, record.queue_id)
        if queue is None:
            return
        if record.physical_offset < queue.max_physical:
            if self._audit:
                self._compare(queue, record)
            return
        queue = self._filler.make_ready(queue, record.queue_offset)
        tags = self._tags.of(queue.topic, record.properties, record.store_timestamp)
        queue.put(record.physical_offset, record.size, tags)

    def _compare(self, queue: ConsumeQueue, record: Record) -> None:
        unit = queue.unit(record.queue_offset)
        if unit is None or (unit[0] != record.physical_offset and unit[1] != BLANK_SIZE):
            self._broken.add(queue)

    # --- the end

    def _must_erase(self, end: int) -> bool:
        """After a clean stop a look at the first bytes behind the end is enough."""
        if not self._clean:
            return True
        segment = self._log.segments.find(end)
        if segment is None:
            return False
        at = end - segment.start
        return self._log.segments.files[-1] is not segment or any(segment.mapped()[at : at + STORE_TIME_PREFIX])
