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

from typing import Protocol

from twisted.internet.defer import Deferred

from rmq.server.store.api import AppendResult, PutStatus


class DurableStore(Protocol):
    """What is asked of the store."""

    sync_flush: bool

    def when_durable(self, result: AppendResult) -> Deferred[PutStatus] | None:
        """Fires when it is on the disk; None when there is nothing to wait for."""
        ...


class Acknowledgements(Protocol):
    """What is asked of those who know the slaves."""

    def when_acked(self, end: int) -> Deferred[PutStatus] | None:
        """Fires when enough slaves have everything before `end`; None when there is nothing to wait for."""
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

    def when_safe(self, result: AppendResult) -> Deferred[PutStatus] | None:
        """Fires with PUT_OK, FLUSH_DISK_TIMEOUT or FLUSH_SLAVE_TIMEOUT; None when there is nothing to wait for.

        None too for what was not stored.
        """
        durable = self._store.when_durable(result)
        if self._acks is None or result.physical_offset < 0:
            return durable
        acked = self._acks.when_acked(result.physical_offset + result.wrote_bytes)
        if durable is None or acked is None:
            return acked if durable is None else durable
        return durable.addCallback(lambda on_disk: acked.addCallback(lambda on_slaves: _worse(on_disk, on_slaves)))


def _worse(on_disk: PutStatus, on_slaves: PutStatus) -> PutStatus:
    return on_disk if on_slaves is PutStatus.PUT_OK else on_slaves
