"""One topic's queue: for each message 20 bytes that say where in the log it is, how long, and its tags code.

The queue offset of a message is the position of its unit / 20. A queue that begins in the middle (older messages are
gone, or the queue was rebuilt) has *blank* units (0, 0x7FFFFFFF, 0) in front of its first one, so that each file
starts at a multiple of its size; the same blanks stand where a message could not be recovered. The end is not stored:
it is where the zeros begin. Nor is the smallest offset: it is that of the first unit that points into the log.

Source: ConsumeQueue.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterable, Iterator
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
_TOGETHER = 512
"""Units that are read at a time where many are blank."""
_DIGEST_BITS = (1 << 64) - 1


def digest_of(ends: Iterable[tuple[ConsumeQueue, int]]) -> int:
    """A number that changes when queues come or go, or one's digest changes; queues that end at 0 do not count."""
    return sum(queue.digest(end) for queue, end in ends if end) & _DIGEST_BITS


class ConsumeQueue:
    """One queue's files and bounds, in queue offsets.

    Attributes:
        next: the offset that the next message gets.
        minimum: the smallest offset that points into the log, or beyond the newest when none does.
        active: the file that `next` goes to, None before the first unit.
        base: offset of the active file's first unit.
        limit: the offset from which on space has to be made (`make_room`).
        synced: everything before this offset is on the disk, as far as is known.
        marked: what `next` was when the round under way began.
        max_physical: end of the newest message that has a unit.
    """

    __slots__ = (
        "_digest_of",
        "_digest_start",
        "active",
        "base",
        "limit",
        "marked",
        "max_physical",
        "minimum",
        "next",
        "per_file",
        "queue_id",
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
        self.base = self.limit = self.next = self.minimum = self.synced = self.marked = 0
        self.max_physical = -1
        self._digest_start = -1
        self._digest_of = 0

    # --- life

    def load(self) -> None:
        """Finds the files and the end; what of it is on the disk, `trust` tells.

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
        self.next = self.marked = end
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
        low = self._end_for(physical_end)
        self.segments.cut_at(low * UNIT_SIZE)
        self._erased_from(low)
        self._end_at(low)
        return True

    def erase_rest(self) -> None:
        """Erases what stands behind the end: after a power cut that may be units, with a gap before them.

        Raises:
            OSError: a file cannot be changed.
        """
        if self.segments.cut_at(self.next * UNIT_SIZE):
            self._erased_from(self.next)

    def _erased_from(self, end: int) -> None:
        """What was erased must not come back: the file has to go to the disk again, as if its last unit were new."""
        self.synced = min(self.synced, max(self.first, end - 1))

    def trust(self, physical_end: int) -> None:
        """Counts on the disk having the units of messages that end before or at `physical_end`, and no others.

        Raises:
            OSError: a file cannot be mapped.
        """
        self.synced = self._end_for(physical_end) if self.max_physical > physical_end else self.next
        self.segments.trust(self.synced * UNIT_SIZE)

    def _end_for(self, physical_end: int) -> int:
        """Where the queue ended when the log ended at `physical_end`; blank units come with the message behind them."""
        low = self._first_after(self.first, lambda physical, size: physical + size <= physical_end)
        return self._last_message(self.first, low)[0] + 1

    @property
    def first(self) -> int:
        """Offset of the oldest file's first unit."""
        files = self.segments.files
        return files[0].start // UNIT_SIZE if files else self.next

    def digest(self, end: int) -> int:
        """A number that changes when files are missing or the queue ends elsewhere than at `end`."""
        files = self.segments.files
        first = files[0].start if files else 0
        # All queues are asked every second: what stays the same is kept.
        if first != self._digest_start:
            self._digest_of = crc32(f"{self.topic}\n{self.queue_id}\n{first}\n".encode())
            self._digest_start = first
        return crc32(b"%d" % end, self._digest_of)

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
        low = max(self.minimum, self.first)
        self.minimum = self._first_after(low, lambda physical, _: physical < log_minimum)

    def _first_after(self, low: int, before: Callable[[int, int], bool]) -> int:
        """The first unit from `low` on that does not come before some point; the queue's end when all do.

        A blank unit goes with the message in front of it; those that open a queue come before. A unit of zeros stands
        where a kill cut a batch's units short, or a power cut left a gap: it and what follows does not come before.
        """
        start, high = low, self.next
        while low < high:
            middle = (low + high) // 2
            place, physical, size = self._last_message(start, middle + 1)
            if place < start or (size and before(physical, size)):
                low = middle + 1
            else:
                high = place
        return low

    def _last_message(self, low: int, high: int) -> tuple[int, int, int]:
        """Offset, physical offset, size of the last unit in `[low, high)` that is not blank, `low` - 1 if none is."""
        together = 1
        while high > low:
            start = max(low, high - together, (high - 1) - (high - 1) % self.per_file)
            units = list(UNIT.iter_unpack(self.units(start, high - start)))
            for place in range(len(units) - 1, -1, -1):
                if units[place][1] != BLANK_SIZE:
                    return start + place, units[place][0], units[place][1]
            high, together = start, _TOGETHER
        return low - 1, 0, 0

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
