"""The message store: what the broker calls.

`MessageStore` owns the parts and their order of life; the work is in the modules around it. All methods belong to the
reactor's thread; only fdatasync, and copying, erasing and removing log files run in others.

Source: MessageStore, DefaultMessageStore.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from rmq.remoting.reactor import Clock
from rmq.server.store.api import (
    AppendResult,
    ArrivalListener,
    Boundary,
    Cut,
    DeferToThread,
    PutStatus,
    QueryResult,
    RecoveryReport,
    Retention,
    StoreError,
    StoreLockedError,
    StoreOptions,
)
from rmq.server.store.append import Appender, Counters
from rmq.server.store.checkpoint import load_checkpoint
from rmq.server.store.clean import Cleaner
from rmq.server.store.commitlog import CommitLog
from rmq.server.store.env import Env, Lock
from rmq.server.store.flush import LogFlusher
from rmq.server.store.index import Index
from rmq.server.store.indexer import Indexer
from rmq.server.store.queues import Queues
from rmq.server.store.read import Reader
from rmq.server.store.recover import Recovery
from rmq.server.store.replica import Replica
from rmq.server.store.rounds import Rounds
from rmq.server.store.tail import Tail

_log = Logger()


class MessageStore:
    """One store directory.

    Args:
        options: paths, sizes, timings.
        env: the file system.
        clock: the reactor, or a test's clock; its seconds count from the epoch.
        defer_to_thread: runs a blocking call in a thread.
        retention: what is to be kept, as it is set now; it may change while the store is open.

    Attributes:
        sync_flush: whether senders wait for the disk: then ask `when_durable` after each append, except for messages
            that say WAIT=false.
        counters: running totals for statistics.
        replica: takes a master's log.
        append: stores one message, `Appender.append`; never raises for a refused one, look at the status.
        append_batch: stores several messages of one queue, all or none, `Appender.append_batch`.
        get: reads messages of a queue, `Reader.get`: at least one if there is any, at most what memory's and disk's
            limits allow; with `tags` only those whose tags code is among them, with `match` only those it accepts.
        transfer: reads bytes of the log for slaves, `CommitLog.transfer`.
    """

    def __init__(
        self,
        options: StoreOptions,
        env: Env,
        clock: Clock,
        defer_to_thread: DeferToThread,
        retention: Callable[[], Retention] = Retention,
    ) -> None:
        self._options = options
        self._env = env
        self._clock = clock
        self._root = options.store_path_root_dir
        self._queues = Queues(options, env)
        self._store_lock: Lock | None = None
        self._opened = False
        self._log = CommitLog(options, env, clock.seconds)
        self._index = Index(options, env, clock.seconds)
        self._closed_for = PutStatus.SERVICE_NOT_AVAILABLE if options.read_only else None
        self._appender = Appender(options, self._log, self._queues.topics, self._queues.open, clock.seconds)
        self._appender.refused = PutStatus.SERVICE_NOT_AVAILABLE
        self.counters: Counters = self._appender.counters
        self._reader = Reader(options, self._log, self._queues.topics, self.counters, env.physical_memory())
        self._rounds = Rounds(
            options,
            env,
            f"{self._root}/checkpoint",
            self._log,
            self._index,
            self._queues.each,
            clock,
            defer_to_thread,
        )
        self._flusher = LogFlusher(options, self._log, clock, defer_to_thread, self._rounds.distrust)
        self._indexer = Indexer(self._log, self._index, clock)
        self._cleaner = Cleaner(
            retention,
            self._root,
            env,
            self._log,
            self._index,
            self._queues.each,
            clock,
            defer_to_thread,
            self._set_disk_full,
            self._rounds.touch,
        )
        self.replica = Replica(options, self._log, self._queues, self.counters, self._rounds.touch)
        self._tail = Tail(
            options,
            env,
            self._log,
            self._queues,
            self._index,
            self._flusher,
            self._rounds,
            self.replica,
            clock,
            defer_to_thread,
        )
        self.sync_flush = options.sync_flush
        self.append = self._appender.append
        self.append_batch = self._appender.append_batch
        self.get = self._reader.get
        self.transfer = self._log.transfer

    @property
    def on_arrival(self) -> ArrivalListener | None:
        """Told of each message when it became readable; set it before messages come."""
        return self._appender.on_arrival

    @on_arrival.setter
    def on_arrival(self, listener: ArrivalListener | None) -> None:
        self._appender.on_arrival = self.replica.on_arrival = listener

    @property
    def on_stored(self) -> Callable[[], None] | None:
        """Called when something was stored, before anybody is told; it must not raise."""
        return self._appender.on_stored

    @on_stored.setter
    def on_stored(self, listener: Callable[[], None] | None) -> None:
        self._appender.on_stored = listener

    @property
    def on_new_topic(self) -> Callable[[str, int], None] | None:
        """Told topic and queue id when a replicated message opened a queue."""
        return self.replica.on_new_topic

    @on_new_topic.setter
    def on_new_topic(self, listener: Callable[[str, int], None] | None) -> None:
        self.replica.on_new_topic = listener

    # --- life

    def open(self) -> RecoveryReport:
        """Takes the directory, recovers what is in it and lets messages in.

        Raises:
            StoreLockedError: another process, or another store of this one, holds the directory.
            StoreError: the directory cannot be used; the text says why.
        """
        try:
            self._env.make_directory(self._root)
            self._store_lock = self._env.lock(f"{self._root}/lock", b"lock")
        except OSError as error:
            raise StoreError(f"the store directory {self._root} cannot be used: {error}") from error
        if self._store_lock is None:
            raise StoreLockedError(
                f"the store directory {self._root} is in use by another broker; stop that one or choose another"
                " storePathRootDir"
            )
        try:
            report = self._recover()
        except OSError as error:
            self._store_lock.release()
            raise StoreError(f"the store in {self._root} cannot be opened: {error}") from error
        except StoreError:
            self._store_lock.release()
            raise
        for problem in report.problems:
            _log.error("Store: {problem}", problem=problem)
        self._begin_run()
        self._opened = True
        self._appender.refused = self._closed_for
        return report

    def _begin_run(self) -> None:
        """Notes that the store is in use; a full disk must not prevent it."""
        try:
            self._env.write_file(f"{self._root}/abort", str(self._env.process_id()).encode())
        except OSError as error:
            _log.error("The mark of a running store could not be written: {error}", error=error)

    def start(self) -> None:
        """Begins the timed work: flushing, rounds, indexing, deletion."""
        self._flusher.start()
        self._rounds.start()
        self._indexer.start()
        self._cleaner.start()

    def close(self) -> Deferred[None]:
        """Stops the timed work, brings everything to the disk, notes the clean end and gives the directory up."""
        self._appender.refused = PutStatus.SERVICE_NOT_AVAILABLE
        self._cleaner.stop()
        self._indexer.stop()
        over = self._rounds.stop()
        over.addCallback(lambda _: self._flusher.running)
        over.addCallback(self._finish)
        return over

    def _finish(self, _: object) -> None:
        self._flusher.stop()
        if not self._opened:
            return
        self._opened = False
        self._indexer.finish()
        try:
            self._rounds.touch()
            self._rounds.run_now()
            self._env.remove(f"{self._root}/abort")
        except OSError as error:
            _log.critical("The store could not be brought to the disk at its end: {error}", error=error)
        try:
            self._index.close()
        except OSError as error:
            _log.error("The index could not be closed: {error}", error=error)
        self._log.close()
        for queue in self._queues.each():
            queue.segments.close()
        if self._store_lock is not None:
            self._store_lock.release()

    def _recover(self) -> RecoveryReport:
        clean = self._env.file_size(f"{self._root}/abort") is None
        self._log.segments.load()
        checkpoint, problem = load_checkpoint(self._env, f"{self._root}/checkpoint")
        damaged = self._queues.load()
        index_problems = self._index.load() if self._index.enabled else []
        noted = checkpoint.noted_in(self._env.boot_id())
        recovery = Recovery(self._options, self._log, self._index, self._queues, checkpoint, noted, clean)
        if problem is not None:
            recovery.problems.append(problem)
        report = recovery.run(damaged, index_problems)
        self._rounds.take_over(checkpoint, holds=recovery.by_note and not report.problems)
        return report

    # --- durability

    def when_durable(self, result: AppendResult) -> Deferred[PutStatus] | None:
        """Fires with PUT_OK when what was appended is on the disk, or FLUSH_DISK_TIMEOUT after `sync_flush_timeout`.

        None when there is nothing to wait for: ASYNC_FLUSH, nothing stored, or on the disk already.
        """
        if not self.sync_flush or result.physical_offset < 0:
            return None
        return self._flusher.when_durable(result.physical_offset + result.wrote_bytes)

    # --- reading

    def min_offset(self, topic: str, queue_id: int) -> int:
        """Queue offset of the oldest message that can be read; 0 when there is no such queue."""
        queue = self._reader.queue(topic, queue_id)
        return queue.minimum if queue is not None else 0

    def max_offset(self, topic: str, queue_id: int) -> int:
        """Queue offset that the next message gets; 0 when there is no such queue."""
        queue = self._reader.queue(topic, queue_id)
        return queue.next if queue is not None else 0

    def offset_by_time(
        self, topic: str, queue_id: int, timestamp: int, boundary: Boundary = Boundary.LOWER
    ) -> int:
        """LOWER: the first message stored at `timestamp` or later, the queue's end when there is none.
        UPPER: the last one stored at `timestamp` or before, 0 when there is none. 0 when there is no such queue.
        """
        return self._reader.offset_by_time(topic, queue_id, timestamp, boundary)

    def store_time(self, topic: str, queue_id: int, offset: int) -> int:
        """When the message at a queue offset was stored, -1 when there is none."""
        return self._reader.store_time(topic, queue_id, offset)

    def earliest_store_time(self, topic: str, queue_id: int) -> int:
        """When the queue's oldest message was stored, -1 when there is none."""
        return self._reader.store_time(topic, queue_id, self.min_offset(topic, queue_id))

    def earliest_message_time(self) -> int:
        """When the log's oldest message was stored, -1 when there is none."""
        return self._log.store_time(self._log.min_offset) if self._log.end > self._log.min_offset else -1

    def queue_message(self, topic: str, queue_id: int, offset: int) -> bytes | None:
        """The record at a queue offset, None when it cannot be read."""
        return self._reader.queue_message(topic, queue_id, offset)

    def queue_units(self, topic: str, queue_id: int, offset: int, count: int) -> list[tuple[int, int, int]]:
        """Up to `count` units from a queue offset on: physical offset, size, tags code; none when there are none."""
        return self._reader.queue_units(topic, queue_id, offset, count)

    def message_at(self, physical: int) -> bytes | None:
        """The record at a physical offset, None when none begins there."""
        return self._log.message_at(physical)

    def in_memory_at(self, topic: str, queue_id: int, offset: int) -> bool:
        """Whether the message at a queue offset is likely in memory; False when there is none."""
        queue = self._reader.queue(topic, queue_id)
        unit = queue.unit(offset) if queue is not None else None
        return unit is not None and self._reader.in_memory(unit[0])

    def in_memory(self, physical: int) -> bool:
        """Whether a physical offset is so near the log's end that it is likely in memory."""
        return self._reader.in_memory(physical)

    def query_index(self, topic: str, key: str, max_num: int, begin: int, end: int) -> QueryResult:
        """Records that may have this key and were stored between two times, in the log's order."""
        most = min(max_num, self._options.max_msgs_num_batch)
        self._indexer.catch_up_for_query()
        try:
            offsets, time, last = self._index.query(topic, key, most, begin, end)
        except OSError as error:
            _log.error("The index cannot be read: {error}", error=error)
            return QueryResult([], 0, 0)
        records = (self._log.message_at(physical) for physical in sorted(set(offsets)))
        return QueryResult([record for record in records if record is not None], time, last)

    # --- replication

    @property
    def master_flushed_offset(self) -> int:
        """Up to which physical offset the master said that its log is on the disk (request 908)."""
        return self._rounds.checkpoint.master_flushed_offset

    @master_flushed_offset.setter
    def master_flushed_offset(self, offset: int) -> None:
        self._rounds.checkpoint = replace(self._rounds.checkpoint, master_flushed_offset=offset)

    def newest_record(self, at_least: int) -> tuple[int, bytes] | None:
        """The log's newest record and where it begins, None when that is before `at_least`.

        Raises:
            OSError: a file cannot be mapped.
        """
        return self._tail.newest_record(at_least)

    def boundary_before(self, physical: int) -> int | None:
        """Where the last record begins that begins before `physical`, None when there is none.

        Raises:
            OSError: a file cannot be mapped.
        """
        return self._tail.boundary_before(physical)

    def emptied_by(self, end: int) -> list[tuple[str, int]]:
        """Topic and queue id of the queues that have messages, and would have none if the log were taken back to `end`.

        Raises:
            OSError: a file cannot be mapped.
        """
        return self._tail.emptied_by(end)

    def truncate(self, end: int, begins: Mapping[tuple[str, int], int] | None = None) -> Deferred[Cut]:
        """Takes the log back to `end`, where a record begins or the log ends; see `Tail.truncate`."""
        return self._tail.truncate(end, begins or {})

    def start_over(self, offset: int) -> Deferred[None]:
        """Empties the store and lets its log begin at `offset`; see `Tail.start_over`."""
        return self._tail.start_over(offset)

    # --- inventory and space

    def queues(self) -> list[tuple[str, int]]:
        """Topic and queue id of every queue in which something was stored."""
        return [(queue.topic, queue.queue_id) for queue in self._queues.each() if queue.next]

    def destroy_topic(self, topic: str) -> None:
        """Removes a topic's queues; its messages stay in the log until they expire."""
        if self._queues.destroy_topic(topic):
            self._index.forget(topic)
            self._rounds.touch()

    def clean_unused_topics(self, keep: Callable[[str], bool]) -> list[str]:
        """Removes the queues of the topics that `keep` does not want; their names (cleanUnusedTopic)."""
        unused = [topic for topic in self._queues.topics if not keep(topic)]
        for topic in unused:
            self.destroy_topic(topic)
        return unused

    def clean_expired_consume_queues(self) -> int:
        """Removes the queues that have no message left in the log; how many (cleanExpiredConsumerQueue)."""
        removed = self._queues.remove_expired(self._log.min_offset)
        if removed:
            self._rounds.touch()
        return removed

    def delete_expired(self) -> None:
        """Lets the next checks delete expired files whatever the hour (request 329)."""
        self._cleaner.delete_now()

    def read_log_ahead(self, ahead: bool) -> None:
        """Whether the system reads more of the log than is asked for (request 2004)."""
        self._log.read_ahead(ahead)

    def _set_disk_full(self, full: bool) -> None:
        if self._opened:
            self._appender.refused = PutStatus.SERVICE_NOT_AVAILABLE if full else self._closed_for

    # --- statistics

    @property
    def log_min_offset(self) -> int:
        """Physical offset of the oldest byte of the log."""
        return self._log.min_offset

    @property
    def log_max_offset(self) -> int:
        """Physical offset after the newest record; everything before it is in the queues."""
        return self._log.end

    @property
    def flushed_offset(self) -> int:
        """Physical offset up to which the log is on the disk."""
        return self._log.flushed

    @property
    def disk_full(self) -> bool:
        """Whether the disk was above its warning level at the last check."""
        return self._cleaner.disk_full

    def commit_log_disk_ratio(self) -> float:
        """Used share of the log's disk, 0 to 1; -1 when unknown."""
        return self._cleaner.commit_log_ratio()

    def consume_queue_disk_ratio(self) -> float:
        """Used share of the queues' disk, 0 to 1; -1 when unknown."""
        return self._cleaner.consume_queue_ratio()
