"""Builds the index from the log, behind the appends.

A send does not wait for its keys to be indexed: every few milliseconds the indexer takes what was appended since, in
one go, which also costs less than key by key. It keeps up with any load of single messages; a burst of large batches
it may let run ahead, since it takes at most a share of the time while messages come. It is never more than
`MOST_BEHIND` bytes of log behind what this process appends, and all the time is its own once the load is over.
Queries by key ask for the rest to be added first, unless that is much.

After a crash, with index files missing or on a full disk the same work goes on from `Index.position`.

Source: DefaultMessageStore.ReputMessageService, IndexService.buildIndex.
"""

from __future__ import annotations

from collections.abc import Callable
from mmap import mmap

from twisted.logger import Logger

from rmq.remoting.reactor import Clock, DelayedCall
from rmq.server.store import fast
from rmq.server.store.commitlog import CommitLog
from rmq.server.store.index import TAGS_PREFIX, Index
from rmq.server.store.record import HEADS, HOST_BITS, SYS_FLAG_AT
from rmq.server.store.scan import LogScan
from rmq.server.store.segment import Segment
from rmq.wire.message import find_property
from rmq.wire.sysflag import BLANK_MAGIC, MAGIC_V1, TRANSACTION_MASK, TRANSACTION_ROLLBACK

_log = Logger()

MOST_BEHIND = 256 << 20
_SLICE = 64 << 10
"""Bytes of log taken between two looks at the clock: about half a millisecond."""
_PAUSE = 0.02
"""Seconds between two looks while messages come."""
_IDLE = 0.2
"""Seconds between two looks while none do."""
_SHARE = 0.004
"""Seconds of work between two pauses while messages come."""
_BY_HAND = 4 << 10
"""Bytes of log taken the Python way where a record is not for the compiled one: the next are likely like it."""
_REST = 0.001
"""Pause while there is work and no messages come."""
_RETRY = 1.0
_FOR_QUERY = 16 << 20
_AT_CLOSE = 1 << 30
_UNIQUE_FIRST = b"UNIQ_KEY\x01"
_SEPARATOR = b"\x02"


class Indexer:
    """Moves `Index.position` towards the log's end."""

    def __init__(self, log: CommitLog, index: Index, clock: Clock) -> None:
        self._log = log
        self._index = index
        self._clock = clock
        self._seconds = clock.seconds
        self._call: DelayedCall | None = None
        self._failing = False
        self._seen = 0

    def start(self) -> None:
        """Begins the work."""
        if self._index.enabled:
            self._seen = self._log.end
            self._call = self._clock.callLater(_REST, self._on_call)

    def stop(self) -> None:
        """Ends it."""
        if self._call is not None and self._call.active():
            self._call.cancel()

    @property
    def behind(self) -> int:
        """Bytes of log that are not indexed yet."""
        return self._log.end - self._index.position if self._index.enabled else 0

    def catch_up_for_query(self) -> None:
        """Indexes what is left, if that takes no longer than a query may."""
        if 0 < self.behind <= _FOR_QUERY:
            self._try(lambda: self.work(_FOR_QUERY))

    def finish(self) -> None:
        """Indexes what is left, so that an Apache broker that opens the store finds all; a huge rest stays."""
        if self.behind > 0:
            self._try(lambda: self.work(_AT_CLOSE))

    def _on_call(self) -> None:
        end = self._log.end
        busy = end != self._seen
        self._seen = end
        worked = self._try(self._work_for_a_while) if self._index.position < end else True
        if not worked:
            pause = _RETRY
        elif busy:
            pause = _PAUSE
        else:
            pause = _IDLE if self._index.position >= end else _REST
        self._call = self._clock.callLater(pause, self._on_call)

    def _work_for_a_while(self) -> None:
        index, log, seconds = self._index, self._log, self._seconds
        until = seconds() + _SHARE
        self.work(_SLICE)
        while index.position < log.end and seconds() < until:
            self.work(_SLICE)
        if self.behind > MOST_BEHIND and index.position >= log.trusted_from:
            self.work(self.behind - MOST_BEHIND)

    def _try(self, work: Callable[[], None]) -> bool:
        try:
            work()
        except OSError as error:
            if not self._failing:
                _log.error(
                    "The index stays behind at offset {offset}: {error}", offset=self._index.position, error=error
                )
            self._failing = True
            return False
        self._failing = False
        return True

    # --- the work

    def work(self, most: int) -> None:
        """Indexes the records of about `most` bytes of log.

        Raises:
            OSError: the log cannot be read or the index cannot grow; `Index.position` stands where that happened.
        """
        index, log = self._index, self._log
        # Files may have been deleted while the index was behind.
        index.position = max(index.position, log.min_offset)
        until = min(log.end, index.position + most)
        if index.position < log.trusted_from:
            self._work_with_care(min(until, log.trusted_from))
        while index.position < until:
            segment = log.segments.find(index.position)
            if segment is None:
                raise OSError(f"no file of the log holds offset {index.position}")
            self._work_in_file(segment, until)

    def _work_with_care(self, until: int) -> None:
        """Indexes what an earlier process wrote: damage in it is passed over."""
        index = self._index
        scan = LogScan(self._log.segments, index.position, self._log.trusted_from, check_crc=False)
        run = _Run(index)
        for record in scan.walk():
            if record.physical_offset >= until:
                break
            if record.sys_flag & TRANSACTION_MASK != TRANSACTION_ROLLBACK:
                run.take(record.topic, record.properties, record.physical_offset, record.store_timestamp)
        else:
            run.end(self._log.trusted_from)
            return
        run.end(record.physical_offset)

    def _work_in_file(self, segment: Segment, until: int) -> None:
        """Indexes what this process appended to one file: it is sound."""
        index = self._index
        view = segment.mapped()
        base = segment.start
        stop = min(until - base, segment.size)
        at = index.position - base
        while at < stop:
            taken = index.add_records(view, base, at, stop)
            if taken > at:
                index.position = base + taken
            at = taken
            if at < stop:
                limit = stop if fast.index_records is None else min(stop, at + _BY_HAND)
                at = self._work_by_hand(view, segment, at, limit)

    def _work_by_hand(self, view: mmap, segment: Segment, at: int, stop: int) -> int:
        """Indexes the records that begin between `at` and `stop` in one file; where the next one begins."""
        base, size = segment.start, segment.size
        run = _Run(self._index)
        while at < stop:
            head = HEADS[view[at + SYS_FLAG_AT + 3] & HOST_BITS] if at + HEADS[0].size <= size else None
            if head is None:
                at = size
                break
            total, magic, _, _, _, _, _, sys_flag, _, _, timestamp, _, _, _, length = head.unpack_from(view, at)
            if magic == BLANK_MAGIC:
                at = size
                break
            topic_at = at + head.size + length + 1
            if magic == MAGIC_V1:
                topic_end = topic_at + view[topic_at - 1]
            else:
                topic_end = topic_at + 1 + (view[topic_at - 1] << 8 | view[topic_at])
                topic_at += 1
            if sys_flag & TRANSACTION_MASK != TRANSACTION_ROLLBACK:
                run.take(view[topic_at:topic_end], view[topic_end + 2 : at + total], base + at, timestamp)
            at += total
        run.end(base + at)
        return at


class _Run:
    """Keys of records of one topic, until they are added together."""

    __slots__ = ("_index", "_keys", "_offsets", "_times", "_topic")

    def __init__(self, index: Index) -> None:
        self._index = index
        self._topic = b""
        self._keys: list[str] = []
        self._offsets: list[int] = []
        self._times: list[int] = []

    def take(self, topic: bytes, properties: bytes, physical: int, timestamp: int) -> None:
        """Adds a record's unique key, each of its keys, and its tags."""
        if topic != self._topic:
            self.end(physical)
            self._topic = topic
        # What official clients send comes first and alone, most of the time.
        unique = properties.startswith(_UNIQUE_FIRST)
        if unique and b"KEYS\x01" not in properties and b"TAGS\x01" not in properties:
            stop = properties.find(_SEPARATOR, 9)
            key = str(properties[9:] if stop < 0 else properties[9:stop], "utf-8", "replace")
            if key:
                self._keys.append(key)
                self._offsets.append(physical)
                self._times.append(timestamp)
            return
        for key in _keys(properties):
            self._keys.append(key)
            self._offsets.append(physical)
            self._times.append(timestamp)

    def end(self, position: int) -> None:
        """Puts what was gathered into the index, which then covers everything before `position`."""
        if self._keys:
            self._index.add(self._topic.decode("utf-8", "replace"), self._keys, self._offsets, self._times)
            self._keys, self._offsets, self._times = [], [], []
        self._index.position = position


def _keys(properties: bytes) -> list[str]:
    found = (find_property(properties, name) for name in (b"UNIQ_KEY", b"KEYS", b"TAGS"))
    unique_key, keys, tags = (str(value, "utf-8", "replace") if value else "" for value in found)
    return [key for key in (unique_key, *keys.split(" "), TAGS_PREFIX + tags if tags else "") if key]
