"""How many half messages of each topic are pending, as the file `config/transactionMetrics` tells.

Nothing is decided by these numbers, and a crash makes them wrong, with Apache's broker too.

Source: TransactionMetrics.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.logger import Logger

from rmq.server.broker.meta.config_file import ConfigFile
from rmq.wire import fastjson
from rmq.wire.bodies.version import DataVersion
from rmq.wire.declare import Int64, body, decode_body, to_plain

MOST_TOPICS: Final = 65536

log = Logger()


@body
class Metric:
    """One topic's count, and when it changed last (ms)."""

    count: Int64 = 0
    time_stamp: Int64 = 0


@body
class _MetricsFile:
    data_version: DataVersion | None = None
    transaction_count: dict[str, Metric] | None = None


class TransactionMetrics:
    """The counts.

    Args:
        file: `config/transactionMetrics`.
        now: milliseconds since the epoch.
    """

    def __init__(self, file: ConfigFile, now: Callable[[], int]) -> None:
        self._file = file
        self._now = now
        self._dirty = False
        self.version = DataVersion()
        self.counts: dict[str, Metric] = {}

    def load(self) -> None:
        """Reads what an earlier run kept.

        Raises:
            ConfigFileError: the file is damaged.
        """
        stored = self._file.load(lambda content: decode_body(_MetricsFile, content))
        if stored is not None:
            self.counts = stored.transaction_count or {}
            self.version = stored.data_version or self.version

    def add(self, topic: str, change: int) -> None:
        """More or fewer half messages of a topic are pending."""
        metric = self.counts.get(topic)
        if metric is None:
            if len(self.counts) >= MOST_TOPICS:
                return
            metric = self.counts[topic] = Metric()
        now = self._now()
        metric.count += change
        metric.time_stamp = now
        self.version = self.version.next(now)
        self._dirty = True

    def save(self) -> None:
        """Writes the file if anything changed; a disk that refuses is tried again with the next save."""
        if not self._dirty:
            return
        try:
            self._file.save(fastjson.dumps(to_plain(_MetricsFile(self.version, self.counts))))
            self._dirty = False
        except OSError as error:
            log.warn("transaction metrics cannot be saved now: {error}", error=error)
