"""The hot path: one message, or a batch, into log and queue in one go.

Both are written before `append` returns, so the log's end is also what readers see; only the index is built later
(`rmq.server.store.indexer`). Space is made certain first, in log and queue; only then bytes are written. Within a
record the head comes last: until it stands, the log ends before the record for whoever reads it after a crash.

Messages of a prepared or rolled back transaction go to the log alone, with queue offset 0.

Source: CommitLog.asyncPutMessage, CommitLog.DefaultAppendMessageCallback, ConsumeQueue, DefaultMessageStore.
"""

from __future__ import annotations

from collections.abc import Callable
from zlib import crc32

from rmq.server.store.api import AppendResult, ArrivalListener, PutStatus, StoreOptions
from rmq.server.store.batch import Shape, finish, place_batch
from rmq.server.store.commitlog import BLANK_MIN, CommitLog
from rmq.server.store.consumequeue import UNIT, ConsumeQueue
from rmq.server.store.record import CRC_MASK, HEADS
from rmq.wire.message import MAX_PROPERTIES
from rmq.wire.sysflag import BORN_HOST_V6, MAGIC_V1, MAGIC_V2, NOT_DISPATCHED, STORE_HOST_V6, TRANSACTION_MASK

_OK = PutStatus.PUT_OK
_UNIT_SIZE = UNIT.size
_pack_unit = UNIT.pack_into
_new = tuple.__new__
_LONGEST_TOPIC = 255

class Counters:
    """Running totals since the store was opened, for statistics."""

    __slots__ = ("get_bytes", "get_found", "get_messages", "get_miss", "put_bytes", "put_failed", "put_total")

    def __init__(self) -> None:
        self.put_total = self.put_bytes = self.put_failed = 0
        self.get_found = self.get_miss = self.get_messages = self.get_bytes = 0


class TopicEntry:
    """A topic's name as records carry it, and its queues."""

    __slots__ = ("long", "name_field", "queues")

    def __init__(self, topic: str) -> None:
        name = topic.encode()
        self.long = len(name) > 127
        self.name_field = len(name).to_bytes(2 if self.long else 1, "big") + name
        self.queues: dict[int, ConsumeQueue] = {}


def refusal(status: PutStatus) -> AppendResult:
    """The result of an append that stored nothing."""
    return AppendResult(status, -1, -1, 0, 0, ())


class Appender:
    """Puts messages into the store.

    Attributes:
        refused: the status with which every append is answered, None while appends are welcome.
        on_arrival: told of each new message.
        on_stored: called before that when something was stored; it must not raise.
    """

    __slots__ = (
        "_log",
        "_longest_body",
        "_open_queue",
        "_seconds",
        "_store_bit",
        "_store_host",
        "_topics",
        "counters",
        "on_arrival",
        "on_stored",
        "refused",
    )

    def __init__(
        self,
        options: StoreOptions,
        log: CommitLog,
        topics: dict[str, TopicEntry],
        open_queue: Callable[[str, int], ConsumeQueue],
        seconds: Callable[[], float],
    ) -> None:
        self._log = log
        self._topics = topics
        self._open_queue = open_queue
        self._seconds = seconds
        self._longest_body = options.max_message_size
        self._store_host = options.store_host
        self._store_bit = STORE_HOST_V6 if len(options.store_host) == 20 else 0
        self.refused: PutStatus | None = None
        self.on_arrival: ArrivalListener | None = None
        self.on_stored: Callable[[], None] | None = None
        self.counters = Counters()

    def append(
        self,
        topic: str,
        queue_id: int,
        flag: int,
        sys_flag: int,
        born_timestamp: int,
        born_host: bytes,
        reconsume_times: int,
        prepared_offset: int,
        body: bytes,
        properties: bytes,
        tags_code: int,
    ) -> AppendResult:
        """Stores one message; see `MessageStore.append`."""
        entry = self._topics.get(topic) or self._topic(topic)
        body_length = len(body)
        properties_length = len(properties)
        tail = entry.name_field + properties_length.to_bytes(2, "big") + properties if (
            properties_length <= MAX_PROPERTIES
        ) else b""
        if self.refused or not tail or body_length > self._longest_body or len(entry.name_field) > 2 + _LONGEST_TOPIC:
            return self._refuse(entry, properties_length)
        sys_flag = sys_flag & ~0x30 | self._store_bit | (BORN_HOST_V6 if len(born_host) == 20 else 0)
        head = HEADS[sys_flag & 0x30]
        head_size = head.size
        size = head_size + body_length + len(tail)
        log = self._log
        dispatched = sys_flag & TRANSACTION_MASK not in NOT_DISPATCHED
        if dispatched:
            queue = entry.queues.get(queue_id) or self._open_queue(topic, queue_id)
            queue_offset = queue.next
            if queue_offset >= queue.limit:
                status = self._room_in_queue(queue, 1)
                if status is not None:
                    return self._count_failed(status)
            active = queue.active
            try:
                # Before the record is placed: what can fail must fail now.
                queue_view = active.map or active.mapped()  # type: ignore[union-attr]
            except OSError as error:
                return self._count_failed(log.pause(error))
        else:
            queue_offset = 0
        position = log.position
        if position + size + BLANK_MIN > log.reserved:
            status = log.make_room(size)
            if status is not None:
                return self._count_failed(status)
            position = log.position
        now = int(self._seconds() * 1000)
        now = max(now, log.last_timestamp)
        log.last_timestamp = now
        physical = log.base + position
        view = log.map
        body_at = position + head_size
        tail_at = body_at + body_length
        view[body_at:tail_at] = body  # type: ignore[index]
        view[tail_at : position + size] = tail  # type: ignore[index]
        head.pack_into(
            view,  # type: ignore[arg-type]
            position,
            size,
            MAGIC_V2 if entry.long else MAGIC_V1,
            crc32(body) & CRC_MASK,
            queue_id,
            flag,
            queue_offset,
            physical,
            sys_flag,
            born_timestamp,
            born_host,
            now,
            self._store_host,
            reconsume_times,
            prepared_offset,
            body_length,
        )
        log.position = position + size
        if dispatched:
            _pack_unit(queue_view, (queue_offset - queue.base) * _UNIT_SIZE, physical, size, tags_code)
            queue.next = queue_offset + 1
            queue.max_physical = physical + size
        counters = self.counters
        counters.put_total += 1
        counters.put_bytes += size
        if self.on_stored is not None:
            self.on_stored()
        if dispatched and self.on_arrival is not None:
            self.on_arrival(topic, queue_id, queue_offset + 1, tags_code)
        return _new(AppendResult, (_OK, physical, queue_offset, now, size, ()))

    def append_batch(
        self,
        topic: str,
        queue_id: int,
        sys_flag: int,
        born_timestamp: int,
        born_host: bytes,
        reconsume_times: int,
        body: bytes,
    ) -> AppendResult:
        """Stores the messages of a batch's body in one queue, all or none; see `MessageStore.append_batch`."""
        entry = self._topics.get(topic) or self._topic(topic)
        longest_name = 1 + _LONGEST_TOPIC // 2
        if self.refused or not body or len(entry.name_field) > longest_name or len(body) > self._longest_body:
            return self._refuse(entry, 0)
        sys_flag = sys_flag & ~0x3C | self._store_bit | (BORN_HOST_V6 if len(born_host) == 20 else 0)
        log = self._log
        now = max(int(self._seconds() * 1000), log.last_timestamp)
        shape = Shape(
            HEADS[sys_flag & 0x30],
            entry.name_field,
            queue_id,
            sys_flag,
            born_timestamp,
            born_host,
            now,
            self._store_host,
            reconsume_times,
        )
        queue = entry.queues.get(queue_id)
        first = queue.next if queue is not None else 0
        placed = place_batch(body, shape, log.base + log.position, first)
        count, total = len(placed.offsets), len(placed.records)
        if queue is None:
            queue = self._open_queue(topic, queue_id)
        status = self._room_in_queue(queue, count) if first + count > queue.limit else None
        if status is None and log.position + total + BLANK_MIN > log.reserved:
            status = log.make_room(total)
            if status is None and log.base + log.position != placed.offsets[0]:
                # The batch goes to the next file as a whole.
                placed = place_batch(body, shape, log.base + log.position, first)
        if status is not None:
            return self._count_failed(status)
        try:
            places = queue.places(count)
        except OSError as error:
            return self._count_failed(log.pause(error))
        log.last_timestamp = now
        records, units, offsets, tags = placed
        start, view = log.position, log.map
        position = start + total
        view[start:position] = records  # type: ignore[index]
        finish(view, start)  # type: ignore[arg-type]
        log.position = position
        done = 0
        for queue_view, at, size in places:
            queue_view[at : at + size] = units[done : done + size]
            done += size
        queue.next = following = first + count
        queue.max_physical = log.base + position
        queue.aim()
        counters = self.counters
        counters.put_total += count
        counters.put_bytes += total
        if self.on_stored is not None:
            self.on_stored()
        if self.on_arrival is not None:
            for tags_code in tags:
                self.on_arrival(topic, queue_id, following, tags_code)
        return AppendResult(_OK, offsets[0], first, now, total, tuple(offsets))

    # --- the less travelled roads

    def _topic(self, topic: str) -> TopicEntry:
        # Not remembered here: a refused message must not leave a topic behind. Opening its queue remembers it.
        return TopicEntry(topic)

    def _room_in_queue(self, queue: ConsumeQueue, count: int) -> PutStatus | None:
        if self._log.pausing:
            return PutStatus.SERVICE_NOT_AVAILABLE
        try:
            queue.make_room(count)
        except OSError as error:
            return self._log.pause(error)
        return None

    def _refuse(self, entry: TopicEntry, properties_length: int) -> AppendResult:
        if self.refused is not None:
            status = self.refused
        elif properties_length > MAX_PROPERTIES:
            status = PutStatus.PROPERTIES_SIZE_EXCEEDED
        else:
            status = PutStatus.MESSAGE_ILLEGAL
        return self._count_failed(status)

    def _count_failed(self, status: PutStatus) -> AppendResult:
        self.counters.put_failed += 1
        return refusal(status)
