"""What a pop takes: messages of a topic's queues and of the group's POP retry topic.

One of `popFromRetryProbability` in a hundred pops looks into the retry topic first, every other one afterwards if there
is room left. A pop of all queues begins at a random one. Where a group goes on in a queue is the larger of its
committed offset and the end of its last pop there. A group without an offset begins at the queue's start or, when it
wants so, with its last message; of a retry topic it wants everything.

A reply can name a queue once, so one pop never reads both kinds of retry topic.

Source: PopMessageProcessor, PeekMessageProcessor.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

from rmq.server.broker.meta.offsets import OffsetTable
from rmq.server.broker.meta.topics import TopicTable
from rmq.server.broker.pop.buffer import CheckPointBuffer
from rmq.server.broker.pop.inflight import InflightCounter
from rmq.server.broker.pop.orders import OrderTable
from rmq.server.broker.stats import BrokerStats
from rmq.server.store.api import GetResult, GetStatus, MatchRecord
from rmq.server.store.store import MessageStore
from rmq.settings.model import BrokerSettings
from rmq.wire.bodies.pop import PopCheckPoint
from rmq.wire.message import decode_messages, encode_message, format_properties
from rmq.wire.names import RETRY_PREFIX
from rmq.wire.popinfo import (
    ORDER_REVIVE_QUEUE,
    PopHandle,
    message_offsets_entry,
    pop_retry_topic,
    start_offset_entry,
    topic_kind,
)
from rmq.wire.requests.pop import PopMessage

PROPERTY_POP_CK: Final = "POP_CK"

_INIT_MIN: Final = 0
_PERCENT: Final = 100
_FULL_BYTES: Final = 8 * 1024 * 1024
"""A pop that holds so many bytes takes no more: it must fit into a frame, with one more message of any size."""

_MISPLACED: Final = frozenset(
    {GetStatus.OFFSET_TOO_SMALL, GetStatus.OFFSET_OVERFLOW_BADLY, GetStatus.OFFSET_FOUND_NULL}
)
_PASSED_OVER: Final = frozenset(
    {
        GetStatus.NO_MATCHED_MESSAGE,
        GetStatus.OFFSET_FOUND_NULL,
        GetStatus.MESSAGE_WAS_REMOVING,
        GetStatus.NO_MATCHED_LOGIC_QUEUE,
    }
)


class Popped:
    """What a pop has taken so far.

    Attributes:
        chunks: stored records, whole.
        rest: how many messages it saw and left.
        moved: whether it passed over messages that the group does not want.
        starts, offsets, counts: entries of the reply's three texts.
    """

    __slots__ = ("chunks", "count", "counts", "moved", "offsets", "rest", "revive_queue", "size", "starts", "time")

    def __init__(self, time: int, revive_queue: int) -> None:
        self.time = time
        self.revive_queue = revive_queue
        self.chunks: list[bytes] = []
        self.count = self.size = self.rest = 0
        self.moved = False
        self.starts: list[str] = []
        self.offsets: list[str] = []
        self.counts: list[str] = []


class Popper:
    """Takes messages.

    Args:
        settings: the odds of retry topics, their names, limits.
        random: chooses queues and whether the retry topic comes first.
        now: milliseconds since the epoch.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        topics: TopicTable,
        offsets: OffsetTable,
        store: MessageStore,
        stats: BrokerStats,
        buffer: CheckPointBuffer,
        orders: OrderTable,
        inflight: InflightCounter,
        random: Random,
        now: Callable[[], int],
    ) -> None:
        self._broker = settings.broker
        self._topics = topics
        self._offsets = offsets
        self._store = store
        self._stats = stats
        self._buffer = buffer
        self._orders = orders
        self._inflight = inflight
        self._random = random
        self._now = now
        self._pops = 0

    def pop(self, wanted: PopMessage, tags: frozenset[int] | None, match: MatchRecord | None) -> Popped:
        """Takes what there is now, and hides it.

        Args:
            wanted: the request, checked.
            tags: tag hashes of interest, None for all.
            match: decides on each record besides.
        """
        draw = self._random.randrange(_PERCENT)
        if wanted.order:
            revive_queue = ORDER_REVIVE_QUEUE
        else:
            revive_queue = self._pops % self.revive_queues
            self._pops += 1
        popped = Popped(self._now(), revive_queue)
        retry_topic = self._retry_topic(wanted.topic, wanted.consumer_group, draw)
        retry_first = draw < self._broker.pop_from_retry_probability
        queues = [(wanted.topic, queue_id) for queue_id in self._queues_from(wanted.topic, wanted.queue_id, draw)]
        retries = [] if wanted.order else [(retry_topic, each) for each in self._queues_from(retry_topic, -1, draw)]
        for topic, queue_id in retries + queues if retry_first else queues + retries:
            self._pop_queue(topic, queue_id, wanted, popped, tags, match)
        return popped

    def peek(self, topic: str, group: str, queue_id: int, most: int) -> tuple[list[bytes], int]:
        """Records that the next pops would bring, and how many there are."""
        draw = self._random.randrange(_PERCENT)
        retry_topic = pop_retry_topic(topic, group, v2=self._broker.enable_retry_topic_v2)
        queues = [(topic, each) for each in self._queues_from(topic, queue_id, draw)]
        retries = [(retry_topic, each) for each in self._queues_from(retry_topic, -1, draw)]
        chunks: list[bytes] = []
        count = rest = size = 0
        for name, each in retries + queues if draw % 5 == 0 else queues + retries:
            offset = self.next_offset(name, group, each)
            rest += self._store.max_offset(name, each) - offset
            if count < most and size < _FULL_BYTES:
                result = self._store.get(name, each, offset, most - count)
                if result.status in _MISPLACED:
                    result = self._store.get(name, each, result.next_begin_offset, most - count)
                chunks += result.chunks
                count += result.count
                size += result.size
        return chunks, rest

    def has_messages(self, topic: str, group: str, queue_id: int, *, order: bool, attempt_id: str | None) -> bool:
        """Whether a pop would find something."""
        for each in self._queues_from(topic, queue_id, 0):
            blocked = order and self._orders.is_blocked(attempt_id, topic, group, each, 0)
            if not blocked and self._behind(topic, group, each):
                return True
        versions = {self._broker.enable_retry_topic_v2}
        if self._broker.retrieve_message_from_pop_retry_topic_v1:
            versions.add(False)
        return any(
            self._behind(name, group, each)
            for name in (pop_retry_topic(topic, group, v2=version) for version in versions)
            for each in self._queues_from(name, -1, 0)
        )

    @property
    def revive_queues(self) -> int:
        """How many queues of the revive log are used."""
        return self._broker.revive_queue_num

    def next_offset(self, topic: str, group: str, queue_id: int) -> int:
        """Where the group goes on; at the queue's start when it never was there."""
        offset = self._offsets.query(group, topic, queue_id)
        if offset < 0:
            offset = self._store.min_offset(topic, queue_id)
        return max(offset, self._buffer.latest(topic, group, queue_id))

    def _behind(self, topic: str, group: str, queue_id: int) -> bool:
        return self._store.max_offset(topic, queue_id) > self.next_offset(topic, group, queue_id)

    def _retry_topic(self, topic: str, group: str, draw: int) -> str:
        broker = self._broker
        old = broker.enable_retry_topic_v2 and broker.retrieve_message_from_pop_retry_topic_v1 and draw % 2 == 0
        return pop_retry_topic(topic, group, v2=broker.enable_retry_topic_v2 and not old)

    def _queues_from(self, topic: str, queue_id: int, draw: int) -> list[int]:
        """The queue, or all of the topic, beginning with one that is drawn."""
        config = self._topics.configs.get(topic)
        if config is None:
            return []
        count = config.read_queue_nums
        return [queue_id] if queue_id >= 0 else [(draw + each) % count for each in range(count)]

    # --- one queue ------------------------------------------------------------------------------------------------

    def _pop_queue(
        self,
        topic: str,
        queue_id: int,
        wanted: PopMessage,
        popped: Popped,
        tags: frozenset[int] | None,
        match: MatchRecord | None,
    ) -> None:
        group, store = wanted.consumer_group, self._store
        if self._is_held_back(topic, group, queue_id):
            popped.rest += store.max_offset(topic, queue_id) - self.next_offset(topic, group, queue_id)
            return
        offset = self._begin_at(topic, group, queue_id, wanted.init_mode)
        if wanted.order:
            # What a blocked queue holds is no rest: it would wake waiting pops that find nothing.
            if self._orders.is_blocked(wanted.attempt_id, topic, group, queue_id, wanted.invisible_time):
                return
            self._inflight.clear(topic, group, queue_id)
        room = wanted.max_msg_nums - popped.count
        if room <= 0 or popped.size >= _FULL_BYTES:
            popped.rest += store.max_offset(topic, queue_id) - offset
            return
        result = store.get(topic, queue_id, offset, room, 0, tags, match)
        if result.status in _MISPLACED:
            offset = result.next_begin_offset
            self._offsets.commit(group, topic, queue_id, offset)
            result = store.get(topic, queue_id, offset, room, 0, tags, match)
        if result.count:
            self._take(topic, queue_id, offset, wanted, popped, result)
            return
        if result.status in _PASSED_OVER and result.next_begin_offset > offset:
            popped.moved = True
            if wanted.order:
                self._offsets.commit(group, topic, queue_id, result.next_begin_offset)
            else:
                self._buffer.advance(topic, group, queue_id, result.next_begin_offset)
        popped.rest += max(result.max_offset - result.next_begin_offset, 0)

    def _take(
        self, topic: str, queue_id: int, offset: int, wanted: PopMessage, popped: Popped, result: GetResult
    ) -> None:
        group = wanted.consumer_group
        places = [place for chunk in result.chunks for place in queue_offsets(chunk)]
        if wanted.order:
            popped.counts += self._orders.popped(
                topic, group, queue_id, wanted.attempt_id, popped.time, wanted.invisible_time, places
            )
            self._offsets.commit(group, topic, queue_id, offset)
        else:
            point = PopCheckPoint(
                start_offset=offset,
                pop_time=popped.time,
                invisible_time=wanted.invisible_time,
                num=len(places),
                queue_id=queue_id,
                topic=topic,
                group=group,
                queue_offset_diff=[place - offset for place in places],
                broker_name=self._broker.broker_name,
            )
            if not self._buffer.add(point, popped.revive_queue, result.next_begin_offset):
                popped.rest += result.count
                return
        popped.starts.append(start_offset_entry(topic, queue_id, offset))
        popped.offsets.append(message_offsets_entry(topic, queue_id, places))
        popped.rest += max(result.max_offset - result.next_begin_offset, 0)
        popped.count += result.count
        popped.size += result.size
        if topic == wanted.topic or self._broker.pop_response_return_actual_retry_topic:
            popped.chunks += result.chunks
        else:
            popped.chunks += [
                self._renamed(chunk, wanted, popped, topic, queue_id, offset) for chunk in result.chunks
            ]
        self._stats.got(topic, group, result.count, result.size)
        self._inflight.popped(topic, group, queue_id, result.count)

    def _renamed(
        self, chunk: bytes, wanted: PopMessage, popped: Popped, topic: str, queue_id: int, offset: int
    ) -> bytes:
        """Records of a retry topic as if they were the topic's own; their handles, which tell better, go with them."""
        records = []
        for message in decode_messages(chunk):
            handle = PopHandle(
                offset,
                popped.time,
                wanted.invisible_time,
                popped.revive_queue,
                topic_kind(topic),
                self._broker.broker_name,
                queue_id,
                message.queue_offset,
            )
            message.properties_text = format_properties({PROPERTY_POP_CK: handle.text(), **message.properties})
            message.topic = wanted.topic
            records.append(encode_message(message))
        return b"".join(records)

    # --- where to begin -------------------------------------------------------------------------------------------

    def _is_held_back(self, topic: str, group: str, queue_id: int) -> bool:
        broker = self._broker
        if not broker.enable_pop_message_threshold:
            return False
        return self._inflight.number(topic, group, queue_id) > broker.pop_inflight_message_threshold

    def _begin_at(self, topic: str, group: str, queue_id: int, init_mode: int) -> int:
        reset = self._offsets.take_reset(group, topic, queue_id)
        if reset is not None:
            self._orders.forget(topic, group, queue_id)
            self._buffer.forget(topic, group, queue_id)
            self._offsets.commit(group, topic, queue_id, reset)
            return reset
        offset = self._offsets.query(group, topic, queue_id)
        if offset < 0:
            offset = self._first_offset(topic, queue_id, init_mode)
            self._offsets.commit(group, topic, queue_id, offset)
        return max(offset, self._buffer.latest(topic, group, queue_id))

    def _first_offset(self, topic: str, queue_id: int, init_mode: int) -> int:
        store = self._store
        minimum = store.min_offset(topic, queue_id)
        if init_mode == _INIT_MIN or topic.startswith(RETRY_PREFIX):
            return minimum
        if (
            self._broker.init_pop_offset_by_check_msg_in_mem
            and minimum <= 0
            and store.in_memory_at(topic, queue_id, 0)
        ):
            return 0
        return max(store.max_offset(topic, queue_id) - 1, 0)


def queue_offsets(chunk: bytes) -> list[int]:
    """Queue offsets of the records that lie in a chunk, whole and one after the other."""
    offsets, start = [], 0
    while start < len(chunk):
        offsets.append(int.from_bytes(chunk[start + 20 : start + 28], "big"))
        start += int.from_bytes(chunk[start : start + 4], "big")
    return offsets
