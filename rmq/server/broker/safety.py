"""When a stored message is as safe as the settings want it: on the disk, on enough slaves, or both.

| settings | a sender waits for |
|---|---|
| flushDiskType=SYNC_FLUSH | its message on the master's disk |
| brokerRole=SYNC_MASTER and inSyncReplicas=n, more than 1 | n - 1 slaves that have it in their logs |

Both waits begin when the message is stored and run side by side; who waits too long is told which of them failed, the
slaves first. The message stays stored. Messages that say WAIT=false are never waited for, nor are those that the
broker stores by itself: what comes back from consumers, check points, delayed messages that are delivered.

Source: CommitLog.handleDiskFlushAndHA.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from twisted.internet.defer import Deferred, succeed

from rmq.server.store.api import AppendResult, PutStatus


class DurableStore(Protocol):
    """What is asked of the store."""

    sync_flush: bool

    def when_durable(self, result: AppendResult) -> Deferred[PutStatus] | None:
        """Fires when it is on the disk; None when there is nothing to wait for."""
        ...


class Acknowledgements(Protocol):
    """What is asked of those who know the slaves."""

    def wait(self, end: int, then: Callable[[PutStatus], None]) -> PutStatus | None:
        """Waits until enough slaves have everything before `end`; see `AckTable.wait`."""
        ...


class Safety:
    """What senders wait for.

    Args:
        store: tells what is on the disk.
        acks: tells what slaves have; None unless this broker waits for slaves (brokerRole=SYNC_MASTER).

    Attributes:
        waits: whether there is anything to wait for at all; constant.
    """

    def __init__(self, store: DurableStore, acks: Acknowledgements | None) -> None:
        self._store = store
        self._acks = acks
        self.waits = store.sync_flush or acks is not None

    def wait(self, result: AppendResult, then: Callable[[PutStatus], None]) -> PutStatus | None:
        """Waits until a message is safe: PUT_OK, FLUSH_DISK_TIMEOUT or FLUSH_SLAVE_TIMEOUT if that is known at once,
        else None, and `then` will be told.

        For what was not stored there is nothing to wait for.
        """
        if result.physical_offset < 0:
            return PutStatus.PUT_OK
        end, acks = result.physical_offset + result.wrote_bytes, self._acks
        durable = self._store.when_durable(result)
        if durable is None:
            return PutStatus.PUT_OK if acks is None else acks.wait(end, then)
        acked: Deferred[PutStatus] = Deferred()
        known = PutStatus.PUT_OK if acks is None else acks.wait(end, acked.callback)
        if known is not None:
            acked.callback(known)
        durable.addCallback(lambda on_disk: acked.addCallback(lambda on_slaves: _worse(on_disk, on_slaves)))
        durable.addCallback(then)
        return None

    def when_safe(self, result: AppendResult) -> Deferred[PutStatus] | None:
        """The same as a Deferred; None when the message is safe."""
        later: Deferred[PutStatus] = Deferred()
        status = self.wait(result, later.callback)
        if status is None:
            return later
        return None if status is PutStatus.PUT_OK else succeed(status)


def _worse(on_disk: PutStatus, on_slaves: PutStatus) -> PutStatus:
    return on_disk if on_slaves is PutStatus.PUT_OK else on_slaves
