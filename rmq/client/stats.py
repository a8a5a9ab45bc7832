"""Rates of a consumer, per topic, for tools that ask how it is.

Totals are sampled when something happens, at most every ten seconds, together with the span of time during which they
were the same. A rate is the difference over the last minute, failures are those of the last hour.

Source: ConsumerStatsManager, StatsItem.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import astuple, dataclass
from typing import NamedTuple

from rmq.wire.bodies.running import ConsumeStatus

_MINUTE = 60.0
_HOUR = 3600.0
_STEP = 10.0


@dataclass(slots=True)
class _Totals:
    pulls: int = 0
    pull_time: float = 0.0
    pulled: int = 0
    calls: int = 0
    call_time: float = 0.0
    ok: int = 0
    failed: int = 0


class _Sample(NamedTuple):
    since: float
    until: float
    totals: tuple[float, ...]


class TopicStats:
    """Totals of one topic, and samples of them over the last hour.

    Args:
        seconds: tells time.
    """

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._totals = _Totals()
        self._changed = seconds()
        self._samples: deque[_Sample] = deque([_Sample(seconds(), seconds(), astuple(self._totals))])

    def pulled(self, messages: int, took: float) -> None:
        """A pull took so many seconds and found so many messages."""
        self._sample()
        self._totals.pulls += 1
        self._totals.pull_time += took
        self._totals.pulled += messages

    def consumed(self, ok: int, failed: int, took: float) -> None:
        """A listener's call took so many seconds."""
        self._sample()
        self._totals.calls += 1
        self._totals.call_time += took
        self._totals.ok += ok
        self._totals.failed += failed

    def _sample(self) -> None:
        now = self._seconds()
        if now - self._samples[-1].until >= _STEP:
            self._samples.append(_Sample(self._changed, now, astuple(self._totals)))
            while len(self._samples) > 1 and now - self._samples[1].since >= _HOUR:
                self._samples.popleft()
        self._changed = now

    def _over(self, seconds: float) -> tuple[float, _Totals]:
        now = self._seconds()
        old_enough = (sample for sample in reversed(self._samples) if now - sample.since >= seconds)
        then = next(old_enough, self._samples[0])
        differences = [new - old for new, old in zip(astuple(self._totals), then.totals, strict=True)]
        # Nothing changed while the sample held, so the span may begin wherever in it the wanted one does.
        begin = min(max(now - seconds, then.since), then.until)
        return max(now - begin, 1.0), _Totals(*differences)

    def status(self) -> ConsumeStatus:
        """The rates now."""
        if self._seconds() - self._changed >= _STEP:
            self._sample()
        span, last = self._over(_MINUTE)
        _, hour = self._over(_HOUR)
        return ConsumeStatus(
            pull_rt=last.pull_time * 1000 / last.pulls if last.pulls else 0.0,
            pull_tps=last.pulled / span,
            consume_rt=last.call_time * 1000 / last.calls if last.calls else 0.0,
            consume_ok_tps=last.ok / span,
            consume_failed_tps=last.failed / span,
            consume_failed_msgs=hour.failed,
        )
