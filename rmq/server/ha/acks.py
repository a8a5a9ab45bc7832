"""Who waits until enough slaves have a message.

A slave acknowledges everything before an offset. With `needed` replicas wanted, the master itself being one, a message
is safe when the (needed - 1)-th greatest acknowledgement has reached its end. Waiters stand in the order of the log, so
each acknowledgement serves the first few of them and one timer, for the first of all, ends those whose time is over.

Every connection counts as a slave of its own, as at Apache's: a slave that connects again while the master does not
know yet that its old connection is dead counts twice until then.

Source: GroupTransferService, CommitLog.handleHA.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from typing import Final

from rmq.remoting.reactor import Clock, DelayedCall
from rmq.server.store.api import PutStatus

_STREAK: Final = 3
"""So many acknowledgements in a row that served one make a sender count as one that sends one at a time."""

Then = Callable[[PutStatus], None]
"""Who waits: called once with PUT_OK or FLUSH_SLAVE_TIMEOUT. Each synchronous send is one, so it is no Deferred."""


class AckTable:
    """The acknowledgements of all slaves, and who waits for them.

    Args:
        clock: tells time and calls later.
        needed: on how many replicas a message must be, the master among them; asked anew each time.
        timeout: seconds that a message waits for that; asked anew for each message.

    Attributes:
        on_single: called for a message that is alone, as the last few were: slaves have nothing to do, and there is
            nothing to come that they could get together with it.
    """

    def __init__(self, clock: Clock, needed: Callable[[], int], timeout: Callable[[], float]) -> None:
        self._clock = clock
        self._needed = needed
        self._timeout = timeout
        self._acks: dict[Hashable, int] = {}
        self._waiters: deque[tuple[int, float, Then]] = deque()
        self._expiry: DelayedCall | None = None
        self._stopped = False
        self._singles = 0
        self.on_single: Callable[[], None] = lambda: None

    @property
    def safe_end(self) -> int | None:
        """Everything before this offset is on enough replicas; None when no slave is needed for that."""
        slaves = self._needed() - 1
        return self._reached(slaves) if slaves > 0 else None

    def _reached(self, slaves: int) -> int:
        """So many slaves have everything before this offset."""
        acks = self._acks.values()
        if slaves > len(acks):
            return 0
        return max(acks) if slaves == 1 else sorted(acks, reverse=True)[slaves - 1]

    def stored(self) -> None:
        """A message was stored, for which somebody will probably wait. Slaves get one that is alone at once, so that
        they work while the rest is done here."""
        if self._singles >= _STREAK and not self._waiters:
            self.on_single()

    def acked(self, slave: Hashable, offset: int) -> None:
        """A slave has everything before `offset`."""
        self._acks[slave] = offset
        waiters = self._waiters
        if not waiters:
            return
        safe, served = self.safe_end, []
        while waiters and (safe is None or waiters[0][0] <= safe):
            served.append(waiters.popleft()[2])
        if served:
            self._singles = self._singles + 1 if len(served) == 1 else 0
        for then in served:
            then(PutStatus.PUT_OK)

    def gone(self, slave: Hashable) -> None:
        """A slave's connection ended: what it had no longer counts."""
        self._acks.pop(slave, None)

    def wait(self, end: int, then: Then) -> PutStatus | None:
        """Waits until everything before `end` is on enough replicas; what came of it if that is known at once, else
        None, and `then` will be told."""
        slaves, waiters = self._needed() - 1, self._waiters
        # Who comes after one who waits will wait, too.
        first = not waiters or end < waiters[-1][0]
        if slaves <= 0 or (first and end <= self._reached(slaves)):
            return PutStatus.PUT_OK
        if self._stopped:
            return PutStatus.FLUSH_SLAVE_TIMEOUT
        timeout = self._timeout()
        waiters.append((end, self._clock.seconds() + timeout, then))
        if self._expiry is None:
            self._expiry = self._clock.callLater(timeout, self._expire)
        return None

    def stop(self) -> None:
        """Answers all who wait, and all who will, with a timeout."""
        self._stopped = True
        if self._expiry is not None and self._expiry.active():
            self._expiry.cancel()
        while self._waiters:
            self._waiters.popleft()[2](PutStatus.FLUSH_SLAVE_TIMEOUT)

    def _expire(self) -> None:
        self._expiry = None
        now = self._clock.seconds()
        expired = []
        while self._waiters and self._waiters[0][1] <= now:
            expired.append(self._waiters.popleft()[2])
        if self._waiters:
            self._expiry = self._clock.callLater(self._waiters[0][1] - now, self._expire)
        for then in expired:
            then(PutStatus.FLUSH_SLAVE_TIMEOUT)
