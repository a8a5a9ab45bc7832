"""The index: hash chains from `topic#key` to physical offsets, in files named by the time they were made.

A file is a header, a table of slots (the newest entry of each chain) and entries; an entry names the one before it in
its chain. Entry 0 stands for "none", so counting starts at 1. The header in the file is brought up to date when the
file is synced, closed or full, not with each key: after a crash `rewind` takes back what the header or the caller
does not vouch for, and recovery adds it again.

The index is never a reason to refuse a message. When it cannot be written, `behind` remembers the physical offset
from which records are missing; `rmq.server.store.catchup` adds them later.

Source: IndexFile, IndexHeader, IndexService.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from zlib import crc32

from twisted.logger import Logger

from rmq.server.store.api import StoreOptions
from rmq.server.store.env import Env
from rmq.server.store.segment import MapCache, Segment
from rmq.wire.javahash import IndexKeyHash
from rmq.wire.layouts import INDEX_ENTRY as ENTRY
from rmq.wire.layouts import INDEX_HEADER as HEADER
from rmq.wire.layouts import INDEX_SLOT as SLOT
from rmq.wire.message import find_property

_log = Logger()

_NAME_DIGITS = 17
_INDEX_MAPS = 16
_MAX_INT = 0x7FFFFFFF
_NOTHING = bytes(ENTRY.size)
_UNIQUE_FIRST = b"UNIQ_KEY\x01"

_SEPARATOR = b"\x02"

TAGS_PREFIX = "T#"
"""Stands before the tags in the key under which a record is found by them (IndexService.buildKey, since 5.4)."""


class IndexFile:
    """One index file with its header's fields; `count` is the number that the next entry gets."""

    __slots__ = (
        "begin_physical",
        "begin_timestamp",
        "count",
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

    def put(self, key_hash: int, physical: int, timestamp: int) -> None:
        """Adds an entry; there must be room, on reserved space.

        Raises:
            OSError: the file cannot be mapped.
        """
        segment = self.segment
        view = segment.map or segment.mapped()
        count = self.count
        slot_at = 40 + key_hash % self.slots * 4
        previous = SLOT.unpack_from(view, slot_at)[0]
        if previous <= 0 or previous >= count:
            previous = 0
            self.used_slots += 1
        begin = self.begin_timestamp
        seconds = (timestamp - begin) // 1000 if begin > 0 else 0
        if not 0 <= seconds <= _MAX_INT:
            seconds = 0 if seconds < 0 else _MAX_INT
        ENTRY.pack_into(view, self.entries_at + count * 20, key_hash, physical, seconds, previous)
        SLOT.pack_into(view, slot_at, count)
        if count <= 1:
            self.begin_physical = physical
            self.begin_timestamp = timestamp
        self.count = count + 1
        self.end_physical = physical
        self.end_timestamp = timestamp

    def put_all(self, hashes: list[int], offsets: list[int], timestamp: int) -> None:
        """Adds an entry for each hash; there must be room, on reserved space.

        Raises:
            OSError: the file cannot be mapped.
        """
        if self.count <= 1:
            self.put(hashes[0], offsets[0], timestamp)
            hashes, offsets = hashes[1:], offsets[1:]
        view = self.segment.map or self.segment.mapped()
        slots, count, used = self.slots, self.count, 0
        seconds = min(max((timestamp - self.begin_timestamp) // 1000, 0), _MAX_INT) if self.begin_timestamp > 0 else 0
        read_slot, write_slot, write_entry = SLOT.unpack_from, SLOT.pack_into, ENTRY.pack_into
        entry_at = self._at(count)
        for key_hash, physical in zip(hashes, offsets, strict=True):
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
        if offsets:
            self.end_physical = offsets[-1]
            self.end_timestamp = timestamp

    def _at(self, number: int) -> int:
        return self.entries_at + number * ENTRY.size

    def rewind(self, physical_end: int) -> None:
        """Takes back the entries at `physical_end` and beyond, and those that the header does not know of.

        Raises:
            OSError: the file cannot be mapped.
        """
        view = self.segment.mapped()
        stop = self.count
        # Entries that a crashed process added after it last wrote the header.
        while stop < self.top and view[self._at(stop) : self._at(stop + 1)] != _NOTHING:
            stop += 1
        keep = stop
        while keep > 1:
            number = keep - 1
            key_hash, physical, _, previous = ENTRY.unpack_from(view, self._at(number))
            if physical < physical_end and number < self.count:
                break
            slot_at = HEADER.size + key_hash % self.slots * SLOT.size
            if SLOT.unpack_from(view, slot_at)[0] == number:
                SLOT.pack_into(view, slot_at, previous if 0 < previous < number else 0)
                if previous == 0 and number < self.count:
                    self.used_slots = max(0, self.used_slots - 1)
            keep = number
        for number in range(keep, stop):
            view[self._at(number) : self._at(number + 1)] = _NOTHING
        if keep < self.count:
            self.count = keep
            _, physical, seconds, _ = ENTRY.unpack_from(view, self._at(keep - 1))
            self.end_physical = physical if keep > 1 else self.begin_physical
            self.end_timestamp = self.begin_timestamp + seconds * 1000 if keep > 1 else self.begin_timestamp
        self.segment.reserved = self.entries_at + self.count * ENTRY.size
        self.write_header()

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


class Index:
    """All index files of a store.

    Attributes:
        files: oldest first; only the last one grows.
        free: entries that can be added to it without asking for room.
        behind: physical offset from which records are not indexed, -1 when all are.
    """

    def __init__(self, options: StoreOptions, env: Env, seconds: Callable[[], float]) -> None:
        self._env = env
        self._seconds = seconds
        self._directory = f"{options.store_path_root_dir}/index"
        self._slots = options.max_hash_slot_num
        self._entries = options.max_index_num
        self._reserve_bytes = options.index_reserve_bytes
        self._cache = MapCache(_INDEX_MAPS, scattered=True)
        self._hashes: dict[str, IndexKeyHash] = {}
        self.enabled = options.message_index_enable
        self.files: list[IndexFile] = []
        self.current: IndexFile | None = None
        self.free = 0
        self.behind = -1

    # --- life

    def load(self) -> list[str]:
        """Finds the files; one that cannot be right is removed, with all after it, and named in the answer.

        Raises:
            OSError: a file cannot be read or removed.
        """
        problems: list[str] = []
        for name in self._env.list_directory(self._directory):
            if len(name) != _NAME_DIGITS or not name.isdigit():
                continue
            file = self._file(name)
            length = self._env.file_size(file.segment.path)
            if not problems and length == file.segment.size and file.load():
                self.files.append(file)
                continue
            if not problems:
                problems.append(f"{file.segment.path} of {length} bytes is no index file; it is built again")
            file.segment.remove()
        return problems

    def rewind(self, physical_end: int) -> None:
        """Takes back everything at `physical_end` and beyond.

        Raises:
            OSError: a file cannot be changed.
        """
        while self.files and self.files[-1].count <= 1:
            self.files.pop().segment.remove()
        while len(self.files) > 1 and self.files[-1].begin_physical >= physical_end:
            self.files.pop().segment.remove()
        self.current = None
        self.free = 0
        if self.files:
            self.files[-1].rewind(physical_end)
            self._aim(self.files[-1])

    def wipe(self) -> None:
        """Removes all files.

        Raises:
            OSError: a file cannot be removed.
        """
        while self.files:
            self.files[-1].segment.remove()
            self.files.pop()
        self.current = None
        self.free = 0

    def digest(self) -> int:
        """A number that changes when files are missing."""
        return crc32("\n".join(file.name for file in self.files if file.count > 1).encode())

    @property
    def end(self) -> int:
        """Physical offset of the newest indexed record, -1 when there is none."""
        return self.files[-1].end_physical if self.files and self.files[-1].count > 1 else -1

    @property
    def is_dirty(self) -> bool:
        """Whether there are entries that are not known to be on the disk."""
        return any(file.synced_count < file.count for file in self.files)

    def close(self) -> None:
        """Writes the headers and unmaps everything.

        Raises:
            OSError: the newest file cannot be mapped.
        """
        if self.current is not None:
            self.current.write_header()
        for file in self.files:
            file.segment.unmap()

    def _file(self, name: str) -> IndexFile:
        return IndexFile(self._env, self._cache, self._directory, name, self._slots, self._entries)

    # --- adding

    def add(
        self, topic: str, uniq_key: str | None, keys: str | None, tags: str | None, physical: int, timestamp: int
    ) -> None:
        """Indexes one record under its unique key, each of its keys and its tags.

        Never raises for the disk: see `behind`.
        """
        if self.behind >= 0:
            return
        hash_of = (self._hashes.get(topic) or self._hash_of(topic)).hash_of
        try:
            if uniq_key:
                if self.free <= 0:
                    self._make_room()
                self.current.put(hash_of(uniq_key), physical, timestamp)  # type: ignore[union-attr]
                self.free -= 1
            if keys or tags:
                for key in (*(keys or "").split(" "), TAGS_PREFIX + tags if tags else ""):
                    if key:
                        if self.free <= 0:
                            self._make_room()
                        self.current.put(hash_of(key), physical, timestamp)  # type: ignore[union-attr]
                        self.free -= 1
        except OSError as error:
            self.behind = physical
            _log.error("The index falls behind from offset {offset} on: {error}", offset=physical, error=error)

    def add_batch(self, topic: str, tails: list[bytes], offsets: list[int], timestamp: int) -> None:
        """Indexes the records of a batch.

        Args:
            topic: their topic.
            tails: the properties of each, behind their 16-bit length.
            offsets: the physical offset of each.
            timestamp: their store time.
        """
        uniques = _only_unique_keys(tails)
        if uniques is not None and self.free >= len(uniques) and self.behind < 0 and self.current is not None:
            hash_of = (self._hashes.get(topic) or self._hash_of(topic)).hash_of
            try:
                self.current.put_all(list(map(hash_of, uniques)), offsets, timestamp)
                self.free -= len(uniques)
            except OSError as error:
                self.behind = offsets[0]
                _log.error("The index falls behind from offset {offset} on: {error}", offset=offsets[0], error=error)
            return
        for tail, physical in zip(tails, offsets, strict=True):
            properties = tail[2:]
            found = (find_property(properties, name) for name in (b"UNIQ_KEY", b"KEYS", b"TAGS"))
            unique_key, keys, tags = (value.decode("utf-8", "replace") if value else None for value in found)
            self.add(topic, unique_key, keys, tags, physical, timestamp)

    def _hash_of(self, topic: str) -> IndexKeyHash:
        hashes = self._hashes[topic] = IndexKeyHash(topic)
        return hashes

    def forget(self, topic: str) -> None:
        """Drops what is remembered of a topic."""
        self._hashes.pop(topic, None)

    def _make_room(self) -> None:
        file = self.files[-1] if self.files else None
        if file is None or file.count >= file.top:
            file = self._roll(file)
        segment = file.segment
        needed = file.entries_at + (file.count + 1) * ENTRY.size
        if needed > segment.reserved:
            segment.reserve(needed, needed + self._reserve_bytes)
        self._aim(file)

    def _aim(self, file: IndexFile) -> None:
        self.current = file
        self.free = min(file.top, (file.segment.reserved - file.entries_at) // ENTRY.size) - file.count

    def _roll(self, full: IndexFile | None) -> IndexFile:
        if full is not None:
            full.write_header()
        self._env.make_directory(self._directory)
        file = self._file(self._new_name())
        file.segment.create()
        try:
            file.segment.reserve(file.entries_at + 2 * ENTRY.size, 0)
            if full is not None:
                file.begin_physical = file.end_physical = full.end_physical
                file.begin_timestamp = file.end_timestamp = full.end_timestamp
            file.write_header()
        except OSError:
            file.segment.remove()
            raise
        self.files.append(file)
        return file

    def _new_name(self) -> str:
        moment = datetime.fromtimestamp(self._seconds())
        newest = self.files[-1].name if self.files else ""
        while True:
            name = f"{moment:%Y%m%d%H%M%S}{moment.microsecond // 1000:03d}"
            if name > newest:
                return name
            moment = datetime.strptime(newest[:14], "%Y%m%d%H%M%S") + timedelta(milliseconds=int(newest[14:]) + 1)

    # --- durability and space

    def unsynced(self) -> list[IndexFile]:
        """The files with entries that are not known to be on the disk, headers up to date.

        Raises:
            OSError: a file cannot be mapped.
        """
        files = [file for file in self.files if file.synced_count < file.count]
        for file in files:
            file.write_header()
        return files

    def remove_expired(self, log_minimum: int) -> int:
        """Removes the files whose newest entry points before the log's beginning, never the last; their number.

        Raises:
            OSError: a file cannot be removed.
        """
        removed = 0
        while len(self.files) > 1 and self.files[0].end_physical < log_minimum:
            self.files[0].segment.remove()
            self.files.pop(0)
            removed += 1
        return removed

    # --- asking

    def query(self, topic: str, key: str, most: int, begin: int, end: int) -> tuple[list[int], int, int]:
        """Physical offsets of records that may have this key, newest first, and the index's newest time and offset.

        Raises:
            OSError: a file cannot be mapped.
        """
        found: list[int] = []
        key_hash = (self._hashes.get(topic) or IndexKeyHash(topic)).hash_of(key)
        for file in reversed(self.files):
            if file.covers(begin, end):
                file.select(key_hash, most, begin, end, found)
            if file.begin_timestamp < begin or len(found) >= most:
                break
        newest = self.files[-1] if self.files else None
        return found, newest.end_timestamp if newest else 0, newest.end_physical if newest else 0


def _only_unique_keys(tails: list[bytes]) -> list[str] | None:
    """The unique keys of a batch as official clients send it: first of the properties, and no other keys. Else None."""
    uniques = []
    for tail in tails:
        if tail[2:11] != _UNIQUE_FIRST or b"KEYS\x01" in tail or b"TAGS\x01" in tail:
            return None
        end = tail.find(_SEPARATOR, 11)
        unique = tail[11:] if end < 0 else tail[11:end]
        if not unique:
            return None
        uniques.append(str(unique, "utf-8", "replace"))
    return uniques
