"""Offsets on a slave: the master's, and what groups have committed here while the master was away.

The master's table replaces this one, so that what an operator resets or deletes there holds here too. What a group has
committed here is marked, and told to the master as soon as it answers again, if that has not come as far; the mark
stays until the master has it. Nothing is skipped by that: what was consumed here came from the master's log. Marks
are saved with the offsets (`rmq.server.broker.slave.marks`). After a start nobody knows how long the master has been
back: a mark of an earlier run does not count when the master's offset is before where it was when the mark was made,
because then somebody has reset it.

An offset beyond the end of this broker's queue is taken as that end. The group has consumed what will still be
replicated; but when this broker becomes the master before, others messages get those offsets.

Source: SlaveSynchronize.syncConsumerOffset.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.internet.defer import Deferred, DeferredList
from twisted.python.failure import Failure

from rmq.remoting.errors import TransportError
from rmq.server.broker.meta.config_file import ConfigFile
from rmq.server.broker.meta.offsets import OffsetTable, Queue, key_of, names_in
from rmq.server.broker.slave.marks import Marked, OffsetMarks
from rmq.server.broker.slave.watch import Master
from rmq.settings.model import BrokerSettings
from rmq.wire.bodies.offset import ConsumerOffsetWrapper
from rmq.wire.errors import RemotingError
from rmq.wire.requests.offset import GetAllConsumerOffset, UpdateConsumerOffset

Offsets = dict[str, dict[int, int]]
"""By `topic@group` and queue id."""

SYNC_TIMEOUT: Final = 30.0
"""Seconds in which the master must answer with a whole table."""


class SlaveOffsets(OffsetTable):
    """The table of a slave.

    Args:
        settings, file: see `OffsetTable`.
        marks: keeps `local` on the disk.

    Attributes:
        local: queues whose offset was committed here, and that the master was not told of yet; with the master's
            offset before, -1 when there was none.
    """

    def __init__(self, settings: BrokerSettings, file: ConfigFile, marks: OffsetMarks) -> None:
        super().__init__(settings, file)
        self._marks = marks
        self._saved = self.version
        self._of_earlier_run: set[Queue] = set()
        self.local: dict[Queue, int] = {}

    def load(self) -> None:
        """See `OffsetTable.load`; raises the same for the file of the marks."""
        super().load()
        self._saved = self.version
        marks, newer = self._marks.load(self.version)
        if newer:
            for (group, topic, queue_id), marked in marks.items():
                self._offsets.setdefault(key_of(topic, group), {})[queue_id] = marked.offset
            self._replace(self._offsets)
        self.local = {
            queue: marked.before for queue, marked in marks.items() if self._committed(queue) == marked.offset
        }
        self._of_earlier_run = set(self.local)

    def save(self, now: int) -> None:
        """See `OffsetTable.save`."""
        if self._dirty:
            marks = {queue: Marked(self._committed(queue), before) for queue, before in self.local.items()}
            known = {queue: marked for queue, marked in marks.items() if marked.offset >= 0}
            self._marks.save(known, self._saved, self.version.next(now))
            super().save(now)
            self._saved = self.version

    def commit(self, group: str, topic: str, queue_id: int, offset: int) -> None:
        """Keeps and marks what a group has come to here; see `OffsetTable.commit`."""
        queue = (group, topic, queue_id)
        before = self._committed(queue)
        super().commit(group, topic, queue_id, offset)
        self.local.setdefault(queue, before)
        self._of_earlier_run.discard(queue)

    def ahead_of(self, master: Offsets) -> list[tuple[Queue, int]]:
        """Marked offsets that are greater than the master's, or that it has not; the other marks are dropped."""
        ahead = []
        for queue, before in list(self.local.items()):
            group, topic, queue_id = queue
            offset = self._committed(queue)
            known = master.get(key_of(topic, group), {}).get(queue_id, -1)
            if offset > known and not (queue in self._of_earlier_run and known < before):
                ahead.append((queue, offset))
            else:
                self._unmark(queue)
        return ahead

    def was_told(self, queue: Queue, offset: int) -> None:
        """The master knows of this offset: the mark goes, unless more was committed since."""
        if self._committed(queue) == offset:
            self._unmark(queue)

    def keep_marks(self) -> None:
        """Lets the disk know at once which marks are gone: later they would be wrong.

        Raises:
            OSError: the disk refuses; the next call tries again.
        """
        self._marks.keep_only(set(self.local))

    def _unmark(self, queue: Queue) -> None:
        self.local.pop(queue, None)
        self._of_earlier_run.discard(queue)

    def take(self, master: Offsets, kept: list[tuple[Queue, int]], end: Callable[[str, int], int]) -> None:
        """Takes the master's offsets in place of its own.

        Args:
            master: the master's.
            kept: what the master was told of since, by its group, topic and queue.
            end: the end of a queue of this broker.
        """
        taken: Offsets = {}
        for key, offsets in master.items():
            if (names := names_in(key)) is not None:
                topic, _ = names
                taken[key] = {queue_id: min(offset, end(topic, queue_id)) for queue_id, offset in offsets.items()}
        # What was committed in the meantime is newer.
        for (group, topic, queue_id), offset in (*kept, *((queue, self._committed(queue)) for queue in self.local)):
            if offset >= 0:
                taken.setdefault(key_of(topic, group), {})[queue_id] = offset
        if taken != self._offsets:
            self._replace(taken)

    def _committed(self, queue: Queue) -> int:
        group, topic, queue_id = queue
        return self._offsets.get(key_of(topic, group), {}).get(queue_id, -1)


async def sync_offsets(master: Master, table: SlaveOffsets, end: Callable[[str, int], int]) -> None:
    """Tells the master what was committed here, then takes its table.

    Raises:
        RemotingError: the master cannot be asked, or refuses.
        OSError: what it was told of cannot be noted.
    """
    answer = await master.ask(GetAllConsumerOffset(), timeout=SYNC_TIMEOUT)
    offsets = answer.json(ConsumerOffsetWrapper).offset_table
    # Compared and sent in one turn: clients commit at the master too, from now on.
    ahead = table.ahead_of(offsets)
    told: list[Deferred[None]] = [
        Deferred.fromCoroutine(_tell(master, table, queue, offset)) for queue, offset in ahead
    ]
    results = await DeferredList(told, consumeErrors=True)
    table.take(offsets, ahead, end)
    table.keep_marks()
    for succeeded, result in results:
        if not succeeded and isinstance(result, Failure):
            result.raiseException()


async def _tell(master: Master, table: SlaveOffsets, queue: Queue, offset: int) -> None:
    group, topic, queue_id = queue
    try:
        await master.ask(UpdateConsumerOffset(group, topic, queue_id, offset, lo=False))
    except TransportError:
        raise
    except RemotingError:
        # It has no such group or topic any more.
        pass
    table.was_told(queue, offset)
