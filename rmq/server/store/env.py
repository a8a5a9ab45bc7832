"""The store's file system: every call that touches the disk is here, so that tests can let any of them fail."""

from __future__ import annotations

import errno
import fcntl
import math
import mmap
import os
import resource
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from io import RawIOBase
from pathlib import Path
from typing import ClassVar

_ZERO_CHUNK = _COPY_CHUNK = 1 << 20
_UNTRACKED = {"trackfd": False} if sys.version_info >= (3, 13) else {}
_MAPS_WITHOUT_FDS = 16384


@contextmanager
def _opened(path: str, flags: int) -> Iterator[int]:
    """The descriptor of a file, closed at the end."""
    descriptor = os.open(path, flags, 0o644)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


class Lock:
    """A held lock on a file; `release` gives it up."""

    def __init__(self, descriptor: int, identity: tuple[int, int], held: set[tuple[int, int]]) -> None:
        self._descriptor = descriptor
        self._identity = identity
        self._held = held

    def release(self) -> None:
        """Gives the lock up; twice does no harm."""
        if self._identity in self._held:
            self._held.discard(self._identity)
            os.close(self._descriptor)


class Env:
    """The real file system. All methods raise OSError."""

    _held_here: ClassVar[set[tuple[int, int]]] = set()

    # --- directories

    def make_directory(self, path: str) -> None:
        """Creates a directory and those above it."""
        os.makedirs(path, exist_ok=True)

    def list_directory(self, path: str) -> list[str]:
        """Names in a directory, sorted; none when it does not exist."""
        try:
            return sorted(os.listdir(path))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def remove_directory(self, path: str) -> None:
        """Removes an empty directory."""
        os.rmdir(path)

    def sync_directory(self, path: str) -> None:
        """Brings a directory's entries to the disk."""
        with _opened(path, os.O_RDONLY | os.O_DIRECTORY) as descriptor:
            os.fsync(descriptor)

    # --- whole files

    def file_size(self, path: str) -> int | None:
        """Bytes of a file, None when there is none."""
        try:
            return os.stat(path).st_size
        except FileNotFoundError:
            return None

    def modified(self, path: str) -> float:
        """When a file was last changed, seconds since the epoch."""
        return os.stat(path).st_mtime

    def read_file(self, path: str) -> bytes | None:
        """A small file's content, None when there is none."""
        try:
            return Path(path).read_bytes()
        except FileNotFoundError:
            return None

    def write_file(self, path: str, data: bytes) -> None:
        """Writes a small file in place, from its beginning, and brings it to the disk."""
        with _opened(path, os.O_RDWR | os.O_CREAT) as descriptor:
            os.pwrite(descriptor, data, 0)
            os.fdatasync(descriptor)

    def patch_file(self, path: str, at: int, data: bytes) -> None:
        """Overwrites bytes of a file that exists; when they come to the disk is left to the system."""
        with _opened(path, os.O_WRONLY) as descriptor:
            os.pwrite(descriptor, data, at)

    def copy(self, path: str, stretches: Iterable[tuple[str, int, int]]) -> None:
        """Writes a file anew out of others' bytes from one position to another, and brings it to the disk. Blocks."""
        with Path(path).open("wb", buffering=0) as file:
            for source, start, stop in stretches:
                self._append(file, source, start, stop)
            os.fdatasync(file.fileno())

    @staticmethod
    def _append(file: RawIOBase, source: str, start: int, stop: int) -> None:
        with _opened(source, os.O_RDONLY) as descriptor:
            while start < stop:
                data = os.pread(descriptor, min(_COPY_CHUNK, stop - start), start)
                if not data:
                    raise OSError(errno.EIO, f"{source} ends at {start} and not at {stop}")
                start += file.write(data) or 0

    def remove(self, path: str) -> None:
        """Removes a file; a missing one is no error."""
        Path(path).unlink(missing_ok=True)

    def rename(self, old: str, new: str) -> None:
        """Renames a file over another."""
        Path(old).replace(new)

    # --- mapped files

    def resize(self, path: str, size: int) -> None:
        """Creates the file if need be and gives it a length; what is new reads as zeros and has no space yet."""
        with _opened(path, os.O_RDWR | os.O_CREAT) as descriptor:
            os.ftruncate(descriptor, size)

    def map_file(self, path: str, size: int, *, scattered: bool = False) -> mmap.mmap:
        """Maps the first `size` bytes of an existing file, shared and writable.

        A file that is read and written here and there is `scattered`: without that word the system reads megabytes
        around the first touch of each place, and zeroes them where the file has nothing yet.
        """
        with _opened(path, os.O_RDWR) as descriptor:
            view = mmap.mmap(descriptor, size, **_UNTRACKED)
        if scattered:
            view.madvise(mmap.MADV_RANDOM)
        return view

    def reserve(self, path: str, offset: int, length: int) -> None:
        """Makes sure that the disk has room for these bytes of a file; what is there stays."""
        with _opened(path, os.O_RDWR) as descriptor:
            os.posix_fallocate(descriptor, offset, length)

    def sync_file(self, path: str) -> None:
        """Brings a file's content to the disk, mapped changes too. Blocks; releases the interpreter lock."""
        with _opened(path, os.O_RDWR) as descriptor:
            os.fdatasync(descriptor)

    def erase(self, path: str, start: int) -> bool:
        """Overwrites what stands from `start` on with zeros, passing over holes; whether there was anything."""
        zeros = bytes(_ZERO_CHUNK)
        erased = False
        with _opened(path, os.O_RDWR) as descriptor:
            size = os.fstat(descriptor).st_size
            while start < size:
                try:
                    start = os.lseek(descriptor, start, os.SEEK_DATA)
                except OSError as error:
                    if error.errno != errno.ENXIO:
                        raise
                    return erased
                stop = os.lseek(descriptor, start, os.SEEK_HOLE)
                while start < stop:
                    length = min(_ZERO_CHUNK, stop - start)
                    if os.pread(descriptor, length, start) != zeros[:length]:
                        os.pwrite(descriptor, zeros[:length], start)
                        erased = True
                    start += length
            return erased

    # --- process and machine

    def lock(self, path: str, content: bytes) -> Lock | None:
        """Locks byte 0 of a file for this process and writes `content`; None when somebody holds it."""
        # The system's locks belong to the process: it would let us lock twice, and closing any descriptor of the file
        # would give the lock up. So a file that is locked here is not even opened.
        try:
            if self._identity(os.stat(path)) in self._held_here:
                return None
        except FileNotFoundError:
            pass
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        identity = self._identity(os.fstat(descriptor))
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 0, os.SEEK_SET)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except OSError:
            os.close(descriptor)
            raise
        with suppress(OSError):
            # For people to read; a full disk is no reason to stay away.
            os.pwrite(descriptor, content, 0)
        self._held_here.add(identity)
        return Lock(descriptor, identity, self._held_here)

    @staticmethod
    def _identity(status: os.stat_result) -> tuple[int, int]:
        return status.st_dev, status.st_ino

    def disk_used_ratio(self, path: str) -> float:
        """Used share of the disk that holds `path`, or will when it is made: whole percents, rounded up, 0 to 1.

        What only the superuser could write counts neither as used nor as free. -1 for a disk without size.

        Source: UtilAll.getDiskPartitionSpaceUsedPercent.
        """
        place = Path(path).absolute()
        while not place.exists():
            place = place.parent
        usage = shutil.disk_usage(place)
        entire = usage.used + usage.free
        return math.ceil(usage.used * 100 / entire) / 100 if entire else -1.0

    def physical_memory(self) -> int:
        """Bytes of main memory."""
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")

    def boot_id(self) -> bytes:
        """16 bytes that change whenever the machine is started; empty where the system tells of none."""
        try:
            return bytes.fromhex(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").replace("-", ""))
        except (OSError, ValueError):
            return b""

    def process_id(self) -> int:
        """This process's id."""
        return os.getpid()

    def map_limit(self) -> int:
        """How many files may be mapped at a time: before Python 3.13 each map holds a file descriptor."""
        if _UNTRACKED:
            return _MAPS_WITHOUT_FDS
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        return _MAPS_WITHOUT_FDS if soft == resource.RLIM_INFINITY else min(_MAPS_WITHOUT_FDS, max(64, soft // 4))
