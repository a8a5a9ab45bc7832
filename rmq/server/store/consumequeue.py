"""One topic's queue: for each message 20 bytes that say where in the log it is, how long, and its tags code.

The queue offset of a message is the position of its unit / 20. A queue that begins in the middle (older messages are
gone, or the queue was rebuilt) has *blank* units (0, 0x7FFFFFFF, 0) in front of its first one, so that each file
starts at a multiple of its size; the same blanks stand where a message could not be recovered. The end is not stored:
it is where the zeros begin. Nor is the smallest offset: it is that of the first unit that points into the log.

Source: ConsumeQueue.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from zlib import crc32

from rmq.server.store.env import Env
from rmq.server.store.segment import MapCache, Segment
from rmq.server.store.segments import Segments
from rmq.wire.layouts import CONSUME_QUEUE_UNIT

UNIT = CONSUME_QUEUE_UNIT
UNIT_SIZE = UNIT.size
BLANK_SIZE = 0x7FFFFFFF
_BLANK = UNIT.pack(0, BLANK_SIZE, 0)

_FIRST_RESERVE = 4096
_MOST_RESERVE = 1 << 20


class ConsumeQueue:
    """One queue's files and bounds, in queue offsets.

    Attributes:
        next: the offset that the next message gets.
        minimum: the smallest offset that points into the log, or beyond the newest when none does.
        active: the file that `next` goes to, None before the first unit.
        base: offset of the active file's first unit.
        limit: the offset from which on space has to be made (`make_room`).
        synced: everything before this offset is on the disk.
        marked: what `next` was when the round under way began.
        safe: what `next` was when the round began that the checkpoint tells of.
        max_physical: end of the newest message that has a unit.
    """

    __slots__ = (
        "active",
        "base",
        "limit",
        "marked",
        "max_physical",
        "minimum",
        "next",
        "per_file",
        "queue_id",
        "safe",
        "segments",
        "synced",
        "topic",
    )

    def __init__(self, env: Env, cache: MapCache, directory: str, file_size: int, topic: str, queue_id: int) -> None:
        self.topic = topic
        self.queue_id = queue_id
        self.per_file = file_size // UNIT_SIZE
        self.segments = Segments(env, cache, directory, file_size)
        self.active: Segment | None = None
        self.base = self.limit = self.next = self.minimum = self.synced = self.safe = self.marked = 0
        self.max_physical = -1

    # --- life

    def load(self) -> None:
        """Finds the files and the end.

        Raises:
            StoreError: a file has an impossible length.
            OSError: a file cannot be read.
        """
        self.segments.load()
        files = self.segments.files
        while files:
            count = self._filled(files[-1].mapped())
            if count or len(files) == 1:
                self._end_at(files[-1].start // UNIT_SIZE + count)
                break
            files.pop().remove()

    def _filled(self, view: mmap.mmap) -> int:
        """How many units stand in a file: they are a run without gaps, zeros follow."""
        low, high = 0, self.per_file
        while low < high:
            middle = (low + high) // 2
            physical, size, _ = UNIT.unpack_from(view, middle * UNIT_SIZE)
            if physical >= 0 and size > 0:
                low = middle + 1
            else:
                high = middle
        return low

    def _end_at(self, end: int) -> None:
        files = self.segments.files
        self.next = self.synced = self.safe = self.marked = end
        if files and end * UNIT_SIZE < files[-1].start + self.segments.size:
            self.active = files[-1]
            self.base = self.active.start // UNIT_SIZE
            self.active.reserved = (end - self.base) * UNIT_SIZE
        else:
            self.active = None
            self.base = end - end % self.per_file
        self.limit = end
        self.max_physical = -1
        for offset in range(end - 1, self.first - 1, -1):
            unit = self.unit(offset)
            if unit is not None and unit[1] != BLANK_SIZE:
                self.max_physical = unit[0] + unit[1]
                break

    def truncate(self, physical_end: int) -> bool:
        """Drops the units of messages that do not end before or at `physical_end`; tells whether there were any.

        Raises:
            OSError: a file cannot be changed.
        """
        if self.max_physical <= physical_end:
            return False
        low, high = self.first, self.next
        while low < high:
            middle = (low + high) // 2
            unit = self.unit(middle)
            # A unit of zeros stands where a kill cut a batch's units short: it and what follows is beyond.
            if unit is None or unit[1] == BLANK_SIZE or (unit[1] and unit[0] + unit[1] <= physical_end):
                low = middle + 1
            else:
                high = middle
        self.segments.cut_at(low * UNIT_SIZE)
        self._end_at(low)
        return True

    @property
    def first(self) -> int:
        """Offset of the oldest file's first unit."""
        files = self.segments.files
        return files[0].start // UNIT_SIZE if files else self.next

    def digest(self, end: int) -> int:
        """A number that changes when files are missing or the queue ends elsewhere than at `end`."""
        files = self.segments.files
        first = files[0].start if files else 0
        return crc32(f"{self.topic}\n{self.queue_id}\n{first}\n{end}".encode())

    # --- writing

    def make_room(self, count: int) -> None:
        """Sees to it that the units from `next` to `next + count` can be written.

        Raises:
            OSError: a file cannot be made, or the disk is full.
        """
        position = self.next
        end = self.next + count
        while position < end:
            segment = self.segments.find(position * UNIT_SIZE)
            if segment is None:
                segment = self.segments.create(position * UNIT_SIZE - position * UNIT_SIZE % self.segments.size)
            start = segment.start // UNIT_SIZE
            needed = min(end - start, self.per_file) * UNIT_SIZE
            if needed > segment.reserved:
                segment.reserve(needed, needed + min(_MOST_RESERVE, max(_FIRST_RESERVE, segment.reserved)))
            position = start + self.per_file
        self.aim()

    def aim(self) -> None:
        """Points `active`, `base` and `limit` at the file that `next` goes to."""
        segment = self.segments.find(self.next * UNIT_SIZE)
        if segment is None:
            self.limit = self.next
            return
        self.active = segment
        self.base = segment.start // UNIT_SIZE
        self.limit = self.base + segment.reserved // UNIT_SIZE

    def put(self, physical: int, size: int, tags_code: int) -> None:
        """Adds a unit; room must have been made.

        Raises:
            OSError: the file cannot be mapped.
        """
        if self.next >= self.limit:
            self.aim()
        active = self.active
        if active is None:
            raise OSError(f"no file for unit {self.next} of {self.segments.directory}")
        UNIT.pack_into(active.map or active.mapped(), (self.next - self.base) * UNIT_SIZE, physical, size, tags_code)
        self.next += 1
        self.max_physical = physical + size

    def put_all(self, units: bytes | bytearray) -> None:
        """Adds units, one at least, that follow each other; room must have been made. All or none are added.

        Raises:
            OSError: a file cannot be mapped.
        """
        count = len(units) // UNIT_SIZE
        active = self.active
        if active is not None and self.next + count <= self.limit:
            at = (self.next - self.base) * UNIT_SIZE
            (active.map or active.mapped())[at : at + len(units)] = units
        else:
            written = 0
            for view, at, size in self.places(count):
                view[at : at + size] = units[written : written + size]
                written += size
        physical, size, _ = UNIT.unpack_from(units, len(units) - UNIT_SIZE)
        self.next += count
        self.max_physical = physical + size
        if self.next >= self.limit:
            self.aim()

    def places(self, count: int) -> list[tuple[mmap.mmap, int, int]]:
        """Where the next `count` units go: mapped file, position and length in bytes; room must have been made.

        Raises:
            OSError: a file cannot be mapped.
        """
        found = []
        offset, end = self.next, self.next + count
        while offset < end:
            segment = self.segments.find(offset * UNIT_SIZE)
            if segment is None:
                raise OSError(f"no file for unit {offset} of {self.segments.directory}")
            at = offset * UNIT_SIZE - segment.start
            fitting = min(end - offset, (segment.size - at) // UNIT_SIZE)
            found.append((segment.mapped(), at, fitting * UNIT_SIZE))
            offset += fitting
        return found

    def fill_blank(self, until: int) -> None:
        """Adds blank units up to the offset `until`.

        Raises:
            OSError: a file cannot be made, or the disk is full.
        """
        if not self.segments.files:
            self.next = until - until % self.per_file
            self.synced = self.next
        while self.next < until:
            count = min(until, self.next - self.next % self.per_file + self.per_file) - self.next
            self.make_room(count)
            if self.active is not None:
                at = (self.next - self.base) * UNIT_SIZE
                self.active.mapped()[at : at + count * UNIT_SIZE] = _BLANK * count
            self.next += count
            self.aim()

    # --- reading

    def units(self, offset: int, count: int) -> bytes:
        """Up to `count` units from `offset` on, out of one file.

        Raises:
            OSError: the file cannot be mapped.
        """
        segment = self.segments.find(offset * UNIT_SIZE)
        if segment is None:
            return b""
        at = offset * UNIT_SIZE - segment.start
        stop = min(at + min(count, self.next - offset) * UNIT_SIZE, segment.size)
        return (segment.map or segment.mapped())[at:stop]

    def unit(self, offset: int) -> tuple[int, int, int] | None:
        """Physical offset, size and tags code at `offset`, None when there is none.

        Raises:
            OSError: the file cannot be mapped.
        """
        data = self.units(offset, 1) if self.first <= offset < self.next else b""
        if not data:
            return None
        physical, size, tags_code = UNIT.unpack(data)
        return physical, size, tags_code

    def last_before(self, physical: int) -> int | None:
        """Where the newest message begins that begins before a physical offset, None when there is none.

        Raises:
            OSError: a file cannot be mapped.
        """
        low, high = self.first, self.next
        while low < high:
            middle = (low + high) // 2
            unit = self.unit(middle)
            if unit is None or unit[1] == BLANK_SIZE or unit[0] < physical:
                low = middle + 1
            else:
                high = middle
        for offset in range(low - 1, self.first - 1, -1):
            unit = self.unit(offset)
            if unit is not None and unit[1] != BLANK_SIZE and unit[0] < physical:
                return unit[0]
        return None

    def roll_next_file(self, offset: int) -> int:
        """Offset of the first unit of the file after the one that holds `offset`."""
        return offset - offset % self.per_file + self.per_file

    def correct_minimum(self, log_minimum: int) -> None:
        """Finds the first unit that points into the log, given the log's smallest offset.

        Raises:
            OSError: a file cannot be mapped.
        """
        low, high = max(self.minimum, self.first), self.next
        while low < high:
            middle = (low + high) // 2
            unit = self.unit(middle)
            if unit is None or unit[0] < log_minimum or unit[1] == BLANK_SIZE:
                low = middle + 1
            else:
                high = middle
        self.minimum = low

    def samples(self) -> Iterator[tuple[int, int, int]]:
        """Offset, physical offset and size of a few units of the newest file, for a check against the log.

        Raises:
            OSError: a file cannot be mapped.
        """
        files = self.segments.files
        if not files or self.next == self.first:
            return
        start = max(self.first, files[-1].start // UNIT_SIZE)
        count = self.next - start
        for offset in sorted({start + count * part // 8 for part in range(8)} | {self.next - 1}):
            unit = self.unit(offset)
            if unit is not None and unit[1] != BLANK_SIZE:
                yield offset, unit[0], unit[1]

    # --- space

    def remove_expired(self, log_minimum: int) -> int:
        """Removes the files whose every unit points before the log's beginning, never the newest; their number.

        Raises:
            OSError: a file cannot be removed.
        """
        files = self.segments.files
        removed = 0
        while len(files) > 1:
            last = UNIT.unpack_from(files[0].mapped(), files[0].size - UNIT_SIZE)
            if last[0] >= log_minimum:
                break
            files[0].remove()
            files.pop(0)
            removed += 1
        self.correct_minimum(log_minimum)
        return removed

    def unsynced(self) -> list[Segment]:
        """The files with units that are not known to be on the disk."""
        return list(self.segments.between(self.synced * UNIT_SIZE, self.next * UNIT_SIZE))

    def dirty_again(self) -> None:
        """Writes what is not yet on the disk over itself, see `Segment.rewrite`.

        Raises:
            OSError: a file cannot be mapped.
        """
        low, high = self.synced * UNIT_SIZE, self.next * UNIT_SIZE
        for segment in self.segments.between(low, high):
            segment.rewrite(max(0, low - segment.start), min(segment.size, high - segment.start))
