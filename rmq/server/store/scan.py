"""Walks the commit log record by record, as recovery and the index's catching up do.

A log ends where no record stands. But a place without a record may also be damage in the middle, and what follows must
not be lost for it. The walk goes on behind it

- when only the body's CRC is wrong and another sound record, or the file's blank, follows at once;
- when the place is before `known_good` and a sound record can be found later in the same file;
- when the next file begins with a sound record.

Each such place becomes a sentence in `problems`. Records with a wrong CRC are handed out all the same, because queue
offsets count them; readers check again and leave them out.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator

from rmq.server.store.record import MIN_RECORD, RECORD_MAGICS, Record, parse_record
from rmq.server.store.segment import Segment
from rmq.server.store.segments import Segments
from rmq.wire.layouts import BLANK_RECORD
from rmq.wire.sysflag import BLANK_MAGIC, MAGIC_V1, MAGIC_V2

_unpack_head = BLANK_RECORD.unpack_from
_BLANK_MIN = BLANK_RECORD.size
_MAGICS = (MAGIC_V1.to_bytes(4, "big"), MAGIC_V2.to_bytes(4, "big"))


class LogScan:
    """One walk.

    Attributes:
        position: where the walk stands; after it, the log's end.
        records: how many were handed out.
        problems: sentences on damage that was passed over.
    """

    def __init__(self, segments: Segments, start: int, known_good: int, check_crc: bool) -> None:
        self._segments = segments
        self._known_good = known_good
        self._check_crc = check_crc
        self.position = start
        self.records = 0
        self.problems: list[str] = []

    def walk(self) -> Iterator[Record]:
        """The records from `position` on.

        Raises:
            OSError: a file cannot be mapped.
        """
        segment = self._segments.find(self.position)
        while segment is not None:
            yield from self._walk_file(segment)
            following = self._segments.find(segment.start + segment.size)
            if self.position < segment.start + segment.size:
                if following is None or self._record_at(following.mapped(), following, 0) is None:
                    return
                self._damage(segment, self.position - segment.start, segment.size)
                self.position = following.start
            segment = following

    def _walk_file(self, segment: Segment) -> Iterator[Record]:
        view = segment.mapped()
        base = segment.start
        size = segment.size
        check_crc = self._check_crc
        at = self.position - base
        while at + _BLANK_MIN <= size:
            total, magic = _unpack_head(view, at)
            if magic == BLANK_MAGIC and total == size - at:
                break
            if magic in RECORD_MAGICS and MIN_RECORD <= total <= size - at:
                record, problem = parse_record(view[at : at + total], base + at, check_crc)
                if record is not None and self._stands(record, problem, view, segment, at + total):
                    if problem:
                        self.problems.append(f"{problem} in {segment.path} at {at} (offset {base + at})")
                    at += total
                    self.records += 1
                    self.position = base + at
                    yield record
                    if segment.map is None:
                        view = segment.mapped()
                    continue
            resumed = self._resync(view, segment, at)
            if resumed is None:
                self.position = base + at
                return
            self._damage(segment, at, resumed)
            at = resumed
            self.position = base + at
        self.position = base + size

    def _damage(self, segment: Segment, start: int, stop: int) -> None:
        where = f"{segment.path} from {start} to {stop} (offset {segment.start + start})"
        self.problems.append(f"no message can be read in {where}")

    def _record_at(self, view: mmap.mmap, segment: Segment, at: int) -> Record | None:
        """The sound record at a place, None when there is none."""
        if at < 0 or at + MIN_RECORD > segment.size:
            return None
        total, _ = _unpack_head(view, at)
        if not MIN_RECORD <= total <= segment.size - at:
            return None
        record, problem = parse_record(view[at : at + total], segment.start + at)
        return record if not problem else None

    def _stands(self, record: Record, problem: str, view: mmap.mmap, segment: Segment, end: int) -> bool:
        """Whether a record counts, given what is wrong with it and where it ends."""
        if problem:
            return segment.start + end <= self._known_good or self._goes_on(view, segment, end)
        # No client ends properties with a NUL: as the last record this is one whose end never reached the disk.
        return not record.properties.endswith(b"\0") or self._goes_on(view, segment, end)

    def _goes_on(self, view: mmap.mmap, segment: Segment, at: int) -> bool:
        if at + _BLANK_MIN <= segment.size and _unpack_head(view, at) == (segment.size - at, BLANK_MAGIC):
            return True
        return self._record_at(view, segment, at) is not None

    def _resync(self, view: mmap.mmap, segment: Segment, at: int) -> int | None:
        """Where the next sound record of the file begins, if one is to be expected."""
        # A negative end would count from the file's end.
        limit = max(0, min(segment.size, self._known_good - segment.start))
        found = [view.find(magic, at + 5, limit) for magic in _MAGICS]
        while any(place >= 0 for place in found):
            nearest = min(place for place in found if place >= 0)
            if self._record_at(view, segment, nearest - 4) is not None:
                return nearest - 4
            which = found.index(nearest)
            found[which] = view.find(_MAGICS[which], nearest + 1, limit)
        return None
