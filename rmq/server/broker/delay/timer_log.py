"""The timer log: one unit of 52 bytes for each message that the timer was given, in files under `timerlog/`.

The units of one slot are chained from the newest to the oldest. The log's end is not stored: it is where units stop
being valid. A file ends with a filler when no further unit fits, so a unit never crosses files.

Source: TimerLog.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from sys import maxsize
from typing import Final, NamedTuple

from rmq.server.store.env import Env
from rmq.server.store.segment import MapCache, Segment
from rmq.server.store.segments import Segments
from rmq.wire.layouts import TIMER_BLANK, TIMER_UNIT

UNIT_SIZE: Final = TIMER_UNIT.size
BLANK_MAGIC: Final = -875286124
DEFAULT: Final = 1
ROLL: Final = 2
DELETE: Final = 4

_ANY_MAGIC: Final = 15
_PREVIOUS_AT: Final = 4
_MOST_MAPPED: Final = 16
_FIRST_RESERVE: Final = 4096
_MOST_RESERVE: Final = 1 << 20


class Unit(NamedTuple):
    """A message that waits; see `rmq.wire.records.TimerUnit`."""

    size: int
    previous: int
    magic: int
    write_time: int
    delay: int
    physical: int
    message_size: int
    topic_hash: int
    reserved: int

    @property
    def due(self) -> int:
        """The time of its slot."""
        return self.write_time + self.delay


class TimerLog:
    """The units.

    Args:
        env: the file system.
        directory: where the files are.
        file_size: length of each.

    Attributes:
        end: where the next unit goes.
    """

    def __init__(self, env: Env, directory: str, file_size: int) -> None:
        self._segments = Segments(env, MapCache(_MOST_MAPPED), directory, file_size)
        self._file_size = file_size
        self.end = 0

    def load(self) -> None:
        """Finds the files; `end` is then at the beginning of the first, until `settle`.

        Raises:
            StoreError: a file has an impossible length.
            OSError: the directory cannot be read.
        """
        self._segments.load()
        self.end = self.start

    @property
    def start(self) -> int:
        """Position of the oldest unit."""
        files = self._segments.files
        return files[0].start if files else 0

    @property
    def empty(self) -> bool:
        """Whether there is no file."""
        return not self._segments.files

    def scan(self, position: int) -> Iterator[tuple[int, Unit]]:
        """The valid units from a position on, with theirs; afterwards `end` is behind the last of them.

        A position at which no unit can begin stands for the beginning of its file.

        Raises:
            OSError: a file cannot be mapped.
        """
        position = self.end = self._beginning(position)
        while True:
            unit = self._valid(position)
            if unit is not None:
                yield position, unit
                position += UNIT_SIZE
                self.end = position
                continue
            following = self._after_blank(position)
            if following is None:
                return
            position = following

    def settle(self, end: int) -> None:
        """Drops what stands behind the log's end.

        Raises:
            OSError: a file cannot be changed.
        """
        self.end = end
        self._segments.cut_at(end)
        segment = self._segments.find(end)
        if segment is not None:
            segment.reserved = end - segment.start

    def read(self, position: int) -> Unit | None:
        """The unit at a position, None when its file is gone.

        Raises:
            OSError: the file cannot be mapped.
        """
        return self._valid(position) if position < self.end else None

    def end_before(self, physical: int) -> int:
        """The position behind the newest unit whose message begins before that offset of the commit log.

        Raises:
            OSError: a file cannot be mapped.
        """
        for segment in reversed(self._segments.files):
            count = min(max(self.end - segment.start, 0), self._last_in_file() + UNIT_SIZE) // UNIT_SIZE
            units = range(segment.start, segment.start + count * UNIT_SIZE, UNIT_SIZE)
            # Units are in the order of their messages.
            before = bisect_left(units, physical, key=self._physical)
            if before:
                return segment.start + before * UNIT_SIZE
        return self.start

    def _physical(self, position: int) -> int:
        unit = self._valid(position)
        return unit.physical if unit is not None else maxsize

    def last(self) -> Unit | None:
        """The newest unit, None when there is none.

        Raises:
            OSError: the file cannot be mapped.
        """
        return self._valid(self.end - UNIT_SIZE) if self.end > self.start else None

    def append(
        self, previous: int, magic: int, write_time: int, delay: int, physical: int, size: int, topic_hash: int
    ) -> int:
        """Adds a unit; its position.

        Raises:
            OSError: there is no space.
        """
        segment = self._room()
        at = self.end - segment.start
        view = segment.map or segment.mapped()
        TIMER_UNIT.pack_into(
            view, at, UNIT_SIZE, previous, magic, write_time, delay, physical, size, topic_hash, 0
        )
        position = self.end
        self.end = position + UNIT_SIZE
        return position

    def link(self, position: int, previous: int) -> None:
        """Makes a unit the one before the unit at a position in its slot's chain; -1 for none.

        Raises:
            OSError: the file cannot be mapped.
        """
        segment = self._segments.find(position)
        if segment is not None:
            at = position - segment.start + _PREVIOUS_AT
            segment.mapped()[at : at + 8] = previous.to_bytes(8, "big", signed=True)

    def remove_expired(self, log_minimum: int) -> int:
        """Removes the files whose messages are all gone from the commit log, never the newest; their number.

        Raises:
            OSError: a file cannot be removed.
        """
        files = self._segments.files
        removed = 0
        while len(files) > 1:
            unit = self._valid(files[0].start + self._last_in_file())
            if unit is None or unit.physical >= log_minimum:
                break
            files[0].remove()
            files.pop(0)
            removed += 1
        return removed

    def unsynced(self, position: int) -> list[Segment]:
        """The files with what was written from a position on."""
        return list(self._segments.between(position, self.end))

    def close(self) -> None:
        """Unmaps everything."""
        self._segments.close()

    def _beginning(self, position: int) -> int:
        """A position, if a unit ends there or a file begins there, otherwise the beginning of its file."""
        files = self._segments.files
        segment = self._segments.find(position)
        if not files or position < self.start:
            return self.start
        if segment is None:
            return files[-1].start
        at = position - segment.start
        sound = at % UNIT_SIZE == 0 and (at == 0 or self._valid(position - UNIT_SIZE) is not None)
        return position if sound else segment.start

    def _last_in_file(self) -> int:
        """Where the last unit of a full file begins."""
        room = self._file_size - TIMER_BLANK.size
        return room - room % UNIT_SIZE - UNIT_SIZE

    def _valid(self, position: int) -> Unit | None:
        segment = self._segments.find(position)
        if segment is None or position - segment.start + UNIT_SIZE > segment.size:
            return None
        unit = Unit._make(TIMER_UNIT.unpack_from(segment.map or segment.mapped(), position - segment.start))
        return unit if unit.size == UNIT_SIZE and unit.magic | _ANY_MAGIC == _ANY_MAGIC else None

    def _after_blank(self, position: int) -> int | None:
        """The file behind the filler at a position; None when the log ends there."""
        segment = self._segments.find(position)
        if segment is None:
            return None
        at = position - segment.start
        following = segment.start + segment.size
        if at + TIMER_BLANK.size > segment.size or self._segments.find(following) is None:
            return None
        return following if TIMER_BLANK.unpack_from(segment.mapped(), at)[2] == BLANK_MAGIC else None

    def _room(self) -> Segment:
        segment = self._segments.find(self.end)
        if segment is None:
            segment = self._segments.create(self.end - self.end % self._file_size)
        at = self.end - segment.start
        if at + UNIT_SIZE + TIMER_BLANK.size > segment.size:
            self._reserve(segment, at + TIMER_BLANK.size)
            start = segment.start + segment.size
            following = self._segments.find(start) or self._segments.create(start)
            TIMER_BLANK.pack_into(segment.mapped(), at, segment.size - at, 0, BLANK_MAGIC)
            self.end = following.start
            segment, at = following, 0
        self._reserve(segment, at + UNIT_SIZE)
        return segment

    def _reserve(self, segment: Segment, needed: int) -> None:
        if needed > segment.reserved:
            segment.reserve(needed, needed + min(_MOST_RESERVE, max(_FIRST_RESERVE, segment.reserved)))
