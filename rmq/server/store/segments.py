"""A stream of bytes over fixed-size files in one directory, each named by its start, 20 digits.

A file that exists has the full length. A last file of length zero is removed (a start was interrupted). A last file
that is shorter was cut: it is brought to its length again and named in `cut`, so that recovery distrusts what a
checkpoint says about it. Any other length means that the store was made with another file size, and is refused.

Source: MappedFileQueue.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from rmq.server.store.api import StoreError
from rmq.server.store.env import Env
from rmq.server.store.segment import NAME_DIGITS, MapCache, Segment


class Segments:
    """The files of one stream, in order.

    Attributes:
        files: the segments, ascending.
        size: length of each.
        cache: counts the mapped files.
        cut: the segment that was found too short, if one was.
    """

    __slots__ = ("_env", "cache", "cut", "directory", "files", "size")

    def __init__(self, env: Env, cache: MapCache, directory: str, size: int) -> None:
        self._env = env
        self.cache = cache
        self.directory = directory
        self.size = size
        self.files: list[Segment] = []
        self.cut: Segment | None = None

    def load(self) -> None:
        """Finds the files that are there.

        Raises:
            StoreError: a file has a length that cannot be.
            OSError: the directory cannot be read.
        """
        names = [n for n in self._env.list_directory(self.directory) if len(n) == NAME_DIGITS and n.isdigit()]
        for name in names:
            path = f"{self.directory}/{name}"
            length = self._env.file_size(path) or 0
            if length != self.size:
                if length > self.size or name != names[-1]:
                    raise StoreError(
                        f"{path} has {length} bytes, but this store's files have {self.size}:"
                        " the file is damaged, or it was written with another file size setting"
                    )
                if length == 0:
                    self._env.remove(path)
                    continue
                self._env.resize(path, self.size)
            segment = Segment(self._env, self.cache, path, int(name), self.size)
            self.files.append(segment)
            if length != self.size:
                self.cut = segment

    def find(self, offset: int) -> Segment | None:
        """The segment that holds the byte at `offset`."""
        files = self.files
        if not files:
            return None
        index = (offset - files[0].start) // self.size
        if not (0 <= index < len(files) and files[index].start <= offset < files[index].start + self.size):
            index = bisect_right(files, offset, key=_start) - 1
            if index < 0 or offset >= files[index].start + self.size:
                return None
        return files[index]

    def create(self, start: int) -> Segment:
        """Adds a file at the end.

        Raises:
            OSError: it cannot be made.
        """
        if not self.files:
            self._env.make_directory(self.directory)
        segment = Segment(self._env, self.cache, f"{self.directory}/{start:0{NAME_DIGITS}d}", start, self.size)
        segment.create()
        self.files.append(segment)
        return segment

    def between(self, start: int, end: int) -> Iterator[Segment]:
        """The segments that hold bytes of `[start, end)`."""
        return (segment for segment in self.files if segment.start < end and segment.start + self.size > start)

    def trust(self, end: int) -> None:
        """Counts on the disk knowing the files that begin before `end`, and no others."""
        for segment in self.files:
            segment.listed = segment.start < end

    def cut_at(self, end: int) -> bool:
        """Drops what stands at `end` and beyond: later files go, the rest of the file becomes zeros.

        Returns:
            Whether anything but zeros and empty files stood there.

        Raises:
            OSError: a file cannot be changed.
        """
        dirty = False
        while len(self.files) > 1 and self.files[-1].start >= end:
            dirty |= self._env.erase(self.files[-1].path, 0)
            self.files.pop().remove()
        if self.files and end < self.files[-1].start + self.size:
            position = max(0, end - self.files[-1].start)
            dirty |= self._env.erase(self.files[-1].path, position)
            self.files[-1].reserved = min(self.files[-1].reserved, position)
        return dirty

    def remove_all(self) -> None:
        """Removes every file and the directory.

        Raises:
            OSError: something cannot be removed.
        """
        while self.files:
            self.files[-1].remove()
            self.files.pop()
        if not self._env.list_directory(self.directory):
            try:
                self._env.remove_directory(self.directory)
            except FileNotFoundError:
                return

    def close(self) -> None:
        """Unmaps everything."""
        for segment in self.files:
            segment.unmap()


def _start(segment: Segment) -> int:
    return segment.start
