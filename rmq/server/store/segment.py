"""One fixed-size file of a longer stream, mapped when needed.

A page of a sparse mapping that has no space on the disk must never be written: on a full disk that ends the process
with SIGBUS. `reserved` tells how far space is certain, and writers call `reserve` before they go beyond it.
"""

from __future__ import annotations

import mmap
from collections import OrderedDict

from rmq.server.store.env import Env

NAME_DIGITS = 20
_COPY = 1 << 20


class MapCache:
    """Keeps at most `limit` segments mapped; the one mapped longest ago goes first.

    A segment that is in use all the time is mapped again once in `limit` mappings of others, so hot paths need not
    tell the cache what they use. Who holds a map across another `Segment.mapped` of the same cache may lose it.

    Attributes:
        scattered: whether its segments are read and written here and there, not from end to end.
    """

    def __init__(self, limit: int, *, scattered: bool = False) -> None:
        self._limit = limit
        self.scattered = scattered
        self._mapped: OrderedDict[Segment, None] = OrderedDict()

    def add(self, segment: Segment) -> None:
        """Counts a segment that was just mapped."""
        while len(self._mapped) >= self._limit:
            oldest, _ = self._mapped.popitem(last=False)
            oldest.unmap()
        self._mapped[segment] = None

    def discard(self, segment: Segment) -> None:
        """Forgets a segment that is no longer mapped."""
        self._mapped.pop(segment, None)

    def scatter(self, scattered: bool) -> None:
        """Changes `scattered`, for what is mapped now too."""
        self.scattered = scattered
        for segment in self._mapped:
            if segment.map is not None:
                segment.map.madvise(mmap.MADV_RANDOM if scattered else mmap.MADV_NORMAL)


class Segment:
    """One file: where it stands in the stream, its map while there is one, and how far its space is reserved.

    Attributes:
        path: of the file.
        start: position of its first byte in the stream.
        size: its fixed length.
        map: the mapped bytes, None while unmapped; `mapped` maps.
        reserved: bytes from the file's beginning whose disk space is certain.
        listed: whether the directory entry is known to be on the disk.
        gone: whether the file was removed; a thread may still be asked to sync it.
    """

    __slots__ = ("_cache", "_env", "gone", "listed", "map", "path", "reserved", "size", "start")

    def __init__(self, env: Env, cache: MapCache, path: str, start: int, size: int) -> None:
        self._env = env
        self._cache = cache
        self.path = path
        self.start = start
        self.size = size
        self.map: mmap.mmap | None = None
        self.reserved = 0
        self.listed = True
        self.gone = False

    def create(self) -> None:
        """Makes the file at its full length, without space.

        Raises:
            OSError: it cannot be made.
        """
        self._env.resize(self.path, self.size)
        self.listed = False

    def mapped(self) -> mmap.mmap:
        """The mapped bytes.

        Raises:
            OSError: the file cannot be mapped.
        """
        if self.map is None:
            fresh = self._env.map_file(self.path, self.size, scattered=self._cache.scattered)
            self._cache.add(self)
            self.map = fresh
        return self.map

    def adopt(self, cache: MapCache) -> None:
        """Lets another cache count this segment from its next mapping on; unmaps it."""
        self.unmap()
        self._cache = cache

    def unmap(self) -> None:
        """Gives the map up; the file's content stays as written."""
        if self.map is not None:
            self.map.close()
            self.map = None
        self._cache.discard(self)

    def reserve(self, needed: int, wanted: int) -> None:
        """Makes space certain up to `wanted`, or, if the disk has not that much, at least up to `needed`.

        Raises:
            OSError: not even `needed` is there.
        """
        goal = min(self.size, max(needed, wanted))
        try:
            self._env.reserve(self.path, self.reserved, goal - self.reserved)
        except OSError:
            if goal == needed:
                raise
            self._env.reserve(self.path, self.reserved, needed - self.reserved)
            goal = needed
        self.reserved = goal

    def rewrite(self, low: int, high: int) -> None:
        """Writes a stretch over itself.

        After a failed fdatasync the system counts the pages as clean, and the next one would succeed without having
        written them; this makes them dirty again.

        Raises:
            OSError: the file cannot be mapped.
        """
        view = self.mapped()
        for at in range(low, high, _COPY):
            stop = min(high, at + _COPY)
            view[at:stop] = view[at:stop]

    def remove(self) -> None:
        """Removes the file.

        Raises:
            OSError: it cannot be removed.
        """
        self.unmap()
        self.gone = True
        self._env.remove(self.path)

    def sync(self) -> None:
        """Brings the file to the disk; runs in a thread.

        Raises:
            OSError: the disk did not take it.
        """
        try:
            self._env.sync_file(self.path)
            if not self.listed:
                self._env.sync_directory(self.path.rpartition("/")[0])
                self.listed = True
        except FileNotFoundError:
            if not self.gone:
                raise
