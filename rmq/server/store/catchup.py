"""Brings an index that fell behind up to the log, a slice at a time.

The index falls behind when it cannot be written, when its files were missing at start, or when an Apache broker
crashed on this store. Nothing else waits for it: only queries by key miss what is not indexed yet.
"""

from __future__ import annotations

from twisted.logger import Logger

from rmq.remoting.reactor import Clock, DelayedCall
from rmq.server.store.commitlog import CommitLog
from rmq.server.store.index import Index
from rmq.server.store.record import Record
from rmq.server.store.scan import LogScan
from rmq.wire.message import find_property
from rmq.wire.sysflag import TRANSACTION_MASK, TRANSACTION_ROLLBACK

_log = Logger()

SLICE = 1000
"""Records per slice: a few milliseconds."""
_PAUSE = 0.01
_RETRY = 1.0
_IDLE = 1.0


def index_record(index: Index, record: Record) -> None:
    """Indexes a record as it was found in the log."""
    if record.sys_flag & TRANSACTION_MASK == TRANSACTION_ROLLBACK:
        return
    uniq_key = find_property(record.properties, b"UNIQ_KEY")
    keys = find_property(record.properties, b"KEYS")
    tags = find_property(record.properties, b"TAGS")
    if uniq_key or keys or tags:
        index.add(
            record.topic.decode("utf-8", "replace"),
            uniq_key.decode("utf-8", "replace") if uniq_key else None,
            keys.decode("utf-8", "replace") if keys else None,
            tags.decode("utf-8", "replace") if tags else None,
            record.physical_offset,
            record.store_timestamp,
        )


class IndexCatchUp:
    """Watches `Index.behind` and works it off."""

    def __init__(self, log: CommitLog, index: Index, clock: Clock) -> None:
        self._log = log
        self._index = index
        self._clock = clock
        self._call: DelayedCall | None = None

    def start(self) -> None:
        """Begins to watch."""
        self._call = self._clock.callLater(0, self._on_call)

    def stop(self) -> None:
        """Ends it; what is missing is noted in the checkpoint."""
        if self._call is not None and self._call.active():
            self._call.cancel()

    def _on_call(self) -> None:
        before = self._index.behind
        pause = _IDLE
        if before >= 0:
            try:
                self.work(SLICE)
                pause = _PAUSE if self._index.behind != before else _RETRY
            except OSError as error:
                _log.error("The index cannot catch up: {error}", error=error)
                pause = _RETRY
        self._call = self._clock.callLater(pause, self._on_call)

    def work(self, most: int) -> None:
        """Indexes up to `most` records.

        Raises:
            OSError: the log cannot be read.
        """
        index, log = self._index, self._log
        start = max(index.behind, log.min_offset)
        end = log.end
        done = index.end
        scan = LogScan(log.segments, start, end, check_crc=False)
        index.behind = -1
        if start < end:
            for record in scan.walk():
                if record.physical_offset >= end:
                    break
                if record.physical_offset > done or record.physical_offset == start:
                    index_record(index, record)
                if index.behind >= 0:
                    return
                if scan.records >= most and scan.position < end:
                    index.behind = scan.position
                    return
