"""What a slave appends: its master's log, byte for byte.

Bytes come as the network cuts them. Only whole records are written, and their units with them, so that the log's end
is a record's end as on a master, and everything else (flushing, rounds, index, reading, recovery) works alike. What is
left over waits in memory; it is never more than one record, because its head is checked before the rest is awaited:
magic number, size, and that it stands where it says. A record may be larger than maxMessageSize here allows, since the
master's counts, but not so large that whoever answers in a master's place could fill the memory.

A record is taken in this order: room in the log, its queue made ready, its body, its head, its unit, the log's new
end. Only the first two can fail, and until the head stands the log ends before the record for whoever reads it after
a crash. Records for which there is room in open and mapped files are taken by the compiled loop, where it was built,
as many as there are; any other is taken here, and then it is the loop's turn again.

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
from rmq.server.store.consumequeue import UNIT_SIZE, ConsumeQueue
from rmq.server.store.dispatch import QueueFiller
from rmq.server.store.queues import Queues
from rmq.server.store.record import MIN_RECORD, OWN_OFFSET_AT, RECORD_MAGICS, SYS_FLAG_AT, Record, parse_record
from rmq.server.store.tags import DispatchTags
from rmq.wire.layouts import BLANK_RECORD
from rmq.wire.sysflag import BLANK_MAGIC

_log = Logger()

_HEAD = BLANK_RECORD.size
_LONGEST = 64 * 1024 * 1024
"""Bytes of a record that are awaited whatever maxMessageSize is: four times what a frame may have by default."""
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
        self._arrived: dict[tuple[ConsumeQueue, int], None] = {}
        self._opened: list[tuple[str, int]] = []
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

    def feed(self, offset: int, data: bytes) -> int:
        """Takes bytes of the master's log from a physical offset on; how many messages became whole.

        Listeners are told of those by `announce`, which whoever feeds calls when nothing is more urgent.

        Args:
            offset: of the first byte.
            data: the bytes.

        Raises:
            NotContiguousError: the offset is not `received`.
            NoRecordError: what comes is not a log, or not one for files of this size. What came before it was taken.
            StoreError: the log could not be cut.
        """
        if self.closed:
            raise StoreError("the log could not be cut; it takes nothing until that has worked")
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
                if not self._partial:
                    kept = 0
                    at = self._take_records(data, at)
                if at < len(data):
                    at = self._take_piece(data, at)
        except NoRecordError:
            self.drop_partial()
            raise
        if self.stalled:
            del self._partial[kept:]
        return self._counters.put_total - before

    def announce(self) -> None:
        """Tells listeners of what was taken since the last time."""
        opened, self._opened = self._opened, []
        arrived, self._arrived = self._arrived, {}
        if self.on_new_topic is not None:
            for topic, queue_id in opened:
                self.on_new_topic(topic, queue_id)
        if self.on_arrival is not None:
            for queue, code in arrived:
                self.on_arrival(queue.topic, queue.queue_id, queue.next, code)

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
            taken = self._take_record(record)
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

    def _take_records(self, data: bytes, at: int) -> int:
        """Takes what needs nothing made ready, quickly; how far that went."""
        if fast.take_records is None:
            return at
        log, filler = self._log, self._filler
        end, count, newest = fast.take_records(data, at, log, filler.names, filler.topics, self._arrived)
        self._count(count, end - at, newest)
        return end

    def _take_record(self, data: bytes) -> bool:
        """Puts a record into log and queue, or neither when there is no space; whether it did.

        Raises:
            NoRecordError: it is none.
        """
        log = self._log
        record, why = parse_record(data, log.end, check_crc=False)
        if record is None or record.queue_offset < 0:
            raise NoRecordError(log.end, why or "its queue offset is negative")
        if not log.make_room_as_it_is(record.size):
            self.stalled = True
            return False
        try:
            queue = self._ready_queue(record) if record.is_dispatched else None
        except OSError as error:
            log.pause(error)
            self.stalled = True
            return False
        place: Any = log.map
        place[log.position + _HEAD : log.position + record.size] = data[_HEAD:]
        place[log.position : log.position + _HEAD] = data[:_HEAD]
        if queue is not None:
            if queue.max_physical < 0:
                self._opened.append((queue.topic, queue.queue_id))
            code = self._tags.of(queue.topic, record.properties, record.store_timestamp)
            queue.put(record.physical_offset, record.size, code)
            self._arrived[queue, code] = None
        log.position += record.size
        self._count(1, record.size, record.store_timestamp)
        return True

    def _ready_queue(self, record: Record) -> ConsumeQueue | None:
        """The queue of a record with room for its unit in a mapped file; None when its topic has no place.

        Raises:
            NoRecordError: the record's queue offset cannot be.
            OSError: a file cannot be made or removed, or the disk is full.
        """
        filler = self._filler
        queue = filler.queue_of(record.topic, record.queue_id)
        if queue is not None:
            _check_gap(queue, record.queue_offset, record.physical_offset)
            queue = filler.make_ready(queue, record.queue_offset)
        if filler.restarts:
            filler.restarts = 0
            self._on_files_changed()
        for problem in filler.problems:
            _log.error("From the master: {problem}", problem=problem)
        filler.problems.clear()
        return queue

    def _count(self, count: int, length: int, newest: int) -> None:
        log, counters = self._log, self._counters
        log.last_timestamp = max(log.last_timestamp, newest)
        counters.put_total += count
        counters.put_bytes += length


def _check_gap(queue: ConsumeQueue, offset: int, physical: int) -> None:
    """Refuses a queue offset that only more messages could reach than the log has room for in between: the units that
    stand for lacking ones are written one by one."""
    missing = offset - queue.next
    if queue.next and missing > queue.per_file and missing * UNIT_SIZE > physical - max(0, queue.max_physical):
        raise NoRecordError(physical, f"its offset in queue {queue.queue_id} of {queue.topic} is {offset}")
