"""The timer of a slave: takes in what its master has taken in, lets nothing out, and reads where its master reads.

So when it is started as a master one day, it has what waits, and goes on where the other one stood. Nothing may be
lost then, and little may come twice:

- A slot counts as let out when the master's read time has passed it, and this log holds what the master stored until
  then: whoever calls `follow` sees to that.
- A message that came to the master too late for its slot stands there in one of the next two. Here it goes into the
  later one of them, and so never counts as let out before it was.
- What goes round because it is due beyond the roll window is chained with this broker's time, which is later than that
  of the master's, so it counts as sent round later too.

Source: TimerMessageStore.isRunningEnqueue, TimerMessageStore.syncLastReadTimeMs.
"""

from __future__ import annotations

from rmq.server.broker.delay.timer import Timer
from rmq.server.broker.delay.timer_files import Progress
from rmq.server.broker.delay.timer_wheel import SLOTS


class FollowingTimer(Timer):
    """See the module."""

    _master_queue_offset = 0

    def follow(self, read_time: int, queue_offset: int) -> None:
        """The master's timer has come so far.

        Args:
            read_time: the slot that the master lets out next, in milliseconds; 0 when its timer never ran.
            queue_offset: the message of the timer's topic that it takes in next.

        Raises:
            OSError: the wheel cannot be read.
        """
        self._master_queue_offset = queue_offset
        slot = self._slot_of(read_time)
        if not slot or slot == self._read_time:
            return
        # Back, too: what this broker had let out as a master, and was cut away since, waits again.
        low, high = min(slot, self._read_time), max(slot, self._read_time)
        low = max(low, high - SLOTS * self._precision)
        passed = sum(self.waiting_in(time) for time in range(low, high, self._precision))
        self.waiting += passed if slot < self._read_time else -passed
        self._read_time = slot
        self._dirty = True

    def cut(self) -> None:
        """The commit log was made shorter: units of messages that it has no more are forgotten.

        Raises:
            OSError: the timer's files cannot be changed.
        """
        end = self._files.log.end
        progress = self._files.cut(self._store, self._progress(), self._now())
        if progress.log_position == end and progress.queue_offset == self._queue_offset:
            return
        self._cuts += 1
        self._noted = None
        self._queue_offset = progress.queue_offset
        self._synced = min(self._synced, progress.log_position)
        self.waiting = self._files.waiting if progress.log_position < end else self.waiting
        self._files.keep(Progress(self._read_time, self._queue_offset, self._synced), self._now())
        self._dirty = True

    def _slice(self) -> bool:
        self._write_time = max(self._write_time, self._slot_of(self._now()))
        taking = self._take_in()
        self._keep()
        return taking

    def _last_to_take(self, end: int) -> int:
        return min(end, self._master_queue_offset)

    def _first_open(self) -> int:
        return self._read_time + self._precision

    def _count(self, topic: str, more: int) -> None:
        """The master's counts are taken as they are."""
