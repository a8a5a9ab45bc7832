"""One slot of the timer on its way out.

The chain of a slot runs from its newest unit to its oldest, and messages leave in the order in which they came. So the
chain is walked first, keeping 8 bytes a message; then messages leave from its far end. Units that recall messages are
read on the walk: what they name does not leave.

A slot that is left half done is made shorter: the oldest unit that has not left becomes the first of its chain, and
recalls that stand before it are chained behind it. So the next start, ours or Apache's, goes on where this one ended.

Source: TimerMessageStore.dequeue.
"""

from __future__ import annotations

from array import array
from hashlib import blake2b
from typing import Final, NamedTuple

from rmq.server.broker.delay.hook import TIMER_DELETE
from rmq.server.broker.delay.timer_files import TimerFiles
from rmq.server.broker.delay.timer_log import DELETE, ROLL, Unit
from rmq.server.broker.delay.timer_wheel import Slot
from rmq.server.store.store import MessageStore
from rmq.wire.message import MessageError, StoredMessage, decode_message
from rmq.wire.names import TIMER_TOPIC

NOWHERE: Final = -1
_DIGEST_SIZE: Final = 16


def digest(key: str) -> bytes:
    """What is kept of a recalled key."""
    return blake2b(key.encode(), digest_size=_DIGEST_SIZE).digest()


class Mark(NamedTuple):
    """Where a slot stands: position of the oldest unit that has not left, and how many messages have not."""

    position: int
    amount: int


class LeavingSlot:
    """A slot that is being delivered.

    Args:
        files: where its units are.
        store: where their messages are.
        time: of the slot.
        slot: what the wheel says of it.

    Attributes:
        time: of the slot.
        amount: of messages, by the wheel.
        recalled: digests of the keys that recalls name: clients may have chosen long ones.
    """

    def __init__(self, files: TimerFiles, store: MessageStore, time: int, slot: Slot) -> None:
        self._files = files
        self._store = store
        self._last = slot.last
        self._walk = slot.last
        self._units = array("q")
        self._recalls = array("q")
        self.time = time
        self.amount = slot.amount
        self.recalled: set[bytes] = set()

    def walk(self, most: int) -> bool:
        """Follows the chain for at most so many units; whether its end is reached.

        Raises:
            OSError: the timer log cannot be read.
        """
        log = self._files.log
        for _ in range(most):
            position = self._walk
            unit = log.read(position) if position >= 0 else None
            if unit is None:
                self._walk = NOWHERE
                break
            # A chain only leads backwards.
            self._walk = unit.previous if unit.previous < position else NOWHERE
            if unit.magic & DELETE and not unit.magic & ROLL:
                self._recalls.append(position)
                message = self.message(unit)
                key = message.properties.get(TIMER_DELETE) if message is not None else None
                if key is not None:
                    self.recalled.add(digest(key))
            else:
                self._units.append(position)
        return self._walk < 0

    def next(self) -> Unit | None:
        """The oldest unit that has not left, None when all have.

        Raises:
            OSError: the timer log cannot be read.
        """
        while self._units:
            unit = self._files.log.read(self._units[-1])
            if unit is not None:
                return unit
            self._units.pop()
        return None

    def recalls(self, topic: str, key: str) -> bool:
        """Whether the message of a topic with this unique id was recalled: by its id, or by topic and id."""
        return bool(self.recalled) and not self.recalled.isdisjoint((digest(key), digest(f"{topic}+{key}")))

    def left(self) -> None:
        """The oldest unit has left."""
        self._units.pop()

    def message(self, unit: Unit) -> StoredMessage | None:
        """The message of a unit, None when it is no longer there."""
        record = self._store.message_at(unit.physical)
        try:
            message = decode_message(record) if record is not None else None
        except MessageError:
            return None
        if message is None or message.topic != TIMER_TOPIC or message.total_size != unit.message_size:
            return None
        return message

    @property
    def empty(self) -> bool:
        """Whether everything has left."""
        return self._walk < 0 and not self._units

    def mark(self) -> Mark | None:
        """Where the slot stands; None while it is being walked, when nothing has left."""
        if self._walk >= 0 or not self._units:
            return None
        return Mark(self._units[-1], len(self._units) - len(self._recalls))

    def shorten(self, mark: Mark | None) -> None:
        """Takes what had left at `mark` out of the chain.

        Raises:
            OSError: the files cannot be written.
        """
        if mark is None:
            return
        log = self._files.log
        position = first = mark.position
        for recall in self._recalls:
            if recall < mark.position:
                log.link(position, recall)
                position = first = recall
        log.link(position, NOWHERE)
        self._files.wheel.put(self.time, Slot(first, self._last, mark.amount))
