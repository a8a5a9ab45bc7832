"""What a slave appends: its master's log, byte for byte.

Bytes come as the network cuts them. Only whole records are written, and their units with them, so that the log's end
is a record's end as on a master, and everything else (flushing, rounds, index, reading, recovery) works alike. What is
left over waits in memory; it is never more than one record, because its head is checked before the rest is awaited:
magic number, size, and that it stands where it says. A record may be larger than maxMessageSize here allows, since the
master's counts, but not so large that whoever answers in a master's place could fill the memory.

As with batches a run of records is written but for its head first: until that stands, the log ends before the run for
whoever reads it after a crash.

The units come before the log's new end, and so before the report of it, because making them can fail. A message that
comes alone is reported first: a master that waits for it is waiting for nothing else, and its one unit, on reserved
and mapped space, cannot fail any more.

A file's blank is a head and then filler, which is passed over as it comes; the log's end stays before the blank until
all of it was there. The next file begins with the next record.

Source: DefaultHAClient.dispatchReadRequest, CommitLog.appendData.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.logger import Logger

from rmq.server.store import fast
from rmq.server.store.api import ArrivalListener, NoRecordError, NotContiguousError, StoreError, StoreOptions
from rmq.server.store.append import Counters
from rmq.server.store.commitlog import BLANK_MIN, CommitLog
from rmq.server.store.consumequeue import UNIT, UNIT_SIZE, ConsumeQueue
from rmq.server.store.dispatch import Put, QueueFiller, Single
from rmq.server.store.queues import Queues
from rmq.server.store.record import MIN_RECORD, OWN_OFFSET_AT, SYS_FLAG_AT, parse_record
from rmq.server.store.runs import RECORD_MAGICS, Parts, Run, gather, gather_any
from rmq.server.store.tags import DispatchTags
from rmq.wire.layouts import BLANK_RECORD
from rmq.wire.sysflag import BLANK_MAGIC

_log = Logger()

_HEAD = BLANK_RECORD.size
_LONGEST = 64 * 1024 * 1024
"""Bytes of a record that are awaited whatever maxMessageSize is: four times what a frame may have by default."""
_COPIED = 4096
"""Bytes that are copied once more sooner than looked at in place."""
Logged = Callable[[int], None]
"""Told how far the log goes, when a message stands in it that came alone."""

_SIZES = "mappedFileSizeCommitLog must be the same on master and slave"


class Replica:
    """Takes the master's bytes.

    Attributes:
        stalled: whether the last `feed` found no space on the disk: what stands from `received` on was not taken and
            is to be fed again, after a pause.
        closed: whether nothing is taken, since the log is being cut or could not be.
        on_arrival: told of each new message.
        on_new_topic: told topic and queue id when a message opened a queue.
    """

    def __init__(
        self,
        options: StoreOptions,
        log: CommitLog,
        queues: Queues,
        counters: Counters,
        on_files_changed: Callable[[], None],
    ) -> None:
        self._log = log
        self._filler = QueueFiller(queues)
        self._tags = DispatchTags(options.message_delay_level)
        self._longest = max(_LONGEST, 2 * options.max_message_size)
        self._counters = counters
        self._on_files_changed = on_files_changed
        self._partial = bytearray()
        self._blank = 0
        self.stalled = self.closed = False
        self.on_arrival: ArrivalListener | None = None
        self.on_new_topic: Callable[[str, int], None] | None = None

    @property
    def received(self) -> int:
        """Physical offset of the next byte that is wanted; every whole message before it is in log and queue."""
        return self._log.end + len(self._partial) + self._blank

    def drop_partial(self) -> None:
        """Forgets what is not a whole record yet: `received` goes back to the log's end."""
        self._partial.clear()
        self._blank = 0

    def begin(self, offset: int) -> None:
        """Lets an empty log begin at a physical offset, the start of one of the master's files.

        Raises:
            NotEmptyError: there are messages.
            StoreError: no file of this log can begin there.
            OSError: the file cannot be made.
        """
        self.drop_partial()
        self._log.begin(offset)
        self._on_files_changed()

    def feed(self, offset: int, data: bytes, logged: Logged | None = None) -> int:
        """Takes bytes of the master's log from a physical offset on; how many messages became whole.

        Args:
            offset: of the first byte.
            data: the bytes.
            logged: told of a message that came whole and alone, before it is in its queue; nothing is said of others.

        Raises:
            NotContiguousError: the offset is not `received`.
            NoRecordError: what comes is not a log, or not one for files of this size. What came before it was taken.
            StoreError: the log could not be cut.
        """
        if self.closed:
            raise StoreError("the log could not be cut; it takes nothing until that has worked")
        if logged is not None and not self._partial and not self._blank and offset == self._log.end:
            single = self._place_single(data)
            if single is not None:
                self.stalled = False
                logged(offset + len(data))
                self._finish_single(offset, len(data), *single)
                return 1
        if offset != self.received:
            raise NotContiguousError(self.received, offset)
        self.stalled = False
        before = self._counters.put_total
        kept = len(self._partial)
        at = 0
        try:
            while at < len(data) and not self.stalled:
                if self._blank:
                    at = self._pass_blank(data, at)
                    continue
                started = at
                if not self._partial:
                    run = gather(data, at, self._log.end, self._rest - BLANK_MIN, self._tags)
                    if run.count and self._take(data, at, run):
                        at = run.end
                if at == started and not self.stalled:
                    at = self._take_piece(data, at)
                    if not self._partial:
                        kept = 0
        except NoRecordError:
            self.drop_partial()
            raise
        if self.stalled:
            del self._partial[kept:]
        return self._counters.put_total - before

    @property
    def _rest(self) -> int:
        """Bytes from the log's end to that of the file that the next record goes to."""
        return self._log.size - self._log.position % self._log.size

    # --- what is not whole

    def _take_piece(self, data: bytes, at: int) -> int:
        """Adds to the partial record, or to a blank's head, and takes it when it is whole; how far that went."""
        partial = self._partial
        while len(partial) < (needed := self._needed()):
            piece = data[at : at + needed - len(partial)]
            if not piece:
                return at
            partial += piece
            at += len(piece)
        record = bytes(partial)
        if int.from_bytes(record[4:_HEAD], "big") == BLANK_MAGIC:
            taken = self._begin_blank(record)
        else:
            run = gather_any(record, 0, self._log.end, len(record), self._tags)
            if not run.count:
                why = parse_record(record, self._log.end, check_crc=False)[1] or "its queue offset is negative"
                raise NoRecordError(self._log.end, why)
            taken = self._take(record, 0, run)
        if taken:
            partial.clear()
        return at

    def _needed(self) -> int:
        """How many bytes of the partial record are needed before more can be said of it.

        Raises:
            NoRecordError: it is none, or not one for this log.
        """
        head, end = self._partial, self._log.end
        if len(head) < _HEAD:
            return _HEAD
        size: int
        size, magic = BLANK_RECORD.unpack_from(head)
        if magic == BLANK_MAGIC:
            if size != self._rest:
                raise NoRecordError(end, f"a blank of {size} bytes where the file has {self._rest} left; {_SIZES}")
            return _HEAD
        if magic not in RECORD_MAGICS:
            raise NoRecordError(end, f"0x{magic:08X} does not open a record")
        if not MIN_RECORD <= size <= self._rest - BLANK_MIN:
            raise NoRecordError(end, f"{size} bytes are none, or too many for the file's last {self._rest}; {_SIZES}")
        if size > self._longest:
            raise NoRecordError(end, f"a record of {size} bytes is awaited only if maxMessageSize is half of that")
        if len(head) < SYS_FLAG_AT:
            return SYS_FLAG_AT
        own = int.from_bytes(head[OWN_OFFSET_AT:SYS_FLAG_AT], "big", signed=True)
        if own != end:
            raise NoRecordError(end, f"the record there says that it stands at {own}")
        return size

    def _begin_blank(self, head: bytes) -> bool:
        log = self._log
        if not log.make_room_as_it_is(_HEAD):
            self.stalled = True
            return False
        log.map[log.position : log.position + _HEAD] = head  # type: ignore[index]
        self._blank = _HEAD
        self._end_blank()
        return True

    def _pass_blank(self, data: bytes, at: int) -> int:
        """Takes filler; zeros stand there already. How far that went."""
        log = self._log
        piece = data[at : at + self._rest - self._blank]
        if piece.count(0) != len(piece):
            if not log.make_room_as_it_is(self._rest):
                self.stalled = True
                return at
            start = log.position + self._blank
            log.map[start : start + len(piece)] = piece  # type: ignore[index]
        self._blank += len(piece)
        self._end_blank()
        return at + len(piece)

    def _end_blank(self) -> None:
        if self._blank == self._rest:
            self._blank = 0
            self._log.position = self._log.size

    # --- what is whole

    def _place_single(self, data: bytes) -> Single | None:
        """Puts a message into the log that came whole and alone, if nothing has to be made ready for it: there is space
        in log and queue, both are mapped, and the queue goes on with it. None when nothing was done."""
        log, filler = self._log, self._filler
        if fast.place_single is not None:
            return fast.place_single(data, log, filler.names, filler.topics)
        length = len(data)
        if int.from_bytes(data[:4], "big") != length or log.position + length > log.reserved:
            return None
        run = gather_any(data, 0, log.end, self._rest - BLANK_MIN, self._tags)
        if run.count != 1 or filler.unready(run.parts):
            return None
        for (topic, queue_id), (_, _, codes) in run.parts.items():
            if name := filler.names[topic]:
                self._write(data, 0, length)
                log.position += length
                (code,) = codes
                return filler.topics[name].queues[queue_id], code, run.newest
        return None

    def _finish_single(self, physical: int, length: int, queue: ConsumeQueue, code: int, time: int) -> None:
        """Everything that comes after a message's place in the log."""
        done = [(queue, queue.next, queue.max_physical, {code})]
        queue.put(physical, length, code)
        self._count(1, length, time, done)

    def _take(self, data: bytes, start: int, run: Run) -> bool:
        """Puts a run into log and queues, or none of it when there is no space; whether it did."""
        log = self._log
        length = run.end - start
        if not log.make_room_as_it_is(length):
            self.stalled = True
            return False
        done: list[Put] = []
        try:
            if unready := self._filler.unready(run.parts):
                self._make_ready(unready, run.parts)
            self._write(data, start, length)
            self._filler.put(run.parts, done)
        except OSError as error:
            # The log still ends where it did: the same bytes will be written again.
            self._filler.take_back(done)
            log.pause(error)
            self.stalled = True
            return False
        log.position += length
        self._count(run.count, length, run.newest, done)
        return True

    def _count(self, count: int, length: int, newest: int, done: list[Put]) -> None:
        """Notes what was added, and tells of it."""
        log, counters = self._log, self._counters
        log.last_timestamp = max(log.last_timestamp, newest)
        counters.put_total += count
        counters.put_bytes += length
        self._tell(done)

    def _make_ready(self, unready: list[tuple[bytes, int]], parts: Parts) -> None:
        """Gives queues room for what comes.

        Raises:
            NoRecordError: a message's queue offset cannot be.
            OSError: a file cannot be made or removed, or the disk is full.
        """
        filler = self._filler
        for topic, queue_id in unready:
            queue = filler.queue_of(topic, queue_id)
            if queue is not None:
                first, units, _ = parts[topic, queue_id]
                _check_gap(queue, first, UNIT.unpack_from(units)[0])
                filler.make_ready(queue, first, len(units) // UNIT_SIZE)
        if filler.restarts:
            filler.restarts = 0
            self._on_files_changed()
        for problem in filler.problems:
            _log.error("From the master: {problem}", problem=problem)
        filler.problems.clear()

    def _write(self, data: bytes, start: int, length: int) -> None:
        at, end = self._log.position, start + length
        view: Any = self._log.map
        if length <= _COPIED:
            view[at + _HEAD : at + length] = data[start + _HEAD : end]
        else:
            with memoryview(data) as whole, whole[start + _HEAD : end] as rest:
                view[at + _HEAD : at + length] = rest
        view[at : at + _HEAD] = data[start : start + _HEAD]

    def _tell(self, done: list[Put]) -> None:
        if self.on_new_topic is not None:
            for queue, _, max_physical, _ in done:
                if max_physical < 0:
                    self.on_new_topic(queue.topic, queue.queue_id)
        if self.on_arrival is not None:
            for queue, _, _, codes in done:
                for code in codes:
                    self.on_arrival(queue.topic, queue.queue_id, queue.next, code)


def _check_gap(queue: ConsumeQueue, offset: int, physical: int) -> None:
    """Refuses a queue offset that only more messages could reach than the log has room for in between: the units that
    stand for lacking ones are written one by one."""
    missing = offset - queue.next
    if queue.next and missing > queue.per_file and missing * UNIT_SIZE > physical - max(0, queue.max_physical):
        raise NoRecordError(physical, f"its offset in queue {queue.queue_id} of {queue.topic} is {offset}")
