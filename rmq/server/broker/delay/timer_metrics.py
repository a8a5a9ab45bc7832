"""How many messages of each topic wait in the timer: `config/timermetrics`.

Source: TimerMetrics.
"""

from __future__ import annotations

from twisted.logger import Logger

from rmq.server.broker.meta.config_file import ConfigFile
from rmq.wire import fastjson
from rmq.wire.bodies.broker import TimerMetric, TimerMetrics
from rmq.wire.declare import decode_body, to_plain

log = Logger()


class TimerCounts:
    """The counts. Topics are those of accepted messages, so there are no more of them than topics.

    Args:
        file: `config/timermetrics`.
    """

    def __init__(self, file: ConfigFile) -> None:
        self._file = file
        self._dirty = False
        self.metrics = TimerMetrics()

    def load(self) -> None:
        """Reads what an earlier run kept.

        Raises:
            ConfigFileError: the file is damaged.
        """
        self.metrics = self._file.load(lambda content: decode_body(TimerMetrics, content)) or self.metrics

    def add(self, topic: str, count: int, now: int) -> None:
        """So many messages more wait."""
        metric = self.metrics.timing_count.get(topic)
        before = metric.count if metric is not None else 0
        self.metrics.timing_count[topic] = TimerMetric(count=before + count, time_stamp=now)
        self.metrics.data_version = self.metrics.data_version.next(now)
        self._dirty = True

    def assign(self, metrics: TimerMetrics) -> None:
        """Takes another broker's counts."""
        if metrics.data_version != self.metrics.data_version:
            self.metrics = metrics
            self._dirty = True

    def save(self) -> None:
        """Writes the file if anything changed since; what fails is tried again at the next save."""
        if not self._dirty:
            return
        try:
            self._file.save(fastjson.dumps(to_plain(self.metrics)))
            self._dirty = False
        except OSError as error:
            log.warn("the timer's counts cannot be saved now: {error}", error=error)
