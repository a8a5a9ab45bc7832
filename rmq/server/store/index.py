"""The index: all its files, named by the time they were made; what is added goes to the newest.

The index is never a reason to refuse a message: `rmq.server.store.indexer` builds it from the log and `position` tells
how far that is.

Source: IndexService.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from mmap import mmap
from zlib import crc32

from rmq.server.store import fast
from rmq.server.store.api import StoreOptions
from rmq.server.store.env import Env
from rmq.server.store.indexfile import IndexFile
from rmq.server.store.segment import MapCache
from rmq.wire.javahash import IndexKeyHash
from rmq.wire.layouts import INDEX_ENTRY as ENTRY

_NAME_DIGITS = 17
_INDEX_MAPS = 16

TAGS_PREFIX = "T#"
"""Stands before the tags in the key under which a record is found by them (IndexService.buildKey, since 5.4)."""


class Index:
    """All index files of a store.

    Attributes:
        files: oldest first; only the last one grows.
        position: physical offset before which every record is indexed.
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
        self.position = 0
        self._current: IndexFile | None = None
        self._free = 0

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
        while self.files and (
            self.files[-1].count <= 1 or (len(self.files) > 1 and self.files[-1].begin_physical >= physical_end)
        ):
            self.files.pop().segment.remove()
        self._current = None
        self._free = 0
        if self.files:
            self.files[-1].rewind(physical_end)
            self._aim(self.files[-1])

    def drop_torn(self) -> int | None:
        """Removes the newest file if a power cut tore it; the physical offset from which to index again then.

        Raises:
            OSError: a file cannot be read, changed or removed.
        """
        if not self.files or self.files[-1].holds_together():
            return None
        torn = self.files.pop()
        torn.segment.remove()
        self.rewind(torn.begin_physical)
        return torn.begin_physical

    def trust(self, physical_end: int) -> None:
        """Counts on the disk having the entries of records before `physical_end`, and no others."""
        for file in self.files:
            if file.end_physical >= physical_end:
                file.synced_count = 0
            file.segment.listed = file.begin_physical < physical_end

    def wipe(self) -> None:
        """Removes all files.

        Raises:
            OSError: a file cannot be removed.
        """
        while self.files:
            self.files[-1].segment.remove()
            self.files.pop()
        self._current = None
        self._free = 0

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
        if self._current is not None:
            self._current.write_header()
        for file in self.files:
            file.segment.unmap()

    def _file(self, name: str) -> IndexFile:
        return IndexFile(self._env, self._cache, self._directory, name, self._slots, self._entries)

    # --- adding

    def add(self, topic: str, keys: list[str], offsets: list[int], timestamps: list[int]) -> None:
        """Adds an entry for each key of a topic, of a record at this physical offset stored at this time (ms).

        Raises:
            OSError: the index cannot grow; the first entries may have been added.
        """
        hash_of = (self._hashes.get(topic) or self._hash_of(topic)).hash_of
        hashes = list(map(hash_of, keys))
        done, count = 0, len(hashes)
        while done < count:
            file = self._file_with_room()
            stop = min(count, done + self._free)
            file.put(hashes[done:stop], offsets[done:stop], timestamps[done:stop])
            self._free -= stop - done
            done = stop

    def add_records(self, log: mmap, base: int, at: int, stop: int) -> int:
        """Adds, compiled, the keys of the sound records that begin between `at` and `stop` in a file of the log.

        Args:
            log: the file's bytes.
            base: physical offset of its first byte.
            at: where the first record begins.
            stop: before where the last one begins.

        Returns:
            Where the first record begins that was not taken: one that is out of the ordinary or finds no room, for
            `add`; the first one, where nothing is compiled. At `stop` or beyond when all were taken.

        Raises:
            OSError: the index file cannot be mapped; nothing was added.
        """
        file = self._current
        # A file's first entry decides what the others count their time from: that one is for `add`.
        if fast.index_records is None or file is None or self._free <= 0 or file.count <= 1:
            return at
        view = file.segment.mapped()
        at, count, used, physical, timestamp = fast.index_records(
            log, base, at, stop, view, file.entries_at, file.slots, file.count, self._free, file.begin_timestamp
        )
        if count > file.count:
            self._free -= count - file.count
            file.count = count
            file.used_slots += used
            file.end_physical = physical
            file.end_timestamp = timestamp
        return at

    def _hash_of(self, topic: str) -> IndexKeyHash:
        hashes = self._hashes[topic] = IndexKeyHash(topic)
        return hashes

    def forget(self, topic: str) -> None:
        """Drops what is remembered of a topic."""
        self._hashes.pop(topic, None)

    def _file_with_room(self) -> IndexFile:
        if self._free > 0 and self._current is not None:
            return self._current
        file = self.files[-1] if self.files else None
        if file is None or file.count >= file.top:
            file = self._roll(file)
        segment = file.segment
        needed = file.entries_at + (file.count + 1) * ENTRY.size
        if needed > segment.reserved:
            segment.reserve(needed, needed + self._reserve_bytes)
        self._aim(file)
        return file

    def _aim(self, file: IndexFile) -> None:
        self._current = file
        self._free = min(file.top, (file.segment.reserved - file.entries_at) // ENTRY.size) - file.count

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
