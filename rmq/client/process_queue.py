"""Messages of one queue that were pulled and are not done with, and how far the queue may be committed.

Messages are done with in any order. What may be committed is the offset of the oldest one that is not, or when there
is none, the offset after the newest one that ever was.

Source: ProcessQueue.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from itertools import islice

from rmq.client.config import FetchConfig
from rmq.client.message import MessageExt
from rmq.client.waiting import Waiters
from rmq.wire.bodies.running import ProcessQueueInfo

_MIB = 1024 * 1024


class ProcessQueue:
    """What a consumer holds of one queue.

    Args:
        config: how much it may hold before pulling pauses.

    Attributes:
        dropped: the queue is no longer this consumer's; what is still in work counts for nothing.
        room: woken when pulling may go on.
        size: bytes of the bodies held.
        last_pull, last_consume: ms since the epoch, 0 for never.
    """

    def __init__(self, config: FetchConfig) -> None:
        self._config = config
        self._messages: OrderedDict[int, MessageExt] = OrderedDict()
        self._newest = -1
        self.dropped = False
        self.room: Waiters[None] = Waiters()
        self.size = 0
        self.last_pull = 0
        self.last_consume = 0

    def __len__(self) -> int:
        return len(self._messages)

    def __contains__(self, message: MessageExt) -> bool:
        return self._messages.get(message.queue_offset) is message

    @property
    def has_room(self) -> bool:
        """Whether more may be pulled."""
        config = self._config
        return (
            len(self._messages) <= config.pull_threshold_for_queue
            and self.size <= config.pull_threshold_size_for_queue * _MIB
            and self.span <= config.consume_max_span
        )

    @property
    def span(self) -> int:
        """Offsets from the oldest message held to the newest."""
        if not self._messages:
            return 0
        return next(reversed(self._messages)) - next(iter(self._messages))

    def oldest(self, count: int, skip: int = 0) -> list[MessageExt]:
        """The oldest messages held but for the first `skip`, at most so many."""
        return list(islice(self._messages.values(), skip, skip + count))

    def put(self, messages: Sequence[MessageExt]) -> None:
        """Takes messages that were pulled, in the order of their offsets."""
        for message in messages:
            self._messages[message.queue_offset] = message
            self.size += len(message.body)
            self._newest = message.queue_offset

    def remove(self, messages: Iterable[MessageExt]) -> int:
        """Lets go of messages; returns the offset that may be committed, -1 when nothing was ever held."""
        for message in messages:
            if message in self:
                del self._messages[message.queue_offset]
                self.size -= len(message.body)
        if self.room and self.has_room:
            self.room.wake(None)
        if self._messages:
            return next(iter(self._messages))
        return self._newest + 1 if self._newest >= 0 else -1

    def drop(self) -> None:
        """The queue goes to another consumer, or begins again elsewhere."""
        self.dropped = True
        self._messages.clear()
        self.size = 0
        self.room.wake(None)

    def info(self, commit_offset: int) -> ProcessQueueInfo:
        """What tools see of it."""
        held = self._messages
        return ProcessQueueInfo(
            commit_offset=commit_offset,
            cached_msg_min_offset=next(iter(held), 0),
            cached_msg_max_offset=next(reversed(held), 0),
            cached_msg_count=len(held),
            cached_msg_size_in_mib=self.size // _MIB,
            droped=self.dropped,
            last_pull_timestamp=self.last_pull,
            last_consume_timestamp=self.last_consume,
        )
