"""One file of the index: hash chains from `topic#key` to physical offsets.

A file is a header, a table of slots (the newest entry of each chain) and entries; an entry names the one before it in
its chain. Entry 0 stands for "none", so counting starts at 1. The header in the file is brought up to date when the
file is synced, closed or full, not with each key: after a crash `rewind` takes back what the header or the caller
does not vouch for, and the indexer adds it again.

Source: IndexFile, IndexHeader.
"""

from __future__ import annotations

import sys
from array import array

from rmq.server.store.env import Env
from rmq.server.store.segment import MapCache, Segment
from rmq.wire.layouts import INDEX_ENTRY as ENTRY
from rmq.wire.layouts import INDEX_HEADER as HEADER
from rmq.wire.layouts import INDEX_SLOT as SLOT

_MAX_INT = 0x7FFFFFFF
_NOTHING = bytes(ENTRY.size)
_SECTOR = 512


class IndexFile:
    """One index file with its header's fields; `count` is the number that the next entry gets.

    Attributes:
        doubtful: whether `rewind` met an entry that may have lost its end in a power cut.
        synced_count: `count` when the file was brought to the disk; 0 when that is not known.
    """

    __slots__ = (
        "begin_physical",
        "begin_timestamp",
        "count",
        "doubtful",
        "end_physical",
        "end_timestamp",
        "entries_at",
        "name",
        "segment",
        "slots",
        "synced_count",
        "top",
        "used_slots",
    )

    def __init__(self, env: Env, cache: MapCache, directory: str, name: str, slots: int, entries: int) -> None:
        self.name = name
        self.slots = slots
        self.top = entries
        self.entries_at = HEADER.size + slots * SLOT.size
        self.segment = Segment(env, cache, f"{directory}/{name}", 0, self.entries_at + entries * ENTRY.size)
        self.begin_timestamp = self.end_timestamp = self.begin_physical = self.end_physical = 0
        self.used_slots = 0
        self.count = self.synced_count = 1
        self.doubtful = False

    def load(self) -> bool:
        """Reads the header; whether it makes sense.

        Raises:
            OSError: the file cannot be mapped.
        """
        (
            self.begin_timestamp,
            self.end_timestamp,
            self.begin_physical,
            self.end_physical,
            self.used_slots,
            count,
        ) = HEADER.unpack_from(self.segment.mapped())
        self.count = self.synced_count = max(1, count)
        self.segment.reserved = self.entries_at + self.count * ENTRY.size
        return count <= self.top and self.begin_physical <= self.end_physical and self.used_slots >= 0

    def write_header(self) -> None:
        """Brings the header in the file up to date.

        Raises:
            OSError: the file cannot be mapped.
        """
        HEADER.pack_into(
            self.segment.mapped(),
            0,
            self.begin_timestamp,
            self.end_timestamp,
            self.begin_physical,
            self.end_physical,
            self.used_slots,
            self.count,
        )

    def put(self, hashes: list[int], offsets: list[int], timestamps: list[int]) -> None:
        """Adds an entry for each hash, of a record at this physical offset stored at this time (ms).

        There must be room, on reserved space, and at least one hash.

        Raises:
            OSError: the file cannot be mapped.
        """
        view = self.segment.map or self.segment.mapped()
        if self.count <= 1:
            self.begin_physical, self.begin_timestamp = offsets[0], timestamps[0]
        slots, count, used, begin = self.slots, self.count, 0, self.begin_timestamp
        read_slot, write_slot, write_entry = SLOT.unpack_from, SLOT.pack_into, ENTRY.pack_into
        entry_at = self._at(count)
        before = seconds = -1
        for key_hash, physical, timestamp in zip(hashes, offsets, timestamps, strict=True):
            if timestamp != before:
                before = timestamp
                seconds = min(max((timestamp - begin) // 1000, 0), _MAX_INT) if begin > 0 else 0
            slot_at = 40 + key_hash % slots * 4
            previous = read_slot(view, slot_at)[0]
            if previous <= 0 or previous >= count:
                previous = 0
                used += 1
            write_entry(view, entry_at, key_hash, physical, seconds, previous)
            write_slot(view, slot_at, count)
            count += 1
            entry_at += 20
        self.count = count
        self.used_slots += used
        self.end_physical = offsets[-1]
        self.end_timestamp = timestamps[-1]

    def _at(self, number: int) -> int:
        return self.entries_at + number * ENTRY.size

    def rewind(self, physical_end: int) -> None:
        """Takes back the entries at `physical_end` and beyond, and those that the header does not know of.

        After a power cut, each sector of what was added last may be there or not. An entry of which a part is lost
        does not come in the order of the log, and has none such next to it.

        Raises:
            OSError: the file cannot be mapped.
        """
        view = self.segment.mapped()
        stop = self.count
        # Entries that a crashed process added after it last wrote the header.
        while stop < self.top and view[self._at(stop) : self._at(stop + 1)] != _NOTHING:
            stop += 1
        keep, above = stop, False
        while keep > 1:
            number = keep - 1
            key_hash, physical, _, previous = entry = ENTRY.unpack_from(view, self._at(number))
            there = any(entry)
            before = ENTRY.unpack_from(view, self._at(number - 1))
            in_order = number == 1 or (any(before) and before[1] <= physical)
            if there and in_order and physical < physical_end and number < self.count:
                break
            slot_at = HEADER.size + key_hash % self.slots * SLOT.size
            if there and SLOT.unpack_from(view, slot_at)[0] == number:
                SLOT.pack_into(view, slot_at, previous if 0 < previous < number else 0)
                if previous == 0 and number < self.count:
                    self.used_slots = max(0, self.used_slots - 1)
                # Its end may be lost, and with it what the chain goes on with.
                self.doubtful |= not above and self._at(number) // _SECTOR != (self._at(number + 1) - 1) // _SECTOR
            keep, above = number, there
        for number in range(keep, stop):
            view[self._at(number) : self._at(number + 1)] = _NOTHING
        if keep < stop:
            self.synced_count = 0
        if keep < self.count:
            self.count = keep
            _, physical, seconds, _ = ENTRY.unpack_from(view, self._at(keep - 1))
            self.end_physical = physical if keep > 1 else self.begin_physical
            self.end_timestamp = self.begin_timestamp + seconds * 1000 if keep > 1 else self.begin_timestamp
        self.segment.reserved = self.entries_at + self.count * ENTRY.size
        self.write_header()

    def holds_together(self) -> bool:
        """Whether a power cut cannot have broken a chain: every slot names an entry that is there.

        Raises:
            OSError: the file cannot be mapped.
        """
        if self.doubtful:
            return False
        slots = array("i", self.segment.mapped()[HEADER.size : self.entries_at])
        if sys.byteorder == "little":
            slots.byteswap()
        return max(slots, default=0) < self.count

    def select(self, key_hash: int, most: int, begin: int, end: int, found: list[int]) -> None:
        """Adds to `found`, up to `most` in all, the offsets of entries with this hash and a time in [begin, end].

        Raises:
            OSError: the file cannot be mapped.
        """
        view = self.segment.mapped()
        number = SLOT.unpack_from(view, HEADER.size + key_hash % self.slots * SLOT.size)[0]
        while 0 < number < self.count and len(found) < most:
            its_hash, physical, seconds, previous = ENTRY.unpack_from(view, self._at(number))
            if seconds < 0:
                break
            time = self.begin_timestamp + seconds * 1000
            if its_hash == key_hash and begin <= time <= end:
                found.append(physical)
            if previous >= number or time < begin:
                break
            number = previous

    def covers(self, begin: int, end: int) -> bool:
        """Whether the file's times and [begin, end] meet (IndexFile.isTimeMatched)."""
        return begin <= self.end_timestamp and end >= self.begin_timestamp
