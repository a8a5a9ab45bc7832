"""The message store's facade: what the broker calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred

from rmq.server.store.api import (
    AppendResult,
    ArrivalListener,
    BatchItem,
    Boundary,
    GetResult,
    MatchRecord,
    PutStatus,
    QueryResult,
    RecoveryReport,
    StoreOptions,
)
from rmq.server.store.env import Env


class MessageStore:
    """SIGNATURES ONLY FOR NOW; bodies are being written.

    sync_flush: bool attribute: whether callers of `append` must ask `when_durable` (skip it for WAIT=false messages).
    on_arrival: ArrivalListener | None attribute, set by the broker.
    counters: Counters attribute with put_total, put_bytes, put_failed, get_found, get_miss, get_messages, get_bytes (ints).
    """

    sync_flush: bool
    on_arrival: ArrivalListener | None

    def __init__(self, options: StoreOptions, env: Env, clock: Any,
                 defer_to_thread: Callable[[Callable[[], Any]], Deferred[Any]]) -> None: ...

    # life
    def open(self) -> RecoveryReport: ...            # StoreError, StoreLockedError
    def start(self) -> None: ...
    def close(self) -> Deferred[None]: ...           # stops services, flushes, checkpoint, removes abort, releases the lock

    # write; never raises for a refused message: look at .status
    def append(self, topic: str, queue_id: int, flag: int, sys_flag: int, born_timestamp: int, born_host: bytes,
               reconsume_times: int, prepared_offset: int, body: bytes, properties: bytes, tags_code: int,
               uniq_key: str | None, keys: str | None) -> AppendResult: ...
    def append_batch(self, topic: str, queue_id: int, sys_flag: int, born_timestamp: int, born_host: bytes,
                     reconsume_times: int, items: Sequence[BatchItem]) -> AppendResult: ...
    def when_durable(self, result: AppendResult) -> Deferred[PutStatus] | None: ...

    # read
    def get(self, topic: str, queue_id: int, offset: int, max_msgs: int, max_bytes: int = 0,
            tags: frozenset[int] | None = None, match: MatchRecord | None = None) -> GetResult: ...
    def min_offset(self, topic: str, queue_id: int) -> int: ...     # 0 when there is no such queue
    def max_offset(self, topic: str, queue_id: int) -> int: ...     # 0 when there is no such queue
    def offset_by_time(self, topic: str, queue_id: int, timestamp: int, boundary: Boundary = Boundary.LOWER) -> int: ...
    def store_time(self, topic: str, queue_id: int, offset: int) -> int: ...    # -1 unknown
    def earliest_store_time(self, topic: str, queue_id: int) -> int: ...        # -1 unknown
    def queue_message(self, topic: str, queue_id: int, offset: int) -> bytes | None: ...
    def message_at(self, physical: int) -> bytes | None: ...
    def query_index(self, topic: str, key: str, max_num: int, begin: int, end: int) -> QueryResult: ...
    def in_memory(self, physical: int) -> bool: ...

    # inventory and space
    def queues(self) -> list[tuple[str, int]]: ...
    def destroy_topic(self, topic: str) -> None: ...
    def clean_expired_consume_queues(self) -> int: ...
    def clean_unused_topics(self, keep: Callable[[str], bool]) -> list[str]: ...
    def delete_expired(self) -> None: ...            # arms deletion now, as request 329 does

    # statistics
    @property
    def log_min_offset(self) -> int: ...
    @property
    def log_max_offset(self) -> int: ...
    @property
    def flushed_offset(self) -> int: ...
    def commit_log_disk_ratio(self) -> float: ...
    def consume_queue_disk_ratio(self) -> float: ...
