"""Reading: messages of a queue, offsets by time, single records.

Messages leave as they stand in the log. Where units point to neighbours in the log, one slice copies them all; only
what an earlier process wrote is looked at record by record, so that damage is found, reported and left out.

Source: DefaultMessageStore.getMessage, ConsumeQueue.getOffsetInQueueByTime, PullMessageProcessor.
"""

from __future__ import annotations

from collections.abc import Mapping

from twisted.logger import Logger

from rmq.server.store.api import Boundary, GetResult, GetStatus, MatchRecord, StoreOptions
from rmq.server.store.append import Counters, TopicEntry
from rmq.server.store.commitlog import CommitLog
from rmq.server.store.consumequeue import BLANK_SIZE, UNIT, UNIT_SIZE, ConsumeQueue
from rmq.server.store.record import is_message, parse_record

_log = Logger()

_MOST_BYTES = 128 * 1024 * 1024
_LEAST_BYTES = 100
_LARGE = 32 * 1024
_iter_units = UNIT.iter_unpack


class Reader:
    """Reads what `Appender` wrote."""

    def __init__(
        self,
        options: StoreOptions,
        log: CommitLog,
        topics: Mapping[str, TopicEntry],
        counters: Counters,
        physical_memory: int,
    ) -> None:
        self._log = log
        self._topics = topics
        self._counters = counters
        self._memory = physical_memory * options.access_message_in_memory_max_ratio // 100
        self._filter_units = options.max_filter_message_size // UNIT_SIZE
        self._in_memory = (
            options.max_transfer_count_on_message_in_memory,
            options.max_transfer_bytes_on_message_in_memory,
        )
        self._on_disk = (
            options.max_transfer_count_on_message_in_disk,
            options.max_transfer_bytes_on_message_in_disk,
        )

    def queue(self, topic: str, queue_id: int) -> ConsumeQueue | None:
        """The queue, None when nothing was ever stored in it."""
        entry = self._topics.get(topic)
        return entry.queues.get(queue_id) if entry is not None else None

    def in_memory(self, physical: int) -> bool:
        """Whether a record is so near the log's end that it is likely in memory (estimateInMemByCommitOffset)."""
        return self._log.end - physical <= self._memory

    # --- messages

    def get(
        self,
        topic: str,
        queue_id: int,
        offset: int,
        max_msgs: int,
        max_bytes: int = 0,
        tags: frozenset[int] | None = None,
        match: MatchRecord | None = None,
    ) -> GetResult:
        """See `MessageStore.get`."""
        entry = self._topics.get(topic)
        queue = entry.queues.get(queue_id) if entry is not None else None
        if queue is None:
            return self._nothing(GetStatus.NO_MATCHED_LOGIC_QUEUE, 0, 0, 0)
        minimum, maximum = queue.minimum, queue.next
        if maximum == 0:
            return self._nothing(GetStatus.NO_MESSAGE_IN_QUEUE, 0, 0, 0)
        if offset < minimum:
            return self._nothing(GetStatus.OFFSET_TOO_SMALL, minimum, minimum, maximum)
        if offset >= maximum:
            status = GetStatus.OFFSET_OVERFLOW_ONE if offset == maximum else GetStatus.OFFSET_OVERFLOW_BADLY
            return self._nothing(status, maximum, minimum, maximum)
        if max_msgs <= 0:
            return self._nothing(GetStatus.NO_MATCHED_MESSAGE, offset, minimum, maximum)
        try:
            return self._collect(queue, offset, max_msgs, max_bytes, tags, match)
        except OSError as error:
            _log.error("{path} cannot be read: {error}", path=queue.segments.directory, error=error)
            return self._nothing(GetStatus.NO_MATCHED_MESSAGE, offset, minimum, maximum)

    def _nothing(self, status: GetStatus, following: int, minimum: int, maximum: int) -> GetResult:
        self._counters.get_miss += 1
        return GetResult(status, [], 0, 0, following, minimum, maximum, False)

    def _collect(
        self,
        queue: ConsumeQueue,
        offset: int,
        max_msgs: int,
        max_bytes: int,
        tags: frozenset[int] | None,
        match: MatchRecord | None,
    ) -> GetResult:
        filtered = tags is not None or match is not None
        stop = offset + (max(self._filter_units, max_msgs) if filtered else max_msgs)
        units = queue.units(offset, stop - offset)
        log = self._log
        log_end = log.end
        if not units:
            following = queue.roll_next_file(offset)
            return self._nothing(GetStatus.OFFSET_FOUND_NULL, following, queue.minimum, queue.next)
        near = self._in_memory if log_end - UNIT.unpack_from(units)[0] <= self._memory else self._on_disk
        most = min(max_msgs, near[0])
        room = min(max(max_bytes, _LEAST_BYTES), near[1], _MOST_BYTES) if max_bytes > 0 else near[1]
        trusted_from = max(log.trusted_from, log.min_offset)
        status = GetStatus.NO_MATCHED_MESSAGE
        chunks: list[bytes] = []
        run_start = run_end = last = -1
        count = total = 0
        for physical, size, code in _iter_units(units):
            if tags is not None and code not in tags:
                offset += 1
                continue
            if count >= most or (count and total + size > room):
                break
            last = physical
            if physical == run_end:
                run_end += size
            elif match is None and physical >= trusted_from and size != BLANK_SIZE:
                if run_end > 0:
                    chunks.append(self._run(run_start, run_end))
                run_start, run_end = physical, physical + size
            else:
                if run_end > 0:
                    chunks.append(self._run(run_start, run_end))
                    run_end = -1
                if match is not None and physical >= trusted_from and size != BLANK_SIZE:
                    record = self._picked(physical, size, match)
                else:
                    record = self._checked(queue, offset, physical, size)
                    if match is not None and record is not None and not match(record):
                        record = b""
                if not record:
                    if record is None and not count:
                        status = GetStatus.MESSAGE_WAS_REMOVING
                    offset += 1
                    continue
                chunks.append(record)
            offset += 1
            count += 1
            total += size
        if run_end > 0:
            chunks.append(self._run(run_start, run_end))
        if not count:
            return self._nothing(status, offset, queue.minimum, queue.next)
        counters = self._counters
        counters.get_found += 1
        counters.get_messages += count
        counters.get_bytes += total
        behind = log_end - last > self._memory
        return GetResult(GetStatus.FOUND, chunks, total, count, offset, queue.minimum, queue.next, behind)

    def _run(self, start: int, end: int) -> bytes:
        data = self._log.read(start, end - start)
        if data is None:
            raise OSError(f"the log cannot be read from offset {start} to {end}")
        return data

    def _picked(self, physical: int, size: int, match: MatchRecord) -> bytes | None:
        """A record of this process, nothing of it when it does not match; a large one is looked at where it is."""
        log = self._log
        if size > _LARGE:
            matches = log.look(physical, size, match)
            return log.read(physical, size) if matches else None if matches is None else b""
        record = log.read(physical, size)
        return record if record is None or match(record) else b""

    def _checked(self, queue: ConsumeQueue, offset: int, physical: int, size: int) -> bytes | None:
        """The record of a unit, if it is sound and the one that the queue means."""
        log = self._log
        if size == BLANK_SIZE or physical < log.min_offset:
            return None
        data = log.read(physical, size)
        if data is None or physical >= log.trusted_from or is_message(data, physical, queue.queue_id, offset):
            return data
        problem = parse_record(data, physical)[1]
        log.report_damage(
            physical, problem or f"not the message of unit {offset} of {queue.segments.directory} stands"
        )
        return None

    def queue_message(self, topic: str, queue_id: int, offset: int) -> bytes | None:
        """See `MessageStore.queue_message`."""
        queue = self.queue(topic, queue_id)
        try:
            unit = queue.unit(offset) if queue is not None and offset >= queue.minimum else None
        except OSError as error:
            _log.error("A queue of {topic} cannot be read: {error}", topic=topic, error=error)
            return None
        return self._checked(queue, offset, unit[0], unit[1]) if unit is not None and queue is not None else None

    def queue_units(self, topic: str, queue_id: int, offset: int, count: int) -> list[tuple[int, int, int]]:
        """See `MessageStore.queue_units`."""
        queue = self.queue(topic, queue_id)
        if queue is None or not queue.first <= offset < queue.next:
            return []
        try:
            return list(_iter_units(queue.units(offset, count)))
        except OSError as error:
            _log.error("A queue of {topic} cannot be read: {error}", topic=topic, error=error)
            return []

    # --- times

    def store_time(self, topic: str, queue_id: int, offset: int) -> int:
        """See `MessageStore.store_time`."""
        queue = self.queue(topic, queue_id)
        if queue is None or not queue.minimum <= offset < queue.next:
            return -1
        try:
            return self._time_at(queue, offset)
        except OSError as error:
            _log.error("A queue of {topic} cannot be read: {error}", topic=topic, error=error)
            return -1

    def _time_at(self, queue: ConsumeQueue, offset: int) -> int:
        unit = queue.unit(offset)
        return self._log.store_time(unit[0]) if unit is not None and unit[1] != BLANK_SIZE else -1

    def offset_by_time(self, topic: str, queue_id: int, timestamp: int, boundary: Boundary) -> int:
        """See `MessageStore.offset_by_time`."""
        queue = self.queue(topic, queue_id)
        if queue is None:
            return 0
        low, high = queue.minimum, queue.next
        try:
            while low < high:
                middle = (low + high) // 2
                time = self._time_at(queue, middle)
                if time < timestamp or (boundary is Boundary.UPPER and time == timestamp):
                    low = middle + 1
                else:
                    high = middle
        except OSError as error:
            _log.error("A queue of {topic} cannot be read: {error}", topic=topic, error=error)
            return 0
        if boundary is Boundary.LOWER:
            return low
        return low - 1 if low > queue.minimum else 0
