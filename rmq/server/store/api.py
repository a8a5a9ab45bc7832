"""What the message store promises: its options, statuses, results and errors.

Times are milliseconds since the epoch unless a name says seconds. Offsets: a *physical* offset is a byte position in
the commit log, a *queue* offset counts the messages of one topic's queue.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple, Protocol

from twisted.internet.defer import Deferred


class StoreError(Exception):
    """The store cannot be opened, or cannot do what was asked; the text says why."""


class StoreLockedError(StoreError):
    """Another process holds this store directory."""


class NotContiguousError(StoreError):
    """Replicated bytes do not begin where those before them end."""

    def __init__(self, expected: int, got: int) -> None:
        super().__init__(f"bytes of the log were expected at offset {expected}, those at {got} came")
        self.expected = expected
        self.got = got


class NoRecordError(StoreError):
    """No record that this log can hold begins at a physical offset."""

    def __init__(self, offset: int, why: str) -> None:
        super().__init__(f"no record begins at offset {offset} of the log: {why}")
        self.offset = offset
        self.why = why


class NotEmptyError(StoreError):
    """A log can begin at another offset only while there is nothing in it."""

    def __init__(self, minimum: int, end: int) -> None:
        super().__init__(f"the log holds messages already, from offset {minimum} to {end}")
        self.minimum = minimum
        self.end = end


class LogGoneError(StoreError):
    """What is asked for stands before the log's oldest file."""

    def __init__(self, offset: int, minimum: int) -> None:
        super().__init__(f"the log begins at offset {minimum}, what stood at {offset} is gone")
        self.offset = offset
        self.minimum = minimum


class PutStatus(Enum):
    """Outcome of an append (PutMessageStatus)."""

    PUT_OK = 0
    FLUSH_DISK_TIMEOUT = 1
    """Stored, but not known to be on disk within `sync_flush_timeout`."""
    FLUSH_SLAVE_TIMEOUT = 2
    SLAVE_NOT_AVAILABLE = 3
    SERVICE_NOT_AVAILABLE = 4
    """Not stored: the disk is full, or the store is closing. Answered as code 14; later attempts may succeed."""
    CREATE_MAPPED_FILE_FAILED = 5
    """Not stored: a file could not be made, for a reason other than a full disk."""
    MESSAGE_ILLEGAL = 6
    """Not stored: body, topic or the whole record is longer than allowed."""
    PROPERTIES_SIZE_EXCEEDED = 7
    """Not stored: the properties are longer than 32767 bytes."""
    UNKNOWN_ERROR = 8


class GetStatus(Enum):
    """Outcome of a read from a queue (GetMessageStatus)."""

    FOUND = 0
    NO_MATCHED_MESSAGE = 1
    MESSAGE_WAS_REMOVING = 2
    OFFSET_FOUND_NULL = 3
    OFFSET_OVERFLOW_BADLY = 4
    OFFSET_OVERFLOW_ONE = 5
    OFFSET_TOO_SMALL = 6
    NO_MATCHED_LOGIC_QUEUE = 7
    NO_MESSAGE_IN_QUEUE = 8


class Boundary(Enum):
    """Which end of equal store times `offset_by_time` means (BoundaryType)."""

    LOWER = "lower"
    UPPER = "upper"


class AppendResult(NamedTuple):
    """Outcome of an append.

    `physical_offset` and `queue_offset` are those of the first message, -1 when nothing was stored.
    `offsets` holds the physical offset of every message of a batch and is empty for a single append.
    """

    status: PutStatus
    physical_offset: int
    queue_offset: int
    store_timestamp: int
    wrote_bytes: int
    offsets: tuple[int, ...]


class GetResult(NamedTuple):
    """Outcome of a read: whole stored records, as many as `count`, in `chunks` back to back.

    `suggest_slave` tells that the reader is further behind than memory holds.
    """

    status: GetStatus
    chunks: list[bytes]
    size: int
    count: int  # type: ignore[assignment]
    next_begin_offset: int
    min_offset: int
    max_offset: int
    suggest_slave: bool


class QueryResult(NamedTuple):
    """Stored records whose index entry matched; callers compare topic and key, hashes may collide."""

    messages: list[bytes]
    last_update_timestamp: int
    last_update_offset: int


class Cut(NamedTuple):
    """What `MessageStore.truncate` took away: `size` bytes from `offset` on, `messages` of them, now in `path`.

    Nothing stood there when `size` is 0; `path` is empty then.
    """

    offset: int
    size: int
    messages: int
    path: str


@dataclass(frozen=True, slots=True)
class RecoveryReport:
    """What `open` found and did.

    Attributes:
        clean: the previous run ended properly.
        scan_start: physical offset from which the log was read.
        scanned_bytes: how much of the log was read.
        scanned_records: how many records that were.
        truncated_at: physical offset where the log was cut because what followed was no record; None if it was not.
        problems: sentences on damage found, each with file and offset.
    """

    clean: bool
    scan_start: int
    scanned_bytes: int
    scanned_records: int
    truncated_at: int | None
    problems: list[str] = field(default_factory=list)


ArrivalListener = Callable[[str, int, int, int], None]
"""Called as (topic, queue_id, next_offset, tags_code) after a message became readable; a batch calls once for each
tags code in it, always with the offset after its last message."""

MatchRecord = Callable[[bytes | memoryview], bool]
"""Decides on one stored record; a view is of the log itself and must not be kept."""


class DeferToThread(Protocol):
    """Runs a blocking call in a thread; the Deferred fires in the reactor's thread."""

    def __call__(self, call: Callable[[], Any], /) -> Deferred[Any]:
        """Starts the call."""
        ...


@dataclass(frozen=True, slots=True)
class Retention:
    """How long messages stay and how full the disk may be; names follow MessageStoreConfig. Intervals are seconds."""

    delete_when: str = "04"
    """Hours of the day, `;` between them."""
    file_reserved_time: float = 72.0
    """Hours."""
    clean_resource_interval: float = 10.0
    delete_commit_log_files_interval: float = 0.1
    delete_file_batch_max: int = 10
    disk_max_used_space_ratio: int = 75
    disk_space_warning_level_ratio: float = 0.90
    disk_space_clean_forcibly_ratio: float = 0.85
    clean_file_forcibly_enable: bool = True


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """How a store is laid out and run; names follow MessageStoreConfig. Intervals and timeouts are seconds."""

    store_path_root_dir: str
    store_path_commit_log: str = ""
    """Empty: `commitlog` below the root."""
    read_only: bool = False
    """A slave's: messages come from its master alone, appends are answered SERVICE_NOT_AVAILABLE."""
    store_host: bytes = b"\x7f\x00\x00\x01\x00\x00\x2a\x9f"
    """Packed address of the broker as clients see it: 4 or 16 bytes and an int32 port."""
    mapped_file_size_commit_log: int = 1024 * 1024 * 1024
    mapped_file_size_consume_queue: int = 300_000 * 20
    max_hash_slot_num: int = 5_000_000
    max_index_num: int = 5_000_000 * 4
    message_index_enable: bool = True
    max_message_size: int = 4 * 1024 * 1024
    check_crc_on_recover: bool = True
    sync_flush: bool = False
    """SYNC_FLUSH when true, else ASYNC_FLUSH."""
    sync_flush_timeout: float = 5.0
    flush_interval_commit_log: float = 0.5
    flush_commit_log_least_pages: int = 4
    flush_commit_log_thorough_interval: float = 10.0
    checkpoint_interval: float = 1.0
    """Pause between two notes of how far log, queues and index are written; a start after kill -9 reads from there."""
    sync_interval: float = 10.0
    """Pause between two rounds that bring all of them to the disk; a start after a power cut reads the log from there.
    Apache's thorough flushes come every 10 s for the log, every 60 s for queues."""
    access_message_in_memory_max_ratio: int = 40
    max_transfer_count_on_message_in_memory: int = 32
    max_transfer_bytes_on_message_in_memory: int = 256 * 1024
    max_transfer_count_on_message_in_disk: int = 8
    max_transfer_bytes_on_message_in_disk: int = 64 * 1024
    max_filter_message_size: int = 16000
    """Bytes of queue units that one filtered read may pass over."""
    max_msgs_num_batch: int = 64
    """Most messages of one index query."""
    message_delay_level: str = "1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h"
    """Needed to rebuild the queues of SCHEDULE_TOPIC_XXXX, whose tags code is the time of delivery."""
    log_reserve_bytes: int = 32 * 1024 * 1024
    """Disk space reserved ahead of the log's end."""
    index_reserve_bytes: int = 4 * 1024 * 1024
    """Disk space reserved ahead of the index's end."""
    disk_full_retry_interval: float = 0.2
    max_mapped_files: int = 0
    """Most queue files mapped at a time; 0: chosen from the process's limit of open files."""
