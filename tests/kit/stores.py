"""Small stores for tests: a clock that stands, threads that run when told, and a disk that fails on demand."""

import dataclasses
import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock

from rmq.server.store.api import AppendResult, Retention, StoreOptions
from rmq.server.store.env import Env
from rmq.server.store.store import MessageStore
from rmq.wire.javahash import java_hash
from rmq.wire.message import StoredMessage, decode_messages

START = 1_700_000_000.0
HOST = b"\x7f\x00\x00\x01\x00\x00\x1f\x90"
SMALL: dict[str, Any] = {
    "mapped_file_size_commit_log": 64 * 1024,
    "mapped_file_size_consume_queue": 20 * 50,
    "max_hash_slot_num": 50,
    "max_index_num": 100,
    "log_reserve_bytes": 16 * 1024,
    "index_reserve_bytes": 4096,
    "sync_interval": 1.0,
}


def at_once(call: Callable[[], Any]) -> Deferred[Any]:
    """Runs a "thread" before it returns."""
    return maybeDeferred(call)


class Threads:
    """Keeps "threads" until the test lets them run."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Callable[[], Any], Deferred[Any]]] = []

    def __call__(self, call: Callable[[], Any]) -> Deferred[Any]:
        result: Deferred[Any] = Deferred()
        self.waiting.append((call, result))
        return result

    def run(self) -> int:
        """Runs what waits now; how many that were."""
        batch, self.waiting = self.waiting, []
        for call, result in batch:
            maybeDeferred(call).chainDeferred(result)
        return len(batch)


class FaultyEnv(Env):
    """A file system of which any method fails when told to.

    `fail` maps a method's name to the calls it still grants and the error number after those. `calls` lists what was
    called, with the path; from its `fail_from`-th call on everything that changes the disk fails. `boot` is the id of
    the machine's boot.
    """

    FALLIBLE = (
        "make_directory",
        "list_directory",
        "remove_directory",
        "sync_directory",
        "file_size",
        "modified",
        "read_file",
        "write_file",
        "patch_file",
        "copy",
        "remove",
        "rename",
        "resize",
        "map_file",
        "reserve",
        "sync_file",
        "erase",
        "lock",
        "disk_used_ratio",
    )

    CHANGING = frozenset(FALLIBLE) & {
        "make_directory",
        "remove_directory",
        "write_file",
        "patch_file",
        "copy",
        "remove",
        "rename",
        "resize",
        "map_file",
        "erase",
    }

    def __init__(self) -> None:
        self.fail: dict[str, tuple[int, int]] = {}
        self.fail_from: int | None = None
        self.only_below = ""
        self.calls: list[tuple[str, str]] = []
        self.used_ratio: float | None = None
        self.boot = bytes(range(16))
        for name in self.FALLIBLE:
            setattr(self, name, self._guarded(name, getattr(super(), name)))

    def boot_id(self) -> bytes:
        return self.boot

    def _guarded(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: str, *args: Any, **options: Any) -> Any:
            self.calls.append((name, path))
            if name in self.fail and self.only_below in path:
                granted, number = self.fail[name]
                self.fail[name] = (granted - 1, number)
                if granted <= 0:
                    raise OSError(number, errno.errorcode[number])
            if self.fail_from is not None and len(self.calls) > self.fail_from and name in self.CHANGING:
                raise OSError(errno.EIO, "the disk is gone")
            if name == "disk_used_ratio" and self.used_ratio is not None:
                return self.used_ratio
            return method(path, *args, **options)

        return call


class SmallStore:
    """A store with small files, opened; `again` opens the directory anew as after a crash, or after `close`."""

    def __init__(self, root: Path, *, env: Env | None = None, threads: Any = at_once, **options: Any) -> None:
        self.root = root
        self.env = env or Env()
        self.threads = threads
        kept = {field.name for field in dataclasses.fields(Retention)} & options.keys()
        self.retention = Retention(**{name: options.pop(name) for name in kept})
        self.options = StoreOptions(str(root), **{**SMALL, **options})
        self.clock = Clock()
        self.clock.advance(START)
        self.open()

    def open(self) -> None:
        self.store = MessageStore(self.options, self.env, self.clock, self.threads, lambda: self.retention)
        self.report = self.store.open()

    def send(
        self,
        topic: str,
        queue_id: int,
        body: bytes,
        tags: str = "",
        keys: str = "",
        uniq: str = "",
        sys_flag: int = 0,
        host: bytes = HOST,
    ) -> AppendResult:
        """Stores one message with the properties that these arguments make."""
        properties = "".join(
            f"{name}\x01{value}\x02" for name, value in (("TAGS", tags), ("KEYS", keys), ("UNIQ_KEY", uniq)) if value
        ).encode()
        return self.store.append(
            topic,
            queue_id,
            7,
            sys_flag,
            1_699_999_999_000,
            host,
            0,
            0,
            body,
            properties,
            java_hash(tags) if tags else 0,
        )

    def fill(
        self, count: int, topic: str = "T", queues: int = 2, size: int = 100, first: int = 0
    ) -> list[AppendResult]:
        """Stores numbered messages with unique keys and keys, a millisecond apart."""
        results = []
        for number in range(first, first + count):
            self.clock.advance(0.001)
            body = f"{number:08d}".encode().ljust(size, b".")
            results.append(
                self.send(topic, number % queues, body, f"tag{number % 3}", f"key{number}", f"{number:032X}")
            )
        return results

    def read(self, topic: str, queue_id: int, offset: int | None = None) -> list[StoredMessage]:
        """All messages of a queue, from its smallest offset or another on."""
        found: list[StoredMessage] = []
        position = self.store.min_offset(topic, queue_id) if offset is None else offset
        while position < self.store.max_offset(topic, queue_id):
            result = self.store.get(topic, queue_id, position, 32)
            messages = list(decode_messages(b"".join(result.chunks)))
            assert len(messages) == result.count
            assert result.next_begin_offset > position
            found += messages
            position = result.next_begin_offset
        return found

    def numbers(self, topic: str = "T", queues: int = 2) -> dict[int, list[tuple[int, int]]]:
        """Queue offset and message number of what `fill` stored, by queue."""
        return {queue: [(m.queue_offset, int(m.body[:8])) for m in self.read(topic, queue)] for queue in range(queues)}

    def close(self) -> None:
        done: list[object] = []
        self.store.close().addBoth(done.append)
        assert done == [None]

    def crash(self) -> None:
        """Lets go of the directory as a killed process does: nothing is written any more."""
        for call in list(self.clock.getDelayedCalls()):
            call.cancel()
        if self.store._store_lock is not None:
            self.store._store_lock.release()

    def reopen(self, *, clean: bool = False) -> None:
        if clean:
            self.close()
        else:
            self.crash()
        self.open()
