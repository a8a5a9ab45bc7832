"""The commit log: all messages of all topics, one after the other.

Records never cross a file's end: when record length + 8 would pass it, the rest of the file becomes a *blank* and the
record opens the next file. The last file is the active one; it stays mapped. Appending itself is in
`rmq.server.store.append`, which works on the fields here; this class makes room and reads.

What an earlier process wrote (`trusted_from` and before) is checked when it is read, so that a start need not read the
whole log to know whether the disk still holds it.

Source: CommitLog.
"""

from __future__ import annotations

import errno
import mmap
from collections.abc import Callable

from twisted.logger import Logger

from rmq.server.store.api import LogGoneError, NotEmptyError, PutStatus, StoreError, StoreOptions
from rmq.server.store.env import Env
from rmq.server.store.record import STORE_TIME_PREFIX, check_record, store_time_of
from rmq.server.store.segment import MapCache, Segment
from rmq.server.store.segments import Segments
from rmq.wire.layouts import BLANK_RECORD
from rmq.wire.sysflag import BLANK_MAGIC

_log = Logger()

BLANK_MIN = 8
"""Bytes that must remain after a record for the blank."""

NO_SPACE = {errno.ENOSPC, errno.EDQUOT}
_PAGE = 4096
_LOG_MAPS = 64
_REMEMBERED_DAMAGE = 4096


class CommitLog:
    """The log's files and its end.

    Attributes:
        segments: the files.
        active: the file that grows, None before the first message.
        map: its mapped bytes.
        base: where it starts.
        position: where the next record goes, relative to `base`.
        reserved: how far space is certain, relative to `base`.
        flushed: everything before this physical offset is on the disk.
        trusted_from: records before this physical offset are checked when read.
        last_timestamp: store time of the newest record; store times never go back.
    """

    def __init__(self, options: StoreOptions, env: Env, seconds: Callable[[], float]) -> None:
        self._env = env
        self._seconds = seconds
        self._reserve_bytes = options.log_reserve_bytes
        self._retry_interval = options.disk_full_retry_interval
        directory = options.store_path_commit_log or f"{options.store_path_root_dir}/commitlog"
        self.size = options.mapped_file_size_commit_log
        self.segments = Segments(env, MapCache(_LOG_MAPS), directory, self.size)
        # The active file has a cache of its own, so that reading old files never unmaps it.
        self._active_cache = MapCache(1 << 30)
        self.active: Segment | None = None
        self.map: mmap.mmap | None = None
        self.base = 0
        self.position = 0
        self.reserved = 0
        self.flushed = 0
        self.trusted_from = 0
        self.last_timestamp = 0
        self._pause_until = 0.0
        self._damaged: set[int] = set()

    # --- life

    @property
    def end(self) -> int:
        """Physical offset after the newest record."""
        return self.base + self.position

    @property
    def min_offset(self) -> int:
        """Physical offset of the oldest file's beginning; the end when there is none."""
        files = self.segments.files
        return files[0].start if files else self.end

    def resume(self, end: int, flushed: int) -> None:
        """Goes on at `end`, which recovery found; what stands before `flushed` is on the disk.

        Raises:
            OSError: the file cannot be mapped.
        """
        files = self.segments.files
        segment = files[-1] if files else None
        self.end_at(end)
        # Where the newest file is full, or there is none, the next append makes one.
        if segment is not None and end < segment.start + self.size:
            segment.adopt(self._active_cache)
            self._activate(segment)
            self.position = end - self.base
            segment.reserved = self.reserved = self.position
        self.flushed = min(flushed, end)
        self.trusted_from = end

    def end_at(self, end: int) -> None:
        """Ends at `end`, whatever stands there; nothing may be appended before `resume`."""
        if self.active is not None:
            self.active.adopt(self.segments.cache)
        self.active = self.map = None
        self.base, self.position, self.reserved = end - end % self.size, end % self.size, 0

    def begin(self, start: int) -> None:
        """Lets an empty log begin at `start`, a multiple of the files' size.

        Raises:
            NotEmptyError: there is something in the log.
            StoreError: no file begins at `start`.
            OSError: the file cannot be made.
        """
        if self.end > self.min_offset:
            raise NotEmptyError(self.min_offset, self.end)
        if start % self.size:
            raise StoreError(
                f"no file of the log begins at offset {start}: files of {self.size} bytes are not what the master has,"
                " mappedFileSizeCommitLog must be the same on both"
            )
        self.segments.remove_all()
        # With its file there the log begins at `start` after a crash, too.
        self.segments.create(start)
        self.resume(start, start)

    def read_ahead(self, ahead: bool) -> None:
        """Whether the system reads more than is asked for, which helps those who read on and hinders the others."""
        for cache in (self.segments.cache, self._active_cache):
            cache.scatter(not ahead)

    def close(self) -> None:
        """Unmaps everything."""
        self.segments.close()
        self.active = self.map = None

    def _activate(self, segment: Segment) -> None:
        fresh = segment.mapped()
        if self.active is not None and self.active is not segment:
            self.active.adopt(self.segments.cache)
        self.map = fresh
        self.active = segment
        self.base = segment.start
        self.position = 0
        self.reserved = segment.reserved

    # --- room for appends

    def make_room(self, length: int) -> PutStatus | None:
        """Sees to it that a record, or several together, of `length` bytes fit at `position`, on reserved space.

        Returns:
            None when there is room, else why not: a full disk is asked again only after a short pause.
        """
        if self.pausing:
            return PutStatus.SERVICE_NOT_AVAILABLE
        try:
            if self.active is None or self.position + length + BLANK_MIN > self.size:
                self._roll(length)
            if self.position + length + BLANK_MIN > self.reserved:
                self._reserve(length + BLANK_MIN)
        except OSError as error:
            return self.pause(error)
        return None

    def make_room_as_it_is(self, length: int) -> bool:
        """Sees to it that `length` bytes which a master placed fit at `position`, on reserved space; whether they do.

        They hold their file's blank, so that a new file begins only when the last one is full to its end.
        """
        if self.pausing:
            return False
        try:
            if self.active is None or self.position >= self.size:
                self._roll(length)
            if self.position + length > self.reserved:
                self._reserve(length)
        except OSError as error:
            self.pause(error)
            return False
        return True

    @property
    def pausing(self) -> bool:
        """Whether a full disk was met so lately that asking again can wait."""
        return self._seconds() < self._pause_until

    def pause(self, error: OSError) -> PutStatus:
        """Logs why a file could not grow; appends do not try again for a moment. The status to answer."""
        self._pause_until = self._seconds() + self._retry_interval
        if error.errno in NO_SPACE:
            _log.error("The disk is full: messages are refused until there is space again ({error})", error=error)
            return PutStatus.SERVICE_NOT_AVAILABLE
        _log.error("The store cannot grow: {error}", error=error)
        return PutStatus.CREATE_MAPPED_FILE_FAILED

    def _reserve(self, length: int) -> None:
        active = self.active
        if active is not None:
            needed = min(self.size, self.position + length)
            active.reserve(needed, needed - needed % _PAGE + self._reserve_bytes)
            self.reserved = active.reserved

    def _roll(self, length: int) -> None:
        start = self.base if self.active is None else self.base + self.size
        files = self.segments.files
        if files and files[-1].start == start:
            segment = files[-1]
        else:
            segment = self.segments.create(start)
        # Space and map first: the blank that closes the old file cannot be taken back.
        segment.adopt(self._active_cache)
        if segment.reserved < length + BLANK_MIN:
            segment.reserve(length + BLANK_MIN, self._reserve_bytes)
        segment.mapped()
        if self.map is not None and self.position < self.size:
            if self.reserved < self.position + BLANK_MIN:
                self._reserve(BLANK_MIN)
            BLANK_RECORD.pack_into(self.map, self.position, self.size - self.position, BLANK_MAGIC)
        self._activate(segment)

    # --- reading

    def _place(self, physical: int, size: int) -> tuple[mmap.mmap, int] | None:
        """The map that holds `size` bytes at `physical`, and where in it; None when they are not all there."""
        segment = self.segments.find(physical)
        end = physical + size
        if segment is None or size <= 0 or end > self.end or end > segment.start + self.size:
            return None
        try:
            return segment.map or segment.mapped(), physical - segment.start
        except OSError as error:
            _log.error("{path} cannot be mapped: {error}", path=segment.path, error=error)
            return None

    def read(self, physical: int, size: int) -> bytes | None:
        """The `size` bytes at `physical`, unchecked; None when they are not all there, in one file."""
        place = self._place(physical, size)
        if place is None:
            return None
        whole, at = place
        return whole[at : at + size]

    def transfer(self, offset: int, most: int) -> bytes:
        """Up to `most` bytes from a physical offset on, as they stand in one file; none when there are none (yet), or
        the file cannot be mapped now.

        Raises:
            LogGoneError: the offset is before the oldest file.
        """
        at = offset - self.base
        if at >= 0 and self.map is not None:
            return self.map[at : min(at + most, self.position)]
        data = self.read(offset, min(most, self.size - offset % self.size, self.end - offset))
        if data is None and offset < self.min_offset:
            raise LogGoneError(offset, self.min_offset)
        return data or b""

    def look(self, physical: int, size: int, judge: Callable[[memoryview], bool]) -> bool | None:
        """What `judge` says of the bytes that `read` would give, seen in place; None when they are not there."""
        place = self._place(physical, size)
        if place is None:
            return None
        with memoryview(place[0]) as whole, whole[place[1] : place[1] + size] as record:
            return judge(record)

    def report_damage(self, physical: int, problem: str) -> None:
        """Logs, once, a record that cannot be handed out."""
        if physical not in self._damaged:
            if len(self._damaged) >= _REMEMBERED_DAMAGE:
                self._damaged.clear()
            self._damaged.add(physical)
            segment = self.segments.find(physical)
            _log.error(
                "{problem} in {path} at {at} (offset {physical}); it is left out",
                problem=problem,
                path=segment.path if segment is not None else "no file",
                at=physical % self.size,
                physical=physical,
            )

    def message_at(self, physical: int) -> bytes | None:
        """The record that begins at `physical`, None when none does: offsets come from clients."""
        head = self.read(physical, BLANK_MIN)
        if head is None:
            return None
        data = self.read(physical, int.from_bytes(head[:4], "big", signed=True))
        return data if data is not None and check_record(data, physical) is None else None

    def store_time(self, physical: int) -> int:
        """Store time of the record at `physical`, -1 when there is none."""
        head = self.read(physical, STORE_TIME_PREFIX)
        return store_time_of(head) if head is not None else -1

    # --- durability

    def unsynced(self, end: int) -> list[Segment]:
        """The files to bring to the disk so that everything before `end` is there."""
        return list(self.segments.between(self.flushed, end)) if self.flushed < end else []

    def dirty_again(self) -> None:
        """Writes what is not yet on the disk over itself, see `Segment.rewrite`.

        Raises:
            OSError: a file cannot be mapped.
        """
        for segment in self.segments.between(self.flushed, self.end):
            segment.rewrite(max(0, self.flushed - segment.start), min(self.size, self.end - segment.start))
